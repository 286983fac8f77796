/* SPDX-License-Identifier: Apache-2.0 */
/* The pool of jobs: never more bytes than jobs, and none lost, whatever children do with theirs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../src/build/pool.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/fs.h"

struct place {
	char dir[32];
	char *path;
	struct pool pool;
	struct xb_err err;
};

static int setup(void **state)
{
	struct place *p = xb_alloc(sizeof(*p));

	memcpy(p->dir, "/tmp/xb-pool-XXXXXX", sizeof("/tmp/xb-pool-XXXXXX"));
	*state = p;
	if (!mkdtemp(p->dir))
		return -1;
	p->path = xb_path_join(p->dir, "fifo");
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	pool_close(&p->pool);
	(void)!xb_fs_remove(p->dir, &p->err);
	xb_err_release(&p->err);
	free(p->path);
	free(p);
	return 0;
}

/* How many bytes are there; they are there afterwards as well. */
static size_t count(struct place *p)
{
	size_t n = 0;

	while (pool_take(&p->pool))
		n++;
	for (size_t i = 0; i < n; i++)
		pool_give(&p->pool);
	return n;
}

static void open_pool(struct place *p, size_t jobs)
{
	if (pool_open(&p->pool, p->path, jobs, &p->err) < 0)
		fail_msg("%s", p->err.msg);
}

static void test_has_a_byte_for_each_job(void **state)
{
	struct place *p = *state;
	struct stat st;

	open_pool(p, 3);
	assert_int_equal(count(p), 3);
	for (int i = 0; i < 3; i++)
		assert_true(pool_take(&p->pool));
	assert_false(pool_take(&p->pool)); /* and does not wait */
	pool_give(&p->pool);
	assert_true(pool_take(&p->pool));
	assert_int_equal(lstat(p->path, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	pool_close(&p->pool);
	assert_int_equal(lstat(p->path, &st), -1);
	pool_close(&p->pool);
	assert_true(pool_take(&p->pool)); /* no pool: everybody may start */
}

static void test_takes_the_place_of_what_was_left(void **state)
{
	struct place *p = *state;
	const int old = mkfifo(p->path, 0600) == 0 ? open(p->path, O_RDWR | O_CLOEXEC) : -1;

	assert_true(old >= 0);
	assert_int_equal(write(old, "++++++++", 8), 8);
	open_pool(p, 2);
	assert_int_equal(count(p), 2); /* not those of a build that was killed */
	close(old);
}

static void test_says_where_it_cannot_be(void **state)
{
	struct place *p = *state;
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(p->dir, "none/fifo");

	assert_true(pool_open(&p->pool, path, 2, &p->err) < 0);
	assert_non_null(strstr(p->err.msg, "none/fifo"));
	assert_true(pool_take(&p->pool));
}

/* A child that takes `n` by the path, as other build systems do, and then ends or is killed with them. */
static void lose(struct place *p, int n, bool is_killed)
{
	int status;
	const pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		const int fd = open(p->path, O_RDWR);
		char byte;

		while (fd >= 0 && n-- > 0)
			if (read(fd, &byte, 1) != 1)
				_exit(9);
		if (is_killed)
			raise(SIGKILL);
		_exit(fd < 0 ? 9 : 1);
	}
	assert_true(waitpid(child, &status, 0) == child);
	assert_true(is_killed ? WIFSIGNALED(status) : WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

static void test_what_children_lost_is_there_again(void **state)
{
	struct place *p = *state;

	open_pool(p, 4);
	for (int lost = 0; lost <= 4; lost++) {
		for (int is_killed = 0; is_killed < 2; is_killed++) {
			lose(p, lost, is_killed);
			assert_int_equal(count(p), 4 - lost);
			pool_settle(&p->pool, 0);
			assert_int_equal(count(p), 4);
		}
	}
}

/* A tool that gives back more than it took (make 4.3 does, after errors of its own) makes no more jobs of it. */
static void test_no_more_than_jobs(void **state)
{
	struct place *p = *state;

	open_pool(p, 2);
	for (int i = 0; i < 100; i++)
		pool_give(&p->pool);
	pool_settle(&p->pool, 0);
	assert_int_equal(count(p), 2);
}

/* Any order of commands that start and end, and of build systems that lose bytes: after each settling the sum is right. */
static void test_any_order(void **state)
{
	struct place *p = *state;
	uint32_t x = 12345;

	open_pool(p, 5);
	for (int round = 0; round < 200; round++) {
		size_t running = 0;

		for (int step = 0; step < 40; step++) {
			x = x * 1664525 + 1013904223;
			if ((x >> 16) % 3 && pool_take(&p->pool)) {
				running++;
			} else if (running) {
				pool_give(&p->pool);
				running--;
			}
			assert_true(running <= 5);
		}
		assert_int_equal(count(p), 5 - running);
		if (round % 3 == 0)
			(void)pool_take(&p->pool); /* somebody's, who dies with it */
		pool_settle(&p->pool, running);
		assert_int_equal(count(p), 5 - running);
		while (running-- > 0)
			pool_give(&p->pool);
		assert_int_equal(count(p), 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_has_a_byte_for_each_job, setup, teardown),
		cmocka_unit_test_setup_teardown(test_takes_the_place_of_what_was_left, setup, teardown),
		cmocka_unit_test_setup_teardown(test_says_where_it_cannot_be, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_children_lost_is_there_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_more_than_jobs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_any_order, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
