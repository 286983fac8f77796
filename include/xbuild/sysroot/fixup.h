/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must be put right before Debian packages are a sysroot, done on the list of entries before anything is on disk:
 *
 * - merged /usr: entries below bin, sbin, lib, lib32, lib64, libx32 move below usr/, and links lib -> usr/lib etc. are made, as
 *   base-files does on an installed system;
 * - absolute symlinks become relative; one that would leave the root is XB_E_VERIFY; one that dangles in a library directory
 *   is XB_E_VERIFY unless its target was left out on purpose (drop patterns, excluded packages: listed in `known`);
 * - symlinks elsewhere that dangle are removed.
 */
#ifndef XBUILD_SYSROOT_FIXUP_H
#define XBUILD_SYSROOT_FIXUP_H

#include "xbuild/base/err.h"
#include "xbuild/store/tree.h"

/* The list is sorted again on return. */
int xb_fixup_merge_usr(struct xb_tree_entries *entries, struct xb_err *err) XB_MUST_CHECK;
int xb_fixup_links(struct xb_tree_entries *entries, struct xb_err *err) XB_MUST_CHECK;

#endif
