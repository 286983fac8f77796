/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tar file on disk in the making, not compressed: the archive forms of an image.
 *
 * Guarantee: the bytes depend on what is added and on its order alone (image/tar). The destination is the old file or
 *            the new one, whole. Content is streamed and hashed on the way; what has not the digest that was named
 *            fails the file. Memory: one buffer of XB_TARBALL_BUFFER_BYTES.
 * Sequence:  struct xb_tarball t XB_CLEANUP(xb_tarball_release) = {0};
 *            xb_tarball_open; any number of _add_*, directories before what is in them; xb_tarball_finish.
 * Failure:   XB_E_DIGEST for content that changed; XB_E_INPUT of image/tar; XB_E_INTERRUPTED; XB_E_SYSTEM. After one,
 *            release is all that is left: nothing of the destination has changed.
 * Threads:   a tarball belongs to one thread.
 */
#ifndef XBUILD_IMAGE_TARBALL_H
#define XBUILD_IMAGE_TARBALL_H

#include <stddef.h>
#include <stdint.h>

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"
#include "xbuild/image/document.h"
#include "xbuild/image/rootfs.h"
#include "xbuild/store/store.h"
#include "xbuild/sys/atomic_file.h"

#define XB_TARBALL_BUFFER_BYTES (1024 * 1024)

/* All-zero is a tarball that was not opened. */
struct xb_tarball {
	struct xb_atomic_file file;
	const volatile int *interrupted; /* may be NULL */
	struct xb_str header;		 /* of the current entry */
	uint8_t *buffer;		 /* owned */
	size_t used;
};

/* Writes to `path` in the end. `interrupted` (borrowed, may be NULL) is looked at between chunks. */
int xb_tarball_open(struct xb_tarball *t, const char *path, const volatile int *interrupted,
		    struct xb_err *err) XB_MUST_CHECK;

int xb_tarball_add_dir(struct xb_tarball *t, const char *path, struct xb_err *err) XB_MUST_CHECK;
/* A file of this text, mode 0644. */
int xb_tarball_add_text(struct xb_tarball *t, const char *path, struct xb_sv text, struct xb_err *err) XB_MUST_CHECK;
/* blobs/sha256/<digest> from the store. A blob that is damaged there is removed from it. */
int xb_tarball_add_blob(struct xb_tarball *t, struct xb_store *store, const struct xb_descriptor *blob,
			struct xb_err *err) XB_MUST_CHECK;
/* An entry of a file system, with its attributes. */
int xb_tarball_add_entry(struct xb_tarball *t, const struct xb_rootfs_entry *entry, struct xb_err *err) XB_MUST_CHECK;

int xb_tarball_finish(struct xb_tarball *t, struct xb_err *err) XB_MUST_CHECK;
void xb_tarball_release(struct xb_tarball *t); /* NULL-safe; without finish the destination stays as it was */

#endif
