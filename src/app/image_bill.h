/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to image_evidence.c, image_bill.c and image_materials.c: what an image is made of, gathered from the lock, the build
 * and the sysroots. Everything lives in one arena.
 */
#ifndef XBUILD_APP_IMAGE_BILL_H
#define XBUILD_APP_IMAGE_BILL_H

#include "image_plan.h"
#include "xbuild/base/map.h"
#include "xbuild/build/state.h"
#include "xbuild/image/bill.h"
#include "xbuild/image/provenance.h"

/* One image, all its platforms. */
struct evidence {
	struct image_run *run;
	const struct image_whole *whole;
	const struct xb_image_built *built;
	struct xb_arena *arena;
	const char *version;	  /* of the project, or NULL */
	struct xb_state **states; /* of each part; NULL where no unit is in the image */
	struct xb_map files;	  /* sources: path -> struct xb_bill_file */
};

/* The bill of one platform. */
int bill_of_part(struct evidence *e, size_t part, struct xb_bill *out, struct xb_err *err);
/* The bill of the index. */
void bill_of_index(struct evidence *e, struct xb_bill *out);
/* Every input that the lock and git name (image_materials.c). */
void bill_inputs(struct evidence *e, struct xb_materials *out);

#endif
