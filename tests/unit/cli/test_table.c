/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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
	table_render(&t, false, 0, &out);
	assert_string_equal(xb_str_get(&out), "NAME    N     LAST\na       1000  \nlonger  2     x y\n");
	xb_str_reset(&out);
	table_render(&t, true, 20, &out);
	assert_string_equal(xb_str_get(&out), "\033[1mNAME    N     LAST\033[0m\na       1000  \nlonger  2     x y\n");
	table_release(&t);
	xb_str_release(&out);
}

/* At every width: as a table while it fits, then with its last column broken, then as blocks; no line is too long. */
static void narrow_terminals_get_short_lines(void **state)
{
	static const char *const wide = "NAME  N  DETAIL\n"
					"one   1  some words that say what was found\n"
					"two   2  \n";
	struct table t;
	struct xb_str out = {0};
	(void)state;
	table_init(&t, 3);
	table_row(&t, (const char *const[]){"NAME", "N", "DETAIL"});
	table_row(&t, (const char *const[]){"one", "1", "some words that say what was found"});
	table_row(&t, (const char *const[]){"two", "2", NULL});
	table_render(&t, false, 43, &out);
	assert_string_equal(xb_str_get(&out), wide);
	xb_str_reset(&out);
	table_render(&t, false, 42, &out);
	assert_string_equal(xb_str_get(&out), "NAME  N  DETAIL\n"
					      "one   1  some words that say what was\n"
					      "         found\n"
					      "two   2  \n");
	xb_str_reset(&out);
	table_render(&t, true, 28, &out);
	assert_string_equal(xb_str_get(&out), "\033[1mone\033[0m\n"
					      "  N       1\n"
					      "  DETAIL  some words that say\n"
					      "          what was found\n"
					      "\n\033[1mtwo\033[0m\n"
					      "  N       2\n");
	for (int width = 30; width < 60; width++) {
		xb_str_reset(&out);
		table_render(&t, false, width, &out);
		for (const char *line = xb_str_get(&out); *line; line += strcspn(line, "\n") + 1)
			assert_true(strcspn(line, "\n") <= (size_t)width);
	}
	table_release(&t);
	xb_str_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(columns_are_as_wide_as_their_cells),
					   cmocka_unit_test(narrow_terminals_get_short_lines)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
