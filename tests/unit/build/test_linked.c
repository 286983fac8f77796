/* SPDX-License-Identifier: Apache-2.0 */
#include "../store/fixture.h"
#include "xbuild/build/linked.h"
#include "xbuild/store/action_cache.h"

static const struct xb_digest program = {{1}}, other = {{2}}, sysroot = {{3}};

static void a_list_is_found_by_program_and_sysroot(void **state)
{
	struct fixture *f = *state;
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_dirs in = {0}, out = {0};

	assert_false(xb_linked_get(f->store, &program, &sysroot, &arena, &out));
	xb_dirs_add(&in, &arena, "usr/lib/a b.o");
	xb_dirs_add(&in, &arena, "usr/lib/libc_nonshared.a");
	assert_ok(xb_linked_put(f->store, &program, &sysroot, &in, &f->err), &f->err);
	assert_true(xb_linked_get(f->store, &program, &sysroot, &arena, &out));
	assert_int_equal(out.len, 2);
	assert_string_equal(out.items[0], "usr/lib/a b.o");
	assert_string_equal(out.items[1], "usr/lib/libc_nonshared.a");
	assert_false(xb_linked_get(f->store, &other, &sysroot, &arena, &out));
	assert_false(xb_linked_get(f->store, &program, &other, &arena, &out));

	/* nothing copied is known, too */
	assert_ok(xb_linked_put(f->store, &other, &sysroot, &(struct xb_dirs){0}, &f->err), &f->err);
	out.len = 0;
	assert_true(xb_linked_get(f->store, &other, &sysroot, &arena, &out));
	assert_int_equal(out.len, 0);
}

static void a_path_that_leads_out_is_no_list(void **state)
{
	struct fixture *f = *state;
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_dirs in = {0}, out = {0};

	xb_dirs_add(&in, &arena, "../libc.a");
	assert_ok(xb_linked_put(f->store, &program, &sysroot, &in, &f->err), &f->err);
	assert_false(xb_linked_get(f->store, &program, &sysroot, &arena, &out));
}

static void archives_that_gave_something(void **state)
{
	static const char *const bad[] = {"",
					  "members\textracted\n",
					  "members\textracted\tarchive\n251\t1\n",
					  "members\textracted\tarchive\n251\tx\tlib.a\n",
					  "members\textracted\tarchive\n251\t-1\tlib.a\n",
					  "members\textracted\tarchive\n251\t1\t\n"};
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_dirs out = {0};

	(void)state;
	/* as ld.lld 19 has it: an archive that is named twice counts where it is named first */
	assert_true(xb_linked_parse_stats(xb_sv("members\textracted\tarchive\n"
						"251\t1\t/s/usr/lib/libgcc.a\n"
						"251\t0\t/s/usr/lib/libgcc.a\n"
						"4\t0\t/s/usr/lib/libc_nonshared.a\n"
						"3\t3\tout/lib with blank.a\n"),
					  &arena, &out));
	assert_int_equal(out.len, 2);
	assert_string_equal(out.items[0], "/s/usr/lib/libgcc.a");
	assert_string_equal(out.items[1], "out/lib with blank.a");
	for (size_t i = 0; i < XB_COUNT(bad); i++) {
		if (xb_linked_parse_stats(xb_sv(bad[i]), &arena, &out))
			fail_msg("'%s' was taken", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_list_is_found_by_program_and_sysroot),
		TEST(a_path_that_leads_out_is_no_list),
		TEST(archives_that_gave_something),
	};

	return cmocka_run_group_tests_name("build/linked", tests, NULL, NULL);
}
