/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "xbuild/base/attr.h"
#include "xbuild/model/timestamp.h"

/* libc's calendar is the reference, on days spread over all years and at the ends of every kind of year. */
static void test_against_libc(void **state)
{
	char found[XB_TIMESTAMP_SIZE], expected[32];

	(void)state;
	for (int64_t sec = 0; sec < INT64_C(253402300800); sec += 86400 * 13 + 4711) {
		const time_t when = (time_t)sec;
		struct tm tm;
		int64_t again;

		assert_non_null(gmtime_r(&when, &tm));
		assert_true(strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0);
		assert_string_equal(xb_timestamp_format(sec, found), expected);
		assert_true(xb_timestamp_parse(xb_sv(found), &again));
		assert_int_equal(again, sec);
	}
}

static void test_forms(void **state)
{
	char buf[XB_TIMESTAMP_SIZE];

	(void)state;
	assert_string_equal(xb_timestamp_format(0, buf), "1970-01-01T00:00:00Z");
	assert_string_equal(xb_timestamp_format(951782400, buf), "2000-02-29T00:00:00Z");
	assert_string_equal(xb_timestamp_format(INT64_C(253402300799), buf), "9999-12-31T23:59:59Z");
	assert_string_equal(xb_timestamp_format(-5, buf), "1970-01-01T00:00:00Z");
	assert_string_equal(xb_timestamp_format(INT64_MAX, buf), "9999-12-31T23:59:59Z");
	assert_string_equal(xb_timestamp_compact(1783764997, false, buf), "20260711T101637Z");
	assert_string_equal(xb_timestamp_compact(1783764997, true, buf), "20260711101637");
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"2026-07-11",
		"2026-07-11T10:16:37",
		"2026-07-11 10:16:37Z",
		"2026-07-11T10:16:37z",
		"2026-07-11T10:16:37+",
		"2026-7-11T10:16:37Z",
		"2026-13-11T10:16:37Z",
		"2026-00-11T10:16:37Z",
		"2026-02-29T10:16:37Z",
		"2100-02-29T10:16:37Z",
		"2026-07-32T10:16:37Z",
		"2026-07-00T10:16:37Z",
		"2026-07-11T24:00:00Z",
		"2026-07-11T10:60:00Z",
		"2026-07-11T10:16:60Z",
		"1969-12-31T23:59:59Z",
		"2026-07-11T10:16:37Z ",
		"-026-07-11T10:16:37Z",
	};
	int64_t when = 42;

	(void)state;
	for (size_t i = 0; i < XB_COUNT(bad); i++) {
		if (xb_timestamp_parse(xb_sv(bad[i]), &when))
			fail_msg("'%s' was let through", bad[i]);
	}
	assert_int_equal(when, 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_libc),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
