/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sample.h"
#include "xbuild/base/attr.h"
#include "xbuild/base/sv.h"

static const struct xb_sv none;

static void views_compare_by_bytes(void **state)
{
	(void)state;
	assert_int_equal(xb_sv(NULL).len, 0);
	assert_null(xb_sv(NULL).ptr);
	assert_true(xb_sv_eq(xb_sv(""), none));
	assert_true(xb_sv_eq_str(none, ""));
	assert_true(xb_sv_eq_str(xb_sv_n("abc", 2), "ab"));
	assert_false(xb_sv_eq_str(xb_sv("ab"), "abc"));
	assert_false(xb_sv_eq(xb_sv_n("a\0b", 3), xb_sv_n("a\0c", 3)));
	assert_false(xb_sv_eq_str(xb_sv_n("a\0", 2), "a"));
}

static void starts_and_ends(void **state)
{
	(void)state;
	assert_true(xb_sv_starts(xb_sv("abc"), ""));
	assert_true(xb_sv_starts(xb_sv("abc"), "ab"));
	assert_true(xb_sv_starts(xb_sv("abc"), "abc"));
	assert_false(xb_sv_starts(xb_sv_n("abc", 1), "ab"));
	assert_true(xb_sv_starts(none, ""));
	assert_true(xb_sv_ends(xb_sv("abc"), "bc"));
	assert_true(xb_sv_ends(xb_sv("abc"), "abc"));
	assert_false(xb_sv_ends(xb_sv("bc"), "abc"));
	assert_false(xb_sv_ends(xb_sv_n("abc", 2), "c"));
	assert_true(xb_sv_ends(none, ""));
	assert_false(xb_sv_ends(none, "a"));
}

static void trim_cuts_both_ends(void **state)
{
	(void)state;
	assert_true(xb_sv_eq_str(xb_sv_trim(xb_sv(" \t\r\n a b\t \r\n")), "a b"));
	assert_true(xb_sv_eq_str(xb_sv_trim(xb_sv("a")), "a"));
	assert_int_equal(xb_sv_trim(xb_sv(" \n\t\r ")).len, 0);
	assert_int_equal(xb_sv_trim(none).len, 0);
	assert_true(xb_sv_eq_str(xb_sv_trim(xb_sv("\va\f")), "\va\f"));
}

/* Joining what cut returned gives the text back, for every text over a letter and the separator. */
static void cut_loses_nothing(void **state)
{
	char text[8] = "";

	(void)state;
	do {
		struct xb_sv rest = xb_sv(text);
		char joined[16] = "";
		size_t len = 0, separators = 0, parts = 0;

		for (const char *p = text; *p; p++)
			separators += *p == ',';
		while (rest.ptr) {
			struct xb_sv part = xb_sv_cut(&rest, ',');

			assert_null(part.len ? memchr(part.ptr, ',', part.len) : NULL);
			if (parts++)
				joined[len++] = ',';
			memcpy(joined + len, part.ptr, part.len);
			len += part.len;
		}
		assert_string_equal(joined, text);
		assert_int_equal(parts, separators + 1);
		assert_int_equal(rest.len, 0);
	} while (sample_next_text(text, 7, "a,"));
}

static void cut_of_nothing_is_nothing(void **state)
{
	struct xb_sv rest = none;

	(void)state;
	assert_int_equal(xb_sv_cut(&rest, ',').len, 0);
	assert_null(rest.ptr);
}

static int sign(int x)
{
	return (x > 0) - (x < 0);
}

static void compare_is_the_order_of_unsigned_bytes(void **state)
{
	static const char *const ordered[] = {"", "a", "aa", "ab", "b", "\x7f", "\x80", "\xff"};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(ordered); i++) {
		for (size_t j = 0; j < XB_COUNT(ordered); j++) {
			int expected = (i > j) - (i < j);

			assert_int_equal(sign(xb_sv_compare(xb_sv(ordered[i]), xb_sv(ordered[j]))), expected);
		}
	}
	assert_int_equal(xb_sv_compare(none, xb_sv("")), 0);
}

static void dup_copies_all_bytes(void **state)
{
	char *copy = xb_sv_dup(xb_sv_n("a\0bc", 3)), *empty = xb_sv_dup(none);

	(void)state;
	assert_memory_equal(copy, "a\0b", 4);
	assert_string_equal(empty, "");
	free(copy);
	free(empty);
}

static void known_distances(void **state)
{
	static const struct {
		const char *a, *b;
		unsigned distance;
	} rows[] = {
		{"", "", 0},
		{"", "abc", 3},
		{"kitten", "sitting", 3},
		{"entrypint", "entrypoint", 1},
		{"tagret", "target", 1},
		{"ab", "ba", 1},
		{"ca", "abc", 3}, /* 2 when a swapped pair may be split again: this is the restricted distance */
		{"flaw", "lawn", 2},
	};
	char text65[66] = "", text64[65] = "";

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++)
		assert_int_equal(xb_sv_distance(xb_sv(rows[i].a), xb_sv(rows[i].b)), rows[i].distance);
	memset(text65, 'a', 65);
	memset(text64, 'a', 64);
	assert_int_equal(xb_sv_distance(xb_sv(text65), xb_sv(text65)), 99);
	assert_int_equal(xb_sv_distance(xb_sv("a"), xb_sv(text65)), 99);
	assert_int_equal(xb_sv_distance(xb_sv(text64), xb_sv(text64)), 0);
	assert_int_equal(xb_sv_distance(xb_sv(text64), none), 64);
}

static void distance_is_a_distance(void **state)
{
	char a[5] = "";

	(void)state;
	do {
		char b[5] = "";

		do {
			const size_t la = strlen(a), lb = strlen(b), longer = la > lb ? la : lb;
			const unsigned distance = xb_sv_distance(xb_sv(a), xb_sv(b));

			assert_int_equal(distance, xb_sv_distance(xb_sv(b), xb_sv(a)));
			assert_int_equal(distance == 0, strcmp(a, b) == 0);
			assert_true(distance <= longer);
			assert_true(distance >= longer - (la < lb ? la : lb));
		} while (sample_next_text(b, 4, "abc"));
	} while (sample_next_text(a, 4, "abc"));
}

static void misspellings_get_a_suggestion(void **state)
{
	static const char *const keys[] = {"name", "sources", "entrypoint", "env", "targets", "labels", "os", NULL};
	static const struct {
		const char *word, *suggestion;
	} rows[] = {
		{"entrypint", "entrypoint"},
		{"entry_point", "entrypoint"},
		{"soruces", "sources"},
		{"source", "sources"},
		{"target", "targets"},
		{"nmae", "name"},
		{"ebv", "env"},
		{"name", "name"},
		{"", NULL},
		{"x", NULL},
		{"ox", NULL},
		{"command", NULL},
		{"workdir", NULL},
		{"ENTRYPOINT", NULL},
	};
	const char *const nothing[] = {NULL};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		const char *got = xb_sv_suggest(xb_sv(rows[i].word), keys);

		if (rows[i].suggestion)
			assert_string_equal(got ? got : "(none)", rows[i].suggestion);
		else
			assert_null(got);
	}
	assert_null(xb_sv_suggest(xb_sv("name"), nothing));
}

static void the_closest_candidate_wins_then_the_first(void **state)
{
	static const char *const far_first[] = {"abcdxx", "abcdex", "abcdey", NULL};
	static const char *const packages[] = {"libasl-dev", "libgsl-dev", "libs-dev", "libsml-dev",
					       "libssl-dev", "libxsl-dev", NULL};
	static const char *const left_out[] = {"zlib1h-dev", "zlib1-dev", "zlib1gg-dev", NULL};

	(void)state;
	/* As far from the word as others, but with a letter left out, and late. */
	assert_string_equal(xb_sv_suggest(xb_sv("libsl-dev"), packages), "libssl-dev");
	assert_string_equal(xb_sv_suggest(xb_sv("zlib1g-dev"), left_out), "zlib1gg-dev");
	assert_string_equal(xb_sv_suggest(xb_sv("abcdef"), far_first), "abcdex");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(views_compare_by_bytes),
		cmocka_unit_test(starts_and_ends),
		cmocka_unit_test(trim_cuts_both_ends),
		cmocka_unit_test(cut_loses_nothing),
		cmocka_unit_test(cut_of_nothing_is_nothing),
		cmocka_unit_test(compare_is_the_order_of_unsigned_bytes),
		cmocka_unit_test(dup_copies_all_bytes),
		cmocka_unit_test(known_distances),
		cmocka_unit_test(distance_is_a_distance),
		cmocka_unit_test(misspellings_get_a_suggestion),
		cmocka_unit_test(the_closest_candidate_wins_then_the_first),
	};

	return cmocka_run_group_tests_name("base/sv", tests, NULL, NULL);
}
