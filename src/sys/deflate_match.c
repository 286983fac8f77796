/* SPDX-License-Identifier: Apache-2.0 */
/* Finds repetitions: chains of earlier places with the same four bytes, and a look one byte ahead before a match is taken. */
#include <string.h>

#include "deflate_block.h"
#include "xbuild/base/alloc.h"

#define WINDOW	  32768 /* RFC 1951 section 2 */
#define HASH_BITS 15
#define MIN_MATCH 4 /* three bytes seldom pay and would need chains of their own */

/* Changing any of these changes every image: raise XB_DEFLATE_VERSION. */
#define CHAIN_LEN      14 /* places that are tried */
#define CHAIN_LEN_LAZY 7  /* when one byte further is looked at */
#define GOOD_LEN       24 /* a match of this length is taken without a look further */
#define NICE_LEN       64 /* a match of this length ends the search */

struct deflate_matcher {
	const uint8_t *data;
	size_t len, pos, entered;
	uint32_t head[1 << HASH_BITS]; /* the latest place with this hash, plus 1; 0: none */
	uint32_t earlier[WINDOW];      /* the place before that one, plus 1, by the low bits of the place */
};

struct match {
	unsigned len; /* 0: none */
	unsigned distance;
};

struct deflate_matcher *deflate_matcher_new(void)
{
	return xb_alloc(sizeof(struct deflate_matcher));
}

void deflate_matcher_start(struct deflate_matcher *m, const uint8_t *data, size_t len)
{
	m->data = data;
	m->len = len;
	m->pos = m->entered = 0;
	memset(m->head, 0, sizeof(m->head));
}

/* Every place is entered once, in order; the last three bytes start no match. */
static void enter_up_to(struct deflate_matcher *m, size_t end)
{
	for (; m->entered < end; m->entered++) {
		if (m->len - m->entered < MIN_MATCH)
			continue;
		const uint32_t hash = deflate_load32(m->data + m->entered) * 2654435761U >> (32 - HASH_BITS);

		m->earlier[m->entered % WINDOW] = m->head[hash];
		m->head[hash] = (uint32_t)m->entered + 1;
	}
}

static unsigned common_length(const uint8_t *a, const uint8_t *b, unsigned max)
{
	unsigned n = 0;

	for (; n + 8 <= max; n += 8) {
		const uint64_t differ = deflate_load64(a + n) ^ deflate_load64(b + n);

		if (differ)
			return n + (unsigned)__builtin_ctzll(differ) / 8;
	}
	while (n < max && a[n] == b[n])
		n++;
	return n;
}

/* The longest match at pos (which was entered) that is longer than `longer_than`; of equal ones the nearest. */
static struct match find(const struct deflate_matcher *m, size_t pos, unsigned longer_than, unsigned chain)
{
	const unsigned max = m->len - pos < DEFLATE_MAX_MATCH ? (unsigned)(m->len - pos) : DEFLATE_MAX_MATCH;
	const uint8_t *here = m->data + pos;
	struct match best = {.len = longer_than < MIN_MATCH - 1 ? MIN_MATCH - 1 : longer_than};

	if (max <= best.len)
		return (struct match){0};
	const uint32_t first = deflate_load32(here);
	uint32_t tail = deflate_load32(here + best.len - 3);

	/* The slot of a place a whole window back is that of pos itself. */
	for (uint32_t at = m->earlier[pos % WINDOW]; at && pos - (at - 1) < WINDOW && chain; chain--) {
		const uint8_t *there = m->data + at - 1;

		if (deflate_load32(there + best.len - 3) == tail && deflate_load32(there) == first) {
			const unsigned len = common_length(here, there, max);

			if (len > best.len) {
				best = (struct match){.len = len, .distance = (unsigned)(here - there)};
				if (len >= NICE_LEN || len == max)
					break;
				tail = deflate_load32(here + best.len - 3);
			}
		}
		at = m->earlier[(at - 1) % WINDOW];
	}
	return best.distance ? best : (struct match){0};
}

static void add_literal(struct deflate_block *block, uint8_t byte)
{
	block->tokens[block->n_tokens++] = byte;
	block->length_counts[byte]++;
	block->plain_len++;
}

static void add_match(struct deflate_block *block, struct match match)
{
	unsigned extra;

	block->tokens[block->n_tokens++] = match.distance << 9 | match.len;
	block->plain_len += match.len;
	block->length_counts[deflate_length_symbol(match.len, &extra)]++;
	block->distance_counts[deflate_distance_symbol(match.distance, &extra)]++;
}

static struct match look(struct deflate_matcher *m, size_t pos, unsigned longer_than, unsigned chain)
{
	enter_up_to(m, pos + 1);
	return m->len - pos < MIN_MATCH ? (struct match){0} : find(m, pos, longer_than, chain);
}

bool deflate_matcher_next(struct deflate_matcher *m, struct deflate_block *block)
{
	static const struct match none;
	struct match match = none;

	block->plain = m->data + m->pos;
	block->plain_len = block->n_tokens = 0;
	memset(block->length_counts, 0, sizeof(block->length_counts));
	memset(block->distance_counts, 0, sizeof(block->distance_counts));
	for (; m->pos < m->len && block->plain_len < DEFLATE_BLOCK_BYTES && block->n_tokens < DEFLATE_BLOCK_TOKENS;
	     m->pos = (size_t)(block->plain - m->data) + block->plain_len) {
		if (!match.len)
			match = look(m, m->pos, 0, CHAIN_LEN);
		const bool look_on = match.len && match.len < GOOD_LEN && m->pos + 1 < m->len;
		const struct match next = look_on ? look(m, m->pos + 1, match.len, CHAIN_LEN_LAZY) : none;

		if (match.len && !next.len)
			add_match(block, match);
		else
			add_literal(block, m->data[m->pos]);
		match = next;
	}
	return m->pos < m->len;
}
