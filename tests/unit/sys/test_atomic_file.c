/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "sample.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/atomic_file.h"

static int make_dir(void **state)
{
	*state = sample_dir();
	return 0;
}

static int drop_dir(void **state)
{
	sample_dir_remove(*state);
	return 0;
}

/* The directory holds the one file, with this content. */
static void assert_only(const char *dir, const char *path, const char *content)
{
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};
	struct xb_str got XB_CLEANUP(xb_str_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	assert_int_equal(xb_fs_list(dir, &list, &err), 0);
	assert_int_equal(list.len, content ? 1 : 0);
	if (!content)
		return;
	sample_read(path, &got);
	assert_string_equal(xb_str_get(&got), content);
}

static void discard_leaves_the_old_content(void **state)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "f");
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_atomic_file f = {.fd = -1};

	assert_int_equal(xb_atomic_file_open(&f, path, 0644, &err), 0);
	assert_int_equal(xb_fs_write_all(f.fd, "new", 3, path, &err), 0);
	xb_atomic_file_discard(&f);
	assert_only(*state, path, NULL);

	sample_write(path, "old", 3);
	assert_int_equal(xb_atomic_file_open(&f, path, 0644, &err), 0);
	assert_int_equal(xb_fs_write_all(f.fd, "new", 3, path, &err), 0);
	xb_atomic_file_discard(&f);
	assert_int_equal(f.fd, -1);
	xb_atomic_file_discard(&f);
	assert_only(*state, path, "old");
}

static void an_empty_value_can_be_discarded(void **state)
{
	struct xb_atomic_file zero = {0};

	(void)state;
	xb_atomic_file_discard(NULL);
	xb_atomic_file_discard(&zero); /* must not close descriptor 0 */
	assert_true(fcntl(0, F_GETFD) != -1);
}

static void commit_shows_all_at_once(void **state)
{
	static const enum xb_atomic_flags flags[] = {0, XB_ATOMIC_SYNC};
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "f");

	for (size_t i = 0; i < XB_COUNT(flags); i++) {
		struct xb_atomic_file f XB_CLEANUP(xb_atomic_file_discard) = {.fd = -1};
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct xb_str got XB_CLEANUP(xb_str_release) = {0};
		struct stat st;
		const mode_t old = umask(077);

		sample_write(path, "old", 3);
		assert_int_equal(xb_atomic_file_open(&f, path, 0765, &err), 0);
		umask(old);
		assert_int_equal(fcntl(f.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
		assert_int_equal(xb_fs_write_all(f.fd, "new", 3, path, &err), 0);
		sample_read(path, &got);
		assert_string_equal(got.data, "old");
		assert_int_equal(xb_atomic_file_commit(&f, flags[i], &err), 0);
		assert_null(f.tmp_path);
		assert_int_equal(f.fd, -1);
		assert_only(*state, path, "new");
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0765);
	}
}

static void a_failed_commit_leaves_nothing(void **state)
{
	char *dir XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "d");
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, "f");
	char *below XB_CLEANUP(xb_free_ptr) = xb_path_join(path, "x");
	struct xb_atomic_file f = {.fd = -1};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};

	assert_int_equal(xb_fs_mkdirs(path, 0755, &err), 0);
	sample_write(below, "", 0);
	assert_int_equal(xb_atomic_file_open(&f, path, 0644, &err), 0);
	assert_int_equal(xb_atomic_file_commit(&f, 0, &err), XB_E_SYSTEM); /* a directory is in the way */
	assert_non_null(strstr(err.msg, path));
	xb_err_clear(&err);
	xb_atomic_file_discard(&f);
	assert_int_equal(xb_fs_list(dir, &list, &err), 0);
	assert_int_equal(list.len, 1);

	assert_int_equal(xb_atomic_file_open(&f, "/no/such/dir/f", 0644, &err), XB_E_NOT_FOUND);
	assert_non_null(strstr(err.msg, "/no/such/dir/f"));
	assert_int_equal(f.fd, -1);
}

static void write_takes_any_name(void **state)
{
	char *name XB_CLEANUP(xb_free_ptr) = xb_alloc(256);
	char *path XB_CLEANUP(xb_free_ptr) = NULL;
	char *before XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	memset(name, 'n', 255); /* as long as a name can be: the temporary one must not be longer */
	path = xb_path_join(*state, name);
	assert_int_equal(xb_atomic_file_write(path, "one", 3, 0644, 0, &err), 0);
	assert_only(*state, path, "one");
	assert_int_equal(xb_fs_cwd(&before, &err), 0);
	assert_int_equal(chdir(*state), 0);
	assert_int_equal(xb_atomic_file_write(name, "two", 3, 0644, XB_ATOMIC_SYNC, &err), 0);
	assert_int_equal(chdir(before), 0);
	assert_only(*state, path, "two");
	assert_int_equal(xb_atomic_file_write(path, "", 0, 0644, 0, &err), 0);
	assert_only(*state, path, "");
}

static void a_sweep_takes_what_a_killed_writer_left_and_nothing_else(void **state)
{
	char *kept XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, ".xb-tmp-of-mine");
	char *none XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "none");
	struct xb_atomic_file killed = {.fd = -1};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};

	assert_int_equal(xb_atomic_file_write(kept, "mine", 4, 0644, 0, &err), 0);
	assert_int_equal(xb_atomic_file_open(&killed, none, 0644, &err), 0);
	assert_int_equal(xb_fs_list(*state, &list, &err), 0);
	assert_int_equal(list.len, 2);
	xb_atomic_file_sweep(none);
	xb_atomic_file_sweep(*state);
	assert_only(*state, kept, "mine");
	xb_atomic_file_discard(&killed);
}

int main(void)
{
#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, drop_dir)
	const struct CMUnitTest tests[] = {
		IN_DIR(discard_leaves_the_old_content),
		cmocka_unit_test(an_empty_value_can_be_discarded),
		IN_DIR(commit_shows_all_at_once),
		IN_DIR(a_failed_commit_leaves_nothing),
		IN_DIR(write_takes_any_name),
		IN_DIR(a_sweep_takes_what_a_killed_writer_left_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
