/* SPDX-License-Identifier: Apache-2.0 */
#include "rust.h"

#include <string.h>

#include "xbuild/toolchain/rust.h"

bool rust_is_locked(const struct xb_app *app)
{
	return app->project->rust && strcmp(app->project->rust, XB_RUST_HOST) != 0;
}

static const char *stale_lists(struct xb_app *app, const struct xb_lock *lock)
{
	const struct xb_project *p = app->project;
	const struct xb_lock_rust *rust = lock->rust;

	for (size_t i = 0; i < p->n_targets; i++)
		if (!xb_lock_rust_std(lock, p->targets[i].target->name))
			return xb_arena_printf(&app->arena, "it has no standard library of Rust for target '%s'",
					       p->targets[i].target->name);
	for (size_t i = 0; i < p->crates.len; i++)
		if (!rust->crates.name || !xb_lock_package(&rust->crates.packages, p->crates.items[i]))
			return xb_arena_printf(&app->arena, "it has no crates of package '%s'", p->crates.items[i]);
	return NULL;
}

const char *rust_stale(struct xb_app *app, const struct xb_lock *lock)
{
	if (!rust_is_locked(app))
		return NULL;
	if (!lock->rust)
		return "it has no Rust";
	if (strcmp(lock->rust->name, app->rust->name) != 0)
		return xb_arena_printf(&app->arena, "it has '%s' where the project wants '%s'", lock->rust->name,
				       app->rust->name);
	return stale_lists(app, lock);
}

size_t rust_wants(const struct xb_app *app, struct xb_want *wants)
{
	size_t n = 0;

	if (!rust_is_locked(app))
		return 0;
	wants[n++] = (struct xb_want){.kind = XB_WANT_RUST, .name = app->host.name};
	if (app->lock->rust->crates.name)
		wants[n++] = (struct xb_want){.kind = XB_WANT_CRATES, .name = app->lock->rust->crates.name};
	return n;
}

int rust_want_recipe(const struct xb_app *app, const struct xb_want *want, struct xb_digest *out, struct xb_err *err)
{
	const struct xb_lock *lock = app->lock;

	if (want->kind == XB_WANT_CRATES) {
		if (!lock->rust || !lock->rust->crates.name || !app->rust)
			return xb_fail(err, XB_E_LOCK, "xbuild.lock has no crates");
		xb_crates_recipe(app->rust, lock, out);
		return 0;
	}
	if (!app->rust || !xb_lock_rust_host(lock, want->name)) {
		xb_fail(err, XB_E_LOCK, "xbuild.lock has no Rust for host '%s'", want->name);
		return xb_hint(err,
			       "it is locked for those of 'hosts:' that run Linux; elsewhere 'toolchain: { rust: host "
			       "}' takes the one that is installed");
	}
	xb_rust_recipe(app->rust, lock, want->name, out);
	return 0;
}

int rust_provision(struct xb_app *app, struct xb_rust_tools *out, struct xb_err *err)
{
	struct xb_want wants[2];
	int found;

	if (xb_app_need_lock(app, err) < 0 || xb_provision(app, wants, rust_wants(app, wants), err) < 0)
		return err->code;
	found = xb_rust_find(app->store, app->rust, app->lock, app->host.name, &app->arena, out, err);
	if (found == 0)
		return xb_fail(err, XB_E_SYSTEM, "the Rust of '%s' is not in the store although it was just made",
			       app->host.name);
	return found < 0 ? found : 0;
}
