/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sys/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/fs.h"

/* The name does not contain the destination's, which may already be as long as a name can be. */
#define TMP_PREFIX ".xb-tmp-"
#define TMP_NAME   TMP_PREFIX "XXXXXX"

static char *parent_of(const char *path)
{
	const struct xb_sv dir = xb_path_dir(xb_sv(path));

	if (dir.len)
		return xb_sv_dup(dir);
	return xb_strdup(path[0] == '/' ? "/" : ".");
}

int xb_atomic_file_open(struct xb_atomic_file *f, const char *path, mode_t mode, struct xb_err *err)
{
	char *dir XB_CLEANUP(xb_free_ptr) = parent_of(path);
	char *tmp XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, TMP_NAME);
	int fd = mkostemp(tmp, O_CLOEXEC);

	if (fd < 0)
		return xb_fail_errno(err, "create a file in '%s' for '%s'", dir, path);
	if (fchmod(fd, mode) < 0) {
		xb_fail_errno(err, "set the mode of '%s'", tmp);
		xb_fs_close(&fd);
		unlink(tmp);
		return err->code;
	}
	f->fd = fd;
	f->path = xb_strdup(path);
	f->tmp_path = tmp;
	tmp = NULL;
	return 0;
}

/* On macOS fsync leaves the data in the cache of the drive. */
static int flush(int fd)
{
#ifdef F_FULLFSYNC
	if (fcntl(fd, F_FULLFSYNC) == 0)
		return 0;
#endif
	return fsync(fd);
}

static int flush_parent(const char *path, struct xb_err *err)
{
	char *dir XB_CLEANUP(xb_free_ptr) = parent_of(path);
	int fd XB_CLEANUP(xb_fs_close) = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return xb_fail_errno(err, "open directory '%s'", dir);
	/* EINVAL: a file system that cannot flush directories (some network and FUSE ones); nothing better exists there. */
	if (flush(fd) < 0 && errno != EINVAL)
		return xb_fail_errno(err, "flush directory '%s'", dir);
	return 0;
}

int xb_atomic_file_commit(struct xb_atomic_file *f, enum xb_atomic_flags flags, struct xb_err *err)
{
	int fd = f->fd;

	if (flags & XB_ATOMIC_SYNC && flush(fd) < 0)
		return xb_fail_errno(err, "flush '%s'", f->path);
	/* Network file systems report a full disk only here. After EINTR the descriptor is gone as well (Linux). */
	f->fd = -1;
	if (close(fd) < 0 && errno != EINTR)
		return xb_fail_errno(err, "write '%s'", f->path);
	if (rename(f->tmp_path, f->path) < 0)
		return xb_fail_errno(err, "rename '%s' to '%s'", f->tmp_path, f->path);
	free(f->tmp_path);
	f->tmp_path = NULL;
	return flags & XB_ATOMIC_SYNC ? flush_parent(f->path, err) : 0;
}

void xb_atomic_file_discard(struct xb_atomic_file *f)
{
	if (!f)
		return;
	if (f->tmp_path) {
		xb_fs_close(&f->fd);
		unlink(f->tmp_path);
	}
	free(f->tmp_path);
	free(f->path);
	*f = (struct xb_atomic_file){.fd = -1};
}

int xb_atomic_file_write(const char *path, const void *data, size_t len, mode_t mode, enum xb_atomic_flags flags,
			 struct xb_err *err)
{
	struct xb_atomic_file f XB_CLEANUP(xb_atomic_file_discard) = {.fd = -1};

	if (xb_atomic_file_open(&f, path, mode, err) < 0 || xb_fs_write_all(f.fd, data, len, path, err) < 0 ||
	    xb_atomic_file_commit(&f, flags, err) < 0)
		return err->code;
	return 0;
}

void xb_atomic_file_sweep(const char *dir)
{
	struct xb_err none XB_CLEANUP(xb_err_release) = {0};
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};

	if (!xb_fs_is_dir(dir) || xb_fs_list(dir, &list, &none) < 0)
		return;
	for (size_t i = 0; i < list.len; i++) {
		const struct xb_fs_entry *entry = &list.items[i];
		char *path XB_CLEANUP(xb_free_ptr) = NULL;

		if (!entry->is_file || strlen(entry->name) != strlen(TMP_NAME) ||
		    !xb_sv_starts(xb_sv(entry->name), TMP_PREFIX))
			continue;
		path = xb_path_join(dir, entry->name);
		unlink(path);
	}
}
