/* SPDX-License-Identifier: Apache-2.0 */
/* What sysroot and package trees are made from, for sysroot.c, which names them, and sysroot_make.c, which makes them. */
#ifndef XBUILD_SRC_SYSROOT_SPEC_H
#define XBUILD_SRC_SYSROOT_SPEC_H

#include "xbuild/pkg/deb_tree.h"
#include "xbuild/sysroot/sysroot.h"

/* Both borrow from their arguments; `one` is filled in with the package. */
struct xb_deb_tree sysroot_spec(const struct xb_sysroot_desc *desc, const struct xb_lock_sysroot *lock);
struct xb_deb_tree package_spec(const struct xb_lock_package *package, struct xb_lock_packages *one);

/* The name of a tree that has this digest itself: of a directory. */
void sysroot_directory_recipe(const struct xb_digest *tree, struct xb_digest *out);

/* What is no part of a sysroot in the root file system of a machine. Ends with NULL. */
extern const char *const sysroot_foreign_drops[];

/* Puts the entries of an archive or directory right: top directory, what is dropped, /usr, links. */
int sysroot_put_right(struct xb_tree_entries *entries, const struct xb_list *drop, struct xb_err *err) XB_MUST_CHECK;

#endif
