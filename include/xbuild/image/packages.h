/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which runtime packages an image of base auto gets: those that own the libraries and the program loader that its files
 * lack, found in the sysroot that they were linked against, with everything those packages depend on; nothing else.
 *
 * Failure: none. What no package owns stays lacking, and image/closure refuses the finished image.
 */
#ifndef XBUILD_IMAGE_PACKAGES_H
#define XBUILD_IMAGE_PACKAGES_H

#include <stddef.h>

#include "xbuild/base/arena.h"
#include "xbuild/image/closure.h"
#include "xbuild/image/rootfs.h"
#include "xbuild/model/lockfile.h"
#include "xbuild/model/target.h"
#include "xbuild/store/tree.h"

/*
 * The sysroot's entries as a finished list, to look owners up in: origin is the bare name of the package. Development
 * links (libz.so -> libz.so.1) are left to their packages; an owner is that of the file at the end of the links.
 */
int xb_packages_index(const struct xb_tree_entries *entries, struct xb_rootfs *out, struct xb_err *err) XB_MUST_CHECK;

/* The package that has what lacks, or NULL. `sysroot` is from xb_packages_index. */
const struct xb_lock_package *xb_packages_owner(const struct xb_rootfs *sysroot, const struct xb_lock_packages *locked,
						const struct xb_target *target, const struct xb_lack *lack);

/*
 * Locked packages for the lacks of the image's own files: sorted by name, each once, borrowed from `locked`; the array
 * is in arena. `sysroot` is from xb_packages_index.
 */
void xb_packages_choose(const struct xb_rootfs *sysroot, const struct xb_lock_packages *locked,
			const struct xb_target *target, const struct xb_lacks *lacks, struct xb_arena *arena,
			const struct xb_lock_package ***out, size_t *out_len);

#endif
