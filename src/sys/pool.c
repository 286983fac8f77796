/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sys/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "xbuild/base/alloc.h"

#define MAX_THREADS 1024

struct job {
	struct job *next;
	xb_pool_fn *fn;
	void *arg;
	uint64_t number; /* in the order of submission */
};

struct xb_pool {
	pthread_mutex_t mutex;	/* guards all below but the threads */
	pthread_cond_t has_job; /* or stop */
	pthread_cond_t is_idle;
	struct job *first, **end;
	uint64_t n_submitted;
	size_t n_running;
	bool stop;
	uint64_t failed_number; /* of the job that err is from */
	struct xb_err err;
	pthread_t *threads;
	int n_threads;
};

static void drop_queue(struct xb_pool *pool)
{
	while (pool->first) {
		struct job *job = pool->first;

		pool->first = job->next;
		free(job);
	}
	pool->end = &pool->first;
}

/* Called with the mutex held; lets go of it while the job runs. */
static void run_first(struct xb_pool *pool)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct job *job = pool->first;
	int rc;

	pool->first = job->next;
	if (!pool->first)
		pool->end = &pool->first;
	pool->n_running++;
	pthread_mutex_unlock(&pool->mutex);
	rc = job->fn(job->arg, &err);
	pthread_mutex_lock(&pool->mutex);
	pool->n_running--;
	if (rc < 0) {
		if (!pool->err.code || job->number < pool->failed_number) {
			xb_err_clear(&pool->err);
			xb_err_move(&pool->err, &err);
			pool->failed_number = job->number;
		}
		drop_queue(pool);
	}
	free(job);
	if (!pool->first && !pool->n_running)
		pthread_cond_broadcast(&pool->is_idle);
}

static void *work(void *arg)
{
	struct xb_pool *pool = arg;

	pthread_mutex_lock(&pool->mutex);
	for (;;) {
		while (!pool->first && !pool->stop)
			pthread_cond_wait(&pool->has_job, &pool->mutex);
		if (!pool->first)
			break;
		run_first(pool);
	}
	pthread_mutex_unlock(&pool->mutex);
	return NULL;
}

/* Starts up to n threads that leave all signals to the others, so that those wake the thread that waits for them. */
static int start_threads(pthread_t *threads, int n, void *(*fn)(void *), void *arg)
{
	sigset_t all, old;
	int started = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (started < n && pthread_create(&threads[started], NULL, fn, arg) == 0)
		started++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return started;
}

struct xb_pool *xb_pool_new(int n_threads)
{
	struct xb_pool *pool = xb_alloc(sizeof(*pool));

	if (n_threads < 1)
		n_threads = 1;
	if (n_threads > MAX_THREADS)
		n_threads = MAX_THREADS;
	pool->end = &pool->first;
	pthread_mutex_init(&pool->mutex, NULL);
	pthread_cond_init(&pool->has_job, NULL);
	pthread_cond_init(&pool->is_idle, NULL);
	pool->threads = xb_realloc_array(NULL, (size_t)n_threads, sizeof(*pool->threads));
	/* Fewer than asked for is well; where there can be none, xb_pool_wait does the work. */
	pool->n_threads = start_threads(pool->threads, n_threads, work, pool);
	return pool;
}

void xb_pool_free(struct xb_pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->mutex);
	drop_queue(pool);
	pool->stop = true;
	pthread_cond_broadcast(&pool->has_job);
	pthread_mutex_unlock(&pool->mutex);
	for (int i = 0; i < pool->n_threads; i++)
		pthread_join(pool->threads[i], NULL);
	pthread_cond_destroy(&pool->is_idle);
	pthread_cond_destroy(&pool->has_job);
	pthread_mutex_destroy(&pool->mutex);
	xb_err_release(&pool->err);
	free(pool->threads);
	free(pool);
}

void xb_pool_submit(struct xb_pool *pool, xb_pool_fn *fn, void *arg)
{
	struct job *job = xb_alloc(sizeof(*job));

	job->fn = fn;
	job->arg = arg;
	pthread_mutex_lock(&pool->mutex);
	job->number = pool->n_submitted++;
	if (pool->err.code) {
		free(job); /* it counts as queued when the failure came */
	} else {
		*pool->end = job;
		pool->end = &job->next;
		pthread_cond_signal(&pool->has_job);
	}
	pthread_mutex_unlock(&pool->mutex);
}

int xb_pool_wait(struct xb_pool *pool, struct xb_err *err)
{
	int code;

	pthread_mutex_lock(&pool->mutex);
	while (pool->first && !pool->n_threads)
		run_first(pool);
	while (pool->first || pool->n_running)
		pthread_cond_wait(&pool->is_idle, &pool->mutex);
	code = pool->err.code;
	if (code)
		xb_err_move(err, &pool->err);
	pthread_mutex_unlock(&pool->mutex);
	return code;
}

/* What the threads of one xb_parallel share. */
struct parallel {
	pthread_mutex_t mutex;
	size_t next, n;
	size_t failed; /* index that err is from */
	struct xb_err err;
	int (*fn)(void *ctx, size_t i, struct xb_err *err);
	void *ctx;
};

static void *run_indices(void *arg)
{
	struct parallel *p = arg;

	pthread_mutex_lock(&p->mutex);
	/* Indices are given out in order, so all below the first one that fails have started and will be heard. */
	while (p->next < p->n && !p->err.code) {
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		const size_t i = p->next++;
		int rc;

		pthread_mutex_unlock(&p->mutex);
		rc = p->fn(p->ctx, i, &err);
		pthread_mutex_lock(&p->mutex);
		if (rc < 0 && (!p->err.code || i < p->failed)) {
			xb_err_clear(&p->err);
			xb_err_move(&p->err, &err);
			p->failed = i;
		}
	}
	pthread_mutex_unlock(&p->mutex);
	return NULL;
}

int xb_parallel(size_t n, int n_threads, int (*fn)(void *ctx, size_t i, struct xb_err *err), void *ctx,
		struct xb_err *err)
{
	struct parallel p = {.n = n, .fn = fn, .ctx = ctx};
	pthread_t threads[MAX_THREADS];
	int started = 0;

	if (n_threads > MAX_THREADS)
		n_threads = MAX_THREADS;
	if (n_threads > 1 && (size_t)n_threads > n)
		n_threads = (int)n;
	pthread_mutex_init(&p.mutex, NULL);
	if (n_threads > 1)
		started = start_threads(threads, n_threads - 1, run_indices, &p);
	run_indices(&p);
	for (int i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	pthread_mutex_destroy(&p.mutex);
	if (!p.err.code)
		return 0;
	xb_err_move(err, &p.err);
	return err->code;
}
