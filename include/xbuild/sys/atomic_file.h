/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that appears whole or not at all: written under a random temporary name in the directory of its destination,
 * then renamed. A crash at any moment leaves the old content or the new one.
 *
 *     struct xb_atomic_file f XB_CLEANUP(xb_atomic_file_discard) = {.fd = -1};
 *     if (xb_atomic_file_open(&f, path, 0644, err) < 0 || write to f.fd ... || xb_atomic_file_commit(&f, flags, err) < 0)
 *             return err->code;   // what was there before is untouched, the temporary file is gone
 */
#ifndef XBUILD_SYS_ATOMIC_FILE_H
#define XBUILD_SYS_ATOMIC_FILE_H

#include <sys/types.h>

#include "xbuild/base/err.h"

struct xb_atomic_file {
	int fd;		/* open for writing (and reading), or -1 */
	char *path;	/* destination; owned */
	char *tmp_path; /* owned; NULL once committed */
};

enum xb_atomic_flags {
	XB_ATOMIC_SYNC = 1, /* fsync the file before and the directory after the rename: survives a power cut */
};

int xb_atomic_file_open(struct xb_atomic_file *f, const char *path, mode_t mode, struct xb_err *err) XB_MUST_CHECK;
int xb_atomic_file_commit(struct xb_atomic_file *f, enum xb_atomic_flags flags, struct xb_err *err) XB_MUST_CHECK;
void xb_atomic_file_discard(struct xb_atomic_file *f); /* after commit: releases memory only */

/* open, write, commit in one call. */
int xb_atomic_file_write(const char *path, const void *data, size_t len, mode_t mode, enum xb_atomic_flags flags,
			 struct xb_err *err) XB_MUST_CHECK;

/*
 * Removes the temporary files that killed processes left in `dir`, as far as that can be done. Only for directories in
 * which nobody writes at the moment. A directory that is not there has none.
 */
void xb_atomic_file_sweep(const char *dir);

#endif
