/* SPDX-License-Identifier: Apache-2.0 */
#include "../store/fixture.h"
#include "xbuild/image/packages.h"

static const char *on_libc[] = {"libc6"};
static const char *on_c_and_gcc[] = {"libc6", "libgcc-s1"};
static const char *on_gcc[] = {"libgcc-s1"};

static struct xb_lock_package locked_items[] = {
	{.name = "libc6", .version = "2.36", .depends = on_gcc, .n_depends = 1}, /* and back: a cycle, as in Debian */
	{.name = "libgcc-s1", .version = "12", .depends = on_libc, .n_depends = 1},
	{.name = "libssl3", .version = "3.0", .depends = on_c_and_gcc, .n_depends = 2},
	{.name = "zlib1g", .version = "1.2", .depends = on_libc, .n_depends = 1},
	{.name = "zlib1g-dev", .version = "1.2"},
};
static const struct xb_lock_packages locked = {locked_items, XB_COUNT(locked_items)};

static void add(struct xb_rootfs *r, const char *path, const char *target, const char *origin)
{
	xb_rootfs_add(r, &(struct xb_rootfs_entry){.path = path,
						   .type = target ? XB_TREE_SYMLINK : XB_TREE_FILE,
						   .target = target,
						   .origin = origin});
}

/* Chosen names for one lack, joined by blanks. */
static char *choose(enum xb_lack_kind kind, const char *name)
{
	struct xb_lack lack = {.kind = kind, .name = name, .version = "", .symbol = ""};
	struct xb_lacks lacks = {.items = &lack, .len = 1};
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_rootfs sysroot XB_CLEANUP(xb_rootfs_release) = {0};
	struct xb_err err = {0};
	const struct xb_lock_package **list;
	struct xb_str out = {0};
	size_t n;

	add(&sysroot, "lib", "usr/lib", "");
	add(&sysroot, "usr/lib/ld-linux-aarch64.so.1", "aarch64-linux-gnu/ld-linux-aarch64.so.1", "libc6");
	add(&sysroot, "usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1", NULL, "libc6");
	add(&sysroot, "usr/lib/aarch64-linux-gnu/libc.so.6", NULL, "libc6");
	add(&sysroot, "usr/lib/aarch64-linux-gnu/libssl.so.3", NULL, "libssl3");
	add(&sysroot, "usr/lib/aarch64-linux-gnu/libz.so.1", "libz.so.1.2.13", "zlib1g");
	add(&sysroot, "usr/lib/aarch64-linux-gnu/libz.so.1.2.13", NULL, "zlib1g");
	add(&sysroot, "usr/lib/aarch64-linux-gnu/libz.so", "libz.so.1.2.13", "zlib1g-dev");
	add(&sysroot, "usr/lib/libmade.so", NULL, "");
	assert_ok(xb_rootfs_finish(&sysroot, &err), &err);
	xb_packages_choose(&sysroot, &locked, xb_target_find(xb_sv("linux-aarch64")), &lacks, &arena, &list, &n);
	xb_str_append(&out, "");
	/* what the packages depend on has nothing of what lacks */
	const struct xb_lock_package *owner =
		xb_packages_owner(&sysroot, &locked, xb_target_find(xb_sv("linux-aarch64")), &lack);

	assert_int_equal(owner != NULL, n > 0);
	if (owner)
		assert_string_equal(owner->name, strstr(name, "ssl")	? "libssl3"
						 : strstr(name, "libz") ? "zlib1g"
									: "libc6");
	for (size_t i = 0; i < n; i++)
		xb_str_printf(&out, "%s%s", i ? " " : "", list[i]->name);
	return out.data ? xb_str_steal(&out) : xb_strdup("");
}

static void test_choice(void **state)
{
	static const struct {
		enum xb_lack_kind kind;
		const char *name, *packages;
	} rows[] = {
		{XB_LACK_LIBRARY, "libc.so.6", "libc6 libgcc-s1"},
		{XB_LACK_LIBRARY, "libz.so.1", "libc6 libgcc-s1 zlib1g"},
		{XB_LACK_LIBRARY, "libz.so", "libc6 libgcc-s1 zlib1g"}, /* the file's owner, not the -dev link's */
		{XB_LACK_LIBRARY, "libssl.so.3", "libc6 libgcc-s1 libssl3"},
		{XB_LACK_LIBRARY, "libnone.so", ""},
		{XB_LACK_LIBRARY, "libmade.so", ""},
		{XB_LACK_INTERPRETER, "/lib/ld-linux-aarch64.so.1", "libc6 libgcc-s1"},
		{XB_LACK_MACHINE, "libz.so.1", ""},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		char *found = choose(rows[i].kind, rows[i].name);

		assert_string_equal(found, rows[i].packages);
		free(found);
	}
}

static void test_index_of_a_manifest(void **state)
{
	static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
	struct fixture *f = *state;
	char *path = xb_printf("%s/manifest", f->dir);
	struct xb_tree_entries entries = {0};
	struct xb_rootfs index = {0};
	const struct xb_rootfs_entry *e;

	char *sorted = xb_printf("d\t755\t0\t0\t\tusr\nd\t755\t0\t0\tlibc6\tusr/lib\n"
				 "l\tlibc6\tusr/lib/libc.so\tlibc.so.6\n"
				 "f\t755\t0\t0\t%s\t7\tlibc6\tusr/lib/libc.so.6\n",
				 zeros);

	write_text(path, sorted);
	assert_ok(xb_tree_manifest_read(path, &entries, &f->err), &f->err);
	assert_ok(xb_packages_index(&entries, &index, &f->err), &f->err);
	xb_tree_entries_release(&entries);
	e = xb_rootfs_resolve(&index, "/usr/lib/libc.so");
	assert_non_null(e);
	assert_string_equal(e->origin, "libc6");
	assert_string_equal(e->path, "usr/lib/libc.so.6");
	xb_rootfs_release(&index);
	free(sorted);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_choice), TEST(test_index_of_a_manifest)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
