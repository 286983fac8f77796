/* SPDX-License-Identifier: Apache-2.0 */
/* Taking from a bundle what the store lacks: part of xbuild-supply. */
#ifndef XBUILD_SRC_APP_BUNDLE_READ_H
#define XBUILD_SRC_APP_BUNDLE_READ_H

#include "xbuild/app/app.h"

/*
 * Reads app->options.bundle, a file from its beginning to its end or a directory, and puts into the store what the lock
 * names and the store lacks. Memory: one buffer. XB_E_DIGEST, and nothing of it stored, for a blob that is not what its name
 * says; app->bundle_is_other is set when the bundle was made with another lock. Needs lock, store.
 */
int bundle_import(struct xb_app *app, struct xb_err *err) XB_MUST_CHECK;

#endif
