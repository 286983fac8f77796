/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests and indexes of a repository, as bytes: OCI and Docker ones (distribution-spec "Pulling manifests", "Pushing
 * manifests").
 *
 * Guarantee: what is handed out has the digest that was asked for, and that the registry claims; at most
 *            XB_MAX_OCI_DOCUMENT_BYTES. What was put is there under the digest of these bytes.
 * Failure:   as in registry.h; XB_E_DIGEST when a digest differs.
 * Threads:   as in registry.h.
 */
#ifndef XBUILD_REGISTRY_MANIFEST_H
#define XBUILD_REGISTRY_MANIFEST_H

#include "xbuild/base/str.h"
#include "xbuild/registry/registry.h"

struct xb_manifest {
	char *media_type; /* as the registry says; owned */
	struct xb_digest digest;
	struct xb_str bytes;
};
void xb_manifest_release(struct xb_manifest *manifest); /* NULL-safe */

/*
 * What the repository's reference names: its digest, else its tag, else the tag "latest". This is how a base image is
 * pinned and how a pull begins.
 */
int xb_manifest_resolve(struct xb_repository *repo, struct xb_manifest *out, struct xb_err *err) XB_MUST_CHECK;
/* By tag, whatever it names now. */
int xb_manifest_get_tag(struct xb_repository *repo, const char *tag, struct xb_manifest *out,
			struct xb_err *err) XB_MUST_CHECK;
/* By digest. */
int xb_manifest_get(struct xb_repository *repo, const struct xb_digest *digest, struct xb_manifest *out,
		    struct xb_err *err) XB_MUST_CHECK;
/*
 * By tag or "sha256:...". *out_there: it exists. *out_digest is all zero where the registry does not tell it.
 */
int xb_manifest_head(struct xb_repository *repo, const char *name, bool *out_there, struct xb_digest *out_digest,
		     struct xb_err *err) XB_MUST_CHECK;

/* Puts a document under `name`, a tag or "sha256:...". `digest` is that of its bytes. */
int xb_manifest_put(struct xb_repository *repo, const char *name, const char *media_type, struct xb_sv bytes,
		    const struct xb_digest *digest, struct xb_err *err) XB_MUST_CHECK;

#endif
