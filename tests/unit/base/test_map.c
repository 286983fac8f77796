/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "sample.h"
#include "xbuild/base/attr.h"
#include "xbuild/base/map.h"

static void an_empty_map_has_nothing(void **state)
{
	struct xb_map map = {0};

	(void)state;
	assert_null(xb_map_get_str(&map, "a"));
	assert_null(xb_map_get(&map, (struct xb_sv){0}));
	assert_false(xb_map_has(&map, xb_sv("")));
	xb_map_release(&map);
	xb_map_release(NULL);
}

static void order_of_insertion_survives_growth(void **state)
{
	enum { N = 20000 };
	static int values[N];
	struct xb_map map XB_CLEANUP(xb_map_release) = {0};
	uint32_t seed = 7;
	char key[32];

	(void)state;
	for (int i = 0; i < N; i++) {
		values[i] = (int)(sample_next(&seed) >> 1);
		snprintf(key, sizeof(key), "%d-%d", values[i], i);
		assert_null(xb_map_put_str(&map, key, &values[i]));
		assert_int_equal(map.len, i + 1);
	}
	for (int i = 0; i < N; i++) {
		snprintf(key, sizeof(key), "%d-%d", values[i], i);
		assert_string_equal(map.entries[i].key, key);
		assert_ptr_equal(map.entries[i].value, &values[i]);
		assert_ptr_equal(xb_map_get_str(&map, key), &values[i]);
		snprintf(key, sizeof(key), "%d-%d", values[i], i + 1);
		assert_false(xb_map_has(&map, xb_sv(key)));
	}
}

static void a_second_put_replaces_in_place(void **state)
{
	struct xb_map map XB_CLEANUP(xb_map_release) = {0};
	int first, second, other;

	(void)state;
	xb_map_put_str(&map, "a", &first);
	xb_map_put_str(&map, "b", &other);
	assert_ptr_equal(xb_map_put_str(&map, "a", &second), &first);
	assert_int_equal(map.len, 2);
	assert_string_equal(map.entries[0].key, "a");
	assert_ptr_equal(map.entries[0].value, &second);
	assert_ptr_equal(xb_map_get_str(&map, "b"), &other);
}

static void a_null_value_is_a_value(void **state)
{
	struct xb_map map XB_CLEANUP(xb_map_release) = {0};

	(void)state;
	xb_map_put_str(&map, "a", NULL);
	assert_null(xb_map_get_str(&map, "a"));
	assert_true(xb_map_has(&map, xb_sv("a")));
	assert_false(xb_map_has(&map, xb_sv("b")));
}

static void keys_are_copied_and_compared_by_bytes(void **state)
{
	struct xb_map map XB_CLEANUP(xb_map_release) = {0};
	char key[] = "key";
	int a, b, c, d;

	(void)state;
	xb_map_put(&map, xb_sv_n(key, 2), &a);
	memset(key, 'x', sizeof(key));
	assert_ptr_equal(xb_map_get_str(&map, "ke"), &a);
	assert_null(xb_map_get_str(&map, "key"));

	xb_map_put(&map, xb_sv(""), &b);
	assert_ptr_equal(xb_map_get(&map, (struct xb_sv){0}), &b);

	xb_map_put(&map, xb_sv_n("n\0a", 3), &c);
	xb_map_put(&map, xb_sv_n("n\0b", 3), &d);
	assert_null(xb_map_get_str(&map, "n"));
	assert_ptr_equal(xb_map_get(&map, xb_sv_n("n\0a", 3)), &c);
	assert_ptr_equal(xb_map_get(&map, xb_sv_n("n\0b", 3)), &d);
	assert_ptr_equal(xb_map_put(&map, xb_sv_n("n\0a", 3), NULL), &c);
	assert_int_equal(map.len, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_map_has_nothing),
		cmocka_unit_test(order_of_insertion_survives_growth),
		cmocka_unit_test(a_second_put_replaces_in_place),
		cmocka_unit_test(a_null_value_is_a_value),
		cmocka_unit_test(keys_are_copied_and_compared_by_bytes),
	};

	return cmocka_run_group_tests_name("base/map", tests, NULL, NULL);
}
