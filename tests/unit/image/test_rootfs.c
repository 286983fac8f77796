/* SPDX-License-Identifier: Apache-2.0 */
#include "../store/fixture.h"
#include "xbuild/image/rootfs.h"

static void add(struct xb_rootfs *r, const char *path, enum xb_tree_type type, uint32_t mode, const char *target,
		enum xb_layer_kind layer)
{
	struct xb_rootfs_entry e = {.path = path,
				    .type = type,
				    .mode = mode,
				    .target = target,
				    .source = type == XB_TREE_FILE ? "/dev/null" : NULL,
				    .origin = xb_layer_kind_name(layer),
				    .layer = layer};

	xb_rootfs_add(r, &e);
}

static void add_file(struct xb_rootfs *r, const char *path, enum xb_layer_kind layer)
{
	add(r, path, XB_TREE_FILE, 0644, NULL, layer);
}

/* "path path ..." of the list, or of one layer. */
static char *paths(const struct xb_rootfs *r, int kind)
{
	struct xb_str out = {0};
	const struct xb_rootfs_entry **list;
	size_t n;

	if (kind < 0) {
		for (size_t i = 0; i < r->len; i++)
			xb_str_printf(&out, "%s ", r->items[i].path);
		return xb_str_steal(&out);
	}
	xb_rootfs_layer(r, kind, &list, &n);
	for (size_t i = 0; i < n; i++)
		xb_str_printf(&out, "%s ", list[i]->path);
	free(list);
	return out.data ? xb_str_steal(&out) : xb_strdup("");
}

static void assert_paths(const struct xb_rootfs *r, int kind, const char *expected)
{
	char *found = paths(r, kind);

	assert_string_equal(found, expected);
	free(found);
}

static void test_sorts_and_adds_parents(void **state)
{
	struct xb_rootfs r = {0};
	struct xb_err err = {0};

	(void)state;
	add_file(&r, "usr/bin/b", XB_LAYER_APPLICATION);
	add_file(&r, "usr/bin-x/a", XB_LAYER_PACKAGES);
	add_file(&r, "usr/lib/liba.so", XB_LAYER_LIBRARIES);
	add(&r, "usr/bin", XB_TREE_DIR, 0711, NULL, XB_LAYER_PACKAGES);
	assert_ok(xb_rootfs_finish(&r, &err), &err);
	assert_paths(&r, -1, "usr usr/bin usr/bin-x usr/bin-x/a usr/bin/b usr/lib usr/lib/liba.so ");
	assert_int_equal(xb_rootfs_find(&r, "usr/bin")->mode, 0711);
	assert_int_equal(xb_rootfs_find(&r, "usr/lib")->mode, 0755);
	assert_paths(&r, XB_LAYER_LIBRARIES, "usr usr/lib usr/lib/liba.so ");
	assert_paths(&r, XB_LAYER_PACKAGES, "usr usr/bin usr/bin-x usr/bin-x/a ");
	xb_rootfs_release(&r);
}

static void test_joins_directories(void **state)
{
	struct xb_rootfs r = {0};
	struct xb_err err = {0};

	(void)state;
	add(&r, "etc", XB_TREE_DIR, 0700, NULL, XB_LAYER_APPLICATION);
	add(&r, "etc", XB_TREE_DIR, 0755, NULL, XB_LAYER_PACKAGES);
	add(&r, "var", XB_TREE_DIR, 0755, NULL, XB_LAYER_PACKAGES);
	add(&r, "var", XB_TREE_DIR, 0755, NULL, XB_LAYER_APPLICATION);
	assert_ok(xb_rootfs_finish(&r, &err), &err);
	assert_int_equal(r.len, 2);
	assert_int_equal(r.items[0].mode, 0700);
	/* no change in the application layer: nothing there */
	assert_int_equal(r.items[1].layer, XB_LAYER_PACKAGES);
	xb_rootfs_release(&r);
}

static void test_conflicts(void **state)
{
	struct xb_rootfs r = {0};
	struct xb_err err = {0};

	(void)state;
	add_file(&r, "etc/a", XB_LAYER_PACKAGES);
	add_file(&r, "etc/a", XB_LAYER_APPLICATION);
	assert_ok(xb_rootfs_finish(&r, &err), &err);
	assert_int_equal(r.len, 2);
	xb_rootfs_release(&r);

	add_file(&r, "etc/a", XB_LAYER_PACKAGES);
	add(&r, "etc/a", XB_TREE_FILE, 0600, NULL, XB_LAYER_APPLICATION);
	assert_failed(xb_rootfs_finish(&r, &err), &err, XB_E_VERIFY, "'/etc/a' would come from both packages and app");
	xb_rootfs_release(&r);

	add(&r, "lib", XB_TREE_SYMLINK, 0777, "usr/lib", XB_LAYER_PACKAGES);
	add_file(&r, "lib/x", XB_LAYER_APPLICATION);
	assert_failed(xb_rootfs_finish(&r, &err), &err, XB_E_VERIFY, "lie below '/lib', which is a link");
	xb_rootfs_release(&r);

	add_file(&r, "a", XB_LAYER_PACKAGES);
	add_file(&r, "a/b", XB_LAYER_APPLICATION);
	assert_failed(xb_rootfs_finish(&r, &err), &err, XB_E_VERIFY, "which is a file");
	xb_rootfs_release(&r);

	add_file(&r, "var/.wh.x", XB_LAYER_PACKAGES);
	assert_failed(xb_rootfs_finish(&r, &err), &err, XB_E_VERIFY, "deletion");
	xb_rootfs_release(&r);

	add_file(&r, "../x", XB_LAYER_PACKAGES);
	assert_failed(xb_rootfs_finish(&r, &err), &err, XB_E_VERIFY, "clean path");
	xb_rootfs_release(&r);
}

/* What a base has gives way to what the image brings, and only that. */
static void test_base(void **state)
{
	struct xb_rootfs r = {0};
	struct xb_err err = {0};

	(void)state;
	add_file(&r, "etc/a", XB_LAYER_APPLICATION);
	add(&r, "etc/a", XB_TREE_FILE, 0600, NULL, XB_LAYER_BASE);
	add(&r, "etc/l", XB_TREE_SYMLINK, 0777, "a", XB_LAYER_BASE);
	add_file(&r, "etc/l", XB_LAYER_PACKAGES);
	add(&r, "etc", XB_TREE_DIR, 0700, NULL, XB_LAYER_BASE);
	add_file(&r, "usr/b", XB_LAYER_BASE);
	assert_ok(xb_rootfs_finish(&r, &err), &err);
	assert_int_equal(xb_rootfs_find(&r, "etc/a")->mode, 0644);
	assert_int_equal(xb_rootfs_find(&r, "etc/l")->type, XB_TREE_FILE);
	/* the directories above are there with the attributes of the base */
	assert_paths(&r, XB_LAYER_APPLICATION, "etc etc/a ");
	assert_paths(&r, XB_LAYER_PACKAGES, "etc etc/l ");
	assert_int_equal(xb_rootfs_find(&r, "etc")->mode, 0700);
	xb_rootfs_release(&r);

	add(&r, "etc/a", XB_TREE_DIR, 0755, NULL, XB_LAYER_BASE);
	add_file(&r, "etc/a", XB_LAYER_APPLICATION);
	assert_failed(xb_rootfs_finish(&r, &err), &err, XB_E_VERIFY, "'/etc/a' would come from both");
	xb_rootfs_release(&r);
}

/* What the project brings replaces a file of a base that says so; two packages never do. */
static void test_yields(void **state)
{
	struct xb_rootfs r = {0};
	struct xb_err err = {0};

	(void)state;
	add_file(&r, "etc/a", XB_LAYER_PACKAGES);
	add(&r, "etc/l", XB_TREE_SYMLINK, 0777, "a", XB_LAYER_PACKAGES);
	add(&r, "etc/d", XB_TREE_DIR, 0755, NULL, XB_LAYER_PACKAGES);
	for (size_t i = 0; i < r.len; i++)
		r.items[i].yields = true;
	add(&r, "etc/a", XB_TREE_FILE, 0600, NULL, XB_LAYER_APPLICATION);
	add(&r, "etc/l", XB_TREE_FILE, 0640, NULL, XB_LAYER_APPLICATION);
	assert_ok(xb_rootfs_finish(&r, &err), &err);
	assert_int_equal(xb_rootfs_find(&r, "etc/a")->mode, 0600);
	assert_int_equal(xb_rootfs_find(&r, "etc/a")->layer, XB_LAYER_APPLICATION);
	assert_int_equal(xb_rootfs_find(&r, "etc/l")->type, XB_TREE_FILE);
	add(&r, "etc/d", XB_TREE_FILE, 0600, NULL, XB_LAYER_APPLICATION);
	assert_failed(xb_rootfs_finish(&r, &err), &err, XB_E_VERIFY, "'/etc/d' would come from both");
	xb_rootfs_release(&r);

	add_file(&r, "etc/a", XB_LAYER_PACKAGES);
	add(&r, "etc/a", XB_TREE_FILE, 0600, NULL, XB_LAYER_PACKAGES);
	r.items[0].yields = r.items[1].yields = true;
	assert_failed(xb_rootfs_finish(&r, &err), &err, XB_E_VERIFY, "'/etc/a' would come from both");
	xb_rootfs_release(&r);
}

static void test_resolve(void **state)
{
	static const struct {
		const char *path, *found;
	} rows[] = {{"/lib/x", "usr/lib/x"},	  {"/usr/lib/l1", "usr/lib/x"}, {"/usr/lib/abs", "usr/lib/x"},
		    {"/usr/lib/up", "usr/lib/x"}, {"/../lib/./x", "usr/lib/x"}, {"lib//x", "usr/lib/x"},
		    {"/usr/lib/loop", NULL},	  {"/usr/lib/none", NULL},	{"/usr/lib/x/y", NULL},
		    {"/lib", "usr/lib"},	  {"/usr/lib/..", "usr"},	{"/usr/lib/dangling", NULL}};
	struct xb_rootfs r = {0};
	struct xb_err err = {0};

	(void)state;
	add_file(&r, "usr/lib/x", XB_LAYER_PACKAGES);
	add(&r, "lib", XB_TREE_SYMLINK, 0, "usr/lib", XB_LAYER_PACKAGES);
	add(&r, "usr/lib/l1", XB_TREE_SYMLINK, 0, "x", XB_LAYER_PACKAGES);
	add(&r, "usr/lib/abs", XB_TREE_SYMLINK, 0, "/lib/l1", XB_LAYER_PACKAGES);
	add(&r, "usr/lib/up", XB_TREE_SYMLINK, 0, "../../../../lib/abs", XB_LAYER_PACKAGES);
	add(&r, "usr/lib/loop", XB_TREE_SYMLINK, 0, "loop", XB_LAYER_PACKAGES);
	add(&r, "usr/lib/dangling", XB_TREE_SYMLINK, 0, "nothing", XB_LAYER_PACKAGES);
	assert_ok(xb_rootfs_finish(&r, &err), &err);
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		const struct xb_rootfs_entry *e = xb_rootfs_resolve(&r, rows[i].path);

		if (!rows[i].found)
			assert_null(e);
		else
			assert_string_equal(e ? e->path : "nothing", rows[i].found);
	}
	xb_rootfs_release(&r);
}

static void test_merge_usr(void **state)
{
	struct xb_rootfs r = {0};
	struct xb_err err = {0};

	(void)state;
	add_file(&r, "lib64/ld.so", XB_LAYER_PACKAGES);
	add_file(&r, "usr/bin/a", XB_LAYER_APPLICATION);
	add_file(&r, "bin/b", XB_LAYER_APPLICATION);
	add_file(&r, "library/c", XB_LAYER_APPLICATION);
	xb_rootfs_merge_usr(&r);
	assert_ok(xb_rootfs_finish(&r, &err), &err);
	assert_paths(&r, -1, "bin lib64 library library/c usr usr/bin usr/bin/a usr/bin/b usr/lib64 usr/lib64/ld.so ");
	assert_string_equal(xb_rootfs_find(&r, "bin")->target, "usr/bin");
	assert_string_equal(xb_rootfs_resolve(&r, "/lib64/ld.so")->path, "usr/lib64/ld.so");
	xb_rootfs_release(&r);
}

/* Everything that a layer's bytes depend on changes its digest; where the bytes lie does not. */
static void test_digest_covers_attributes(void **state)
{
	const struct xb_rootfs_entry base = {.path = "a", .mode = 0644, .source = "/x", .origin = "o"};
	struct xb_rootfs_entry changed[8];
	const struct xb_rootfs_entry *list = &base;
	struct xb_digest expected, found;

	(void)state;
	for (size_t i = 0; i < XB_COUNT(changed); i++)
		changed[i] = base;
	changed[0].path = "b";
	changed[1].mode = 0600;
	changed[2].uid = 1;
	changed[3].gid = 1;
	changed[4].digest.bytes[31] = 1;
	changed[5].size_bytes = 1;
	changed[6].type = XB_TREE_DIR;
	changed[7].target = "t";
	xb_rootfs_digest("v", &list, 1, &expected);
	for (size_t i = 0; i < XB_COUNT(changed); i++) {
		list = &changed[i];
		xb_rootfs_digest("v", &list, 1, &found);
		assert_false(xb_digest_eq(&expected, &found));
	}
	changed[0] = base;
	changed[0].source = "/y";
	changed[0].origin = "p";
	list = &changed[0];
	xb_rootfs_digest("v", &list, 1, &found);
	assert_true(xb_digest_eq(&expected, &found));
	xb_rootfs_digest("w", &list, 1, &found);
	assert_false(xb_digest_eq(&expected, &found));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorts_and_adds_parents),
		cmocka_unit_test(test_joins_directories),
		cmocka_unit_test(test_conflicts),
		cmocka_unit_test(test_base),
		cmocka_unit_test(test_yields),
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_merge_usr),
		cmocka_unit_test(test_digest_covers_attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
