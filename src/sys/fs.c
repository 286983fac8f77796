/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sys/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/fs.h>
#include <sys/ioctl.h>
#endif
#ifdef __APPLE__
#include <sys/attr.h>
#include <sys/clonefile.h>
#endif

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/vec.h"
#include "xbuild/sys/atomic_file.h"

#define COPY_BYTES   (64 * 1024)
#define MAX_CHUNK    (1 << 30) /* some systems refuse a read or write above INT_MAX */
#define MKDIRS_TRIES 10

void xb_fs_close(int *fd)
{
	if (!fd || *fd < 0)
		return;
	close(*fd);
	*fd = -1;
}

int xb_fs_write_all(int fd, const void *data, size_t len, const char *name, struct xb_err *err)
{
	const char *at = data;

	while (len) {
		const ssize_t n = write(fd, at, len < MAX_CHUNK ? len : MAX_CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return xb_fail_errno(err, "write '%s'", name);
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int64_t xb_fs_read_some(int fd, void *buf, size_t len, const char *name, struct xb_err *err)
{
	char *at = buf;
	size_t left = len;

	while (left) {
		const ssize_t n = read(fd, at, left < MAX_CHUNK ? left : MAX_CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return xb_fail_errno(err, "read '%s'", name);
		if (n == 0)
			break;
		at += n;
		left -= (size_t)n;
	}
	return (int64_t)(len - left);
}

/* O_NONBLOCK: to open a fifo must not wait for its writer. It has no effect on regular files. */
static int open_regular(const char *path, struct stat *st, struct xb_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return xb_fail_errno(err, "open '%s'", path);
	if (fstat(fd, st) < 0)
		xb_fail_errno(err, "stat '%s'", path);
	else if (!S_ISREG(st->st_mode))
		xb_fail(err, XB_E_INPUT, "read '%s': expected a regular file, found %s", path,
			S_ISDIR(st->st_mode) ? "a directory" : "something else");
	else
		return fd;
	xb_fs_close(&fd);
	return err->code;
}

int xb_fs_read(const char *path, int64_t max_bytes, struct xb_str *out, struct xb_err *err)
{
	struct stat st;
	int fd XB_CLEANUP(xb_fs_close) = open_regular(path, &st, err);
	char *data XB_CLEANUP(xb_free_ptr) = NULL;
	size_t cap, len = 0;

	if (fd < 0)
		return err->code;
	if (st.st_size > max_bytes)
		return xb_fail(err, XB_E_INPUT, "read '%s': expected at most %lld bytes, found %lld", path,
			       (long long)max_bytes, (long long)st.st_size);
	/* The size is a first guess: files in /proc have none, and others may grow while they are read. */
	cap = (size_t)st.st_size + 2;
	for (;;) {
		int64_t got;

		data = xb_realloc(data, cap);
		got = xb_fs_read_some(fd, data + len, cap - 1 - len, path, err);
		if (got < 0)
			return (int)got;
		len += (size_t)got;
		if (len > (uint64_t)max_bytes)
			return xb_fail(err, XB_E_INPUT, "read '%s': expected at most %lld bytes, found more", path,
				       (long long)max_bytes);
		if (len < cap - 1)
			break;
		cap = cap < COPY_BYTES ? COPY_BYTES : cap * 2;
	}
	data[len] = '\0';
	free(out->data);
	out->data = data;
	out->len = len;
	out->cap = cap;
	data = NULL;
	return 0;
}

bool xb_fs_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

bool xb_fs_is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int64_t to_ns(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

int64_t xb_fs_mtime_ns(const struct stat *st)
{
#ifdef __APPLE__
	return to_ns(&st->st_mtimespec);
#else
	return to_ns(&st->st_mtim);
#endif
}

int64_t xb_fs_ctime_ns(const struct stat *st)
{
#ifdef __APPLE__
	return to_ns(&st->st_ctimespec);
#else
	return to_ns(&st->st_ctim);
#endif
}

/* Names the part of the path that is there and is no directory. */
static int refuse_in_the_way(const char *path, struct xb_err *err)
{
	char *part XB_CLEANUP(xb_free_ptr) = xb_strdup(path);
	struct stat st;

	while (lstat(part, &st) < 0 || S_ISDIR(st.st_mode)) {
		char *slash = strrchr(part, '/');

		if (!slash || slash == part)
			return xb_fail(err, XB_E_SYSTEM, "create directory '%s': something else is in the way", path);
		*slash = '\0';
	}
	xb_fail(err, XB_E_SYSTEM, "create directory '%s': '%s' is %s, expected a directory", path, part,
		S_ISREG(st.st_mode)   ? "a file"
		: S_ISLNK(st.st_mode) ? "a link that leads to none"
				      : "something else");
	return xb_hint(err, "move '%s' away", part);
}

/* 1: path is a directory now; 0: its parent is missing. */
static int make_one_dir(const char *path, mode_t mode, struct xb_err *err)
{
	int number;

	if (mkdir(path, mode) == 0) {
		if (chmod(path, mode) < 0) /* the umask */
			return xb_fail_errno(err, "set the mode of directory '%s'", path);
		return 1;
	}
	number = errno;
	if (number == ENOENT)
		return 0;
	if (xb_fs_is_dir(path)) /* whatever the reason: EEXIST, but EISDIR for "/" on macOS */
		return 1;
	if (number == EEXIST || number == ENOTDIR)
		return refuse_in_the_way(path, err);
	errno = number;
	return xb_fail_errno(err, "create directory '%s'", path);
}

int xb_fs_mkdirs(const char *path, mode_t mode, struct xb_err *err)
{
	char *part XB_CLEANUP(xb_free_ptr) = xb_strdup(path);
	size_t len = strlen(part);

	while (len > 1 && part[len - 1] == '/')
		part[--len] = '\0';
	/* Mostly the parents are there, so the whole path is tried first. Somebody else may remove what was made here. */
	for (int tries = 0; tries < MKDIRS_TRIES; tries++) {
		int made = make_one_dir(part, mode, err);

		if (made != 0)
			return made < 0 ? made : 0;
		made = 1;
		for (char *slash = strchr(len ? part + 1 : part, '/'); slash && made == 1;
		     slash = strchr(slash + 1, '/')) {
			*slash = '\0';
			made = make_one_dir(part, mode, err);
			*slash = '/';
		}
		if (made < 0)
			return made;
	}
	errno = ENOENT;
	return xb_fail_errno(err, "create directory '%s'", path);
}

/* What a copy may fail with where the fast way does not exist for this pair of files, and the plain way may work. */
#ifdef __linux__
static bool is_unsupported(int number)
{
	return number == EXDEV || number == EINVAL || number == ENOSYS || number == EOPNOTSUPP || number == EPERM ||
	       number == ENOTTY || number == EBADF || number == ETXTBSY;
}
#endif

/* The rest of `in` to `out`; 1 when all is done, 0 when the plain copy has to go on at the present offsets. */
static int copy_fast(int in, int out, const char *to, struct xb_err *err)
{
#ifdef __linux__
	if (ioctl(out, FICLONE, in) == 0)
		return 1;
	for (;;) {
		const ssize_t n = copy_file_range(in, NULL, out, NULL, MAX_CHUNK, 0);

		/* 0 is the end, or a file system that lies (some in /proc and FUSE): the plain copy finds out. */
		if (n == 0)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && is_unsupported(errno))
			return 0;
		if (n < 0)
			return xb_fail_errno(err, "write '%s'", to);
	}
#else
	(void)in;
	(void)out;
	(void)to;
	(void)err;
	return 0;
#endif
}

static int copy_content(int in, int out, const char *from, const char *to, struct xb_err *err)
{
	char buf[COPY_BYTES];
	int64_t got;
	int done = copy_fast(in, out, to, err);

	if (done != 0)
		return done < 0 ? done : 0;
	do {
		got = xb_fs_read_some(in, buf, sizeof(buf), from, err);
		if (got < 0)
			return (int)got;
		if (xb_fs_write_all(out, buf, (size_t)got, to, err) < 0)
			return err->code;
	} while (got == sizeof(buf));
	return 0;
}

#ifdef __APPLE__
/* On macOS a clone makes its own file. */
static bool clone_file(int in, const char *to, mode_t mode)
{
	if (fclonefileat(in, AT_FDCWD, to, CLONE_NOOWNERCOPY) < 0)
		return false;
	if (chmod(to, mode) == 0)
		return true;
	unlink(to);
	return false;
}
#else
static bool clone_file(int in, const char *to, mode_t mode)
{
	(void)in;
	(void)to;
	(void)mode;
	return false;
}
#endif

int xb_fs_copy(const char *from, const char *to, mode_t mode, struct xb_err *err)
{
	struct stat st;
	int in XB_CLEANUP(xb_fs_close) = open_regular(from, &st, err);
	int out XB_CLEANUP(xb_fs_close) = -1;

	if (in < 0)
		return err->code;
	if (clone_file(in, to, mode))
		return 0;
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return xb_fail_errno(err, "create '%s'", to);
	if (copy_content(in, out, from, to, err) == 0) {
		if (fchmod(out, mode) == 0)
			return 0;
		xb_fail_errno(err, "set the mode of '%s'", to);
	}
	unlink(to);
	return err->code;
}

int xb_fs_copy_replace(const char *from, const char *to, mode_t mode, struct xb_err *err)
{
	struct xb_atomic_file f XB_CLEANUP(xb_atomic_file_discard) = {.fd = -1};
	struct stat st;
	int in XB_CLEANUP(xb_fs_close) = open_regular(from, &st, err);

	if (in < 0 || xb_atomic_file_open(&f, to, mode, err) < 0 || copy_content(in, f.fd, from, to, err) < 0 ||
	    xb_atomic_file_commit(&f, 0, err) < 0)
		return err->code;
	return 0;
}

int xb_fs_sync(const char *path, struct xb_err *err)
{
#ifdef __linux__
	int fd XB_CLEANUP(xb_fs_close) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return xb_fail_errno(err, "open '%s'", path);
	if (syncfs(fd) < 0)
		return xb_fail_errno(err, "flush the file system of '%s'", path);
#else
	(void)path;
	(void)err;
	sync();
#endif
	return 0;
}

int xb_fs_cwd(char **out, struct xb_err *err)
{
	char *buf XB_CLEANUP(xb_free_ptr) = NULL;

	for (size_t size = 256; size <= 64 * 1024; size *= 2) {
		buf = xb_realloc(buf, size);
		if (getcwd(buf, size)) {
			*out = buf;
			buf = NULL;
			return 0;
		}
		if (errno != ERANGE)
			break;
	}
	return xb_fail_errno(err, "find the current directory");
}

int xb_fs_realpath(const char *path, char **out, struct xb_err *err)
{
	char *resolved = realpath(path, NULL);

	if (!resolved)
		return xb_fail_errno(err, "resolve '%s'", path);
	*out = resolved;
	return 0;
}
