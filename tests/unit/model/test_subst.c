/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "xbuild/base/attr.h"
#include "xbuild/model/subst.h"

static struct xb_map values(void)
{
	struct xb_map map = {0};

	xb_map_put_str(&map, "version", (void *)(uintptr_t) "1.2");
	xb_map_put_str(&map, "empty", (void *)(uintptr_t) "");
	xb_map_put_str(&map, "vars.full", (void *)(uintptr_t) "F");
	xb_map_put_str(&map, "loop", (void *)(uintptr_t) "${version}");
	return map;
}

static void test_expand(void **state)
{
	static const struct {
		const char *text, *expected; /* NULL: refused */
	} cases[] = {
		{"", ""},
		{"plain", "plain"},
		{"${version}", "1.2"},
		{"a${version}b${version}c", "a1.2b1.2c"},
		{"${empty}", ""},
		{"${full} ${vars.full} ${vars.version}", "F F 1.2"},
		{"$${version}", "${version}"},
		{"$$${version}", "$${version}"},
		{"$", "$"},
		{"$$", "$$"},
		{"$version $(x) {y}", "$version $(x) {y}"},
		{"${loop}", "${version}"}, /* a value is not looked into again */
		{"${nothing}", NULL},
		{"${git.tag}", NULL},
		{"${", NULL},
		{"${version", NULL},
		{"${}", NULL},
		{"${ version }", NULL},
	};
	struct xb_map map XB_CLEANUP(xb_map_release) = values();

	(void)state;
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		struct xb_str out XB_CLEANUP(xb_str_release) = {0};
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		const int rc = xb_subst_expand(cases[i].text, &map, &out, &err);

		assert_int_equal(rc, cases[i].expected ? 0 : XB_E_INPUT);
		assert_string_equal(xb_str_get(&out), cases[i].expected ? cases[i].expected : "");
	}
}

static bool is_known(void *ctx, struct xb_sv name)
{
	(*(int *)ctx)++;
	return xb_sv_eq_str(name, "a");
}

static void test_check(void **state)
{
	size_t offset = 99;
	int calls = 0;

	(void)state;
	assert_int_equal(xb_subst_check("${a}$${b}${a}", is_known, &calls, &offset), 0);
	assert_int_equal(calls, 2);
	assert_int_equal(offset, 99);
	assert_true(xb_subst_check("x${a}y${b}", is_known, &calls, &offset) < 0);
	assert_int_equal(offset, 6);
	assert_true(xb_subst_check("x${a}y${b", is_known, &calls, &offset) < 0);
	assert_int_equal(offset, 6);
}

static void test_builtins(void **state)
{
	(void)state;
	assert_true(xb_subst_is_builtin(xb_sv("git.sha7")));
	assert_true(xb_subst_is_builtin(xb_sv("version")));
	assert_false(xb_subst_is_builtin(xb_sv("git")));
	assert_false(xb_subst_is_builtin(xb_sv("")));
	for (const char *const *name = xb_subst_builtins(); *name; name++)
		assert_true(xb_subst_is_builtin(xb_sv(*name)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expand),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_builtins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
