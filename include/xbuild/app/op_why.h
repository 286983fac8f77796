/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a package is in xbuild.lock: the shortest chains of dependencies from what is asked for to it, of every list that
 * has it. Only the lock and the project are read. Part of xbuild-supply, as `xbuild lock` is.
 */
#ifndef XBUILD_APP_OP_WHY_H
#define XBUILD_APP_OP_WHY_H

#include "xbuild/app/app.h"
#include "xbuild/base/str.h"

/*
 * Appends text for people: lists with the same chains are told once. XB_E_USAGE when no list has the package, with the
 * closest name as a hint; XB_E_LOCK when there is no lock.
 */
int xb_op_why(struct xb_app *app, const char *name, struct xb_str *out, struct xb_err *err) XB_MUST_CHECK;

#endif
