/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths as text. Nothing here touches the disk, so ".." is resolved lexically: use it on names whose parents are known
 * to be no links (manifests, the project file), and sys/fs for anything real.
 */
#ifndef XBUILD_BASE_PATH_H
#define XBUILD_BASE_PATH_H

#include <stdbool.h>

#include "xbuild/base/str.h"
#include "xbuild/base/sv.h"

/* Owned "a/b"; when b is absolute the result is b. */
char *xb_path_join(const char *a, const char *b);

/*
 * Cleans `path` into out (replaces its content): no "//", ".", trailing "/", and ".." folded. A relative path that
 * climbs above its start keeps its leading ".."; "" becomes ".".
 */
void xb_path_clean(struct xb_sv path, struct xb_str *out);

/*
 * True when `path` is a safe relative name for an archive entry or a project file: not empty, not absolute, no "." or
 * ".." or empty component, no NUL or control byte, components at most 255 bytes, at most 4096 bytes and 64 deep.
 */
bool xb_path_is_safe(struct xb_sv path);

/* True when `path` equals `dir` or lies below it (both clean). */
bool xb_path_is_below(struct xb_sv path, struct xb_sv dir);

/*
 * The relative path from directory `from` to `to`, both clean and either both absolute or both relative. Owned.
 * NULL when a relative `from` climbs above the point where `to` branches off ("../x" to "y"): the way back down leads
 * through directories whose names the text does not tell.
 */
char *xb_path_relative(const char *from, const char *to);

struct xb_sv xb_path_base(struct xb_sv path); /* last component */
struct xb_sv xb_path_dir(struct xb_sv path);  /* all before it, "" when there is none */
struct xb_sv xb_path_ext(struct xb_sv path);  /* ".c", or empty */

/* Shell-style match of a whole path: '*' and '?' do not cross '/', "**" as a component matches any number of them. */
bool xb_path_glob(struct xb_sv pattern, struct xb_sv path);

#endif
