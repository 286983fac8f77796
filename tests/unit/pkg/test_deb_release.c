/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include "xbuild/pkg/deb_release.h"

#define SUM_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SUM_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HEAD  "Origin: Debian\nSuite: stable\nCodename: trixie\nDate: Sat, 21 Nov 2026 00:53:02 UTC\n"
#define FILES "SHA256:\n " SUM_A " 12 main/binary-arm64/Packages.xz\n " SUM_B "       345 main/binary-arm64/Release\n"
#define DATE  1795222382

static struct xb_release *parsed(const char *text)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_release *release = NULL;

	expect_ok(xb_release_parse(xb_sv(text), "InRelease", &release, &err), &err);
	return release;
}

static void expect_refused(const char *text, const char *part)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_release *release = NULL;

	expect_error(xb_release_parse(xb_sv(text), "InRelease", &release, &err), &err, XB_E_VERIFY, part);
	assert_null(release);
}

static void reads_fields_and_files(void **state)
{
	struct xb_release *r =
		parsed(HEAD "Acquire-By-Hash: yes\nValid-Until: Sat, 28 Nov 2026 00:53:02 UTC\n"
			    "MD5Sum:\n d41d8cd98f00b204e9800998ecf8427e 0 main/other\n" FILES "Description: x\n y\n");
	const struct xb_release_file *file = xb_release_find(r, "main/binary-arm64/Packages.xz");
	char hex[XB_DIGEST_HEX];

	(void)state;
	assert_string_equal(r->origin, "Debian");
	assert_string_equal(r->suite, "stable");
	assert_string_equal(r->codename, "trixie");
	assert_int_equal(r->date, DATE);
	assert_int_equal(r->valid_until, DATE + 7 * 86400);
	assert_true(r->by_hash);
	assert_int_equal(r->n_files, 2);
	assert_non_null(file);
	assert_int_equal(file->size_bytes, 12);
	assert_string_equal(xb_digest_hex(&file->sha256, hex), SUM_A);
	assert_int_equal(xb_release_find(r, "main/binary-arm64/Release")->size_bytes, 345);
	assert_null(xb_release_find(r, "main/other")); /* only by MD5 */
	xb_release_free(r);
	r = parsed(HEAD FILES);
	assert_false(r->by_hash);
	assert_int_equal(r->valid_until, 0);
	xb_release_free(r);
	xb_release_free(NULL);
}

static void refuses_bad_documents(void **state)
{
	(void)state;
	expect_refused("", "SHA256");
	expect_refused(HEAD, "lists no SHA256");
	expect_refused(HEAD "MD5Sum:\n d41d8cd98f00b204e9800998ecf8427e 0 main/x\n", "lists no SHA256");
	expect_refused("Codename: x\n" FILES, "no field 'Date'");
	expect_refused(HEAD "Date: Sat, 21 Nov 2026 00:53:02 UTC\n" FILES, "twice");
	expect_refused(HEAD "codename: sid\n" FILES, "twice");
	expect_refused(HEAD FILES FILES, "twice");
	expect_refused(HEAD "\n" FILES, "more than one paragraph");
	expect_refused(HEAD "Valid-Until: soon\n" FILES, "is no date");
	expect_refused(HEAD "Valid-Until: Fri, 20 Nov 2026 00:53:02 UTC\n" FILES, "before Date");
	expect_refused(HEAD "nonsense\n" FILES, "is no field");
	expect_refused(HEAD FILES " " SUM_A " 12 ../../x\n", "no safe path");
	expect_refused(HEAD FILES " " SUM_A " 12 /etc/x\n", "no safe path");
	expect_refused(HEAD FILES " " SUM_A " 12 main//x\n", "no safe path");
	expect_refused(HEAD FILES " " SUM_A " -1 main/x\n", "no sha256, size and path");
	expect_refused(HEAD FILES " " SUM_A " 1\n", "no sha256, size and path");
	expect_refused(HEAD FILES " " SUM_A " 1 main/x y\n", "no sha256, size and path");
	expect_refused(HEAD FILES " abc 1 main/x\n", "no sha256, size and path");
	expect_refused(HEAD FILES " " SUM_B " 12 main/binary-arm64/Packages.xz\n", "different contents");
	expect_refused(HEAD FILES " " SUM_A " 13 main/binary-arm64/Packages.xz\n", "different contents");
}

static void the_same_line_twice_is_once(void **state)
{
	struct xb_release *r = parsed(HEAD FILES " " SUM_A " 12 main/binary-arm64/Packages.xz\n");

	(void)state;
	assert_int_equal(r->n_files, 2);
	xb_release_free(r);
}

static void checks_times_and_codename(void **state)
{
	const struct xb_suite updates = {.id = "trixie-updates", .codename = "trixie-updates"};
	const struct xb_suite suite = {.id = "trixie", .codename = "trixie"}, sid = {.id = "sid", .codename = "sid"};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_release *r = parsed(HEAD "Valid-Until: Sat, 28 Nov 2026 00:53:02 UTC\n" FILES);
	const int64_t until = DATE + 7 * 86400;

	(void)state;
	expect_ok(xb_release_check(r, &suite, DATE, 0, &err), &err);
	expect_ok(xb_release_check(r, &suite, DATE - 10, DATE, &err), &err);
	expect_ok(xb_release_check(r, &suite, until, DATE - 1, &err), &err);
	expect_error(xb_release_check(r, &sid, DATE, 0, &err), &err, XB_E_SIGNATURE, "Codename 'trixie'");
	expect_error(xb_release_check(r, &suite, DATE - 11, 0, &err), &err, XB_E_SIGNATURE, "2026-11-21T00:53:02Z");
	assert_int_equal(xb_release_check(r, &suite, DATE - 3600, 0, &err), XB_E_SIGNATURE);
	assert_non_null(strstr(err.hint, "clock"));
	xb_err_clear(&err);
	expect_error(xb_release_check(r, &suite, until + 1, 0, &err), &err, XB_E_SIGNATURE, "valid until");
	assert_int_equal(xb_release_check(r, &suite, DATE, DATE + 1, &err), XB_E_SIGNATURE);
	assert_non_null(strstr(err.hint, "--allow-rollback"));
	xb_err_clear(&err);
	xb_release_free(r);
	r = parsed("Suite: stable\nCodename: trixie-updates\nDate: Sat, 21 Nov 2026 00:53:02 UTC\n" FILES);
	expect_error(xb_release_check(r, &updates, DATE, 0, &err), &err, XB_E_SIGNATURE, "Suite 'stable'");
	xb_release_free(r);
	r = parsed("Suite: stable-updates\nCodename: trixie-updates\nDate: Sat, 21 Nov 2026 00:53:02 UTC\n" FILES);
	expect_ok(xb_release_check(r, &updates, DATE, 0, &err), &err);
	xb_release_free(r);
}

static void dates(void **state)
{
	static const struct {
		const char *text;
		int64_t expected; /* -1: none */
	} rows[] = {
		{"Thu, 01 Jan 1970 00:00:00 UTC", 0},
		{"Tue, 29 Feb 2000 23:59:59 GMT", 951868799},
		{"Sat,  1 Nov 2025 01:02:03 +0000", 1761958923},
		{"Sat, 1 Nov 2025 01:02:03 UTC", 1761958923},
		{"Sat, 21 Nov 2026 00:53:02 UTC", DATE},
		{"Mon, 29 Feb 2100 00:00:00 UTC", -1},
		{"Sat, 31 Apr 2026 00:00:00 UTC", -1},
		{"Sat, 0 Apr 2026 00:00:00 UTC", -1},
		{"Sat, 21 Nov 2026 24:00:00 UTC", -1},
		{"Sat, 21 Nov 2026 00:60:00 UTC", -1},
		{"Sat, 21 Nov 2026 0:00:00 UTC", -1},
		{"Sat, 21 Nov 2026 00:53:02 CET", -1},
		{"Sat, 21 Nov 2026 00:53:02", -1},
		{"Sat, 21 Nov 2026 00:53:02 UTC x", -1},
		{"Sat, 21 nov 2026 00:53:02 UTC", -1},
		{"Sat, 21 Nov 26 00:53:02 UTC", -1},
		{"Sat 21 Nov 2026 00:53:02 UTC", -1},
		{"2026-11-21T00:53:02Z", -1},
		{"", -1},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		int64_t got = -1;
		bool ok = xb_release_parse_date(xb_sv(rows[i].text), &got);

		print_message("%s\n", rows[i].text);
		assert_int_equal(ok, rows[i].expected >= 0);
		assert_int_equal(got, rows[i].expected);
	}
}

static void origin_and_label_are_those_of_the_suite(void **state)
{
	static const struct {
		const char *origin, *label, *says; /* NULL: accepted */
	} rows[] = {
		{NULL, NULL, NULL},
		{"Debian", "Debian", NULL},
		{"Debian", NULL, NULL},
		{"Debian", "Debian-Security", "Label 'Debian' instead of 'Debian-Security'"},
		{"Ubuntu", "Debian", "Origin 'Debian' instead of 'Ubuntu'"},
	};
	struct xb_release *r = parsed("Label: Debian\n" HEAD FILES), *bare = parsed(HEAD FILES);
	struct xb_suite suite = {.id = "trixie", .codename = "trixie"};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};

		suite.origin = rows[i].origin;
		suite.label = rows[i].label;
		if (rows[i].says)
			expect_error(xb_release_check(r, &suite, DATE, 0, &err), &err, XB_E_SIGNATURE, rows[i].says);
		else
			expect_ok(xb_release_check(r, &suite, DATE, 0, &err), &err);
	}
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	suite.origin = "Debian";
	expect_error(xb_release_check(bare, &suite, DATE, 0, &err), &err, XB_E_SIGNATURE, "Label ''");
	xb_release_free(r);
	xb_release_free(bare);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(origin_and_label_are_those_of_the_suite),
		cmocka_unit_test(reads_fields_and_files),
		cmocka_unit_test(refuses_bad_documents),
		cmocka_unit_test(the_same_line_twice_is_once),
		cmocka_unit_test(checks_times_and_codename),
		cmocka_unit_test(dates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
