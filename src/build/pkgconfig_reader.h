/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of build/pkgconfig. */
#ifndef XBUILD_SRC_BUILD_PKGCONFIG_READER_H
#define XBUILD_SRC_BUILD_PKGCONFIG_READER_H

#include "xbuild/base/map.h"
#include "xbuild/build/compile.h"
#include "xbuild/build/pkgconfig.h"

struct module {
	const char *name;
	const char *root;			  /* the sysroot's, or a prefix: what its absolute paths are below */
	struct xb_map vars;			  /* raw text */
	const char *requires_, *requires_private; /* expanded, "" when absent */
	const char *cflags, *libs, *libs_private, *version, *title, *description;
	size_t fields_bytes; /* of all that were read, expanded */
	unsigned visited;    /* number of the query that met it last */
};

struct xb_pkgconfig {
	const struct xb_sysroot_paths *sysroot;
	struct xb_arena *arena;
	struct xb_dirs prefixes;
	struct xb_map defined; /* of xb_pkgconfig_define */
	struct xb_map modules;
	bool keep_cflags, keep_libs;
	unsigned query;
};

/* Reads a module, once. XB_E_INPUT names `wanted_by` (may be NULL) when there is none. */
int pkgconfig_module(struct xb_pkgconfig *reader, struct xb_sv name, const char *wanted_by, struct module **out,
		     struct xb_err *err) XB_MUST_CHECK;
/* A value with ${...} replaced. */
int pkgconfig_expand(const struct module *module, struct xb_sv text, struct xb_str *out,
		     struct xb_err *err) XB_MUST_CHECK;

/* Calls fn with each root and directory below it, in the order of the search, until it returns another number than 0. */
typedef int (*pkgconfig_dir_fn)(void *ctx, const char *root, const char *dir, struct xb_err *err);
int pkgconfig_each_dir(struct xb_pkgconfig *reader, pkgconfig_dir_fn fn, void *ctx, struct xb_err *err) XB_MUST_CHECK;

/* The next word of a list of modules: between blanks and commas. Empty at the end. */
struct xb_sv pkgconfig_word(struct xb_sv *rest);
bool pkgconfig_is_sign(struct xb_sv word); /* = != < <= > >= */
/* Versions are compared as RPM does, which pkg-config(1) has taken over. */
bool pkgconfig_version_fits(struct xb_sv have, struct xb_sv sign, struct xb_sv want);

#endif
