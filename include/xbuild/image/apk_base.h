/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A base image made of apk packages for one platform: layers in the store, what is in them, and who is in it.
 *
 * Guarantee: the layers are byte for byte those of apko for the same configuration and packages (pkg/apk_image, pkg/go_tar);
 *            only their compression is our own. What was made once is found again by the key, without a look at the
 *            packages: an action result of the store with one output per layer and "base.json", the rest of this struct.
 * Layers:    one; or, with layering by origin and a budget N, at most N of packages of common origin, by installed size
 *            descending, the last of them with all the rest, and one on top with what no package brought.
 * Sequence:  xb_apk_base_key, xb_apk_base_find; where that finds nothing, in xbuild-supply, xb_apk_base_make.
 * Failure:   XB_E_VERIFY, XB_E_INPUT of pkg/apk_image; XB_E_NOT_FOUND for a package that is not in the store.
 * Threads:   no state.
 */
#ifndef XBUILD_IMAGE_APK_BASE_H
#define XBUILD_IMAGE_APK_BASE_H

#include "xbuild/image/layer.h"
#include "xbuild/image/rootfs.h"
#include "xbuild/pkg/apk_image.h"

/* An installed package, for bills of materials. */
struct xb_apk_base_package {
	const char *name, *version, *arch, *license, *origin, *description;
	const char *maintainer;	 /* who supplies it; "" unknown */
	const char *checksum;	 /* "Q1..." */
	const char *url;	 /* where it was fetched */
	struct xb_digest sha256; /* of the file */
};

struct xb_apk_base {
	struct xb_arena arena;
	struct xb_layer *layers; /* bottom first, of kind XB_LAYER_BASE */
	size_t n_layers;
	struct xb_rootfs_entry
		*entries; /* of XB_LAYER_BASE, in the order of a walk, devices left out; bytes in the store */
	size_t n_entries;
	struct xb_apk_base_package *packages; /* in the order of installation */
	size_t n_packages;
	const char *user;   /* "65532", "app"; NULL: not given */
	int64_t build_date; /* of the newest package, seconds */
};

void xb_apk_base_release(struct xb_apk_base *base); /* all-zero is fine */

/* Names everything that the base depends on. */
void xb_apk_base_key(const struct xb_apk_image_spec *spec, struct xb_digest *out);
/* 1: found, *out filled; 0: to be made. What is damaged is not found. */
int xb_apk_base_find(struct xb_store *store, const struct xb_digest *key, struct xb_apk_base *out);
/* Makes it and remembers it under the key. The packages of the lock must be in the store. In xbuild-supply alone. */
int xb_apk_base_make(struct xb_store *store, const struct xb_apk_image_spec *spec,
		     const struct xb_layer_options *options, struct xb_err *err) XB_MUST_CHECK;

#endif
