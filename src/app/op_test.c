/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/op_test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test_libraries.h"
#include "test_run.h"
#include "xbuild/app/op_doctor.h"
#include "xbuild/app/provision.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/vec.h"
#include "xbuild/build/loader.h"
#include "xbuild/build/verify.h"
#include "xbuild/model/elf.h"
#include "xbuild/store/tree.h"
#include "xbuild/sys/fs.h"

/* One target of this run. */
struct place {
	const struct xb_project_target *target;
	struct xb_sysroot_paths sysroot;
	struct test_runner runner;
	struct xb_verify_library *libraries; /* shared libraries of the project, built for it */
	size_t n_libraries;
};

/* A test that waits for its turn or runs. */
struct job {
	const struct xb_test *test;
	const struct xb_unit
		*own; /* its own build system runs its tests, whose end `test` judges; NULL: an entry of the project */
	const struct place *place;
	size_t row;
};

struct testing {
	struct xb_app *app;
	struct xb_test_result *result;
	struct place *places;
	size_t n_places;
	XB_VEC(struct xb_test_row) rows;
	XB_VEC(struct job) jobs;
	const char *tmpdir, *profile;
	char *scratch; /* owned directory of links to shared libraries, or NULL */
	size_t n_started;
};

void xb_test_result_release(struct xb_test_result *result)
{
	if (!result)
		return;
	xb_build_result_release(&result->build);
	xb_arena_release(&result->arena);
	*result = (struct xb_test_result){0};
}

static void release_testing(struct testing *t)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};

	/* What cannot be removed is a handful of links in the temporary directory. */
	if (t->scratch && xb_fs_remove(t->scratch, &ignored) < 0)
		xb_err_clear(&ignored);
	free(t->scratch);
	XB_VEC_RELEASE(&t->rows);
	XB_VEC_RELEASE(&t->jobs);
}

/* `output`: one of a unit that another build system made; NULL: the first or only one. */
static const struct xb_built *find_built(const struct testing *t, const struct xb_unit *unit, const char *output,
					 const struct xb_target *target)
{
	for (size_t i = 0; i < t->result->build.n_items; i++) {
		const struct xb_built *item = &t->result->build.items[i];

		if (item->unit == unit && item->target == target &&
		    (!output || (item->output && strcmp(item->output, output) == 0)))
			return item;
	}
	return NULL;
}

/* Scripts, archives, pictures: what is installed need not be a program. */
static int is_binary(const struct xb_built *item, struct xb_err *err)
{
	struct xb_elf *elf = NULL;
	int rc = 1;

	if (item->unit->kind == XB_UNIT_STATIC || item->is_directory)
		return 0;
	if (item->output)
		rc = xb_elf_read(item->path, item->output, 0, &elf, err);
	xb_elf_free(elf);
	return rc;
}

static int lay_out_libraries(struct testing *t, struct place *place, struct xb_err *err)
{
	const char *dir;

	if (place->n_libraries == 0)
		return 0;
	if (!t->scratch) {
		t->scratch = xb_printf("%s/xbuild-test-XXXXXX", t->tmpdir);
		if (!mkdtemp(t->scratch)) {
			free(t->scratch);
			t->scratch = NULL;
			return xb_fail_errno(err, "make a directory in '%s'", t->tmpdir);
		}
	}
	dir = xb_arena_printf(&t->result->arena, "%s/%s", t->scratch, place->target->target->name);
	place->runner.own_libs = dir;
	return test_libraries_lay_out(place->libraries, place->n_libraries, dir, err);
}

static void find_runner(struct testing *t, struct place *place)
{
	const struct xb_target *target = place->target->target;
	struct xb_arena *arena = &t->result->arena;
	struct test_runner *runner = &place->runner;

	runner->sysroot = place->sysroot.dir;
	runner->name = xb_app_runner_name(t->app, target);
	if (!runner->name)
		return;
	runner->library_path = xb_loader_library_path(arena, runner->sysroot, target, runner->own_libs);
	if (xb_host_runs(t->app->host.name, target)) {
		runner->loader = xb_loader_find(arena, runner->sysroot, target);
	} else {
		char *path XB_CLEANUP(xb_free_ptr) = xb_proc_find(runner->name);

		runner->emulator = path ? xb_arena_strdup(arena, path) : NULL;
		if (!path)
			runner->name = NULL;
	}
}

static int prepare_place(struct testing *t, struct place *place, struct xb_err *err)
{
	const struct xb_build_result *build = &t->result->build;
	const struct xb_target *target = place->target->target;

	if (xb_provision_sysroot(t->app, target, &place->sysroot, err) < 0)
		return err->code;
	place->libraries = test_libraries(&t->result->arena, build, target, &place->n_libraries);
	if (lay_out_libraries(t, place, err) < 0)
		return err->code;
	find_runner(t, place);
	return 0;
}

static bool has_word(const struct xb_words *words, const char *word)
{
	for (size_t i = 0; i < words->len; i++) {
		if (strcmp(words->items[i], word) == 0)
			return true;
	}
	return false;
}

/* The words of the unit, the target and the profile, and those that the unit has for one of these. */
static bool wants_fixed_address(const struct testing *t, const struct xb_built *item, const struct place *place,
				const char *profile)
{
	const struct xb_profile *chosen = xb_project_profile(t->app->project, profile);
	const struct xb_unit *unit = item->unit;

	if (has_word(&unit->settings.ldflags, "-no-pie") || has_word(&place->target->settings.ldflags, "-no-pie") ||
	    (chosen && has_word(&chosen->settings.ldflags, "-no-pie")))
		return true;
	for (size_t i = 0; i < unit->n_overrides; i++) {
		const struct xb_override *over = &unit->overrides[i];

		if ((over->target ? over->target == item->target : strcmp(over->profile, profile) == 0) &&
		    has_word(&over->settings.ldflags, "-no-pie"))
			return true;
	}
	return false;
}

static int verify_item(struct testing *t, const struct place *place, const struct xb_built *item, const char *profile,
		       struct xb_err *err)
{
	struct xb_verify_report report XB_CLEANUP(xb_verify_report_release) = {0};
	struct xb_arena *arena = &t->result->arena;
	struct xb_test_row row = {.kind = "elf",
				  .name = item->output ? xb_output_file_name(item->output) : item->unit->name,
				  .target = item->target->name};
	const bool is_shared = test_is_library(item);
	const struct xb_verify_spec spec = {
		.path = item->path,
		.name = row.name,
		.target = item->target,
		.is_shared = is_shared,
		.fixed_address = !is_shared && wants_fixed_address(t, item, place, profile),
		.soname = is_shared && !item->output ? test_soname(item->unit) : NULL,
		.sysroot = place->sysroot.dir,
		.glibc_floor = place->target->glibc_floor,
		.libraries = place->libraries,
		.n_libraries = place->n_libraries,
	};

	if (xb_verify_binary(&spec, &report, err) < 0)
		return err->code;
	row.verdict = report.n_problems ? XB_VERDICT_FAILED : XB_VERDICT_PASSED;
	row.detail = report.n_problems ? NULL : xb_arena_strdup(arena, report.summary);
	row.problems = xb_arena_array(arena, report.n_problems + 1, sizeof(*row.problems));
	for (size_t i = 0; i < report.n_problems; i++)
		row.problems[row.n_problems++] = xb_arena_strdup(arena, report.problems[i]);
	XB_VEC_PUSH(&t->rows, row);
	return 0;
}

static int verify_all(struct testing *t, const char *profile, struct xb_err *err)
{
	for (size_t p = 0; p < t->n_places; p++) {
		const struct place *place = &t->places[p];

		for (size_t i = 0; i < t->result->build.n_items; i++) {
			const struct xb_built *item = &t->result->build.items[i];

			int rc = 0;

			if (item->target == place->target->target)
				rc = is_binary(item, err);
			if (rc < 0 || (rc > 0 && verify_item(t, place, item, profile, err) < 0))
				return err->code;
		}
	}
	return 0;
}

static void plan_run(struct testing *t, const struct place *place, const struct xb_test *test,
		     const struct xb_unit *own)
{
	const struct xb_target *target = place->target->target;
	const struct job job = {test, own, place, t->rows.len};
	struct xb_test_row row = {
		.kind = own ? xb_driver_key(own->driver) : "run", .name = test->name, .target = target->name};

	if (place->runner.name) {
		row.detail = place->runner.name;
		XB_VEC_PUSH(&t->jobs, job);
	} else {
		test_row_reason(&t->result->arena, &row, XB_VERDICT_SKIPPED, "%s is not on PATH; install qemu-user",
				target->qemu);
	}
	XB_VEC_PUSH(&t->rows, row);
}

/* Rows of the tests in a fixed order, whatever order they end in. */
static void plan_runs(struct testing *t)
{
	const struct xb_project *project = t->app->project;

	for (size_t p = 0; p < t->n_places; p++) {
		const struct place *place = &t->places[p];

		for (size_t i = 0; i < project->n_units; i++) {
			const struct xb_unit *unit = project->units[i];

			if (unit->foreign && unit->foreign->test && find_built(t, unit, NULL, place->target->target))
				plan_run(t, place, test_own(&t->result->arena, unit), unit);
		}
		for (size_t i = 0; i < project->n_tests; i++) {
			const struct xb_test *test = &project->tests[i];

			if (find_built(t, test->unit, test->output, place->target->target))
				plan_run(t, place, test, NULL);
		}
	}
}

/* The test's arguments with "build:<unit>" as the path of that unit. */
static int expand_args(struct testing *t, const struct job *job, struct xb_words *out, struct xb_err *err)
{
	const struct xb_words *args = &job->test->args;

	out->items = xb_arena_array(&t->result->arena, args->len + 1, sizeof(*out->items));
	out->len = args->len;
	for (size_t i = 0; i < args->len; i++) {
		const struct xb_unit *unit = test_word_unit(t->app->project, args->items[i]);
		const struct xb_built *built = unit ? find_built(t, unit, NULL, job->place->target->target) : NULL;

		if (unit && !built)
			return xb_fail(err, XB_E_INPUT, "expected unit '%s' for %s, found that it is not built for it",
				       unit->name, job->place->target->target->name);
		out->items[i] = built ? built->path : args->items[i];
	}
	return 0;
}

static int start_job(struct testing *t, struct xb_procs *procs, struct job *job, struct xb_err *err)
{
	const struct xb_built *built;
	const struct test_runner *runner = &job->place->runner;
	struct xb_arena *arena = &t->result->arena;
	struct xb_proc_spec spec = {.cwd = t->app->project->dir, .timeout_ms = job->test->timeout_ms};
	struct xb_words args = {0};
	struct xb_elf *elf = NULL;
	bool is_static;

	if (job->own)
		return test_own_start(t->app, job->own, job->place->target->target, t->profile, procs, job, err);
	built = find_built(t, job->test->unit, job->test->output, job->place->target->target);
	if (expand_args(t, job, &args, err) < 0)
		return err->code;
	if (xb_elf_read(built->path, built->unit->name, 0, &elf, err) < 0)
		return err->code;
	is_static = elf && !elf->interpreter;
	xb_elf_free(elf);
	if (!runner->emulator && !is_static && !runner->loader)
		return xb_fail(err, XB_E_NOT_FOUND, "expected the loader %s in the sysroot, found none",
			       job->place->target->target->interpreter);
	spec.argv = test_argv(arena, runner, built->path, is_static, &args);
	spec.env = test_env(arena, t->tmpdir, &job->test->env);
	return xb_procs_start(procs, &spec, job, err);
}

static void tell(struct testing *t, const struct job *job, size_t done)
{
	const struct xb_event event = {
		.kind = XB_EVENT_JOB,
		.verb = "TEST",
		.label = job->test->name,
		.target = job->place->target->target->name,
		.done = done,
		.total = t->jobs.len,
	};

	xb_observe(t->app->observer, &event);
}

/* Starts what fits beside the running ones. A test that cannot be started has failed; the others go on. */
static void start_some(struct testing *t, struct xb_procs *procs)
{
	while (t->n_started < t->jobs.len && xb_procs_running(procs) < (size_t)xb_app_jobs(t->app)) {
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct job *job = &t->jobs.items[t->n_started++];

		tell(t, job, t->n_started - 1 - xb_procs_running(procs));
		if (start_job(t, procs, job, &err) < 0)
			test_row_reason(&t->result->arena, &t->rows.items[job->row], XB_VERDICT_FAILED, "%s", err.msg);
	}
}

static int run_jobs(struct testing *t, struct xb_procs *procs, struct xb_err *err)
{
	const struct xb_event phase = {.kind = XB_EVENT_PHASE, .label = "test", .total = t->jobs.len};

	if (t->jobs.len)
		xb_observe(t->app->observer, &phase);
	for (;;) {
		struct xb_proc_result result XB_CLEANUP(xb_proc_result_release) = {0};
		void *user = NULL;
		int rc;

		if (t->app->interrupted && *t->app->interrupted)
			return xb_fail(err, XB_E_INTERRUPTED, "interrupted");
		start_some(t, procs);
		if (xb_procs_running(procs) == 0)
			return 0;
		rc = xb_procs_wait(procs, -1, t->app->interrupted, &user, &result, err);
		if (rc < 0)
			return rc;
		if (rc > 0) {
			const struct job *job = user;

			test_judge(&t->result->arena, job->test, &result, &t->rows.items[job->row]);
		}
	}
}

static void free_procs(struct xb_procs **procs)
{
	xb_procs_free(*procs);
}

static int run_all(struct testing *t, struct xb_err *err)
{
	struct xb_procs *procs XB_CLEANUP(free_procs) = xb_procs_new();

	plan_runs(t);
	return run_jobs(t, procs, err);
}

static void keep_rows(struct testing *t)
{
	struct xb_test_result *r = t->result;

	r->rows = xb_arena_array(&r->arena, t->rows.len + 1, sizeof(*r->rows));
	r->n_rows = t->rows.len;
	for (size_t i = 0; i < t->rows.len; i++) {
		r->rows[i] = t->rows.items[i];
		r->n_passed += r->rows[i].verdict == XB_VERDICT_PASSED;
		r->n_failed += r->rows[i].verdict == XB_VERDICT_FAILED;
		r->n_skipped += r->rows[i].verdict == XB_VERDICT_SKIPPED;
	}
}

/* What failed may have failed of a library that went out of the sysroot (one without a manifest is not of the store). */
static int blame_sysroots(const struct testing *t, struct xb_err *err)
{
	for (size_t p = 0; p < t->n_places; p++) {
		const struct xb_sysroot_paths *sysroot = &t->places[p].sysroot;
		bool failed = false;

		for (size_t i = 0; i < t->rows.len; i++)
			failed = failed || (t->rows.items[i].verdict == XB_VERDICT_FAILED &&
					    strcmp(t->rows.items[i].target, t->places[p].target->target->name) == 0);
		if (failed && sysroot->manifest &&
		    xb_tree_blame(sysroot->dir, &sysroot->digest, XB_TREE_LOOK_QUICK, err) < 0)
			return err->code;
	}
	return 0;
}

static int test_built(struct testing *t, const struct xb_build_opts *opts, struct xb_err *err)
{
	const struct xb_project_target **targets;

	if (xb_app_targets(t->app, opts->targets, opts->n_targets, &targets, &t->n_places, err) < 0)
		return err->code;
	t->places = xb_arena_array(&t->result->arena, t->n_places + 1, sizeof(*t->places));
	for (size_t i = 0; i < t->n_places; i++) {
		t->places[i].target = targets[i];
		if (prepare_place(t, &t->places[i], err) < 0)
			return xb_wrap(err, "%s", targets[i]->target->name);
	}
	t->profile = opts->profile ? opts->profile : "release";
	if (verify_all(t, t->profile, err) < 0 || run_all(t, err) < 0)
		return err->code;
	keep_rows(t);
	return blame_sysroots(t, err);
}

int xb_op_test(struct xb_app *app, const struct xb_build_opts *opts, struct xb_test_result *out, struct xb_err *err)
{
	struct testing t XB_CLEANUP(release_testing) = {.app = app, .result = out};
	struct xb_build_opts build = *opts;
	struct xb_err build_err XB_CLEANUP(xb_err_release) = {0};
	const char *tmpdir = getenv("TMPDIR");

	*out = (struct xb_test_result){0};
	t.tmpdir = tmpdir && *tmpdir == '/' ? tmpdir : "/tmp";
	if (xb_app_need_project(app, err) < 0)
		return err->code;
	if (opts->n_units)
		test_close_units(&out->arena, app->project, opts->units, opts->n_units, &build.units, &build.n_units);
	if (xb_op_build(app, &build, &out->build, &build_err) < 0 &&
	    (build_err.code != XB_E_JOB || !opts->keep_going)) {
		xb_err_move(err, &build_err);
		return err->code;
	}
	if (!opts->dry_run && test_built(&t, opts, err) < 0)
		return err->code;
	/* With keep_going the failed commands are the first thing to mend. */
	if (build_err.code) {
		xb_err_move(err, &build_err);
		return err->code;
	}
	if (out->n_failed)
		return xb_fail(err, XB_E_JOB, "%zu of %zu checks failed", out->n_failed, out->n_rows);
	return 0;
}
