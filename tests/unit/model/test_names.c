/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "xbuild/base/attr.h"
#include "xbuild/model/names.h"

#define LONG64 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl"

/* Lists end with NULL. */
static const struct {
	const char *what;
	bool (*check)(struct xb_sv text);
	const char *good[12], *bad[14];
} rules[] = {
	{"unit",
	 xb_name_is_unit,
	 {"a", "0", "core", "a.b_c-d", "a--b"},
	 {"", "A", "-a", ".a", "_a", "a b", "a/b", "\xc3\xa4", "a\n", LONG64}},
	{"package",
	 xb_name_is_debian_package,
	 {"libc6", "libstdc++6", "g++", "0ad", "a.b"},
	 {"", "a", "Libc6", "libc6:amd64", "lib_c", "+a", "../a", "a b"}},
	{"version",
	 xb_name_is_debian_version,
	 {"1", "1:2.36-9+deb12u14", "2.12.7+dfsg+really2.9.14-2.1+deb13u3", "0~rc1", "1:1:2"},
	 {"", "-1", "1_2", "1/2", "a:1", ":1", "1:", "1 2", "~1", "1;2"}},
	{"apk package",
	 xb_name_is_apk_package,
	 {"zlib", "py3.12-pip", "libstdc++", "R", "a", "0ad", "gtk+2.0"},
	 {"", "-a", ".a", "a/b", "a b", "a=1", "a@b", "so:libc"}},
	{"apk version",
	 xb_name_is_apk_version,
	 {"1", "1.2.3-r0", "20240705-r1", "1_rc2_p3-r1", "1~abc"},
	 {"", "r1", "-1", "1/2", "1 2", "1:2", "1+2"}},
	{"path",
	 xb_name_is_debian_path,
	 {"pool/main/g/glibc/libc6_2.36-9+deb12u14_amd64.deb", "a~b"},
	 {"", "/a", "a//b", "../a", "a/../b", "a b", "a%2fb", "a?b", "a#b", "a\\b", "\xc3\xa4", "a\x7f"}},
	{"suite", xb_name_is_suite, {"trixie", "bookworm-security", "13.7"}, {"", "Trixie", "a/b", "..", "-a", "a b"}},
	{"repository",
	 xb_name_is_repository,
	 {"a", "acme/parcel", "ghcr.io/acme/parcel", "localhost/a", "localhost:5000/a", "a__b/c-d/e---f.g",
	  "10.0.0.1:80/a"},
	 {"", "A", "a/", "/a", "a//b", "a___b", "a..b", "a-", "-a", "host:99999999/a", "ghcr.io/A", "a:b", "a@b"}},
	{"tag",
	 xb_name_is_tag,
	 {"latest", "_a", "V1.2-x", "1"},
	 {"", ".a", "-a", "a b", "a/b", "a:b", "a+b", LONG64 LONG64 "a"}},
	{"env", xb_name_is_env, {"A", "_a", "PATH2"}, {"", "2A", "A-B", "A B", "A=B", "\xc3\xa4"}},
	{"macro", xb_name_is_macro, {"A", "_a", "N2"}, {"", "2A", "A(x)", "A B", "A=1"}},
	{"number",
	 xb_name_is_version_number,
	 {"2", "2.34", "22.1.8"},
	 {"", ".", "2.", ".2", "2..3", "a", "2.3a", "-1", "1234567890"}},
};

static void test_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < XB_COUNT(rules); i++) {
		for (size_t k = 0; rules[i].good[k]; k++) {
			if (!rules[i].check(xb_sv(rules[i].good[k])))
				fail_msg("%s: '%s' was refused", rules[i].what, rules[i].good[k]);
		}
		for (size_t k = 0; rules[i].bad[k]; k++) {
			if (rules[i].check(xb_sv(rules[i].bad[k])))
				fail_msg("%s: '%s' was let through", rules[i].what, rules[i].bad[k]);
		}
		assert_false(rules[i].check(xb_sv_n("a\0b", 3)));
		assert_false(rules[i].check(xb_sv_n("1\0", 2)));
	}
}

static void test_compare(void **state)
{
	static const char *const rising[] = {"0", "1", "1.0.1", "2.9", "2.34", "2.34.1", "10", "22.1.8"};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rising); i++) {
		for (size_t k = 0; k < XB_COUNT(rising); k++)
			assert_int_equal(xb_version_number_compare(xb_sv(rising[i]), xb_sv(rising[k])),
					 (i > k) - (i < k));
	}
	assert_int_equal(xb_version_number_compare(xb_sv("2.0"), xb_sv("2")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_compare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
