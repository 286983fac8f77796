/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths of this machine in what was installed: of the project, with all that is built below it, of the staging tree, the
 * sysroot and the toolchain. A warning: programs that print how they were compiled are harmless, a module of pkg-config that says
 * -L is not, and both come out differently elsewhere.
 */
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drive.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"
#include "xbuild/sys/fs.h"

#define CHUNK_BYTES (256 * 1024)
#define SHOWN_BYTES 200
/* of one chunk in front of the next one: a path that begins there, with what stands before and behind it */
#define KEPT_BYTES (XB_MAX_PATH_BYTES + SHOWN_BYTES + 2)
#define MAX_TOLD   5

struct places {
	struct run *r;
	struct xb_dirs dirs;
	char *buf; /* KEPT_BYTES + CHUNK_BYTES */
};

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_.+~@%-", c));
}

/* A path may stand behind anything that is not part of a longer one, and behind -I and -L. */
static bool begins_here(struct xb_sv text, size_t at)
{
	const char before = at ? text.ptr[at - 1] : 0;

	if (!is_word(before) && before != '/' && before != '}' && before != ')')
		return true;
	return at > 1 && text.ptr[at - 2] == '-' && strchr("ILR", before);
}

/* Where `dir` itself or something below it stands in text; .len 0: nowhere. `has_start`: the text begins where the file does. */
static struct xb_sv find_dir(struct xb_sv text, const char *dir, bool has_start)
{
	const size_t n = strlen(dir);
	struct xb_sv rest = text;

	while (rest.len > n) {
		const char *found = memmem(rest.ptr, rest.len, dir, n);
		size_t at, end;

		if (!found)
			break;
		at = (size_t)(found - text.ptr);
		end = at + n;
		rest = xb_sv_n(found + 1, text.len - at - 1);
		if (end == text.len || is_word(text.ptr[end]) || (!at && !has_start) || !begins_here(text, at))
			continue;
		while (end < text.len && end - at < SHOWN_BYTES && (is_word(text.ptr[end]) || text.ptr[end] == '/'))
			end++;
		return xb_sv_n(found, end - at);
	}
	return (struct xb_sv){0};
}

/* The first path of this machine in the file, in the arena; NULL: none. */
static const char *find_in_file(struct places *p, int fd)
{
	size_t kept = 0;
	bool has_start = true;

	for (;;) {
		const ssize_t n = read(fd, p->buf + kept, CHUNK_BYTES);
		struct xb_sv text = xb_sv_n(p->buf, kept + (n > 0 ? (size_t)n : 0));

		if (n <= 0)
			p->buf[text.len++] = '\0'; /* the end of the file ends a path */
		for (size_t i = 0; i < p->dirs.len; i++) {
			const struct xb_sv found = find_dir(text, p->dirs.items[i], has_start);

			if (found.len)
				return xb_arena_sv(&p->r->arena, found);
		}
		if (n <= 0)
			return NULL;
		has_start = has_start && text.len <= KEPT_BYTES;
		kept = text.len < KEPT_BYTES ? text.len : KEPT_BYTES;
		memmove(p->buf, text.ptr + text.len - kept, kept);
	}
}

static void add_dir(struct places *p, const char *dir)
{
	struct xb_err none XB_CLEANUP(xb_err_release) = {0};
	char *real XB_CLEANUP(xb_free_ptr) = NULL;

	/* one of a single letter or none is found everywhere */
	if (strlen(dir) > 2 && strlen(dir) <= XB_MAX_PATH_BYTES)
		xb_dirs_add_new(&p->dirs, &p->r->arena, dir);
	if (xb_fs_realpath(dir, &real, &none) == 0 && strlen(real) > 2 && strlen(real) <= XB_MAX_PATH_BYTES)
		xb_dirs_add_new(&p->dirs, &p->r->arena, xb_arena_strdup(&p->r->arena, real));
}

static void warn(struct run *r, const struct xb_str *names, size_t n)
{
	xb_str_printf(r->shown, "warning: unit '%s' (%s) installed files that hold paths of this machine: %s",
		      r->spec->unit->name, r->drive.cross.target->name, xb_str_get(names));
	if (n > MAX_TOLD)
		xb_str_printf(r->shown, " and %zu more", n - MAX_TOLD);
	xb_str_append(r->shown,
		      "\nhint: such a result differs from directory to directory and from machine to machine; that is "
		      "harmless where nobody follows the path, as in a program that prints how it was compiled\n");
}

int drive_check_paths(struct run *r, struct xb_err *err)
{
	struct places p = {.r = r};
	struct xb_str names XB_CLEANUP(xb_str_release) = {0};
	char *buf XB_CLEANUP(xb_free_ptr) = xb_alloc(KEPT_BYTES + CHUNK_BYTES + 1);
	size_t n = 0;

	p.buf = buf;
	add_dir(&p, r->drive.project_dir);
	add_dir(&p, r->drive.stage_dir);
	add_dir(&p, r->drive.cross.sysroot);
	add_dir(&p, r->spec->setup->tools->dir);
	for (size_t i = 0; i < r->stage.len; i++) {
		const struct xb_stage_entry *e = &r->stage.items[i];
		char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(r->drive.stage_dir, e->path);
		int fd XB_CLEANUP(xb_fs_close) = e->type == XB_STAGE_FILE ? open(path, O_RDONLY | O_CLOEXEC) : -1;
		const char *found;

		if (e->type != XB_STAGE_FILE)
			continue;
		if (fd < 0)
			return xb_fail_errno(err, "read '%s'", path);
		found = find_in_file(&p, fd);
		if (found && n++ < MAX_TOLD)
			xb_str_printf(&names, "%s'%s' ('%s')", n > 1 ? ", " : "", e->path, found);
	}
	if (n)
		warn(r, &names, n);
	return 0;
}
