/* SPDX-License-Identifier: Apache-2.0 */
/* Private to view.c and view_packages.c: lists of packages in layers. */
#ifndef XBUILD_IMAGE_VIEW_PARTS_H
#define XBUILD_IMAGE_VIEW_PARTS_H

#include "xbuild/image/view.h"

#define VIEW_MAX_PLATFORMS 1000	  /* of one image */
#define VIEW_MAX_LISTS	   20000  /* of packages, in all layers */
#define VIEW_MAX_PACKAGES  500000 /* of all platforms together */

/* A file of a layer that says which packages are installed. */
struct view_database {
	const char *path;
	struct xb_view_package *packages; /* `layer` of each is not set */
	size_t n_packages;
};

bool view_is_database(const char *path);
/* Fills packages from the text; what is not understood is left out. */
void view_read_database(struct xb_sv text, struct view_database *db, struct xb_arena *arena);
/*
 * Gives a platform the packages of its layers: of each path the topmost layer that has it. No more than *n_left, from which
 * they are taken.
 */
void view_join_packages(const struct view_database *databases, struct xb_view_platform *platform, size_t *n_left,
			struct xb_arena *arena);

#endif
