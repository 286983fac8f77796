/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A .deb unpacked into a part of a tree (store/tree): deb(5), data.tar in any compression. Maintainer scripts are never
 * run and never kept.
 */
#ifndef XBUILD_PKG_DEB_ARCHIVE_H
#define XBUILD_PKG_DEB_ARCHIVE_H

#include "xbuild/base/err.h"
#include "xbuild/model/data.h"
#include "xbuild/model/lockfile.h"
#include "xbuild/store/cas.h"
#include "xbuild/store/tree.h"

/* What is kept of control.tar. */
enum xb_deb_records {
	XB_DEB_RECORDS_NONE,
	/*
	 * var/lib/dpkg/status.d/<package> (the control file) and <package>.md5sums beside it: where images that no dpkg has
	 * installed say what they are made of, and scanners look.
	 */
	XB_DEB_RECORDS_STATUS
};

/*
 * Unpacks the blob of `package` from the store into `part`. Entries whose path matches a pattern of `drop` (base/path
 * glob) are skipped without being written. The control file's Package, Version and Architecture must be those of the
 * lock: XB_E_VERIFY. n_threads is for the decoder (sys/archive).
 */
int xb_deb_unpack(const struct xb_store *store, const struct xb_lock_package *package, const struct xb_list *drop,
		  enum xb_deb_records records, int n_threads, struct xb_tree_part *part,
		  struct xb_err *err) XB_MUST_CHECK;

/* What is taken of an archive: entries that match one of `keep` (NULL or empty: all) and none of `drop` (or NULL). */
struct xb_tar_choice {
	const struct xb_list *keep, *drop;
};

/* The same for a tar archive (toolchains and sysroots), in one pass; what is not taken never reaches the disk. */
int xb_tar_unpack(const struct xb_store *store, const struct xb_digest *blob, const char *name,
		  const struct xb_tar_choice *choice, int n_threads, struct xb_tree_part *part,
		  struct xb_err *err) XB_MUST_CHECK;

#endif
