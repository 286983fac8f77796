/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/build/drive.h"
#include "xbuild/base/str.h"

#define CHECKING(text) "{ printf \"%s\\n\" \"$as_me:${as_lineno-$LINENO}: checking " text "\" >&5\n"
#define RUN	       "if test \"$cross_compiling\" = yes\nthen :\n"
#define GIVE_UP	       "as_fn_error $? \"cannot run test program while cross compiling\n"
#define FAILED(line)   "configure:" line ": error: cannot run test program while cross compiling\nSee\n"

/* What Autoconf writes, of several ages; the line in which each gives up. */
static void test_questions(void **state)
{
	static const struct {
		const char *log, *script, *found;
	} table[] = {
		{"configure:1: checking whether fork is fast\n" FAILED("6"),
		 CHECKING("whether fork is fast") "if test ${my_cv_fast+y}\nthen :\n" RUN GIVE_UP
						  "if (1) { return 0; }\n  my_cv_fast=yes\nelse $as_nop\n"
						  "  my_cv_fast=yes\n  my_cv_fast=no\nfi\nfi\n",
		 "checking whether fork is fast|6|my_cv_fast|yes no"},
		{FAILED("4"), "if ${ac_cv_old+:} false; then :\n  " RUN GIVE_UP "ac_cv_old=\"a b\"\nac_cv_old=3\n",
		 "|4|ac_cv_old|3"},
		{FAILED("4"),
		 "if test \"${ac_cv_older+set}\" = set; then\n  " RUN GIVE_UP CHECKING("x") "ac_cv_older=1\n",
		 "|4|ac_cv_older|"},
		/* nothing is kept; a check before it was, in the same check, and in the one before */
		{FAILED("6"), "if test ${a_cv_x+y}\nthen :\nfi\n" RUN GIVE_UP, "|6||"},
		{FAILED("8"), "if test ${a_cv_x+y}\nthen :\nif a; then b; fi\nif (c)\nfi\n" RUN GIVE_UP, "|8||"},
		{FAILED("5"), "if test ${a_cv_x+y}\nthen :\n" CHECKING("z") RUN GIVE_UP, "|5||"},
		/* around it there are only options */
		{FAILED("5"), "if test ${with_cv+y}\nif test ${enable_x+y}\n" RUN GIVE_UP, "|5||"},
		{FAILED("4"), "if eval test \\${$as_ac_var+y}\n" RUN GIVE_UP, "|4||"},
		/* the nearest one that is open */
		{FAILED("8"),
		 "if test ${a_cv_x+y}\nif test ${a_cv_y+y}\n  if test ${a_cv_z+y}\n:\n  fi\n" RUN GIVE_UP "a_cv_y=0\n",
		 "|8|a_cv_y|0"},
		/* no such line, no such number, none */
		{FAILED("99"), "if test ${a_cv_x+y}\n" RUN GIVE_UP, "|99||"},
		{FAILED("0"), GIVE_UP, "|0||"},
		{FAILED("x"), GIVE_UP, "|0||"},
		{"other:1: checking x\nother:3: error: cannot run test program while cross compiling\n", GIVE_UP,
		 "|0||"},
		{"configure:1: checking x", "", "checking x|0||"},
		{"", "", "|0||"},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(table); i++) {
		struct xb_str text XB_CLEANUP(xb_str_release) = {0};
		struct drive_question q;

		drive_question(xb_sv(table[i].log), xb_sv(table[i].script), &q);
		xb_str_printf(&text, "%.*s|%llu|%.*s|", XB_SV_ARG(q.check), (unsigned long long)q.line,
			      XB_SV_ARG(q.variable));
		for (size_t k = 0; k < q.n_values; k++)
			xb_str_printf(&text, "%s%.*s", k ? " " : "", XB_SV_ARG(q.values[k]));
		if (strcmp(xb_str_get(&text), table[i].found) != 0)
			fail_msg("row %zu: expected %s, found %s", i, table[i].found, xb_str_get(&text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
