/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/base/sv.h"

#include <string.h>

#include "xbuild/base/alloc.h"

#define MAX_NAME  64
#define UNLIKE	  99
#define MAX_TYPOS 3

struct xb_sv xb_sv(const char *text)
{
	return (struct xb_sv){.ptr = text, .len = text ? strlen(text) : 0};
}

struct xb_sv xb_sv_n(const char *ptr, size_t len)
{
	return (struct xb_sv){.ptr = ptr, .len = len};
}

/* memcmp may not be given NULL, not even for no bytes; the empty view has ptr == NULL. */
static bool same_bytes(const char *a, const char *b, size_t len)
{
	return !len || memcmp(a, b, len) == 0;
}

bool xb_sv_eq(struct xb_sv a, struct xb_sv b)
{
	return a.len == b.len && same_bytes(a.ptr, b.ptr, a.len);
}

bool xb_sv_eq_str(struct xb_sv a, const char *text)
{
	return xb_sv_eq(a, xb_sv(text));
}

bool xb_sv_starts(struct xb_sv sv, const char *prefix)
{
	const size_t len = strlen(prefix);

	return sv.len >= len && same_bytes(sv.ptr, prefix, len);
}

bool xb_sv_ends(struct xb_sv sv, const char *suffix)
{
	const size_t len = strlen(suffix);

	return sv.len >= len && (!len || memcmp(sv.ptr + sv.len - len, suffix, len) == 0);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct xb_sv xb_sv_trim(struct xb_sv sv)
{
	while (sv.len && is_blank(sv.ptr[sv.len - 1]))
		sv.len--;
	while (sv.len && is_blank(*sv.ptr)) {
		sv.ptr++;
		sv.len--;
	}
	return sv;
}

struct xb_sv xb_sv_cut(struct xb_sv *rest, char separator)
{
	const char *at = rest->len ? memchr(rest->ptr, separator, rest->len) : NULL;
	struct xb_sv part = *rest;

	if (!at) {
		*rest = (struct xb_sv){0};
		return part;
	}
	part.len = (size_t)(at - part.ptr);
	rest->ptr = at + 1;
	rest->len -= part.len + 1;
	return part;
}

int xb_sv_compare(struct xb_sv a, struct xb_sv b)
{
	const size_t common = a.len < b.len ? a.len : b.len;
	const int order = common ? memcmp(a.ptr, b.ptr, common) : 0;

	if (order)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

char *xb_sv_dup(struct xb_sv sv)
{
	char *copy = xb_alloc(sv.len + 1);

	if (sv.len)
		memcpy(copy, sv.ptr, sv.len);
	return copy;
}

static unsigned min_of(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/*
 * Optimal string alignment: insertions, deletions, substitutions, and swaps of two neighbours, which are the most
 * common slip of the hand and would count as two without the third row.
 */
unsigned xb_sv_distance(struct xb_sv a, struct xb_sv b)
{
	unsigned rows[3][MAX_NAME + 1];
	unsigned *before = rows[0], *above = rows[1], *row = rows[2];

	if (a.len > MAX_NAME || b.len > MAX_NAME)
		return UNLIKE;
	for (size_t j = 0; j <= b.len; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= a.len; i++) {
		unsigned *oldest = before;

		before = above;
		above = row;
		row = oldest;
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b.len; j++) {
			const char x = a.ptr[i - 1], y = b.ptr[j - 1];

			row[j] = min_of(min_of(above[j], row[j - 1]) + 1, above[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == b.ptr[j - 2] && a.ptr[i - 2] == y)
				row[j] = min_of(row[j], before[j - 2] + 1);
		}
	}
	return row[b.len];
}

/* Letters that both begin with. */
static size_t common_prefix(struct xb_sv a, struct xb_sv b)
{
	size_t n = 0;

	while (n < a.len && n < b.len && a.ptr[n] == b.ptr[n])
		n++;
	return n;
}

static bool is_doubled(struct xb_sv text, size_t at)
{
	return at > 0 && at < text.len && text.ptr[at] == text.ptr[at - 1];
}

/*
 * Of two candidates as far from the word, is `a` the likelier one? Who mistypes leaves a letter out more often than he
 * adds one, hardly ever gets the beginning wrong, and writes "sl" for "ssl".
 */
static bool is_likelier(struct xb_sv word, struct xb_sv a, struct xb_sv b)
{
	const size_t in_a = common_prefix(word, a), in_b = common_prefix(word, b);

	if ((a.len > word.len) != (b.len > word.len))
		return a.len > word.len;
	if (in_a != in_b)
		return in_a > in_b;
	return is_doubled(a, in_a) && !is_doubled(b, in_b);
}

const char *xb_sv_suggest(struct xb_sv word, const char *const *candidates)
{
	const char *best = NULL;
	unsigned best_distance = MAX_TYPOS + 1;

	for (; *candidates; candidates++) {
		const struct xb_sv candidate = xb_sv(*candidates);
		const size_t longer = word.len > candidate.len ? word.len : candidate.len;
		const unsigned distance = xb_sv_distance(word, candidate);

		/* One slip in three letters: otherwise every short name would resemble every other. */
		if (distance <= longer / 3 &&
		    (distance < best_distance ||
		     (best && distance == best_distance && is_likelier(word, candidate, xb_sv(best))))) {
			best = *candidates;
			best_distance = distance;
		}
	}
	return best;
}
