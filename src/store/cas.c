/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/store/cas.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/sys/fs.h"

#define BLOB_MODE	0444
#define EXECUTABLE_MODE 0555

char *xb_cas_path(const struct xb_store *store, const struct xb_digest *digest)
{
	return xb_store_path(store, "blobs", digest);
}

static void drop(const char *path)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};

	(void)!xb_fs_remove(path, &ignored);
}

static bool has_its_content(const char *path, const struct xb_digest *digest)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct xb_digest found;

	return xb_digest_file(path, &found, NULL, &ignored) == 0 && xb_digest_eq(&found, digest);
}

bool xb_cas_has(const struct xb_store *store, const struct xb_digest *digest, int64_t size_bytes)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_cas_path(store, digest);
	struct stat st;

	if (lstat(path, &st) < 0)
		return false;
	if (S_ISREG(st.st_mode) && (size_bytes < 0 || st.st_size == size_bytes))
		return true;
	/* Not the blob may be wrong, but who asks: a lock that was tampered with must not empty the store. */
	if (!S_ISREG(st.st_mode) || !has_its_content(path, digest))
		drop(path);
	return false;
}

int xb_cas_begin(struct xb_store *store, struct xb_cas_writer *out, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_store_tmp(store);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return xb_fail_errno(err, "create '%s'", path);
	*out = (struct xb_cas_writer){.store = store, .fd = fd, .path = path};
	path = NULL;
	return 0;
}

void xb_cas_discard(struct xb_cas_writer *w)
{
	if (!w || !w->path)
		return;
	xb_fs_close(&w->fd);
	unlink(w->path);
	free(w->path);
	*w = (struct xb_cas_writer){.fd = -1};
}

/*
 * An equal blob is kept, one of another size is replaced: it lost its content in a power cut. Content that was stored
 * once as a plain file and once as a program is a program.
 */
static int publish(struct xb_store *store, const char *tmp, int64_t size_bytes, bool executable,
		   const struct xb_digest *digest, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_cas_path(store, digest);

	if (xb_cas_has(store, digest, size_bytes) && (!executable || chmod(path, EXECUTABLE_MODE) == 0)) {
		unlink(tmp);
		return 0;
	}
	return xb_store_publish(tmp, path, err);
}

int xb_cas_commit(struct xb_cas_writer *w, const struct xb_digest *digest, struct xb_err *err)
{
	struct xb_cas_writer own XB_CLEANUP(xb_cas_discard) = *w;
	struct stat st;
	int fd = own.fd;

	*w = (struct xb_cas_writer){.fd = -1};
	if (fstat(fd, &st) < 0 || fchmod(fd, BLOB_MODE) < 0)
		return xb_fail_errno(err, "set the mode of '%s'", own.path);
	own.fd = -1;
	if (close(fd) < 0 && errno != EINTR) /* network file systems report a full disk only here */
		return xb_fail_errno(err, "write '%s'", own.path);
	return publish(own.store, own.path, st.st_size, false, digest, err);
}

int xb_cas_put_bytes(struct xb_store *store, const void *data, size_t len, struct xb_digest *out, struct xb_err *err)
{
	struct xb_cas_writer w XB_CLEANUP(xb_cas_discard) = {.fd = -1};
	struct xb_digest digest;

	xb_digest_bytes(data, len, &digest);
	if (!xb_cas_has(store, &digest, (int64_t)len)) {
		if (xb_cas_begin(store, &w, err) < 0 || xb_fs_write_all(w.fd, data, len, w.path, err) < 0 ||
		    xb_cas_commit(&w, &digest, err) < 0)
			return err->code;
	}
	*out = digest;
	return 0;
}

int xb_cas_adopt(struct xb_store *store, const char *tmp_path, bool executable, struct xb_digest *out,
		 uint64_t *out_size, struct xb_err *err)
{
	struct xb_digest digest;
	uint64_t size_bytes;

	if (chmod(tmp_path, executable ? EXECUTABLE_MODE : BLOB_MODE) < 0)
		return xb_fail_errno(err, "set the mode of '%s'", tmp_path);
	if (xb_digest_file(tmp_path, &digest, &size_bytes, err) < 0 ||
	    publish(store, tmp_path, (int64_t)size_bytes, executable, &digest, err) < 0)
		return err->code;
	*out = digest;
	if (out_size)
		*out_size = size_bytes;
	return 0;
}

int xb_cas_open(const struct xb_store *store, const struct xb_digest *digest, int *out_fd, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_cas_path(store, digest);
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return xb_fail_errno(err, "open blob '%s'", path);
	*out_fd = fd;
	return 0;
}

int xb_cas_check(struct xb_store *store, const struct xb_digest *digest, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_cas_path(store, digest);
	int fd XB_CLEANUP(xb_fs_close) = -1;
	struct xb_digest found;
	char hex[XB_DIGEST_HEX];

	if (xb_cas_open(store, digest, &fd, err) < 0)
		return err->code;
	if (xb_digest_fd(fd, &found, NULL, err) < 0)
		return xb_wrap(err, "check blob '%s'", path);
	if (xb_digest_eq(&found, digest))
		return 0;
	drop(path);
	return xb_fail(err, XB_E_DIGEST, "check blob '%s': its content has the digest %s; it was removed", path,
		       xb_digest_hex(&found, hex));
}

int xb_cas_place(struct xb_store *store, const struct xb_digest *digest, const char *path, mode_t mode,
		 struct xb_err *err)
{
	char *blob XB_CLEANUP(xb_free_ptr) = xb_cas_path(store, digest);

	/* what leaves the store is looked at once more: it is shipped, or linked into something that is */
	if (xb_cas_check(store, digest, err) < 0)
		return err->code;
	return xb_fs_copy_replace(blob, path, mode, err);
}

/* 1: of that size after all, another process has just put it there; 0: gone; else XB_E_DIGEST. */
static int judge_size(const struct xb_store *store, const struct xb_digest *digest, int64_t size_bytes,
		      struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_cas_path(store, digest);
	char hex[XB_DIGEST_HEX];
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : xb_fail_errno(err, "look at blob '%s'", path);
	if (S_ISREG(st.st_mode) && (size_bytes < 0 || st.st_size == size_bytes))
		return 1;
	return xb_fail(err, XB_E_DIGEST, "what has the SHA-256 %s has %lld bytes, expected %lld",
		       xb_digest_hex(digest, hex), (long long)st.st_size, (long long)size_bytes);
}

int xb_cas_has_whole(struct xb_store *store, const struct xb_digest *digest, int64_t size_bytes, bool *out,
		     struct xb_err *err)
{
	bool whole = xb_cas_has(store, digest, size_bytes);

	if (!whole && xb_cas_has(store, digest, -1)) {
		const int rc = judge_size(store, digest, size_bytes, err);

		if (rc < 0)
			return rc;
		whole = rc;
	}
	if (whole && xb_cas_check(store, digest, err) < 0) {
		/* Not found: another process has just removed it for the same reason. */
		if (err->code != XB_E_DIGEST && err->code != XB_E_NOT_FOUND)
			return err->code;
		xb_err_clear(err);
		whole = false;
	}
	*out = whole;
	return 0;
}

int xb_cas_sync(struct xb_store *store, struct xb_err *err)
{
	return xb_fs_sync(xb_store_dir(store), err);
}
