/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signs images that `xbuild image` has written, or any layout with one image, and checks such signatures. What is signed is the
 * digest of the image's index, so a signature holds for every platform, layer and file of it.
 *
 * Guarantee: the image's own layout is not touched: signatures are a layout of their own beside it, <layout>.sig. An image
 *            that this key has signed already keeps its signature. Signatures of what the image is no longer are dropped.
 * Failure:   XB_E_INPUT for a key that cannot be used; XB_E_SIGNATURE when a signature is missing or wrong; XB_E_NOT_FOUND
 *            without a layout.
 */
#ifndef XBUILD_APP_OP_SIGN_H
#define XBUILD_APP_OP_SIGN_H

#include "xbuild/app/app.h"
#include "xbuild/image/audit.h"
#include "xbuild/sys/key_sign.h"

struct xb_sign_opts {
	const char *key; /* private key in PEM; XBUILD_KEY_PASSWORD opens an encrypted one */
	const char *const
		*images; /* names of images of the project, or directories (with a '/'); none: all of the project */
	size_t n_images;
	const char *repository; /* what the signature says that the image is called; NULL: the image's name */
	bool recursive;		/* the manifest of each platform too */
};

struct xb_sign_item {
	const char *name; /* as given, or the image's */
	const char *dir;  /* of the signatures; absolute */
	struct xb_digest index;
	size_t n_signed; /* digests that the key has signed now or before */
	bool changed;
};

struct xb_sign_result {
	struct xb_arena arena;
	struct xb_sign_item *items;
	size_t n_items;
};
void xb_sign_result_release(struct xb_sign_result *result);

int xb_op_sign(struct xb_app *app, const struct xb_sign_opts *opts, struct xb_sign_result *out,
	       struct xb_err *err) XB_MUST_CHECK;

/*
 * After xb_op_image_verify has found an image in order: every image that it names must be signed by the key.
 * XB_E_SIGNATURE when one is not.
 */
struct xb_sign_verify {
	const char *path;  /* of the image */
	const char *shown; /* what the user calls it */
	const struct xb_audit *audit;
	const struct xb_key *key;
	const char *key_shown;
	/* A layout, or NULL: <path>.sig, where of an archive's name ".oci.tar" and the like are left out. */
	const char *signatures;
	const char *signatures_shown; /* what the user calls it; NULL: signatures */
};
int xb_op_sign_verify(struct xb_app *app, const struct xb_sign_verify *what, struct xb_err *err) XB_MUST_CHECK;

/* The public key in a file that the user names. */
int xb_op_sign_key(struct xb_app *app, const char *file, struct xb_key **out, struct xb_err *err) XB_MUST_CHECK;

#endif
