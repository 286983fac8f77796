/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/op_view.h"

#include "fetched.h"

/* An image as it was named, and what to read of it. */
struct looking {
	const char *image;
	const struct xb_app_registry *how;
	bool with_entries;
};

static int read_view(struct xb_app *app, const struct looking *l, struct xb_audit *audit, struct xb_view *out,
		     struct xb_err *err)
{
	struct fetched f XB_CLEANUP(fetched_release) = {0};

	if (fetched_open(app, l->image, l->how, &f, err) < 0 ||
	    xb_view_read(f.path, l->with_entries, app->interrupted, audit, out, err) < 0)
		return err->code;
	if (audit->n_problems)
		return xb_fail(err, XB_E_VERIFY, "look into '%s': %zu problem%s", l->image, audit->n_problems,
			       audit->n_problems == 1 ? "" : "s");
	return 0;
}

int xb_op_inspect(struct xb_app *app, const char *image, const struct xb_app_registry *how, struct xb_audit *audit,
		  struct xb_view *out, struct xb_err *err)
{
	return read_view(app, &(struct looking){image, how, false}, audit, out, err);
}

int xb_op_diff(struct xb_app *app, const char *const images[2], const struct xb_app_registry *how,
	       struct xb_audit audits[2], struct xb_view_diff *out, struct xb_err *err)
{
	struct xb_view before XB_CLEANUP(xb_view_release) = {0}, after XB_CLEANUP(xb_view_release) = {0};

	if (read_view(app, &(struct looking){images[0], how, true}, &audits[0], &before, err) < 0 ||
	    read_view(app, &(struct looking){images[1], how, true}, &audits[1], &after, err) < 0)
		return err->code;
	xb_view_compare(&before, &after, out);
	return 0;
}
