/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sysroot as an archive for other projects and tools: the tree as it is in the store, the same bytes for the same lock.
 * `sysroot: { archive: ... }` of another project takes it and gets a tree of the same digest.
 */
#ifndef XBUILD_APP_OP_SYSROOT_H
#define XBUILD_APP_OP_SYSROOT_H

#include "xbuild/app/app.h"

struct xb_sysroot_export {
	char *path; /* owned; as it was asked for, or the default name */
	struct xb_digest sha256;
	uint64_t size_bytes;
};

void xb_sysroot_export_release(struct xb_sysroot_export *out);

/*
 * Writes the sysroot of `target` to `path` (relative to the start directory; NULL: "<sysroot>-<target>.tar.gz" there). The
 * name's end says how it is compressed: .tar.gz or .tgz, .tar.zst, .tar (XB_E_USAGE otherwise). Entries have no owner, a time
 * of their own, or modes but 0755 and 0644.
 */
int xb_op_sysroot_export(struct xb_app *app, const struct xb_target *target, const char *path,
			 struct xb_sysroot_export *out, struct xb_err *err) XB_MUST_CHECK;

#endif
