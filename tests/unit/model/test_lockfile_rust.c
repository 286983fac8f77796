/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a lock that says which Rust builds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "xbuild/base/alloc.h"
#include "xbuild/model/lockfile.h"

#define DIGEST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define FPR    "B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8"
#define PACKAGE(arch, name, version)                                                                                   \
	"{\"arch\":\"" arch "\",\"depends\":[],\"name\":\"" name "\",\"path\":\"pool/p.deb\",\"sha256\":\"" DIGEST     \
	"\",\"size\":9,\"suite\":\"trixie\",\"version\":\"" version "\"}\n"

#define CRATES                                                                                                         \
	"  \"crates\": {\n"                                                                                            \
	"   \"amd64\": [\n"                                                                                            \
	"    " PACKAGE("amd64", "librust-libc-dev", "0.2.169-1") "   ]\n"                                              \
								 "  },\n"

static const char head[] = "{\n"
			   " \"xbuild-lock\": 1,\n"
			   " \"inputs\": \"" DIGEST "\",\n"
			   " \"suites\": {\n"
			   "  \"trixie\": {\n"
			   "   \"archive\": \"debian\",\n"
			   "   \"date\": \"2026-07-11T10:16:37Z\",\n"
			   "   \"in-release\": \"" DIGEST "\",\n"
			   "   \"path\": \"trixie\",\n"
			   "   \"signed-by\": \"" FPR "\"\n"
			   "  }\n"
			   " },\n"
			   " \"sysroots\": {},\n"
			   " \"toolchains\": {}";
static const char rust[] = ",\n \"rust\": {\n" CRATES "  \"hosts\": {\n"
			   "   \"linux-x86_64\": [\n"
			   "    " PACKAGE("amd64", "rustc", "1.85.1-1") "   ]\n"
									"  },\n"
									"  \"name\": \"rust-1.85\",\n"
									"  \"std\": {\n"
									"   \"linux-aarch64\": [\n"
									"    " PACKAGE("arm64", "libstd-rust-dev",
										       "1.85.1-1") "   ]\n"
												   "  },\n"
												   "  \"version\": "
												   "\"1.85.1\"\n"
												   " }";

/* The lock with this part. Owned. */
static char *lock_text(const char *part)
{
	return xb_printf("%s%s\n}\n", head, part);
}

static int parse(const char *part, struct xb_lock **out, struct xb_err *err)
{
	char *text XB_CLEANUP(xb_free_ptr) = lock_text(part);

	return xb_lock_parse(xb_sv(text), "xbuild.lock", out, err);
}

/* `text` with the first `from` replaced by `to`. Owned. */
static char *replace(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);

	assert_non_null(at);
	return xb_printf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void written_as_it_was_read(void **state)
{
	const char *const parts[] = {"", rust};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(parts); i++) {
		char *text XB_CLEANUP(xb_free_ptr) = lock_text(parts[i]);
		char *without XB_CLEANUP(xb_free_ptr) = i ? replace(text, CRATES, "") : xb_strdup(text);
		const char *const texts[] = {text, without};

		for (size_t k = 0; k < XB_COUNT(texts); k++) {
			struct xb_err err XB_CLEANUP(xb_err_release) = {0};
			struct xb_str out XB_CLEANUP(xb_str_release) = {0};
			struct xb_lock *lock = NULL;

			if (xb_lock_parse(xb_sv(texts[k]), "xbuild.lock", &lock, &err) < 0)
				fail_msg("%s", err.msg);
			xb_lock_write(lock, &out);
			assert_string_equal(xb_str_get(&out), texts[k]);
			xb_lock_free(lock);
		}
	}
}

static void what_it_says(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_lock *lock = NULL, *none = NULL;

	(void)state;
	assert_int_equal(parse(rust, &lock, &err), 0);
	assert_string_equal(lock->rust->name, "rust-1.85");
	assert_string_equal(lock->rust->version, "1.85.1");
	assert_string_equal(lock->rust->crates.name, "amd64");
	assert_non_null(xb_lock_package(&lock->rust->crates.packages, "librust-libc-dev"));
	assert_non_null(xb_lock_package(xb_lock_rust_host(lock, "linux-x86_64"), "rustc"));
	assert_null(xb_lock_rust_host(lock, "linux-aarch64"));
	assert_non_null(xb_lock_package(xb_lock_rust_std(lock, "linux-aarch64"), "libstd-rust-dev"));
	assert_null(xb_lock_rust_std(lock, "linux-x86_64"));
	xb_lock_free(lock);
	assert_int_equal(parse("", &none, &err), 0);
	assert_null(none->rust);
	assert_null(xb_lock_rust_host(none, "linux-x86_64"));
	assert_null(xb_lock_rust_std(none, "linux-aarch64"));
	xb_lock_free(none);
}

static void broken_parts(void **state)
{
	static const struct {
		const char *from, *to, *says;
	} broken[] = {
		{"\"name\": \"rust-1.85\",", "", "rust: 'name' is missing"},
		{"\"version\": \"1.85.1\"", "\"version\": \"stable\"", "'version' has a value"},
		{"\"hosts\"", "\"host\"", "host"},
		{"linux-x86_64", "windows-x86_64", "rust.hosts: 'windows-x86_64' is nothing that xbuild knows"},
		{"linux-x86_64", "darwin-aarch64", "rust.hosts: 'darwin-aarch64' is nothing that xbuild knows"},
		{"linux-aarch64", "arm64", "rust.std: 'arm64' is nothing that xbuild knows"},
		{"\"arm64\",\"depends\"", "\"amd64\",\"depends\"", "expected 'arch' to be arm64 or all, found amd64"},
		{"\"amd64\": [", "\"arm64\": [], \"amd64\": [", "rust.crates: expected one architecture, found 2"},
		{"\"amd64\": [", "\"\": [", "rust.crates: '' is nothing"},
		{"\"depends\":[]", "\"depends\":[\"other\"]", "depends on other, which is not in the list"},
		{"\"std\": {", "\"std\": [], \"x\": {", "x"},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(broken); i++) {
		char *text XB_CLEANUP(xb_free_ptr) = replace(rust, broken[i].from, broken[i].to);
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct xb_lock *lock = NULL;

		assert_int_equal(parse(text, &lock, &err), XB_E_LOCK);
		if (!strstr(err.msg, broken[i].says))
			fail_msg("expected \"%s\" in \"%s\"", broken[i].says, err.msg);
	}
}

static void differences(void **state)
{
	char *newer XB_CLEANUP(xb_free_ptr) = replace(rust, "\"version\":\"1.85.1-1\"", "\"version\":\"1.85.1-2\"");
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	struct xb_lock *none, *a, *b;

	(void)state;
	assert_int_equal(parse("", &none, &err) + parse(rust, &a, &err) + parse(newer, &b, &err), 0);
	xb_lock_diff(a, b, &out);
	assert_string_equal(xb_str_get(&out), "~ rustc 1.85.1-1 -> 1.85.1-2 (rust of linux-x86_64)\n");
	xb_str_reset(&out);
	xb_lock_diff(none, a, &out);
	assert_string_equal(xb_str_get(&out), "+ rust-1.85 1.85.1\n"
					      "+ rustc 1.85.1-1 (rust of linux-x86_64)\n"
					      "+ libstd-rust-dev 1.85.1-1 (rust std of linux-aarch64)\n"
					      "+ librust-libc-dev 0.2.169-1 (crates)\n");
	xb_str_reset(&out);
	xb_lock_diff(a, none, &out);
	assert_true(xb_sv_starts(xb_str_sv(&out), "- rust-1.85 1.85.1\n- rustc"));
	xb_lock_free(none);
	xb_lock_free(a);
	xb_lock_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_as_it_was_read),
		cmocka_unit_test(what_it_says),
		cmocka_unit_test(broken_parts),
		cmocka_unit_test(differences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
