/* SPDX-License-Identifier: Apache-2.0 */
#include "../pkg/packages_made.h"

#include "xbuild/sys/host.h"
#include "xbuild/toolchain/toolchain.h"

static const struct item clang[] = {
	{'0', "./usr/lib/llvm-22/bin/clang", "clang", 0755},
	{'0', "./lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "loader", 0755},
	{'0', "./usr/share/man/x", "x", 0644},
	{0},
};
static const struct item no_loader[] = {{'0', "./usr/lib/llvm-22/bin/clang", "clang", 0755}, {0}};
static const struct item tools[] = {{'0', "./usr/lib/llvm-22/bin/llvm-ar", "ar", 0755}, {0}};

struct sample {
	const char *drops[1];
	struct xb_toolchain_desc desc;
	struct xb_lock_package base, extra;
	struct xb_lock_toolchain lock;
};

static void sample_init(struct sample *s, struct made *m, const struct item *base)
{
	*s = (struct sample){.drops = {"usr/share/**"},
			     .base = made_package(m->store, "clang-22", base),
			     .extra = made_package(m->store, "llvm-22", tools)};
	s->desc.name = "llvm-22";
	s->desc.bin_dir = "usr/lib/llvm-22/bin";
	s->desc.drop = (struct xb_list){s->drops, 1};
	s->lock = (struct xb_lock_toolchain){.host = "linux-x86_64",
					     .name = "llvm-22",
					     .version = "22.1.8",
					     .packages = {&s->base, 1},
					     .tools = {&s->extra, 1},
					     .archive.size_bytes = -1};
}

static void made_of_packages(void **state)
{
	struct made *m = *state;
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0}, extra XB_CLEANUP(xb_tree_release) = {0};
	struct xb_tools found;
	struct sample s;

	sample_init(&s, m, clang);
	assert_int_equal(xb_toolchain_find(m->store, &s.desc, &s.lock, false, &arena, &found, &m->err), 0);
	expect_ok(xb_toolchain_make(m->store, &s.desc, &s.lock, XB_TOOLCHAIN_BASE, 2, &tree, &m->err), &m->err);
	assert_int_equal(xb_toolchain_find(m->store, &s.desc, &s.lock, false, &arena, &found, &m->err), 1);
	assert_string_equal(found.dir, tree.dir);
	assert_true(xb_digest_eq(&found.digest, &tree.digest));
	assert_int_equal(found.digest_size, tree.digest_size);
	assert_string_equal(found.bin_dir, "usr/lib/llvm-22/bin");
	assert_string_equal(found.loader, "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2");
	assert_true(made_has(found.dir, found.loader));
	assert_string_equal(found.library_path, "usr/lib/x86_64-linux-gnu:usr/lib/llvm-22/lib");
	assert_int_equal(found.major, 22);
	assert_null(found.extra_dir);
	assert_false(made_has(found.dir, "usr/share"));
	/* With the further tools only when they are there too. */
	assert_int_equal(xb_toolchain_find(m->store, &s.desc, &s.lock, true, &arena, &found, &m->err), 0);
	expect_ok(xb_toolchain_make(m->store, &s.desc, &s.lock, XB_TOOLCHAIN_TOOLS, 1, &extra, &m->err), &m->err);
	assert_int_equal(xb_toolchain_find(m->store, &s.desc, &s.lock, true, &arena, &found, &m->err), 1);
	assert_string_equal(found.extra_dir, extra.dir);
	assert_true(made_has(found.extra_dir, "usr/lib/llvm-22/bin/llvm-ar"));
}

static void a_tree_without_loader_is_told(void **state)
{
	struct made *m = *state;
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0};
	struct xb_tools found;
	struct sample s;

	sample_init(&s, m, no_loader);
	expect_ok(xb_toolchain_make(m->store, &s.desc, &s.lock, XB_TOOLCHAIN_BASE, 1, &tree, &m->err), &m->err);
	assert_int_equal(xb_toolchain_find(m->store, &s.desc, &s.lock, false, &arena, &found, &m->err), XB_E_VERIFY);
	assert_non_null(strstr(m->err.msg, "no dynamic loader"));
}

/* What is asked for its version, as far as this machine runs it. */
#define CLANG_PROGRAM "#!/bin/sh\necho 'clang version 22.1.8 (of a test)'\n"

/* Official archives have a top directory, minimal ones have none; of both only what is needed is taken. */
static void made_of_an_archive(void **state)
{
	static const struct item with_top[] = {
		{'5', "LLVM-22/", "", 0755},
		{'5', "LLVM-22/bin/", "", 0755},
		{'0', "LLVM-22/bin/clang-22", CLANG_PROGRAM, 0755},
		{'2', "LLVM-22/bin/clang", "clang-22", 0777},
		{'2', "LLVM-22/bin/clang++", "clang", 0777},
		{'0', "LLVM-22/bin/clangd", "not needed", 0755},
		{'0', "LLVM-22/lib/clang/22/include/stddef.h", "header", 0644},
		{'0', "LLVM-22/lib/libLLVM.a", "not needed", 0644},
		{0},
	};
	static const struct item without_top[] = {
		{'0', "./bin/llvm", CLANG_PROGRAM, 0755},
		{'2', "./bin/clang", "llvm", 0777},
		{'2', "./bin/llvm-ar", "llvm", 0777},
		{'2', "./bin/lld", "gone", 0777},
		{0},
	};
	const struct item *const archives[] = {with_top, without_top};
	struct made *m = *state;

	for (size_t i = 0; i < XB_COUNT(archives); i++) {
		struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
		struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0};
		struct xb_str tar XB_CLEANUP(xb_str_release) = {0};
		struct xb_digest base, extra;
		struct xb_tools found;
		struct sample s;

		sample_init(&s, m, clang);
		make_tar(&tar, archives[i]);
		s.lock.archive.url = "https://example.org/LLVM-22.tar";
		expect_ok(xb_cas_put_bytes(m->store, tar.data, tar.len, &s.lock.archive.sha256, &m->err), &m->err);
		expect_ok(xb_toolchain_make(m->store, &s.desc, &s.lock, XB_TOOLCHAIN_BASE, 1, &tree, &m->err), &m->err);
		assert_int_equal(xb_toolchain_find(m->store, &s.desc, &s.lock, true, &arena, &found, &m->err), 1);
		assert_string_equal(found.bin_dir, "bin");
		assert_null(found.loader);
		assert_null(found.extra_dir);
		assert_true(made_has(found.dir, "bin/clang"));
		assert_int_equal(made_has(found.dir, "lib/clang/22/include/stddef.h"), i == 0);
		assert_int_equal(made_has(found.dir, "bin/llvm-ar"), i == 1);
		assert_false(made_has(found.dir, "bin/clangd"));
		assert_false(made_has(found.dir, "bin/lld")); /* a link to nothing */
		assert_false(made_has(found.dir, "lib/libLLVM.a"));
		/* One tree for both parts. */
		xb_toolchain_recipe(&s.desc, &s.lock, XB_TOOLCHAIN_BASE, &base);
		xb_toolchain_recipe(&s.desc, &s.lock, XB_TOOLCHAIN_TOOLS, &extra);
		assert_true(xb_digest_eq(&base, &extra));
	}
}

static void an_archive_without_clang(void **state)
{
	static const struct item other[] = {{'0', "x/bin/lld", "x", 0755}, {'0', "y/bin/lld", "x", 0755}, {0}};
	static const struct item none[] = {{'0', "x/bin/lld", "x", 0755}, {0}};
	const struct item *const archives[] = {other, none};
	const char *const messages[] = {"neither bin/ nor one directory at its top", "has no bin/clang"};
	struct made *m = *state;

	for (size_t i = 0; i < XB_COUNT(archives); i++) {
		struct xb_str tar XB_CLEANUP(xb_str_release) = {0};
		struct xb_tree tree = {0};
		struct sample s;

		sample_init(&s, m, clang);
		make_tar(&tar, archives[i]);
		s.lock.archive.url = "https://example.org/LLVM-22.tar";
		expect_ok(xb_cas_put_bytes(m->store, tar.data, tar.len, &s.lock.archive.sha256, &m->err), &m->err);
		assert_int_equal(xb_toolchain_make(m->store, &s.desc, &s.lock, XB_TOOLCHAIN_BASE, 1, &tree, &m->err),
				 XB_E_VERIFY);
		assert_non_null(strstr(m->err.msg, messages[i]));
		xb_err_clear(&m->err);
	}
}

static void an_archive_of_another_version(void **state)
{
	static const struct item other[] = {{'0', "bin/clang", "#!/bin/sh\necho 'clang version 21.1.8'\n", 0755}, {0}};
	static const struct item silent[] = {{'0', "bin/clang", "#!/bin/sh\necho clang\n", 0755}, {0}};
	static const struct item failing[] = {
		{'0', "bin/clang", "#!/bin/sh\necho 'clang version 22.1.8'\nexit 1\n", 0755}, {0}};
	const struct item *const archives[] = {other, silent, failing};
	const char *const messages[] = {"of version 21.1.8, and the lock says 22.1.8", "fails: clang", "fails: clang"};
	struct made *m = *state;
	struct xb_host host;

	xb_host_detect(&host);
	for (size_t i = 0; i < XB_COUNT(archives); i++) {
		struct xb_str tar XB_CLEANUP(xb_str_release) = {0};
		struct xb_tree tree = {0};
		struct sample s;

		sample_init(&s, m, clang);
		make_tar(&tar, archives[i]);
		s.lock.host = host.name;
		s.lock.archive.url = "https://example.org/LLVM-22.tar";
		expect_ok(xb_cas_put_bytes(m->store, tar.data, tar.len, &s.lock.archive.sha256, &m->err), &m->err);
		assert_int_equal(xb_toolchain_make(m->store, &s.desc, &s.lock, XB_TOOLCHAIN_BASE, 1, &tree, &m->err),
				 XB_E_VERIFY);
		assert_non_null(strstr(m->err.msg, messages[i]));
		xb_err_clear(&m->err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(made_of_packages, made_setup, made_teardown),
		cmocka_unit_test_setup_teardown(a_tree_without_loader_is_told, made_setup, made_teardown),
		cmocka_unit_test_setup_teardown(made_of_an_archive, made_setup, made_teardown),
		cmocka_unit_test_setup_teardown(an_archive_without_clang, made_setup, made_teardown),
		cmocka_unit_test_setup_teardown(an_archive_of_another_version, made_setup, made_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
