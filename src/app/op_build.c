/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/op_build.h"

#include <string.h>
#include <sys/stat.h>

#include "missing.h"
#include "outputs.h"
#include "rust.h"

#include "xbuild/app/op_doctor.h"
#include "xbuild/app/op_drive.h"
#include "xbuild/app/provision.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/build/plan.h"
#include "xbuild/build/sched.h"
#include "xbuild/sys/filelock.h"
#include "xbuild/sys/fs.h"

extern char **environ;

#define DEFAULT_PROFILE "release"
#define MAX_NAMES_TOLD	10

struct build {
	struct xb_app *app;
	const struct xb_build_opts *opts;
	const struct xb_profile *profile;
	const struct xb_project_target **targets;
	size_t n_targets;
	struct xb_unit **units; /* in app->arena */
	size_t n_units;
	struct xb_tools tools;
	struct xb_sysroot_paths *sysroots; /* same index as targets */
	struct xb_setup *setups;
	struct rust_setup rust;
	bool has_cargo;
	struct xb_build_result *result;
	struct missing_log missing;
	bool has_foreign, has_host_tools, host_is_added;
	bool must_fetch; /* a dry run that cannot go on without trees of the store */
};

void xb_build_result_release(struct xb_build_result *result)
{
	if (!result)
		return;
	xb_arena_release(&result->arena);
	*result = (struct xb_build_result){0};
}

static int unknown_name(const struct xb_project *project, const char *kind, const char *name, const char *const *known,
			struct xb_err *err)
{
	const char *close = xb_sv_suggest(xb_sv(name), known);
	struct xb_str all XB_CLEANUP(xb_str_release) = {0};

	xb_fail(err, XB_E_USAGE, "no %s '%s' in '%s'", kind, name, project->file);
	if (close)
		return xb_hint(err, "did you mean '%s'?", close);
	for (size_t i = 0; known[i] && i < MAX_NAMES_TOLD; i++)
		xb_str_printf(&all, "%s%s", i ? ", " : "", i + 1 < MAX_NAMES_TOLD ? known[i] : "...");
	return xb_hint(err, "it has: %s", xb_str_get(&all));
}

static int find_profile(struct build *b, struct xb_err *err)
{
	const struct xb_project *project = b->app->project;
	const char *name = b->opts->profile ? b->opts->profile : DEFAULT_PROFILE;
	const char **known;

	b->profile = xb_project_profile(project, name);
	if (b->profile)
		return 0;
	known = xb_arena_array(&b->app->arena, project->n_profiles + 1, sizeof(*known));
	for (size_t i = 0; i < project->n_profiles; i++)
		known[i] = project->profiles[i].name;
	return unknown_name(project, "profile", name, known, err);
}

static int find_units(struct build *b, struct xb_err *err)
{
	const struct xb_project *project = b->app->project;
	const char **known;

	if (!b->opts->n_units) {
		b->units = project->units;
		b->n_units = project->n_units;
		return 0;
	}
	b->units = xb_arena_array(&b->app->arena, b->opts->n_units, sizeof(*b->units));
	for (size_t i = 0; i < b->opts->n_units; i++) {
		b->units[i] = xb_project_unit(project, xb_sv(b->opts->units[i]));
		if (b->units[i])
			continue;
		known = xb_arena_array(&b->app->arena, project->n_units + 1, sizeof(*known));
		for (size_t k = 0; k < project->n_units; k++)
			known[k] = project->units[k]->name;
		return unknown_name(project, "unit", b->opts->units[i], known, err);
	}
	b->n_units = b->opts->n_units;
	return 0;
}

/*
 * A dry run fetches nothing. What the commands are depends on files of the trees (start files, pkg-config modules), so
 * without them only the fetch is told.
 */
static int tell_missing(struct build *b, const struct xb_want *wants, size_t n_wants, struct xb_err *err)
{
	static const char note[] = "what would be compiled is known once this is there: 'xbuild fetch' gets it";
	struct xb_build_result *result = b->result;
	struct xb_want *missing;
	size_t n;

	if (xb_provision_missing(b->app, wants, n_wants, &missing, &n, err) < 0)
		return err->code;
	result->would_run = xb_arena_array(&result->arena, n, sizeof(*result->would_run));
	for (size_t i = 0; i < n; i++)
		result->would_run[result->n_would_run++] =
			xb_arena_printf(&result->arena, "%s FETCH %s", missing[i].name, xb_want_kind_name(&missing[i]));
	if (n)
		xb_observe(b->app->observer, &(struct xb_event){.kind = XB_EVENT_NOTE, .text = note});
	b->must_fetch = n > 0;
	return 0;
}

/* Everything that is missing is asked for at once, so that it is fetched in one go. */
static int provision(struct build *b, struct xb_err *err)
{
	struct xb_app *app = b->app;
	const bool tools = xb_plan_needs_tools(b->profile, b->units, b->n_units);
	struct xb_want *wants = xb_arena_array(&app->arena, b->n_targets + 5, sizeof(*wants));
	const struct xb_project_target *host = xb_app_host_target(app);
	size_t n = 0;

	b->has_cargo = rust_is_needed(b->units, b->n_units);
	wants[n++] = (struct xb_want){.kind = XB_WANT_TOOLCHAIN, .name = app->host.name};
	if (tools)
		wants[n++] = (struct xb_want){.kind = XB_WANT_TOOLS, .name = app->host.name};
	for (size_t i = 0; i < b->n_targets; i++)
		wants[n++] = (struct xb_want){.kind = XB_WANT_SYSROOT, .name = b->targets[i]->target->name};
	if (b->has_cargo)
		n += rust_wants(app, wants + n);
	if (b->has_cargo && host)
		wants[n++] = (struct xb_want){.kind = XB_WANT_SYSROOT, .name = host->target->name};
	if (b->opts->dry_run && (tell_missing(b, wants, n, err) < 0 || b->must_fetch))
		return err->code;
	if (xb_provision(app, wants, n, err) < 0 || xb_provision_tools(app, tools, &b->tools, err) < 0)
		return err->code;
	b->sysroots = xb_arena_array(&app->arena, b->n_targets, sizeof(*b->sysroots));
	for (size_t i = 0; i < b->n_targets; i++)
		if (xb_provision_sysroot(app, b->targets[i]->target, &b->sysroots[i], err) < 0)
			return err->code;
	return b->has_cargo ? rust_provision_setup(app, &b->rust, err) : 0;
}

static void make_setups(struct build *b)
{
	struct xb_app_expand *ctx = xb_arena_alloc(&b->app->arena, sizeof(*ctx));

	*ctx = (struct xb_app_expand){b->app, b->profile->name};
	b->setups = xb_arena_array(&b->app->arena, b->n_targets, sizeof(*b->setups));
	for (size_t i = 0; i < b->n_targets; i++)
		b->setups[i] = (struct xb_setup){
			.project = b->app->project,
			.target = b->targets[i],
			.profile = b->profile,
			.tools = &b->tools,
			.sysroot = &b->sysroots[i],
			.expand = xb_app_expand,
			.expand_ctx = ctx,
			.jobs = xb_app_jobs(b->app),
			.emulator = b->has_foreign
					    ? xb_app_runner_words(b->app, b->targets[i]->target, b->sysroots[i].dir)
					    : NULL,
			.tools_only = i == 0 && b->host_is_added,
		};
	for (size_t i = 0; b->has_cargo && i < b->n_targets; i++)
		rust_fill_setup(&b->rust, &b->setups[i]);
}

/* Host tools are made for this host, whatever targets were asked for: its target stands first then. */
static int add_host_target(struct build *b, struct xb_err *err)
{
	const struct xb_project_target *host = xb_app_host_target(b->app);
	const struct xb_project_target **all;
	size_t at = 0;

	b->has_host_tools = xb_plan_has_host_tools(b->units, b->n_units);
	if (!b->has_host_tools)
		return 0;
	if (!host) {
		xb_fail(err, XB_E_INPUT, "'host-tools' are built for this machine, and no target of '%s' is",
			b->app->project->file);
		return xb_hint(err, "add its target to 'targets', as in linux-x86_64");
	}
	while (at < b->n_targets && b->targets[at] != host)
		at++;
	b->host_is_added = at == b->n_targets;
	all = xb_arena_array(&b->app->arena, b->n_targets + 1, sizeof(*all));
	all[0] = host;
	for (size_t i = 0, n = 1; i < b->n_targets; i++) {
		if (i != at)
			all[n++] = b->targets[i];
	}
	b->targets = all;
	b->n_targets += b->host_is_added;
	return 0;
}

static bool has_foreign(struct xb_unit *const *units, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (units[i]->foreign || has_foreign(units[i]->deps, units[i]->n_deps))
			return true;
	}
	return false;
}

static void add_built(const struct build *b, const struct xb_product *product, const struct xb_action *action,
		      const char *output, struct xb_build_result *out)
{
	const char *dir = b->app->project->dir;
	struct xb_arena *arena = &out->arena;

	if (action->state < XB_STATE_CURRENT || action->state > XB_STATE_BUILT)
		return;
	out->items[out->n_items++] = (struct xb_built){
		.unit = product->unit,
		.output = output,
		.target = product->setup->target->target,
		.path = xb_arena_printf(arena, "%s/%s", dir, action->output),
		.rel_path = xb_arena_strdup(arena, action->output),
		.debug_path = product->debug ? xb_arena_printf(arena, "%s/%s", dir, product->debug->output) : NULL,
		.digest = action->result.hash,
		.size_bytes = action->result.size_bytes,
		.is_directory = action->is_tree,
		.executable = action->executable,
	};
}

/* Finished outputs only: with -k some may be missing. */
static void list_products(const struct build *b, const struct xb_graph *graph, struct xb_build_result *out)
{
	size_t n = 0;

	for (size_t i = 0; i < graph->n_products; i++)
		n += graph->products[i].unit->foreign ? graph->products[i].unit->outputs.len : 1;
	out->items = xb_arena_array(&out->arena, n, sizeof(*out->items));
	for (size_t i = 0; i < graph->n_products; i++) {
		const struct xb_product *product = &graph->products[i];
		const struct xb_words *outputs = &product->unit->outputs;

		if (!product->requested)
			continue;
		if (!product->unit->foreign)
			add_built(b, product, product->action, NULL, out);
		for (size_t k = 0; product->unit->foreign && k < outputs->len; k++)
			add_built(b, product, product->takes[k], outputs->items[k], out);
	}
}

/* The actions of each product, which are those of its unit and setup. */
static void list_steps(const struct xb_graph *graph, struct xb_build_result *out)
{
	struct xb_arena *arena = &out->arena;

	out->units = xb_arena_array(arena, graph->n_products, sizeof(*out->units));
	for (size_t i = 0; i < graph->n_products; i++) {
		const struct xb_product *product = &graph->products[i];
		struct xb_built_unit *built = &out->units[out->n_units++];

		*built = (struct xb_built_unit){.unit = product->unit, .target = product->setup->target->target};
		for (size_t k = 0; k < graph->n_actions; k++) {
			const struct xb_variant *v = graph->actions[k]->variant;

			built->n_steps += v->unit == product->unit && v->setup == product->setup;
		}
		built->steps = xb_arena_array(arena, built->n_steps, sizeof(*built->steps));
		built->n_steps = 0;
		for (size_t k = 0; k < graph->n_actions; k++) {
			const struct xb_action *action = graph->actions[k];

			if (action->variant->unit != product->unit || action->variant->setup != product->setup)
				continue;
			built->steps[built->n_steps++] = xb_arena_strdup(arena, action->output);
			if (action->variant->kind == XB_ACTION_LINK) {
				built->is_linked = true;
				built->linked = action->result.hash;
			}
		}
	}
}

/* What was made is remembered also after a failure, whose code stays the answer. */
static int remember(const struct build *b, const struct xb_graph *graph, int rc, struct xb_err *err)
{
	struct xb_err late XB_CLEANUP(xb_err_release) = {0};
	const struct outputs_build build = {
		.graph = graph,
		.targets = b->targets,
		.n_targets = b->n_targets,
		.all_units = !b->opts->n_units,
		.is_successful = rc == 0,
	};
	const int rc_update = outputs_update(b->app, &build, &late);

	if (rc == 0 && rc_update < 0) {
		xb_err_move(err, &late);
		return err->code;
	}
	return rc;
}

static int run_graph(struct build *b, struct xb_graph *graph, struct xb_build_result *out, struct xb_err *err)
{
	const char *const *drive = NULL;

	if (b->has_foreign && !b->opts->dry_run && xb_drive_words(b->app, b->opts->verbose, &drive, err) < 0)
		return err->code;
	const struct xb_sched_options options = {
		.store = b->app->store,
		.project_dir = b->app->project->dir,
		.setups = b->setups,
		.n_setups = b->n_targets,
		.jobs = xb_app_jobs(b->app),
		.keep_going = b->opts->keep_going,
		.dry_run = b->opts->dry_run,
		.color = b->opts->color,
		.verbose = b->opts->verbose,
		.observer = &b->missing.observer,
		.interrupted = b->app->interrupted,
		.need_linked = b->opts->evidence,
		.drive = drive,
		.drive_env = (const char *const *)environ,
		.compdb = b->n_units == b->app->project->n_units,
	};
	struct xb_sched_result result = {0};
	const int rc = xb_sched_run(graph, &options, &out->arena, &result, err);

	if (rc == XB_E_JOB)
		missing_explain(b->app, &b->missing, err);

	out->n_actions = graph->n_actions;
	out->n_run = result.n_run;
	out->n_cached = result.n_cached;
	out->n_failed = result.n_failed;
	out->would_run = result.would_run;
	out->n_would_run = result.n_would_run;
	list_products(b, graph, out);
	if (b->opts->evidence)
		list_steps(graph, out);
	return b->opts->dry_run ? rc : remember(b, graph, rc, err);
}

/* Two builds in one checkout would place outputs over each other's. A dry run changes nothing and needs no turn. */
static int take_turn(struct build *b, struct xb_filelock *lock, struct xb_err *err)
{
	char *dir XB_CLEANUP(xb_free_ptr) = xb_path_join(b->app->project->dir, ".xbuild");
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, "lock");

	if (b->opts->dry_run)
		return 0;
	if (!xb_fs_is_dir(dir) && xb_fs_mkdirs(dir, 0755, err) < 0)
		return err->code;
	return xb_filelock_acquire(lock, path, b->app->observer, b->app->interrupted, err);
}

static int prepare(struct build *b, struct xb_err *err)
{
	struct xb_app *app = b->app;

	if (xb_app_need_project(app, err) < 0 || find_profile(b, err) < 0 || find_units(b, err) < 0 ||
	    xb_app_targets(app, b->opts->targets, b->opts->n_targets, &b->targets, &b->n_targets, err) < 0 ||
	    add_host_target(b, err) < 0 || xb_app_need_descs(app, err) < 0 || xb_app_need_lock(app, err) < 0 ||
	    xb_app_need_store(app, err) < 0 || provision(b, err) < 0)
		return err->code;
	if (b->must_fetch)
		return 0;
	b->has_foreign = has_foreign(b->units, b->n_units);
	make_setups(b);
	return 0;
}

static int plan_and_run(struct build *b, struct xb_build_result *out, struct xb_err *err)
{
	const struct xb_plan_request request = {
		.setups = b->setups,
		.n_setups = b->n_targets,
		.units = b->units,
		.n_units = b->n_units,
		.tools_setup = b->has_host_tools ? b->setups : NULL,
	};
	struct xb_graph *graph;
	int rc;

	if (xb_plan(&request, &graph, &b->app->diags, err) < 0) {
		missing_explain_diags(b->app, b->targets[0]->target->name, &b->missing);
		return err->code;
	}
	rc = run_graph(b, graph, out, err);
	xb_graph_free(graph);
	return rc;
}

int xb_op_build(struct xb_app *app, const struct xb_build_opts *opts, struct xb_build_result *out, struct xb_err *err)
{
	struct xb_filelock lock XB_CLEANUP(xb_filelock_release) = {.fd = -1};
	struct build b = {.app = app, .opts = opts, .result = out};
	int rc;

	if (prepare(&b, err) < 0 || take_turn(&b, &lock, err) < 0)
		return err->code;
	if (b.must_fetch)
		return 0;
	missing_log_init(&b.missing, app->observer);
	rc = plan_and_run(&b, out, err);
	missing_log_release(&b.missing);
	return rc;
}
