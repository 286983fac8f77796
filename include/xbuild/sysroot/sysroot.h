/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sysroot as a tree in the store: Debian packages unpacked side by side (pkg/deb_tree), an archive, or a directory of
 * this machine; then put right (pkg/fixup): /usr merged, links relative and none that leaves the tree.
 */
#ifndef XBUILD_SYSROOT_SYSROOT_H
#define XBUILD_SYSROOT_SYSROOT_H

#include "xbuild/base/arena.h"
#include "xbuild/base/err.h"
#include "xbuild/model/data.h"
#include "xbuild/model/lockfile.h"
#include "xbuild/model/tools.h"
#include "xbuild/store/tree.h"

void xb_sysroot_recipe(const struct xb_sysroot_desc *desc, const struct xb_lock_sysroot *lock, struct xb_digest *out);

/* In sysroot_make.c. Of packages or an archive, whose blobs must be in the store. */
int xb_sysroot_make(struct xb_store *store, const struct xb_sysroot_desc *desc, const struct xb_lock_sysroot *lock,
		    int n_threads, struct xb_tree *out, struct xb_err *err) XB_MUST_CHECK;

/*
 * Takes a directory into the store as it is now. `expected` (may be NULL) is the digest of the tree that it must give:
 * XB_E_LOCK otherwise. In sysroot_take.c.
 */
int xb_sysroot_take(struct xb_store *store, const struct xb_sysroot_desc *desc, const char *path,
		    const struct xb_digest *expected, struct xb_tree *out, struct xb_err *err) XB_MUST_CHECK;

/* 1: found; 0: missing; negative: error. Strings in arena. Of trees that are no packages gcc's directory is looked for. */
int xb_sysroot_find(const struct xb_store *store, const struct xb_sysroot_desc *desc,
		    const struct xb_lock_sysroot *lock, const struct xb_target *target, struct xb_arena *arena,
		    struct xb_sysroot_paths *out, struct xb_err *err) XB_MUST_CHECK;

/*
 * One package as images take it (whole but for documentation; merged /usr; owners and modes kept): a tree of its own,
 * shared by all images.
 */
void xb_package_tree_recipe(const struct xb_lock_package *package, struct xb_digest *out);
/* All but the last steps, since there are hundreds of them: see xb_tree_prepare. */
int xb_package_tree_prepare(struct xb_store *store, const struct xb_lock_package *package, struct xb_tree_prepared *out,
			    struct xb_err *err) XB_MUST_CHECK;

#endif
