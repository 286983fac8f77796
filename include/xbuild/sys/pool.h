/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Worker threads for CPU-bound work (unpack, hash, compress).
 *
 * xb_pool_new(n) starts n threads; submit queues a job; wait blocks until the queue is empty and all jobs are done and
 * reports the failure of the job that was submitted first among those that failed. After a failure queued jobs that
 * have not started are dropped.
 */
#ifndef XBUILD_SYS_POOL_H
#define XBUILD_SYS_POOL_H

#include <stddef.h>

#include "xbuild/base/err.h"

struct xb_pool;

typedef int xb_pool_fn(void *arg, struct xb_err *err);

struct xb_pool *xb_pool_new(int n_threads); /* at least 1 */
void xb_pool_free(struct xb_pool *pool);    /* waits for running jobs, drops queued ones */
void xb_pool_submit(struct xb_pool *pool, xb_pool_fn *fn, void *arg);
int xb_pool_wait(struct xb_pool *pool, struct xb_err *err) XB_MUST_CHECK;

/* fn(ctx, i) for i in [0, n) on up to n_threads threads (the caller's included); the first failure by i wins. */
int xb_parallel(size_t n, int n_threads, int (*fn)(void *ctx, size_t i, struct xb_err *err), void *ctx,
		struct xb_err *err) XB_MUST_CHECK;

#endif
