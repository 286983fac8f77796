/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sample.h"
#include "xbuild/base/attr.h"
#include "xbuild/base/num.h"

static void good_numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t max, value;
	} rows[] = {
		{"0", 0, 0},
		{"7", 7, 7},
		{"9", 10, 9},
		{"10", 10, 10},
		{"007", 7, 7},
		{"0000000000000000000000000000001", 1, 1},
		{"18446744073709551615", UINT64_MAX, UINT64_MAX},
		{"9223372036854775807", INT64_MAX, INT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		uint64_t value = 12345;

		if (!xb_num_u64(xb_sv(rows[i].text), rows[i].max, &value))
			fail_msg("'%s' was rejected", rows[i].text);
		assert_int_equal(value, rows[i].value);
	}
}

static void bad_numbers_leave_the_output_alone(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
	} rows[] = {
		{"", UINT64_MAX},
		{" ", UINT64_MAX},
		{" 1", UINT64_MAX},
		{"1 ", UINT64_MAX},
		{"+1", UINT64_MAX},
		{"-1", UINT64_MAX},
		{"-0", UINT64_MAX},
		{"0x1", UINT64_MAX},
		{"1e3", UINT64_MAX},
		{"1.0", UINT64_MAX},
		{"1,0", UINT64_MAX},
		{"1_0", UINT64_MAX},
		{"1k", UINT64_MAX},
		{"a", UINT64_MAX},
		{"1\n", UINT64_MAX},
		{"1", 0},
		{"8", 7},
		{"11", 10},
		{"100", 99},
		{"20", 19},
		{"18446744073709551616", UINT64_MAX},
		{"18446744073709551620", UINT64_MAX},
		{"99999999999999999999", UINT64_MAX},
		{"340282366920938463463374607431768211457", UINT64_MAX},
		{"\xd9\xa1", UINT64_MAX}, /* ARABIC-INDIC DIGIT ONE */
	};
	uint64_t value = 12345;

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		if (xb_num_u64(xb_sv(rows[i].text), rows[i].max, &value))
			fail_msg("'%s' was accepted", rows[i].text);
		assert_int_equal(value, 12345);
	}
	assert_false(xb_num_u64((struct xb_sv){0}, 1, &value));
	assert_false(xb_num_u64(xb_sv_n("1\0", 2), 100, &value));
	assert_true(xb_num_u64(xb_sv_n("123", 2), 100, &value));
	assert_int_equal(value, 12);
}

static void printed_numbers_are_read_back(void **state)
{
	uint32_t seed = 99;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint64_t number = ((uint64_t)sample_next(&seed) << 32 | sample_next(&seed)) >> (i % 64), value;
		char text[32];

		snprintf(text, sizeof(text), "%" PRIu64, number);
		assert_true(xb_num_u64(xb_sv(text), number, &value));
		assert_true(value == number);
		assert_false(number && xb_num_u64(xb_sv(text), number - 1, &value));
	}
}

static void octal_numbers(void **state)
{
	uint32_t value = 12345;

	(void)state;
	assert_true(xb_num_octal(xb_sv("0640"), 07777, &value));
	assert_int_equal(value, 0640);
	assert_true(xb_num_octal(xb_sv("7777"), 07777, &value));
	assert_int_equal(value, 07777);
	assert_true(xb_num_octal(xb_sv("37777777777"), UINT32_MAX, &value));
	assert_int_equal(value, UINT32_MAX);
	value = 12345;
	assert_false(xb_num_octal(xb_sv("10000"), 07777, &value));
	assert_false(xb_num_octal(xb_sv("40000000000"), UINT32_MAX, &value));
	assert_false(xb_num_octal(xb_sv("0648"), 07777, &value));
	assert_false(xb_num_octal(xb_sv("0o640"), 07777, &value));
	assert_false(xb_num_octal(xb_sv("-1"), 07777, &value));
	assert_false(xb_num_octal(xb_sv(""), 07777, &value));
	assert_int_equal(value, 12345);
}

static void sizes_for_people(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {
		{0, "0 B"},
		{1, "1 B"},
		{999, "999 B"},
		{1000, "1.0 kB"},
		{1049, "1.0 kB"},
		{1050, "1.1 kB"},
		{17432000, "17.4 MB"},
		{999949, "999.9 kB"},
		{999950, "1.0 MB"},
		{999999, "1.0 MB"},
		{1000000, "1.0 MB"},
		{999949999, "999.9 MB"},
		{999950000, "1.0 GB"},
		{UINT64_C(1500000000000), "1.5 TB"},
		{UINT64_C(2000000000000000), "2.0 PB"},
		{UINT64_C(999999999999999999), "1.0 EB"},
		{UINT64_MAX, "18.4 EB"},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		char buf[XB_NUM_SIZE_MAX];

		memset(buf, 'x', sizeof(buf));
		assert_ptr_equal(xb_num_size(rows[i].bytes, buf), buf);
		assert_string_equal(buf, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_numbers),
		cmocka_unit_test(bad_numbers_leave_the_output_alone),
		cmocka_unit_test(printed_numbers_are_read_back),
		cmocka_unit_test(octal_numbers),
		cmocka_unit_test(sizes_for_people),
	};

	return cmocka_run_group_tests_name("base/num", tests, NULL, NULL);
}
