/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/build/origin.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/map.h"
#include "xbuild/base/path.h"
#include "xbuild/base/str.h"
#include "xbuild/sys/fs.h"

/* What is known of a directory, by its name as tools wrote it. */
struct place {
	enum xb_root root;
	const char *rel; /* below the root, "" for the root itself */
};

struct found {
	enum xb_root root;
	const char *rel;
};

struct xb_origins {
	struct xb_arena arena;
	const char *dirs[XB_N_ROOTS];  /* real paths, NULL where there is none */
	const char *given[XB_N_ROOTS]; /* as tools are told, clean */
	struct xb_map places, files;
};

int xb_origins_open(const struct xb_roots *roots, struct xb_origins **out, struct xb_err *err)
{
	struct xb_origins *o = xb_alloc(sizeof(*o));

	for (int i = XB_ROOT_PROJECT; i < XB_N_ROOTS; i++) {
		struct xb_str clean XB_CLEANUP(xb_str_release) = {0};
		char *real XB_CLEANUP(xb_free_ptr) = NULL;

		if (!roots->dirs[i])
			continue;
		if (xb_fs_realpath(roots->dirs[i], &real, err) < 0) {
			xb_origins_free(o);
			return err->code;
		}
		xb_path_clean(xb_sv(roots->dirs[i]), &clean);
		o->dirs[i] = xb_arena_strdup(&o->arena, real);
		o->given[i] = xb_arena_strdup(&o->arena, xb_str_get(&clean));
	}
	*out = o;
	return 0;
}

void xb_origins_free(struct xb_origins *o)
{
	if (!o)
		return;
	xb_map_release(&o->places);
	xb_map_release(&o->files);
	xb_arena_release(&o->arena);
	free(o);
}

/* The deepest root wins: the store may lie within the project or the other way round. */
static struct found classify(const struct xb_origins *o, const char *real)
{
	struct found found = {XB_ROOT_NONE, NULL};
	size_t best = 0;

	for (int i = XB_ROOT_PROJECT; i < XB_N_ROOTS; i++) {
		const size_t n = o->dirs[i] ? strlen(o->dirs[i]) : 0;

		if (!n || n < best || !xb_path_is_below(xb_sv(real), xb_sv(o->dirs[i])))
			continue;
		best = n;
		found.root = (enum xb_root)i;
		found.rel = real[n] ? real + n + 1 : "";
	}
	return found;
}

/*
 * Resolves a directory. In the project the name is kept as written when folding "." and ".." in it gives the same
 * directory; then a file is known by the path that the user sees.
 */
static const struct place *find_place(struct xb_origins *o, struct xb_sv dir)
{
	struct place *place = xb_map_get(&o->places, dir);
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	char *real XB_CLEANUP(xb_free_ptr) = NULL;
	struct found found;

	if (place)
		return place;
	place = xb_arena_alloc(&o->arena, sizeof(*place));
	xb_map_put(&o->places, dir, place);
	char *name XB_CLEANUP(xb_free_ptr) = xb_sv_dup(dir);
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(o->given[XB_ROOT_PROJECT], dir.len ? name : ".");

	if (xb_fs_realpath(path, &real, &ignored) < 0)
		return place;
	found = classify(o, real);
	place->root = found.root;
	place->rel = found.rel ? xb_arena_strdup(&o->arena, found.rel) : NULL;
	if (found.root == XB_ROOT_PROJECT) {
		struct xb_str folded XB_CLEANUP(xb_str_release) = {0};
		struct xb_sv rest;
		char *again XB_CLEANUP(xb_free_ptr) = NULL;

		xb_path_clean(xb_sv(path), &folded);
		if (!xb_path_is_below(xb_str_sv(&folded), xb_sv(o->given[XB_ROOT_PROJECT])) ||
		    xb_fs_realpath(xb_str_get(&folded), &again, &ignored) < 0 || strcmp(again, real) != 0)
			return place;
		rest = xb_str_sv(&folded);
		rest.ptr += strlen(o->given[XB_ROOT_PROJECT]);
		rest.len -= strlen(o->given[XB_ROOT_PROJECT]);
		if (rest.len && *rest.ptr == '/') {
			rest.ptr++;
			rest.len--;
		}
		place->rel = xb_arena_sv(&o->arena, rest);
	}
	return place;
}

/* A file of the project that is a link counts by its name, but only if the link stays in one of the roots. */
static bool leaf_stays(struct xb_origins *o, const char *rel)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(o->dirs[XB_ROOT_PROJECT], rel);
	char *real XB_CLEANUP(xb_free_ptr) = NULL;
	struct stat st;

	if (lstat(path, &st) < 0)
		return false;
	if (!S_ISLNK(st.st_mode))
		return true;
	return xb_fs_realpath(path, &real, &ignored) == 0 && classify(o, real).root != XB_ROOT_NONE;
}

enum xb_root xb_origins_find(struct xb_origins *o, const char *path, const char **out_rel)
{
	struct found *found = xb_map_get_str(&o->files, path);

	if (!found) {
		const struct xb_sv base = xb_path_base(xb_sv(path));
		struct xb_sv dir = xb_path_dir(xb_sv(path));
		const struct place *place = find_place(o, dir);

		found = xb_arena_alloc(&o->arena, sizeof(*found));
		found->root = place->root;
		if (place->root != XB_ROOT_NONE)
			found->rel = *place->rel ? xb_arena_printf(&o->arena, "%s/%.*s", place->rel, XB_SV_ARG(base))
						 : xb_arena_sv(&o->arena, base);
		/* the trees in the store were checked when they were made, and nobody writes to them */
		if (found->root == XB_ROOT_PROJECT && !leaf_stays(o, found->rel))
			found->root = XB_ROOT_NONE;
		xb_map_put_str(&o->files, path, found);
	}
	*out_rel = found->rel;
	return found->root;
}
