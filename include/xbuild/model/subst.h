/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ${name}: replaced from a closed list, in documented fields only. "$${" is a literal "${". There are no expressions.
 *
 * Names: version, image, target.name, target.triple, target.arch (OCI), profile, git.branch, git.sha, git.sha7, git.tag,
 *        git.time (YYYYMMDDhhmmss of the commit, UTC), git.unix (seconds), git.dirty ("-dirty" or ""), and vars.<name> or
 *        plain <name> of the project's own vars; in an image's env also base.<NAME>;
 *        in what a unit's driver is given dir.source, dir.build, dir.stage and dir.sysroot.
 */
#ifndef XBUILD_MODEL_SUBST_H
#define XBUILD_MODEL_SUBST_H

#include <stdbool.h>

#include "xbuild/base/err.h"
#include "xbuild/base/map.h"
#include "xbuild/base/str.h"

/*
 * Calls check(name) for every ${name}; used on load. The first problem (unclosed brace, or check returning false) is
 * told by its byte offset in *out_offset and a negative return without setting an error.
 */
int xb_subst_check(const char *text, bool (*check)(void *ctx, struct xb_sv name), void *ctx,
		   size_t *out_offset) XB_MUST_CHECK;

/* True for the built-in names above. */
bool xb_subst_is_builtin(struct xb_sv name);
/* True for "base." and the name of an environment variable: what the base of an image says, known where `env:` is made. */
bool xb_subst_is_base(struct xb_sv name);
/* True for dir.source, dir.build, dir.stage and dir.sysroot: known where another build system makes a unit (build/foreign). */
bool xb_subst_is_dir(struct xb_sv name);
/* All of them, for suggestions; ends with NULL. */
const char *const *xb_subst_builtins(void);

/* Appends the expanded text. A name without a value (no git repository, ...) is XB_E_INPUT and says which. */
int xb_subst_expand(const char *text, const struct xb_map *values, struct xb_str *out,
		    struct xb_err *err) XB_MUST_CHECK;

#endif
