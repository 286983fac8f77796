/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks into layouts and archives of images, of whoever made them, and compares two (image/view); images of registries, which
 * are named with their registry, are fetched for that. Needs no project. Part of xbuild-supply.
 *
 * Failure: XB_E_VERIFY when an image has problems, which are the findings of its audit. Other codes where it could not be
 *          looked at.
 */
#ifndef XBUILD_APP_OP_VIEW_H
#define XBUILD_APP_OP_VIEW_H

#include "xbuild/app/app.h"
#include "xbuild/app/op_push.h"
#include "xbuild/image/view_diff.h"

/* *out is filled with what could be read also with XB_E_VERIFY. The caller releases both in any case. */
int xb_op_inspect(struct xb_app *app, const char *image, const struct xb_app_registry *how, struct xb_audit *audit,
		  struct xb_view *out, struct xb_err *err) XB_MUST_CHECK;

/*
 * How images[1] differs from images[0]. An image with problems is not compared. The caller releases the
 * audits in any case.
 */
int xb_op_diff(struct xb_app *app, const char *const images[2], const struct xb_app_registry *how,
	       struct xb_audit audits[2], struct xb_view_diff *out, struct xb_err *err) XB_MUST_CHECK;

#endif
