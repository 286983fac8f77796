/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks a layout or archive of an image, of whoever made it (image/audit), or an image of a registry, which is fetched for
 * that; and its signatures. Needs no project.
 *
 * Failure: XB_E_VERIFY when there are problems: *out is filled then too. XB_E_SIGNATURE. Other codes where it could not be
 *          looked at.
 */
#ifndef XBUILD_APP_OP_IMAGE_VERIFY_H
#define XBUILD_APP_OP_IMAGE_VERIFY_H

#include "xbuild/app/app.h"
#include "xbuild/app/op_push.h"
#include "xbuild/image/audit.h"

struct xb_image_verify_opts {
	const char *image; /* a path, or a reference that names its registry */
	const char *key;   /* public key that must have signed it, or NULL */
	const char *
		signatures; /* with key: a layout; NULL: see xb_op_sign_verify; of a registry: those beside the image */
	struct xb_app_registry how;
};
int xb_op_image_verify(struct xb_app *app, const struct xb_image_verify_opts *opts, struct xb_audit *out,
		       struct xb_err *err) XB_MUST_CHECK;

#endif
