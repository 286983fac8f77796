/* SPDX-License-Identifier: Apache-2.0 */
#include "../skip.h"
#include "fixture.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

static char *tmp_dir(const struct fixture *f)
{
	return xb_printf("%s/tmp", f->store_dir);
}

static void makes_its_directories(void **state)
{
	static const char *const dirs[] = {"blobs", "trees", "actions", "tmp", "locks"};
	struct fixture *f = *state;
	char *format XB_CLEANUP(xb_free_ptr) = xb_printf("%s/format", f->store_dir);
	char *text XB_CLEANUP(xb_free_ptr) = read_text(format);
	struct stat st;

	assert_string_equal(text, "1\n");
	assert_string_equal(xb_store_dir(f->store), f->store_dir);
	for (size_t i = 0; i < XB_COUNT(dirs); i++) {
		char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/%s", f->store_dir, dirs[i]);

		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0755);
	}
}

static void refuses_another_format(void **state)
{
	struct fixture *f = *state;
	char *format XB_CLEANUP(xb_free_ptr) = xb_printf("%s/format", f->store_dir);
	struct xb_store *other = NULL;

	write_text(format, "2\n");
	assert_int_equal(xb_store_open(f->store_dir, NULL, &other, &f->err), XB_E_SYSTEM);
	assert_non_null(strstr(f->err.msg, "expected format 1, found '2'"));
	assert_non_null(f->err.hint);
	assert_null(other);
}

static void refuses_a_directory_that_others_write(void **state)
{
	struct fixture *f = *state;
	struct xb_store *other = NULL;

	assert_int_equal(chmod(f->store_dir, 0777), 0);
	assert_int_equal(xb_store_open(f->store_dir, NULL, &other, &f->err), XB_E_SYSTEM);
	assert_non_null(strstr(f->err.hint, "XBUILD_CACHE_DIR"));
}

static void refuses_a_directory_of_another_user(void **state)
{
	struct fixture *f = *state;
	struct xb_store *other = NULL;

	if (geteuid() != 0)
		skip_without("root's rights");
	assert_int_equal(chown(f->store_dir, 65534, 65534), 0);
	assert_int_equal(xb_store_open(f->store_dir, NULL, &other, &f->err), XB_E_SYSTEM);
	assert_non_null(strstr(f->err.msg, "belongs to user 65534"));
	assert_non_null(strstr(f->err.hint, "XBUILD_CACHE_DIR"));
}

static void temporary_names_differ_and_vanish(void **state)
{
	struct fixture *f = *state;
	char *dir XB_CLEANUP(xb_free_ptr) = tmp_dir(f);
	char *a XB_CLEANUP(xb_free_ptr) = NULL, *b XB_CLEANUP(xb_free_ptr) = NULL;

	assert_int_equal(count_files(dir), 0); /* a run that makes nothing leaves no trace */
	a = xb_store_tmp(f->store);
	b = xb_store_tmp(f->store);
	assert_string_not_equal(a, b);
	assert_false(xb_fs_exists(a));
	write_text(a, "left behind");
	assert_int_equal(count_files(dir), 2); /* the directory and its lock */
	xb_store_close(f->store);
	f->store = NULL;
	assert_int_equal(count_files(dir), 0);
}

/* Another process with a file in its tmp directory; it says so through a pipe and waits to be killed. */
static pid_t start_holder(const struct fixture *f)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct xb_err err = {0};
		struct xb_store *store;
		char *path;

		if (xb_store_open(f->store_dir, NULL, &store, &err) < 0)
			_exit(1);
		path = xb_store_tmp(store);
		if (xb_atomic_file_write(path, "x", 1, 0444, 0, &err) < 0 || write(ready[1], "r", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void leftovers_of_the_dead_go_those_of_the_living_stay(void **state)
{
	struct fixture *f = *state;
	char *dir XB_CLEANUP(xb_free_ptr) = tmp_dir(f);
	const pid_t pid = start_holder(f);
	struct xb_store *other;

	assert_ok(xb_store_open(f->store_dir, NULL, &other, &f->err), &f->err);
	xb_store_close(other);
	assert_int_equal(count_files(dir), 2);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(count_files(dir), 2);
	assert_ok(xb_store_open(f->store_dir, NULL, &other, &f->err), &f->err);
	xb_store_close(other);
	assert_int_equal(count_files(dir), 0);
}

struct turns {
	struct xb_store *store;
	int inside, most, rounds;
};

static void *take_turns(void *arg)
{
	struct turns *t = arg;

	for (int i = 0; i < 100; i++) {
		struct xb_filelock lock = {.fd = -1};
		struct xb_err err = {0};
		int inside;

		if (xb_store_lock(t->store, "thing", &lock, &err) < 0)
			return NULL;
		inside = __atomic_add_fetch(&t->inside, 1, __ATOMIC_SEQ_CST);
		if (inside > t->most)
			t->most = inside;
		t->rounds++;
		__atomic_sub_fetch(&t->inside, 1, __ATOMIC_SEQ_CST);
		xb_filelock_release(&lock);
	}
	return NULL;
}

static void a_lock_is_for_one(void **state)
{
	struct fixture *f = *state;
	struct turns turns = {.store = f->store};
	pthread_t threads[4];

	for (size_t i = 0; i < XB_COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_turns, &turns), 0);
	for (size_t i = 0; i < XB_COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(turns.most, 1);
	assert_int_equal(turns.rounds, 400);
}

static void publish_makes_the_directory(void **state)
{
	struct fixture *f = *state;
	struct xb_digest name = {.bytes = {0xab}};
	char *path XB_CLEANUP(xb_free_ptr) = xb_store_path(f->store, "actions", &name);
	char *tmp XB_CLEANUP(xb_free_ptr) = xb_store_tmp(f->store);

	assert_non_null(strstr(path, "/actions/ab/00"));
	write_text(tmp, "x");
	assert_ok(xb_store_publish(tmp, path, &f->err), &f->err);
	assert_true(xb_fs_exists(path));
	assert_false(xb_fs_exists(tmp));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(makes_its_directories),
		TEST(refuses_another_format),
		TEST(refuses_a_directory_that_others_write),
		TEST(refuses_a_directory_of_another_user),
		TEST(temporary_names_differ_and_vanish),
		TEST(leftovers_of_the_dead_go_those_of_the_living_stay),
		TEST(a_lock_is_for_one),
		TEST(publish_makes_the_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
