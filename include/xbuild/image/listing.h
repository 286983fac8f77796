/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in a layer that somebody else made: its entries as a text, kept in the store beside the layer, so that an image on
 * top can be checked without reading the layer again; and layers put on top of each other.
 *
 * Guarantee: every byte of a layer is taken for hostile: names are checked, nothing is unpacked, memory is bounded by
 *            XB_MAX_LAYER_NAME_BYTES and XB_MAX_TREE_ENTRIES per layer. A listing exists only for a layer whose tar has the
 *            digest that its image's configuration names (diffID). The content of files that are looked into (ELF files,
 *            executable scripts, /etc/passwd, /etc/group, lists of packages, os-release) is in the store as well; where asked
 *            for, that of all files.
 * Sequence:  xb_listing_make (in xbuild-supply) once per layer; then for an image, in the order of its layers,
 *            xb_listing_find and xb_listing_apply, on a list that is empty at first.
 * Failure:   XB_E_VERIFY for a layer that no reader would take; XB_E_DIGEST for another diffID; XB_E_NOT_FOUND when the store
 *            has not the layer; XB_E_INTERRUPTED; XB_E_SYSTEM.
 * Format:    OCI image-spec v1.1 layer.md "Applying Changesets", "Whiteouts". Devices and the like are left out: no program
 *            needs one from a layer to start.
 */
#ifndef XBUILD_IMAGE_LISTING_H
#define XBUILD_IMAGE_LISTING_H

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"
#include "xbuild/image/rootfs.h"
#include "xbuild/store/store.h"
#include "xbuild/sys/digest.h"

/* A blob with a tar, plain or compressed with gzip or zstd. */
struct xb_listed_layer {
	struct xb_digest blob, diff_id;
	int64_t size_bytes; /* of the blob */
	bool all_files;	    /* keep the content of every file */
};

/* Reads the layer, unless it was read before. */
int xb_listing_make(struct xb_store *store, const struct xb_listed_layer *layer, const volatile int *interrupted,
		    struct xb_err *err) XB_MUST_CHECK;

/* Replaces *out by the listing. 1: it was made, and everything that it needs is in the store; 0: it is to be made. */
int xb_listing_find(struct xb_store *store, const struct xb_listed_layer *layer, struct xb_str *out,
		    struct xb_err *err) XB_MUST_CHECK;

/*
 * Puts a layer on top of `base`, which holds what the layers below it give together: sorted, each path once, all of
 * XB_LAYER_BASE. `origin` is for messages. `store` may be NULL: no entry has a source then.
 */
int xb_listing_apply(struct xb_store *store, struct xb_sv listing, const char *origin, struct xb_rootfs *base,
		     struct xb_err *err) XB_MUST_CHECK;

#endif
