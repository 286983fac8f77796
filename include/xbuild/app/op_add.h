/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adds Debian packages to the project file, or takes them out, and locks. Part of xbuild-supply.
 *
 * Guarantee: all or nothing. That every target has the packages and that they go together is known before a byte is
 *            written; the file keeps its comments and layout (model/project_edit); if the lock cannot be written the file is
 *            as before. Only a crash between the two leaves a lock that is stale, and 'xbuild lock' makes it anew.
 */
#ifndef XBUILD_APP_OP_ADD_H
#define XBUILD_APP_OP_ADD_H

#include "xbuild/app/app.h"

struct xb_add_opts {
	const char *const *names; /* of packages */
	size_t n_names;
	const char *image; /* its packages instead of the sysroot's; NULL: the sysroot's */
	bool remove;
	bool allow_rollback;
};

struct xb_add_result {
	const char **changed; /* names that were not there (or, to remove, that were); in app->arena */
	size_t n_changed;
	struct xb_str diff; /* of the lock; release it */
};

/* With app->options.dry_run all is found out and nothing written. */
int xb_op_add(struct xb_app *app, const struct xb_add_opts *opts, struct xb_add_result *out,
	      struct xb_err *err) XB_MUST_CHECK;

#endif
