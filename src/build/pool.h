/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pool of jobs for the commands of the scheduler and for the tools that other build systems start: a FIFO with a byte for each
 * job that may run now (GNU make manual, "POSIX Jobserver Interaction"; a FIFO that is open for reading and writing serves as both
 * ends of the pipe that make before 4.4 knows). A command of the scheduler takes a byte before it starts, so does the process
 * that runs another build system; what that starts takes the rest.
 *
 * What a process took and did not give back, because it was killed, is there again as soon as no build system runs.
 */
#ifndef XBUILD_BUILD_POOL_H
#define XBUILD_BUILD_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "xbuild/base/err.h"

struct pool {
	char *path; /* of the FIFO; NULL: there is no pool, and everybody may start */
	int fd;
	size_t jobs;
};

int pool_open(struct pool *pool, const char *path, size_t jobs, struct xb_err *err) XB_MUST_CHECK;
void pool_close(struct pool *pool); /* removes the FIFO */
bool pool_take(struct pool *pool);
void pool_give(struct pool *pool);
/* No build system runs, and `running` commands do: makes the count what it has to be. */
void pool_settle(struct pool *pool, size_t running);

#endif
