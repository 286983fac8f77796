/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Advisory, exclusive lock between processes on a file that is created when missing (flock(2)); released by the kernel
 * when the holder dies. After a wait of one second the observer gets one NOTE that says what is waited for, with the
 * process id of the holder, which xb_filelock_acquire writes into the file.
 */
#ifndef XBUILD_SYS_FILELOCK_H
#define XBUILD_SYS_FILELOCK_H

#include <stdbool.h>

#include "xbuild/base/err.h"
#include "xbuild/base/observer.h"

struct xb_filelock {
	int fd; /* -1 when not held */
};

/* XB_E_INTERRUPTED soon after *interrupted (may be NULL) becomes non-zero, whenever the signal came. */
int xb_filelock_acquire(struct xb_filelock *lock, const char *path, const struct xb_observer *observer,
			const volatile int *interrupted, struct xb_err *err) XB_MUST_CHECK;
/* Like acquire, but *out_held is false instead of waiting. */
int xb_filelock_try(struct xb_filelock *lock, const char *path, bool *out_held, struct xb_err *err) XB_MUST_CHECK;
void xb_filelock_release(struct xb_filelock *lock);

#endif
