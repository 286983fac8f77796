/* SPDX-License-Identifier: Apache-2.0 */
#include "packages_made.h"

#include "xbuild/pkg/deb_tree.h"

static const struct item libc[] = {
	{'5', "./lib/", "", 0755},
	{'0', "./lib/t/libc.so.6", "libc", 0755},
	{'2', "./lib/t/libm.so.6", "libm-2.36.so", 0777},
	{'0', "./lib/t/libm-2.36.so", "libm", 0644},
	{'0', "./usr/share/doc/libc6/copyright", "copyright", 0644},
	{'0', "./usr/share/doc/libc6/changelog.gz", "changes", 0644},
	{'5', "./usr/share/doc/libc6/examples/", "", 0755},
	{'0', "./usr/share/doc/libc6/examples/copyright", "no", 0644},
	{0},
};
static const struct item libc_dev[] = {
	{'0', "./usr/lib/t/libc.a", "archive", 0644},
	{'2', "./usr/lib/t/libm.so", "/lib/t/libm.so.6", 0777},
	{'2', "./usr/share/doc/libc6-dev", "libc6", 0777},
	{'0', "./usr/share/locale/de/x", "text", 0644},
	{0},
};

struct sample {
	struct xb_lock_package items[2];
	struct xb_lock_packages packages;
	const char *drops[1];
	struct xb_list drop;
	struct xb_deb_tree spec;
};

static void sample_init(struct sample *s, struct made *m)
{
	*s = (struct sample){
		.items = {made_package(m->store, "libc6", libc), made_package(m->store, "libc6-dev", libc_dev)},
		.packages = {s->items, 2},
		.drops = {"usr/share/locale/**"},
		.drop = {s->drops, 1}};
	s->spec = (struct xb_deb_tree){.kind = "sysroot",
				       .name = "test",
				       .variant = "12",
				       .packages = &s->packages,
				       .drop = &s->drop,
				       .dangling = XB_DANGLING_REFUSE_LIBRARIES};
}

static void unpacked_and_put_right(void **state)
{
	struct made *m = *state;
	struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0}, found XB_CLEANUP(xb_tree_release) = {0};
	struct xb_digest recipe;
	struct sample s;
	char target[64] = {0};
	char *link XB_CLEANUP(xb_free_ptr) = NULL;

	sample_init(&s, m);
	expect_ok(xb_deb_tree_make(m->store, &s.spec, 4, &tree, &m->err), &m->err);
	xb_deb_tree_recipe(&s.spec, &recipe);
	assert_int_equal(xb_tree_find(m->store, &recipe, &found, &m->err), 1);
	assert_true(made_has(tree.dir, "usr/lib/t/libc.so.6"));
	assert_true(made_has(tree.dir, "lib/t/libc.so.6"));
	assert_true(made_has(tree.dir, "usr/share/doc/libc6/changelog.gz"));
	assert_false(made_has(tree.dir, "usr/share/locale"));
	link = xb_path_join(tree.dir, "usr/lib/t/libm.so");
	assert_int_equal(readlink(link, target, sizeof(target) - 1), 9);
	assert_string_equal(target, "libm.so.6");
}

static void images_get_copyright_files_only(void **state)
{
	struct made *m = *state;
	struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0};
	struct sample s;

	sample_init(&s, m);
	s.spec.for_image = true;
	expect_ok(xb_deb_tree_make(m->store, &s.spec, 1, &tree, &m->err), &m->err);
	assert_true(made_has(tree.dir, "usr/share/doc/libc6/copyright"));
	assert_true(made_has(tree.dir, "usr/share/doc/libc6-dev")); /* a link to the directory of libc6 */
	assert_false(made_has(tree.dir, "usr/share/doc/libc6/changelog.gz"));
	assert_false(made_has(tree.dir, "usr/share/doc/libc6/examples"));
}

/* The number of threads must not show. */
static void the_tree_depends_on_the_recipe_alone(void **state)
{
	struct made *m = *state;
	struct xb_digest first;
	struct sample s;

	sample_init(&s, m);
	for (int threads = 1; threads <= 4; threads++) {
		struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0};
		char *dir XB_CLEANUP(xb_free_ptr) = NULL;

		expect_ok(xb_deb_tree_make(m->store, &s.spec, threads, &tree, &m->err), &m->err);
		if (threads == 1)
			first = tree.digest;
		assert_true(xb_digest_eq(&first, &tree.digest));
		dir = xb_printf("%s/..", tree.dir);
		expect_ok(xb_fs_remove(dir, &m->err), &m->err);
	}
}

/* Whatever the tree depends on is in its name. */
static void every_input_counts(void **state)
{
	static const char *no_names[] = {"libasan8"};
	static const struct xb_list no_list = {no_names, 1};
	struct made *m = *state;
	struct xb_digest all[10];
	struct sample s;
	size_t n = 0;

	sample_init(&s, m);
	xb_deb_tree_recipe(&s.spec, &all[n++]);
	s.spec.kind = "toolchain";
	xb_deb_tree_recipe(&s.spec, &all[n++]);
	s.spec.name = "other";
	xb_deb_tree_recipe(&s.spec, &all[n++]);
	s.spec.variant = "14";
	xb_deb_tree_recipe(&s.spec, &all[n++]);
	s.spec.dangling = XB_DANGLING_KEEP;
	xb_deb_tree_recipe(&s.spec, &all[n++]);
	s.spec.for_image = true;
	xb_deb_tree_recipe(&s.spec, &all[n++]);
	s.spec.exclude = &no_list;
	xb_deb_tree_recipe(&s.spec, &all[n++]);
	s.spec.drop = NULL;
	xb_deb_tree_recipe(&s.spec, &all[n++]);
	s.items[1].sha256.bytes[31] ^= 1;
	xb_deb_tree_recipe(&s.spec, &all[n++]);
	s.packages.len = 1;
	xb_deb_tree_recipe(&s.spec, &all[n++]);
	assert_int_equal(n, XB_COUNT(all));
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			assert_false(xb_digest_eq(&all[i], &all[k]));
}

static void a_missing_blob_is_named(void **state)
{
	struct made *m = *state;
	struct xb_tree tree = {0};
	struct sample s;

	sample_init(&s, m);
	s.items[1].sha256.bytes[0] ^= 1;
	assert_int_equal(xb_deb_tree_make(m->store, &s.spec, 2, &tree, &m->err), XB_E_NOT_FOUND);
	assert_non_null(strstr(m->err.msg, "make sysroot 'test': unpack package 'libc6-dev'"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(unpacked_and_put_right, made_setup, made_teardown),
		cmocka_unit_test_setup_teardown(images_get_copyright_files_only, made_setup, made_teardown),
		cmocka_unit_test_setup_teardown(the_tree_depends_on_the_recipe_alone, made_setup, made_teardown),
		cmocka_unit_test_setup_teardown(every_input_counts, made_setup, made_teardown),
		cmocka_unit_test_setup_teardown(a_missing_blob_is_named, made_setup, made_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
