/* SPDX-License-Identifier: Apache-2.0 */
/* The note that a compiler is ready (app/op_compiler): what it was made from, and where it is. */
#ifndef XBUILD_SRC_APP_COMPILER_READY_H
#define XBUILD_SRC_APP_COMPILER_READY_H

#include "xbuild/app/op_compiler.h"

/*
 * Fills *out (all but target and place) from the note, when every file that it names is as it was and `xbuild`, an absolute
 * path, is the program that it was made by. With need_tools, only when the further tools are in the directory. False for
 * whatever reason: then it is made again.
 */
bool compiler_ready_read(struct xb_arena *arena, const char *path, const char *xbuild, bool need_tools,
			 struct xb_compiler *out);

/* `inputs`: absolute paths, ends with NULL. One that is missing makes the note useless, not wrong. */
int compiler_ready_write(const char *path, const struct xb_compiler *compiler, const char *xbuild, bool tools,
			 const char *const *inputs, struct xb_err *err) XB_MUST_CHECK;

#endif
