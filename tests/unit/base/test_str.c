/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sample.h"
#include "xbuild/base/str.h"

static void an_empty_string_is_never_null(void **state)
{
	struct xb_str s = {0};
	char *stolen;

	(void)state;
	assert_string_equal(xb_str_get(&s), "");
	assert_non_null(xb_str_sv(&s).ptr);
	assert_int_equal(xb_str_sv(&s).len, 0);
	xb_str_reset(&s);
	stolen = xb_str_steal(&s);
	assert_string_equal(stolen, "");
	free(stolen);
	assert_true(xb_str_append_n(&s, NULL, 0));
	assert_non_null(s.data);
	assert_string_equal(s.data, "");
	xb_str_release(&s);
	xb_str_release(&s);
	xb_str_release(NULL);
}

static void every_append_appends(void **state)
{
	struct xb_str s XB_CLEANUP(xb_str_release) = {0};

	(void)state;
	assert_true(xb_str_append(&s, "a"));
	assert_true(xb_str_append_n(&s, "b\0c", 3));
	assert_true(xb_str_append_sv(&s, xb_sv_n("defg", 2)));
	assert_true(xb_str_append_sv(&s, (struct xb_sv){0}));
	assert_true(xb_str_append_char(&s, 'f'));
	assert_true(xb_str_printf(&s, "%03d%s", 7, "!"));
	assert_int_equal(s.len, 11);
	assert_memory_equal(s.data, "ab\0cdef007!", 12);
	assert_true(xb_sv_eq(xb_str_sv(&s), xb_sv_n("ab\0cdef007!", 11)));
}

/* Against a plain buffer, with pieces of all lengths. */
static void growth_loses_nothing(void **state)
{
	static char expected[200000];
	struct xb_str s XB_CLEANUP(xb_str_release) = {0};
	uint32_t seed = 3;
	size_t len = 0;

	(void)state;
	while (len < sizeof(expected) - 1000) {
		char piece[1000];
		size_t n = sample_next(&seed) % sizeof(piece);

		memset(piece, (int)('a' + n % 26), n);
		memcpy(expected + len, piece, n);
		len += n;
		assert_true(xb_str_append_n(&s, piece, n));
		assert_int_equal(s.len, len);
		assert_true(s.cap > s.len);
		assert_int_equal(s.data[s.len], '\0');
	}
	assert_memory_equal(s.data, expected, len);
}

static void the_cap_is_exact_and_appends_nothing(void **state)
{
	struct xb_str s XB_CLEANUP(xb_str_release) = {.max_bytes = 5};

	(void)state;
	assert_false(xb_str_append(&s, "123456"));
	assert_string_equal(xb_str_get(&s), "");
	assert_true(xb_str_append(&s, "1234"));
	assert_false(xb_str_append(&s, "56"));
	assert_false(xb_str_printf(&s, "%d", 56));
	assert_false(xb_str_append_n(&s, "x", SIZE_MAX));
	assert_string_equal(s.data, "1234");
	assert_true(xb_str_append_char(&s, '5'));
	assert_false(xb_str_append_char(&s, '6'));
	assert_true(xb_str_append(&s, ""));
	assert_string_equal(s.data, "12345");
	s.max_bytes = 3;
	assert_false(xb_str_append_char(&s, '6'));
	assert_string_equal(s.data, "12345");
}

static void quotes_for_a_shell(void **state)
{
	struct xb_str s XB_CLEANUP(xb_str_release) = {.max_bytes = 24};

	(void)state;
	assert_true(xb_str_append_quoted(&s, ""));
	assert_true(xb_str_append_quoted(&s, "$a 'b'"));
	assert_string_equal(s.data, "'''$a '\\''b'\\'''");
	assert_false(xb_str_append_quoted(&s, "cccccccc"));
	assert_int_equal(s.len, 16);
}

static void release_keeps_the_cap(void **state)
{
	struct xb_str s XB_CLEANUP(xb_str_release) = {.max_bytes = 2};

	(void)state;
	assert_true(xb_str_append(&s, "ab"));
	xb_str_release(&s);
	assert_null(s.data);
	assert_false(xb_str_append(&s, "abc"));
	free(xb_str_steal(&s));
	assert_false(xb_str_append(&s, "abc"));
}

static void reset_keeps_the_memory(void **state)
{
	struct xb_str s XB_CLEANUP(xb_str_release) = {0};
	const char *before;

	(void)state;
	xb_str_append(&s, "something");
	before = s.data;
	xb_str_reset(&s);
	assert_int_equal(s.len, 0);
	assert_string_equal(xb_str_get(&s), "");
	xb_str_append(&s, "else");
	assert_ptr_equal(s.data, before);
	assert_string_equal(s.data, "else");
}

static void steal_hands_the_memory_over(void **state)
{
	struct xb_str s = {0};
	char *stolen;

	(void)state;
	xb_str_append(&s, "mine");
	stolen = xb_str_steal(&s);
	assert_string_equal(stolen, "mine");
	assert_null(s.data);
	assert_int_equal(s.len, 0);
	assert_int_equal(s.cap, 0);
	xb_str_append(&s, "new");
	assert_string_equal(stolen, "mine");
	free(stolen);
	xb_str_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_string_is_never_null),
		cmocka_unit_test(every_append_appends),
		cmocka_unit_test(growth_loses_nothing),
		cmocka_unit_test(the_cap_is_exact_and_appends_nothing),
		cmocka_unit_test(quotes_for_a_shell),
		cmocka_unit_test(release_keeps_the_cap),
		cmocka_unit_test(reset_keeps_the_memory),
		cmocka_unit_test(steal_hands_the_memory_over),
	};

	return cmocka_run_group_tests_name("base/str", tests, NULL, NULL);
}
