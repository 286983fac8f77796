/* SPDX-License-Identifier: Apache-2.0 */
/* apko.lock.json: apko's own files are read, and written again byte for byte; broken ones are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../shared.h"
#include "../skip.h"
#include "xbuild/base/path.h"
#include "xbuild/model/apko_lock.h"

#define SUM "\"sha1-m6wB0UFePGN8Drz82pC8y2uAiu8=\""
#define Q1  "\"Q1m6wB0UFePGN8Drz82pC8y2uAiu8=\""

static const char small[] = "{\n"
			    "  \"version\": \"v1\",\n"
			    "  \"config\": {\n"
			    "    \"name\": \"a&b.yaml\",\n"
			    "    \"checksum\": \"sha256-eal7+HCFuOLz/8m3vNO5cYyNK0Zw7AphCcsc76TbTXg=\"\n"
			    "  },\n"
			    "  \"contents\": {\n"
			    "    \"keyring\": [],\n"
			    "    \"build_repositories\": [],\n"
			    "    \"runtime_repositories\": [],\n"
			    "    \"repositories\": [],\n"
			    "    \"packages\": [\n"
			    "      {\n"
			    "        \"name\": \"p\",\n"
			    "        \"url\": \"./p-1.apk\",\n"
			    "        \"version\": \"1\",\n"
			    "        \"architecture\": \"x86_64\",\n"
			    "        \"signature\": {\n"
			    "          \"range\": \"\",\n"
			    "          \"checksum\": \"\"\n"
			    "        },\n"
			    "        \"control\": {\n"
			    "          \"range\": \"bytes=0-9\",\n"
			    "          \"checksum\": " SUM "\n"
			    "        },\n"
			    "        \"data\": {\n"
			    "          \"range\": \"bytes=10-29\",\n"
			    "          \"checksum\": \"sha256-ckBapsaMu5EOb/e4Ei1s2l/+dZMEamHhUmaoJ8yeZwg=\"\n"
			    "        },\n"
			    "        \"checksum\": " Q1 "\n"
			    "      }\n"
			    "    ]\n"
			    "  }\n"
			    "}\n";

/* The text with the first `from` replaced by `to`; owned. */
static char *replaced(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);

	assert_non_null(at);
	return xb_printf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void test_small(void **state)
{
	char *text XB_CLEANUP(xb_free_ptr) = replaced(small, "a&b", "a\\u0026b");
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	struct xb_apko_lock *lock;

	(void)state;
	assert_int_equal(xb_apko_lock_parse(xb_sv(text), "x", &lock, &err), 0);
	assert_string_equal(lock->config_name, "a&b.yaml");
	assert_int_equal(lock->packages[0].signature_bytes, 0);
	assert_int_equal(lock->packages[0].control_bytes, 10);
	assert_int_equal(lock->packages[0].size_bytes, 30);
	assert_null(lock->packages[0].signature_sha1);
	xb_apko_lock_write(lock, &out);
	assert_string_equal(xb_str_get(&out), text);
	xb_apko_lock_free(lock);
}

static void test_broken(void **state)
{
	static const struct {
		const char *from, *to, *message;
	} cases[] = {
		{"\"v1\"", "\"v2\"", "expected version 'v1'"},
		{"\"version\": \"v1\"", "\"more\": 1, \"version\": \"v1\"", "unknown member 'more'"},
		{"sha256-eal7", "sha256-al7", "a checksum 'sha256-...'"},
		{"bytes=0-9", "bytes=1-9", "parts that follow each other"},
		{"bytes=0-9", "bytes=9-0", "a range"},
		{"bytes=0-9", "bytes=0-99999999999999", "a range"},
		{"bytes=10-29", "bytes=11-29", "parts that follow each other"},
		{SUM, "\"sha1-n6wB0UFePGN8Drz82pC8y2uAiu8=\"", "the checksum of its control part"},
		{"sha256-ckBa", "sha256-ck!a", "a sha256 of the data"},
		{"\"name\": \"p\"", "\"nam\": \"p\"", "unknown member 'nam'"},
		{"\"packages\": [", "\"pakages\": [", "unknown member 'pakages'"},
		{",\n        \"checksum\": " Q1, "", "before 0.13"},
		{"{", "[", "1:1"},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		char *text XB_CLEANUP(xb_free_ptr) = replaced(small, cases[i].from, cases[i].to);
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct xb_apko_lock *lock;

		assert_int_equal(xb_apko_lock_parse(xb_sv(text), "x.lock.json", &lock, &err), XB_E_LOCK);
		if (i + 1 < XB_COUNT(cases) && !strstr(err.msg, cases[i].message))
			fail_msg("case %zu: %s", i, err.msg);
		assert_true(i + 1 == XB_COUNT(cases) || err.hint);
	}
}

static char *read_fixture(const char *name)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	char *path XB_CLEANUP(xb_free_ptr) = shared_path(name);
	struct xb_str text = {0};

	assert_non_null(path);
	assert_int_equal(xb_fs_read(path, 1 << 20, &text, &err), 0);
	return xb_str_steal(&text);
}

static void test_round_trip(void **state)
{
	static const char *const files[] = {"apko/apko.lock.json",
					    "apko/apko-discover.lock.json",
					    "wolfi/locks/lock/apko.lock.json",
					    "wolfi/locks/oci/apko.lock.json",
					    "wolfi/locks/wolfi-base/apko.lock.json",
					    "wolfi/locks/multi_arch_and_repo/apko.lock.json",
					    "wolfi/base-image-example/apko.lock.json"};
	char *dir XB_CLEANUP(xb_free_ptr) = shared_path("apk");

	(void)state;
	if (!dir)
		skip_without("fixtures of apk packages (XB_SHARED)");
	for (size_t i = 0; i < XB_COUNT(files); i++) {
		char *name XB_CLEANUP(xb_free_ptr) = xb_printf("apk/%s", files[i]);
		char *text XB_CLEANUP(xb_free_ptr) = read_fixture(name);
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct xb_str out XB_CLEANUP(xb_str_release) = {0};
		struct xb_apko_lock *lock;

		if (xb_apko_lock_parse(xb_sv(text), name, &lock, &err) < 0)
			fail_msg("%s", err.msg);
		xb_apko_lock_write(lock, &out);
		if (!strstr(text, "runtime_repositories")) { /* the older form gains this one list */
			char *old = text;

			text = replaced(old, "\"build_repositories\": [],\n",
					"\"build_repositories\": [],\n    \"runtime_repositories\": [],\n");
			free(old);
		}
		assert_string_equal(xb_str_get(&out), text);
		xb_apko_lock_free(lock);
	}
}

static void test_before_0_13(void **state)
{
	char *path XB_CLEANUP(xb_free_ptr) = shared_path("apk/apko/apko.pre-0.13.lock.json");
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_apko_lock *lock;

	(void)state;
	if (!path)
		skip_without("fixtures of apk packages (XB_SHARED)");
	assert_int_equal(xb_apko_lock_read(path, &lock, &err), XB_E_LOCK);
	assert_non_null(strstr(err.msg, "before 0.13"));
	assert_non_null(strstr(err.hint, "xbuild lock --apko"));
}

/* From what xbuild.lock holds to what `apko lock` writes of the same configuration. */
static void test_golden(void **state)
{
	char *dir XB_CLEANUP(xb_free_ptr) = shared_path("apk/apko");
	struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	const char *archs[] = {"x86_64", "aarch64"};
	const struct xb_words words = {.items = archs, .len = 2};
	struct xb_apko_lock *read, *made;
	struct xb_lock_apko locked = {0};
	struct xb_apko *config;
	char *text, *path;

	(void)state;
	if (!dir)
		skip_without("fixtures of apk packages (XB_SHARED)");
	path = xb_path_join(dir, "apko.lock.json");
	assert_int_equal(xb_apko_lock_read(path, &read, &err), 0);
	assert_int_equal(xb_apko_load(dir, "apko.yaml", &config, &diags, &err), 0);
	locked.keys = read->keys;
	locked.n_keys = read->n_keys;
	locked.packages = read->packages;
	locked.n_packages = read->n_packages;
	xb_apko_lock_from(config, &locked, &words, &made);
	xb_apko_lock_write(made, &out);
	text = read_fixture("apk/apko/apko.lock.json");
	assert_string_equal(xb_str_get(&out), text);
	xb_apko_lock_free(made);
	xb_apko_lock_free(read);
	xb_apko_free(config);
	free(text);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small),	    cmocka_unit_test(test_broken), cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_before_0_13), cmocka_unit_test(test_golden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
