/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a project says about where its toolchain and its sysroot come from, put into the descriptions of the data files:
 * afterwards the rest of the program asks the descriptions alone.
 */
#ifndef XBUILD_APP_SOURCES_H
#define XBUILD_APP_SOURCES_H

#include "xbuild/app/app.h"

/* Loads app->toolchain and app->sysroot. Problems of the project file are in app->diags: XB_E_INPUT. */
int sources_load(struct xb_app *app, struct xb_err *err) XB_MUST_CHECK;

/* Makes a description say only what `source` takes: packages for hosts that have them, then `archives`. */
void sources_choose(struct xb_toolchain_desc *desc, enum xb_toolchain_source source);

/* Absolute path of "file:PATH" or "/PATH" of the project; owned. */
char *sources_path(const struct xb_project *project, const char *url);

#endif
