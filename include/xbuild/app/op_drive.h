/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `xbuild drive`, the process behind an action that runs another build system (build/drive.h): xb_op_build starts it once
 * for each unit and target. Everything that it needs was supplied by then.
 */
#ifndef XBUILD_APP_OP_DRIVE_H
#define XBUILD_APP_OP_DRIVE_H

#include "xbuild/app/app.h"
#include "xbuild/build/compile.h"

struct xb_drive_opts {
	const char *unit, *target, *profile;
	const char *manifest;  /* file to write; NULL: the unit's own tests are run */
	const char *jobserver; /* FIFO, or NULL */
	bool verbose;
};

/* What the steps print for people is appended to *shown, also on failure. */
int xb_op_drive(struct xb_app *app, const struct xb_drive_opts *opts, struct xb_str *shown,
		struct xb_err *err) XB_MUST_CHECK;

/* The words that start it for this project, ends with NULL; in app->arena. */
int xb_drive_words(struct xb_app *app, bool verbose, const char *const **out, struct xb_err *err) XB_MUST_CHECK;

/* ${...} for a setup; ctx is a struct xb_app_expand. */
struct xb_app_expand {
	struct xb_app *app;
	const char *profile;
};
int xb_app_expand(void *ctx, const char *text, const struct xb_target *target, struct xb_str *out, struct xb_err *err);

/* The target whose programs this host runs by itself, among those of the project; NULL: none. */
const struct xb_project_target *xb_app_host_target(const struct xb_app *app);

#endif
