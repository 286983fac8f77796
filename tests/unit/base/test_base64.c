/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "xbuild/base/attr.h"
#include "xbuild/base/base64.h"

/* RFC 4648 section 10, and what uses the last two digits. */
static const struct {
	const char *bytes, *text;
} known[] = {{"", ""},
	     {"f", "Zg=="},
	     {"fo", "Zm8="},
	     {"foo", "Zm9v"},
	     {"foob", "Zm9vYg=="},
	     {"fooba", "Zm9vYmE="},
	     {"foobar", "Zm9vYmFy"},
	     {"\xfb\xff\xfe", "+//+"}};

static void known_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < XB_COUNT(known); i++) {
		struct xb_str text XB_CLEANUP(xb_str_release) = {0}, back XB_CLEANUP(xb_str_release) = {0};

		xb_base64_encode(known[i].bytes, strlen(known[i].bytes), &text);
		assert_string_equal(xb_str_get(&text), known[i].text);
		assert_true(xb_base64_decode(xb_sv(known[i].text), &back));
		assert_string_equal(xb_str_get(&back), known[i].bytes);
	}
}

static void every_length_survives_the_round_trip(void **state)
{
	uint8_t bytes[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 167 + 3); /* 167 is odd: each value occurs once */
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		struct xb_str text XB_CLEANUP(xb_str_release) = {0}, back XB_CLEANUP(xb_str_release) = {0};

		xb_base64_encode(bytes, len, &text);
		assert_int_equal(text.len, (len + 2) / 3 * 4);
		assert_true(xb_base64_decode(xb_str_sv(&text), &back));
		assert_int_equal(back.len, len);
		assert_memory_equal(xb_str_get(&back), bytes, len);
	}
}

static void only_one_spelling_is_read(void **state)
{
	static const char *const bad[] = {"Z",	      "Zg",    "Zg=",	 "Zh==", "Zm9=",     "Zm9v\n",
					  "Zg==Zg==", "=Zg=",  "====",	 "Z===", "Zm9v====", "Zm-v",
					  "Zm_v",     " Zm9v", "Zm9vZg", "Z=g=", "Zm 9",     "\xc3\xa4Zg"};
	struct xb_str out XB_CLEANUP(xb_str_release) = {0}, small XB_CLEANUP(xb_str_release) = {.max_bytes = 2};

	(void)state;
	xb_str_append(&out, "before");
	for (size_t i = 0; i < XB_COUNT(bad); i++) {
		if (xb_base64_decode(xb_sv(bad[i]), &out))
			fail_msg("'%s' was accepted", bad[i]);
		assert_string_equal(out.data, "before");
	}
	assert_false(xb_base64_decode(xb_sv_n("Zm\0v", 4), &out));
	assert_false(xb_base64_decode(xb_sv("Zm9v"), &small));
	assert_int_equal(small.len, 0);
	assert_true(xb_base64_decode(xb_sv("Zm8="), &small));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_values),
		cmocka_unit_test(every_length_survives_the_round_trip),
		cmocka_unit_test(only_one_spelling_is_read),
	};

	return cmocka_run_group_tests_name("base/base64", tests, NULL, NULL);
}
