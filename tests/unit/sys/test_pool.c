/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "xbuild/sys/pool.h"

enum { N = 2000 };

static int count(void *arg, struct xb_err *err)
{
	(void)err;
	atomic_fetch_add((atomic_int *)arg, 1);
	return 0;
}

static void every_job_runs_once(void **state)
{
	(void)state;
	for (int n_threads = 0; n_threads < 5; n_threads++) {
		struct xb_pool *pool = xb_pool_new(n_threads);
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		static atomic_int done[N];

		for (int i = 0; i < N; i++)
			atomic_store(&done[i], 0);
		for (int round = 1; round <= 3; round++) {
			for (int i = 0; i < N; i++)
				xb_pool_submit(pool, count, &done[i]);
			assert_int_equal(xb_pool_wait(pool, &err), 0);
			for (int i = 0; i < N; i++)
				assert_int_equal(done[i], round);
		}
		xb_pool_free(pool);
	}
}

/* Nobody passes before `size` threads have come; macOS has no pthread_barrier_t. */
struct gate {
	pthread_mutex_t mutex;
	pthread_cond_t moved;
	unsigned size, come;
};

#define GATE(n)                                                                                                        \
	{                                                                                                              \
		.mutex = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER, .size = (n)                     \
	}

static void pass(struct gate *gate)
{
	unsigned round;

	pthread_mutex_lock(&gate->mutex);
	round = gate->come++ / gate->size;
	pthread_cond_broadcast(&gate->moved);
	while (gate->come / gate->size == round)
		pthread_cond_wait(&gate->moved, &gate->mutex);
	pthread_mutex_unlock(&gate->mutex);
}

/* Jobs that only end when as many as the gate wants run at once. */
static int meet(void *arg, struct xb_err *err)
{
	(void)err;
	pass(arg);
	return 0;
}

static void all_threads_work(void **state)
{
	struct xb_pool *pool = xb_pool_new(4);
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct gate gate = GATE(4);

	(void)state;
	for (int i = 0; i < 8; i++)
		xb_pool_submit(pool, meet, &gate);
	assert_int_equal(xb_pool_wait(pool, &err), 0);
	xb_pool_free(pool);
}

struct failing {
	struct gate *gate;
	const char *name;
	atomic_int *order; /* the second of the two fails first */
	int turn;
};

static int fail_in_turn(void *arg, struct xb_err *err)
{
	struct failing *f = arg;

	pass(f->gate);
	while (atomic_load(f->order) != f->turn)
		;
	xb_fail(err, XB_E_INPUT, "%s", f->name);
	atomic_fetch_add(f->order, 1);
	return err->code;
}

static void the_first_submitted_failure_is_reported(void **state)
{
	struct xb_pool *pool = xb_pool_new(2);
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct gate gate = GATE(2);
	atomic_int order = 0, ran = 0;
	struct failing first = {.gate = &gate, .name = "first", .order = &order, .turn = 1};
	struct failing second = {.gate = &gate, .name = "second", .order = &order, .turn = 0};

	(void)state;
	xb_pool_submit(pool, fail_in_turn, &first);
	xb_pool_submit(pool, fail_in_turn, &second);
	assert_int_equal(xb_pool_wait(pool, &err), XB_E_INPUT);
	assert_string_equal(err.msg, "first");
	xb_err_clear(&err);
	/* The failure was reported: the pool works again. */
	xb_pool_submit(pool, count, &ran);
	assert_int_equal(xb_pool_wait(pool, &err), 0);
	assert_int_equal(ran, 1);
	xb_pool_free(pool);
}

static int fail_after(void *arg, struct xb_err *err)
{
	pass(arg); /* all others are queued by then */
	return xb_fail(err, XB_E_SYSTEM, "no");
}

static void queued_jobs_are_dropped_after_a_failure(void **state)
{
	struct xb_pool *pool = xb_pool_new(1);
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct gate gate = GATE(2);
	atomic_int ran = 0;

	(void)state;
	xb_pool_submit(pool, fail_after, &gate);
	for (int i = 0; i < 100; i++)
		xb_pool_submit(pool, count, &ran);
	pass(&gate);
	assert_int_equal(xb_pool_wait(pool, &err), XB_E_SYSTEM);
	assert_string_equal(err.msg, "no");
	assert_int_equal(ran, 0);
	xb_pool_free(pool);
}

static void free_drops_what_is_queued(void **state)
{
	struct xb_pool *pool = xb_pool_new(1);
	struct gate gate = GATE(2);

	(void)state;
	xb_pool_submit(pool, fail_after, &gate);
	xb_pool_submit(pool, fail_after, &gate); /* would wait for ever */
	pass(&gate);
	xb_pool_free(pool);
	xb_pool_free(NULL);
}

static int mark(void *ctx, size_t i, struct xb_err *err)
{
	(void)err;
	atomic_fetch_add(&((atomic_int *)ctx)[i], 1);
	return 0;
}

static void parallel_covers_every_index(void **state)
{
	static const size_t sizes[] = {0, 1, 2, 7, N};
	static atomic_int done[N + 1];
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		for (int n_threads = 0; n_threads < 9; n_threads++) {
			memset(done, 0, sizeof(done));
			assert_int_equal(xb_parallel(sizes[s], n_threads, mark, done, &err), 0);
			for (size_t i = 0; i <= N; i++)
				assert_int_equal(done[i], i < sizes[s]);
		}
	}
	assert_int_equal(xb_parallel(N, 1000000, mark, done, &err), 0);
}

static int fail_from_seven(void *ctx, size_t i, struct xb_err *err)
{
	atomic_fetch_add((atomic_int *)ctx, 1);
	return i >= 7 ? xb_fail(err, XB_E_INPUT, "index %zu", i) : 0;
}

static void parallel_reports_the_lowest_failure(void **state)
{
	(void)state;
	for (int round = 0; round < 200; round++) {
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		atomic_int ran = 0;

		assert_int_equal(xb_parallel(N, 1 + round % 8, fail_from_seven, &ran, &err), XB_E_INPUT);
		assert_string_equal(err.msg, "index 7");
		assert_in_range(ran, 8, 8 + 8); /* and starts no more than were under way */
	}
}

static int mask_of_thread(void *arg, struct xb_err *err)
{
	(void)err;
	pthread_sigmask(SIG_SETMASK, NULL, arg);
	return 0;
}

/* Signals must reach the thread that waits for children. */
static void workers_take_no_signals(void **state)
{
	struct xb_pool *pool = xb_pool_new(1);
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	sigset_t worker, ours;

	(void)state;
	xb_pool_submit(pool, mask_of_thread, &worker);
	assert_int_equal(xb_pool_wait(pool, &err), 0);
	xb_pool_free(pool);
	pthread_sigmask(SIG_SETMASK, NULL, &ours);
	assert_int_equal(sigismember(&worker, SIGINT), 1);
	assert_int_equal(sigismember(&worker, SIGTERM), 1);
	assert_int_equal(sigismember(&ours, SIGINT), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_job_runs_once),
		cmocka_unit_test(all_threads_work),
		cmocka_unit_test(the_first_submitted_failure_is_reported),
		cmocka_unit_test(queued_jobs_are_dropped_after_a_failure),
		cmocka_unit_test(free_drops_what_is_queued),
		cmocka_unit_test(parallel_covers_every_index),
		cmocka_unit_test(parallel_reports_the_lowest_failure),
		cmocka_unit_test(workers_take_no_signals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
