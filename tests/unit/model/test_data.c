/* SPDX-License-Identifier: Apache-2.0 */
/* Every data file that is shipped loads and is complete; broken ones are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/model/data.h"
#include "xbuild/model/target.h"
#include "xbuild/sys/fs.h"

static bool has(const struct xb_list *list, const char *word)
{
	for (size_t i = 0; i < list->len; i++) {
		if (strcmp(list->items[i], word) == 0)
			return true;
	}
	return false;
}

static void check_debian(const struct xb_debian *debian)
{
	assert_true(debian->n_suites >= 3);
	for (size_t i = 0; i < debian->n_suites; i++) {
		const struct xb_suite *suite = &debian->suites[i];
		bool is_served = false;

		assert_true(suite->fingerprints.len > 0);
		assert_true(has(&suite->components, "main"));
		assert_non_null(suite->path);
		assert_non_null(suite->codename);
		/* only what has to be asked for is signed as something else than Debian and its security team */
		assert_int_equal(suite->extra, strstr(suite->id, "-backports") != NULL);
		assert_string_equal(suite->origin, suite->extra ? "Debian Backports" : "Debian");
		assert_string_equal(suite->label, suite->extra				  ? "Debian Backports"
						  : strcmp(suite->archive, "debian") == 0 ? "Debian"
											  : "Debian-Security");
		for (size_t k = 0; k < debian->n_sites; k++)
			is_served = is_served || strcmp(debian->sites[k].name, suite->archive) == 0;
		assert_true(is_served);
	}
	for (size_t i = 0; i < debian->n_sites; i++) {
		assert_true(debian->sites[i].mirrors.len > 0);
		assert_true(xb_sv_starts(xb_sv(debian->sites[i].snapshot), "https://"));
	}
	assert_true(debian->key_files.len > 0);
	for (size_t i = 0; i < debian->key_files.len; i++)
		assert_true(xb_fs_exists(debian->key_files.items[i]));
}

/* Whoever runs xbuild must get a toolchain, from packages or from an archive. */
static void check_hosts(const struct xb_toolchain_desc *desc)
{
	for (const char *const *host = xb_host_names(); *host; host++) {
		bool is_served = has(&desc->debian_hosts, *host);

		for (size_t i = 0; i < desc->archives.len; i++)
			is_served = is_served || strcmp(desc->archives.items[i].owner, *host) == 0;
		is_served = is_served || xb_archive_ref_find(&desc->minimal, *host);
		/* upstream stopped making archives for older Macs with 20; the minimal builds begin with 21 */
		if (!is_served && (desc->debian_hosts.len || strcmp(*host, "darwin-x86_64") != 0))
			fail_msg("%s: no toolchain for %s", desc->name, *host);
	}
	for (size_t i = 0; i < desc->archives.len; i++) {
		assert_false(xb_digest_is_zero(&desc->archives.items[i].sha256));
		assert_true(xb_sv_starts(xb_sv(desc->archives.items[i].url), "https://"));
	}
}

static void test_toolchains(void **state)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	const char **names;

	(void)state;
	assert_int_equal(xb_data_names(XB_TEST_SOURCE_DIR, "toolchains", &arena, &names, &err), 0);
	assert_string_equal(names[0], "llvm-18");
	assert_string_equal(names[4], "llvm-22");
	for (size_t i = 0; names[i]; i++) {
		struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
		struct xb_toolchain_desc *desc = NULL;

		if (!xb_sv_starts(xb_sv(names[i]), "llvm-"))
			continue;
		assert_int_equal(xb_toolchain_desc_load(XB_TEST_SOURCE_DIR, names[i], &desc, &diags, &err), 0);
		assert_string_equal(desc->name, names[i]);
		assert_int_equal(desc->debian_hosts.len > 0, i == 1 || i == 4); /* 19 and 22 */
		check_hosts(desc);
		if (!desc->debian_hosts.len) {
			xb_toolchain_desc_free(desc);
			continue;
		}
		assert_true(desc->packages.len >= 2);
		assert_true(desc->tools_packages.len >= 1);
		assert_true(has(&desc->exclude, "binutils"));
		check_debian(&desc->debian);
		xb_toolchain_desc_free(desc);
	}
}

/* What is locked for a target is its standard library alone; crates come from one architecture. */
static void test_rust(void **state)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	const char **names;
	size_t n = 0;

	(void)state;
	assert_int_equal(xb_data_names(XB_TEST_SOURCE_DIR, "toolchains", &arena, &names, &err), 0);
	for (; *names; names++) {
		struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
		struct xb_rust_desc *desc = NULL;
		struct xb_toolchain_desc *other = NULL;

		if (!xb_sv_starts(xb_sv(*names), "rust-"))
			continue;
		n++;
		assert_int_equal(xb_rust_desc_load(XB_TEST_SOURCE_DIR, *names, &desc, &diags, &err), 0);
		assert_true(has(&desc->packages, "rustc") && has(&desc->packages, "cargo"));
		assert_string_equal(desc->packages.items[0], "rustc");
		assert_true(has(&desc->std_packages, "libstd-rust-dev"));
		assert_true(has(&desc->debian_hosts, "linux-x86_64") && has(&desc->debian_hosts, "linux-aarch64"));
		assert_true(xb_sv_starts(xb_sv(desc->version), *names + strlen("rust-")));
		assert_string_equal(desc->crates_arch, "amd64");
		assert_string_equal(desc->crates_prefix, "librust-");
		check_debian(&desc->debian);
		/* one kind is never taken for the other */
		assert_int_equal(xb_toolchain_desc_load(XB_TEST_SOURCE_DIR, *names, &other, &diags, &err), XB_E_INPUT);
		xb_err_clear(&err);
		xb_rust_desc_free(desc);
		assert_int_equal(xb_rust_desc_load(XB_TEST_SOURCE_DIR, "llvm-22", &desc, &diags, &err), XB_E_INPUT);
		xb_err_clear(&err);
	}
	assert_true(n >= 1);
}

static void test_sysroots(void **state)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	const char **names;
	size_t n = 0;

	(void)state;
	assert_int_equal(xb_data_names(XB_TEST_SOURCE_DIR, "sysroots", &arena, &names, &err), 0);
	for (; names[n]; n++) {
		struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
		struct xb_sysroot_desc *desc = NULL;
		char *gcc;

		assert_int_equal(xb_sysroot_desc_load(XB_TEST_SOURCE_DIR, names[n], &desc, &diags, &err), 0);
		if (desc->archives.len) {
			assert_true(xb_sv_starts(xb_sv(names[n]), "chromium-"));
			assert_non_null(xb_archive_ref_find(&desc->archives, "linux-x86_64"));
			assert_non_null(xb_archive_ref_find(&desc->archives, "linux-aarch64"));
			assert_null(xb_archive_ref_find(&desc->archives, "linux-armv7"));
			xb_sysroot_desc_free(desc);
			continue;
		}
		gcc = xb_printf("libstdc++-%s-dev", desc->gcc);
		assert_true(has(&desc->packages, gcc));
		assert_true(has(&desc->packages, "libc6-dev"));
		assert_int_equal(strcmp(desc->support, "current") == 0, strcmp(desc->name, "debian-bullseye") != 0);
		check_debian(&desc->debian);
		free(gcc);
		gcc = xb_printf("libgcc-%s-dev", desc->gcc);
		assert_true(has(&desc->musl_packages, "musl-dev") && has(&desc->musl_packages, gcc));
		assert_true(has(&desc->musl_exclude, "libgcc-s1"));
		assert_true(has(&desc->architectures, "amd64") && has(&desc->architectures, "arm64"));
		assert_int_equal(has(&desc->architectures, "riscv64"), strcmp(desc->name, "debian-trixie") == 0);
		free(gcc);
		xb_sysroot_desc_free(desc);
	}
	assert_int_equal(n, 5);
}

/* One of the alternatives of a wish. */
static bool wishes(const struct xb_image_desc *desc, const char *name)
{
	for (size_t i = 0; i < desc->packages.len; i++) {
		struct xb_sv rest = xb_sv(desc->packages.items[i]);

		while (rest.ptr) {
			if (xb_sv_eq_str(xb_sv_trim(xb_sv_cut(&rest, '|')), name))
				return true;
		}
	}
	return false;
}

static void test_images(void **state)
{
	static const struct {
		const char *name;
		bool has_certificates, has_libc, has_libstdcxx;
	} rows[] = {{"debian-base", true, true, false},
		    {"debian-cc", true, true, true},
		    {"debian-static", true, false, false},
		    {"debian", false, false, false}};
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	const char **names;

	(void)state;
	assert_int_equal(xb_data_names(XB_TEST_SOURCE_DIR, "images", &arena, &names, &err), 0);
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
		struct xb_image_desc *desc = NULL;

		assert_string_equal(names[i], rows[i].name);
		assert_int_equal(xb_image_desc_load(XB_TEST_SOURCE_DIR, names[i], &desc, &diags, &err), 0);
		assert_string_equal(desc->name, rows[i].name);
		assert_int_equal(wishes(desc, "ca-certificates"), rows[i].has_certificates);
		assert_int_equal(wishes(desc, "libc6"), rows[i].has_libc);
		assert_int_equal(wishes(desc, "libssl3"), rows[i].has_libc);
		assert_int_equal(wishes(desc, "libstdc++6"), rows[i].has_libstdcxx);
		/* what `debian` has is in all of them, once, and first */
		assert_true(has(&desc->data_only, "base-files"));
		assert_true(has(&desc->exclude, "dpkg"));
		assert_int_equal(desc->n_users, 3);
		assert_string_equal(desc->users[0].name, "root");
		assert_int_equal(desc->users[2].uid, 65532);
		assert_string_equal(desc->users[2].home, "/home/nonroot");
		assert_true(desc->n_groups > 0);
		xb_image_desc_free(desc);
	}
	assert_null(names[XB_COUNT(rows)]);
}

/* An image's data file of this text, in a data directory of its own. */
static void check_broken_image(const char *text, const char *says)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
	char *dir XB_CLEANUP(xb_free_ptr) = xb_strdup("/tmp/xbuild-data-XXXXXX");
	char *images XB_CLEANUP(xb_free_ptr) = NULL, *path XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_image_desc *desc = NULL;
	const char *found;
	FILE *file;

	assert_non_null(mkdtemp(dir));
	images = xb_path_join(dir, "images");
	path = xb_path_join(images, "debian-x.yaml");
	assert_int_equal(xb_fs_mkdirs(images, 0755, &err), 0);
	file = fopen(path, "wb");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(xb_image_desc_load(dir, "debian-x", &desc, &diags, &err), XB_E_INPUT);
	assert_null(desc);
	found = diags.list.len ? diags.list.items[0].message : err.msg;
	if (!strstr(found, says))
		fail_msg("expected \"%s\" in \"%s\"", says, found);
	xb_err_clear(&err);
	assert_int_equal(xb_fs_remove(dir, &err), 0);
}

static void test_broken_images(void **state)
{
	(void)state;
	check_broken_image("name: debian-x\npackage: [a1]\n", "unknown key 'package'");
	check_broken_image("name: debian-y\n", "says that its name is 'debian-y'");
	check_broken_image("name: debian-x\nextends: debian-x\n", "extends more than 8 others");
	check_broken_image("name: debian-x\nextends: debian\n", "there is no 'debian'");
	check_broken_image("name: debian-x\npackages: [\"a1 | \"]\n", "names of Debian packages");
	check_broken_image("name: debian-x\nexclude: [\"a1 | b1\"]\n", "name of a Debian package");
	check_broken_image("name: debian-x\nusers: { a: { uid: 1, gid: 1, home: \"/a:b\" } }\n", "absolute path");
	check_broken_image("name: debian-x\nusers: { a: { uid: -1, gid: 1, home: /a } }\n", "number of a user");
	check_broken_image("name: debian-x\nusers: { \"a:b\": { uid: 1, gid: 1, home: /a } }\n", "name of a user");
	check_broken_image("name: debian-x\ngroups: { mail: x }\n", "number of a user or group");
	check_broken_image("name: debian-x\ndrop: [/usr]\n", "relative path");
}

static void test_unknown_name(void **state)
{
	static const char *const names[] = {"llvm-23", "../sysroots/debian-bookworm", "", "llvm-22.yaml"};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(names); i++) {
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
		struct xb_toolchain_desc *desc = NULL;

		assert_int_equal(xb_toolchain_desc_load(XB_TEST_SOURCE_DIR, names[i], &desc, &diags, &err), XB_E_INPUT);
		assert_non_null(strstr(err.hint, "llvm-22"));
	}
}

/* A copy of debian-bookworm.yaml with one change, loaded from a data directory of its own. */
static void check_broken(const char *from, const char *to, const char *says)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	char *dir XB_CLEANUP(xb_free_ptr) = xb_strdup("/tmp/xbuild-data-XXXXXX");
	char *sysroots XB_CLEANUP(xb_free_ptr) = NULL, *path XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_sysroot_desc *desc = NULL;
	const char *at, *found;
	FILE *file;

	assert_non_null(mkdtemp(dir));
	sysroots = xb_path_join(dir, "sysroots");
	path = xb_path_join(sysroots, "debian-bookworm.yaml");
	assert_int_equal(xb_fs_mkdirs(sysroots, 0755, &err), 0);
	assert_int_equal(xb_fs_read(XB_TEST_SOURCE_DIR "/sysroots/debian-bookworm.yaml", 1 << 20, &text, &err), 0);
	at = strstr(xb_str_get(&text), from);
	assert_non_null(at);
	file = fopen(path, "wb");
	assert_non_null(file);
	fprintf(file, "%.*s%s%s", (int)(at - xb_str_get(&text)), xb_str_get(&text), to, at + strlen(from));
	assert_int_equal(fclose(file), 0);

	assert_int_equal(xb_sysroot_desc_load(dir, "debian-bookworm", &desc, &diags, &err), XB_E_INPUT);
	assert_null(desc);
	found = diags.list.len ? diags.list.items[0].message : err.msg;
	if (!strstr(found, says))
		fail_msg("expected \"%s\" in \"%s\"", says, found);
	xb_err_clear(&err);
	assert_int_equal(xb_fs_remove(dir, &err), 0);
}

static void test_broken(void **state)
{
	(void)state;
	check_broken("gcc:", "gxx:", "unknown key 'gxx'");
	check_broken("name: debian-bookworm", "name: debian-trixie", "says that its name is 'debian-trixie'");
	check_broken("signed-by: [B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8]", "signed-by: []", "at least one entry");
	check_broken("signed-by: [B8B8", "signed-by: [b8b8", "fingerprint");
	check_broken("archive: debian\n", "archive: debain\n", "there is no archive 'debain'");
	check_broken("https://ftp", "http://ftp", "expected an https URL");
	check_broken("debian-archive-bookworm-stable.gpg", "../../etc/passwd", "expected a file name");
	check_broken("- usr/share/doc/**", "- ../doc/**", "relative path");
	check_broken("- libc-dev-bin", "- Libc", "Debian package");
	/* The copy has no keys/ directory. */
	check_broken("current", "current", "which does not exist");
}

static void test_data_dir(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	char *dir XB_CLEANUP(xb_free_ptr) = xb_strdup("/tmp/xbuild-prefix-XXXXXX");
	char *found = NULL, *path;

	(void)state;
	unsetenv("XBUILD_DATA_DIR");
	assert_non_null(mkdtemp(dir));
	path = xb_printf("%s/share/xbuild/toolchains", dir);
	assert_int_equal(xb_fs_mkdirs(path, 0755, &err), 0);
	free(path);
	path = xb_printf("%s/share/xbuild/sysroots", dir);
	assert_int_equal(xb_fs_mkdirs(path, 0755, &err), 0);
	free(path);
	for (int i = 0; i < 2; i++) {
		char *self = xb_printf("%s/%s", dir, i ? "libexec/xbuild/xbuild-supply" : "bin/xbuild");
		char *expected = xb_printf("%s/share/xbuild", dir);

		assert_int_equal(xb_data_dir(self, &found, &err), 0);
		assert_string_equal(found, expected);
		free(found);
		free(self);
		free(expected);
	}
	/* Neither installed nor named: the source tree. */
	assert_int_equal(xb_data_dir("/nonexistent/bin/xbuild", &found, &err), 0);
	assert_string_equal(found, XB_TEST_SOURCE_DIR);
	free(found);
	setenv("XBUILD_DATA_DIR", "/nonexistent", 1);
	assert_int_equal(xb_data_dir("/nonexistent/bin/xbuild", &found, &err), XB_E_NOT_FOUND);
	unsetenv("XBUILD_DATA_DIR");
	xb_err_clear(&err);
	assert_int_equal(xb_fs_remove(dir, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_toolchains), cmocka_unit_test(test_rust),
		cmocka_unit_test(test_sysroots),   cmocka_unit_test(test_unknown_name),
		cmocka_unit_test(test_broken),	   cmocka_unit_test(test_data_dir),
		cmocka_unit_test(test_images),	   cmocka_unit_test(test_broken_images),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
