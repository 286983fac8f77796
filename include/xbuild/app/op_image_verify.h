/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks a layout or archive of an image, of whoever made it (image/audit). Needs no project.
 *
 * Failure: XB_E_VERIFY when there are problems: *out is filled then too. Other codes where it could not be looked at.
 */
#ifndef XBUILD_APP_OP_IMAGE_VERIFY_H
#define XBUILD_APP_OP_IMAGE_VERIFY_H

#include "xbuild/app/app.h"
#include "xbuild/image/audit.h"

int xb_op_image_verify(struct xb_app *app, const char *path, struct xb_audit *out, struct xb_err *err) XB_MUST_CHECK;

#endif
