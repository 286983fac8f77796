/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "xbuild/base/ansi.h"

static void test_strip_ansi(void **state)
{
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};

	(void)state;
	xb_strip_ansi(xb_sv("a\033[1mb\033[0;31mc\033[Kd\033[m"), &out);
	assert_string_equal(xb_str_get(&out), "abcd");
	xb_str_reset(&out);
	xb_strip_ansi(xb_sv("cut\033[1"), &out);
	assert_string_equal(xb_str_get(&out), "cut");
	xb_str_reset(&out);
	xb_strip_ansi(xb_sv("no\033escape\033"), &out);
	assert_string_equal(xb_str_get(&out), "no\033escape\033");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strip_ansi),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
