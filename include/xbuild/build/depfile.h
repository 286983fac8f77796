/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that a tool says it read: make rules as clang's -MD and ld.lld's --dependency-file write them.
 *
 * Source:   the escapes are those of GNU make as gcc's and clang's dependency printers use them (clang,
 *           lib/Frontend/DependencyFile.cpp, PrintFilename): "\ " is a blank, "\#" a hash, "$$" a dollar, a backslash
 *           before a newline joins lines; a backslash before anything else stands for itself, and 2n+1 backslashes before
 *           a blank are n backslashes and a blank.
 * Targets:  all rules count alike; the names before the colon are not told (lld adds an empty rule for each input).
 * Failure:  XB_E_INPUT for text that is no rule (no colon, NUL, a name longer than XB_MAX_PATH_BYTES).
 */
#ifndef XBUILD_BUILD_DEPFILE_H
#define XBUILD_BUILD_DEPFILE_H

#include "xbuild/base/arena.h"
#include "xbuild/base/err.h"
#include "xbuild/base/sv.h"

struct xb_depfile {
	const char **paths; /* in the order of the text, doubles left in; in the arena */
	size_t len;
};

/* `name` is for messages. Strings are copied into arena. */
int xb_depfile_parse(struct xb_sv text, const char *name, struct xb_arena *arena, struct xb_depfile *out,
		     struct xb_err *err) XB_MUST_CHECK;
/* Reads at most XB_MAX_DEPFILE_BYTES. */
int xb_depfile_read(const char *path, const char *name, struct xb_arena *arena, struct xb_depfile *out,
		    struct xb_err *err) XB_MUST_CHECK;

#endif
