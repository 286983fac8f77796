/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/ar.h"
#include "xbuild/base/str.h"
#include "xbuild/base/vec.h"

/* A head with such texts as its name and its size. */
#define HEAD(name, size) name "0           0     0     644     " size "`\n"
#define NAME_A		 "a.o/            "
#define SIZE(digits)	 digits "         "
#define MAGIC		 "!<arch>\n"

/* The members, each in brackets; "-" where it is no archive. Exactly these bytes: a sanitizer sees a read behind them. */
static char *members(const char *bytes, size_t n)
{
	char *copy XB_CLEANUP(xb_free_ptr) = xb_alloc(n ? n : 1);
	struct xb_str text = {0};
	struct xb_sv rest, member;

	memcpy(copy, bytes, n);
	if (!xb_ar_begin(xb_sv_n(copy, n), &rest))
		return xb_strdup("-");
	while (xb_ar_next(&rest, &member))
		xb_str_printf(&text, "[%.*s]", XB_SV_ARG(member));
	return text.data ? xb_str_steal(&text) : xb_strdup("");
}

static void what_is_in_an_archive(void **state)
{
	static const struct {
		const char *bytes, *members;
	} table[] = {
		{"", "-"},
		{"!<arch>", "-"},
		{"!<thin>\n", "-"},
		{MAGIC, ""},
		{MAGIC HEAD(NAME_A, SIZE("0")), "[]"},
		{MAGIC HEAD(NAME_A, SIZE("2")) "ab" HEAD(NAME_A, SIZE("1")) "c", "[ab][c]"},
		/* filled up to an even place, the last one or not */
		{MAGIC HEAD(NAME_A, SIZE("3")) "abc\n" HEAD(NAME_A, SIZE("1")) "d\n", "[abc][d]"},
		{MAGIC HEAD("/               ", SIZE("4")) "\1\2\3\4" HEAD("//              ", SIZE("2")) "x/",
		 "[\1\2\3\4][x/]"},
		/* BSD's names */
		{MAGIC HEAD("#1/4            ", SIZE("6")) "nameab" HEAD("#1/1            ", SIZE("1")) "n", "[ab][]"},
		{MAGIC HEAD("#1/4            ", SIZE("3")) "abcdef", ""},
		{MAGIC HEAD("#1/             ", SIZE("2")) "ab", ""},
		{MAGIC HEAD("#1/99999999999999", SIZE("2")) "ab", ""},
		/* what is not there */
		{MAGIC HEAD(NAME_A, SIZE("2")) "ab" HEAD(NAME_A, SIZE("3")) "cd", "[ab]"},
		{MAGIC HEAD(NAME_A, "9999999999") "ab", ""},
		{MAGIC HEAD(NAME_A, "4294967297") "ab", ""},
		{MAGIC HEAD(NAME_A, SIZE("-")) "ab", ""},
		{MAGIC HEAD(NAME_A, "-1        ") "ab", ""},
		{MAGIC HEAD(NAME_A, "          ") "ab", ""},
		{MAGIC HEAD(NAME_A, " 2        ") "ab", ""},
		{MAGIC HEAD(NAME_A, "2x        ") "ab", ""},
		{MAGIC NAME_A "0           0     0     644     " SIZE("2") "xxab", ""},
		{MAGIC "rubbish", ""},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(table); i++) {
		char *found XB_CLEANUP(xb_free_ptr) = members(table[i].bytes, strlen(table[i].bytes));

		if (strcmp(found, table[i].members) != 0)
			fail_msg("row %zu: '%s', expected '%s'", i, found, table[i].members);
	}
}

static void an_archive_cut_off_anywhere(void **state)
{
	static const char bytes[] = MAGIC HEAD(NAME_A, SIZE("3")) "abc\n" HEAD("#1/3            ", SIZE("5")) "namde\n";
	const size_t first = 8 + 60 + 3, second = first + 1 + 60 + 5;

	(void)state;
	for (size_t n = 0; n < sizeof(bytes); n++) {
		char *found XB_CLEANUP(xb_free_ptr) = members(bytes, n);

		assert_string_equal(found, n < 8 ? "-" : n < first ? "" : n < second ? "[abc]" : "[abc][de]");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_in_an_archive),
		cmocka_unit_test(an_archive_cut_off_anywhere),
	};

	return cmocka_run_group_tests_name("base/ar", tests, NULL, NULL);
}
