/* SPDX-License-Identifier: Apache-2.0 */
/* What is wanted of all that is locked, when nobody names it. */
#include <string.h>

#include "base.h"
#include "fetch_plan.h"
#include "rust.h"
#include "xbuild/build/plan.h"

/* Will one of the profiles start llvm-ar or llvm-objcopy? */
static bool needs_tools(const struct xb_project *project)
{
	for (size_t i = 0; i < project->n_profiles; i++)
		if (xb_plan_needs_tools(&project->profiles[i], project->units, project->n_units))
			return true;
	return project->toolchain_full;
}

size_t fetch_default_wants(struct xb_app *app, const struct xb_want **out)
{
	const struct xb_project *project = app->project;
	struct xb_want *wants;
	size_t max = project->n_targets * (project->n_images + 1) + 4, n = 0;

	for (size_t i = 0; i < app->lock->n_images; i++)
		max += app->lock->images[i].packages.len;
	wants = xb_arena_array(&app->arena, max, sizeof(*wants));
	wants[n++] = (struct xb_want){.kind = XB_WANT_TOOLCHAIN, .name = app->host.name};
	if (needs_tools(project))
		wants[n++] = (struct xb_want){.kind = XB_WANT_TOOLS, .name = app->host.name};
	n += rust_wants(app, wants + n);
	for (size_t i = 0; i < project->n_targets; i++)
		wants[n++] = (struct xb_want){.kind = XB_WANT_SYSROOT, .name = project->targets[i].target->name};
	n += fetch_image_wants(app->lock, wants + n);
	for (size_t i = 0; i < project->n_images; i++) {
		const struct xb_image *image = &project->images[i];

		for (size_t k = 0; base_is_wanted(image) && k < project->n_targets; k++) {
			if (base_covers(image, project->targets[k].target))
				wants[n++] = (struct xb_want){.kind = XB_WANT_BASE,
							      .name = project->targets[k].target->name,
							      .image = image->name};
		}
	}
	*out = wants;
	return n;
}

static bool is_among(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static bool is_of_target(const struct xb_want *want)
{
	return want->kind == XB_WANT_SYSROOT || want->kind == XB_WANT_PACKAGE || want->kind == XB_WANT_BASE;
}

int fetch_scope_wants(struct xb_app *app, const struct fetch_scope *scope, const struct xb_want **out,
		      size_t *out_count, struct xb_err *err)
{
	const struct xb_project_target **targets;
	const struct xb_want *all;
	size_t n_targets, n_all, n = 0;
	const size_t n_hosts = scope->n_hosts ? scope->n_hosts : app->lock->n_toolchains;

	if (xb_app_targets(app, scope->targets, scope->n_targets, &targets, &n_targets, err) < 0)
		return err->code;
	const char **names = xb_arena_array(&app->arena, n_targets + 1, sizeof(*names));

	for (size_t i = 0; i < n_targets; i++)
		names[i] = targets[i]->target->name;
	n_all = fetch_default_wants(app, &all);
	struct xb_want *wants = xb_arena_array(&app->arena, n_all + 3 * n_hosts, sizeof(*wants));

	for (size_t i = 0; i < n_hosts; i++) {
		const char *host = scope->n_hosts ? scope->hosts[i] : app->lock->toolchains[i].host;

		if (!xb_lock_toolchain(app->lock, host)) {
			xb_fail(err, XB_E_USAGE, "%s has no toolchain for host '%s'", XB_LOCK_NAME, host);
			return xb_hint(err, "'hosts:' in %s lists the hosts", app->project->file);
		}
		wants[n++] = (struct xb_want){.kind = XB_WANT_TOOLCHAIN, .name = host};
		wants[n++] = (struct xb_want){.kind = XB_WANT_TOOLS, .name = host};
		if (app->lock->rust && xb_lock_rust_host(app->lock, host))
			wants[n++] = (struct xb_want){.kind = XB_WANT_RUST, .name = host};
	}
	/* the rest is of targets, or of no host in particular; what is of this host was said for all of them */
	for (size_t i = 0; i < n_all; i++) {
		const enum xb_want_kind kind = all[i].kind;

		if (kind != XB_WANT_TOOLCHAIN && kind != XB_WANT_TOOLS && kind != XB_WANT_RUST &&
		    (!is_of_target(&all[i]) || is_among(all[i].name, names, n_targets)))
			wants[n++] = all[i];
	}
	*out = wants;
	*out_count = n;
	return 0;
}
