/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/build/sources.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/map.h"
#include "xbuild/base/path.h"
#include "xbuild/base/str.h"
#include "xbuild/base/vec.h"
#include "xbuild/sys/fs.h"

struct xb_sources {
	const char *dir;
	struct xb_map listings; /* relative directory ("" is the top) -> struct xb_fs_list */
};

/* One search in progress. */
struct search {
	struct xb_sources *sources;
	struct xb_arena *arena;
	const struct xb_source_query *query;
	struct xb_sv pattern;
	bool deep;    /* the pattern reaches below the first directory */
	bool matched; /* also by a file that exclude takes out again */
	const char **items;
	size_t len, cap;
};

struct xb_sources *xb_sources_open(const char *project_dir)
{
	struct xb_sources *sources = xb_alloc(sizeof(*sources));

	sources->dir = project_dir;
	return sources;
}

void xb_sources_free(struct xb_sources *sources)
{
	if (!sources)
		return;
	for (size_t i = 0; i < sources->listings.len; i++) {
		xb_fs_list_release(sources->listings.entries[i].value);
		free(sources->listings.entries[i].value);
	}
	xb_map_release(&sources->listings);
	free(sources);
}

static int list_dir(struct xb_sources *sources, const char *rel, const struct xb_fs_list **out, struct xb_err *err)
{
	struct xb_fs_list *list = xb_map_get_str(&sources->listings, rel);

	if (!list) {
		char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(sources->dir, *rel ? rel : ".");

		list = xb_alloc(sizeof(*list));
		if (xb_fs_list(path, list, err) < 0) {
			free(list);
			return err->code;
		}
		xb_map_put_str(&sources->listings, rel, list);
	}
	*out = list;
	return 0;
}

static bool is_ours(const char *rel, const char *name)
{
	return !strcmp(name, ".git") || (!*rel && (!strcmp(name, "out") || !strcmp(name, ".xbuild")));
}

static bool is_regular(const struct xb_sources *sources, const char *rel)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(sources->dir, rel);
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static int add(struct search *s, const char *path, struct xb_err *err)
{
	s->matched = true;
	for (size_t i = 0; i < s->query->n_exclude; i++)
		if (xb_path_glob(xb_sv(s->query->exclude[i]), xb_sv(path)))
			return 0;
	if (s->len >= XB_MAX_SOURCES)
		return xb_fail(err, XB_E_INPUT, "pattern '%.*s' matches more than %d files", XB_SV_ARG(s->pattern),
			       XB_MAX_SOURCES);
	XB_VEC_PUSH(s, path);
	return 0;
}

static int walk(struct search *s, const char *rel, int depth, struct xb_err *err)
{
	const struct xb_fs_list *list = NULL;

	if (depth > XB_MAX_PATH_DEPTH)
		return xb_fail(err, XB_E_INPUT, "look for sources: '%s' is nested deeper than %d directories", rel,
			       XB_MAX_PATH_DEPTH);
	if (list_dir(s->sources, rel, &list, err) < 0)
		return err->code;
	for (size_t i = 0; i < list->len; i++) {
		const struct xb_fs_entry *entry = &list->items[i];
		const char *path;

		if (is_ours(rel, entry->name) || (entry->is_dir && !s->deep))
			continue;
		if (!entry->is_dir && !entry->is_file && !entry->is_link)
			continue;
		path = *rel ? xb_arena_printf(s->arena, "%s/%s", rel, entry->name)
			    : xb_arena_strdup(s->arena, entry->name);
		if (entry->is_dir) {
			if (walk(s, path, depth + 1, err) < 0)
				return err->code;
		} else if (xb_path_glob(s->pattern, xb_sv(path)) && (entry->is_file || is_regular(s->sources, path))) {
			if (add(s, path, err) < 0)
				return err->code;
		}
	}
	return 0;
}

static int search_pattern(struct search *s, const char *pattern, struct xb_err *err)
{
	const size_t literal = strcspn(pattern, "*?");
	struct xb_sv dir;
	const char *rel;

	s->pattern = xb_sv(pattern);
	s->matched = false;
	if (!pattern[literal]) {
		const struct xb_sv top = xb_sv_cut(&(struct xb_sv){pattern, strlen(pattern)}, '/');

		if (xb_sv_eq_str(top, "out") || xb_sv_eq_str(top, ".xbuild") || xb_sv_eq_str(top, ".git"))
			return 0;
		return is_regular(s->sources, pattern) ? add(s, xb_arena_strdup(s->arena, pattern), err) : 0;
	}
	dir = xb_path_dir(xb_sv_n(pattern, literal + 1));
	rel = xb_arena_sv(s->arena, dir);
	s->deep = strchr(pattern + literal, '/') || strstr(pattern + literal, "**");
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(s->sources->dir, *rel ? rel : ".");

	if (!xb_fs_is_dir(path) || !strcmp(rel, "out") || xb_sv_starts(dir, "out/") || !strcmp(rel, ".xbuild") ||
	    xb_sv_starts(dir, ".xbuild/"))
		return 0;
	return walk(s, rel, 0, err);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int xb_sources_find(struct xb_sources *sources, const struct xb_source_query *query, struct xb_arena *arena,
		    struct xb_source_list *out, size_t *out_unmatched, struct xb_err *err)
{
	struct search s = {.sources = sources, .arena = arena, .query = query};
	size_t unmatched = query->n_patterns, n = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < query->n_patterns; i++) {
		rc = search_pattern(&s, query->patterns[i], err);
		if (!s.matched && unmatched == query->n_patterns)
			unmatched = i;
	}
	if (rc == 0) {
		if (s.len)
			qsort(s.items, s.len, sizeof(*s.items), by_bytes);
		out->paths = xb_arena_array(arena, s.len, sizeof(*out->paths));
		for (size_t i = 0; i < s.len; i++)
			if (n == 0 || strcmp(out->paths[n - 1], s.items[i]) != 0)
				out->paths[n++] = s.items[i];
		out->len = n;
		*out_unmatched = unmatched;
	}
	XB_VEC_RELEASE(&s);
	return rc;
}
