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
	 {.source = "build/cmake",
	  .preset = "cross",
	  .targets = WORDS("tool", "lib"),
	  .settings = {.options = PAIRS(2, "BUILD_TESTING", "WITH_X:BOOL", "OFF", "a b"),
		       .cache = PAIRS(1, "HAVE_X_EXITCODE", "0"),
		       .args = WORDS("-Wno-dev")}}},
	{"meson",
	 XB_DRIVER_MESON,
	 LIST("/usr/bin/meson", "/usr/bin/ninja"),
	 &release,
	 true,
	 {.settings = {.options = PAIRS(2, "docs", "werror", "disabled", "false"),
		       .args = WORDS("--default-library=static")}}},
	{"meson-dev", XB_DRIVER_MESON, LIST("/usr/bin/meson", "/usr/bin/ninja"), &dev, false, {.dir = "lib"}},
	{"autotools",
	 XB_DRIVER_AUTOTOOLS,
	 LIST("/usr/bin/make"),
	 &release,
	 false,
	 {.settings = {.options = PAIRS(2, "with-ssl", "disable-nls", "openssl", ""),
		       .cache = PAIRS(1, "ac_cv_func_x", "it's"),
		       .args = WORDS("--enable-x")},
	  .make_args = WORDS("V=1", "all")}},
	{"autotools-reconf", XB_DRIVER_AUTOTOOLS, LIST("/usr/bin/make"), &dev, false, {.autoreconf = true}},
	{"make",
	 XB_DRIVER_MAKE,
	 LIST("/usr/bin/make"),
	 &release,
	 false,
	 {.settings = {.args = WORDS("all", "WITH_X=1")}, .install = WORDS("install-bin", "install-man")}},
	{"make-plain", XB_DRIVER_MAKE, LIST("/usr/bin/make"), &dev, false, {.dir = "lib"}},
	{"go",
	 XB_DRIVER_GO,
	 LIST("/usr/bin/go"),
	 &release,
	 false,
	 {.packages = WORDS("./cmd/a", "./cmd/b"),
	  .tags = WORDS("netgo", "x"),
	  .ldflags = WORDS("-X", "main.v=1"),
	  .settings = {.args = WORDS("-buildmode=pie")}}},
	{"go-plain", XB_DRIVER_GO, LIST("/usr/bin/go"), &dev, false, {.dir = "lib"}},
	{"cargo", XB_DRIVER_CARGO, LIST("/usr/bin/install"), &dev, true, {.bins = WORDS("tool")}},
	{"cargo-all",
	 XB_DRIVER_CARGO,
	 LIST("/usr/bin/install"),
	 &release,
	 false,
	 {.bins = WORDS("a", "b"),
	  .features = WORDS("tls", "zip"),
	  .profile = "small-release",
	  .vendor = "vendor",
	  .settings = {.args = WORDS("--no-default-features")}}},
	{"command", XB_DRIVER_COMMAND, LIST(NULL), &release, false, {.run = {one_run, 2}}},
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

		xb_str_printf(out, "--- %s%s%s%s%s%s%s in %s\n", step->what, step->once ? ", once" : "",
			      step->pool == XB_POOL_NONE ? "" : ", jobs", step->must_print ? ", must print " : "",
			      step->must_print ? step->must_print : "", step->looks ? ", looks" : "",
			      step->may_fail ? ", may fail" : "", step->cwd ? step->cwd : "the build directory");
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
	const struct xb_cross host = {
		.target = xb_target_find(xb_sv("linux-x86_64")), .sysroot = "/h/root", .wrapper_dir = "/w/host-wrap"};
	struct xb_drive drive = {
		.unit = "unit",
		.project_dir = "/w",
		.source_dir = "/w/lib",
		.build_dir = "/w/build",
		.stage_dir = "/w/stage",
		.build_machine = "x86_64-pc-linux-gnu",
		.cross = {.target = xb_target_find(xb_sv("linux-aarch64")),
			  .sysroot = "/s/root",
			  .wrapper_dir = "/w/wrap",
			  .cmake_file = "/w/build/toolchain.cmake",
			  .emulator = c->has_emulator ? LIST("/usr/bin/qemu-aarch64", "-L", "/s/root") : NULL,
			  .clang_major = 22},
		.profile = c->profile,
		.foreign = &foreign,
		.programs = c->programs,
		.rust_bin = "/r/bin",
		.vendor_dir = c->foreign.vendor ? "/w/ven dor" : NULL,
		.host = c->foreign.vendor ? &host : NULL,
	};
	struct xb_drive_files files = {0};
	struct xb_steps steps = {0};

	assert_non_null(driver);
	foreign.dir = "lib";
	if (driver->prepare)
		driver->prepare(&drive, arena, &files);
	assert_int_equal(driver->steps(&drive, arena, &steps, &err), 0);
	show(&files, &steps, out);
	if (driver->tests) {
		steps = (struct xb_steps){0};
		assert_int_equal(driver->tests(&drive, arena, &steps, &err), 0);
		show(&(struct xb_drive_files){0}, &steps, out);
	}
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

/* A kind that is in no array is met by a user first. */
static void test_all_kinds(void **state)
{
	(void)state;
	for (int kind = XB_DRIVER_CMAKE; kind < XB_N_DRIVERS; kind++) {
		const struct xb_driver *driver = xb_driver_find((enum xb_driver_kind)kind);
		size_t n = 0;

		if (!driver || !driver->steps)
			fail_msg("%s: no driver", xb_driver_key((enum xb_driver_kind)kind));
		for (size_t i = 0; i < XB_COUNT(cases); i++)
			n += cases[i].kind == (enum xb_driver_kind)kind;
		if (n < 2)
			fail_msg("%s: %zu golden cases", xb_driver_key((enum xb_driver_kind)kind), n);
	}
}

static const char *explained(enum xb_driver_kind kind, const char *what, const char *output, bool has_emulator,
			     struct xb_arena *arena)
{
	const struct xb_drive drive = {
		.cross = {.target = xb_target_find(xb_sv("linux-aarch64")),
			  .emulator = has_emulator ? LIST("/usr/bin/qemu-aarch64") : NULL},
	};
	const struct xb_step step = {.what = what};

	return xb_driver_find(kind)->explain(&drive, &step, xb_sv(output), arena);
}

/* What the tools print, and what the sentence must hold; NULL: none is said. */
static void test_explains(void **state)
{
	static const char trial[] =
		"try_run() invoked in cross-compiling mode, please set the following cache variables";
	static const char meson_run[] = "ERROR: Can not run test applications in this cross environment.";
	static const struct {
		enum xb_driver_kind kind;
		const char *what, *output;
		bool has_emulator;
		const char *told;
	} table[] = {
		{XB_DRIVER_CMAKE, "configure", trial, false, "cache: { NAME: value }"},
		{XB_DRIVER_CMAKE, "configure", trial, true, NULL},
		{XB_DRIVER_CMAKE, "configure", "Could NOT find ZLIB (missing: ZLIB_LIBRARY)", true, "sysroot.packages"},
		{XB_DRIVER_CMAKE, "configure", "something else", false, NULL},
		{XB_DRIVER_CMAKE, "configure", "-- x\n-- Performing Test RUNS\n", false, "cache: { RUNS: 1 }"},
		{XB_DRIVER_CMAKE, "configure", "-- x\n-- Performing Test RUNS\n", true, NULL},
		{XB_DRIVER_CMAKE, "configure", "-- Performing Test RUNS - Success\n", false, NULL},
		{XB_DRIVER_MESON, "configure", meson_run, false, "install qemu-user"},
		{XB_DRIVER_MESON, "configure", meson_run, true, NULL},
		{XB_DRIVER_MESON, "configure", "ERROR: Dependency \"x\" not found, tried pkgconfig and cmake", true,
		 "sysroot.packages"},
		{XB_DRIVER_MESON, "build", meson_run, false, NULL},
		{XB_DRIVER_AUTOTOOLS, "configure", "configure: error: cannot run test program while cross compiling",
		 true, "cache: { ac_cv_"},
		{XB_DRIVER_AUTOTOOLS, "configure",
		 "Invalid configuration `aarch64-linux-gnu': machine `aarch64' not recognized\n"
		 "configure: error: /bin/sh ./config.sub aarch64-linux-gnu failed",
		 false, "'autoreconf: true'"},
		{XB_DRIVER_AUTOTOOLS, "configure", "checking for x... no", false, NULL},
		{XB_DRIVER_MAKE, "look where it installs", "install x /usr/bin", false, "${dir.stage}"},
		{XB_DRIVER_MAKE, "look where it installs", "make: *** No rule to make target 'install'.  Stop.", false,
		 "install: GOAL"},
		{XB_DRIVER_MAKE, "build", "make: *** No rule to make target 'install'.  Stop.", false, NULL},
		{XB_DRIVER_GO, "build", "a.go:3:8: cannot find module providing package x/y", false, "go mod vendor"},
		{XB_DRIVER_GO, "build", "module x/y: module lookup disabled by GOPROXY=off", false, "go mod vendor"},
		{XB_DRIVER_GO, "build", "a.go:3:8: undefined: x", false, NULL},
		{XB_DRIVER_CARGO, "build",
		 "error: the lock file /w/Cargo.lock needs to be updated but --locked was passed to prevent this",
		 false, "xbuild cargo generate-lockfile"},
		{XB_DRIVER_CARGO, "build",
		 "error[E0463]: can't find crate for `std`\n = note: the `aarch64-unknown-linux-gnu` target may not be "
		 "installed",
		 false, "rustup target add aarch64-unknown-linux-gnu"},
		{XB_DRIVER_CARGO, "build", "error: no matching package named `serde_json` found", false,
		 "librust-serde-json-dev"},
		{XB_DRIVER_CARGO, "build", "error: failed to select a version for `x`", false, "librust-NAME-dev"},
		{XB_DRIVER_CARGO, "build", "build-script-build: version `GLIBC_2.38' not found", false,
		 "older sysroot"},
		{XB_DRIVER_CARGO, "build", "error: linker `cc` not found", false, "'targets:'"},
		{XB_DRIVER_CARGO, "build", "ld.lld: error: unable to find library -lpq", false, "sysroot.packages"},
		{XB_DRIVER_CARGO, "build", "error[E0425]: cannot find value `x` in this scope", false, NULL},
		{XB_DRIVER_CARGO, "install", "--locked was passed", false, NULL},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(table); i++) {
		struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
		const char *told =
			explained(table[i].kind, table[i].what, table[i].output, table[i].has_emulator, &arena);

		if (!told != !table[i].told || (told && !strstr(told, table[i].told)))
			fail_msg("%s: found: %s", table[i].output, told ? told : "nothing");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_all_kinds),
		cmocka_unit_test(test_explains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
