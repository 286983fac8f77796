/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to image_bill.c, image_bill_base.c, image_bill_units.c and image_materials.c: a bill of one platform in the making.
 * A component is told by kind, name, version and architecture; it has an id, its place in the list.
 */
#ifndef XBUILD_APP_IMAGE_BILL_PARTS_H
#define XBUILD_APP_IMAGE_BILL_PARTS_H

#include "image_bill.h"

struct bill_maker {
	struct evidence *e;
	const struct image_part *part;
	const struct xb_lock *lock; /* NULL: the image needs none */
	struct xb_arena *arena;
	XB_VEC(struct xb_bill_component) components;
	struct xb_map ids; /* "kind name version arch" -> index + 1 */
	XB_VEC(struct xb_bill_file) files;
	struct xb_map file_ids; /* path -> index + 1 */
};

/* ---- image_bill.c ---- */

/* The id of a component; a known one gets the further roles. */
size_t bill_add_component(struct bill_maker *m, const struct xb_bill_component *c);
void bill_push_id(struct bill_maker *m, struct xb_bill_ids *ids, size_t id);
/* The same, each id once. */
void bill_add_id(struct bill_maker *m, struct xb_bill_ids *ids, size_t id);

/* ---- image_bill_base.c: what the image stands on ---- */

const char *bill_debian_purl(const struct xb_lock_package *p, struct xb_arena *arena);
const char *bill_apk_purl(const struct xb_lock_apk *p, struct xb_arena *arena);
size_t bill_add_debian(struct bill_maker *m, const struct xb_lock_package *p, unsigned roles);
/* The packages of the base, and the image that it is. */
int bill_add_base(struct bill_maker *m, const struct xb_image_platform *platform, struct xb_err *err);

/* ---- image_bill_units.c: what the project brings ---- */

/* The units in the image, with their sources and with what was linked into them. */
int bill_add_units(struct bill_maker *m, struct xb_state *state, struct xb_err *err);

#endif
