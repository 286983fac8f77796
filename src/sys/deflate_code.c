/* SPDX-License-Identifier: Apache-2.0 */
/* Prefix codes of bounded length: Huffman's with two queues, then shortened where it is too deep. */
#include <string.h>

#include "deflate_block.h"

#define MAX_DEPTH   64 /* counts are below 2^16 in all, so that a code is not even 24 bits deep */
#define SYMBOL_BITS 9

/* Shell's sort: for three hundred numbers a third of what qsort takes. */
static void sort(uint32_t *values, size_t n)
{
	static const size_t gaps[] = {132, 57, 23, 10, 4, 1};

	for (size_t g = 0; g < sizeof(gaps) / sizeof(*gaps); g++) {
		for (size_t i = gaps[g]; i < n; i++) {
			const uint32_t value = values[i];
			size_t at = i;

			for (; at >= gaps[g] && values[at - gaps[g]] > value; at -= gaps[g])
				values[at] = values[at - gaps[g]];
			values[at] = value;
		}
	}
}

/* Symbols that occur, as count << 9 | symbol, from the rarest; the symbol decides between equal counts. */
static size_t sort_symbols(const uint32_t *counts, size_t n, uint32_t *out)
{
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		if (counts[i])
			out[used++] = counts[i] << SYMBOL_BITS | (uint32_t)i;
	}
	/* RFC 1951 section 3.2.7 allows a code of one symbol or none, but not every reader does. */
	for (uint32_t i = 0; used < 2; i++) {
		if (!counts[i])
			out[used++] = i;
	}
	sort(out, used);
	return used;
}

/* How many codes have which depth. Leaves are 0..n-1 and come sorted, inner nodes follow in the order they are made. */
static void tree_depths(const uint32_t *sorted, size_t n, unsigned *at_depth)
{
	uint32_t weight[2 * DEFLATE_LENGTHS];
	uint16_t parent[2 * DEFLATE_LENGTHS];
	uint8_t depth[2 * DEFLATE_LENGTHS];
	size_t leaf = 0, inner = n;

	for (size_t i = 0; i < n; i++)
		weight[i] = sorted[i] >> SYMBOL_BITS;
	for (size_t node = n; node < 2 * n - 1; node++) {
		weight[node] = 0;
		for (int child = 0; child < 2; child++) {
			const bool take_leaf = leaf < n && (inner >= node || weight[leaf] <= weight[inner]);
			const size_t taken = take_leaf ? leaf++ : inner++;

			weight[node] += weight[taken];
			parent[taken] = (uint16_t)node;
		}
	}
	depth[2 * n - 2] = 0;
	for (size_t i = 2 * n - 2; i-- > 0;) {
		depth[i] = (uint8_t)(depth[parent[i]] + 1);
		if (i < n)
			at_depth[depth[i]]++;
	}
}

/*
 * Codes that are too deep are cut to max_bits; then the code is over-full, until for each word too much a shorter word
 * is made one longer (ITU-T T.81, K.2, does it so).
 */
static void limit_depths(unsigned *at_depth, unsigned max_bits)
{
	uint32_t filled = 0;

	for (unsigned d = max_bits + 1; d < MAX_DEPTH; d++) {
		at_depth[max_bits] += at_depth[d];
		at_depth[d] = 0;
	}
	for (unsigned d = 1; d <= max_bits; d++)
		filled += (uint32_t)at_depth[d] << (max_bits - d);
	for (; filled > 1U << max_bits; filled--) {
		unsigned d = max_bits - 1;

		while (!at_depth[d])
			d--;
		at_depth[d]--;
		at_depth[d + 1] += 2;
		at_depth[max_bits]--;
	}
}

void deflate_code_lengths(const uint32_t *counts, size_t n, unsigned max_bits, uint8_t *out)
{
	uint32_t sorted[DEFLATE_LENGTHS];
	unsigned at_depth[MAX_DEPTH] = {0};
	const size_t used = sort_symbols(counts, n, sorted);
	size_t next = used;

	tree_depths(sorted, used, at_depth);
	limit_depths(at_depth, max_bits);
	memset(out, 0, n);
	for (unsigned d = 1; d <= max_bits; d++) {
		for (unsigned i = 0; i < at_depth[d]; i++)
			out[sorted[--next] & ((1U << SYMBOL_BITS) - 1)] = (uint8_t)d;
	}
}
