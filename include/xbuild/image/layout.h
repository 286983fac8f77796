/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An OCI image layout in a directory of the project: out/images/<name>.
 *
 *   <dir>/oci-layout  <dir>/blobs/sha256/<digest>  <dir>/index.json
 *
 * Guarantee: at any moment the directory holds a whole old layout or a whole new one: blobs come first, each by rename;
 *            index.json is replaced last, by rename; only then blobs that nothing names any more are removed. A blob
 *            that is there and was not touched since it was written is left alone. No link is followed: a link in the
 *            place of a directory is refused, one in the place of a file is replaced.
 * Durability: nothing is flushed: after a power cut run the command again.
 * Failure:   XB_E_VERIFY for links and other things in the way; XB_E_NOT_FOUND for a blob that the store has not.
 * Threads:   one writer per directory: the caller holds a lock.
 * Format:    OCI image-spec v1.1 image-layout.md.
 */
#ifndef XBUILD_IMAGE_LAYOUT_H
#define XBUILD_IMAGE_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"
#include "xbuild/image/document.h"
#include "xbuild/store/store.h"

#define XB_LAYOUT_VERSION_JSON "{\"imageLayoutVersion\":\"1.0.0\"}" /* the file oci-layout */

struct xb_layout {
	const char *dir; /* absolute; it and its parent are made where missing */
	/* absolute: where it is remembered how blobs looked (stat) when written. NULL: the blobs that are there are read */
	const char *state_file;
	const struct xb_descriptor *blobs; /* everything that index.json leads to; all in the store */
	size_t n_blobs;
	struct xb_sv index_json;

	/* Asked before each change of the disk; a negative result ends the work there (interruption). May be NULL. */
	int (*before_change)(void *ctx, struct xb_err *err);
	void *ctx;
};

/* *out_changed: something in the layout was not as it is now. */
int xb_layout_write(struct xb_store *store, const struct xb_layout *layout, bool *out_changed,
		    struct xb_err *err) XB_MUST_CHECK;

/* Digest of the one image that a layout's index.json names. XB_E_NOT_FOUND without a layout. */
int xb_layout_read(const char *dir, struct xb_digest *out_index, struct xb_err *err) XB_MUST_CHECK;

/*
 * The content of a blob of a layout that anybody wrote, into out (replaced): a regular file of at most max_bytes that has the
 * digest and, where size_bytes >= 0, the size. XB_E_NOT_FOUND, XB_E_DIGEST, XB_E_VERIFY for a link, XB_E_INPUT when it is too
 * large.
 */
int xb_layout_blob(const char *dir, const struct xb_digest *digest, int64_t size_bytes, int64_t max_bytes,
		   struct xb_str *out, struct xb_err *err) XB_MUST_CHECK;

#endif
