/* SPDX-License-Identifier: Apache-2.0 */
/* Private to image/apk_base. */
#ifndef XB_IMAGE_APK_LAYERS_H
#define XB_IMAGE_APK_LAYERS_H

#include "xbuild/image/apk_base.h"

#define APK_BASE_DOCUMENT "base.json" /* sorts before the layers' names */

/* Packages that share a layer: indices into the image, in the order of their names. */
struct apk_group {
	size_t *packages; /* in the arena */
	size_t len;
	int64_t size_bytes;
	const char *last; /* the greatest name: tells groups of one size apart */
};

struct apk_groups {
	struct apk_group *items; /* bottom first */
	size_t len;
};

/*
 * Groups for layering by origin (apko, pkg/build/layers.go "groupByOriginAndSize"), at most `budget` of them and at least one. In
 * the arena.
 */
void apk_group_packages(struct xb_arena *arena, struct xb_apk *const *packages, size_t n_packages, size_t budget,
			struct apk_groups *out);

/*
 * Writes the layer of group number `group` (behind the last: what no package brought, and everything when there are no
 * groups) as a compressed tar to fd.
 */
int apk_layer_write(int fd, const struct xb_apk_image *image, const struct apk_groups *groups, size_t group,
		    const struct xb_layer_options *options, struct xb_layer *out, struct xb_err *err) XB_MUST_CHECK;

#endif
