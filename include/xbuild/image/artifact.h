/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON documents of what accompanies an image in a registry (signatures, bills of materials, provenance): manifests
 * of artifacts, and the index.json of a layout that holds several of them.
 *
 * Guarantee: as image/document: the bytes depend on the arguments alone, on one line, without a final newline. Texts
 *            are UTF-8 (a programming error otherwise: they come from this program or were checked).
 * Format:    OCI image-spec v1.1 manifest.md "Guidelines for Artifact Usage", descriptor.md, image-layout.md.
 * Threads:   no state.
 */
#ifndef XBUILD_IMAGE_ARTIFACT_H
#define XBUILD_IMAGE_ARTIFACT_H

#include <stddef.h>

#include "xbuild/base/str.h"
#include "xbuild/image/document.h"
#include "xbuild/store/store.h"

#define XB_MEDIA_EMPTY "application/vnd.oci.empty.v1+json"
#define XB_EMPTY_JSON  "{}" /* content of a blob of that type */

struct xb_artifact_layer {
	const char *media_type;
	struct xb_descriptor blob;
	const char *annotation, *value; /* one annotation, or NULL */
};

/* The image, index or manifest, that an artifact is about. */
struct xb_artifact_subject {
	const char *media_type;
	struct xb_descriptor manifest;
};

struct xb_artifact {
	const char *artifact_type; /* or NULL: the type of its configuration says what it is */
	const char *config_type;
	struct xb_descriptor config;
	const struct xb_artifact_layer *layers;
	size_t n_layers;
	const struct xb_artifact_subject *subject; /* or NULL */
};
void xb_artifact_manifest(const struct xb_artifact *artifact, struct xb_str *out);

/* One manifest that the index.json of a layout leads to. */
struct xb_artifact_entry {
	const char *artifact_type; /* or NULL */
	struct xb_descriptor manifest;
	const char *ref; /* its tag in a registry; or NULL: it is known by its subject */
};
void xb_artifact_index(const struct xb_artifact_entry *entries, size_t n_entries, struct xb_str *out);

/* Blobs of a layout in the making, each digest once. All-zero is none. */
struct xb_artifact_blobs {
	struct xb_descriptor *items; /* owned */
	size_t len, cap;
};
void xb_artifact_blobs_release(struct xb_artifact_blobs *blobs);
/* Puts a text into the store, and its descriptor into *out and, unless they have it, into blobs. */
int xb_artifact_put(struct xb_store *store, struct xb_sv text, struct xb_artifact_blobs *blobs,
		    struct xb_descriptor *out, struct xb_err *err) XB_MUST_CHECK;

#endif
