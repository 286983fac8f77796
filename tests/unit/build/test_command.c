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

#include "xbuild/base/str.h"
#include "xbuild/build/command.h"

static const char *joined(const struct xb_argv *argv, struct xb_arena *arena)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	for (size_t i = 0; i < argv->len; i++)
		xb_str_printf(&text, "%s%s", i ? "|" : "", argv->items[i]);
	assert_null(argv->items[argv->len]);
	return xb_arena_strdup(arena, xb_str_get(&text));
}

static void make(struct xb_command *c, struct xb_arena *arena)
{
	xb_command_init(c, arena);
	xb_command_word(c, "-O2");
	xb_command_rooted(c, "--sysroot=", XB_ROOT_SYSROOT, NULL, NULL);
	xb_command_rooted(c, "-map=", XB_ROOT_TOOLCHAIN, NULL, "=/toolchain");
	xb_command_rooted(c, "", XB_ROOT_SYSROOT, "usr/lib/crt1.o", NULL);
	xb_command_real(c, "-color");
	xb_command_rooted(c, "--deps=", (enum xb_root)XB_WORD_DEPFILE, NULL, NULL);
	xb_command_rooted(c, "", (enum xb_root)XB_WORD_INPUTS, NULL, NULL);
	xb_command_rooted(c, "", (enum xb_root)XB_WORD_OUTPUT, NULL, NULL);
}

static void test_written_twice(void **state)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	const struct xb_tools tools = {.dir = "/t"};
	const struct xb_sysroot_paths sysroot = {.dir = "/s"};
	const char *inputs[] = {"x.o", "y.o"};
	struct xb_command_files files = {.output = "out/a", .depfile = "out/a.d", .inputs = inputs, .n_inputs = 2};
	struct xb_argv canonical = {.arena = &arena}, real = {.arena = &arena};
	struct xb_roots roots;
	struct xb_command c;

	(void)state;
	make(&c, &arena);
	xb_roots_canonical(&roots);
	xb_command_argv(&c, &roots, &files, &canonical);
	assert_string_equal(joined(&canonical, &arena),
			    "-O2|--sysroot=../sysroot|-map=../toolchain=/toolchain|../sysroot/usr/lib/crt1.o|"
			    "--deps=out/a.d|x.o|y.o|out/a");
	xb_roots_real("/p", &tools, &sysroot, &roots);
	files.output = "/tmp/1";
	files.depfile = "/tmp/2";
	xb_command_argv(&c, &roots, &files, &real);
	assert_string_equal(joined(&real, &arena), "-O2|--sysroot=/s|-map=/t=/toolchain|/s/usr/lib/crt1.o|-color|"
						   "--deps=/tmp/2|x.o|y.o|/tmp/1");
}

static void test_launch(void **state)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_tools tools = {.dir = "/t", .bin_dir = "usr/bin"};
	struct xb_argv plain = {.arena = &arena}, loaded = {.arena = &arena}, extra = {.arena = &arena};

	(void)state;
	xb_command_launch(&tools, "clang", false, &plain);
	assert_string_equal(joined(&plain, &arena), "/t/usr/bin/clang");
	tools.loader = "lib/ld.so";
	tools.library_path = "usr/lib:usr/lib/llvm/lib";
	tools.emulator = "/e";
	xb_command_launch(&tools, "clang", false, &loaded);
	assert_string_equal(joined(&loaded, &arena), "/e|/t/lib/ld.so|--library-path|/t/usr/lib:/t/usr/lib/llvm/lib|"
						     "--argv0|/t/usr/bin/clang|/t/usr/bin/clang");
	tools.emulator = NULL;
	tools.library_path = "l";
	tools.extra_dir = "/x";
	xb_command_launch(&tools, "llvm-ar", true, &extra);
	assert_string_equal(joined(&extra, &arena), "/t/lib/ld.so|--library-path|/t/l|--argv0|/x/usr/bin/llvm-ar|"
						    "/x/usr/bin/llvm-ar");
	assert_string_equal(xb_command_tool(&tools, "llvm-ar", true, &arena), "../tools/usr/bin/llvm-ar");
	assert_string_equal(xb_command_tool(&tools, "clang", false, &arena), "../toolchain/usr/bin/clang");
	tools.extra_dir = NULL;
	assert_string_equal(xb_command_tool(&tools, "llvm-ar", true, &arena), "../toolchain/usr/bin/llvm-ar");
}

static void digest_words(const char *const *words, struct xb_digest *out)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_command c;

	xb_command_init(&c, &arena);
	for (; *words; words++)
		xb_command_word(&c, *words);
	xb_command_digest(&c, out);
}

static void test_digest_tells_words_apart(void **state)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_digest a, b, c;
	struct xb_command one;

	(void)state;
	digest_words((const char *const[]){"ab", "c", NULL}, &a);
	digest_words((const char *const[]){"a", "bc", NULL}, &b);
	digest_words((const char *const[]){"ab", "c", NULL}, &c);
	assert_false(xb_digest_eq(&a, &b));
	assert_true(xb_digest_eq(&a, &c));
	xb_command_init(&one, &arena);
	xb_command_word(&one, "ab");
	xb_command_real(&one, "-color");
	xb_command_word(&one, "c");
	xb_command_digest(&one, &b);
	assert_true(xb_digest_eq(&a, &b));
	one.items[0].root = XB_ROOT_SYSROOT;
	xb_command_digest(&one, &b);
	assert_false(xb_digest_eq(&a, &b));
}

static void test_show(void **state)
{
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};

	(void)state;
	xb_command_show((const char *const[]){"cc", "-DX=\"a b\"", "it's", "", NULL}, &out);
	assert_string_equal(xb_str_get(&out), "cc '-DX=\"a b\"' 'it'\\''s' ''");
}

static void test_many_words(void **state)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_argv argv = {.arena = &arena};
	struct xb_roots roots;
	struct xb_command c;

	(void)state;
	xb_command_init(&c, &arena);
	for (int i = 0; i < 1000; i++)
		xb_command_word(&c, xb_arena_printf(&arena, "%d", i));
	xb_roots_canonical(&roots);
	xb_command_argv(&c, &roots, &(struct xb_command_files){0}, &argv);
	assert_int_equal(argv.len, 1000);
	assert_string_equal(argv.items[999], "999");
	assert_null(argv.items[1000]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written_twice),
		cmocka_unit_test(test_launch),
		cmocka_unit_test(test_digest_tells_words_apart),
		cmocka_unit_test(test_show),
		cmocka_unit_test(test_many_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
