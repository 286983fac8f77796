/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "sample.h"
#include "xbuild/base/arena.h"

static void an_empty_arena_is_released(void **state)
{
	struct xb_arena arena = {0};

	(void)state;
	xb_arena_release(NULL);
	xb_arena_release(&arena);
	assert_null(arena.blocks);
}

/* Items of all sizes: zeroed, aligned, and none of them overlaps another. */
static void items_are_zeroed_aligned_and_apart(void **state)
{
	enum { N = 3000 };
	static unsigned char *items[N];
	static size_t sizes[N];
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	uint32_t seed = 1;
	size_t total = 0;

	(void)state;
	for (size_t i = 0; i < N; i++) {
		sizes[i] = sample_next(&seed) % (i % 100 == 0 ? 300000 : i % 10 == 0 ? 5000 : 100);
		items[i] = xb_arena_alloc(&arena, sizes[i]);
		total += sizes[i];
		assert_int_equal((uintptr_t)items[i] % _Alignof(max_align_t), 0);
		for (size_t j = 0; j < sizes[i]; j++)
			assert_int_equal(items[i][j], 0);
		memset(items[i], (int)(i % 251) + 1, sizes[i]);
	}
	assert_int_equal(arena.total_bytes, total);
	for (size_t i = 0; i < N; i++) {
		for (size_t j = 0; j < sizes[i]; j++)
			assert_int_equal(items[i][j], i % 251 + 1);
	}
	memset(items, 0, sizeof(items)); /* or the leak checker finds blocks that the arena lost reachable from here */
}

static void empty_items_are_distinct(void **state)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	void *a = xb_arena_alloc(&arena, 0), *b = xb_arena_array(&arena, 0, 8), *c = xb_arena_array(&arena, 8, 0);

	(void)state;
	assert_non_null(a);
	assert_ptr_not_equal(a, b);
	assert_ptr_not_equal(b, c);
}

static void strings_are_copied(void **state)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	char source[] = "source";
	const char *whole = xb_arena_strdup(&arena, source);
	const char *part = xb_arena_sv(&arena, xb_sv_n(source + 1, 3));
	const char *empty = xb_arena_sv(&arena, (struct xb_sv){0});
	const char *with_nul = xb_arena_sv(&arena, xb_sv_n("a\0b", 3));
	const char *formatted = xb_arena_printf(&arena, "%s-%06d", source, 42);

	(void)state;
	memset(source, 'x', sizeof(source));
	assert_string_equal(whole, "source");
	assert_string_equal(part, "our");
	assert_string_equal(empty, "");
	assert_memory_equal(with_nul, "a\0b", 4);
	assert_string_equal(formatted, "source-000042");
}

static void a_released_arena_can_be_used_again(void **state)
{
	struct xb_arena arena = {0};

	(void)state;
	xb_arena_strdup(&arena, "first");
	xb_arena_release(&arena);
	assert_int_equal(arena.total_bytes, 0);
	assert_string_equal(xb_arena_strdup(&arena, "second"), "second");
	xb_arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_arena_is_released),
		cmocka_unit_test(items_are_zeroed_aligned_and_apart),
		cmocka_unit_test(empty_items_are_distinct),
		cmocka_unit_test(strings_are_copied),
		cmocka_unit_test(a_released_arena_can_be_used_again),
	};

	return cmocka_run_group_tests_name("base/arena", tests, NULL, NULL);
}
