/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/op_image_verify.h"

#include "fetched.h"
#include "xbuild/app/op_sign.h"

static int check_signatures(struct xb_app *app, const struct xb_image_verify_opts *opts, const struct fetched *image,
			    const struct xb_audit *audit, struct xb_err *err)
{
	struct fetched signatures XB_CLEANUP(fetched_release) = {0};
	const char *dir = opts->signatures;
	struct xb_digest index;

	if (image->is_temporary && !dir) {
		if (!audit->images.len || !xb_digest_parse(xb_sv(audit->images.items[0].digest), &index))
			return xb_fail(err, XB_E_SIGNATURE, "verify '%s': it names no image", opts->image);
		if (fetched_signatures(app, opts->image, &index, &opts->how, &signatures, err) < 0)
			return err->code;
		dir = signatures.path;
	}
	return xb_op_sign_verify(app, image->path, opts->image, audit, opts->key, dir, err);
}

int xb_op_image_verify(struct xb_app *app, const struct xb_image_verify_opts *opts, struct xb_audit *out,
		       struct xb_err *err)
{
	struct fetched image XB_CLEANUP(fetched_release) = {0};

	if (fetched_open(app, opts->image, &opts->how, &image, err) < 0 ||
	    xb_audit_run(image.path, app->interrupted, out, err) < 0)
		return err->code;
	if (out->n_problems)
		return xb_fail(err, XB_E_VERIFY, "verify '%s': %zu problem%s", opts->image, out->n_problems,
			       out->n_problems == 1 ? "" : "s");
	return opts->key ? check_signatures(app, opts, &image, out, err) : 0;
}
