/* SPDX-License-Identifier: Apache-2.0 */
/* A base that is an image of a registry or of a layout: as it is in the store, and where it comes from. */
#ifndef XBUILD_APP_BASE_IMAGE_H
#define XBUILD_APP_BASE_IMAGE_H

#include "xbuild/app/app.h"
#include "xbuild/image/listing.h"
#include "xbuild/registry/content.h"
#include "xbuild/sys/json.h"

/* An image of one platform, as it is in the store. All-zero is none. */
struct base_image {
	const struct xb_lock_base *lock; /* borrowed */
	struct xb_content graph;
	const struct xb_content_document *manifest; /* in graph */
	json_t *config;				    /* its configuration document; owned */
	struct xb_listed_layer *layers;		    /* bottom first, in the graph's arena */
	const char **media_types;		    /* of the layers, as an OCI manifest has them; static */
};
void base_image_release(struct base_image *base); /* NULL-safe */

/*
 * Documents of the locked base. 1: *out is filled, 0: the store lacks one. Whether the layers and their listings are there
 * is not looked at. XB_E_LOCK when the lock has none for this target; XB_E_VERIFY for an image that cannot be a base.
 */
int base_image_find(struct xb_app *app, const struct xb_image *image, const struct xb_target *target,
		    struct base_image *out, struct xb_err *err);

/* The reference for the annotation base.name; NULL for a layout, which has no name that others know. */
const char *base_ref_name(const char *ref);

/* Where a base image is read from: a registry, or a layout in a directory of the project (xbuild-supply). */
struct base_origin;
int base_origin_open(struct xb_app *app, const char *ref, struct base_origin **out, struct xb_err *err);
void base_origin_close(struct base_origin *origin); /* NULL-safe */
/*
 * What the name leads to now, or `pinned` (NULL: now), and the platforms of it that are `targets`; in arena. XB_E_INPUT when
 * one is missing.
 */
int base_origin_resolve(struct base_origin *origin, const struct xb_digest *pinned,
			const struct xb_target *const *targets, size_t n_targets, struct xb_arena *arena,
			struct xb_lock_base *out, struct xb_err *err);
/* One blob or document into the store, unless it is there. */
int base_origin_fetch(struct base_origin *origin, const struct xb_digest *digest, int64_t size_bytes,
		      struct xb_err *err);

#endif
