/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image that a command was given: a layout or archive on disk, or one of a registry, which is then fetched into a
 * directory that goes away with it. Part of xbuild-supply.
 */
#ifndef XBUILD_APP_FETCHED_H
#define XBUILD_APP_FETCHED_H

#include "xbuild/app/op_push.h"

struct fetched {
	char *path; /* of the layout or archive; owned */
	char *ref;  /* of what was fetched; owned; NULL when it was on disk */
	bool is_temporary;
};

/*
 * What exists on disk is that. Else it is a reference when it names its registry ("ghcr.io/acme/parcel:1.2"): a misspelt path
 * is never asked of somebody's server. XB_E_NOT_FOUND for what is neither.
 */
int fetched_open(struct xb_app *app, const char *text, const struct xb_app_registry *how, struct fetched *out,
		 struct xb_err *err);
void fetched_release(struct fetched *f); /* NULL-safe */

/*
 * The signatures of an image of a registry: those under the tag sha256-<digest>.sig beside it (as cosign keeps them).
 * XB_E_SIGNATURE when there are none.
 */
int fetched_signatures(struct xb_app *app, const char *ref, const struct xb_digest *index,
		       const struct xb_app_registry *how, struct fetched *out, struct xb_err *err);

#endif
