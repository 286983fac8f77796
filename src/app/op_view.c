/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/op_view.h"

static int read_view(struct xb_app *app, const char *path, bool with_entries, struct xb_audit *audit,
		     struct xb_view *out, struct xb_err *err)
{
	if (xb_view_read(path, with_entries, app->interrupted, audit, out, err) < 0)
		return err->code;
	if (audit->n_problems)
		return xb_fail(err, XB_E_VERIFY, "look into '%s': %zu problem%s", path, audit->n_problems,
			       audit->n_problems == 1 ? "" : "s");
	return 0;
}

int xb_op_inspect(struct xb_app *app, const char *path, struct xb_audit *audit, struct xb_view *out, struct xb_err *err)
{
	return read_view(app, path, false, audit, out, err);
}

int xb_op_diff(struct xb_app *app, const char *const paths[2], struct xb_audit audits[2], struct xb_view_diff *out,
	       struct xb_err *err)
{
	struct xb_view before XB_CLEANUP(xb_view_release) = {0}, after XB_CLEANUP(xb_view_release) = {0};

	if (read_view(app, paths[0], true, &audits[0], &before, err) < 0 ||
	    read_view(app, paths[1], true, &audits[1], &after, err) < 0)
		return err->code;
	xb_view_compare(&before, &after, out);
	return 0;
}
