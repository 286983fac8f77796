/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One layer: entries of a root file system as a tar in the store, compressed by gzip, by zstd or not at all.
 *
 * Guarantee: the digest depends on the entries alone: not on the number of threads, the clock, the user or the order of
 *            reading. A layer that was made once is not made again: the digest of its entries leads to it (an action
 *            result of the store with one output, "layer.tar.gz", and "<diffID> <bytes of the tar>\n" as its text).
 *            A file whose bytes are not those of its entry's digest fails the layer, so nothing wrong is remembered.
 * Memory:    bounded by image/gzip, whatever the sizes of the files.
 * Failure:   XB_E_DIGEST for a file that changed meanwhile; XB_E_INTERRUPTED; XB_E_SYSTEM; XB_E_INPUT of image/tar.
 * Format:    OCI image-spec v1.1 layer.md, "application/vnd.oci.image.layer.v1.tar" and "...+gzip", "...+zstd".
 * zstd:      a part of what a layer is found by is the release of libzstd, so one made by another release is made anew.
 */
#ifndef XBUILD_IMAGE_LAYER_H
#define XBUILD_IMAGE_LAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"
#include "xbuild/image/rootfs.h"
#include "xbuild/model/project.h"
#include "xbuild/store/store.h"
#include "xbuild/sys/digest.h"

struct xb_layer {
	enum xb_layer_kind kind;
	const char *media_type;	  /* static; NULL: XB_MEDIA_LAYER */
	struct xb_digest diff_id; /* of the tar (config.md "Layer DiffID") */
	struct xb_digest blob;	  /* of the compressed bytes, in the store */
	uint64_t size_bytes;	  /* of the compressed bytes */
	uint64_t tar_bytes;	  /* of the tar */
	bool cached;		  /* was in the store */
};

struct xb_layer_options {
	int threads;			 /* at least 1 */
	const volatile int *interrupted; /* looked at between files and chunks; may be NULL */
	enum xb_compression compression;
};

/* Appends the tar header of one entry (image/tar), as every layer has it: XB_E_INPUT for a name that none can hold. */
int xb_layer_header(const struct xb_rootfs_entry *entry, struct xb_str *out, struct xb_err *err) XB_MUST_CHECK;

/*
 * One layer without the store: writes the compressed tar to fd and fills *out (not kind and cached). Entries come in the
 * order of the list (sorted by path, so directories come before what is in them).
 */
int xb_layer_write(int fd, const struct xb_rootfs_entry *const *entries, size_t len,
		   const struct xb_layer_options *options, struct xb_layer *out, struct xb_err *err) XB_MUST_CHECK;

/*
 * The layers of an image, bottom first, added behind the *len that out has already, those of its base; kinds without
 * entries are left out, but there is at least one in all (the manifest schema asks for it). At most XB_LAYER_KINDS are added.
 */
int xb_layer_make_all(struct xb_store *store, const struct xb_rootfs *rootfs, const struct xb_layer_options *options,
		      struct xb_layer *out, size_t *len, struct xb_err *err) XB_MUST_CHECK;

#endif
