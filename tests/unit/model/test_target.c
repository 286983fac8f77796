/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "xbuild/base/attr.h"
#include "xbuild/model/target.h"

/* The first row that has the word in a vocabulary: the one that it means. */
static const struct xb_target *first_called(const struct xb_target *rows, size_t len, const char *word)
{
	for (size_t i = 0; i < len; i++) {
		const struct xb_target *t = &rows[i];
		const char *const words[] = {t->name,	    t->triple,	 t->multiarch,	     t->debian_arch,
					     t->apk_arch,   t->oci_arch, t->cmake_processor, t->meson_cpu_family,
					     t->rust_triple};

		for (size_t k = 0; k < XB_COUNT(words); k++) {
			if (strcmp(words[k], word) == 0)
				return t;
		}
	}
	return NULL;
}

static void check_words(const struct xb_target *rows, size_t len, const struct xb_target *t)
{
	const char *const words[] = {
		t->name,	t->triple,	  t->multiarch,	      t->debian_arch, t->apk_arch,
		t->rust_triple, t->oci_arch,	  t->cmake_processor, t->gcc_triple,  t->meson_cpu_family,
		t->lto_cpu,	t->lld_emulation, t->interpreter,     t->qemu,	      t->cpu_option};

	for (size_t k = 0; k < XB_COUNT(words); k++) {
		if (!words[k] || !words[k][0])
			fail_msg("%s: word %zu is missing", t->name, k);
	}
	for (size_t k = 0; k < 8; k++)
		assert_ptr_equal(xb_target_find(xb_sv(words[k])), first_called(rows, len, words[k]));
	/* what names no C library may stand for glibc's row, but these must be the row's own */
	assert_ptr_equal(xb_target_find(xb_sv(t->name)), t);
	assert_ptr_equal(xb_target_find(xb_sv(t->triple)), t);
	assert_ptr_equal(xb_target_find(xb_sv(t->rust_triple)), t);
	for (size_t k = 0; t->aliases[k]; k++)
		assert_ptr_equal(xb_target_find(xb_sv(t->aliases[k])), t);
}

/* A row with a hole would fail far away, in whoever reads that field first. */
static void test_rows_are_complete(void **state)
{
	size_t len;
	const struct xb_target *rows = xb_target_all(&len);

	(void)state;
	assert_true(len >= 2);
	for (size_t i = 0; i < len; i++) {
		const struct xb_target *t = &rows[i];

		check_words(rows, len, t);
		assert_true(xb_sv_starts(xb_sv(t->name), "linux-"));
		assert_true(xb_sv_starts(xb_sv(t->qemu), "qemu-"));
		assert_int_equal(t->interpreter[0], '/');
		assert_in_range(t->elf_class, 1, 2);
		assert_in_range(t->elf_data, 1, 2);
		assert_int_not_equal(t->elf_machine, 0);
		assert_int_equal(t->elf_abi & ~t->elf_abi_mask, 0);
		assert_int_equal(t->elf_abi_mask == 0, t->elf_abi == 0);
		assert_non_null(t->aliases[0]);
		assert_null(t->aliases[XB_COUNT(t->aliases) - 1]);
		assert_null(t->baseline[XB_COUNT(t->baseline) - 1]);
		assert_null(t->link_words[XB_COUNT(t->link_words) - 1]);
		assert_int_equal(t->libc == XB_LIBC_MUSL, xb_sv_ends(xb_sv(t->triple), "-musl"));
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(rows[k].name, t->name);
	}
}

/* Each vocabulary as its owner documents it; read from there, not from the table. */
static void test_rows(void **state)
{
	static const struct {
		const char *name, *debian, *gcc, *oci, *variant, *loader, *emulation;
		int elf_class, elf_data, machine;
	} known[] = {
		{"linux-x86_64", "amd64", "x86_64-linux-gnu", "amd64", "", "/lib64/ld-linux-x86-64.so.2", "elf_x86_64",
		 2, 1, 62},
		{"linux-aarch64", "arm64", "aarch64-linux-gnu", "arm64", "v8", "/lib/ld-linux-aarch64.so.1",
		 "aarch64linux", 2, 1, 183},
		{"linux-armv7", "armhf", "arm-linux-gnueabihf", "arm", "v7", "/lib/ld-linux-armhf.so.3",
		 "armelf_linux_eabi", 1, 1, 40},
		{"linux-riscv64", "riscv64", "riscv64-linux-gnu", "riscv64", "", "/lib/ld-linux-riscv64-lp64d.so.1",
		 "elf64lriscv", 2, 1, 243},
		{"linux-ppc64le", "ppc64el", "powerpc64le-linux-gnu", "ppc64le", "", "/lib64/ld64.so.2", "elf64lppc", 2,
		 1, 21},
		{"linux-s390x", "s390x", "s390x-linux-gnu", "s390x", "", "/lib/ld64.so.1", "elf64_s390", 2, 2, 22},
		{"linux-x86", "i386", "i686-linux-gnu", "386", "", "/lib/ld-linux.so.2", "elf_i386", 1, 1, 3},
		{"linux-x86_64-musl", "amd64", "x86_64-linux-gnu", "amd64", "", "/lib/ld-musl-x86_64.so.1",
		 "elf_x86_64", 2, 1, 62},
		{"linux-aarch64-musl", "arm64", "aarch64-linux-gnu", "arm64", "v8", "/lib/ld-musl-aarch64.so.1",
		 "aarch64linux", 2, 1, 183},
	};
	size_t len, n_default = 0;
	const struct xb_target *rows = xb_target_all(&len);

	(void)state;
	assert_int_equal(len, XB_COUNT(known));
	for (size_t i = 0; i < len; i++) {
		const struct xb_target *t = &rows[i];

		n_default += t->is_default;
		assert_string_equal(t->name, known[i].name);
		assert_string_equal(t->debian_arch, known[i].debian);
		assert_string_equal(t->gcc_triple, known[i].gcc);
		assert_string_equal(t->oci_arch, known[i].oci);
		assert_string_equal(t->oci_variant ? t->oci_variant : "", known[i].variant);
		assert_string_equal(t->interpreter, known[i].loader);
		assert_string_equal(t->lld_emulation, known[i].emulation);
		assert_int_equal(t->elf_class, known[i].elf_class);
		assert_int_equal(t->elf_data, known[i].elf_data);
		assert_int_equal(t->elf_machine, known[i].machine);
	}
	/* a project without 'targets:' means what it has always meant */
	assert_int_equal(n_default, 2);
	assert_true(rows[0].is_default && rows[1].is_default);
}

static void test_accepts(void **state)
{
	const struct xb_target *arm = xb_target_find(xb_sv("armhf")), *power = xb_target_find(xb_sv("ppc64el"));
	const struct xb_target *s390 = xb_target_find(xb_sv("s390x")), *riscv = xb_target_find(xb_sv("riscv64"));

	(void)state;
	assert_true(xb_target_accepts(arm, 1, 1, 40, 0x5000400));
	assert_true(xb_target_accepts(arm, 1, 1, 40, 0x5000000));  /* no float in it */
	assert_false(xb_target_accepts(arm, 1, 1, 40, 0x5000200)); /* armel */
	assert_false(xb_target_accepts(arm, 2, 1, 183, 0));
	assert_true(xb_target_accepts(power, 2, 1, 21, 2));
	assert_false(xb_target_accepts(power, 2, 1, 21, 1));
	assert_false(xb_target_accepts(power, 2, 2, 21, 2));
	assert_true(xb_target_accepts(s390, 2, 2, 22, 0));
	assert_false(xb_target_accepts(s390, 1, 2, 22, 0));
	assert_true(xb_target_accepts(riscv, 2, 1, 243, 5));
	assert_false(xb_target_accepts(riscv, 2, 1, 243, 2));
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
		{"armhf", "linux-armv7"},
		{"linux/arm/v7", "linux-armv7"},
		{"arm-linux-gnueabihf", "linux-armv7"},
		{"ppc64le", "linux-ppc64le"},
		{"ppc64el", "linux-ppc64le"},
		{"s390x", "linux-s390x"},
		{"riscv64", "linux-riscv64"},
		{"i386", "linux-x86"},
		{"linux/386", "linux-x86"},
		{"i686-linux-gnu", "linux-x86"},
		{"x86_64-linux-musl", "linux-x86_64-musl"},
		{"x86_64-unknown-linux-musl", "linux-x86_64-musl"},
		{"aarch64-linux-musl", "linux-aarch64-musl"},
	};
	static const char *const unknown[] = {"",    "linux", "Linux-x86_64", "gnu", "darwin-aarch64", "linux-sparc",
					      "mips"};

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
	/* a swap is likelier than another letter, for either of two that are as far */
	assert_string_equal(xb_target_suggest(xb_sv("amr64")), "linux-aarch64");
	/* one slip in three letters, swapped or not */
	assert_null(xb_target_suggest(xb_sv("mra64")));
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
	assert_true(xb_host_runs("linux-x86_64", xb_target_find(xb_sv("linux-x86_64-musl"))));
	assert_false(xb_host_runs("linux-x86_64", xb_target_find(xb_sv("linux-aarch64-musl"))));
	assert_false(xb_host_runs("linux-x86_64", xb_target_find(xb_sv("linux-x86"))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_complete), cmocka_unit_test(test_rows),
		cmocka_unit_test(test_accepts),		  cmocka_unit_test(test_find),
		cmocka_unit_test(test_suggest),		  cmocka_unit_test(test_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
