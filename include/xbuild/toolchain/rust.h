/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A locked Rust as a tree in the store: rustc and cargo of a host with the standard library of every target beside each other,
 * as rustc wants them (<sysroot>/lib/rustlib/<target>), started as the locked clang is (model/tools.h). And locked crates as
 * another tree, which is a directory source of cargo (The Cargo Book, "Source Replacement").
 *
 * The tree of a project with another target is another tree: rustc looks for standard libraries in one place only.
 */
#ifndef XBUILD_TOOLCHAIN_RUST_H
#define XBUILD_TOOLCHAIN_RUST_H

#include "xbuild/base/arena.h"
#include "xbuild/base/err.h"
#include "xbuild/model/data.h"
#include "xbuild/model/lockfile.h"
#include "xbuild/model/tools.h"
#include "xbuild/store/tree.h"

/* Name of the tree; the lock has packages for this host. */
void xb_rust_recipe(const struct xb_rust_desc *desc, const struct xb_lock *lock, const char *host,
		    struct xb_digest *out);
/* Name of the tree of crates; the lock has some. */
void xb_crates_recipe(const struct xb_rust_desc *desc, const struct xb_lock *lock, struct xb_digest *out);

/* Unpack the blobs (all must be in the store) on n_threads threads and commit the tree. In rust_make.c. */
int xb_rust_make(struct xb_store *store, const struct xb_rust_desc *desc, const struct xb_lock *lock, const char *host,
		 int n_threads, struct xb_tree *out, struct xb_err *err) XB_MUST_CHECK;
int xb_crates_make(struct xb_store *store, const struct xb_rust_desc *desc, const struct xb_lock *lock, int n_threads,
		   struct xb_tree *out, struct xb_err *err) XB_MUST_CHECK;

/* Fills *out (strings in arena) from the trees in the store. 1: found; 0: one is missing; negative: error. */
int xb_rust_find(const struct xb_store *store, const struct xb_rust_desc *desc, const struct xb_lock *lock,
		 const char *host, struct xb_arena *arena, struct xb_rust_tools *out, struct xb_err *err) XB_MUST_CHECK;

#endif
