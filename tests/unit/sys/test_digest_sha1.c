/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "xbuild/base/attr.h"
#include "xbuild/base/hex.h"
#include "xbuild/sys/digest_sha1.h"

static struct xb_sha1 sum_of(const char *text, size_t step)
{
	struct xb_sha1_hasher h = {0};
	struct xb_sha1 sum;
	size_t len = strlen(text);
	xb_sha1_init(&h);
	for (size_t at = 0; at < len; at += step)
		xb_sha1_update(&h, text + at, len - at < step ? len - at : step);
	xb_sha1_final(&h, &sum);
	assert_null(h.state);
	return sum;
}

/* FIPS 180-4, the examples of NIST; the base64 is what coreutils' base64 writes for these bytes. */
static void test_known_sums(void **state)
{
	static const struct {
		const char *text, *hex, *base64;
	} rows[] = {
		{"", "da39a3ee5e6b4b0d3255bfef95601890afd80709", "2jmj7l5rSw0yVb/vlWAYkK/YBwk="},
		{"abc", "a9993e364706816aba3e25717850c26c9cd0d89d", "qZk+NkcGgWq6PiVxeFDCbJzQ2J0="},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
		 "hJg+RBw70m66rkqh+VEp5eVGcPE="},
	};
	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		struct xb_sha1 sum = sum_of(rows[i].text, 7), back;
		char hex[2 * XB_SHA1_BYTES + 1], base64[XB_SHA1_BASE64];
		xb_hex_encode(sum.bytes, XB_SHA1_BYTES, hex);
		assert_string_equal(hex, rows[i].hex);
		assert_string_equal(xb_sha1_base64(&sum, base64), rows[i].base64);
		assert_true(xb_sha1_parse_base64(xb_sv(base64), &back));
		assert_memory_equal(back.bytes, sum.bytes, XB_SHA1_BYTES);
	}
}

static void test_there_and_back(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		struct xb_sha1 sum, back;
		char base64[XB_SHA1_BASE64];
		for (size_t i = 0; i < XB_SHA1_BYTES; i++)
			sum.bytes[i] = (uint8_t)((round * 2654435761U + i * 40503U) >> (i % 13));
		assert_true(xb_sha1_parse_base64(xb_sv(xb_sha1_base64(&sum, base64)), &back));
		assert_memory_equal(back.bytes, sum.bytes, XB_SHA1_BYTES);
	}
}

static void test_other_spellings(void **state)
{
	static const char *const rows[] = {
		"",
		"2jmj7l5rSw0yVb/vlWAYkK/YBwk",	/* no padding */
		"2jmj7l5rSw0yVb/vlWAYkK/YBwl=", /* a left-over bit is set */
		"2jmj7l5rSw0yVb_vlWAYkK_YBwk=", /* the alphabet for URLs */
		"2jmj7l5rSw0yVb/vlWAYkK/YBwkA", /* 21 bytes */
		"2jmj7l5rSw0yVb/vlWAYkK/YBw==", /* 19 bytes */
		"2jmj7l5rSw0yVb/vlWAYkK/YBwk=\n",
		" 2jmj7l5rSw0yVb/vlWAYkK/YBwk",
	};
	struct xb_sha1 sum;
	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++)
		assert_false(xb_sha1_parse_base64(xb_sv(rows[i]), &sum));
	assert_false(xb_sha1_parse_base64(xb_sv_n("2jmj7l5rSw0yVb/v\0WAYkK/YBwk=", 28), &sum));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_sums),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_other_spellings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
