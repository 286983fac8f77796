/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees made of Debian packages: unpacked side by side (pkg/deb_archive), put right (pkg/fixup), committed under the
 * digest of their recipe (store/tree).
 *
 * Guarantee: the tree is a function of the recipe alone: the order of the packages counts, the number of threads does not.
 */
#ifndef XBUILD_PKG_DEB_TREE_H
#define XBUILD_PKG_DEB_TREE_H

#include "xbuild/base/err.h"
#include "xbuild/model/data.h"
#include "xbuild/model/lockfile.h"
#include "xbuild/pkg/fixup.h"
#include "xbuild/store/tree.h"

struct xb_deb_tree {
	const char *kind;    /* "toolchain", "tools", "sysroot", "package" */
	const char *name;    /* of the data file or of the package */
	const char *variant; /* what else tells trees apart: the gcc of a sysroot; "" */
	const struct xb_lock_packages *packages;
	const struct xb_list *drop;    /* path patterns left out, or NULL */
	const struct xb_list *exclude; /* packages left out, see xb_fixup_known; or NULL */
	enum xb_fixup_dangling dangling;
	bool for_image; /* of usr/share/doc only the copyright files are kept; set-id bits and records are (pkg/deb_archive) */
};

/* The digest of a canonical text of all of the above. In a file of its own: it needs no archive library. */
void xb_deb_tree_recipe(const struct xb_deb_tree *spec, struct xb_digest *out);

/* All blobs must be in the store: XB_E_NOT_FOUND names the package otherwise. */
int xb_deb_tree_make(struct xb_store *store, const struct xb_deb_tree *spec, int n_threads, struct xb_tree *out,
		     struct xb_err *err) XB_MUST_CHECK;
/* The same but for the last steps: flush, then xb_tree_publish. */
int xb_deb_tree_prepare(struct xb_store *store, const struct xb_deb_tree *spec, int n_threads,
			struct xb_tree_prepared *out, struct xb_err *err) XB_MUST_CHECK;

#endif
