/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an image is made of: the documents below one index or manifest, and the blobs that they name; wherever they are read
 * from. OCI and Docker media types (image-spec v1.1 image-index.md, manifest.md; Docker image manifest v2, schema 2).
 *
 * Guarantee: every document has the digest and size that its parent names, and is what its media type says; a document that
 *            claims to be both index and manifest is refused. Each digest is listed once. At most XB_CONTENT_MAX_DOCUMENTS, in
 *            at most XB_MAX_OCI_DEPTH levels.
 * Failure:   XB_E_INPUT naming the document; XB_E_DIGEST; what the reader returns.
 * Threads:   a graph belongs to one thread while it is made, and is read-only afterwards.
 */
#ifndef XBUILD_REGISTRY_CONTENT_H
#define XBUILD_REGISTRY_CONTENT_H

#include <stdbool.h>
#include <stdint.h>

#include "xbuild/base/arena.h"
#include "xbuild/base/err.h"
#include "xbuild/base/map.h"
#include "xbuild/base/str.h"
#include "xbuild/base/vec.h"
#include "xbuild/sys/digest.h"

#define XB_CONTENT_MAX_DOCUMENTS 10000
#define XB_CONTENT_MAX_BLOBS	 100000

struct xb_content_document {
	const char *media_type;
	struct xb_digest digest;
	struct xb_sv bytes;
	bool is_index;
	const char *platform; /* "linux/arm64/v8" as its parent says, or "" */
	size_t config;	      /* of a manifest: index in blobs */
	size_t *layers;	      /* bottom first */
	size_t n_layers;
	const char *base_name; /* annotation org.opencontainers.image.base.name, or NULL */
};

struct xb_content_blob {
	const char *media_type;
	struct xb_digest digest;
	int64_t size_bytes;
	bool is_foreign; /* is to be had from elsewhere, and not distributed (manifest.md, "Non-Distributable Layers") */
	size_t document; /* the first manifest that names it; SIZE_MAX: an index does */
};

/* All-zero is an empty one. */
struct xb_content {
	struct xb_arena arena;
	XB_VEC(struct xb_content_document) documents; /* children before parents: the last one is the root */
	XB_VEC(struct xb_content_blob) blobs;
	struct xb_map known; /* digest -> index + 1, of either */
};
void xb_content_release(struct xb_content *graph); /* NULL-safe */

struct xb_content_reader {
	/* Replaces *out by the bytes of a document, at most XB_MAX_OCI_DOCUMENT_BYTES. They are checked by the caller. */
	int (*read)(void *ctx, const struct xb_digest *digest, struct xb_str *out, struct xb_err *err);
	/* False leaves the child of an index out; `platform` is "" where the index does not say. NULL: all. */
	bool (*wants)(void *ctx, const char *platform);
	void *ctx;
};

/* Reads everything below the root. media_type: what is known about it from outside, "" or NULL when nothing is. */
int xb_content_read(const struct xb_content_reader *reader, const char *media_type, const struct xb_digest *root,
		    struct xb_content *out, struct xb_err *err) XB_MUST_CHECK;

#endif
