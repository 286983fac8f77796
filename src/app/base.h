/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bases of images that come in layers which somebody else made (struct image_ground): are they in the store, and how do they
 * get there. One want (XB_WANT_BASE) is the base of one image of the project for one target. What only xbuild-supply can do
 * is in *_supply.c.
 */
#ifndef XBUILD_APP_BASE_H
#define XBUILD_APP_BASE_H

#include "xbuild/app/app.h"

/* True for bases that a want is for. */
bool base_is_wanted(const struct xb_image *image);

/* Is the image made for this target? */
bool base_covers(const struct xb_image *image, const struct xb_target *target);

/*
 * Is everything of it in the store? all_files: also the content of files that nothing looks into, which a base of apk packages
 * always has. Needs project, lock, store.
 */
int base_is_there(struct xb_app *app, const struct xb_image *image, const struct xb_target *target, bool all_files,
		  bool *out, struct xb_err *err);
/* Brings it there (xbuild-supply). */
int base_supply(struct xb_app *app, const struct xb_image *image, const struct xb_target *target, bool all_files,
		struct xb_err *err);

#endif
