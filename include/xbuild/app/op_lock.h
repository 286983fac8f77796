/* SPDX-License-Identifier: Apache-2.0 */
/* Makes, updates or checks xbuild.lock. Part of xbuild-supply. */
#ifndef XBUILD_APP_OP_LOCK_H
#define XBUILD_APP_OP_LOCK_H

#include "xbuild/app/app.h"

struct xb_lock_opts {
	bool check;		  /* change nothing: XB_E_LOCK when the lock is missing or stale */
	bool update;		  /* take newer versions */
	const char *const *names; /* with update: only these packages; empty: all */
	size_t n_names;
	bool allow_rollback; /* accept an InRelease older than the lock's */
};

struct xb_lock_result {
	bool is_new;	    /* there was no lock before */
	bool written;	    /* the file changed */
	struct xb_str diff; /* xb_lock_diff of before and after */
	size_t n_packages;
};

int xb_op_lock(struct xb_app *app, const struct xb_lock_opts *opts, struct xb_lock_result *out,
	       struct xb_err *err) XB_MUST_CHECK;

/*
 * Resolves an apko.yaml (a path below the project directory) and writes the apko.lock.json beside it, as `apko lock` does.
 * *out_path is its path, owned. xbuild.lock is not touched.
 */
int xb_op_lock_apko(struct xb_app *app, const char *file, char **out_path, struct xb_err *err) XB_MUST_CHECK;

#endif
