/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pkg-config modules of a sysroot: an own reader of .pc files, so that no host program, path or variable can answer.
 *
 * Looked for in:  <sysroot>/usr/lib/<multiarch>/pkgconfig, usr/lib/pkgconfig, usr/share/pkgconfig. Nowhere else.
 * Source:         pc(5) and pkg-config(1): variables, ${name}, Requires, Requires.private, Libs, Libs.private, Cflags;
 *                 '#' comments, a backslash at the end joins lines.
 * Paths:          every absolute path in the flags lies in the sysroot: it becomes a word of XB_ROOT_SYSROOT. The directories
 *                 that compiler and linker search anyway (/usr/include, /usr/lib and their multiarch halves) are left out.
 * Order:          a module comes before those it requires, each once: what static linking needs.
 * Private:        Cflags follow Requires and Requires.private; libraries follow the private ones for static linking only.
 * Failure:        XB_E_INPUT names the module, who asked for it, and what is missing or malformed.
 * Threads:        one reader belongs to one thread.
 */
#ifndef XBUILD_BUILD_PKGCONFIG_H
#define XBUILD_BUILD_PKGCONFIG_H

#include <stdbool.h>

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"
#include "xbuild/build/command.h"

struct xb_pkgconfig;

/* Reads nothing yet. Strings of the results live in arena, which must outlive the reader. */
struct xb_pkgconfig *xb_pkgconfig_open(const struct xb_sysroot_paths *sysroot, struct xb_arena *arena);
void xb_pkgconfig_free(struct xb_pkgconfig *reader); /* NULL-safe */

/*
 * Appends the flags of `modules` and of what they require. cflags and libs may be NULL when not wanted. Library words
 * are driver words ("-lz", "-pthread", "-L" below the sysroot, "-Wl,..."): build/link translates them.
 */
int xb_pkgconfig_flags(struct xb_pkgconfig *reader, const char *const *modules, size_t n_modules, bool for_static,
		       struct xb_command *cflags, struct xb_command *libs, struct xb_err *err) XB_MUST_CHECK;

/*
 * Before the first query: a directory that another unit was installed to (absolute), searched before the sysroot. The paths in its
 * modules are below it, and all of them are told: no compiler searches there by itself. Borrowed.
 */
void xb_pkgconfig_add_prefix(struct xb_pkgconfig *reader, const char *dir);
/* ... the value of a variable in every module, whatever that one says. Borrowed. */
void xb_pkgconfig_define(struct xb_pkgconfig *reader, const char *name, const char *value);
/* ... also those directories that compiler and linker search anyway. */
void xb_pkgconfig_keep_system(struct xb_pkgconfig *reader, bool cflags, bool libs);

/* What pkg-config(1) asks besides. Strings are in the reader's arena; a module that there is not is XB_E_INPUT. */
struct xb_pkgconfig_module {
	const char *name, *title, *version, *description, *requires_, *requires_private;
};
int xb_pkgconfig_find(struct xb_pkgconfig *reader, const char *name, struct xb_pkgconfig_module *out,
		      struct xb_err *err) XB_MUST_CHECK;
/* The names in "a >= 1.0, b": XB_E_INPUT when one is missing or has another version. */
int xb_pkgconfig_modules(struct xb_pkgconfig *reader, const char *text, const char ***out, size_t *out_count,
			 struct xb_err *err) XB_MUST_CHECK;
/* Its value, "" when it has none; an absolute path becomes one below the sysroot or prefix. */
int xb_pkgconfig_variable(struct xb_pkgconfig *reader, const char *name, const char *variable, const char **out,
			  struct xb_err *err) XB_MUST_CHECK;
/* Appends the names of its variables, one a line. */
int xb_pkgconfig_variables(struct xb_pkgconfig *reader, const char *name, struct xb_str *out,
			   struct xb_err *err) XB_MUST_CHECK;
/* All modules that can be found, each once. */
int xb_pkgconfig_list(struct xb_pkgconfig *reader, const char ***out, size_t *out_count,
		      struct xb_err *err) XB_MUST_CHECK;
/* "1.2.3rc1" >= "1.2": RPM's order. */
bool xb_pkgconfig_version_is(const char *have, const char *sign, const char *want);

#endif
