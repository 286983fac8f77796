/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "xbuild/base/attr.h"
#include "xbuild/base/str.h"
#include "xbuild/registry/challenge.h"

/* "Scheme{name=value;name=value}Scheme{...}" */
static void read_all(const char *header, struct xb_str *out)
{
	struct xb_sv rest = xb_sv(header);
	struct xb_challenge c = {0};

	while (xb_challenge_next(&rest, &c)) {
		xb_str_printf(out, "%s{", c.scheme);
		for (size_t i = 0; i < c.n_params; i++)
			xb_str_printf(out, "%s%s=%s", i ? ";" : "", c.params[i].name, c.params[i].value);
		xb_str_append(out, "}");
		xb_challenge_release(&c);
	}
}

static void test_headers(void **state)
{
	static const struct {
		const char *header, *expected;
	} cases[] = {
		{"Basic realm=\"x\"", "Basic{realm=x}"},
		{"Basic", "Basic{}"},
		{"Bearer realm=\"https://a/t\",service=\"s\",scope=\"repository:a/b:pull,push\"",
		 "Bearer{realm=https://a/t;service=s;scope=repository:a/b:pull,push}"},
		{"Bearer realm = \"a\" ,  service=b", "Bearer{realm=a;service=b}"},
		{"Basic realm=\"a, Bearer realm=b\", Bearer realm=\"c\", Digest qop=\"auth,auth-int\", nonce=x",
		 "Basic{realm=a, Bearer realm=b}Bearer{realm=c}Digest{qop=auth,auth-int;nonce=x}"},
		{"Negotiate, Basic realm=\"a\"", "Negotiate{}Basic{realm=a}"},
		{",, Basic realm=\"a\\\"b\\\\c\",,", "Basic{realm=a\"b\\c}"},
		{"Basic realm=\"\"", "Basic{realm=}"},
		{"", ""},
		{"Basic realm=\"open", ""},
		{"Basic realm=", ""},
		{"Basic realm=\"a\", Bearer realm=\"open", "Basic{realm=a}"},
		{"Basic realm=\"trailing\\", ""},
		{"\"x\"", ""},
		{"=", ""},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		struct xb_str got XB_CLEANUP(xb_str_release) = {0};

		read_all(cases[i].header, &got);
		assert_string_equal(xb_str_get(&got), cases[i].expected);
	}
}

static void test_params(void **state)
{
	struct xb_str header XB_CLEANUP(xb_str_release) = {0};
	struct xb_challenge c XB_CLEANUP(xb_challenge_release) = {0};
	struct xb_sv rest;

	(void)state;
	xb_str_append(&header, "Bearer Realm=\"R\"");
	for (int i = 0; i < 100; i++)
		xb_str_printf(&header, ",p%d=%d", i, i);
	rest = xb_str_sv(&header);
	assert_int_equal(xb_challenge_next(&rest, &c), 1);
	assert_int_equal(c.n_params, XB_CHALLENGE_MAX_PARAMS);
	assert_string_equal(xb_challenge_param(&c, "realm"), "R");
	assert_null(xb_challenge_param(&c, "service"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_headers), cmocka_unit_test(test_params)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
