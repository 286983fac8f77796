/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the project's images as OCI layouts and archives, and makes their tags. Builds first (profile release unless told).
 *
 * Guarantee: each output is the old one or the new one, whole, and one that is as it was is not written again; the bytes of
 *            all, and the index digest, depend on the inputs alone; an image whose files need a
 *            library or symbol version that is not in it is refused before anything is written.
 * Failure:   as op_build; XB_E_VERIFY when the finished image is not closed.
 */
#ifndef XBUILD_APP_OP_IMAGE_H
#define XBUILD_APP_OP_IMAGE_H

#include "xbuild/app/op_build.h"

enum xb_image_form {
	XB_IMAGE_OCI,		 /* layout directory: out/images/<name> */
	XB_IMAGE_OCI_ARCHIVE,	 /* the same as one tar: out/images/<name>.oci.tar */
	XB_IMAGE_DOCKER_ARCHIVE, /* a tar for `docker load` and all others: out/images/<name>.docker.tar */
	XB_IMAGE_ROOTFS		 /* the file system of each platform: out/images/<name>-<target>.tar */
};

/* Something to write of an image. */
struct xb_image_output {
	enum xb_image_form form;
	const char *path; /* where, relative to the start directory; NULL: see the forms */
};

const char *xb_image_form_name(enum xb_image_form form); /* "oci-archive"; static */
/* "FORM" or "FORM=PATH"; the path is borrowed from text. XB_E_USAGE for others. */
int xb_image_output_parse(const char *text, struct xb_image_output *out, struct xb_err *err) XB_MUST_CHECK;

struct xb_image_opts {
	const char *const *images; /* names; none: all */
	size_t n_images;
	const char *const *targets; /* as in xb_build_opts */
	size_t n_targets;
	const struct xb_image_output *outputs; /* none: XB_IMAGE_OCI */
	size_t n_outputs;
	const enum xb_compression *compression; /* instead of what the project says; NULL: as it says */
	const char *profile;
	bool keep_going;
	bool color, verbose;
	bool no_evidence; /* no bills of materials and no provenance beside layouts */
};

struct xb_image_platform {
	const struct xb_target *target;
	struct xb_digest manifest;
	uint64_t layer_bytes;  /* compressed, all layers */
	const char **packages; /* "libc6 2.36-9+deb12u13", of base auto; sorted */
	size_t n_packages;
};

struct xb_image_written {
	enum xb_image_form form;
	const char *path;		/* as given, else relative to the project: "out/images/<name>" */
	const char *full_path;		/* absolute */
	const struct xb_target *target; /* of XB_IMAGE_ROOTFS, else NULL */
	bool changed;			/* was written anew */
};

struct xb_image_built {
	const struct xb_image *image;
	struct xb_digest index; /* digest of the image index: the image's identity */
	struct xb_image_written *outputs;
	size_t n_outputs;
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
