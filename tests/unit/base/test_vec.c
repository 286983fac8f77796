/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "xbuild/base/attr.h"
#include "xbuild/base/vec.h"

struct item {
	int number;
	char text[20];
};

static void pushed_items_stay_in_order(void **state)
{
	XB_VEC(int) numbers = {0};

	(void)state;
	for (int i = 0; i < 10000; i++) {
		XB_VEC_PUSH(&numbers, i * 3);
		assert_int_equal(numbers.len, i + 1);
		assert_true(numbers.cap >= numbers.len);
	}
	for (int i = 0; i < 10000; i++)
		assert_int_equal(numbers.items[i], i * 3);
	XB_VEC_RELEASE(&numbers);
	assert_null(numbers.items);
	assert_int_equal(numbers.len, 0);
	assert_int_equal(numbers.cap, 0);
	XB_VEC_RELEASE(&numbers);
}

static void added_items_are_zeroed(void **state)
{
	static const struct item zero;
	XB_VEC(struct item) items = {0};

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct item *item = XB_VEC_ADD(&items);

		assert_ptr_equal(item, &items.items[items.len - 1]);
		assert_memory_equal(item, &zero, sizeof(zero));
		memset(item, 0xff, sizeof(*item));
		item->number = i;
	}
	/* The memory of a dropped item is dirty; the next one is zeroed again. */
	items.len--;
	assert_memory_equal(XB_VEC_ADD(&items), &zero, sizeof(zero));
	for (int i = 0; i < 999; i++)
		assert_int_equal(items.items[i].number, i);
	XB_VEC_RELEASE(&items);
}

static void an_item_is_evaluated_once(void **state)
{
	XB_VEC(const char *) names = {0};
	const char *const source[] = {"a", "b", "c"};
	size_t next = 0;

	(void)state;
	while (next < XB_COUNT(source))
		XB_VEC_PUSH(&names, source[next++]);
	assert_int_equal(names.len, 3);
	assert_string_equal(names.items[2], "c");
	XB_VEC_RELEASE(&names);
}

static void grow_starts_at_eight_and_doubles(void **state)
{
	size_t cap = 0;
	void *items = xb_vec_grow(NULL, &cap, 4);

	(void)state;
	assert_int_equal(cap, 8);
	items = xb_vec_grow(items, &cap, 4);
	assert_int_equal(cap, 16);
	items = xb_vec_grow(items, &cap, 4);
	assert_int_equal(cap, 32);
	assert_non_null(items);
	free(items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pushed_items_stay_in_order),
		cmocka_unit_test(added_items_are_zeroed),
		cmocka_unit_test(an_item_is_evaluated_once),
		cmocka_unit_test(grow_starts_at_eight_and_doubles),
	};

	return cmocka_run_group_tests_name("base/vec", tests, NULL, NULL);
}
