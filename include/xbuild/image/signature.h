/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures of images in the form that cosign makes and checks with a key: a small JSON text ("simple signing") that names the
 * digest of the image, signed as it stands; kept as a layer of an OCI manifest, whose annotation holds the signature. In a
 * registry that manifest has a tag made of the image's digest: sha256-<hex>.sig.
 *
 * On disk it is an OCI layout of its own beside that of the image: <image>.sig, with one entry in index.json for each digest
 * that was signed (annotation org.opencontainers.image.ref.name: the tag). So the image's own layout stays as it is.
 *
 * Sequence: xb_signatures_read; _check, or _add and _write; xb_signatures_release.
 * Failure:  what is wrong with signatures that were read is XB_E_SIGNATURE. Every byte of them is taken for hostile:
 *           bounded, compared with its digest, and the payload is only read once a key has verified it.
 * Format:   containers/image docs "atomic-signature.md" 2.2 for the payload; cosign's specs/SIGNATURE_SPEC.md.
 * Threads:  no state.
 */
#ifndef XBUILD_IMAGE_SIGNATURE_H
#define XBUILD_IMAGE_SIGNATURE_H

#include <stdbool.h>

#include "xbuild/base/arena.h"
#include "xbuild/base/err.h"
#include "xbuild/base/vec.h"
#include "xbuild/store/store.h"
#include "xbuild/sys/digest.h"
#include "xbuild/sys/key_sign.h"

struct xb_signature {
	struct xb_sv payload; /* the signed bytes */
	const char *text;     /* the signature in base64 */
};

/* What is signed, and its signatures: one for each key and repository. */
struct xb_signed {
	struct xb_digest image;
	struct xb_signature *items;
	size_t len, cap;
};

/* All-zero is an empty one. Strings are in the arena. */
struct xb_signatures {
	struct xb_arena arena;
	XB_VEC(struct xb_signed) images;
	bool has_others; /* the layout that was read has entries that are no signatures */
};
void xb_signatures_release(struct xb_signatures *signatures);

/* Of the layout at `dir`; one that is not there has none. */
int xb_signatures_read(const char *dir, struct xb_signatures *out, struct xb_err *err) XB_MUST_CHECK;

/*
 * Signs an image as `repository` (where it will be found, "ghcr.io/acme/parcel"), unless there is a good signature by this key for
 * the same. True in *out_added when there was none.
 */
int xb_signatures_add(struct xb_signatures *signatures, const struct xb_digest *image, const char *repository,
		      const struct xb_key *key, bool *out_added, struct xb_err *err) XB_MUST_CHECK;

/*
 * XB_E_SIGNATURE unless one of the signatures of `image` is by this key and says that it is of this digest. *out_repository
 * (in the arena) is what that one says.
 */
int xb_signatures_check(struct xb_signatures *signatures, const struct xb_digest *image, const struct xb_key *key,
			const char **out_repository, struct xb_err *err) XB_MUST_CHECK;

/* Makes `dir` a layout of these signatures. *out_changed: it was none before. */
int xb_signatures_write(const struct xb_signatures *signatures, struct xb_store *store, const char *dir,
			bool *out_changed, struct xb_err *err) XB_MUST_CHECK;

#endif
