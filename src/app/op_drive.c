/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/op_drive.h"

#include <string.h>

#include "rust.h"
#include "xbuild/app/op_doctor.h"
#include "xbuild/app/program.h"
#include "xbuild/app/provision.h"
#include "xbuild/base/alloc.h"
#include "xbuild/build/drive.h"
#include "xbuild/sys/proc.h"

int xb_app_expand(void *ctx, const char *text, const struct xb_target *target, struct xb_str *out, struct xb_err *err)
{
	const struct xb_app_expand *e = ctx;

	return xb_app_subst(e->app, text, target, NULL, e->profile, out, err);
}

const struct xb_project_target *xb_app_host_target(const struct xb_app *app)
{
	for (size_t i = 0; i < app->project->n_targets; i++) {
		if (xb_host_runs(app->host.name, app->project->targets[i].target))
			return &app->project->targets[i];
	}
	return NULL;
}

int xb_drive_words(struct xb_app *app, bool verbose, const char *const **out, struct xb_err *err)
{
	char *emulator XB_CLEANUP(xb_free_ptr) = NULL;
	const char **words = xb_arena_array(&app->arena, 12, sizeof(*words));
	const char *xbuild;
	size_t n = 0;

	if (xb_program_find("xbuild", &app->arena, &xbuild, err) < 0 || xb_proc_emulator(&emulator, err) < 0)
		return err->code;
	if (emulator)
		words[n++] = xb_arena_strdup(&app->arena, emulator);
	words[n++] = xbuild;
	words[n++] = "drive";
	words[n++] = "--dir";
	words[n++] = app->project->dir;
	words[n++] = "--file";
	words[n++] = app->project->file;
	words[n++] = "--locked";
	words[n++] = "--offline";
	words[n++] = xb_arena_printf(&app->arena, "--jobs=%d", xb_app_jobs(app));
	if (verbose)
		words[n++] = "--verbose";
	*out = words;
	return 0;
}

static int find(struct xb_app *app, const struct xb_drive_opts *opts, struct xb_setup *setup,
		const struct xb_unit **out_unit, struct xb_err *err)
{
	const struct xb_target *target = xb_target_find(xb_sv(opts->target));

	*out_unit = xb_project_unit(app->project, xb_sv(opts->unit));
	setup->project = app->project;
	setup->target = target ? xb_project_target(app->project, target) : NULL;
	setup->profile = xb_project_profile(app->project, opts->profile);
	if (!*out_unit || !(*out_unit)->foreign || !setup->target || !setup->profile)
		return xb_fail(err, XB_E_USAGE,
			       "'%s' has no unit '%s' of another build system, target '%s' or profile '%s'",
			       app->project->file, opts->unit, opts->target, opts->profile);
	return 0;
}

int xb_op_drive(struct xb_app *app, const struct xb_drive_opts *opts, struct xb_str *shown, struct xb_err *err)
{
	struct xb_app_expand expand = {app, opts->profile};
	struct xb_setup setup = {.expand = xb_app_expand, .expand_ctx = &expand};
	struct xb_drive_spec spec = {.setup = &setup};
	const struct xb_project_target *host;
	struct xb_sysroot_paths sysroot;
	struct rust_setup rust;
	struct xb_tools tools;

	if (xb_app_need_project(app, err) < 0 || find(app, opts, &setup, &spec.unit, err) < 0 ||
	    xb_app_need_descs(app, err) < 0 || xb_app_need_lock(app, err) < 0 || xb_app_need_store(app, err) < 0 ||
	    xb_provision_tools(app, true, &tools, err) < 0 ||
	    xb_provision_sysroot(app, setup.target->target, &sysroot, err) < 0 ||
	    xb_program_find("xbuild-wrap", &app->arena, &spec.wrap, err) < 0 ||
	    xb_program_find("xbuild", &app->arena, &spec.xbuild, err) < 0)
		return err->code;
	if (spec.unit->driver == XB_DRIVER_CARGO) {
		if (rust_provision_setup(app, &rust, err) < 0 ||
		    rust_check_target(app, &rust.rust, setup.target->target, err) < 0)
			return xb_wrap(err, "%sunit '%s'", xb_place_text(&spec.unit->foreign->at, &app->arena),
				       opts->unit);
		rust_fill_setup(&rust, &setup);
	}
	setup.tools = &tools;
	setup.sysroot = &sysroot;
	setup.jobs = xb_app_jobs(app);
	setup.emulator = xb_app_runner_words(app, setup.target->target, sysroot.dir);
	host = xb_app_host_target(app);
	spec.tools_target = host ? host->target : NULL;
	spec.store = app->store;
	spec.manifest = opts->manifest;
	spec.jobserver = opts->jobserver;
	spec.jobs = xb_app_jobs(app);
	spec.verbose = opts->verbose;
	spec.interrupted = app->interrupted;
	return xb_drive_run(&spec, shown, err);
}
