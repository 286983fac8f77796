/* SPDX-License-Identifier: Apache-2.0 */
#include "../pkg/packages_made.h"

#include "xbuild/toolchain/rust.h"

static const struct item rustc[] = {
	{'0', "./usr/bin/rustc", "rustc", 0755},
	{'0', "./lib64/ld-linux-x86-64.so.2", "loader", 0755},
	{'0', "./usr/share/man/x", "x", 0644},
	{0},
};
static const struct item std_here[] = {{'0', "./usr/lib/rustlib/x86_64-unknown-linux-gnu/lib/libstd.rlib", "a", 0644},
				       {0}};
static const struct item std_there[] = {
	{'0', "./usr/lib/rustlib/aarch64-unknown-linux-gnu/lib/libstd.rlib", "b", 0644},
	{'2', "./usr/lib/rustlib/aarch64-unknown-linux-gnu/lib/libstd.so", "../../../../aarch64-linux-gnu/libstd.so",
	 0777},
	{0},
};
static const struct item crate[] = {
	{'0', "./usr/share/cargo/registry/tally-1.0.0/Cargo.toml", "t", 0644},
	{'0', "./usr/share/doc/librust-tally-dev/copyright", "c", 0644},
	{0},
};

struct sample {
	const char *drops[1], *crates_drops[1];
	struct xb_rust_desc desc;
	struct xb_lock_package programs[2], here, there, crate;
	struct xb_lock_rust_list hosts[1], std[2];
	struct xb_lock_rust rust;
	struct xb_lock lock;
};

static void sample_init(struct sample *s, struct made *m)
{
	*s = (struct sample){.drops = {"usr/share/**"},
			     .crates_drops = {"usr/share/doc/**"},
			     .programs = {made_package(m->store, "libstd-rust-dev", std_here),
					  made_package(m->store, "rustc", rustc)},
			     .here = made_package(m->store, "libstd-rust-dev", std_here),
			     .there = made_package(m->store, "libstd-rust-dev", std_there),
			     .crate = made_package(m->store, "librust-tally-dev", crate)};
	s->desc.name = "rust-1.85";
	s->desc.bin_dir = "usr/bin";
	s->desc.drop = (struct xb_list){s->drops, 1};
	s->desc.crates_dir = "usr/share/cargo/registry";
	s->desc.crates_drop = (struct xb_list){s->crates_drops, 1};
	s->hosts[0] = (struct xb_lock_rust_list){"linux-x86_64", {s->programs, 2}};
	s->std[0] = (struct xb_lock_rust_list){"linux-aarch64", {&s->there, 1}};
	s->std[1] = (struct xb_lock_rust_list){"linux-x86_64", {&s->here, 1}};
	s->rust = (struct xb_lock_rust){.name = "rust-1.85",
					.version = "1.85.1",
					.hosts = s->hosts,
					.n_hosts = 1,
					.std = s->std,
					.n_std = 2,
					.crates = {"amd64", {&s->crate, 1}}};
	s->lock.rust = &s->rust;
}

static void one_tree_has_all_targets(void **state)
{
	struct made *m = *state;
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0}, crates XB_CLEANUP(xb_tree_release) = {0};
	struct xb_rust_tools found;
	struct sample s;

	sample_init(&s, m);
	assert_int_equal(xb_rust_find(m->store, &s.desc, &s.lock, "linux-x86_64", &arena, &found, &m->err), 0);
	expect_ok(xb_rust_make(m->store, &s.desc, &s.lock, "linux-x86_64", 2, &tree, &m->err), &m->err);
	/* the crates are another tree, and are asked for too */
	assert_int_equal(xb_rust_find(m->store, &s.desc, &s.lock, "linux-x86_64", &arena, &found, &m->err), 0);
	expect_ok(xb_crates_make(m->store, &s.desc, &s.lock, 1, &crates, &m->err), &m->err);
	assert_int_equal(xb_rust_find(m->store, &s.desc, &s.lock, "linux-x86_64", &arena, &found, &m->err), 1);
	assert_string_equal(found.tools.dir, tree.dir);
	assert_true(xb_digest_eq(&found.tools.digest, &tree.digest));
	assert_string_equal(found.tools.loader, "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2");
	assert_string_equal(found.tools.library_path, "usr/lib/x86_64-linux-gnu");
	assert_string_equal(found.tools.version, "1.85.1");
	assert_true(made_has(tree.dir, "usr/bin/rustc"));
	assert_true(made_has(tree.dir, "usr/lib/rustlib/x86_64-unknown-linux-gnu/lib/libstd.rlib"));
	assert_true(made_has(tree.dir, "usr/lib/rustlib/aarch64-unknown-linux-gnu/lib/libstd.rlib"));
	/* the shared library of another target is left out, and so is the link to it */
	assert_false(made_has(tree.dir, "usr/lib/rustlib/aarch64-unknown-linux-gnu/lib/libstd.so"));
	assert_false(made_has(tree.dir, "usr/share"));
	assert_true(made_has(found.crates_dir, "tally-1.0.0/Cargo.toml"));
	assert_false(made_has(crates.dir, "usr/share/doc"));
}

static void another_target_is_another_tree(void **state)
{
	struct made *m = *state;
	struct xb_digest both, one, again, crates, no_crates;
	struct sample s;

	sample_init(&s, m);
	xb_rust_recipe(&s.desc, &s.lock, "linux-x86_64", &both);
	xb_crates_recipe(&s.desc, &s.lock, &crates);
	s.rust.n_std = 1;
	/* this one is in the host's list as well */
	s.std[0] = s.std[1];
	xb_rust_recipe(&s.desc, &s.lock, "linux-x86_64", &one);
	assert_false(xb_digest_eq(&both, &one));
	s.rust.n_std = 0;
	xb_rust_recipe(&s.desc, &s.lock, "linux-x86_64", &again);
	assert_true(xb_digest_eq(&one, &again));
	s.rust.crates.packages.len = 0;
	xb_crates_recipe(&s.desc, &s.lock, &no_crates);
	assert_false(xb_digest_eq(&crates, &no_crates));
	assert_false(xb_digest_eq(&crates, &both));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_tree_has_all_targets, made_setup, made_teardown),
		cmocka_unit_test_setup_teardown(another_target_is_another_tree, made_setup, made_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
