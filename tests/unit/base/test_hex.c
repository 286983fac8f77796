/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "xbuild/base/hex.h"

static void every_byte_survives_the_round_trip(void **state)
{
	uint8_t bytes[256], back[256] = {0};
	char text[2 * sizeof(bytes) + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 167 + 3); /* 167 is odd: each value occurs once */
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		memset(text, 'x', sizeof(text));
		xb_hex_encode(bytes, len, text);
		assert_int_equal(strlen(text), 2 * len);
		assert_int_equal(strspn(text, "0123456789abcdef"), 2 * len);
		memset(back, 0, sizeof(back));
		assert_true(xb_hex_decode(xb_sv(text), back, len));
		assert_memory_equal(back, bytes, len);
	}
}

static void known_values(void **state)
{
	const uint8_t bytes[] = {0x00, 0x0f, 0xf0, 0xde, 0xad};
	char text[11];

	(void)state;
	xb_hex_encode(bytes, sizeof(bytes), text);
	assert_string_equal(text, "000ff0dead");
}

static void only_one_spelling_is_read(void **state)
{
	static const char *const bad[] = {"",	   "0",	   "00",   "000",   "0000 ",	 " 0000",
					  "00000", "AB00", "aB00", "0g00",  "0x00",	 "00/0",
					  "00:0",  "00`0", "-000", "00\n0", "00\xc3\xa4"};
	const uint8_t before[2] = {0x5a, 0xa5};
	uint8_t out[2];

	(void)state;
	memcpy(out, before, sizeof(out));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (xb_hex_decode(xb_sv(bad[i]), out, 2))
			fail_msg("'%s' was accepted", bad[i]);
		assert_memory_equal(out, before, sizeof(out));
	}
	assert_false(xb_hex_decode(xb_sv_n("00\0000", 4), out, 2));
	/* len * 2 wraps to 0 here. */
	assert_false(xb_hex_decode(xb_sv(""), out, SIZE_MAX / 2 + 1));
	assert_true(xb_hex_decode(xb_sv_n("0aff!", 4), out, 2));
	assert_int_equal(out[0], 0x0a);
	assert_int_equal(out[1], 0xff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_survives_the_round_trip),
		cmocka_unit_test(known_values),
		cmocka_unit_test(only_one_spelling_is_read),
	};

	return cmocka_run_group_tests_name("base/hex", tests, NULL, NULL);
}
