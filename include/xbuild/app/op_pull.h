/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetches an image of a registry and writes it as a layout or archive. Needs no project. Of xbuild-supply.
 *
 * What is written is what the registry has, byte for byte: index, manifests, configurations, layers, whoever made them, in OCI's
 * or Docker's media types. With one platform chosen it is that platform's manifest; with some of several, an index of these.
 *
 * Failure: XB_E_USAGE, or as in xbuild/registry/registry.h; XB_E_VERIFY when a directory to write to holds other things.
 */
#ifndef XBUILD_APP_OP_PULL_H
#define XBUILD_APP_OP_PULL_H

#include "xbuild/app/op_image.h"
#include "xbuild/app/op_push.h"

struct xb_op_pull_opts {
	const char *ref;
	const char *const *targets; /* names of platforms; none: all that the image has */
	size_t n_targets;
	const struct xb_image_output
		*outputs; /* each with a path; oci, oci-archive or docker-archive; none: the store alone */
	size_t n_outputs;
	int parallel;
	const char *label; /* what the line of progress calls it; NULL: the name */
	struct xb_app_registry how;
};

/* *out_digest: of what was written, *out_name (in app->arena): "ghcr.io/acme/parcel". */
int xb_op_pull(struct xb_app *app, const struct xb_op_pull_opts *opts, struct xb_digest *out_digest,
	       const char **out_name, struct xb_err *err) XB_MUST_CHECK;

#endif
