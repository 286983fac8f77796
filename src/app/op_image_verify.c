/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/op_image_verify.h"

int xb_op_image_verify(struct xb_app *app, const char *path, struct xb_audit *out, struct xb_err *err)
{
	if (xb_audit_run(path, app->interrupted, out, err) < 0)
		return err->code;
	if (out->n_problems)
		return xb_fail(err, XB_E_VERIFY, "verify '%s': %zu problem%s", path, out->n_problems,
			       out->n_problems == 1 ? "" : "s");
	return 0;
}
