/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a file that a tool has read really lies: builds are hermetic because every such file must be in the project, the
 * toolchain or the sysroot.
 *
 * Guarantee: links are followed and ".." is resolved as the kernel does it, so that no link in the project leads out of it
 *            unseen. Each directory is resolved once per instance.
 * Threads:   an instance belongs to one thread.
 */
#ifndef XBUILD_BUILD_ORIGIN_H
#define XBUILD_BUILD_ORIGIN_H

#include "xbuild/base/err.h"
#include "xbuild/build/command.h"

struct xb_origins;

/* Failure: a root that does not exist. NULL roots are left out. Paths are copied. */
int xb_origins_open(const struct xb_roots *roots, struct xb_origins **out, struct xb_err *err) XB_MUST_CHECK;
void xb_origins_free(struct xb_origins *origins); /* NULL-safe */

/*
 * The root that holds `path` (absolute, or relative to the project), XB_ROOT_NONE when none does or the file is gone.
 * *out_rel is the path below that root, borrowed until free. For a file of the project it is the path as the tool named it
 * (folded where that is the same file), so that a link that is turned elsewhere is noticed by content.
 */
enum xb_root xb_origins_find(struct xb_origins *origins, const char *path, const char **out_rel);

#endif
