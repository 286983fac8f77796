/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "xbuild/base/diag.h"
#include "xbuild/base/limits.h"

static const char source[] = "name: app\r\n\tentry\x1b[31mpint: x\nutf8: \xc3\xa4\xc2\x9b\x7f\n\nlast";

static const char *line_of(int line, struct xb_diags *diags, struct xb_sv text)
{
	struct xb_place at = {.file = "xbuild.yaml", .line = line, .col = 1, .len = 1};

	return xb_diags_add(diags, at, text, "problem")->text;
}

static void the_source_line_is_shown_without_controls(void **state)
{
	struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
	const struct xb_sv text = xb_sv(source);

	(void)state;
	assert_string_equal(line_of(1, &diags, text), "name: app");
	assert_string_equal(line_of(2, &diags, text), "?entry?[31mpint: x");
	assert_string_equal(line_of(3, &diags, text), "utf8: \xc3\xa4???");
	assert_string_equal(line_of(4, &diags, text), "");
	assert_string_equal(line_of(5, &diags, text), "last");
	assert_string_equal(line_of(1, &diags, xb_sv_n("a\0b\nc", 5)), "a?b");
	assert_string_equal(line_of(1, &diags, xb_sv("\xc2\xa9 2026")), "\xc2\xa9 2026");
	/* A view that ends inside a UTF-8 sequence. */
	assert_string_equal(line_of(1, &diags, xb_sv_n("a\xc2\x9b", 2)), "a\xc2");
}

static void a_line_that_is_not_there_is_null(void **state)
{
	struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};

	(void)state;
	assert_null(line_of(6, &diags, xb_sv(source)));
	assert_null(line_of(0, &diags, xb_sv(source)));
	assert_null(line_of(-1, &diags, xb_sv(source)));
	assert_null(line_of(1, &diags, xb_sv(NULL)));
	/* Where a reader reports the end of a file that ends in a newline. */
	assert_string_equal(line_of(2, &diags, xb_sv("a\n")), "");
	assert_null(line_of(3, &diags, xb_sv("a\n")));
}

static void strings_are_copied(void **state)
{
	struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
	char file[] = "xbuild.yaml", text[] = "entrypint: x", key[] = "entrypint";
	struct xb_place at = {.file = file, .line = 1, .col = 1, .len = 9};
	struct xb_diag *diag = xb_diags_add(&diags, at, xb_sv(text), "unknown key '%s'", key);

	(void)state;
	xb_diags_help(&diags, diag, "did you mean '%s'?", "entrypoint");
	memset(file, 'x', sizeof(file) - 1);
	memset(text, 'x', sizeof(text) - 1);
	memset(key, 'x', sizeof(key) - 1);
	assert_int_equal(diags.list.len, 1);
	assert_string_equal(diags.list.items[0].at.file, "xbuild.yaml");
	assert_int_equal(diags.list.items[0].at.line, 1);
	assert_int_equal(diags.list.items[0].at.len, 9);
	assert_string_equal(diags.list.items[0].message, "unknown key 'entrypint'");
	assert_string_equal(diags.list.items[0].help, "did you mean 'entrypoint'?");
	assert_string_equal(diags.list.items[0].text, "entrypint: x");
}

static void an_unknown_place_is_kept(void **state)
{
	struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
	struct xb_diag *diag = xb_diags_add(&diags, (struct xb_place){0}, xb_sv(NULL), "empty");

	(void)state;
	assert_null(diag->at.file);
	assert_null(diag->text);
	assert_null(diag->help);
	assert_int_equal(diag->at.line, 0);
	assert_int_equal(diag->at.len, 1);
}

static void what_is_beyond_the_maximum_is_counted(void **state)
{
	struct xb_diags diags = {0};

	(void)state;
	for (int i = 1; i <= XB_MAX_DIAGS + 7; i++) {
		struct xb_place at = {.file = "f", .line = i};
		struct xb_diag *diag = xb_diags_add(&diags, at, xb_sv(NULL), "problem %d", i);

		assert_int_equal(diag != NULL, i <= XB_MAX_DIAGS);
		xb_diags_help(&diags, diag, "help %d", i);
	}
	assert_int_equal(diags.list.len, XB_MAX_DIAGS);
	assert_int_equal(diags.dropped, 7);
	assert_string_equal(diags.list.items[0].message, "problem 1");
	assert_string_equal(diags.list.items[XB_MAX_DIAGS - 1].help, "help 50");

	xb_diags_release(&diags);
	assert_int_equal(diags.list.len, 0);
	assert_int_equal(diags.dropped, 0);
	xb_diags_release(&diags);
	xb_diags_release(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_source_line_is_shown_without_controls),
		cmocka_unit_test(a_line_that_is_not_there_is_null),
		cmocka_unit_test(strings_are_copied),
		cmocka_unit_test(an_unknown_place_is_kept),
		cmocka_unit_test(what_is_beyond_the_maximum_is_counted),
	};

	return cmocka_run_group_tests_name("base/diag", tests, NULL, NULL);
}
