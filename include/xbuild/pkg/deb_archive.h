/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A .deb unpacked into a part of a tree (store/tree): deb(5), data.tar in any compression. Maintainer scripts are never
 * run, nothing of control.tar is kept.
 */
#ifndef XBUILD_PKG_DEB_ARCHIVE_H
#define XBUILD_PKG_DEB_ARCHIVE_H

#include "xbuild/base/err.h"
#include "xbuild/model/data.h"
#include "xbuild/model/lockfile.h"
#include "xbuild/store/cas.h"
#include "xbuild/store/tree.h"

/*
 * Unpacks the blob of `package` from the store into `part`. Entries whose path matches a pattern of `drop` (base/path
 * glob) are skipped without being written. The control file's Package, Version and Architecture must be those of the
 * lock: XB_E_VERIFY.
 */
int xb_deb_unpack(const struct xb_store *store, const struct xb_lock_package *package, const struct xb_list *drop,
		  struct xb_tree_part *part, struct xb_err *err) XB_MUST_CHECK;

/* The same for a tar archive (toolchains from archives): the first `strip` path components are cut off, and only
 * entries that match one of `keep` (all when empty) are taken. */
int xb_tar_unpack(const struct xb_store *store, const struct xb_digest *blob, const char *name, int strip,
		  const struct xb_list *keep, struct xb_tree_part *part, struct xb_err *err) XB_MUST_CHECK;

#endif
