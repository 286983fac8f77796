/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Debian sysroot as a tree in the store: packages unpacked side by side, then put right (pkg/deb_tree, pkg/fixup).
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

/* In sysroot_make.c. */
int xb_sysroot_make(struct xb_store *store, const struct xb_sysroot_desc *desc, const struct xb_lock_sysroot *lock,
		    int n_threads, struct xb_tree *out, struct xb_err *err) XB_MUST_CHECK;

/* 1: found; 0: missing; negative: error. Strings in arena. */
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
