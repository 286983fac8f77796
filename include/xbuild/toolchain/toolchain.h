/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A locked LLVM as a tree in the store, and how its programs are started on this host (facts: Debian's clang runs on any
 * Linux through its own dynamic loader; ld.so(8) --library-path, --argv0).
 */
#ifndef XBUILD_TOOLCHAIN_TOOLCHAIN_H
#define XBUILD_TOOLCHAIN_TOOLCHAIN_H

#include "xbuild/base/arena.h"
#include "xbuild/base/err.h"
#include "xbuild/model/data.h"
#include "xbuild/model/lockfile.h"
#include "xbuild/model/tools.h"
#include "xbuild/store/tree.h"

enum xb_toolchain_part {
	XB_TOOLCHAIN_BASE, /* clang, lld */
	XB_TOOLCHAIN_TOOLS /* llvm-ar, llvm-objcopy ...: a second tree that runs with the libraries of the first */
};

/* Names the tree: digest over the unpacker's version, the package digests in order and the drop patterns. */
void xb_toolchain_recipe(const struct xb_toolchain_desc *desc, const struct xb_lock_toolchain *lock,
			 enum xb_toolchain_part part, struct xb_digest *out);

/* Unpacks the blobs (all must be in the store) on n_threads threads and commits the tree. In toolchain_make.c. */
int xb_toolchain_make(struct xb_store *store, const struct xb_toolchain_desc *desc,
		      const struct xb_lock_toolchain *lock, enum xb_toolchain_part part, int n_threads,
		      struct xb_tree *out, struct xb_err *err) XB_MUST_CHECK;

/*
 * Fills *out (strings in arena) from the trees in the store. 1: found; 0: the base tree, or with want_tools the tools
 * tree, is missing; negative: error.
 */
int xb_toolchain_find(const struct xb_store *store, const struct xb_toolchain_desc *desc,
		      const struct xb_lock_toolchain *lock, bool want_tools, struct xb_arena *arena,
		      struct xb_tools *out, struct xb_err *err) XB_MUST_CHECK;

#endif
