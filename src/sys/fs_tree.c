/* SPDX-License-Identifier: Apache-2.0 */
/* Directories of xbuild/sys/fs.h: listing and removing. */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/vec.h"
#include "xbuild/sys/fs.h"

/* Each level holds a descriptor while it is emptied; macOS allows 256 in a process by default. */
#define MAX_OPEN_LEVELS 64

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
	*dir = NULL;
}

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* The next entry that is not "." or ".."; NULL with errno 0 at the end. */
static struct dirent *next_entry(DIR *dir)
{
	struct dirent *entry;

	do {
		errno = 0;
		entry = readdir(dir);
	} while (entry && is_dot(entry->d_name));
	return entry;
}

void xb_fs_list_release(struct xb_fs_list *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->len; i++)
		free(list->items[i].name);
	free(list->items);
	*list = (struct xb_fs_list){0};
}

static int compare_entries(const void *a, const void *b)
{
	const struct xb_fs_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* Some file systems leave d_type unknown. */
static int fill_entry(struct xb_fs_entry *out, DIR *dir, const struct dirent *entry)
{
	struct stat st;

	out->name = xb_strdup(entry->d_name);
	if (entry->d_type != DT_UNKNOWN) {
		out->is_dir = entry->d_type == DT_DIR;
		out->is_file = entry->d_type == DT_REG;
		out->is_link = entry->d_type == DT_LNK;
		return 0;
	}
	if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1; /* removed meanwhile: an entry of no kind */
	out->is_dir = S_ISDIR(st.st_mode);
	out->is_file = S_ISREG(st.st_mode);
	out->is_link = S_ISLNK(st.st_mode);
	return 0;
}

int xb_fs_list(const char *path, struct xb_fs_list *out, struct xb_err *err)
{
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};
	XB_VEC(struct xb_fs_entry) entries = {0};
	DIR *dir XB_CLEANUP(close_dir) = opendir(path);
	const struct dirent *entry;
	int failed = 0;

	if (!dir)
		return xb_fail_errno(err, "open directory '%s'", path);
	while (!failed && entries.len <= XB_MAX_TREE_ENTRIES && (entry = next_entry(dir)))
		failed = fill_entry(XB_VEC_ADD(&entries), dir, entry);
	list.items = entries.items; /* owned by list from here on */
	list.len = entries.len;
	if (list.len > XB_MAX_TREE_ENTRIES)
		return xb_fail(err, XB_E_INPUT, "list '%s': expected at most %d entries, found more", path,
			       XB_MAX_TREE_ENTRIES);
	if (errno)
		return xb_fail_errno(err, "list '%s'", path);
	if (list.len)
		qsort(list.items, list.len, sizeof(*list.items), compare_entries);
	*out = list;
	list = (struct xb_fs_list){0};
	return 0;
}

/* State of one xb_fs_remove. */
struct remover {
	const char *path; /* as the caller named it, for messages */
	int top_fd;	  /* the directory at path, -1 until it is open */
	unsigned levels;  /* open directories */
	unsigned hoisted; /* directories moved up so far */
};

static int remove_at(struct remover *r, int dir_fd, const char *name, struct xb_err *err);

static int remove_failed(const struct remover *r, const char *what, const char *name, struct xb_err *err)
{
	if (r->top_fd < 0)
		return xb_fail_errno(err, "remove '%s'", r->path);
	return xb_fail_errno(err, "remove '%s': %s '%s' in it", r->path, what, name);
}

/* An open directory that can be read, searched and emptied. Never through a link: the entry may be swapped meanwhile. */
static int open_to_empty(int dir_fd, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	struct stat st;
	int fd = openat(dir_fd, name, flags);

	if (fd < 0 && (errno == EACCES || errno == EPERM)) {
		if (fchmodat(dir_fd, name, 0700, AT_SYMLINK_NOFOLLOW) < 0)
			return -1;
		fd = openat(dir_fd, name, flags);
	}
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && (st.st_mode & 0700) == 0700)
		return fd;
	(void)!fchmod(fd, 0700); /* when this fails the removal below fails and tells why */
	return fd;
}

static int empty_dir(struct remover *r, DIR *dir, struct xb_err *err)
{
	const struct dirent *entry;
	size_t seen;

	/* Readers may skip entries while others vanish, and hoisted directories may appear behind them: until none is seen. */
	do {
		seen = 0;
		rewinddir(dir);
		while ((entry = next_entry(dir))) {
			seen++;
			if (remove_at(r, dirfd(dir), entry->d_name, err) < 0)
				return err->code;
		}
		if (errno)
			return remove_failed(r, "list", ".", err);
	} while (seen);
	return 0;
}

/*
 * A tree that is too deep to hold one descriptor for each level: its lower part moves to the top and is met there later.
 * Bounded, as each move makes the tree less deep.
 */
static int hoist(struct remover *r, int dir_fd, const char *name, struct xb_err *err)
{
	struct stat taken;
	char target[32];

	do
		snprintf(target, sizeof(target), ".xb-deep-%u", r->hoisted++);
	while (fstatat(r->top_fd, target, &taken, AT_SYMLINK_NOFOLLOW) == 0);
	/* A directory that changes its parent must be writable itself, for its "..". */
	(void)!fchmodat(dir_fd, name, 0700, AT_SYMLINK_NOFOLLOW);
	if (renameat(dir_fd, name, r->top_fd, target) < 0)
		return remove_failed(r, "move", name, err);
	return 0;
}

static int remove_dir(struct remover *r, int dir_fd, const char *name, struct xb_err *err)
{
	const bool is_top = r->top_fd < 0;
	DIR *dir XB_CLEANUP(close_dir) = NULL;
	int fd, emptied;

	if (r->levels >= MAX_OPEN_LEVELS)
		return hoist(r, dir_fd, name, err);
	fd = open_to_empty(dir_fd, name);
	if (fd < 0)
		return errno == ENOENT ? 0 : remove_failed(r, "open", name, err);
	dir = fdopendir(fd);
	if (!dir) {
		remove_failed(r, "open", name, err);
		xb_fs_close(&fd);
		return err->code;
	}
	if (is_top)
		r->top_fd = fd;
	r->levels++;
	emptied = empty_dir(r, dir, err);
	r->levels--;
	if (is_top)
		r->top_fd = -1;
	if (emptied < 0)
		return emptied;
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return remove_failed(r, "remove", name, err);
	return 0;
}

static int remove_at(struct remover *r, int dir_fd, const char *name, struct xb_err *err)
{
	struct stat st;
	int number;

	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	/* For a directory: EISDIR on Linux, EPERM by POSIX and on macOS. */
	number = errno;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
		return remove_dir(r, dir_fd, name, err);
	errno = number;
	return remove_failed(r, "remove", name, err);
}

int xb_fs_remove(const char *path, struct xb_err *err)
{
	struct remover r = {.path = path, .top_fd = -1};

	return remove_at(&r, AT_FDCWD, path, err);
}
