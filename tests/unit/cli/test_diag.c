/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "diag.h"

static const char source[] = "name: demo\nimage:\n  api:\n    entrypint: [/x]\n";

static void render(struct xb_diags *diags, int width, struct xb_str *out)
{
	xb_str_reset(out);
	diag_render(diags, false, width, out);
}

static void shows_line_and_caret(void **state)
{
	struct xb_diags diags = {0};
	struct xb_str out = {0};
	(void)state;
	struct xb_diag *d = xb_diags_add(&diags, (struct xb_place){"xbuild.yaml", 4, 5, 9}, xb_sv(source),
					 "unknown key '%s'", "entrypint");
	xb_diags_help(&diags, d, "did you mean '%s'?", "entrypoint");
	render(&diags, 0, &out);
	assert_string_equal(xb_str_get(&out), "xbuild.yaml:4:5: error: unknown key 'entrypint'\n"
					      "    4 |     entrypint: [/x]\n"
					      "      |     ^~~~~~~~~\n"
					      "  help: did you mean 'entrypoint'?\n");
	xb_str_release(&out);
	xb_diags_release(&diags);
}

static void long_lines_keep_the_caret_in_view(void **state)
{
	struct xb_diags diags = {0};
	struct xb_str out = {0}, line = {0};
	(void)state;
	for (int i = 0; i < 300; i++)
		xb_str_append_char(&line, (char)('a' + i % 26));
	xb_diags_add(&diags, (struct xb_place){"f", 1, 200, 3}, xb_str_sv(&line), "here");
	for (int width = 30; width <= 200; width += 17) {
		render(&diags, width, &out);
		struct xb_sv rest = xb_str_sv(&out);
		xb_sv_cut(&rest, '\n');
		struct xb_sv text = xb_sv_cut(&rest, '\n'), caret = xb_sv_cut(&rest, '\n');
		assert_true(text.len <= (size_t)width && caret.len <= (size_t)width);
		size_t column = (size_t)((const char *)memchr(caret.ptr, '^', caret.len) - caret.ptr);
		assert_int_equal(text.ptr[column], xb_str_get(&line)[199]);
	}
	xb_str_release(&line);
	xb_str_release(&out);
	xb_diags_release(&diags);
}

static void errors_have_their_hint(void **state)
{
	struct xb_str out = {0};
	struct xb_err err = {0};
	(void)state;
	xb_fail(&err, XB_E_LOCK, "the lock is stale");
	xb_hint(&err, "run 'xbuild lock'");
	diag_render_err(&err, false, &out);
	assert_string_equal(xb_str_get(&out), "error: the lock is stale\nhint: run 'xbuild lock'\n");
	xb_err_clear(&err);
	xb_str_reset(&out);
	xb_fail(&err, XB_E_NETWORK, "%s", "");
	diag_render_err(&err, false, &out);
	assert_int_equal(out.len, 0); /* told by another program */
	xb_err_release(&err);
	xb_str_release(&out);
}

/* Whatever a file or a server is called: nothing but words gets to the terminal. */
static void no_command_reaches_the_terminal(void **state)
{
	static const char evil[] = "a\033]0;x\a\033[2Jb\r\302\233c\033[31md";
	struct xb_err err = {0};
	struct xb_diags diags = {0};
	struct xb_str out = {0};
	(void)state;
	xb_fail(&err, XB_E_INPUT, "open '%s'\n  two lines", evil);
	xb_hint(&err, "%s", evil);
	diag_render_err(&err, false, &out);
	assert_string_equal(xb_str_get(&out), "error: open 'a]0;x[2Jbcd'\n  two lines\nhint: a]0;x[2Jbcd\n");
	struct xb_diag *d = xb_diags_add(&diags, (struct xb_place){evil, 1, 1, 1}, xb_sv("k"), "%s", evil);
	xb_diags_help(&diags, d, "%s", evil);
	render(&diags, 0, &out);
	assert_null(strpbrk(xb_str_get(&out), "\033\r\a\302"));
	xb_str_reset(&out);
	diag_clean("\033[1;31mred\033[K\033[0m", true, &out);
	assert_string_equal(xb_str_get(&out), "\033[1;31mred\033[0m");
	xb_err_release(&err);
	xb_diags_release(&diags);
	xb_str_release(&out);
}

static void every_code_has_its_status(void **state)
{
	static const struct {
		enum xb_code code;
		int status;
	} rows[] = {
		{XB_OK, 0},	     {XB_E_JOB, 1},	  {XB_E_USAGE, 2},   {XB_E_INPUT, 2},  {XB_E_UNSAT, 2},
		{XB_E_NOT_FOUND, 2}, {XB_E_LOCK, 3},	  {XB_E_NETWORK, 4}, {XB_E_SYSTEM, 4}, {XB_E_DIGEST, 5},
		{XB_E_VERIFY, 5},    {XB_E_SIGNATURE, 5}, {DIAG_E_BUG, 70},
	};
	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++)
		assert_int_equal(diag_exit_status(rows[i].code, 0), rows[i].status);
	assert_int_equal(diag_exit_status(XB_E_INTERRUPTED, 2), 130);
	assert_int_equal(diag_exit_status(XB_E_INTERRUPTED, 15), 143);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shows_line_and_caret),	     cmocka_unit_test(long_lines_keep_the_caret_in_view),
		cmocka_unit_test(errors_have_their_hint),    cmocka_unit_test(no_command_reaches_the_terminal),
		cmocka_unit_test(every_code_has_its_status),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
