/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes OCI layouts of the project's images, and makes their tags. Builds first (profile release unless told).
 *
 * Guarantee: out/images/<name> is the old layout or the new one, whole; the index digest depends on the inputs alone; an
 *            image whose files need a library or symbol version that is not in it is refused.
 * Failure:   as op_build; XB_E_VERIFY when the finished image is not closed.
 */
#ifndef XBUILD_APP_OP_IMAGE_H
#define XBUILD_APP_OP_IMAGE_H

#include "xbuild/app/op_build.h"

struct xb_image_opts {
	const char *const *images; /* names; none: all */
	size_t n_images;
	const char *const *targets; /* as in xb_build_opts */
	size_t n_targets;
	const char *profile;
	bool keep_going;
	bool color, verbose;
};

struct xb_image_platform {
	const struct xb_target *target;
	struct xb_digest manifest;
	uint64_t layer_bytes;  /* compressed, all layers */
	const char **packages; /* "libc6 2.36-9+deb12u13", of base auto; sorted */
	size_t n_packages;
};

struct xb_image_built {
	const struct xb_image *image;
	const char *dir;	/* "out/images/<name>" relative to the project */
	struct xb_digest index; /* digest of the image index: the image's identity */
	bool changed;		/* the layout was written anew */
	struct xb_image_platform *platforms;
	size_t n_platforms;
};

struct xb_image_result {
	struct xb_arena arena;
	struct xb_image_built *items;
	size_t n_items;
};
void xb_image_result_release(struct xb_image_result *result);

int xb_op_image(struct xb_app *app, const struct xb_image_opts *opts, struct xb_image_result *out,
		struct xb_err *err) XB_MUST_CHECK;

/*
 * Tags of one image (NULL: the only one, or the project when it has none or several), from the project's templates or
 * the default. `sha256` needs the index digest of out/images/<name>. Strings in app->arena.
 */
int xb_op_tag(struct xb_app *app, const char *image, const char ***out_tags, size_t *out_count,
	      struct xb_err *err) XB_MUST_CHECK;

#endif
