/* SPDX-License-Identifier: Apache-2.0 */
/* The sources of a unit: a copy for build systems that write into them, and a look at those of the others. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drive.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/map.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"

bool drive_copies(const struct run *r)
{
	return (r->driver->flags & XB_DRIVER_IN_SOURCE) || r->spec->unit->foreign->copy;
}

/* "MTIME SIZE": by which a file is known to be what it was. Empty: it is not there. */
static const char *stamp_of(struct xb_arena *arena, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return "";
	return xb_arena_printf(arena, "%lld %lld", (long long)xb_fs_mtime_ns(&st), (long long)st.st_size);
}

/* The files below the unit's directory, a line "MTIME SIZE NAME" for each; the names begin there. */
static int list_files(struct run *r, struct xb_arena *arena, struct xb_str *out, struct xb_err *err)
{
	const char *dir = r->spec->unit->foreign->dir;
	const size_t skip = strcmp(dir, ".") == 0 ? 0 : strlen(dir) + 1;
	struct xb_foreign_files all;

	if (xb_foreign_sources(r->drive.project_dir, dir, arena, &all, err) < 0)
		return err->code;
	for (size_t i = 0; i < all.files.len; i++)
		xb_str_printf(
			out, "%s %s\n",
			stamp_of(arena, xb_arena_printf(arena, "%s/%s", r->drive.project_dir, all.files.items[i])),
			all.files.items[i] + skip);
	return 0;
}

struct line {
	char *stamp, *name; /* in arena */
};

/* The next line of such a list; false at its end, or where it is none. */
static bool next_line(struct xb_sv *list, struct xb_arena *arena, struct line *out)
{
	struct xb_sv line = xb_sv_cut(list, '\n');
	const char *space = line.len ? memchr(line.ptr, ' ', line.len) : NULL;
	const size_t mtime = space ? (size_t)(space - line.ptr) + 1 : 0;

	space = space ? memchr(line.ptr + mtime, ' ', line.len - mtime) : NULL;
	if (!space)
		return false;
	out->stamp = xb_arena_sv(arena, xb_sv_n(line.ptr, (size_t)(space - line.ptr)));
	out->name = xb_arena_sv(arena, xb_sv_n(space + 1, line.len - (size_t)(space - line.ptr) - 1));
	return xb_path_is_safe(xb_sv(out->name));
}

/* Stamps by name. */
static void read_lines(struct xb_sv list, struct xb_arena *arena, struct xb_map *out)
{
	struct line line;

	while (next_line(&list, arena, &line))
		xb_map_put_str(out, line.name, line.stamp);
}

/* A copy keeps the time of its file: make looks at what is newer. */
static int copy_file(const char *from, const char *to, struct xb_err *err)
{
	struct timespec times[2];
	struct stat st;

	if (stat(from, &st) < 0)
		return xb_fail_errno(err, "read '%s'", from);
	if (xb_fs_copy_replace(from, to, st.st_mode & 0111 ? 0755 : 0644, err) < 0)
		return err->code;
	times[0].tv_sec = times[1].tv_sec = (time_t)(xb_fs_mtime_ns(&st) / 1000000000);
	times[0].tv_nsec = times[1].tv_nsec = (long)(xb_fs_mtime_ns(&st) % 1000000000);
	return utimensat(AT_FDCWD, to, times, 0) < 0 ? xb_fail_errno(err, "set the time of '%s'", to) : 0;
}

/* A link to a directory or to nothing: as it is where that is found from the copy too, else to the place itself. */
static int copy_link(const char *from, const char *to, const char *top, struct xb_err *err)
{
	char text[XB_MAX_PATH_BYTES + 1];
	char *place XB_CLEANUP(xb_free_ptr) = NULL, *inside XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_err none XB_CLEANUP(xb_err_release) = {0};
	const ssize_t n = readlink(from, text, sizeof(text) - 1);

	if (n < 0)
		return xb_fail_errno(err, "read the link '%s'", from);
	text[n] = '\0';
	if (xb_fs_realpath(from, &place, &none) == 0 && xb_fs_realpath(top, &inside, &none) == 0 &&
	    !xb_path_is_below(xb_sv(place), xb_sv(inside)) && strlen(place) < sizeof(text))
		memcpy(text, place, strlen(place) + 1);
	return symlink(text, to) < 0 ? xb_fail_errno(err, "make the link '%s'", to) : 0;
}

/* One of xb_foreign_files: its directory, then itself. */
static int copy_one(const char *from, const char *to, const char *top, struct xb_err *err)
{
	char *dir XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_path_dir(xb_sv(to)));
	struct stat st;

	if (!xb_fs_is_dir(dir) && xb_fs_mkdirs(dir, 0755, err) < 0)
		return err->code;
	if (lstat(from, &st) < 0)
		return xb_fail_errno(err, "read '%s'", from);
	if (S_ISDIR(st.st_mode))
		return xb_fs_mkdirs(to, 0755, err);
	if (S_ISLNK(st.st_mode) && (stat(from, &st) < 0 || !S_ISREG(st.st_mode)))
		return copy_link(from, to, top, err);
	return copy_file(from, to, err);
}

static int copy_list(struct run *r, struct xb_arena *arena, const struct xb_dirs *names, struct xb_err *err)
{
	const char *dir = r->spec->unit->foreign->dir;
	const size_t skip = strcmp(dir, ".") == 0 ? 0 : strlen(dir) + 1;
	const char *top = xb_arena_printf(arena, "%s/%s", r->drive.project_dir, dir);

	for (size_t i = 0; i < names->len; i++) {
		const char *name = names->items[i];

		/* the directory itself, when it is empty, is there */
		if (strlen(name) > skip &&
		    copy_one(xb_arena_printf(arena, "%s/%s", r->drive.project_dir, name),
			     xb_arena_printf(arena, "%s/%s", r->drive.source_dir, name + skip), top, err) < 0)
			return err->code;
	}
	return 0;
}

static int copy(struct run *r, struct xb_err *err)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_foreign_files all;

	if (r->is_kept)
		return copy_list(r, &arena, &r->changed, err);
	if (xb_foreign_sources(r->drive.project_dir, r->spec->unit->foreign->dir, &arena, &all, err) < 0 ||
	    xb_fs_mkdirs(r->drive.source_dir, 0755, err) < 0 || copy_list(r, &arena, &all.files, err) < 0)
		return err->code;
	return copy_list(r, &arena, &all.others, err);
}

int drive_sources(struct run *r, struct xb_err *err)
{
	struct xb_str list XB_CLEANUP(xb_str_release) = {0};

	if (drive_copies(r))
		return copy(r, err);
	if (list_files(r, &r->arena, &list, err) < 0)
		return err->code;
	r->sources = xb_arena_sv(&r->arena, xb_str_sv(&list));
	return 0;
}

/* One change in words, and how many there are; NULL: none. */
static const char *find_changes(struct run *r, struct xb_arena *arena, struct xb_sv list, size_t *n)
{
	struct xb_map before XB_CLEANUP(xb_map_release) = {0}, now XB_CLEANUP(xb_map_release) = {0};
	const char *first = NULL;

	read_lines(xb_sv(r->sources), arena, &before);
	read_lines(list, arena, &now);
	for (size_t i = 0; i < before.len; i++) {
		const char *name = before.entries[i].key;
		const char *stamp = xb_map_get_str(&now, name);

		if (stamp && strcmp(stamp, before.entries[i].value) == 0)
			continue;
		if ((*n)++ == 0)
			first = xb_arena_printf(arena, "'%s' %s", name, stamp ? "changed" : "is gone");
	}
	for (size_t i = 0; i < now.len; i++) {
		if (!xb_map_get_str(&before, now.entries[i].key) && (*n)++ == 0)
			first = xb_arena_printf(arena, "'%s' is new", now.entries[i].key);
	}
	return first;
}

int drive_check_sources(struct run *r, const char *what, struct xb_err *err)
{
	const char *driver = xb_driver_key(r->spec->unit->driver);
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_str list XB_CLEANUP(xb_str_release) = {0};
	const char *first, *more = "";
	size_t n = 0;

	if (!r->sources)
		return 0;
	if (list_files(r, &arena, &list, err) < 0)
		return err->code;
	first = find_changes(r, &arena, xb_str_sv(&list), &n);
	if (!first)
		return 0;
	if (n > 1)
		more = xb_arena_printf(&arena, ", and %zu more", n - 1);
	xb_fail(err, XB_E_VERIFY, "unit '%s' (%s): %s changed the project's own files: below '%s' %s%s",
		r->spec->unit->name, r->drive.cross.target->name, what, r->spec->unit->foreign->dir, first, more);
	return xb_hint(err,
		       "put back what it changed; '%s: { copy: true }' builds in a copy, where it may write (nothing "
		       "of this run is kept)",
		       driver);
}
