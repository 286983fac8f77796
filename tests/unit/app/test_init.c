/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "xbuild/app/app.h"
#include "xbuild/app/op_init.h"
#include "xbuild/base/alloc.h"
#include "xbuild/sys/fs.h"

struct sample {
	char dir[32];
	char *hello, *file;
	struct xb_app app;
	struct xb_init_result result;
	struct xb_err err;
};

static int setup(void **state)
{
	static struct sample s;
	const struct xb_app_options options = {.dir = s.dir};

	s = (struct sample){.dir = "/tmp/xb-init-XXXXXX"};
	assert_non_null(mkdtemp(s.dir));
	s.hello = xb_printf("%s/hello.c", s.dir);
	s.file = xb_printf("%s/xbuild.yaml", s.dir);
	xb_app_init(&s.app, &options, NULL, NULL);
	*state = &s;
	return 0;
}

static int teardown(void **state)
{
	struct sample *s = *state;
	struct xb_err err = {0};

	xb_app_release(&s->app);
	xb_err_release(&s->err);
	free(s->hello);
	free(s->file);
	return xb_fs_remove(s->dir, &err);
}

static void an_empty_directory_gets_a_program(void **state)
{
	struct sample *s = *state;

	assert_int_equal(xb_op_init(&s->app, NULL, &s->result, &s->err), 0);
	assert_false(s->result.found_sources);
	assert_true(xb_fs_exists(s->hello) && xb_fs_exists(s->file));
	assert_int_equal(xb_op_init(&s->app, NULL, &s->result, &s->err), XB_E_USAGE);
}

/* A source may be a link; it is one of the user's files and stays what it is. */
static void a_linked_source_is_kept(void **state)
{
	struct sample *s = *state;
	struct stat st;

	assert_int_equal(symlink("/dev/null", s->hello), 0);
	assert_int_equal(xb_op_init(&s->app, NULL, &s->result, &s->err), 0);
	assert_true(s->result.found_sources);
	assert_string_equal(s->result.sources, "*.c");
	assert_int_equal(lstat(s->hello, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
}

static void what_is_no_file_is_kept(void **state)
{
	struct sample *s = *state;
	struct stat st;

	assert_int_equal(mkfifo(s->hello, 0600), 0);
	assert_int_equal(xb_op_init(&s->app, NULL, &s->result, &s->err), XB_E_USAGE);
	assert_int_equal(lstat(s->hello, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_false(xb_fs_exists(s->file));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_empty_directory_gets_a_program, setup, teardown),
		cmocka_unit_test_setup_teardown(a_linked_source_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_no_file_is_kept, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
