/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What programs that were linked with a sysroot need to run on this machine, whatever C library it has: the sysroot's own loader
 * and libraries (ld.so(8)).
 */
#ifndef XBUILD_BUILD_LOADER_H
#define XBUILD_BUILD_LOADER_H

#include "xbuild/base/arena.h"
#include "xbuild/model/target.h"

/* The directories with libraries of the sysroot, joined by ':'; `first` (may be NULL) stands before them. In arena. */
char *xb_loader_library_path(struct xb_arena *arena, const char *sysroot, const struct xb_target *target,
			     const char *first);
/* Path of the sysroot's loader in arena, or NULL. */
char *xb_loader_find(struct xb_arena *arena, const char *sysroot, const struct xb_target *target);

#endif
