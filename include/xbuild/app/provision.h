/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run needs from the store, found or supplied: toolchain trees, sysroot trees, package trees for images.
 */
#ifndef XBUILD_APP_PROVISION_H
#define XBUILD_APP_PROVISION_H

#include "xbuild/app/app.h"
#include "xbuild/store/tree.h"

enum xb_want_kind {
	XB_WANT_TOOLCHAIN,
	XB_WANT_TOOLS,
	XB_WANT_SYSROOT,
	XB_WANT_PACKAGE,
	XB_WANT_BASE,
	XB_WANT_RUST,
	XB_WANT_CRATES,
	XB_WANT_CONTENTS
};

/* One thing to have. Text form, for the helper's command line: "toolchain:linux-x86_64", "tools:linux-x86_64",
 * "sysroot:linux-aarch64", "package:linux-aarch64/libc6", "package:linux-aarch64/api/libc6" for image api,
 * "rust:linux-x86_64", "crates:amd64", "base:linux-aarch64/api": the layers that image api stands on;
 * "base:linux-aarch64/api/files": and all files in them;
 * "contents:linux-aarch64": which package of its suites has which file; "contents:linux-aarch64/all": of the packages for
 * every architecture; "contents:linux-aarch64/try" and ".../try/all": a failure is told as a note and is none. */
struct xb_want {
	enum xb_want_kind kind;
	const char *name; /* host or target; of crates the Debian architecture that they are taken from */
	/* for XB_WANT_PACKAGE; for XB_WANT_BASE "files" or NULL, for XB_WANT_CONTENTS "all" or NULL; else NULL */
	const char *package;
	/* for XB_WANT_PACKAGE: whose list has it; NULL: the target's sysroot. For XB_WANT_BASE; of XB_WANT_CONTENTS "try" or NULL */
	const char *image;
};

bool xb_want_is_tree(const struct xb_want *want); /* of the store; else it has no recipe */

/* Owned by arena. */
char *xb_want_format(const struct xb_want *want, struct xb_arena *arena);
const char *xb_want_kind_name(const struct xb_want *want); /* "toolchain" */
int xb_want_parse(const char *text, struct xb_arena *arena, struct xb_want *out, struct xb_err *err) XB_MUST_CHECK;

/*
 * The name of its tree, of a want that is a tree. *out_none: nothing has to be there (tools of a toolchain that locks none).
 * XB_E_LOCK when the lock does not have it. Needs project, descs, lock.
 */
int xb_want_recipe(struct xb_app *app, const struct xb_want *want, struct xb_digest *out, bool *out_none,
		   struct xb_err *err) XB_MUST_CHECK;

/* Of an XB_WANT_BASE: the image of the project, and the target. XB_E_USAGE when it is none. */
int xb_want_image(struct xb_app *app, const struct xb_want *want, const struct xb_image **out_image,
		  const struct xb_target **out_target, struct xb_err *err) XB_MUST_CHECK;

/* True in *out when the store already has it; a damaged tree counts as missing. Needs project, descs, lock, store. */
int xb_want_is_there(struct xb_app *app, const struct xb_want *want, bool *out, struct xb_err *err) XB_MUST_CHECK;

/* Those of `wants` that are not in the store; in app->arena. Needs project, descs. */
int xb_provision_missing(struct xb_app *app, const struct xb_want *wants, size_t n_wants, struct xb_want **out,
			 size_t *out_count, struct xb_err *err) XB_MUST_CHECK;

/* Has everything supplied that is missing (one call of app->supply). With options.offline the blobs must be there. */
int xb_provision(struct xb_app *app, const struct xb_want *wants, size_t n_wants, struct xb_err *err) XB_MUST_CHECK;

/* The toolchain of this host and the sysroot of a target, provisioned; strings in app->arena. */
int xb_provision_tools(struct xb_app *app, bool want_tools, struct xb_tools *out, struct xb_err *err) XB_MUST_CHECK;
int xb_provision_sysroot(struct xb_app *app, const struct xb_target *target, struct xb_sysroot_paths *out,
			 struct xb_err *err) XB_MUST_CHECK;
/* Tree of the package that a want names, for images. */
int xb_provision_package(struct xb_app *app, const struct xb_want *want, struct xb_tree *out,
			 struct xb_err *err) XB_MUST_CHECK;
/* What the lock says of the package that a want names: XB_E_LOCK when it does not have it. */
int xb_want_package(const struct xb_app *app, const struct xb_want *want, const struct xb_lock_package **out,
		    struct xb_err *err) XB_MUST_CHECK;

#endif
