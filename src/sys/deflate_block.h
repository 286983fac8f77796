/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to sys/deflate: the two halves of an encoder. The matcher turns bytes into tokens; the block writer turns the
 * tokens of one block into bits. Both are plain integer arithmetic on what they are given: no clock, no CPU feature, no
 * address decides anything, which is why the bytes are the same everywhere.
 */
#ifndef XBUILD_SYS_DEFLATE_BLOCK_H
#define XBUILD_SYS_DEFLATE_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RFC 1951 section 3.2.5 */
#define DEFLATE_LITERALS  256
#define DEFLATE_END	  256 /* the symbol that ends a block */
#define DEFLATE_LENGTHS	  286 /* literals, the end, lengths */
#define DEFLATE_DISTANCES 30
#define DEFLATE_MAX_MATCH 258

/* A block ends at whichever comes first; a stored block has at most 65535 bytes (section 3.2.4). */
#define DEFLATE_BLOCK_TOKENS 24576
#define DEFLATE_BLOCK_BYTES  (65535 - DEFLATE_MAX_MATCH)

/* One block in the making. A token is a literal byte, or a match: its length in the low 9 bits, its distance above. */
struct deflate_block {
	const uint8_t *plain; /* the bytes that the tokens stand for, borrowed */
	size_t plain_len, n_tokens;
	uint32_t length_counts[DEFLATE_LENGTHS];
	uint32_t distance_counts[DEFLATE_DISTANCES];
	uint32_t tokens[DEFLATE_BLOCK_TOKENS];
};

/* Bits are packed from the lowest on (section 3.1.1). Up to 8 bytes after the last one of `out` are written over. */
struct deflate_bits {
	uint8_t *out;
	uint64_t held;
	unsigned n_held;
};

struct deflate_matcher;

struct deflate_matcher *deflate_matcher_new(void);
void deflate_matcher_start(struct deflate_matcher *m, const uint8_t *data, size_t len); /* data is borrowed */
/* Fills the next block. False: the input is at its end, and the block is the last one (it may be empty). */
bool deflate_matcher_next(struct deflate_matcher *m, struct deflate_block *block);

/* Writes the block in the shortest of the three ways of section 3.2.3. */
void deflate_block_write(struct deflate_block *block, bool last, struct deflate_bits *bits);
void deflate_bits_finish(struct deflate_bits *bits); /* pads with zeros to a whole byte */

/* Code lengths of an optimal prefix code, none above max_bits (RFC 1951 section 3.2.2); at least two are not 0. */
void deflate_code_lengths(const uint32_t *counts, size_t n, unsigned max_bits, uint8_t *out);

/* Little-endian, whatever the CPU is and however the bytes are aligned; compilers make one instruction of it. */
static inline uint32_t deflate_load32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
static inline uint64_t deflate_load64(const uint8_t *p)
{
	return deflate_load32(p) | (uint64_t)deflate_load32(p + 4) << 32;
}
static inline void deflate_store32(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)value;
	p[1] = (uint8_t)(value >> 8);
	p[2] = (uint8_t)(value >> 16);
	p[3] = (uint8_t)(value >> 24);
}
static inline void deflate_store64(uint8_t *p, uint64_t value)
{
	deflate_store32(p, (uint32_t)value);
	deflate_store32(p + 4, (uint32_t)(value >> 32));
}
static inline unsigned deflate_log2(uint32_t value) /* not 0 */
{
	return 31U - (unsigned)__builtin_clz(value);
}

/* RFC 1951 section 3.2.5 as arithmetic: four symbols per power of two for lengths, two for distances. */
static inline unsigned deflate_length_symbol(unsigned len, unsigned *out_extra_bits)
{
	const unsigned x = len - 3, power = x < 8 ? 2 : deflate_log2(x);

	*out_extra_bits = len == DEFLATE_MAX_MATCH ? 0 : power - 2;
	return len == DEFLATE_MAX_MATCH ? 285 : 257 + 4 * (power - 2) + (x >> (power - 2));
}
static inline unsigned deflate_distance_symbol(unsigned distance, unsigned *out_extra_bits)
{
	const unsigned x = distance - 1, power = x < 2 ? 1 : deflate_log2(x);

	*out_extra_bits = power - 1;
	return 2 * (power - 1) + (x >> (power - 1));
}

#endif
