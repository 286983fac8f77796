/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What refers to an image: bills of materials and provenance as artifacts that name it as their `subject`, which a registry
 * lists by the image's digest (distribution-spec v1.1 "Listing Referrers"). And what accompanies an image on disk in all,
 * for who pushes it.
 *
 * On disk, beside an image layout <image>:
 *   <image>.sig        signatures: a layout; each entry of index.json has the tag that its manifest gets (image/signature)
 *   <image>.referrers  a layout; each entry of index.json is the manifest of an artifact, without a tag, with its
 *                      artifactType; the manifest has one layer (the document, annotation title: its file name), the empty
 *                      configuration, and the `subject`
 *
 * Failure: XB_E_DIGEST, XB_E_INPUT, XB_E_VERIFY for a layout that is not in order.
 * Threads: no state.
 */
#ifndef XBUILD_IMAGE_REFERRER_H
#define XBUILD_IMAGE_REFERRER_H

#include <stdbool.h>

#include "xbuild/base/arena.h"
#include "xbuild/base/err.h"
#include "xbuild/base/vec.h"
#include "xbuild/image/artifact.h"
#include "xbuild/store/store.h"

/* A document about an image. */
struct xb_referrer {
	const char *media_type; /* also the artifactType */
	const char *title;	/* file name */
	struct xb_sv text;
	struct xb_artifact_subject subject;
};

/* Makes `dir` a layout of these. `state_file` as in xb_layout. *out_changed: it was none before. */
int xb_referrers_write(const struct xb_referrer *referrers, size_t n, struct xb_store *store, const char *dir,
		       const char *state_file, bool *out_changed, struct xb_err *err) XB_MUST_CHECK;

/* A manifest to push together with an image: its blobs are below dir/blobs. Strings are in the arena. */
struct xb_companion {
	const char *dir; /* the layout */
	struct xb_descriptor manifest;
	const char *tag; /* to push it as; NULL: by its digest, and a registry without referrers gets a fallback tag */
	const char *artifact_type; /* of a referrer, or NULL */
	struct xb_digest subject;  /* of the index or a platform of the image */
};
/*
 * All that lies beside the layout at `image_dir` and is about its image as it is now, whose index (or manifest) is `index`:
 * referrers, then signatures. What was made for an earlier image is left out. Blobs other than the manifests are not read.
 */
int xb_companions_find(const char *image_dir, const struct xb_digest *index, struct xb_arena *arena,
		       struct xb_companion **out, size_t *out_len, struct xb_err *err) XB_MUST_CHECK;

#endif
