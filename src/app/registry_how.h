/* SPDX-License-Identifier: Apache-2.0 */
/* From the options of a command to those of the registry layer (xbuild-supply). */
#ifndef XBUILD_APP_REGISTRY_HOW_H
#define XBUILD_APP_REGISTRY_HOW_H

#include "xbuild/app/op_push.h"

/*
 * Reads the file of authorities, so that a wrong one is told before anything is asked of a registry. Strings of *out are in
 * app->arena. XB_E_INPUT or XB_E_NOT_FOUND when the file has no certificate.
 */
int registry_how(struct xb_app *app, const struct xb_app_registry *how, struct xb_registry_opts *out,
		 struct xb_err *err) XB_MUST_CHECK;

#endif
