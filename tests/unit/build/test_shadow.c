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

static const char *joined(struct xb_arena *arena, const struct xb_dirs *dirs)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	for (size_t i = 0; i < dirs->len; i++)
		xb_str_printf(&text, "%s%s", i ? " " : "", dirs->items[i]);
	return xb_arena_strdup(arena, xb_str_get(&text));
}

static const char *find_asked(struct fake *f, const char *const *search, const struct xb_read_file *files, size_t n,
			      const struct xb_dirs *asked)
{
	struct xb_shadows *shadows = xb_shadows_open(f->project_dir);
	struct xb_dirs dirs = {.items = xb_arena_array(&f->arena, 8, sizeof(char *))}, out = {0};

	const struct xb_shadow_query query = {&dirs, "x86_64-linux-gnu", files, n, asked};

	while (search[dirs.len]) {
		dirs.items[dirs.len] = search[dirs.len];
		dirs.len++;
	}
	xb_shadows_find(shadows, &query, &f->arena, &out);
	xb_shadows_free(shadows);
	return joined(&f->arena, &out);
}

static const char *find(struct fake *f, const char *const *search, const struct xb_read_file *files, size_t n)
{
	return find_asked(f, search, files, n, &(const struct xb_dirs){0});
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

/* What a condition asked for is looked for beside each file that was read and along the whole search path. */
static void test_asked(void **state)
{
	struct fake f;
	struct xb_dirs asked = {.items = (const char *[]){"opt.h", "sub/opt.h"}, .len = 2};

	(void)state;
	fake_open(&f);
	fake_write(&f, "src/a.c", "");
	fake_write(&f, "two/opt.h", "");
	const struct xb_read_file source[] = {{XB_ROOT_PROJECT, "src/a.c"}};

	assert_string_equal(find_asked(&f, LIST("one", "two"), source, 1, &asked), "!one !src/opt.h !src/sub !two/sub");
	fake_write(&f, "one/x.h", "");
	assert_string_equal(find_asked(&f, LIST("one", "two"), source, 1, &asked),
			    "!one/opt.h !one/sub !src/opt.h !src/sub !two/sub");
	fake_close(&f);
}

static void test_libraries(void **state)
{
	struct xb_shadows *shadows;
	struct xb_command link;
	struct xb_dirs out = {0};
	struct fake f;

	(void)state;
	fake_open(&f);
	fake_write(&f, "lb/libfoo.a", "");
	xb_command_init(&link, &f.arena);
	for (const char *const *w = LIST("-o", "x", "-L./la", "-L", "lb", "--library-path=lb/", "-lfoo", "-l:bar.o");
	     *w; w++)
		xb_command_word(&link, *w);
	xb_command_rooted(&link, "-L", XB_ROOT_SYSROOT, "usr/lib", NULL);
	shadows = xb_shadows_open(f.project_dir);
	xb_shadows_find_libraries(shadows, &link, &f.arena, &out);
	xb_shadows_free(shadows);
	assert_string_equal(joined(&f.arena, &out), "!la !lb/bar.o !lb/libfoo.so");
	fake_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_places), cmocka_unit_test(test_asked),
					   cmocka_unit_test(test_libraries)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
