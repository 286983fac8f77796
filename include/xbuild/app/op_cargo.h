/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The project's cargo, ready to be started by hand: `xbuild cargo test`. It is the one that builds units with `cargo` (locked, or
 * the host's), with the linker, C compiler, pkg-config and runner of a target, the project's crates, and no network.
 *
 * Places:  <project>/.xbuild/cargo/<target>/: launchers, configuration, cargo's home and its target directory. Units are built
 *          elsewhere.
 * Failure: XB_E_USAGE where the project has no Rust or not the target; what lock and fetch say.
 */
#ifndef XBUILD_APP_OP_CARGO_H
#define XBUILD_APP_OP_CARGO_H

#include "xbuild/app/app.h"

struct xb_cargo {
	const char *const *argv; /* argv[0] is an absolute path; the caller's words go behind; ends with NULL */
	const char *const *env;	 /* "NAME=value", ends with NULL: made from nothing but PATH, HOME and TERM */
};

/* `target`: any of its names; NULL: that of this host, or the first of the project. Strings in app->arena. */
int xb_op_cargo(struct xb_app *app, const char *target, struct xb_cargo *out, struct xb_err *err) XB_MUST_CHECK;

#endif
