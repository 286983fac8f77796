/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sys/filelock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/num.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/host.h"

#define QUIET_MS       1000 /* a shorter wait is nobody's business */
#define MAX_PAUSE_MS   50
#define PID_TEXT_BYTES 24

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

/*
 * False when its holder removed the file after we had opened it and before we had the lock (the store does so with its
 * directories of temporary files): then others lock another file by this name.
 */
static bool is_still_at(int fd, const char *path)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_dev == there.st_dev &&
	       ours.st_ino == there.st_ino;
}

/* 1: *out_fd holds the lock; 0: somebody else does, and *out_fd is open all the same. */
static int lock_once(const char *path, int *out_fd, struct xb_err *err)
{
	for (;;) {
		int fd = open_lock_file(path, err);
		int rc;

		if (fd < 0)
			return fd;
		do
			rc = flock(fd, LOCK_EX | LOCK_NB);
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

int xb_filelock_try(struct xb_filelock *lock, const char *path, bool *out_held, struct xb_err *err)
{
	int fd XB_CLEANUP(xb_fs_close) = -1;
	const int held = lock_once(path, &fd, err);

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

/* For the message of who waits; a file that cannot be written to still locks. */
static void write_holder(int fd)
{
	char text[PID_TEXT_BYTES];
	const int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (ftruncate(fd, 0) == 0)
		(void)!pwrite(fd, text, (size_t)len, 0);
}

/* 0 when the file does not say: it cannot be written to, or is about to be. */
static uint64_t read_holder(int fd)
{
	char text[PID_TEXT_BYTES];
	const ssize_t len = pread(fd, text, sizeof(text), 0);
	uint64_t pid = 0;

	if (len <= 0 || !xb_num_u64(xb_sv_trim(xb_sv_n(text, (size_t)len)), INT32_MAX, &pid))
		return 0;
	return pid;
}

static void tell_wait(int fd, const char *path, const struct xb_observer *observer)
{
	const unsigned long long pid = read_holder(fd);
	char *text XB_CLEANUP(xb_free_ptr) =
		pid ? xb_printf("waiting for another xbuild (pid %llu) to release the lock '%s'", pid, path)
		    : xb_printf("waiting for another process to release the lock '%s'", path);

	xb_observe(observer, &(struct xb_event){.kind = XB_EVENT_NOTE, .text = text});
}

static void sleep_ms(int ms)
{
	const struct timespec time = {.tv_nsec = (long)ms * 1000000};

	nanosleep(&time, NULL);
}

/*
 * Asks again and again instead of sleeping in flock(2): a signal whose handler runs just before the call would not be
 * seen until the lock is free.
 */
int xb_filelock_acquire(struct xb_filelock *lock, const char *path, const struct xb_observer *observer,
			const volatile int *interrupted, struct xb_err *err)
{
	const int64_t tell_at_ms = xb_host_monotonic_ms() + QUIET_MS;
	bool told = false;

	for (int pause_ms = 1;; pause_ms = 2 * pause_ms < MAX_PAUSE_MS ? 2 * pause_ms : MAX_PAUSE_MS) {
		int fd XB_CLEANUP(xb_fs_close) = -1;
		const int held = lock_once(path, &fd, err);

		if (held < 0)
			return held;
		if (held) {
			write_holder(fd);
			lock->fd = fd;
			fd = -1;
			return 0;
		}
		if (interrupted && *interrupted)
			return xb_fail(err, XB_E_INTERRUPTED, "lock '%s': interrupted", path);
		if (!told && xb_host_monotonic_ms() >= tell_at_ms) {
			tell_wait(fd, path, observer);
			told = true;
		}
		sleep_ms(pause_ms);
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
