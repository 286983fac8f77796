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
#include "xbuild/base/path.h"
#include "xbuild/base/str.h"
#include "xbuild/build/sources.h"

static const char *find(struct fake *f, const char *const *patterns, const char *const *exclude, size_t *unmatched)
{
	struct xb_sources *sources = xb_sources_open(f->project_dir);
	struct xb_source_query query = {.patterns = patterns, .exclude = exclude};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_source_list list;

	while (patterns[query.n_patterns])
		query.n_patterns++;
	while (exclude && exclude[query.n_exclude])
		query.n_exclude++;
	if (xb_sources_find(sources, &query, &f->arena, &list, unmatched, &f->err) < 0)
		fail_msg("%s", f->err.msg);
	for (size_t i = 0; i < list.len; i++)
		xb_str_printf(&text, "%s%s", i ? " " : "", list.paths[i]);
	xb_sources_free(sources);
	return xb_arena_strdup(&f->arena, xb_str_get(&text));
}
#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_patterns(void **state)
{
	static const char *const files[] = {"a.c",	     "b.c",	     "src/x.c",	    "src/deep/er/y.c",
					    "src/deep/z.cc", "src/test/t.c", "out/gen.c",   ".xbuild/o.c",
					    "src/.git/g.c",  "src/out/k.c",  "src/a-b/q.c", "src/a/b/r.c"};
	struct fake f;
	size_t unmatched;

	(void)state;
	fake_open(&f);
	for (size_t i = 0; i < XB_COUNT(files); i++)
		fake_write(&f, files[i], "");
	assert_string_equal(find(&f, LIST("*.c"), NULL, &unmatched), "a.c b.c");
	assert_int_equal(unmatched, 1);
	assert_string_equal(find(&f, LIST("src/**/*.c"), NULL, &unmatched),
			    "src/a-b/q.c src/a/b/r.c src/deep/er/y.c src/out/k.c src/test/t.c src/x.c");
	assert_string_equal(find(&f, LIST("**/*.c"), LIST("src/**"), &unmatched), "a.c b.c");
	assert_string_equal(find(&f, LIST("src/*/*.c"), LIST("**/t.c"), &unmatched), "src/a-b/q.c src/out/k.c");
	assert_string_equal(find(&f, LIST("b.c", "*.c", "a.c"), NULL, &unmatched), "a.c b.c");
	assert_string_equal(find(&f, LIST("a.c", "none/*.c", "c.c"), NULL, &unmatched), "a.c");
	assert_int_equal(unmatched, 1);
	/* excluded is matched all the same */
	assert_string_equal(find(&f, LIST("a.c"), LIST("a.c"), &unmatched), "");
	assert_int_equal(unmatched, 1);
	assert_string_equal(find(&f, LIST("out/*.c"), NULL, &unmatched), "");
	assert_int_equal(unmatched, 0);
	assert_string_equal(find(&f, LIST("out/gen.c"), NULL, &unmatched), "");
	fake_close(&f);
}

static void test_links(void **state)
{
	struct fake f;
	size_t unmatched;

	(void)state;
	fake_open(&f);
	fake_write(&f, "real/a.c", "");
	char *to_file XB_CLEANUP(xb_free_ptr) = xb_path_join(f.project_dir, "link.c");
	char *to_dir XB_CLEANUP(xb_free_ptr) = xb_path_join(f.project_dir, "linked");
	char *loop XB_CLEANUP(xb_free_ptr) = xb_path_join(f.project_dir, "real/loop");
	char *dangling XB_CLEANUP(xb_free_ptr) = xb_path_join(f.project_dir, "gone.c");

	assert_int_equal(symlink("real/a.c", to_file), 0);
	assert_int_equal(symlink("real", to_dir), 0);
	assert_int_equal(symlink("..", loop), 0);
	assert_int_equal(symlink("nowhere.c", dangling), 0);
	assert_string_equal(find(&f, LIST("**/*.c"), NULL, &unmatched), "link.c real/a.c");
	fake_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_patterns), cmocka_unit_test(test_links)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
