/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/attr.h"
#include "xbuild/registry/reference.h"

#define HEX "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const struct {
	const char *text, *registry, *host, *repository, *tag;
	bool has_digest, is_loopback;
} good[] = {
	{"alpine", "docker.io", "registry-1.docker.io", "library/alpine", NULL, false, false},
	{"acme/parcel:1", "docker.io", "registry-1.docker.io", "acme/parcel", "1", false, false},
	{"docker.io/alpine:3", "docker.io", "registry-1.docker.io", "library/alpine", "3", false, false},
	{"index.docker.io/acme/x", "docker.io", "registry-1.docker.io", "acme/x", NULL, false, false},
	{"ghcr.io/acme/parcel:main-1", "ghcr.io", "ghcr.io", "acme/parcel", "main-1", false, false},
	{"ghcr.io/a@sha256:" HEX, "ghcr.io", "ghcr.io", "a", NULL, true, false},
	{"ghcr.io/a:t@sha256:" HEX, "ghcr.io", "ghcr.io", "a", "t", true, false},
	{"localhost/a", "localhost", "localhost", "a", NULL, false, true},
	{"localhost:5000/a:b", "localhost:5000", "localhost:5000", "a", "b", false, true},
	{"reg.localhost:5000/a", "reg.localhost:5000", "reg.localhost:5000", "a", NULL, false, true},
	{"127.0.0.1:5000/a/b/c", "127.0.0.1:5000", "127.0.0.1:5000", "a/b/c", NULL, false, true},
	{"127.8.0.1/a", "127.8.0.1", "127.8.0.1", "a", NULL, false, true},
	{"[::1]:5000/a:b", "[::1]:5000", "[::1]:5000", "a", "b", false, true},
	{"[::1]/a", "[::1]", "[::1]", "a", NULL, false, true},
	{"[fe80::1]:80/a", "[fe80::1]:80", "[fe80::1]:80", "a", NULL, false, false},
	{"127.0.0.1.example.org/a", "127.0.0.1.example.org", "127.0.0.1.example.org", "a", NULL, false, false},
	{"localhost.example.org/a", "localhost.example.org", "localhost.example.org", "a", NULL, false, false},
	{"notlocalhost:80/a", "notlocalhost:80", "notlocalhost:80", "a", NULL, false, false},
	{"ghcr.io/a.b/c", "ghcr.io", "ghcr.io", "a.b/c", NULL, false, false},
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < XB_COUNT(good); i++) {
		struct xb_reference ref XB_CLEANUP(xb_reference_release) = {0};
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		char hex[XB_DIGEST_HEX];

		if (xb_reference_parse(good[i].text, &ref, &err) < 0)
			fail_msg("%s: %s", good[i].text, err.msg);
		assert_string_equal(ref.registry, good[i].registry);
		assert_string_equal(ref.host, good[i].host);
		assert_string_equal(ref.repository, good[i].repository);
		assert_int_equal(ref.tag == NULL, good[i].tag == NULL);
		if (ref.tag)
			assert_string_equal(ref.tag, good[i].tag);
		assert_int_equal(ref.has_digest, good[i].has_digest);
		if (ref.has_digest)
			assert_string_equal(xb_digest_hex(&ref.digest, hex), HEX);
		if (ref.is_loopback != good[i].is_loopback)
			fail_msg("%s: loopback", good[i].text);
	}
}

static void test_bad(void **state)
{
	static const char *const bad[] = {
		"",
		"/",
		":",
		"@",
		"a:",
		"a/",
		"A",
		"ghcr.io/",
		"ghcr.io/A",
		"ghcr.io/a:",
		"ghcr.io/a:-x",
		"ghcr.io/a:b:c",
		"ghcr.io/../a",
		"ghcr.io/a//b",
		"ghcr.io/a%2fb",
		"ghcr.io/a?b",
		"ghcr.io/a#b",
		"ghcr.io/a\r\nX: y",
		"ghcr.io/a b",
		"host:99999/a",
		"host:0/a",
		"host:/a",
		"host:x/a",
		".host/a",
		"h_st.x/a",
		"us\xc3\xa9r.example/a",
		"user@host.example/a",
		"https://ghcr.io/a",
		"[::1/a",
		"[::1]x/a",
		"[]/a",
		"ghcr.io/a@sha256:12",
		"ghcr.io/a@md5:" HEX,
		"ghcr.io/a@sha512:" HEX,
		"ghcr.io/a@" HEX,
		"ghcr.io/a@sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(bad); i++) {
		struct xb_reference ref = {0};
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};

		if (xb_reference_parse(bad[i], &ref, &err) != XB_E_USAGE)
			fail_msg("'%s' was taken", bad[i]);
		assert_non_null(strstr(err.msg, "reference '"));
		assert_null(ref.registry);
	}
}

static void test_length(void **state)
{
	struct xb_reference ref XB_CLEANUP(xb_reference_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	char text[300] = "ghcr.io/";

	(void)state;
	memset(text + 8, 'a', 247);
	assert_int_equal(xb_reference_parse(text, &ref, &err), 0);
	xb_reference_release(&ref);
	text[255] = 'a';
	assert_int_equal(xb_reference_parse(text, &ref, &err), XB_E_USAGE);
}

static void test_same(void **state)
{
	struct xb_reference a XB_CLEANUP(xb_reference_release) = {0}, b XB_CLEANUP(xb_reference_release) = {0};
	struct xb_str name XB_CLEANUP(xb_str_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	(void)state;
	assert_int_equal(xb_reference_parse("docker.io/library/alpine:1", &a, &err), 0);
	assert_int_equal(xb_reference_parse("alpine:2", &b, &err), 0);
	assert_true(xb_reference_same_repository(&a, &b));
	xb_reference_name(&b, &name);
	assert_string_equal(name.data, "docker.io/library/alpine");
	xb_reference_release(&b);
	assert_int_equal(xb_reference_parse("ghcr.io/library/alpine", &b, &err), 0);
	assert_false(xb_reference_same_repository(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_good), cmocka_unit_test(test_bad),
					   cmocka_unit_test(test_length), cmocka_unit_test(test_same)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
