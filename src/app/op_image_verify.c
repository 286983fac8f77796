/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/op_image_verify.h"

#include "fetched.h"
#include "xbuild/app/op_sign.h"

static int check_signatures(struct xb_app *app, const struct xb_image_verify_opts *opts, const struct fetched *image,
			    const struct xb_audit *audit, const struct xb_key *key, struct xb_err *err)
{
	struct fetched signatures XB_CLEANUP(fetched_release) = {0};
	struct xb_sign_verify what = {.path = image->path,
				      .shown = opts->image,
				      .audit = audit,
				      .key = key,
				      .key_shown = opts->key,
				      .signatures = opts->signatures};
	struct xb_digest index;

	if (image->is_temporary && !opts->signatures) {
		if (!audit->images.len || !xb_digest_parse(xb_sv(audit->images.items[0].digest), &index))
			return xb_fail(err, XB_E_SIGNATURE, "verify '%s': it names no image", opts->image);
		if (fetched_signatures(app, opts->image, &index, &opts->how, &signatures, err) < 0)
			return err->code;
		what.signatures = signatures.path;
		what.signatures_shown = signatures.ref;
	}
	return xb_op_sign_verify(app, &what, err);
}

int xb_op_image_verify(struct xb_app *app, const struct xb_image_verify_opts *opts, struct xb_audit *out,
		       struct xb_err *err)
{
	struct fetched image XB_CLEANUP(fetched_release) = {0};
	struct xb_key *key XB_CLEANUP(xb_key_free) = NULL;

	/* the key first: a wrong one is no reason to download an image */
	if ((opts->key && xb_op_sign_key(app, opts->key, &key, err) < 0) ||
	    fetched_open(app, opts->image, &opts->how, &image, err) < 0 ||
	    xb_audit_run(image.path, app->interrupted, out, err) < 0)
		return err->code;
	if (out->n_problems)
		return xb_fail(err, XB_E_VERIFY, "verify '%s': %zu problem%s", opts->image, out->n_problems,
			       out->n_problems == 1 ? "" : "s");
	return key ? check_signatures(app, opts, &image, out, key, err) : 0;
}
