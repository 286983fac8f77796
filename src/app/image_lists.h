/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images that have a list of Debian packages in the lock: those of base debian, and those of base auto that add `packages:`.
 * What is said of them in data files (images/), in the project and in the lock, for app.c, the lock's plan, provisioning and
 * the making of images.
 */
#ifndef XBUILD_APP_IMAGE_LISTS_H
#define XBUILD_APP_IMAGE_LISTS_H

#include "xbuild/app/app.h"

/*
 * Loads the descriptions of the project's images; project and data directory must be there. XB_E_INPUT, with diags for a
 * data file that is not valid.
 */
int image_lists_load(struct xb_app *app, struct xb_err *err) XB_MUST_CHECK;

/* What an image is described by, or NULL: it has no list. Needs descs. */
const struct xb_image_desc *image_list_desc(const struct xb_app *app, const struct xb_image *image);

/* What an image asks for, names or "a | b": of its description, then of the project; empty when it has no list. In arena. */
struct xb_list image_list_wishes(const struct xb_app *app, const struct xb_image *image, struct xb_arena *arena);

/* Is the image made for the target? */
bool image_is_for(const struct xb_image *image, const struct xb_target *target);

/* Why the lists of a lock do not fit the images of the project, or each its target's sysroot; NULL: they do. */
const char *image_lists_stale(struct xb_app *app, const struct xb_lock *lock);

#endif
