/* SPDX-License-Identifier: Apache-2.0 */
/* One block of RFC 1951 section 3.2: stored, with the fixed code, or with codes of its own, whichever is shortest. */
#include <string.h>

#include "deflate_block.h"

#define MAX_BITS      15 /* section 3.2.7 */
#define RUN_SYMBOLS   19
#define RUN_MAX_BITS  7
#define MAX_LENGTHS   (DEFLATE_LENGTHS + DEFLATE_DISTANCES)
#define FIXED_LENGTHS 288 /* section 3.2.6 gives codes to two symbols that never occur */

enum kind { STORED = 0, FIXED = 1, OWN = 2 };

struct code {
	uint8_t bits[FIXED_LENGTHS];
	uint16_t word[FIXED_LENGTHS]; /* reversed: codes are packed from their highest bit on */
};

/* The code lengths of both codes, as runs (section 3.2.7). */
struct runs {
	uint8_t symbols[MAX_LENGTHS], extra[MAX_LENGTHS];
	size_t n;
	unsigned n_lengths, n_distances, n_run_bits;
	struct code code;
};

static inline void put(struct deflate_bits *bits, uint64_t value, unsigned n)
{
	bits->held |= value << bits->n_held;
	bits->n_held += n;
}

/* At most 7 bits stay held. */
static inline void flush(struct deflate_bits *bits)
{
	deflate_store64(bits->out, bits->held);
	bits->out += bits->n_held / 8;
	bits->held >>= bits->n_held & ~7U;
	bits->n_held &= 7;
}

void deflate_bits_finish(struct deflate_bits *bits)
{
	bits->n_held = (bits->n_held + 7) & ~7U;
	flush(bits);
}

/* Section 3.2.2. */
static void assign_words(struct code *code, size_t n)
{
	unsigned counts[MAX_BITS + 1] = {0}, next[MAX_BITS + 2] = {0};

	for (size_t i = 0; i < n; i++)
		counts[code->bits[i]]++;
	counts[0] = 0;
	for (unsigned len = 1; len <= MAX_BITS; len++)
		next[len + 1] = (next[len] + counts[len]) << 1;
	for (size_t i = 0; i < n; i++) {
		unsigned word = code->bits[i] ? next[code->bits[i]]++ : 0, reversed = 0;

		for (unsigned bit = 0; bit < code->bits[i]; bit++, word >>= 1)
			reversed = reversed << 1 | (word & 1);
		code->word[i] = (uint16_t)reversed;
	}
}

static void fixed_codes(struct code *lengths, struct code *distances)
{
	for (unsigned i = 0; i < FIXED_LENGTHS; i++)
		lengths->bits[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
	memset(distances->bits, 5, 32);
	assign_words(lengths, FIXED_LENGTHS);
	assign_words(distances, 32);
}

static void add_run(struct runs *runs, uint8_t symbol, unsigned extra)
{
	runs->symbols[runs->n] = symbol;
	runs->extra[runs->n++] = (uint8_t)extra;
}

/* One stretch of equal code lengths. */
static void add_stretch(struct runs *runs, uint8_t bits, unsigned count)
{
	if (bits == 0) {
		for (; count >= 11; count -= count < 138 ? count : 138)
			add_run(runs, 18, (count < 138 ? count : 138) - 11);
		if (count >= 3) {
			add_run(runs, 17, count - 3);
			count = 0;
		}
	} else {
		add_run(runs, bits, 0);
		for (count--; count >= 3; count -= count < 6 ? count : 6)
			add_run(runs, 16, (count < 6 ? count : 6) - 3);
	}
	while (count-- > 0)
		add_run(runs, bits, 0);
}

static const uint8_t run_order[RUN_SYMBOLS] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};

static unsigned run_extra_bits(uint8_t symbol)
{
	return symbol == 16 ? 2 : symbol == 17 ? 3 : symbol == 18 ? 7 : 0;
}

static void find_runs(const struct code *lengths, const struct code *distances, struct runs *runs)
{
	uint32_t counts[RUN_SYMBOLS] = {0};
	uint8_t all[MAX_LENGTHS];

	*runs = (struct runs){
		.n_lengths = DEFLATE_LENGTHS, .n_distances = DEFLATE_DISTANCES, .n_run_bits = RUN_SYMBOLS};
	while (lengths->bits[runs->n_lengths - 1] == 0)
		runs->n_lengths--;
	while (distances->bits[runs->n_distances - 1] == 0)
		runs->n_distances--;
	memcpy(all, lengths->bits, runs->n_lengths);
	memcpy(all + runs->n_lengths, distances->bits, runs->n_distances);
	const unsigned n = runs->n_lengths + runs->n_distances;

	for (unsigned i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && all[end] == all[i]; end++)
			;
		add_stretch(runs, all[i], end - i);
	}
	for (size_t i = 0; i < runs->n; i++)
		counts[runs->symbols[i]]++;
	deflate_code_lengths(counts, RUN_SYMBOLS, RUN_MAX_BITS, runs->code.bits);
	assign_words(&runs->code, RUN_SYMBOLS);
	while (runs->code.bits[run_order[runs->n_run_bits - 1]] == 0)
		runs->n_run_bits--;
}

static uint64_t runs_cost(const struct runs *runs)
{
	uint64_t bits = 5 + 5 + 4 + 3 * runs->n_run_bits;

	for (size_t i = 0; i < runs->n; i++)
		bits += runs->code.bits[runs->symbols[i]] + run_extra_bits(runs->symbols[i]);
	return bits;
}

static void write_runs(const struct runs *runs, struct deflate_bits *bits)
{
	put(bits, runs->n_lengths - 257, 5);
	put(bits, runs->n_distances - 1, 5);
	put(bits, runs->n_run_bits - 4, 4);
	flush(bits);
	for (unsigned i = 0; i < runs->n_run_bits; i++) {
		put(bits, runs->code.bits[run_order[i]], 3);
		flush(bits);
	}
	for (size_t i = 0; i < runs->n; i++) {
		const uint8_t symbol = runs->symbols[i];

		put(bits, runs->code.word[symbol], runs->code.bits[symbol]);
		put(bits, runs->extra[i], run_extra_bits(symbol));
		flush(bits);
	}
}

/* Without the extra bits, which are the same with every code. */
static uint64_t symbols_cost(const struct deflate_block *block, const struct code *lengths,
			     const struct code *distances)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < DEFLATE_LENGTHS; i++)
		bits += (uint64_t)block->length_counts[i] * lengths->bits[i];
	for (size_t i = 0; i < DEFLATE_DISTANCES; i++)
		bits += (uint64_t)block->distance_counts[i] * distances->bits[i];
	return bits;
}

static uint64_t extra_cost(const struct deflate_block *block)
{
	uint64_t bits = 0;

	for (unsigned i = 265; i < 285; i++)
		bits += (uint64_t)block->length_counts[i] * ((i - 261) / 4);
	for (unsigned i = 4; i < DEFLATE_DISTANCES; i++)
		bits += (uint64_t)block->distance_counts[i] * (i / 2 - 1);
	return bits;
}

/* Code words as they are written: the bits, and how many they are above them. That of a length has its extra bits. */
struct words {
	uint32_t literals[DEFLATE_END + 1];
	uint32_t lengths[DEFLATE_MAX_MATCH + 1];
	uint32_t distances[DEFLATE_DISTANCES];
};
#define WORD_BITS 24
#define WORD_MASK ((1U << WORD_BITS) - 1)

static uint32_t joined(const struct code *code, unsigned symbol)
{
	return code->word[symbol] | (uint32_t)code->bits[symbol] << WORD_BITS;
}

static void join_words(const struct code *lengths, const struct code *distances, struct words *out)
{
	unsigned extra;

	for (unsigned i = 0; i <= DEFLATE_END; i++)
		out->literals[i] = joined(lengths, i);
	for (unsigned len = 3; len <= DEFLATE_MAX_MATCH; len++) {
		const unsigned symbol = deflate_length_symbol(len, &extra);
		const uint32_t more = (len - 3) & ((1U << extra) - 1);

		out->lengths[len] = joined(lengths, symbol) + (more << lengths->bits[symbol]) + (extra << WORD_BITS);
	}
	for (unsigned i = 0; i < DEFLATE_DISTANCES; i++)
		out->distances[i] = joined(distances, i);
}

static inline void put_word(struct deflate_bits *bits, uint32_t word)
{
	put(bits, word & WORD_MASK, word >> WORD_BITS);
}

static inline void write_match(uint32_t token, const struct words *words, struct deflate_bits *bits)
{
	const unsigned distance = token >> 9;
	unsigned extra;
	const unsigned symbol = deflate_distance_symbol(distance, &extra);

	put_word(bits, words->lengths[token & 511]);
	put_word(bits, words->distances[symbol]);
	put(bits, (distance - 1) & ((1U << extra) - 1), extra);
}

/*
 * The parts of a match are at most 15 + 5, 15 and 13 bits, and three literals 45, so that one flush is enough for either.
 * The bits are counted in a copy, which the compiler keeps in registers.
 */
static void write_tokens(const struct deflate_block *block, const struct code *lengths, const struct code *distances,
			 struct deflate_bits *out)
{
	const uint32_t *token = block->tokens, *const end = token + block->n_tokens;
	struct deflate_bits bits = *out;
	struct words words;

	join_words(lengths, distances, &words);
	while (token < end) {
		if (*token > UINT8_MAX)
			write_match(*token++, &words, &bits);
		else
			for (int i = 0; i < 3 && token < end && *token <= UINT8_MAX; i++, token++)
				put_word(&bits, words.literals[*token]);
		flush(&bits);
	}
	put_word(&bits, words.literals[DEFLATE_END]);
	flush(&bits);
	*out = bits;
}

static void write_stored(const struct deflate_block *block, struct deflate_bits *bits)
{
	const unsigned len = (unsigned)block->plain_len;

	deflate_bits_finish(bits);
	put(bits, len | (uint64_t)(~len & 0xffff) << 16, 32);
	flush(bits);
	memcpy(bits->out, block->plain, len);
	bits->out += len;
}

void deflate_block_write(struct deflate_block *block, bool last, struct deflate_bits *bits)
{
	struct code lengths = {0}, distances = {0}, fixed_lengths = {0}, fixed_distances = {0};
	struct runs runs;

	block->length_counts[DEFLATE_END] = 1;
	deflate_code_lengths(block->length_counts, DEFLATE_LENGTHS, MAX_BITS, lengths.bits);
	deflate_code_lengths(block->distance_counts, DEFLATE_DISTANCES, MAX_BITS, distances.bits);
	find_runs(&lengths, &distances, &runs);
	fixed_codes(&fixed_lengths, &fixed_distances);

	const uint64_t extra = extra_cost(block);
	const uint64_t own = runs_cost(&runs) + symbols_cost(block, &lengths, &distances) + extra;
	const uint64_t fixed = symbols_cost(block, &fixed_lengths, &fixed_distances) + extra;
	const uint64_t stored = 8 * (4 + (uint64_t)block->plain_len) + (8 - (bits->n_held + 3) % 8) % 8;
	const enum kind kind = stored <= own && stored <= fixed ? STORED : fixed <= own ? FIXED : OWN;

	put(bits, (unsigned)last | (unsigned)kind << 1, 3);
	flush(bits);
	if (kind == STORED) {
		write_stored(block, bits);
	} else if (kind == FIXED) {
		write_tokens(block, &fixed_lengths, &fixed_distances, bits);
	} else {
		assign_words(&lengths, DEFLATE_LENGTHS);
		assign_words(&distances, DEFLATE_DISTANCES);
		write_runs(&runs, bits);
		write_tokens(block, &lengths, &distances, bits);
	}
}
