/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/sys/fs.h"

int pool_open(struct pool *pool, const char *path, size_t jobs, struct xb_err *err)
{
	*pool = (struct pool){.fd = -1, .jobs = jobs};
	if (xb_fs_remove(path, err) < 0)
		return err->code;
	if (mkfifo(path, 0600) < 0)
		return xb_fail_errno(err, "make the FIFO '%s'", path);
	pool->path = xb_strdup(path);
	/* for reading and writing, so that it is never at its end; what is in it may be taken by others first */
	pool->fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (pool->fd < 0) {
		xb_fail_errno(err, "open the FIFO '%s'", path);
		pool_close(pool);
		return err->code;
	}
	pool_settle(pool, 0);
	return 0;
}

void pool_close(struct pool *pool)
{
	xb_fs_close(&pool->fd);
	if (pool->path)
		unlink(pool->path);
	free(pool->path);
	pool->path = NULL;
}

bool pool_take(struct pool *pool)
{
	char byte;
	ssize_t n;

	if (!pool->path)
		return true;
	do
		n = read(pool->fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

void pool_give(struct pool *pool)
{
	ssize_t n;

	if (!pool->path)
		return;
	do
		n = write(pool->fd, "+", 1);
	while (n < 0 && errno == EINTR);
}

void pool_settle(struct pool *pool, size_t running)
{
	if (!pool->path)
		return;
	while (pool_take(pool))
		;
	for (size_t i = running; i < pool->jobs; i++)
		pool_give(pool);
}
