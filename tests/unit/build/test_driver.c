/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/cases/driver/NAME holds the files and steps of one driver for one way of asking. XB_WRITE_CASES=1 writes them: read the
 * difference before you keep it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xbuild/base/alloc.h"
#include "xbuild/build/driver.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define WORDS(...)                                                                                                     \
	{                                                                                                              \
		.items = (const char *[]){__VA_ARGS__}, .len = sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)  \
	}
/* Names first, then as many values. */
#define PAIRS(n, ...)                                                                                                  \
	{                                                                                                              \
		.names = (const char *[]){__VA_ARGS__}, .values = (const char *[]){__VA_ARGS__} + (n), .len = (n)      \
	}

static const struct xb_profile release = {.name = "release", .optimize = XB_OPTIMIZE_SPEED, .strip = true};
static const struct xb_profile dev = {.name = "dev", .optimize = XB_OPTIMIZE_NONE, .debug = XB_DEBUG_FULL};
static struct xb_words one_run[2] = {WORDS("make", "all"), WORDS("./install.sh", "/w/stage/usr/bin/x")};

static const struct driver_case {
	const char *name;
	enum xb_driver_kind kind;
	const char *const *programs;
	const struct xb_profile *profile;
	bool has_emulator;
	struct xb_foreign foreign;
} cases[] = {
	{"cmake", XB_DRIVER_CMAKE, LIST("/usr/bin/cmake", "/usr/bin/ninja"), &release, false, {.dir = "lib"}},
	{"cmake-all",
	 XB_DRIVER_CMAKE,
	 LIST("/usr/bin/cmake", "/usr/bin/make"),
	 &dev,
	 true,
	 {.preset = "cross",
	  .targets = WORDS("tool", "lib"),
	  .settings = {.options = PAIRS(2, "BUILD_TESTING", "WITH_X:BOOL", "OFF", "a b"),
		       .cache = PAIRS(1, "HAVE_X_EXITCODE", "0"),
		       .args = WORDS("-Wno-dev")}}},
	{"command", XB_DRIVER_COMMAND, LIST(NULL), &release, false, {.run = one_run, .n_run = 2}},
	{"command-steps",
	 XB_DRIVER_COMMAND,
	 LIST(NULL),
	 &release,
	 false,
	 {.configure = WORDS("./configure"), .build = WORDS("make"), .install = WORDS("make", "install")}},
};

static void show(const struct xb_drive_files *files, const struct xb_steps *steps, struct xb_str *out)
{
	for (size_t i = 0; i < files->len; i++)
		xb_str_printf(out, "--- file %s\n%s", files->items[i].name, files->items[i].text);
	for (size_t i = 0; i < steps->len; i++) {
		const struct xb_step *step = &steps->items[i];

		xb_str_printf(out, "--- %s%s%s in %s\n", step->what, step->once ? ", once" : "",
			      step->pool == XB_POOL_NONE ? "" : ", jobs",
			      step->cwd ? step->cwd : "the build directory");
		for (size_t k = 0; k < step->n_env; k++)
			xb_str_printf(out, "%s=%s\n", step->env[k].name, step->env[k].value);
		xb_command_show(step->argv, out);
		xb_str_append_char(out, '\n');
	}
}

static void make(const struct driver_case *c, struct xb_arena *arena, struct xb_str *out)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	const struct xb_driver *driver = xb_driver_find(c->kind);
	struct xb_foreign foreign = c->foreign;
	struct xb_drive drive = {
		.unit = "unit",
		.project_dir = "/w",
		.source_dir = "/w/lib",
		.build_dir = "/w/build",
		.stage_dir = "/w/stage",
		.cross = {.target = xb_target_find(xb_sv("linux-aarch64")),
			  .sysroot = "/s/root",
			  .wrapper_dir = "/w/wrap",
			  .cmake_file = "/w/build/toolchain.cmake",
			  .emulator = c->has_emulator ? LIST("/usr/bin/qemu-aarch64", "-L", "/s/root") : NULL,
			  .clang_major = 22},
		.profile = c->profile,
		.foreign = &foreign,
		.programs = c->programs,
	};
	struct xb_drive_files files = {0};
	struct xb_steps steps = {0};

	assert_non_null(driver);
	foreign.dir = "lib";
	if (driver->prepare)
		driver->prepare(&drive, arena, &files);
	assert_int_equal(driver->steps(&drive, arena, &steps, &err), 0);
	show(&files, &steps, out);
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct xb_str found XB_CLEANUP(xb_str_release) = {0}, expected XB_CLEANUP(xb_str_release) = {0};
		char *path XB_CLEANUP(xb_free_ptr) =
			xb_printf("%s/tests/cases/driver/%s", XB_TEST_SOURCE_DIR, cases[i].name);

		make(&cases[i], &arena, &found);
		if (getenv("XB_WRITE_CASES"))
			assert_int_equal(xb_atomic_file_write(path, xb_str_get(&found), found.len, 0644, 0, &err), 0);
		if (xb_fs_read(path, 1 << 20, &expected, &err) < 0)
			fail_msg("%s", err.msg);
		if (strcmp(xb_str_get(&found), xb_str_get(&expected)) != 0)
			fail_msg("%s: found:\n%s", path, xb_str_get(&found));
	}
}

static const char *explained(const char *output, bool has_emulator, struct xb_arena *arena)
{
	const struct xb_drive drive = {
		.cross = {.target = xb_target_find(xb_sv("linux-aarch64")),
			  .emulator = has_emulator ? LIST("/usr/bin/qemu-aarch64") : NULL},
	};
	const struct xb_step step = {.what = "configure"};

	return xb_driver_find(XB_DRIVER_CMAKE)->explain(&drive, &step, xb_sv(output), arena);
}

static void test_cmake_explains(void **state)
{
	static const char trial[] =
		"try_run() invoked in cross-compiling mode, please set the following cache variables";
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};

	(void)state;
	assert_non_null(strstr(explained(trial, false, &arena), "cache: { NAME: value }"));
	assert_null(explained(trial, true, &arena));
	assert_non_null(
		strstr(explained("Could NOT find ZLIB (missing: ZLIB_LIBRARY)", true, &arena), "sysroot.packages"));
	assert_null(explained("something else", false, &arena));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_cmake_explains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
