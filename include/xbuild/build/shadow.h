/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a list of files read does not tell: files whose appearance would change the result although none of those that were
 * read changed. They are listed as paths that must stay absent, each cut after its first missing component (as long as
 * "include/sys" is missing, "include/sys/types.h" is).
 *
 * Headers:   one found in one directory of the search path is another one as soon as an earlier directory gets a file of
 *            that name; and what __has_include did not find (build/scan.h knows the names) may be there next time.
 * Libraries: so it is with -L and -l.
 */
#ifndef XBUILD_BUILD_SHADOW_H
#define XBUILD_BUILD_SHADOW_H

#include "xbuild/base/arena.h"
#include "xbuild/build/command.h"
#include "xbuild/build/compile.h"

/* A file that was read: where it lies. */
struct xb_read_file {
	enum xb_root root;
	const char *rel;
};

/*
 * Knows which project paths exist, as of the moment it was first asked about their directory: one listing answers for all
 * names in it. One per run.
 */
struct xb_shadows;
struct xb_shadows *xb_shadows_open(const char *project_dir);
void xb_shadows_free(struct xb_shadows *shadows);
bool xb_shadows_exists(struct xb_shadows *shadows, const char *path);

struct xb_shadow_query {
	const struct xb_dirs *search; /* project directories on the command line, in order */
	const char *multiarch;	      /* name of the sysroot's architecture directory */
	/* files[0] is the source itself: it includes, but nothing includes it */
	const struct xb_read_file *files;
	size_t n_files;
	const struct xb_dirs *asked; /* names that a preprocessor condition may have looked for */
};
/* Appends to *out one "!<project path>" for every place (see above), each once, sorted. */
void xb_shadows_find(struct xb_shadows *shadows, const struct xb_shadow_query *query, struct xb_arena *arena,
		     struct xb_dirs *out);

/*
 * The same for a link: the places below the project where its -l words may find a library, and do not. Directories of the
 * sysroot do not change.
 */
void xb_shadows_find_libraries(struct xb_shadows *shadows, const struct xb_command *link, struct xb_arena *arena,
			       struct xb_dirs *out);

#endif
