/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/build/cc_plan.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/str.h"
#include "xbuild/base/vec.h"

#define CC1  " \"/t/clang\" \"-cc1\" "
#define LINK " \"/t/aarch64-linux-gnu-ld.lld\" "
#define TWO  CC1 "\"-o\" \"/tmp/a.o\" \"a.c\"\n" CC1 "\"-o\" \"/tmp/b.o\" \"b.c\"\n"
#define BEGIN                                                                                                          \
	"Debian clang version 19.1.7 (3)\nTarget: aarch64-linux-gnu\nThread model: posix\nInstalledDir: /t\n "         \
	"(in-process)\n"

static void a_compile_is_an_end_in_itself(void **state)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	const char *text = BEGIN CC1 "\"-DA=\\\"x y\\\"\" \"\" \"\\$\\\\\" \"-o\" \"out/a.o\" \"a.c\"";
	struct cc_plan plan;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_true(cc_plan_read(xb_sv(xb_arena_printf(&arena, "%s%s", text, i ? "\n" : "")), &arena, &plan));
		assert_int_equal(plan.n_steps, 1);
		assert_false(plan.has_link);
		assert_int_equal(plan.steps[0].n_words, 8);
		assert_string_equal(plan.steps[0].words[2], "-DA=\"x y\"");
		assert_string_equal(plan.steps[0].words[3], "");
		assert_string_equal(plan.steps[0].words[4], "$\\");
		assert_string_equal(plan.steps[0].words[plan.steps[0].output], "out/a.o");
		assert_null(plan.steps[0].words[8]);
		assert_false(plan.steps[0].is_link || plan.steps[0].is_part);
		assert_null(cc_plan_part(&plan, "out/a.o"));
	}
}

static void parts_are_words_of_the_link(void **state)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct cc_plan plan;

	(void)state;
	assert_true(
		cc_plan_read(xb_sv(BEGIN TWO LINK "\"-o\" \"a\" \"/tmp/b.o\" \"/tmp/a.o\" \"-lc\"\n"), &arena, &plan));
	assert_int_equal(plan.n_steps, 3);
	assert_true(plan.has_link && plan.steps[2].is_link);
	assert_ptr_equal(cc_plan_part(&plan, "/tmp/a.o"), &plan.steps[0]);
	assert_ptr_equal(cc_plan_part(&plan, "/tmp/b.o"), &plan.steps[1]);
	assert_null(cc_plan_part(&plan, "-lc"));
	assert_null(cc_plan_part(&plan, "a"));
	assert_true(cc_plan_read(xb_sv(LINK "\"-o\" \"a\" \"x.o\"\n"), &arena, &plan));
	assert_true(plan.n_steps == 1 && plan.has_link);
}

/* What is no plan, or one with something that nobody knows: the driver itself does the work then. */
static void all_else_is_no_plan(void **state)
{
	static const char *const texts[] = {
		"", "\n\n", BEGIN, "a.c", "clang: error: no input files\n",
		BEGIN "clang: warning: x [-Wx]\n" CC1 "\"-o\" \"a.o\" \"a.c\"\n",
		CC1 "\"-o\" \"a.o\" \"a.c\"\nclang: warning: clang version 1\n",
		/* words */
		" \"", " \"\"", " \"/t/clang", " \"/t/clang\" \"-cc1\" \"-o\" \"a.o",
		" \"/t/clang\" \"-cc1\" \"-o\" \"a.o\\", CC1 "\"-o\" \"a.o\" a.c\n", CC1 "\"-o\" \"a.o\"  \"a.c\"\n",
		CC1 "\"-o\"\"a.o\"\"a.c\"\"b\"\n", CC1 "\"-o\" \"a.o\" \"a.c\" \n\n x",
		"\t\"/t/clang\" \"-cc1\" \"-o\" \"a.o\"\n", "\"/t/clang\" \"-cc1\" \"-o\" \"a.o\"\n",
		CC1 "\"-o\" \"a.o\" \"a\\\n\"\n",
		/* outputs */
		CC1 "\"a.c\"\n", CC1 "\"a.c\" \"-o\"\n", CC1 "\"-o\" \"a\" \"-o\" \"b\" \"a.c\"\n",
		" \"/t/clang\" \"-o\"\n",
		/* steps of another kind */
		" \"/t/clang\" \"-cc1as\" \"-o\" \"a.o\" \"a.s\"\n", " \"/t/objcopy\" \"-o\" \"a\" \"b\"\n",
		" \"/t/ld\" \"-o\" \"a\" \"a.o\"\n", " \"/t/ld.lld-wrapper\" \"-o\" \"a\" \"a.o\"\n",
		/* a link that does not stand at the end, is there twice, or leaves a part out; a part with a name of its own */
		LINK "\"-o\" \"a\" \"/tmp/a.o\"\n" TWO, LINK "\"-o\" \"a\" \"x.o\"\n" LINK "\"-o\" \"b\" \"x.o\"\n",
		TWO LINK "\"-o\" \"a\" \"/tmp/a.o\"\n", CC1 "\"-o\" \"a.o\" \"a.c\"\n" LINK "\"-o\" \"a\" \"a.o\"\n"};
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct cc_plan plan;

	(void)state;
	for (size_t i = 0; i < XB_COUNT(texts); i++) {
		const size_t n = strlen(texts[i]);
		char *copy XB_CLEANUP(xb_free_ptr) = xb_alloc(n ? n : 1); /* a sanitizer sees a read behind it */

		memcpy(copy, texts[i], n);
		if (cc_plan_read(xb_sv_n(copy, n), &arena, &plan))
			fail_msg("taken: %s", texts[i]);
	}
}

/* Cut off anywhere, it is no plan, but for the places where a step ends. */
static void a_plan_cut_off(void **state)
{
	static const char text[] = CC1 "\"-o\" \"/tmp/a.o\" \"a.c\"\n" LINK "\"-o\" \"a\" \"/tmp/a.o\"\n";
	const size_t first = strcspn(text, "\n"), words = strlen(CC1 "\"-o\" \"/tmp/a.o\"");
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct cc_plan plan;

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		const bool ends = n == words || n == words + 1 || n == first || n == first + 1 || n + 2 >= sizeof(text);

		if (cc_plan_read(xb_sv_n(text, n), &arena, &plan) != ends)
			fail_msg("%zu bytes: %.*s", n, (int)n, text);
	}
}

static void steps_without_number(void **state)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct cc_plan plan;

	(void)state;
	for (int i = 0; i < 255; i++)
		xb_str_printf(&text, CC1 "\"-o\" \"%d.o\" \"a.c\"\n", i);
	assert_true(cc_plan_read(xb_str_sv(&text), &arena, &plan));
	assert_int_equal(plan.n_steps, 255);
	for (int i = 0; i < 1000; i++)
		xb_str_printf(&text, CC1 "\"-o\" \"%d.o\" \"a.c\"\n", i);
	assert_false(cc_plan_read(xb_str_sv(&text), &arena, &plan));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_compile_is_an_end_in_itself), cmocka_unit_test(parts_are_words_of_the_link),
		cmocka_unit_test(all_else_is_no_plan),		 cmocka_unit_test(a_plan_cut_off),
		cmocka_unit_test(steps_without_number),
	};

	return cmocka_run_group_tests_name("build/cc_plan", tests, NULL, NULL);
}
