/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON documents of an image: configuration, manifest, index, the index.json of a layout, and the two that make an
 * archive loadable by what knows OCI layouts and by what knows `docker save`.
 *
 * Guarantee: the bytes depend on the arguments alone: one line without blanks, keys in a fixed order, no floats, no
 *            final newline. Members without a value are left out.
 * Failure:   XB_E_INPUT when a text is not UTF-8; nothing is appended then.
 * Format:    OCI image-spec v1.1 config.md, manifest.md, image-index.md, descriptor.md, image-layout.md, annotations.md.
 *            manifest.json of an archive: Docker image spec v1.2 "Combined Image JSON + Filesystem Changeset Format".
 * Threads:   no state.
 */
#ifndef XBUILD_IMAGE_DOCUMENT_H
#define XBUILD_IMAGE_DOCUMENT_H

#include <stddef.h>
#include <stdint.h>

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"
#include "xbuild/image/layer.h"
#include "xbuild/model/project.h"
#include "xbuild/model/target.h"
#include "xbuild/sys/digest.h"
#include "xbuild/sys/json.h"

#define XB_MEDIA_INDEX	     "application/vnd.oci.image.index.v1+json"
#define XB_MEDIA_MANIFEST    "application/vnd.oci.image.manifest.v1+json"
#define XB_MEDIA_CONFIG	     "application/vnd.oci.image.config.v1+json"
#define XB_MEDIA_LAYER	     "application/vnd.oci.image.layer.v1.tar+gzip"
#define XB_MEDIA_LAYER_PLAIN "application/vnd.oci.image.layer.v1.tar"
#define XB_MEDIA_LAYER_ZSTD  "application/vnd.oci.image.layer.v1.tar+zstd"

/* A document or layer by its content. */
struct xb_descriptor {
	struct xb_digest digest;
	uint64_t size_bytes;
};

/* What a container of the image runs, and what the image is made of. Texts have their ${...} replaced. */
struct xb_document_config {
	const struct xb_target *target;
	const char *created; /* RFC 3339, of the image and of each history entry */
	/*
	 * Configuration document of the image that this one stands on, or NULL: members that are not said here (health check,
	 * shell ...) and the history of its layers are kept.
	 */
	const json_t *base;
	const char *user; /* "10001:10001"; NULL: the runtime's default (root) */
	struct xb_words ports, volumes;
	struct xb_pairs env, labels;
	struct xb_words entrypoint, cmd;
	const char *workdir;	       /* or NULL */
	const char *stop_signal;       /* or NULL */
	const struct xb_layer *layers; /* bottom first */
	size_t n_layers;
};

int xb_document_config(const struct xb_document_config *config, struct xb_str *out, struct xb_err *err) XB_MUST_CHECK;

int xb_document_manifest(const struct xb_descriptor *config, const struct xb_layer *layers, size_t n_layers,
			 const struct xb_pairs *annotations, struct xb_str *out, struct xb_err *err) XB_MUST_CHECK;

/* One platform of an index: a client takes the first that fits, so the order is that of the caller. */
struct xb_document_platform {
	const struct xb_target *target;
	struct xb_descriptor manifest;
};
int xb_document_index(const struct xb_document_platform *platforms, size_t n_platforms,
		      const struct xb_pairs *annotations, struct xb_str *out, struct xb_err *err) XB_MUST_CHECK;

/* index.json of a layout with one image: its index, under the name `ref` (annotation org.opencontainers.image.ref.name). */
int xb_document_layout(const struct xb_descriptor *index, const char *ref, struct xb_str *out,
		       struct xb_err *err) XB_MUST_CHECK;

/*
 * index.json of an archive to load. Tools differ in what they find in it, so everything has a name: the index is `ref`, and
 * each platform once more by itself (xb_document_platform_ref). containerd takes the full name of Docker, which is below
 * docker.io/library for a bare `name`.
 */
int xb_document_load(const struct xb_descriptor *index, const struct xb_document_platform *platforms,
		     size_t n_platforms, const char *name, const char *ref, struct xb_str *out,
		     struct xb_err *err) XB_MUST_CHECK;
/* Appends the name of one platform below `ref`: "latest-arm64". */
void xb_document_platform_ref(const char *ref, const struct xb_target *target, struct xb_str *out);

/* One image of manifest.json: a platform, its parts as blobs/sha256/<digest>. */
struct xb_document_docker {
	const char *repo_tag; /* "parcel:latest-arm64" */
	struct xb_descriptor config;
	const struct xb_layer *layers; /* bottom first */
	size_t n_layers;
};
int xb_document_docker(const struct xb_document_docker *images, size_t n_images, struct xb_str *out,
		       struct xb_err *err) XB_MUST_CHECK;

#endif
