/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must be put right before unpacked Debian packages are a toolchain, a sysroot or part of an image, done on the list
 * of entries before anything is on disk:
 *
 * - merged /usr: entries below bin, sbin, lib, lib32, lib64, libo32, libx32 move below usr/, and links lib -> usr/lib etc.
 *   are made for those that exist below usr/, as base-files does on an installed system;
 * - symlinks: absolute ones become relative; one that leaves the root is XB_E_VERIFY; ones that dangle are treated as
 *   asked for.
 *
 * Sequence: xb_fixup_merge_usr, then xb_fixup_links. Lists must be sorted (xb_tree_merge) and are sorted again on return.
 * Threads:  no state.
 */
#ifndef XBUILD_PKG_FIXUP_H
#define XBUILD_PKG_FIXUP_H

#include "xbuild/base/err.h"
#include "xbuild/model/data.h"
#include "xbuild/store/tree.h"

/*
 * For archives: cuts off the one directory that everything is in, unless one of `tops` (directories, ends with NULL) is at
 * the top already. XB_E_VERIFY when neither is so.
 */
int xb_fixup_strip_top(struct xb_tree_entries *entries, const char *const *tops, struct xb_err *err) XB_MUST_CHECK;

/*
 * An entry that two packages have, one below / and one below /usr, is kept once when both are equal; else XB_E_VERIFY.
 * Relative symlinks keep pointing to where they pointed.
 */
int xb_fixup_merge_usr(struct xb_tree_entries *entries, struct xb_err *err) XB_MUST_CHECK;

enum xb_fixup_dangling {
	XB_DANGLING_REMOVE, /* a toolchain: links to what was dropped are of no use */
	XB_DANGLING_KEEP,   /* a package of an image: the target may be in another one */
	/*
	 * A sysroot: removed, except that one that a linker would open (its name holds ".so" or ends in ".a") is
	 * XB_E_VERIFY, because the linker would silently take something else; unless its target was left out on purpose.
	 */
	XB_DANGLING_REFUSE_LIBRARIES
};

/* What was left out on purpose; either list may be NULL. */
struct xb_fixup_known {
	const struct xb_list *drop; /* path patterns */
	const struct xb_list
		*exclude; /* package names: "libasan8" explains a missing libasan.so.8 (Debian Policy 8.1) */
};

int xb_fixup_links(struct xb_tree_entries *entries, enum xb_fixup_dangling dangling, const struct xb_fixup_known *known,
		   struct xb_err *err) XB_MUST_CHECK;

#endif
