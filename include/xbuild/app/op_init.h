/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a commented xbuild.yaml for the build system or the sources that are in a directory. An xbuild.yaml that is there is
 * never touched: XB_E_USAGE.
 */
#ifndef XBUILD_APP_OP_INIT_H
#define XBUILD_APP_OP_INIT_H

#include "xbuild/app/app.h"

struct xb_init_result {
	const char *path;    /* of the file that was written; in app->arena */
	const char *name;    /* of the project */
	const char *sources; /* what it was written for: a pattern, or "CMakeLists.txt" and the like */
	bool found_sources;  /* false: there were none, hello.c was written too */
};

/* `name`: NULL takes the directory's name, made legal. */
int xb_op_init(struct xb_app *app, const char *name, struct xb_init_result *out, struct xb_err *err) XB_MUST_CHECK;

#endif
