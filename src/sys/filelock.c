/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sys/filelock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/sys/fs.h"

static int open_lock_file(const char *path, struct xb_err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	/* In a cache that belongs to somebody else or is mounted read-only, a file that is there can still be locked. */
	if (fd < 0 && (errno == EACCES || errno == EROFS || errno == EPERM))
		fd = open(path, O_RDONLY | O_CLOEXEC);
	/* 0 is what an all-zero lock holds, so it cannot mean "held". */
	if (fd == 0) {
		fd = fcntl(0, F_DUPFD_CLOEXEC, 1);
		close(0);
	}
	if (fd < 0)
		return xb_fail_errno(err, "open lock file '%s'", path);
	return fd;
}

/* False when the file was removed or replaced while we waited: then others lock another file by this name. */
static bool is_still_at(int fd, const char *path)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_dev == there.st_dev &&
	       ours.st_ino == there.st_ino;
}

/* 1: *out_fd holds the lock; 0: somebody else does, and *out_fd is open all the same. */
static int lock_once(const char *path, enum xb_filelock_mode mode, int *out_fd, struct xb_err *err)
{
	const int operation = mode == XB_FILELOCK_SHARED ? LOCK_SH : LOCK_EX;

	for (;;) {
		int fd = open_lock_file(path, err);
		int rc;

		if (fd < 0)
			return fd;
		do
			rc = flock(fd, operation | LOCK_NB);
		while (rc < 0 && errno == EINTR);
		if (rc == 0 && !is_still_at(fd, path)) {
			xb_fs_close(&fd);
			continue;
		}
		if (rc < 0 && errno != EWOULDBLOCK) {
			xb_fail_errno(err, "lock '%s'", path);
			xb_fs_close(&fd);
			return err->code;
		}
		*out_fd = fd;
		return rc == 0;
	}
}

int xb_filelock_try(struct xb_filelock *lock, const char *path, enum xb_filelock_mode mode, bool *out_held,
		    struct xb_err *err)
{
	int fd XB_CLEANUP(xb_fs_close) = -1;
	const int held = lock_once(path, mode, &fd, err);

	if (held < 0)
		return held;
	*out_held = held;
	lock->fd = -1;
	if (held) {
		lock->fd = fd;
		fd = -1;
	}
	return 0;
}

static void tell_wait(const char *path, const struct xb_observer *observer)
{
	char *text XB_CLEANUP(xb_free_ptr) = xb_printf("waiting for another process to release the lock '%s'", path);

	xb_observe(observer, &(struct xb_event){.kind = XB_EVENT_NOTE, .text = text});
}

int xb_filelock_acquire(struct xb_filelock *lock, const char *path, enum xb_filelock_mode mode,
			const struct xb_observer *observer, struct xb_err *err)
{
	for (bool told = false;;) {
		int fd XB_CLEANUP(xb_fs_close) = -1;
		const int held = lock_once(path, mode, &fd, err);

		if (held < 0)
			return held;
		if (!held) {
			if (!told)
				tell_wait(path, observer);
			told = true;
			/* Not tried again after a signal: the user who gives up waiting must be heard. */
			if (flock(fd, mode == XB_FILELOCK_SHARED ? LOCK_SH : LOCK_EX) < 0)
				return errno == EINTR ? xb_fail(err, XB_E_INTERRUPTED, "lock '%s': interrupted", path)
						      : xb_fail_errno(err, "lock '%s'", path);
			if (!is_still_at(fd, path))
				continue;
		}
		lock->fd = fd;
		fd = -1;
		return 0;
	}
}

void xb_filelock_release(struct xb_filelock *lock)
{
	if (!lock)
		return;
	if (lock->fd > 0)
		close(lock->fd);
	lock->fd = -1;
}
