/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "table.h"

static void columns_are_as_wide_as_their_cells(void **state)
{
	struct table t;
	struct xb_str out = {0};
	(void)state;
	table_init(&t, 3);
	table_row(&t, (const char *const[]){"NAME", "N", "LAST"});
	table_row(&t, (const char *const[]){"a", "1000", NULL});
	table_row(&t, (const char *const[]){"longer", "2", "x y"});
	table_render(&t, false, &out);
	assert_string_equal(xb_str_get(&out), "NAME    N     LAST\na       1000  \nlonger  2     x y\n");
	xb_str_reset(&out);
	table_render(&t, true, &out);
	assert_string_equal(xb_str_get(&out), "\033[1mNAME    N     LAST\033[0m\na       1000  \nlonger  2     x y\n");
	table_release(&t);
	xb_str_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(columns_are_as_wide_as_their_cells)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
