/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the project that a unit of another build system is made from. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/build/foreign.h"
#include "xbuild/sys/fs.h"

#define MAX_DEPTH    128
#define MAX_BY_LINKS 10000 /* files behind links that lead out of the directory */

struct listing {
	const char *project_dir;
	struct xb_arena *arena;
	struct xb_foreign_files *out;
	struct xb_dirs
		*known; /* real paths of what is listed or never is; NULL: links to directories are not followed */
	size_t n_links, n_by_links; /* links to directories that it is behind of; files that were found there */
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

/* Behind a link to elsewhere there may be anything: so much of it counts, and what cannot be read does not. */
static void add_found(struct listing *l, const char *full, const char *rel)
{
	if (!l->n_links || (faccessat(AT_FDCWD, full, R_OK, AT_EACCESS) == 0 && l->n_by_links++ < MAX_BY_LINKS))
		add_file(l, rel);
}

static bool is_in(const char *path, const char *dir)
{
	return strcmp(path, dir) == 0 || xb_path_is_below(xb_sv(path), xb_sv(dir));
}

/* What is listed already, or leads up to it, is not listed again. */
static bool leads_elsewhere(struct listing *l, const char *full)
{
	char *real XB_CLEANUP(xb_free_ptr) = l->known ? realpath(full, NULL) : NULL;

	for (size_t i = 0; real && i < l->known->len; i++)
		if (is_in(real, l->known->items[i]) || is_in(l->known->items[i], real))
			return false;
	if (real)
		xb_dirs_add(l->known, l->arena, xb_arena_strdup(l->arena, real));
	return real != NULL;
}

static int list_dir(struct listing *l, const char *dir, int depth);

/* A link to a file counts as that file; another one by its text, and one to a directory elsewhere by what is in there, too. */
static int add_link(struct listing *l, const char *full, const char *rel, int depth)
{
	char text[XB_MAX_PATH_BYTES + 1];
	struct stat st;
	ssize_t n;
	int rc;

	if (stat(full, &st) < 0)
		st.st_mode = 0;
	if (S_ISREG(st.st_mode)) {
		add_found(l, full, rel);
		return 0;
	}
	n = readlink(full, text, sizeof(text));
	xb_hasher_update(&l->names, rel, strlen(rel) + 1);
	xb_hasher_update(&l->names, text, n > 0 ? (size_t)n : 0);
	xb_dirs_add(&l->out->others, l->arena, rel);
	if (!S_ISDIR(st.st_mode) || !leads_elsewhere(l, full))
		return 0;
	l->n_links++;
	rc = list_dir(l, rel, depth + 1);
	l->n_links--;
	return rc;
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
	if (xb_fs_list(full, &list, l->err) < 0) {
		if (l->n_links)
			xb_err_clear(l->err);
		return l->err->code;
	}
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
			add_found(l, path, rel);
		else if (e->is_link && add_link(l, path, rel, depth) < 0)
			return l->err->code;
	}
	if (is_empty)
		add_empty_dir(l, dir);
	return 0;
}

/* Appends to the listing's files; their names are those of this directory alone. */
static int add_dir(struct listing *l, const char *dir)
{
	xb_hasher_init(&l->names);
	if (list_dir(l, dir, 0) < 0)
		return l->err->code;
	xb_hasher_final(&l->names, &l->out->names);
	return 0;
}

static void know(struct listing *l, const char *path)
{
	char *full XB_CLEANUP(xb_free_ptr) = xb_path_join(l->project_dir, path);
	char *real XB_CLEANUP(xb_free_ptr) = realpath(full, NULL);

	if (real)
		xb_dirs_add(l->known, l->arena, xb_arena_strdup(l->arena, real));
}

int xb_foreign_sources(const char *project_dir, const char *dir, struct xb_arena *arena, struct xb_foreign_files *out,
		       struct xb_err *err)
{
	struct listing l = {.project_dir = project_dir, .arena = arena, .out = out, .err = err};

	*out = (struct xb_foreign_files){0};
	return add_dir(&l, dir);
}

int xb_foreign_inputs(const char *project_dir, const struct xb_unit *unit, struct xb_arena *arena,
		      struct xb_foreign_files *out, struct xb_err *err)
{
	const struct xb_foreign *f = unit->foreign;
	struct xb_dirs dirs = {0}, known = {0};
	struct listing l = {.project_dir = project_dir, .arena = arena, .out = out, .known = &known, .err = err};
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
	know(&l, "out");
	know(&l, ".xbuild");
	for (size_t i = 0; i < dirs.len; i++)
		know(&l, dirs.items[i]);
	xb_hasher_init(&names);
	for (size_t i = 0; i < dirs.len; i++) {
		if (add_dir(&l, dirs.items[i]) < 0)
			return xb_wrap(err, "unit '%s'", unit->name);
		xb_hasher_update(&names, out->names.bytes, sizeof(out->names.bytes));
	}
	xb_hasher_final(&names, &out->names);
	return 0;
}
