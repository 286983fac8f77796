/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends an image layout to registries (registry/push). Of xbuild-supply.
 *
 * Where to:  a reference with a tag is pushed under it. One without a tag gets the tags that the project file gives
 *            (xb_op_tag): those without a repository of their own, and those of this repository. No reference at all: the
 *            tags of the project file that name a repository.
 * Failure:   XB_E_USAGE, XB_E_INPUT, or as in xbuild/registry/registry.h.
 */
#ifndef XBUILD_APP_OP_PUSH_H
#define XBUILD_APP_OP_PUSH_H

#include "xbuild/app/app.h"
#include "xbuild/registry/push.h"

/* How to talk to registries, for all commands that do. Strings are borrowed. */
struct xb_app_registry {
	const char *ca_file; /* or NULL */
	bool insecure;
};

struct xb_op_push_opts {
	const char *const *refs;
	size_t n_refs;
	const char *from;  /* directory of a layout; NULL: that of the image */
	const char *image; /* of the project; NULL: its only one */
	bool dry_run;
	bool alone;	  /* without the signatures and documents that lie beside the layout */
	bool strict_tags; /* a tag that does not come after those of its series is an error, not a warning */
	int parallel;	  /* blobs at once; 0 = the default of registry/push */
	struct xb_app_registry how;
};

struct xb_op_push_result {
	struct xb_arena arena;
	struct xb_digest digest;  /* of what the tags name now */
	const char **names;	  /* "ghcr.io/acme/parcel", by target */
	const char *const **tags; /* by target, in the order in which they were named */
	size_t *n_tags;
	size_t n_targets;
	struct xb_push_result sent;
};
void xb_op_push_result_release(struct xb_op_push_result *result);

int xb_op_push(struct xb_app *app, const struct xb_op_push_opts *opts, struct xb_op_push_result *out,
	       struct xb_err *err) XB_MUST_CHECK;

#endif
