/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The programs that xbuild is installed with. They are out of PATH: <prefix>/libexec/xbuild beside <prefix>/bin; in a build
 * tree all stand in one directory.
 */
#ifndef XBUILD_APP_PROGRAM_H
#define XBUILD_APP_PROGRAM_H

#include "xbuild/base/arena.h"
#include "xbuild/base/err.h"

/* The absolute path of "xbuild-supply", "xbuild-wrap" or "xbuild" itself, in arena. XB_E_SYSTEM when it is not there. */
int xb_program_find(const char *name, struct xb_arena *arena, const char **out, struct xb_err *err) XB_MUST_CHECK;

#endif
