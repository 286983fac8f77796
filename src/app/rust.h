/* SPDX-License-Identifier: Apache-2.0 */
/* What a project that uses Rust asks of the lock and the store. */
#ifndef XBUILD_SRC_APP_RUST_H
#define XBUILD_SRC_APP_RUST_H

#include "xbuild/app/provision.h"
#include "xbuild/build/compile.h"

/* Is there a locked Rust, not the host's own? Needs the project. */
bool rust_is_locked(const struct xb_app *app);

/* Is there a standard library for the target among the packages that are locked? Debian builds none for musl. */
bool rust_has_std(const struct xb_target *target);

/* XB_E_INPUT, with the place, for the first unit of cargo that is built for a target without one. Any other Rust is asked itself. */
int rust_check_units(struct xb_app *app, struct xb_err *err) XB_MUST_CHECK;

/* Why the lock does not fit what the project says of Rust, in app->arena; NULL: it does. Needs project and descs. */
const char *rust_stale(struct xb_app *app, const struct xb_lock *lock);

/* The wants of a build with a locked Rust into `wants`, which has room for two; returns how many. */
size_t rust_wants(const struct xb_app *app, struct xb_want *wants);

/* The name of the tree of an XB_WANT_RUST or XB_WANT_CRATES. XB_E_LOCK when the lock does not have it. */
int rust_want_recipe(const struct xb_app *app, const struct xb_want *want, struct xb_digest *out, struct xb_err *err);

/*
 * The Rust that builds: the locked one of this host and the crates of the lock, provisioned; or the one that is installed, with
 * the digest of its rustc. Strings in app->arena.
 */
int rust_provision(struct xb_app *app, struct xb_rust_tools *out, struct xb_err *err) XB_MUST_CHECK;

/* XB_E_NOT_FOUND when it has no standard library for the target. */
int rust_check_target(const struct xb_app *app, const struct xb_rust_tools *rust, const struct xb_target *target,
		      struct xb_err *err) XB_MUST_CHECK;

/* Is one of the units made by cargo, or one that they need? */
bool rust_is_needed(struct xb_unit *const *units, size_t n_units);

/* What a build of units of cargo needs besides, in app->arena: the Rust, and the sysroot of this host's own kind if there is. */
struct rust_setup {
	struct xb_rust_tools rust;
	struct xb_sysroot_paths host;
	bool has_host;
};
int rust_provision_setup(struct xb_app *app, struct rust_setup *out, struct xb_err *err) XB_MUST_CHECK;
void rust_fill_setup(const struct rust_setup *rust, struct xb_setup *setup);

#endif
