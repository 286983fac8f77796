/* SPDX-License-Identifier: Apache-2.0 */
/* What sysroot and package trees are made from, for sysroot.c, which names them, and sysroot_make.c, which makes them. */
#ifndef XBUILD_SRC_SYSROOT_SPEC_H
#define XBUILD_SRC_SYSROOT_SPEC_H

#include "xbuild/pkg/deb_tree.h"
#include "xbuild/sysroot/sysroot.h"

/* Both borrow from their arguments; `one` is filled in with the package. */
struct xb_deb_tree sysroot_spec(const struct xb_sysroot_desc *desc, const struct xb_lock_sysroot *lock);
struct xb_deb_tree package_spec(const struct xb_lock_package *package, struct xb_lock_packages *one);

#endif
