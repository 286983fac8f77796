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
#include "xbuild/base/str.h"
#include "xbuild/build/shadow.h"

static const char *find(struct fake *f, const char *const *search, const struct xb_read_file *files, size_t n)
{
	struct xb_shadows *shadows = xb_shadows_open(f->project_dir);
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_dirs dirs = {.items = xb_arena_array(&f->arena, 8, sizeof(char *))}, out = {0};

	while (search[dirs.len]) {
		dirs.items[dirs.len] = search[dirs.len];
		dirs.len++;
	}
	xb_shadows_find(shadows, &dirs, "x86_64-linux-gnu", files, n, &f->arena, &out);
	for (size_t i = 0; i < out.len; i++)
		xb_str_printf(&text, "%s%s", i ? " " : "", out.items[i]);
	xb_shadows_free(shadows);
	return xb_arena_strdup(&f->arena, xb_str_get(&text));
}
#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_places(void **state)
{
	struct fake f;

	(void)state;
	fake_open(&f);
	fake_write(&f, "src/a.c", "");
	fake_write(&f, "one/x.h", "");
	fake_write(&f, "two/sub/h.h", "");
	fake_write(&f, "two/k.h", "");
	const struct xb_read_file in_second[] = {{XB_ROOT_PROJECT, "src/a.c"}, {XB_ROOT_PROJECT, "two/sub/h.h"}};
	const struct xb_read_file in_first[] = {{XB_ROOT_PROJECT, "src/a.c"}, {XB_ROOT_PROJECT, "one/x.h"}};
	const struct xb_read_file system[] = {{XB_ROOT_PROJECT, "src/a.c"},
					      {XB_ROOT_SYSROOT, "usr/include/x86_64-linux-gnu/bits/types.h"},
					      {XB_ROOT_SYSROOT, "usr/include/c++/12/vector"}};

	/* "sub" alone: as long as it is missing nothing below it can be found */
	assert_string_equal(find(&f, LIST("one", "two"), in_second, 2), "!one/sub !src/sub !two/sub/sub");
	assert_string_equal(find(&f, LIST("one", "two"), in_first, 2), "!src/x.h");
	assert_string_equal(find(&f, LIST("missing", "one"), in_first, 2), "!missing !src/x.h");
	assert_string_equal(find(&f, LIST("one"), system, 3),
			    "!one/bits !one/c++ !one/types.h !one/vector !one/x86_64-linux-gnu "
			    "!src/bits !src/c++ !src/types.h !src/vector !src/x86_64-linux-gnu");
	/* a directory of that name is there: the next component counts */
	fake_write(&f, "one/bits/mine.h", "");
	assert_non_null(strstr(find(&f, LIST("one"), system, 3), "!one/bits/types.h"));
	fake_close(&f);
}

static void assert_reads(const char *text, const char *directive, bool told, const char *expected)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_str names XB_CLEANUP(xb_str_release) = {0};
	struct xb_dirs out = {0};

	assert_int_equal(xb_assembler_reads(xb_sv(text), directive, &arena, &out), told);
	for (size_t i = 0; i < out.len; i++)
		xb_str_printf(&names, "%s%s", i ? " " : "", out.items[i]);
	assert_string_equal(xb_str_get(&names), expected);
}

static void test_assembler(void **state)
{
	static const char both[] = " .incbin \"a.bin\", 4\n\t.include\t\"b.inc\"\n";

	(void)state;
	assert_reads(both, ".incbin", true, "a.bin");
	assert_reads(both, ".include", true, "b.inc");
	assert_reads("__asm__(\".incbin \\\"logo.png\\\"\\n\");", ".incbin", true, "logo.png");
	assert_reads(".incbin NAME\n", ".incbin", false, "");
	assert_reads(".incbin \"open\n", ".incbin", false, "");
	assert_reads(".incbins \"x\" .included\n", ".incbin", true, "");
	assert_reads(".incbins \"x\" .included\n", ".include", true, "");
	assert_reads("nothing here", ".incbin", true, "");
	assert_reads(".incbin", ".incbin", true, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_places), cmocka_unit_test(test_assembler)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
