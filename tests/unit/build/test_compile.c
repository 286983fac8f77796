/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/str.h"
#include "xbuild/build/compile.h"

/* The canonical words of a compile command, joined by blanks; the markers are S, O and D. */
static const char *command(struct fake *f, const struct xb_unit *unit, enum xb_language language)
{
	struct xb_argv argv = {.arena = &f->arena};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_command c;
	struct xb_roots roots;

	xb_command_init(&c, &f->arena);
	if (xb_compile_command(&f->setup, unit, language, NULL, &c, &f->err) < 0)
		return NULL;
	xb_roots_canonical(&roots);
	xb_command_argv(&c, &roots, &(struct xb_command_files){.source = "S", .output = "O", .depfile = "D"}, &argv);
	for (size_t i = 0; i < argv.len; i++)
		xb_str_printf(&text, "%s%s", i ? " " : "", argv.items[i]);
	return xb_arena_strdup(&f->arena, xb_str_get(&text));
}

static void assert_command(struct fake *f, const struct xb_unit *unit, enum xb_language language, const char *expected)
{
	const char *text = command(f, unit, language);

	if (!text)
		fail_msg("%s", f->err.msg);
	assert_string_equal(text, expected);
}

#define BASE                                                                                                           \
	"-no-canonical-prefixes --no-default-config --target=x86_64-linux-gnu --sysroot=../sysroot "                   \
	"--gcc-install-dir=../sysroot/usr/lib/gcc/x86_64-linux-gnu/12 -fdebug-compilation-dir=. "                      \
	"-ffile-prefix-map=../project=. -ffile-prefix-map=../sysroot=/sysroot "                                        \
	"-ffile-prefix-map=../toolchain=/toolchain "

#define DEPS "-Xclang -sys-header-deps -Xclang -MT -Xclang object -Xclang -dependency-file -Xclang D "

static struct xb_words words(struct fake *f, const char *word)
{
	struct xb_words w = {.items = xb_arena_array(&f->arena, 1, sizeof(char *)), .len = 1};

	w.items[0] = word;
	return w;
}

static struct xb_pairs pair(struct fake *f, const char *name, const char *value)
{
	struct xb_pairs p = {.names = xb_arena_array(&f->arena, 1, sizeof(char *)),
			     .values = xb_arena_array(&f->arena, 1, sizeof(char *)),
			     .len = 1};

	p.names[0] = name;
	p.values[0] = value;
	return p;
}

static void test_golden(void **state)
{
	struct fake f;
	struct xb_unit *app, *lib;

	(void)state;
	fake_open(&f);
	app = fake_unit(&f, "app", XB_UNIT_EXECUTABLE, "*.c");
	lib = fake_unit(&f, "lib", XB_UNIT_SHARED, "*.c");
	assert_command(&f, app, XB_LANG_C, BASE "-O0 -g0 -fPIE " DEPS "-x c -c S -o O");
	f.profile = (struct xb_profile){
		.name = "release", .optimize = XB_OPTIMIZE_SPEED, .debug = XB_DEBUG_FULL, .lto = XB_LTO_THIN};
	f.target.cpu = "x86-64-v2";
	lib->settings.cxx_std = "c++20";
	lib->settings.c_std = "c17";
	assert_command(&f, lib, XB_LANG_CXX,
		       BASE "-march=x86-64-v2 -O2 -g -fPIC -flto=thin -std=c++20 " DEPS "-x c++ -c S -o O");
	assert_command(&f, lib, XB_LANG_ASM_CPP,
		       BASE "-march=x86-64-v2 -O2 -g -fPIC -flto=thin -Wno-unused-command-line-argument " DEPS
			    "-x assembler-with-cpp -E S -o O");
	assert_command(&f, lib, XB_LANG_ASM,
		       BASE "-march=x86-64-v2 -O2 -g -fPIC -flto=thin -Wno-unused-command-line-argument "
			    "-x assembler -c S -o O");
	f.tools.major = 14;
	assert_non_null(strstr(command(&f, app, XB_LANG_C), " --gcc-toolchain=../sysroot/usr "));
	fake_close(&f);
}

/* Debian's baseline, said aloud: what clang takes by itself depends on who built it. A cpu: takes its place. */
static void test_baselines(void **state)
{
	static const struct {
		const char *target, *baseline, *with_cpu;
	} known[] = {
		{"linux-armv7", " -march=armv7-a -mfpu=vfpv3-d16 -O0 ", " -mcpu=c9 -O0 "},
		{"linux-riscv64", " -march=rv64gc -O0 ", " -mcpu=c9 -O0 "},
		{"linux-ppc64le", " -mcpu=pwr8 -O0 ", " -mcpu=c9 -O0 "},
		{"linux-s390x", " -march=z196 -O0 ", " -march=c9 -O0 "},
		{"linux-x86", " -march=i686 -O0 ", " -march=c9 -O0 "},
		{"linux-aarch64-musl", "=/toolchain -O0 ", " -mcpu=c9 -O0 "},
	};
	struct fake f;
	struct xb_unit *app;

	(void)state;
	fake_open(&f);
	app = fake_unit(&f, "app", XB_UNIT_EXECUTABLE, "*.c");
	for (size_t i = 0; i < XB_COUNT(known); i++) {
		f.target = (struct xb_project_target){.target = xb_target_find(xb_sv(known[i].target))};
		f.sysroot.target = f.target.target;
		assert_non_null(strstr(command(&f, app, XB_LANG_C), known[i].baseline));
		f.target.cpu = "c9";
		assert_non_null(strstr(command(&f, app, XB_LANG_C), known[i].with_cpu));
		assert_null(strstr(command(&f, app, XB_LANG_C), known[i].baseline));
	}
	fake_close(&f);
}

/* No directory that the driver would look for by itself; musl's headers before the kernel's. */
static void test_musl_headers(void **state)
{
	struct fake f;
	struct xb_unit *app;
	const char *text;

	(void)state;
	fake_open(&f);
	app = fake_unit(&f, "app", XB_UNIT_EXECUTABLE, "*.c");
	f.target = (struct xb_project_target){.target = xb_target_find(xb_sv("linux-x86_64-musl"))};
	f.sysroot.target = f.target.target;
	text = command(&f, app, XB_LANG_C);
	assert_non_null(strstr(text, " --target=x86_64-linux-musl --sysroot=../sysroot -nostdlibinc "
				     "-isystem../sysroot/usr/include/x86_64-linux-musl -isystem../sysroot/usr/include "
				     "-isystem../sysroot/usr/include/x86_64-linux-gnu -fdebug"));
	assert_null(strstr(text, "gcc"));
	fake_close(&f);
}

static void test_order_of_settings(void **state)
{
	struct fake f;
	struct xb_unit *app;

	(void)state;
	fake_open(&f);
	app = fake_unit(&f, "app", XB_UNIT_EXECUTABLE, "*.c");
	app->settings.flags = words(&f, "-Wunit");
	app->settings.c_flags = words(&f, "-Wunit-c");
	app->settings.cxx_flags = words(&f, "-Wunit-cxx");
	app->settings.defines = pair(&f, "A", "unit");
	app->settings.c_std = "c11";
	f.target.settings.flags = words(&f, "-Wtarget");
	f.target.settings.defines = pair(&f, "B", "");
	f.profile.settings.flags = words(&f, "-Wprofile");
	f.profile.settings.defines = pair(&f, "A", "profile");
	app->overrides = xb_arena_array(&f.arena, 3, sizeof(*app->overrides));
	app->n_overrides = 3;
	app->overrides[0] = (struct xb_override){.target = f.target.target,
						 .settings = {.flags = words(&f, "-Wmine"), .c_std = "c17"}};
	app->overrides[1] = (struct xb_override){.target = xb_target_find(xb_sv("linux-aarch64")),
						 .settings = {.flags = words(&f, "-Wother")}};
	app->overrides[2] =
		(struct xb_override){.profile = "other", .settings = {.flags = words(&f, "-Wother-profile")}};
	assert_command(&f, app, XB_LANG_C,
		       BASE "-O0 -g0 -fPIE -std=c17 -DA=profile -DB -Wunit -Wunit-c -Wtarget -Wprofile -Wmine " DEPS
			    "-x c -c S -o O");
	fake_close(&f);
}

static int shout(void *ctx, const char *text, const struct xb_target *target, struct xb_str *out, struct xb_err *err)
{
	(void)ctx;
	(void)err;
	xb_str_printf(out, "<%s for %s>", text, target->name);
	return 0;
}

static void test_defines_are_expanded(void **state)
{
	struct fake f;
	struct xb_unit *app;

	(void)state;
	fake_open(&f);
	app = fake_unit(&f, "app", XB_UNIT_EXECUTABLE, "*.c");
	app->settings.defines = pair(&f, "V", "${version}");
	assert_null(command(&f, app, XB_LANG_C));
	xb_err_release(&f.err);
	f.setup.expand = shout;
	assert_non_null(strstr(command(&f, app, XB_LANG_C), " -DV=<${version} for linux-x86_64> "));
	fake_close(&f);
}

static void test_include_directories_are_handed_on(void **state)
{
	struct fake f;
	struct xb_unit *app, *a, *b, *c, *hidden;
	struct xb_dirs dirs;

	(void)state;
	fake_open(&f);
	app = fake_unit(&f, "app", XB_UNIT_EXECUTABLE, "*.c");
	a = fake_unit(&f, "a", XB_UNIT_STATIC, "*.c");
	b = fake_unit(&f, "b", XB_UNIT_STATIC, "*.c");
	c = fake_unit(&f, "c", XB_UNIT_SHARED, "*.c");
	hidden = fake_unit(&f, "hidden", XB_UNIT_STATIC, "*.c");
	app->private_include = words(&f, "own");
	fake_include(&f, a, "a/include");
	fake_include(&f, b, "b/include");
	fake_include(&f, c, "c/include");
	fake_include(&f, hidden, "hidden/include");
	a->private_include = words(&f, "a/private");
	fake_dep(&f, app, a);
	fake_dep(&f, app, c);
	fake_dep(&f, a, b);
	fake_dep(&f, c, hidden);
	fake_dep(&f, b, c);
	xb_include_dirs(app, &f.arena, &dirs);
	assert_int_equal(dirs.len, 4);
	assert_string_equal(dirs.items[0], "own");
	assert_string_equal(dirs.items[1], "a/include");
	assert_string_equal(dirs.items[2], "b/include");
	assert_string_equal(dirs.items[3], "c/include");
	fake_close(&f);
}

static void test_languages(void **state)
{
	static const char *const names[] = {"a.c",  "a.cc", "b/a.cpp", "a.cxx", "a.c++",
					    "a.cp", "a.C",  "a.s",     "a.S",	"a.sx"};
	static const enum xb_language expected[] = {XB_LANG_C,	     XB_LANG_CXX,    XB_LANG_CXX, XB_LANG_CXX,
						    XB_LANG_CXX,     XB_LANG_CXX,    XB_LANG_CXX, XB_LANG_ASM,
						    XB_LANG_ASM_CPP, XB_LANG_ASM_CPP};
	enum xb_language language;

	(void)state;
	for (size_t i = 0; i < XB_COUNT(names); i++) {
		assert_true(xb_language_of(names[i], &language));
		assert_int_equal(language, expected[i]);
	}
	assert_false(xb_language_of("a.h", &language));
	assert_false(xb_language_of("c", &language));
	assert_false(xb_language_of("a.rs", &language));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_baselines),
		cmocka_unit_test(test_musl_headers),
		cmocka_unit_test(test_order_of_settings),
		cmocka_unit_test(test_defines_are_expanded),
		cmocka_unit_test(test_include_directories_are_handed_on),
		cmocka_unit_test(test_languages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
