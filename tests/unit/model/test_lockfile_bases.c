/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "xbuild/base/alloc.h"
#include "xbuild/model/lockfile.h"

#define DIGEST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SHA1   "00112233445566778899aabbccddeeff00112233"
#define Q1     "Q1YLOq6c+iCrZS7vrBuNCCQqVXu/0="
#define KEY    "-----BEGIN PUBLIC KEY-----\\nMII\\n-----END PUBLIC KEY-----\\n"

/* The layout that xbuild/model/lockfile.h promises for what images stand on, byte for byte. */
static const char golden[] =
	"{\n"
	" \"xbuild-lock\": 1,\n"
	" \"inputs\": \"" DIGEST "\",\n"
	" \"suites\": {\n"
	"  \"trixie\": {\n"
	"   \"archive\": \"debian\",\n"
	"   \"date\": \"2026-07-11T10:16:37Z\",\n"
	"   \"in-release\": \"" DIGEST "\",\n"
	"   \"path\": \"trixie\",\n"
	"   \"signed-by\": \"B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8\"\n"
	"  }\n"
	" },\n"
	" \"sysroots\": {},\n"
	" \"toolchains\": {},\n"
	" \"images\": {\n"
	"  \"api\": {\n"
	"   \"linux-aarch64\": [\n"
	"    {\"arch\":\"all\",\"depends\":[],\"name\":\"tzdata\",\"path\":\"pool/t.deb\",\"sha256\":\"" DIGEST
	"\",\"size\":1,\"suite\":\"trixie\",\"version\":\"2025b-4\"}\n"
	"   ],\n"
	"   \"linux-x86_64\": []\n"
	"  }\n"
	" },\n"
	" \"apko\": {\n"
	"  \"images/wolfi.yaml\": {\n"
	"   \"config\": \"" DIGEST "\",\n"
	"   \"keyring\": [\n"
	"    {\"content\":\"" KEY "\",\"name\":\"h/k.rsa.pub\",\"url\":\"https://h/k.rsa.pub\"}\n"
	"   ],\n"
	"   \"packages\": [\n"
	"    {\"arch\":\"aarch64\",\"checksum\":\"" Q1 "\",\"control\":10,\"data\":\"" DIGEST
	"\",\"depends\":[],\"name\":\"zlib\",\"sha256\":\"" DIGEST
	"\",\"signature\":0,\"size\":100,\"url\":\"./p/zlib-1.3-r0.apk\",\"version\":\"1.3-r0\"},\n"
	"    {\"arch\":\"aarch64\",\"checksum\":\"" Q1 "\",\"control\":10,\"data\":\"" DIGEST
	"\",\"depends\":[\"zlib\"],\"install-if\":[\"other\",\"zlib\"],\"name\":\"app\",\"sha256\":\"" DIGEST
	"\",\"signature\":20,\"signature-sha1\":\"" SHA1
	"\",\"size\":100,\"url\":\"https://h/os/app.apk\",\"version\":\"1_rc2-r0\"},\n"
	"    {\"arch\":\"x86_64\",\"checksum\":\"" Q1 "\",\"control\":10,\"data\":\"" DIGEST
	"\",\"depends\":[],\"name\":\"zlib\",\"sha256\":\"" DIGEST
	"\",\"signature\":0,\"size\":100,\"url\":\"./p/zlib-1.3-r0.apk\",\"version\":\"1.3-r0\"}\n"
	"   ],\n"
	"   \"repositories\": [\n"
	"    {\"arch\":\"aarch64\",\"index\":\"" DIGEST
	"\",\"signature\":\"RSA256\",\"signed-by\":\"k.rsa.pub\",\"url\":\"https://h/os\"}\n"
	"   ]\n"
	"  }\n"
	" },\n"
	" \"bases\": {\n"
	"  \"ghcr.io/acme/base:1\": {\n"
	"   \"index\": \"" DIGEST "\",\n"
	"   \"platforms\": {\n"
	"    \"linux-aarch64\": {\"digest\":\"" DIGEST "\",\"size\":1234}\n"
	"   }\n"
	"  }\n"
	" }\n"
	"}\n";

static struct xb_lock *parse(const char *text)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_lock *lock = NULL;

	if (xb_lock_parse(xb_sv(text), "xbuild.lock", &lock, &err) < 0)
		fail_msg("%s", err.msg);
	return lock;
}

/* `text` with the first `from` replaced by `to`. Owned. */
static char *replace(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);

	assert_non_null(at);
	return xb_printf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void test_golden(void **state)
{
	struct xb_lock *lock = parse(golden);
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	const struct xb_lock_apko *apko = xb_lock_apko(lock, "images/wolfi.yaml");
	const struct xb_lock_base *base = xb_lock_base(lock, "ghcr.io/acme/base:1");

	(void)state;
	assert_string_equal(xb_lock_image(lock, "api", "linux-aarch64")->packages.items[0].name, "tzdata");
	assert_int_equal(xb_lock_image(lock, "api", "linux-x86_64")->packages.len, 0);
	assert_null(xb_lock_image(lock, "web", "linux-x86_64"));
	assert_int_equal(apko->n_packages, 3);
	assert_null(apko->packages[0].signature_sha1);
	assert_string_equal(apko->packages[1].signature_sha1, SHA1);
	assert_string_equal(apko->packages[1].depends[0], "zlib");
	assert_int_equal(apko->packages[1].n_install_if, 2);
	assert_string_equal(apko->packages[1].install_if[0], "other");
	assert_int_equal(apko->packages[0].n_install_if, 0);
	assert_int_equal(apko->packages[1].signature_bytes, 20);
	assert_string_equal(apko->repositories[0].signed_by, "k.rsa.pub");
	assert_null(xb_lock_apko(lock, "images/other.yaml"));
	assert_int_equal(base->platforms[0].size_bytes, 1234);
	assert_null(xb_lock_base(lock, "ghcr.io/acme/base:2"));
	xb_lock_write(lock, &text);
	assert_string_equal(xb_str_get(&text), golden);
	xb_lock_free(lock);
}

/* One change each, and what the refusal must name. */
static const struct {
	const char *from, *to, *says;
} broken[] = {
	{"\"api\"", "\"A pi\"", "'A pi' is no name of an image"},
	{"\"linux-x86_64\": []", "\"amd64\": []", "'amd64' is no target"},
	{"\"linux-x86_64\": []", "\"linux-x86_64\": {}", "images.api: expected a list as 'linux-x86_64'"},
	{"images/wolfi.yaml", "../wolfi.yaml", "no path below the project"},
	{"-----BEGIN PUBLIC", "-----BEGIN PRIVATE", "'content'"},
	{"\"h/k.rsa.pub\"", "\"h k\"", "'name'"},
	{Q1, "Q2YLOq6c+iCrZS7vrBuNCCQqVXu/0=", "packages[0]: 'checksum'"},
	{"\"control\":10", "\"control\":0", "'control'"},
	{"\"control\":10", "\"control\":101", "packages[0]: the sizes of the members"},
	{"\"signature\":20", "\"signature\":0", "packages[1]: the sizes of the members"},
	{"\"signature\":20", "\"signature\":-1", "'signature'"},
	{"\"signature\":0", "\"signature\":20", "packages[0]: the sizes of the members"},
	{"\"signature-sha1\":\"00", "\"signature-sha1\":\"0G", "'signature-sha1'"},
	{"\"name\":\"app\"", "\"name\":\"zlib\"", "package 'zlib' is there twice for aarch64"},
	{"\"arch\":\"aarch64\",\"checksum\":\"" Q1 "\",\"control\":10,\"data\":\"" DIGEST "\",\"depends\":[\"zlib\"]",
	 "\"arch\":\"x86\",\"checksum\":\"" Q1 "\",\"control\":10,\"data\":\"" DIGEST "\",\"depends\":[]", NULL},
	{"\"arch\":\"x86_64\"", "\"arch\":\"aarch64\"", "package 'zlib' is there twice for aarch64"},
	{"\"version\":\"1.3-r0\"", "\"version\":\"r1 3\"", "'version'"},
	{"RSA256", "MD5", "'signature'"},
	{"\"k.rsa.pub\"", "\"../k.rsa.pub\"", "'signed-by'"},
	{"ghcr.io/acme/base:1", "ghcr.io/acme base", "is no name of an image"},
	{"\"size\":1234", "\"size\":0", "bases.ghcr.io/acme/base:1.platforms.linux-aarch64"},
	{"\"linux-aarch64\": {\"digest\"", "\"arm\": {\"digest\"", "no target that xbuild knows"},
	{"\"bases\"", "\"basis\"", "unknown member 'basis'"},
};

static void test_broken(void **state)
{
	(void)state;
	for (size_t i = 0; i < XB_COUNT(broken); i++) {
		char *text XB_CLEANUP(xb_free_ptr) = replace(golden, broken[i].from, broken[i].to);
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct xb_lock *lock = NULL;

		if (!broken[i].says) { /* what is allowed, to know that the others are refused for their reason */
			xb_lock_free(parse(text));
			continue;
		}
		if (xb_lock_parse(xb_sv(text), "xbuild.lock", &lock, &err) == 0)
			fail_msg("'%s' was accepted", broken[i].to);
		assert_int_equal(err.code, XB_E_LOCK);
		if (!strstr(err.msg, broken[i].says))
			fail_msg("expected '%s' in '%s'", broken[i].says, err.msg);
	}
}

static void expect_diff(const char *from, const char *to, const char *expected)
{
	char *text XB_CLEANUP(xb_free_ptr) = replace(golden, from, to);
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	struct xb_lock *a = parse(golden), *b = parse(text);

	xb_lock_diff(a, b, &out);
	assert_string_equal(xb_str_get(&out), expected);
	xb_lock_free(a);
	xb_lock_free(b);
}

static void test_diff(void **state)
{
	(void)state;
	expect_diff("2025b-4", "2025c-1", "~ tzdata 2025b-4 -> 2025c-1 (image api, linux-aarch64)\n");
	expect_diff("\"api\"", "\"web\"",
		    "- tzdata 2025b-4 (image api, linux-aarch64)\n+ tzdata 2025b-4 (image web, linux-aarch64)\n");
	expect_diff("1_rc2-r0", "1-r0", "~ app 1_rc2-r0 -> 1-r0 (images/wolfi.yaml, aarch64)\n");
	expect_diff("\"name\":\"app\"", "\"name\":\"apq\"",
		    "- app 1_rc2-r0 (images/wolfi.yaml, aarch64)\n+ apq 1_rc2-r0 (images/wolfi.yaml, aarch64)\n");
	expect_diff("\"name\":\"app\",\"sha256\":\"00", "\"name\":\"app\",\"sha256\":\"11",
		    "~ app 1_rc2-r0: same version, other content (images/wolfi.yaml, aarch64)\n");
	expect_diff("\"index\": \"00", "\"index\": \"11",
		    "~ base ghcr.io/acme/base:1 sha256:" DIGEST " -> sha256:11112233445566778899aabbccddeeff"
		    "00112233445566778899aabbccddeeff\n");
	expect_diff("base:1", "base:2",
		    "- base ghcr.io/acme/base:1 sha256:" DIGEST "\n+ base ghcr.io/acme/base:2 sha256:" DIGEST "\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_diff),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
