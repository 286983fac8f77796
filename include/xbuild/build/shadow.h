/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a list of headers does not tell: files whose appearance would change the result although none of the files that
 * were read changed, and files that the assembler reads by itself.
 *
 * Shadows: a header found in one directory of the search path is another one as soon as an earlier directory gets a
 *          file of that name. For each header read these places are listed as paths that must stay absent, each cut after
 *          its first missing component (as long as "include/sys" is missing, "include/sys/types.h" is).
 * Assembler: .incbin and .include name files that no dependency list of the compiler has.
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

/*
 * Appends to *out one "!<project path>" for every place (see above), each once, sorted. `search` are the project directories
 * on the command line in order, `multiarch` the name of the sysroot's architecture directory. files[0] is the source itself:
 * it includes, but nothing includes it.
 */
void xb_shadows_find(struct xb_shadows *shadows, const struct xb_dirs *search, const char *multiarch,
		     const struct xb_read_file *files, size_t n, struct xb_arena *arena, struct xb_dirs *out);

/*
 * Appends the names after `directive` (".incbin", ".include") in an assembler source, or in a C source that carries such text
 * in strings. False when a name is not written out there (a macro): then what is read cannot be told.
 */
bool xb_assembler_reads(struct xb_sv text, const char *directive, struct xb_arena *arena, struct xb_dirs *out);

#endif
