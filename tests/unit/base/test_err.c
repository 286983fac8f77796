/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "xbuild/base/err.h"

static void fail_sets_code_and_message(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	(void)state;
	assert_int_equal(xb_fail(&err, XB_E_DIGEST, "file '%s': expected %d, found %d", "a", 1, 2), XB_E_DIGEST);
	assert_int_equal(err.code, XB_E_DIGEST);
	assert_string_equal(err.msg, "file 'a': expected 1, found 2");
	assert_null(err.hint);
}

static void fail_errno_names_the_cause(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	char expected[256];

	(void)state;
	snprintf(expected, sizeof(expected), "open 'a': %s", strerror(EACCES));
	errno = EACCES;
	assert_int_equal(xb_fail_errno(&err, "open '%s'", "a"), XB_E_SYSTEM);
	assert_string_equal(err.msg, expected);
	xb_err_clear(&err);

	snprintf(expected, sizeof(expected), "open 'b': %s", strerror(ENOENT));
	errno = ENOENT;
	assert_int_equal(xb_fail_errno(&err, "open '%s'", "b"), XB_E_NOT_FOUND);
	assert_int_equal(err.code, XB_E_NOT_FOUND);
	assert_string_equal(err.msg, expected);
}

static void an_unknown_errno_has_a_text_too(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	(void)state;
	errno = 123456;
	assert_int_equal(xb_fail_errno(&err, "x"), XB_E_SYSTEM);
	assert_non_null(strstr(err.msg, "123456"));
}

static void wrap_puts_the_noun_in_front(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	(void)state;
	xb_fail(&err, XB_E_NETWORK, "connect: timed out");
	assert_int_equal(xb_wrap(&err, "fetch '%s'", "100%s"), XB_E_NETWORK);
	assert_string_equal(err.msg, "fetch '100%s': connect: timed out");
	assert_int_equal(xb_wrap(&err, "lock"), XB_E_NETWORK);
	assert_string_equal(err.msg, "lock: fetch '100%s': connect: timed out");
}

static void the_deepest_hint_stays(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	(void)state;
	xb_fail(&err, XB_E_LOCK, "stale");
	assert_int_equal(xb_hint(&err, "run '%s'", "xbuild lock"), XB_E_LOCK);
	assert_int_equal(xb_hint(&err, "ask someone"), XB_E_LOCK);
	xb_wrap(&err, "build");
	assert_string_equal(err.hint, "run 'xbuild lock'");
	assert_string_equal(err.msg, "build: stale");
	assert_int_equal(xb_hint_instead(&err, "%s, then build", err.hint), XB_E_LOCK);
	assert_string_equal(err.hint, "run 'xbuild lock', then build");
}

static void move_leaves_the_source_clear(void **state)
{
	struct xb_err src = {0}, dst XB_CLEANUP(xb_err_release) = {0};

	(void)state;
	xb_fail(&src, XB_E_JOB, "CC a.c");
	xb_hint(&src, "mend it");
	xb_err_move(&dst, &src);
	assert_int_equal(dst.code, XB_E_JOB);
	assert_string_equal(dst.msg, "CC a.c");
	assert_string_equal(dst.hint, "mend it");
	assert_int_equal(src.code, XB_OK);
	assert_null(src.msg);
	assert_null(src.hint);
}

static void a_cleared_value_can_fail_again(void **state)
{
	struct xb_err err = {0};

	(void)state;
	xb_err_clear(NULL);
	xb_err_release(NULL);
	xb_err_clear(&err);
	xb_fail(&err, XB_E_USAGE, "first");
	xb_hint(&err, "hint");
	xb_err_clear(&err);
	assert_int_equal(err.code, XB_OK);
	assert_null(err.msg);
	assert_null(err.hint);
	xb_fail(&err, XB_E_INPUT, "second");
	assert_string_equal(err.msg, "second");
	assert_null(err.hint);
	xb_err_release(&err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fail_sets_code_and_message),	   cmocka_unit_test(fail_errno_names_the_cause),
		cmocka_unit_test(an_unknown_errno_has_a_text_too), cmocka_unit_test(wrap_puts_the_noun_in_front),
		cmocka_unit_test(the_deepest_hint_stays),	   cmocka_unit_test(move_leaves_the_source_clear),
		cmocka_unit_test(a_cleared_value_can_fail_again),
	};

	return cmocka_run_group_tests_name("base/err", tests, NULL, NULL);
}
