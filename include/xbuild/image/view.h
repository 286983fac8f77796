/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in an image layout or archive of anybody, for people and for comparing two: images, platforms, configuration,
 * layers, packages, and, where asked for, the entries of the layers with the digests of their contents.
 *
 * Guarantee: read by image/audit and with its limits: every digest was compared, nothing was unpacked to disk. Contents are
 *            not kept. All platforms of a view have together at most XB_MAX_TREE_ENTRIES entries.
 * Sequence:  xb_view_read; look at it, and at the findings of the audit; xb_view_release, then xb_audit_release.
 * Failure:   what is wrong with the image is a finding of the audit; what could not be read is left out of the view.
 * Packages:  of the lists that image/installed tells of. The topmost layer that has such a file decides, as it does in a
 *            container.
 * Threads:   no state.
 */
#ifndef XBUILD_IMAGE_VIEW_H
#define XBUILD_IMAGE_VIEW_H

#include <stdint.h>

#include "xbuild/image/audit.h"
#include "xbuild/sys/digest.h"
#include "xbuild/sys/json.h"

enum xb_view_type { XB_VIEW_FILE, XB_VIEW_DIR, XB_VIEW_SYMLINK, XB_VIEW_HARDLINK, XB_VIEW_OTHER };

/* An entry of a layer. Names are as they are in the tar, without "./" and "/" around; they may have any byte but NUL. */
struct xb_view_entry {
	const char *path;
	const char *target; /* of links, else NULL */
	enum xb_view_type type;
	uint32_t mode, uid, gid;
	int64_t size_bytes;	 /* of a file */
	struct xb_digest digest; /* of a file's content */
};

struct xb_view_package {
	const char *format; /* "deb", "apk" */
	const char *name, *version, *arch;
	size_t layer; /* number of the layer that says so, from 0 */
};

/* A layer, whichever images have it. */
struct xb_view_layer {
	const char *name;	 /* of its file: "blobs/sha256/..." */
	int64_t size_bytes;	 /* as it is in the image */
	int64_t unpacked_bytes;	 /* of its files together */
	const char *packing;	 /* "tar", "tar+gzip", "tar+zstd"; NULL: none of them */
	struct xb_digest digest; /* of its bytes; zero where nothing names it by digest */
	struct xb_digest diff_id;
	struct xb_view_entry *entries; /* in the order of the tar; none unless asked for */
	size_t n_entries, cap;
	size_t first_list, n_lists; /* of packages; for the reader itself */
};

struct xb_view_platform {
	const char *name;	/* "linux/arm64/v8"; "" where the configuration does not say */
	const char *digest;	/* of its manifest; "" in what `docker save` wrote */
	const char *media_type; /* of its manifest, or "" */
	const char *config_digest;
	const json_t *config;	       /* the whole configuration; borrowed from the view */
	const json_t *annotations;     /* of the manifest, or NULL */
	struct xb_view_layer **layers; /* bottom first */
	const char **layer_types;      /* their media types; NULL where there is none */
	size_t n_layers;
	struct xb_view_package *packages; /* sorted by name, then architecture */
	size_t n_packages;
};

/* Something that index.json, or manifest.json without it, names. */
struct xb_view_image {
	const char *ref;    /* its name, or "" */
	const char *digest; /* of its index or manifest, or configuration (manifest.json) */
	const char *media_type;
	const json_t *annotations;	     /* of its index, or NULL */
	struct xb_view_platform **platforms; /* in the order of the index; images may share them */
	size_t n_platforms;
};

/* All-zero is an empty one. Strings are foreign: show them by way of xb_view_clean. */
struct xb_view {
	struct xb_arena arena;
	XB_VEC(struct xb_view_image) images;
	XB_VEC(struct xb_view_platform *) platforms; /* each once, in the order in which they were met */
	XB_VEC(struct xb_view_layer *) layers;
	XB_VEC(json_t *) documents; /* owned */
};
void xb_view_release(struct xb_view *view);

int xb_view_read(const char *path, bool with_entries, const volatile int *interrupted, struct xb_audit *audit,
		 struct xb_view *out, struct xb_err *err) XB_MUST_CHECK;

/* A copy in the arena that may go to a terminal: no control bytes. NULL stays NULL. */
const char *xb_view_clean(struct xb_arena *arena, const char *text);

#endif
