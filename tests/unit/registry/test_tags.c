/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "xbuild/base/attr.h"
#include "xbuild/registry/tags.h"

static void test_sortable(void **state)
{
	static const char *const yes[] = {"main-20240131235959-abc1234", "20240131235959",	  "1729045897",
					  "458b6779-1729045897",	 "v1.2-20240229000060-x", "a_1000000000"};
	static const char *const no[] = {"latest",	   "v1.2.3",
					 "abc1234",	   "20241331235959",
					 "20240100000000", "20240132000000",
					 "20240101240000", "20240101006000",
					 "2024013123595",  "202401312359591",
					 "0999999999",	   "main20240131235959",
					 "19690101000000", ""};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(yes); i++)
		if (!xb_tag_is_sortable(yes[i]))
			fail_msg("%s is sortable", yes[i]);
	for (size_t i = 0; i < XB_COUNT(no); i++)
		if (xb_tag_is_sortable(no[i]))
			fail_msg("%s is not sortable", no[i]);
}

static void test_order(void **state)
{
	static const char *const there[] = {
		"latest",
		"main-20240101000000-1111111",
		"main-20240601000000-2222222",
		"main-20240301000000-3333333",
		"dev-20250101000000-4444444",
		"main-1729045897-5555555",
		"main-20240601000000-abcdefa-dirty",
		"v2-99999999999999",
	};
	static const struct {
		const char *tag, *expected;
	} cases[] = {
		{"main-20240701000000-7777777", NULL},
		{"main-20240501000000-7777777", "main-20240601000000-2222222"},
		{"main-20240601000000-7777777",
		 "main-20240601000000-2222222"},       /* the same time: which one is newest? */
		{"main-20240601000000-2222222", NULL}, /* itself */
		{"dev-20240101000000-7777777", "dev-20250101000000-4444444"},
		{"other-20240101000000-7777777", NULL},
		{"main-1729045896-7777777", "main-1729045897-5555555"},
		{"main-1729045898-7777777", NULL},
		{"main-20230101000000-7777777-dirty", "main-20240601000000-abcdefa-dirty"},
		{"latest", NULL},
		{"v3", NULL},
	};
	struct xb_tags tags XB_CLEANUP(xb_tags_release) = {0};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(there); i++)
		XB_VEC_PUSH(&tags.list, there[i]);
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		const char *got = xb_tags_not_before(&tags, cases[i].tag);

		if ((got == NULL) != (cases[i].expected == NULL) || (got && strcmp(got, cases[i].expected) != 0))
			fail_msg("%s: got %s, expected %s", cases[i].tag, got ? got : "none",
				 cases[i].expected ? cases[i].expected : "none");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_sortable), cmocka_unit_test(test_order)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
