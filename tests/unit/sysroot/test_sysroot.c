/* SPDX-License-Identifier: Apache-2.0 */
#include "../pkg/packages_made.h"

#include "xbuild/sysroot/sysroot.h"

static const struct item libc[] = {
	{'0', "./lib/x86_64-linux-gnu/libc.so.6", "libc", 0755},
	{'0', "./usr/share/man/man1/x", "x", 0644},
	{'0', "./usr/share/doc/libc6/copyright", "text", 0644},
	{'0', "./usr/share/doc/libc6/changelog", "text", 0644},
	{'2', "./etc/conf", "/usr/share/elsewhere", 0777},
	{'5', "./var/tmp/", "", 01777},
	{'0', "./usr/bin/su", "su", 04755},
	{0},
};

struct sample {
	struct xb_sysroot_desc desc;
	struct xb_lock_package package;
	struct xb_lock_sysroot lock;
};

static void sample_init(struct sample *s, struct made *m)
{
	*s = (struct sample){.package = made_package(m->store, "libc6", libc)};
	s->desc.name = "debian-test";
	s->desc.gcc = "12";
	s->lock =
		(struct xb_lock_sysroot){.target = "linux-x86_64", .name = "debian-test", .packages = {&s->package, 1}};
}

static void made_and_found(void **state)
{
	struct made *m = *state;
	const struct xb_target *target = xb_target_find(xb_sv("linux-x86_64"));
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0};
	struct xb_sysroot_paths found;
	struct sample s;

	sample_init(&s, m);
	assert_int_equal(xb_sysroot_find(m->store, &s.desc, &s.lock, target, &arena, &found, &m->err), 0);
	expect_ok(xb_sysroot_make(m->store, &s.desc, &s.lock, 2, &tree, &m->err), &m->err);
	assert_int_equal(xb_sysroot_find(m->store, &s.desc, &s.lock, target, &arena, &found, &m->err), 1);
	assert_string_equal(found.dir, tree.dir);
	assert_string_equal(found.manifest, tree.manifest);
	assert_true(xb_digest_eq(&found.digest, &tree.digest));
	assert_string_equal(found.gcc_dir, "usr/lib/gcc/x86_64-linux-gnu/12");
	assert_string_equal(found.gcc_version, "12");
	assert_ptr_equal(found.target, target);
	assert_true(made_has(found.dir, "lib/x86_64-linux-gnu/libc.so.6"));
	assert_false(made_has(found.dir, "etc/conf")); /* dangles */
	assert_false(made_has(found.dir, "var/lib/dpkg"));
	assert_true(found.no_libstdcxx && found.no_libstdcxx_a);
}

/* Where links look for the C++ library, and what of it is there. */
static void the_cxx_library(void **state)
{
	static const struct {
		const char *path;
		bool none, no_archive;
	} rows[] = {
		{"./usr/lib/gcc/x86_64-linux-gnu/12/libstdc++.a", false, false},
		{"./usr/lib/gcc/x86_64-linux-gnu/12/libstdc++.so", false, true},
		{"./usr/lib/x86_64-linux-gnu/libstdc++.a", false, false},
		{"./usr/lib/libstdc++.so", false, true},
		{"./usr/lib/x86_64-linux-gnu/libstdc++.so.6", true, true},
		{"./usr/lib/gcc/x86_64-linux-gnu/11/libstdc++.a", true, true},
	};
	struct made *m = *state;
	const struct xb_target *target = xb_target_find(xb_sv("linux-x86_64"));

	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		const struct item items[] = {{'0', rows[i].path, "lib", 0644}, {0}};
		struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
		struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0};
		struct xb_sysroot_paths found;
		struct sample s;

		sample_init(&s, m);
		s.package = made_package(m->store, "libstdcxx", items);
		expect_ok(xb_sysroot_make(m->store, &s.desc, &s.lock, 2, &tree, &m->err), &m->err);
		assert_int_equal(xb_sysroot_find(m->store, &s.desc, &s.lock, target, &arena, &found, &m->err), 1);
		if (found.no_libstdcxx != rows[i].none || found.no_libstdcxx_a != rows[i].no_archive)
			fail_msg("%s: %d %d", rows[i].path, found.no_libstdcxx, found.no_libstdcxx_a);
	}
}

/* Owners and modes are what the package says; they are in the manifest, for the image. */
static void a_package_for_images(void **state)
{
	struct made *m = *state;
	struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0}, found XB_CLEANUP(xb_tree_release) = {0};
	struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
	struct xb_tree_prepared prepared XB_CLEANUP(xb_tree_prepared_release) = {0};
	struct xb_digest recipe, sysroot;
	struct sample s;

	sample_init(&s, m);
	expect_ok(xb_package_tree_prepare(m->store, &s.package, &prepared, &m->err), &m->err);
	xb_package_tree_recipe(&s.package, &recipe);
	assert_int_equal(xb_tree_find(m->store, &recipe, &found, &m->err), 0); /* not before it is whole on disk */
	expect_ok(xb_tree_flush(m->store, &m->err), &m->err);
	expect_ok(xb_tree_publish(&prepared, &tree, &m->err), &m->err);
	xb_sysroot_recipe(&s.desc, &s.lock, &sysroot);
	assert_false(xb_digest_eq(&recipe, &sysroot));
	assert_int_equal(xb_tree_find(m->store, &recipe, &found, &m->err), 1);
	assert_true(made_has(tree.dir, "usr/lib/x86_64-linux-gnu/libc.so.6"));
	assert_true(made_has(tree.dir, "usr/share/doc/libc6/copyright"));
	assert_false(made_has(tree.dir, "usr/share/doc/libc6/changelog"));
	assert_false(made_has(tree.dir, "usr/share/man/man1/x"));
	expect_ok(xb_tree_manifest_read(tree.manifest, &entries, &m->err), &m->err);
	assert_int_equal(xb_tree_entries_find(&entries, "var/tmp")->mode, 01777);
	assert_int_equal(xb_tree_entries_find(&entries, "usr/bin/su")->mode, 04755);
	assert_string_equal(xb_tree_entries_find(&entries, "usr/bin/su")->origin, "libc6");
	assert_string_equal(xb_tree_entries_find(&entries, "etc/conf")->target, "../usr/share/elsewhere");
	assert_string_equal(xb_tree_entries_find(&entries, "lib")->target, "usr/lib");
	assert_int_equal(xb_tree_entries_find(&entries, "var/lib/dpkg/status.d/libc6")->mode, 0644);
	assert_true(made_has(tree.dir, "var/lib/dpkg/status.d/libc6.md5sums"));
}

static void the_gcc_is_part_of_the_name(void **state)
{
	struct made *m = *state;
	struct xb_digest a, b;
	struct sample s;

	sample_init(&s, m);
	xb_sysroot_recipe(&s.desc, &s.lock, &a);
	s.desc.gcc = "14";
	xb_sysroot_recipe(&s.desc, &s.lock, &b);
	assert_false(xb_digest_eq(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(made_and_found, made_setup, made_teardown),
		cmocka_unit_test_setup_teardown(the_cxx_library, made_setup, made_teardown),
		cmocka_unit_test_setup_teardown(a_package_for_images, made_setup, made_teardown),
		cmocka_unit_test_setup_teardown(the_gcc_is_part_of_the_name, made_setup, made_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
