/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the project that a unit of another build system is made from. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/build/foreign.h"
#include "xbuild/sys/fs.h"

#define MAX_DEPTH 128

struct listing {
	const char *project_dir;
	struct xb_arena *arena;
	struct xb_foreign_files *out;
	struct xb_hasher names;
	struct xb_err *err;
};

/* What editors and file managers put beside a file while somebody works: no build is meant to read it. */
static bool is_of_editor(struct xb_sv name)
{
	static const char *const ends[] = {"~", ".swp", ".swo", ".swx"};

	if (xb_sv_eq_str(name, ".DS_Store") || xb_sv_starts(name, ".#") ||
	    (xb_sv_starts(name, "#") && xb_sv_ends(name, "#")))
		return true;
	for (size_t i = 0; i < XB_COUNT(ends); i++)
		if (xb_sv_ends(name, ends[i]) && (!i || *name.ptr == '.'))
			return true;
	return false;
}

static bool is_left_out(const char *dir, const char *name)
{
	if (is_of_editor(xb_sv(name)))
		return true;
	if (strcmp(name, ".git") == 0 || strcmp(name, ".hg") == 0 || strcmp(name, ".svn") == 0)
		return true;
	return strcmp(dir, ".") == 0 &&
	       (strcmp(name, "out") == 0 || strcmp(name, ".xbuild") == 0 || strcmp(name, "compile_commands.json") == 0);
}

static void add_file(struct listing *l, const char *rel)
{
	xb_hasher_update(&l->names, rel, strlen(rel) + 1);
	xb_dirs_add(&l->out->files, l->arena, rel);
}

/* A link to a file counts as that file; another one by its text, which is all that a build sees of it without following. */
static void add_link(struct listing *l, const char *full, const char *rel)
{
	char text[XB_MAX_PATH_BYTES + 1];
	struct stat st;
	ssize_t n;

	if (stat(full, &st) == 0 && S_ISREG(st.st_mode)) {
		add_file(l, rel);
		return;
	}
	n = readlink(full, text, sizeof(text));
	xb_hasher_update(&l->names, rel, strlen(rel) + 1);
	xb_hasher_update(&l->names, text, n > 0 ? (size_t)n : 0);
	xb_dirs_add(&l->out->others, l->arena, rel);
}

static void add_empty_dir(struct listing *l, const char *rel)
{
	xb_hasher_update(&l->names, rel, strlen(rel));
	xb_hasher_update(&l->names, "/", sizeof("/"));
	xb_dirs_add(&l->out->others, l->arena, rel);
}

static int list_dir(struct listing *l, const char *dir, int depth)
{
	char *full XB_CLEANUP(xb_free_ptr) = xb_path_join(l->project_dir, dir);
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};
	bool is_empty = true;

	if (depth > MAX_DEPTH)
		return xb_fail(l->err, XB_E_INPUT, "'%s' is more than %d directories deep", dir, MAX_DEPTH);
	if (xb_fs_list(full, &list, l->err) < 0)
		return l->err->code;
	for (size_t i = 0; i < list.len; i++) {
		const struct xb_fs_entry *e = &list.items[i];
		const char *rel = strcmp(dir, ".") == 0 ? xb_arena_strdup(l->arena, e->name)
							: xb_arena_printf(l->arena, "%s/%s", dir, e->name);
		char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(full, e->name);

		if (is_left_out(dir, e->name))
			continue;
		is_empty = false;
		if (e->is_dir && list_dir(l, rel, depth + 1) < 0)
			return l->err->code;
		if (e->is_file)
			add_file(l, rel);
		else if (e->is_link)
			add_link(l, path, rel);
	}
	if (is_empty)
		add_empty_dir(l, dir);
	return 0;
}

/* Appends to *out; out->names is of this directory alone. */
static int add_dir(const char *project_dir, const char *dir, struct xb_arena *arena, struct xb_foreign_files *out,
		   struct xb_err *err)
{
	struct listing l = {.project_dir = project_dir, .arena = arena, .out = out, .err = err};

	xb_hasher_init(&l.names);
	if (list_dir(&l, dir, 0) < 0)
		return err->code;
	xb_hasher_final(&l.names, &out->names);
	return 0;
}

int xb_foreign_sources(const char *project_dir, const char *dir, struct xb_arena *arena, struct xb_foreign_files *out,
		       struct xb_err *err)
{
	*out = (struct xb_foreign_files){0};
	return add_dir(project_dir, dir, arena, out, err);
}

int xb_foreign_inputs(const char *project_dir, const struct xb_unit *unit, struct xb_arena *arena,
		      struct xb_foreign_files *out, struct xb_err *err)
{
	const struct xb_foreign *f = unit->foreign;
	struct xb_dirs dirs = {0};
	struct xb_unit_list needs;
	struct xb_hasher names;

	*out = (struct xb_foreign_files){0};
	xb_dirs_add(&dirs, arena, f->dir);
	if (f->vendor)
		xb_dirs_add(&dirs, arena, f->vendor);
	xb_foreign_needs(unit, arena, &needs);
	for (size_t i = 0; i < needs.len; i++) {
		for (size_t k = 0; k < needs.items[i]->include.len; k++)
			xb_dirs_add(&dirs, arena, needs.items[i]->include.items[k]);
	}
	xb_hasher_init(&names);
	for (size_t i = 0; i < dirs.len; i++) {
		if (add_dir(project_dir, dirs.items[i], arena, out, err) < 0)
			return xb_wrap(err, "unit '%s'", unit->name);
		xb_hasher_update(&names, out->names.bytes, sizeof(out->names.bytes));
	}
	xb_hasher_final(&names, &out->names);
	return 0;
}
