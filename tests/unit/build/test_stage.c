/* SPDX-License-Identifier: Apache-2.0 */
/* Staging trees: listed, kept, read back and placed; what is no tree, or leads out of one, is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/attr.h"
#include "xbuild/base/path.h"
#include "xbuild/build/stage.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fs.h"

struct place {
	char dir[32];
	char *stage;   /* of a build; below a directory of the store */
	char *project; /* where trees are placed */
	struct xb_store *store;
	struct xb_statcache *cache;
	struct xb_arena arena;
	struct xb_err err;
};

static const char *at(struct place *p, const char *dir, const char *name)
{
	return xb_arena_printf(&p->arena, "%s/%s", dir, name);
}

static int setup(void **state)
{
	struct place *p = xb_alloc(sizeof(*p));

	memcpy(p->dir, "/tmp/xb-stage-XXXXXX", sizeof("/tmp/xb-stage-XXXXXX"));
	*state = p;
	if (!mkdtemp(p->dir) || xb_store_open(at(p, p->dir, "store"), NULL, &p->store, &p->err) < 0)
		return -1;
	p->stage = xb_store_tmp(p->store);
	p->project = xb_path_join(p->dir, "project");
	p->cache = xb_statcache_open(at(p, p->dir, "cache"), p->project);
	return xb_fs_mkdirs(p->stage, 0755, &p->err) < 0 || xb_fs_mkdirs(p->project, 0755, &p->err) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	xb_statcache_free(p->cache);
	xb_store_close(p->store);
	(void)!xb_fs_remove(p->dir, &p->err);
	xb_err_release(&p->err);
	xb_arena_release(&p->arena);
	free(p->stage);
	free(p->project);
	free(p);
	return 0;
}

static void write_at(struct place *p, const char *dir, const char *name, const char *text, int mode)
{
	const char *path = at(p, dir, name);
	char *parent XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_path_dir(xb_sv(path)));
	FILE *f;

	assert_int_equal(xb_fs_mkdirs(parent, 0755, &p->err), 0);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, (mode_t)mode), 0);
}

static void link_at(struct place *p, const char *dir, const char *name, const char *text)
{
	const char *path = at(p, dir, name);
	char *parent XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_path_dir(xb_sv(path)));

	assert_int_equal(xb_fs_mkdirs(parent, 0755, &p->err), 0);
	assert_int_equal(symlink(text, path), 0);
}

static struct xb_stage list(struct place *p)
{
	struct xb_stage stage = {0};

	if (xb_stage_list(p->stage, &p->arena, &stage, &p->err) < 0)
		fail_msg("%s", p->err.msg);
	return stage;
}

static const char *text_of(struct place *p, const struct xb_stage *stage)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	xb_stage_write(stage, &text);
	return xb_arena_sv(&p->arena, xb_str_sv(&text));
}

/* Lists, keeps and reads back; what is read back says the same. */
static struct xb_stage keep(struct place *p)
{
	struct xb_stage stage = list(p), again = {0};
	struct xb_digest digest;
	const char *text;

	if (xb_stage_adopt(p->store, p->stage, &stage, &p->err) < 0)
		fail_msg("%s", p->err.msg);
	text = text_of(p, &stage);
	assert_int_equal(xb_cas_put_bytes(p->store, text, strlen(text), &digest, &p->err), 0);
	if (xb_stage_read(p->store, &digest, &p->arena, &again, &p->err) < 0)
		fail_msg("%s: %s", p->err.msg, text);
	assert_string_equal(text_of(p, &again), text);
	assert_true(xb_stage_is_whole(p->store, &again));
	return again;
}

static int put_tree(struct place *p, const struct xb_stage *stage, const char *dir)
{
	const struct xb_stage_place place = {
		.store = p->store, .cache = p->cache, .project_dir = p->project, .dir = dir};

	return xb_stage_place(stage, &place, &p->err);
}

/* The placed tree is listed as the kept one was. */
static void expect_placed(struct place *p, const struct xb_stage *stage, const char *dir)
{
	struct xb_stage found = {0};

	assert_int_equal(xb_stage_list(at(p, p->project, dir), &p->arena, &found, &p->err), 0);
	assert_int_equal(found.len, stage->len);
	for (size_t i = 0; i < found.len; i++) {
		const struct xb_stage_entry *a = &found.items[i], *b = &stage->items[i];

		assert_string_equal(a->path, b->path);
		assert_int_equal(a->type, b->type);
		assert_int_equal(a->executable, b->executable);
		if (a->type == XB_STAGE_LINK)
			assert_string_equal(a->link, b->link);
		if (a->type == XB_STAGE_FILE) {
			struct xb_digest digest;

			assert_int_equal(xb_digest_file(at(p, at(p, p->project, dir), a->path), &digest, NULL, &p->err),
					 0);
			assert_true(xb_digest_eq(&digest, &b->digest));
		}
	}
}

static void test_a_tree(void **state)
{
	struct place *p = *state;
	struct xb_stage stage;

	write_at(p, p->stage, "usr/bin/tool", "#!", 0755);
	write_at(p, p->stage, "usr/lib/libx.so.1", "one", 0600);
	link_at(p, p->stage, "usr/lib/libx.so", "libx.so.1");
	link_at(p, p->stage, "usr/lib/abs", "/usr/lib/libx.so");
	link_at(p, p->stage, "usr/lib/none", "../../nowhere");
	assert_int_equal(xb_fs_mkdirs(at(p, p->stage, "usr/share/empty"), 0755, &p->err), 0);
	write_at(p, p->stage, "usr/share/a b\xc3\xa9", "", 04755);
	stage = keep(p);
	assert_string_equal(
		text_of(p, &stage),
		"xbuild stage 1\n"
		"f\t755\t3612ddaf46e149a4f583faf0face846585148f59e0ce2645594df83b5dc807e8\t2\tusr/bin/tool\n"
		"l\t/usr/lib/libx.so\tusr/lib/abs\n"
		"l\tlibx.so.1\tusr/lib/libx.so\n"
		"f\t644\t7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed\t3\tusr/lib/libx.so.1\n"
		"l\t../../nowhere\tusr/lib/none\n"
		"f\t755\te3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\t0\tusr/share/a b\xc3\xa9\n"
		"d\tusr/share/empty\n");
	assert_int_equal(put_tree(p, &stage, "out"), 0);
	expect_placed(p, &stage, "out");
	/* what is there goes: more files, other contents, other types, links in place of directories */
	write_at(p, p->project, "out/usr/bin/more", "x", 0644);
	write_at(p, p->project, "out/usr/lib/libx.so.1", "two", 0644);
	assert_int_equal(xb_fs_remove(at(p, p->project, "out/usr/share"), &p->err), 0);
	write_at(p, p->project, "outside/kept", "kept", 0644);
	link_at(p, p->project, "out/usr/share", "../../outside");
	assert_int_equal(xb_fs_remove(at(p, p->project, "out/usr/lib/abs"), &p->err), 0);
	assert_int_equal(xb_fs_mkdirs(at(p, p->project, "out/usr/lib/abs/deep"), 0755, &p->err), 0);
	assert_int_equal(put_tree(p, &stage, "out"), 0);
	expect_placed(p, &stage, "out");
	assert_true(xb_fs_exists(at(p, p->project, "outside/kept")));
	assert_false(xb_fs_exists(at(p, p->project, "outside/empty")));
}

/* Another name of the same file, outside of the tree: writing by it changes nothing that was kept. */
static void test_hard_links(void **state)
{
	struct place *p = *state;
	const char *own = at(p, p->dir, "built");
	struct xb_stage stage;
	struct stat st;

	write_at(p, p->dir, "built", "content", 0644);
	write_at(p, p->stage, "usr/other", "other", 0644);
	assert_int_equal(link(own, at(p, p->stage, "usr/a")), 0);
	assert_int_equal(link(own, at(p, p->stage, "usr/b")), 0);
	stage = keep(p);
	assert_int_equal(stage.len, 3);
	assert_true(xb_digest_eq(&stage.items[0].digest, &stage.items[1].digest));
	assert_int_equal(stat(own, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	write_at(p, p->dir, "built", "changed", 0644);
	assert_int_equal(xb_cas_check(p->store, &stage.items[0].digest, &p->err), 0);
}

static void expect_refused(struct place *p, const char *why)
{
	struct xb_stage stage = {0};

	assert_int_equal(xb_stage_list(p->stage, &p->arena, &stage, &p->err), XB_E_INPUT);
	if (!strstr(p->err.msg, why))
		fail_msg("expected '%s', found '%s'", why, p->err.msg);
	xb_err_release(&p->err);
	p->err = (struct xb_err){0};
	assert_int_equal(xb_fs_remove(p->stage, &p->err), 0);
	assert_int_equal(xb_fs_mkdirs(p->stage, 0755, &p->err), 0);
}

static void test_odd_files(void **state)
{
	struct place *p = *state;
	struct xb_str deep XB_CLEANUP(xb_str_release) = {0};

	assert_int_equal(mkfifo(at(p, p->stage, "pipe"), 0644), 0);
	expect_refused(p, "installed 'pipe', which is neither file, link nor directory");
	write_at(p, p->stage, "two\nlines", "", 0644);
	expect_refused(p, "a newline or a tab in its name");
	assert_int_equal(xb_fs_mkdirs(at(p, p->stage, "a\tb/c"), 0755, &p->err), 0);
	expect_refused(p, "a newline or a tab in its name");
	link_at(p, p->stage, "odd", "two\nlines");
	expect_refused(p, "the odd link 'odd'");
	for (int i = 0; i < 200; i++)
		xb_str_append(&deep, "d/");
	assert_int_equal(xb_fs_mkdirs(at(p, p->stage, xb_str_get(&deep)), 0755, &p->err), 0);
	expect_refused(p, "directories in each other");
}

static int read_text(struct place *p, const char *text, struct xb_stage *out)
{
	struct xb_digest digest;

	xb_err_release(&p->err);
	p->err = (struct xb_err){0};
	assert_int_equal(xb_cas_put_bytes(p->store, text, strlen(text), &digest, &p->err), 0);
	return xb_stage_read(p->store, &digest, &p->arena, out, &p->err);
}

#define HEAD  "xbuild stage 1\n"
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define FILE1 "f\t644\t" EMPTY "\t0\t"

/* Manifests may come from another machine: none of these is written anywhere. */
static void test_manifests_that_are_none(void **state)
{
	static const char *const bad[] = {
		"xbuild stage",
		"xbuild stage 2\n",
		HEAD "x\tusr\n",
		HEAD "f\n",
		HEAD "d\n",
		HEAD "d\t\n",
		HEAD "l\t\tusr/a\n",
		/* out of the tree */
		HEAD "d\t/etc\n",
		HEAD "d\t..\n",
		HEAD "d\tusr/../../etc\n",
		HEAD "l\tx\t../x\n",
		HEAD FILE1 "/x\n",
		HEAD FILE1 "usr/./x\n",
		HEAD FILE1 "usr//x\n",
		/* through a link, below a file, twice */
		HEAD "l\t/etc\tusr\n" FILE1 "usr/passwd\n",
		HEAD FILE1 "a\n" FILE1 "a/b\n",
		HEAD "l\t/etc\ta\nd\ta!\n" FILE1 "a/b/c\n",
		HEAD "d\ta\n" FILE1 "a/b\n",
		HEAD FILE1 "a\n" FILE1 "a\n",
		HEAD "l\tx\ta\nl\ty\ta\n",
		/* fields */
		HEAD "f\t777\t" EMPTY "\t0\ta\n",
		HEAD "f\t644\tabc\t0\ta\n",
		HEAD "f\t644\t" EMPTY "\t-1\ta\n",
		HEAD "f\t644\t" EMPTY "\t99999999999999999999\ta\n",
		HEAD "d\ta\tb\n",
		HEAD "l\tx\ta\tb\n",
	};
	struct place *p = *state;
	struct xb_stage stage;

	for (size_t i = 0; i < XB_COUNT(bad); i++) {
		if (read_text(p, bad[i], &stage) != XB_E_INPUT)
			fail_msg("taken: %s", bad[i]);
	}
	assert_int_equal(read_text(p, HEAD "d\ta-b\nl\t/etc\tb\n" FILE1 "a/b\n", &stage), 0);
	assert_int_equal(stage.len, 3);
	assert_false(xb_stage_is_whole(p->store, &stage)); /* the store has no empty file */
	assert_int_equal(put_tree(p, &stage, "out"), XB_E_NOT_FOUND);
}

static const char *find(const struct xb_stage *stage, const char *path)
{
	const struct xb_stage_entry *e = xb_stage_find(stage, path);

	return e ? e->path : "";
}

static void test_links_stay_inside(void **state)
{
	struct place *p = *state;
	struct xb_stage stage;

	if (read_text(p,
		      HEAD FILE1 "usr/lib/x.1\n"
				 "l\tx.1\tusr/lib/x\nl\t/usr/lib/x\tusr/lib/abs\nl\t../lib/abs\tusr/bin/up\n"
				 "l\tloop\tusr/loop\nl\tb\tusr/a\nl\ta\tusr/b\nl\t../../../../../usr/lib/x\tusr/far\n"
				 "l\t/etc/passwd\tusr/out\nl\tlib\tusr/dir\nd\tusr/empty\n",
		      &stage) < 0)
		fail_msg("%s", p->err.msg);
	assert_string_equal(find(&stage, "usr/lib/x.1"), "usr/lib/x.1");
	assert_string_equal(find(&stage, "usr/lib/x"), "usr/lib/x.1");
	assert_string_equal(find(&stage, "usr/lib/abs"), "usr/lib/x.1");
	assert_string_equal(find(&stage, "usr/bin/up"), "usr/lib/x.1");
	assert_string_equal(find(&stage, "usr/far"), "usr/lib/x.1");
	assert_string_equal(find(&stage, "usr/loop"), "");
	assert_string_equal(find(&stage, "usr/a"), "");
	assert_string_equal(find(&stage, "usr/out"), "");
	assert_string_equal(find(&stage, "usr/dir"), "");
	assert_string_equal(find(&stage, "usr/empty"), "");
	assert_string_equal(find(&stage, "usr/lib"), "");
}

/* A link text is a path like any other: what it leads to is decided when it is clean. */
static void test_links_are_cleaned(void **state)
{
	static const char *const texts[] = {"./x.1",	       ".//x.1",
					    "././x.1",	       "a/../x.1",
					    "../lib/./x.1",    "../lib/../lib/x.1",
					    "a/../../lib/x.1", "/usr//lib/x.1",
					    "/./usr/lib/x.1",  "/usr/a/../lib/x.1",
					    "/../usr/lib/x.1", "../../.././usr/lib/x.1"};
	static const char *const others[] = {"./x", ".", "..", "/", "./..", "x.1/a", "a/x.1", "../x.1"};
	struct place *p = *state;

	for (size_t i = 0; i < XB_COUNT(texts) + XB_COUNT(others); i++) {
		const bool leads = i < XB_COUNT(texts);
		const char *text = leads ? texts[i] : others[i - XB_COUNT(texts)];
		struct xb_stage stage;

		if (read_text(p, xb_arena_printf(&p->arena, HEAD FILE1 "usr/lib/x.1\nl\t%s\tusr/lib/x\n", text),
			      &stage) < 0)
			fail_msg("%s", p->err.msg);
		if (strcmp(find(&stage, "usr/lib/x"), leads ? "usr/lib/x.1" : "") != 0)
			fail_msg("'%s' leads to '%s'", text, find(&stage, "usr/lib/x"));
	}
}

/* Foo.h and foo.h have no place beside each other on the disk of a Mac, and nothing that is there is touched. */
static void test_names_that_fold(void **state)
{
	struct place *p = *state;
	struct xb_stage stage, kept;

	write_at(p, p->stage, "usr/include/Foo.h", "1", 0644);
	write_at(p, p->stage, "usr/include/foo.h", "2", 0644);
	stage = keep(p);
	assert_int_equal(xb_fs_remove(p->stage, &p->err), 0);
	write_at(p, p->stage, "usr/lib/a", "3", 0644);
	write_at(p, p->stage, "usr/Lib/b", "4", 0644);
	kept = keep(p);
	assert_int_equal(put_tree(p, &stage, "placed"), 0);
	expect_placed(p, &stage, "placed");
	assert_int_equal(setenv("XBUILD_TEST_FOLDS_CASE", "1", 1), 0);
	assert_int_equal(put_tree(p, &kept, "merged"), 0); /* other names in directories that become one */
	assert_int_equal(put_tree(p, &stage, "merged"), XB_E_SYSTEM);
	assert_int_equal(unsetenv("XBUILD_TEST_FOLDS_CASE"), 0);
	assert_string_equal(p->err.msg,
			    "place 'merged': 'usr/include/Foo.h' and 'usr/include/foo.h' are one name on this "
			    "disk, which folds case");
	expect_placed(p, &kept, "merged");
}

static void test_below(void **state)
{
	struct place *p = *state;
	struct xb_stage stage, below;

	assert_int_equal(
		read_text(p, HEAD FILE1 "usr/a/b/c\n" FILE1 "usr/a/d\n" FILE1 "usr/ab\n" FILE1 "usr/a-b/e\n", &stage),
		0);
	xb_stage_below(&stage, "usr/a", &p->arena, &below);
	assert_int_equal(below.len, 2);
	assert_string_equal(find(&below, "b/c"), "b/c");
	assert_string_equal(find(&below, "d"), "d");
	xb_stage_below(&stage, "usr/ab", &p->arena, &below);
	assert_int_equal(below.len, 0);
}

static uint32_t next(uint32_t *x)
{
	*x = *x * 1664525 + 1013904223;
	return *x >> 16;
}

/* Any tree: kept, read back, placed over any other one, and then it is that tree. */
static void test_any_tree(void **state)
{
	static const char *const names[] = {"a", "b", "A", "a-b", "a.b", "a b", "lib", "x!"};
	struct place *p = *state;
	uint32_t x = 7;

	for (int round = 0; round < 60; round++) {
		struct xb_stage stage;

		for (int i = 0; i < 30; i++) {
			const char *n1 = names[next(&x) % XB_COUNT(names)], *n2 = names[next(&x) % XB_COUNT(names)];
			const char *dir = next(&x) % 2 ? n1 : at(p, n1, n2);
			const char *name = at(p, dir, xb_arena_printf(&p->arena, "%u", next(&x) % 4));
			char *parent XB_CLEANUP(xb_free_ptr) = xb_path_join(p->stage, dir);

			/* where something else is in the way it is no case */
			if (xb_fs_exists(at(p, p->stage, name)) || xb_fs_mkdirs(parent, 0755, &p->err) < 0) {
				xb_err_release(&p->err);
				p->err = (struct xb_err){0};
				continue;
			}
			if (next(&x) % 4 == 0)
				link_at(p, p->stage, name, names[next(&x) % XB_COUNT(names)]);
			else if (next(&x) % 4 != 0)
				write_at(p, p->stage, name, names[next(&x) % XB_COUNT(names)],
					 next(&x) % 2 ? 0755 : 0644);
		}
		stage = keep(p);
		if (put_tree(p, &stage, "out") < 0)
			fail_msg("round %d: %s", round, p->err.msg);
		expect_placed(p, &stage, "out");
		assert_int_equal(xb_fs_remove(p->stage, &p->err), 0);
		assert_int_equal(xb_fs_mkdirs(p->stage, 0755, &p->err), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_tree, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hard_links, setup, teardown),
		cmocka_unit_test_setup_teardown(test_odd_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_manifests_that_are_none, setup, teardown),
		cmocka_unit_test_setup_teardown(test_links_stay_inside, setup, teardown),
		cmocka_unit_test_setup_teardown(test_links_are_cleaned, setup, teardown),
		cmocka_unit_test_setup_teardown(test_below, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names_that_fold, setup, teardown),
		cmocka_unit_test_setup_teardown(test_any_tree, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
