/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "xbuild/base/attr.h"
#include "xbuild/model/target.h"

/* A row with a hole would fail far away, in whoever reads that field first. */
static void test_rows_are_complete(void **state)
{
	size_t len;
	const struct xb_target *rows = xb_target_all(&len);

	(void)state;
	assert_true(len >= 2);
	for (size_t i = 0; i < len; i++) {
		const struct xb_target *t = &rows[i];
		const char *const words[] = {t->name,	       t->triple,	   t->multiarch,
					     t->debian_arch,   t->apk_arch,	   t->rust_triple,
					     t->oci_arch,      t->cmake_processor, t->meson_cpu_family,
					     t->lld_emulation, t->interpreter,	   t->qemu};

		for (size_t k = 0; k < XB_COUNT(words); k++)
			assert_true(words[k] && words[k][0]);
		assert_true(xb_sv_starts(xb_sv(t->name), "linux-"));
		assert_true(xb_sv_starts(xb_sv(t->qemu), "qemu-"));
		assert_int_equal(t->interpreter[0], '/');
		assert_in_range(t->elf_class, 1, 2);
		assert_in_range(t->elf_data, 1, 2);
		assert_int_not_equal(t->elf_machine, 0);
		assert_non_null(t->aliases[0]);
		assert_null(t->aliases[XB_COUNT(t->aliases) - 1]);
		for (size_t k = 0; k < XB_COUNT(words) - 3; k++)
			assert_ptr_equal(xb_target_find(xb_sv(words[k])), t);
		for (size_t k = 0; t->aliases[k]; k++)
			assert_ptr_equal(xb_target_find(xb_sv(t->aliases[k])), t);
	}
}

static void test_find(void **state)
{
	static const struct {
		const char *name, *canonical;
	} known[] = {
		{"amd64", "linux-x86_64"},
		{"x86_64", "linux-x86_64"},
		{"x64", "linux-x86_64"},
		{"linux/amd64", "linux-x86_64"},
		{"x86_64-linux-gnu", "linux-x86_64"},
		{"x86_64-unknown-linux-gnu", "linux-x86_64"},
		{"arm64", "linux-aarch64"},
		{"aarch64", "linux-aarch64"},
		{"linux/arm64", "linux-aarch64"},
		{"linux/arm64/v8", "linux-aarch64"},
		{"aarch64-linux-gnu", "linux-aarch64"},
		{"aarch64-unknown-linux-gnu", "linux-aarch64"},
	};
	static const char *const unknown[] = {"",    "linux", "Linux-x86_64", "gnu", "darwin-aarch64", "linux-armv7",
					      "i386"};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(known); i++) {
		const struct xb_target *target = xb_target_find(xb_sv(known[i].name));

		if (!target || strcmp(target->name, known[i].canonical) != 0)
			fail_msg("%s", known[i].name);
	}
	for (size_t i = 0; i < XB_COUNT(unknown); i++)
		assert_null(xb_target_find(xb_sv(unknown[i])));
}

static void test_suggest(void **state)
{
	(void)state;
	assert_string_equal(xb_target_suggest(xb_sv("linux-aarch46")), "linux-aarch64");
	assert_string_equal(xb_target_suggest(xb_sv("linux-x86-64")), "linux-x86_64");
	assert_string_equal(xb_target_suggest(xb_sv("linux-arm46")), "linux-aarch64");
	assert_string_equal(xb_target_suggest(xb_sv("adm64")), "linux-x86_64");
	assert_null(xb_target_suggest(xb_sv("sparc")));
	assert_null(xb_target_suggest(xb_sv("")));
}

static void test_hosts(void **state)
{
	const struct xb_target *x86 = xb_target_find(xb_sv("amd64")), *arm = xb_target_find(xb_sv("arm64"));
	size_t n = 0;

	(void)state;
	for (const char *const *host = xb_host_names(); *host; host++)
		n++;
	assert_int_equal(n, 4);
	assert_string_equal(xb_host_find(xb_sv("linux-aarch64")), "linux-aarch64");
	assert_null(xb_host_find(xb_sv("linux-aarch")));
	assert_null(xb_host_find(xb_sv("")));
	assert_string_equal(xb_host_debian_arch("linux-x86_64"), "amd64");
	assert_string_equal(xb_host_debian_arch("linux-aarch64"), "arm64");
	assert_null(xb_host_debian_arch("darwin-aarch64"));
	assert_null(xb_host_debian_arch("plan9"));
	assert_true(xb_host_runs("linux-x86_64", x86));
	assert_false(xb_host_runs("linux-x86_64", arm));
	assert_true(xb_host_runs("linux-aarch64", arm));
	assert_false(xb_host_runs("darwin-aarch64", arm));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_complete),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_suggest),
		cmocka_unit_test(test_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
