/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What refers to an image in a registry: manifests with a `subject` (distribution-spec v1.1 "Listing Referrers", "Pushing
 * Manifests with Subject").
 *
 * A registry that knows referrers keeps the list by itself. Where it does not, the list is an index under the fallback tag
 * sha256-<digest of the subject>, which whoever pushes a referrer adds it to ("Referrers Tag Schema").
 *
 * Guarantee: other entries of the list stay; an entry is there once. Between reading the list and writing it another writer
 *            may come: the protocol has no lock, and the last one wins.
 * Failure:   as in registry.h; XB_E_NETWORK for a list that is none.
 * Threads:   one caller at a time for one subject.
 */
#ifndef XBUILD_REGISTRY_REFERRERS_H
#define XBUILD_REGISTRY_REFERRERS_H

#include "xbuild/registry/registry.h"

/* Makes sure that the manifest `bytes`, which the repository has and whose subject is `subject`, is in the list. */
int xb_referrers_list_one(struct xb_repository *repo, const struct xb_digest *subject, const struct xb_digest *digest,
			  const char *media_type, struct xb_sv bytes, struct xb_err *err) XB_MUST_CHECK;

#endif
