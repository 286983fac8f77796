/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that the patterns of a unit name.
 *
 * Guarantee: the result is sorted by bytes, without doubles, and the same on every machine. What xbuild and git make
 *            (out/ and .xbuild/ at the top, .git anywhere) is never matched, directories behind symbolic links are not
 *            entered, a link to a regular file counts as that file.
 * Patterns:  base/path's globs, relative to the project directory: '*' and '?' within a component, "**" for any number of
 *            components.
 * Cost:      a directory is read once per instance, whatever the number of patterns that look into it.
 * Threads:   an instance belongs to one thread.
 */
#ifndef XBUILD_BUILD_SOURCES_H
#define XBUILD_BUILD_SOURCES_H

#include <stddef.h>

#include "xbuild/base/arena.h"
#include "xbuild/base/err.h"

struct xb_sources;

/* `project_dir` is borrowed. */
struct xb_sources *xb_sources_open(const char *project_dir);
void xb_sources_free(struct xb_sources *sources); /* NULL-safe */

/* What is looked for. */
struct xb_source_query {
	const char *const *patterns;
	size_t n_patterns;
	const char *const *exclude; /* patterns of files that are left out */
	size_t n_exclude;
};

struct xb_source_list {
	const char **paths; /* in the arena given to find */
	size_t len;
};

/*
 * Files that match one of the patterns and none of those excluded. *out_unmatched is the index of the first pattern that
 * matches no file (exclude not counted), or n_patterns. Failure: XB_E_SYSTEM; XB_E_INPUT beyond XB_MAX_SOURCES.
 */
int xb_sources_find(struct xb_sources *sources, const struct xb_source_query *query, struct xb_arena *arena,
		    struct xb_source_list *out, size_t *out_unmatched, struct xb_err *err) XB_MUST_CHECK;

#endif
