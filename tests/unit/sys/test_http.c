/* SPDX-License-Identifier: Apache-2.0 */
/* Where an answer may send a request to, and what is shown of addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/attr.h"
#include "xbuild/sys/http.h"

static void test_resolve(void **state)
{
	static const struct {
		const char *base, *location, *expected;
	} cases[] = {
		{"https://h/a/b?c", "https://g/x", "https://g/x"}, {"https://h/a/b?c", "/x?y=1", "https://h/x?y=1"},
		{"https://h/a/b", "x", "https://h/a/x"},	   {"https://h/a", "//g/x", "https://g/x"},
		{"http://h/a", "http://g/x#part", "http://g/x"},   {"http://h/a", "https://g/x", "https://g/x"},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		char *url XB_CLEANUP(xb_free_ptr) = NULL;

		if (xb_http_resolve(cases[i].base, cases[i].location, &url, &err) < 0)
			fail_msg("%s: %s", cases[i].location, err.msg);
		assert_string_equal(url, cases[i].expected);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *base, *location, *message;
	} cases[] = {
		{"https://h/a", "http://h/a", "'http://h/a': it leads from https to http"},
		{"https://h/a", "HTTP://g/a?secret", "it leads from https to http"},
		{"HTTPS://h/a", "http://h/a", "it leads from https to http"},
		{"https://h/a", "ftp://h/a", "only http and https"},
		{"http://h/a", "file:///etc/passwd", ""},
		{"http://h/a", "http://u:secret@h/a", "without a user name"},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		char *url = NULL;

		if (xb_http_resolve(cases[i].base, cases[i].location, &url, &err) != XB_E_NETWORK)
			fail_msg("%s leads to %s", cases[i].base, cases[i].location);
		assert_null(url);
		if (!strstr(err.msg, cases[i].message) || strstr(err.msg, "secret"))
			fail_msg("%s: %s", cases[i].location, err.msg);
	}
}

static void test_same_origin(void **state)
{
	(void)state;
	assert_true(xb_http_same_origin("https://h/a", "https://H:443/b?c"));
	assert_true(xb_http_same_origin("http://h:5000/a", "http://h:5000/"));
	assert_false(xb_http_same_origin("https://h/a", "http://h/a"));
	assert_false(xb_http_same_origin("https://h/a", "https://h:444/a"));
	assert_false(xb_http_same_origin("https://h/a", "https://h.example/a"));
	assert_false(xb_http_same_origin("https://h/a", "no address"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_resolve), cmocka_unit_test(test_refused),
					   cmocka_unit_test(test_same_origin)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
