/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files and directories. Every function names the path in its error. Nothing here follows what an untrusted document
 * says: names are checked before they come here (base/path). EINTR is retried; short reads and writes are completed.
 */
#ifndef XBUILD_SYS_FS_H
#define XBUILD_SYS_FS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"

/* Closes *fd if it is >= 0 and sets it to -1; for XB_CLEANUP(xb_fs_close) on an int that starts at -1. */
void xb_fs_close(int *fd);

/* Reads a whole regular file of at most max_bytes into out (replaced). A larger file is XB_E_INPUT. */
int xb_fs_read(const char *path, int64_t max_bytes, struct xb_str *out, struct xb_err *err) XB_MUST_CHECK;
int xb_fs_write_all(int fd, const void *data, size_t len, const char *name, struct xb_err *err) XB_MUST_CHECK;
/* Reads until len bytes or the end; returns the number read or a negative code. `name` is for the message. */
int64_t xb_fs_read_some(int fd, void *buf, size_t len, const char *name, struct xb_err *err) XB_MUST_CHECK;

/* Creates path and its missing parents with `mode` (not affected by umask). An existing directory is success. */
int xb_fs_mkdirs(const char *path, mode_t mode, struct xb_err *err) XB_MUST_CHECK;
/* Removes a file or a whole tree, without following links, also below read-only directories. Missing is success. */
int xb_fs_remove(const char *path, struct xb_err *err) XB_MUST_CHECK;
bool xb_fs_exists(const char *path); /* anything, a dangling link too */
bool xb_fs_is_dir(const char *path);
/* Stamps in nanoseconds since the epoch; the field has another name on each system. */
int64_t xb_fs_mtime_ns(const struct stat *st);
int64_t xb_fs_ctime_ns(const struct stat *st);

/*
 * Copies a regular file to a path that must not exist: by reflink where the file system can, else by bytes. The new
 * file has `mode` whatever the umask.
 */
int xb_fs_copy(const char *from, const char *to, mode_t mode, struct xb_err *err) XB_MUST_CHECK;
/* Atomically replaces `to` by a copy of `from` (xb_fs_copy to a temporary name beside it, then rename). */
int xb_fs_copy_replace(const char *from, const char *to, mode_t mode, struct xb_err *err) XB_MUST_CHECK;

/* Flushes everything written to the file system that holds path: one call for a whole batch (syncfs, else sync). */
int xb_fs_sync(const char *path, struct xb_err *err) XB_MUST_CHECK;

/* One entry of a directory, as xb_fs_list gives them. */
struct xb_fs_entry {
	char *name; /* owned by the list */
	bool is_dir, is_file, is_link;
};
struct xb_fs_list {
	struct xb_fs_entry *items; /* sorted by the bytes of name; "." and ".." left out */
	size_t len;
};
void xb_fs_list_release(struct xb_fs_list *list);
int xb_fs_list(const char *path, struct xb_fs_list *out, struct xb_err *err) XB_MUST_CHECK;

/* Owned absolute path of the current directory, or of `path` with links resolved. */
int xb_fs_cwd(char **out, struct xb_err *err) XB_MUST_CHECK;
int xb_fs_realpath(const char *path, char **out, struct xb_err *err) XB_MUST_CHECK;

#endif
