/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../../../src/sys/deflate_block.h"
#include "sample.h"
#include "xbuild/sys/deflate.h"
#include "xbuild/sys/digest.h"
#include "xbuild/sys/pool.h"

static const size_t sizes[] = {0, 1, 100, 65536, XB_DEFLATE_MEMBER_BYTES};

/* Neither all alike nor noise. */
static void fill(unsigned char *bytes, size_t len)
{
	uint32_t seed = 1;

	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525 + 1013904223;
		bytes[i] = (unsigned char)(i % 300 < 200 ? (uint32_t) "the quick brown fox "[i % 20] : seed >> 24);
	}
}

static size_t compress_new(const void *data, size_t len, void *out)
{
	struct xb_deflate *d = xb_deflate_new();
	const size_t size = xb_deflate_member(d, data, len, out);

	xb_deflate_free(d);
	return size;
}

/* The judge of all that is written: gzip(1) reads the members, which were joined (RFC 1952 section 2.2). */
struct judge {
	struct xb_deflate *d;
	struct xb_str plain, packed;
};

static void add_member(struct judge *j, const void *data, size_t len)
{
	unsigned char *out XB_CLEANUP(xb_free_ptr) = xb_alloc(xb_deflate_bound(len));
	const size_t size = xb_deflate_member(j->d, data, len, out);

	assert_in_range(size, 20, xb_deflate_bound(len));
	xb_str_append_n(&j->plain, data, len);
	xb_str_append_n(&j->packed, out, size);
}

static void judge_members(struct judge *j)
{
	char *dir = sample_dir();
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/f.gz", dir);
	char *plain XB_CLEANUP(xb_free_ptr) = xb_printf("%s/f", dir);
	struct xb_str got XB_CLEANUP(xb_str_release) = {0};

	sample_write(path, j->packed.data, j->packed.len);
	assert_int_equal(SAMPLE_RUN("gzip", "-d", path), 0);
	sample_read(plain, &got);
	assert_int_equal(got.len, j->plain.len);
	assert_memory_equal(got.data, j->plain.data, got.len);
	sample_dir_remove(dir);
	xb_str_release(&j->plain);
	xb_str_release(&j->packed);
	xb_deflate_free(j->d);
}

static void members_come_back_as_they_were(void **state)
{
	struct judge j = {.d = xb_deflate_new()};
	unsigned char *in XB_CLEANUP(xb_free_ptr) = xb_alloc(XB_DEFLATE_MEMBER_BYTES);
	size_t before;

	(void)state;
	fill(in, XB_DEFLATE_MEMBER_BYTES);
	for (size_t i = 0; i < XB_COUNT(sizes); i++) {
		before = j.packed.len;
		add_member(&j, in, sizes[i]);
		if (sizes[i] >= 65536)
			assert_true(j.packed.len - before < sizes[i] / 2);
	}
	memset(in, 0, XB_DEFLATE_MEMBER_BYTES);
	before = j.packed.len;
	add_member(&j, in, XB_DEFLATE_MEMBER_BYTES);
	assert_true(j.packed.len - before < 2000);
	judge_members(&j);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Noise is stored; what repeats is at every distance up to and beyond the window, and of every length. */
static void members_of_every_shape_come_back(void **state)
{
	struct judge j = {.d = xb_deflate_new()};
	unsigned char *in XB_CLEANUP(xb_free_ptr) = xb_alloc(XB_DEFLATE_MEMBER_BYTES);
	uint32_t seed = 20;

	(void)state;
	for (int round = 0; round < 300; round++) {
		const uint32_t letters = round % 5 == 0 ? 256 : 1 + next_random(&seed) % 20;
		const uint32_t far = 1 + next_random(&seed) % 40000;
		const size_t len = next_random(&seed) % (round % 10 ? 3000 : 200000);
		size_t n = 0;

		while (n < len) {
			size_t run = 1 + next_random(&seed) % 400;

			run = run < len - n ? run : len - n;
			for (const bool copy = n > far && next_random(&seed) % 2; run > 0; run--, n++)
				in[n] = copy ? in[n - far] : (unsigned char)(next_random(&seed) % letters);
		}
		add_member(&j, in, len);
	}
	judge_members(&j);
}

static void noise_takes_no_more_than_the_bound(void **state)
{
	struct judge j = {.d = xb_deflate_new()};
	unsigned char *in XB_CLEANUP(xb_free_ptr) = xb_alloc(XB_DEFLATE_MEMBER_BYTES);
	uint32_t seed = 3;

	(void)state;
	for (size_t i = 0; i < XB_DEFLATE_MEMBER_BYTES; i++)
		in[i] = (unsigned char)next_random(&seed);
	add_member(&j, in, XB_DEFLATE_MEMBER_BYTES);
	assert_true(j.packed.len < XB_DEFLATE_MEMBER_BYTES + 300);
	add_member(&j, in, 24576);
	add_member(&j, in, 24577);
	judge_members(&j);
}

/* RFC 1951 section 3.2.2: a code that is complete, so that every reader takes it, and within the limit. */
static void check_code(const uint32_t *counts, size_t n, unsigned max_bits)
{
	uint8_t bits[DEFLATE_LENGTHS];
	uint32_t filled = 0;

	deflate_code_lengths(counts, n, max_bits, bits);
	for (size_t i = 0; i < n; i++) {
		assert_true(bits[i] <= max_bits);
		assert_true(!counts[i] || bits[i]);
		filled += bits[i] ? 1U << (max_bits - bits[i]) : 0;
		for (size_t k = 0; k < i; k++)
			assert_false(counts[k] && counts[i] > counts[k] && bits[i] > bits[k]);
	}
	assert_int_equal(filled, 1U << max_bits);
}

static void codes_are_complete_and_within_the_limit(void **state)
{
	uint32_t fibonacci[22] = {1, 1}, random[DEFLATE_LENGTHS], seed = 9;
	static const uint32_t none[19], one[19] = {[7] = 5};
	uint8_t bits[4];

	(void)state;
	for (size_t i = 2; i < XB_COUNT(fibonacci); i++)
		fibonacci[i] = fibonacci[i - 1] + fibonacci[i - 2];
	check_code(fibonacci, XB_COUNT(fibonacci), 15);
	check_code(fibonacci, 19, 7);
	check_code(none, 19, 7);
	check_code(one, 19, 7);
	for (int round = 0; round < 500; round++) {
		const size_t n = 2 + next_random(&seed) % (DEFLATE_LENGTHS - 2);

		for (size_t i = 0; i < n; i++)
			random[i] = next_random(&seed) % 3 ? next_random(&seed) % (1U << next_random(&seed) % 15) : 0;
		check_code(random, n, n <= 100 ? 7 : 15);
	}
	/* optimal where there is no need to shorten */
	deflate_code_lengths((const uint32_t[]){1, 2, 4, 8}, 4, 15, bits);
	assert_memory_equal(bits, ((const uint8_t[]){3, 3, 2, 1}), 4);
}

/* Every length and distance has its symbol: against the tables of RFC 1951 section 3.2.5. */
static void symbols_are_those_of_the_tables(void **state)
{
	static const unsigned lengths[] = {3,  4,  5,  6,  7,  8,  9,  10, 11,	13,  15,  17,  19,  23, 27,
					   31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
	static const unsigned distances[] = {1,	   2,	 3,    4,    5,	   7,	 9,    13,    17,    25,
					     33,   49,	 65,   97,   129,  193,	 257,  385,   513,   769,
					     1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
	unsigned extra;

	(void)state;
	for (unsigned i = 0, len = 3; len <= DEFLATE_MAX_MATCH; len++) {
		if (i + 1 < XB_COUNT(lengths) && len >= lengths[i + 1])
			i++;
		assert_int_equal(deflate_length_symbol(len, &extra), 257 + i);
		assert_int_equal(extra, i < 8 || i == 28 ? 0 : i / 4 - 1);
	}
	for (unsigned i = 0, distance = 1; distance <= 32768; distance++) {
		if (i + 1 < XB_COUNT(distances) && distance >= distances[i + 1])
			i++;
		assert_int_equal(deflate_distance_symbol(distance, &extra), i);
		assert_int_equal(extra, i < 4 ? 0 : i / 2 - 1);
	}
}

/* RFC 1952 section 2.3.1. */
static void the_header_tells_nothing(void **state)
{
	static const unsigned char expected[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0};
	unsigned char *out XB_CLEANUP(xb_free_ptr) = xb_alloc(xb_deflate_bound(3));

	(void)state;
	compress_new("abc", 3, out);
	assert_memory_equal(out, expected, sizeof(expected));
	assert_int_equal(out[9], 255);
}

struct same {
	const unsigned char *in, *expected;
	size_t size;
};

static int compress_again(void *ctx, size_t i, struct xb_err *err)
{
	const struct same *same = ctx;
	unsigned char *out XB_CLEANUP(xb_free_ptr) = xb_alloc(xb_deflate_bound(XB_DEFLATE_MEMBER_BYTES));

	if (compress_new(same->in, XB_DEFLATE_MEMBER_BYTES, out) != same->size ||
	    memcmp(out, same->expected, same->size) != 0)
		return xb_fail(err, XB_E_VERIFY, "run %zu differs", i);
	return 0;
}

/* Also from a compressor that was used before. */
static void bytes_do_not_depend_on_threads_or_history(void **state)
{
	unsigned char *in XB_CLEANUP(xb_free_ptr) = xb_alloc(XB_DEFLATE_MEMBER_BYTES);
	unsigned char *out XB_CLEANUP(xb_free_ptr) = xb_alloc(xb_deflate_bound(XB_DEFLATE_MEMBER_BYTES));
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_deflate *d = xb_deflate_new();
	struct same same = {.in = in, .expected = out};

	(void)state;
	fill(in, XB_DEFLATE_MEMBER_BYTES);
	xb_deflate_member(d, in + 7, 1000, out);
	same.size = xb_deflate_member(d, in, XB_DEFLATE_MEMBER_BYTES, out);
	xb_deflate_free(d);
	assert_int_equal(xb_parallel(16, 4, compress_again, &same, &err), 0);
}

/* What makes one digest of one lock on every machine. A change here changes every image: raise XB_DEFLATE_VERSION. */
static void bytes_are_these_everywhere(void **state)
{
	unsigned char *in XB_CLEANUP(xb_free_ptr) = xb_alloc(XB_DEFLATE_MEMBER_BYTES);
	unsigned char *out XB_CLEANUP(xb_free_ptr) = xb_alloc(xb_deflate_bound(XB_DEFLATE_MEMBER_BYTES));
	struct xb_digest digest;
	char hex[XB_DIGEST_HEX];

	(void)state;
	fill(in, XB_DEFLATE_MEMBER_BYTES);
	xb_digest_bytes(out, compress_new(in, XB_DEFLATE_MEMBER_BYTES, out), &digest);
	assert_string_equal(xb_digest_hex(&digest, hex),
			    "5f5cad3589f76d3f640c6e592f1f5f79f178d502c086f09da70affb2c984ebf0");
	assert_string_equal(XB_DEFLATE_VERSION, "2");
}

/* Texts of a few words: every place has many with the same four bytes, of which only the first few are tried. */
static void fill_words(unsigned char *bytes, size_t len)
{
	static const char *const words[] = {"the ",    "then ",	  "there ",   "therefore ", "these ", "other ",
					    "others ", "mother ", "nothing ", "thing ",	    "think ", "brother\n"};
	uint32_t seed = 5;
	size_t n = 0;

	while (n < len)
		for (const char *c = words[next_random(&seed) % XB_COUNT(words)]; *c && n < len; c++)
			bytes[n++] = (unsigned char)*c;
}

/* Noise, in which 40 bytes come back where a window ends: one byte short of it, at its very end, and one beyond. */
static void fill_far(unsigned char *bytes, size_t len)
{
	uint32_t seed = 6;

	for (size_t i = 0; i < len; i++)
		bytes[i] = (unsigned char)next_random(&seed);
	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < 40; k++)
			bytes[40000 + 100 * i + k] = bytes[40000 + 100 * i + k - 32767 - i];
}

/* As bytes_are_these_everywhere, for what that text has none of: long chains, and repetitions at the window's end. */
static void matches_are_these_everywhere(void **state)
{
	static const struct {
		void (*fill)(unsigned char *bytes, size_t len);
		size_t len;
		const char *sha256;
	} cases[] = {{fill_words, 200000, "a6c5b5f764ef6e8a41cde4c1a687d75a2c49ccbca1e715aed4e5ba3f7fd67c4a"},
		     {fill_far, 60000, "4eeeaeb0a03b8f2c05967fb3b9a0f7f736ae604ae36068f9b4d459f8a5899205"}};
	unsigned char *in XB_CLEANUP(xb_free_ptr) = xb_alloc(XB_DEFLATE_MEMBER_BYTES);
	unsigned char *out XB_CLEANUP(xb_free_ptr) = xb_alloc(xb_deflate_bound(XB_DEFLATE_MEMBER_BYTES));
	struct judge j = {.d = xb_deflate_new()};
	struct xb_digest digest;
	char hex[XB_DIGEST_HEX];

	(void)state;
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		cases[i].fill(in, cases[i].len);
		xb_digest_bytes(out, compress_new(in, cases[i].len, out), &digest);
		assert_string_equal(xb_digest_hex(&digest, hex), cases[i].sha256);
		add_member(&j, in, cases[i].len);
	}
	judge_members(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_come_back_as_they_were),
		cmocka_unit_test(members_of_every_shape_come_back),
		cmocka_unit_test(noise_takes_no_more_than_the_bound),
		cmocka_unit_test(codes_are_complete_and_within_the_limit),
		cmocka_unit_test(symbols_are_those_of_the_tables),
		cmocka_unit_test(the_header_tells_nothing),
		cmocka_unit_test(bytes_do_not_depend_on_threads_or_history),
		cmocka_unit_test(bytes_are_these_everywhere),
		cmocka_unit_test(matches_are_these_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
