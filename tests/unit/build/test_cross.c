/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/cases/cross/FORM holds what each form says for plain paths, FORM-hard for paths that need quoting, with everything that
 * can be given. XB_WRITE_CASES=1 writes them: read the difference before you keep it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/vec.h"
#include "xbuild/build/cross.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void env_text(const struct xb_cross *cross, struct xb_str *out)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_cross_vars vars = {0};

	xb_cross_env(cross, &arena, &vars);
	for (size_t i = 0; i < vars.len; i++)
		xb_str_printf(out, "%s=%s\n", vars.items[i].name, vars.items[i].value);
}

static const struct form {
	const char *name;
	void (*write)(const struct xb_cross *cross, struct xb_str *out);
} forms[] = {
	{"cargo", xb_cross_cargo},
	{"cmake", xb_cross_cmake},
	{"conan", xb_cross_conan},
	{"env", env_text},
	{"meson", xb_cross_meson},
	{"vcpkg", xb_cross_vcpkg},
	{"vcpkg-toolchain", xb_cross_vcpkg_toolchain},
};

static void compare(const struct form *form, const struct xb_cross *cross, const char *ending)
{
	char *path XB_CLEANUP(xb_free_ptr) =
		xb_printf("%s/tests/cases/cross/%s%s", XB_TEST_SOURCE_DIR, form->name, ending);
	struct xb_str found XB_CLEANUP(xb_str_release) = {0}, expected XB_CLEANUP(xb_str_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	form->write(cross, &found);
	if (getenv("XB_WRITE_CASES"))
		assert_int_equal(xb_atomic_file_write(path, xb_str_get(&found), found.len, 0644, 0, &err), 0);
	if (xb_fs_read(path, 1 << 20, &expected, &err) < 0)
		fail_msg("%s", err.msg);
	if (strcmp(xb_str_get(&found), xb_str_get(&expected)) != 0)
		fail_msg("%s: found:\n%s", path, xb_str_get(&found));
}

static void test_plain(void **state)
{
	const struct xb_cross cross = {.target = xb_target_find(xb_sv("linux-aarch64")),
				       .sysroot = "/store/root",
				       .wrapper_dir = "/store/wrap",
				       .vcpkg_file = "/store/vcpkg.cmake",
				       .no_objdump = true,
				       .clang_major = 22};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(forms); i++)
		compare(&forms[i], &cross, "");
}

static void test_hard(void **state)
{
	const struct xb_cross cross = {
		.target = xb_target_find(xb_sv("linux-x86_64")),
		.sysroot = "/the store/it's \"$x\" \\/root",
		.wrapper_dir = "/the store/wrap",
		.emulator = LIST("/usr/bin/qemu-x86_64", "-L", "/the store/it's \"$x\" \\/root"),
		.prefixes = LIST("/stage/a b", "/stage/c"),
		.cmake_file = "/the store/c.cmake",
		.vcpkg_file = "/the store/v.cmake",
		.clang_major = 19,
		.libcxx = true,
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(forms); i++)
		compare(&forms[i], &cross, "-hard");
}

/* A runner is told where no word of it has a blank. */
static void test_runner(void **state)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_cross cross = {.target = xb_target_find(xb_sv("linux-aarch64")),
				 .sysroot = "/r",
				 .wrapper_dir = "/w",
				 .emulator = LIST("/q", "-L", "/r")};
	struct xb_cross_vars vars = {0};
	const char *runner = NULL;

	(void)state;
	xb_cross_env_cargo(&cross, &arena, &vars);
	for (size_t i = 0; i < vars.len; i++)
		if (!strcmp(vars.items[i].name, "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER"))
			runner = vars.items[i].value;
	assert_string_equal(runner, "/q -L /r");
}

/* Every target has all that a cross file needs. */
static void test_all_targets(void **state)
{
	size_t n;
	const struct xb_target *targets = xb_target_all(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		const struct xb_cross cross = {.target = &targets[i],
					       .sysroot = "/r",
					       .wrapper_dir = "/w",
					       .vcpkg_file = "/v",
					       .clang_major = 22};

		for (size_t k = 0; k < XB_COUNT(forms); k++) {
			struct xb_str text XB_CLEANUP(xb_str_release) = {0};

			forms[k].write(&cross, &text);
			assert_null(strstr(xb_str_get(&text), "(null)"));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_hard),
		cmocka_unit_test(test_runner),
		cmocka_unit_test(test_all_targets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
