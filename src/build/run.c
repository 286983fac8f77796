/* SPDX-License-Identifier: Apache-2.0 */
#include "reading.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/ansi.h"
#include "xbuild/base/limits.h"
#include "xbuild/build/link.h"
#include "xbuild/build/linked.h"
#include "xbuild/store/cas.h"
#include "xbuild/store/tree.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"

/* A command line of more bytes goes through a response file: Linux takes 2 MiB with the environment, macOS 1 MiB. */
#define MAX_COMMAND_BYTES (128 * 1024)

void job_free(struct job *job)
{
	char *stats = job->depfile ? xb_printf("%s%s", job->depfile, XB_STATS_TAIL) : NULL;
	char *const files[] = {job->output, job->depfile, job->response, stats};

	for (size_t i = 0; i < XB_COUNT(files); i++) {
		if (files[i])
			unlink(files[i]);
		free(files[i]);
	}
	xb_arena_release(&job->arena);
	free(job);
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Words from index `first` on go to a file, quoted as LLVM's tools read it: a backslash before what has a meaning. */
static int use_response_file(struct exec *x, struct job *job, struct xb_argv *argv, size_t first, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	size_t bytes = 0;

	for (size_t i = 0; i < argv->len; i++)
		bytes += strlen(argv->items[i]) + 1;
	if (bytes <= MAX_COMMAND_BYTES)
		return 0;
	for (size_t i = first; i < argv->len; i++) {
		for (const char *c = argv->items[i]; *c; c++) {
			if (strchr(" \t\n\r\"'\\", *c))
				xb_str_append_char(&text, '\\');
			xb_str_append_char(&text, *c);
		}
		xb_str_append_char(&text, '\n');
	}
	job->response = xb_store_tmp(x->options->store);
	if (xb_atomic_file_write(job->response, text.data, text.len, 0600, 0, err) < 0)
		return err->code;
	argv->len = first;
	xb_argv_push(argv, xb_arena_printf(argv->arena, "@%s", job->response));
	return 0;
}

static int compose(struct exec *x, struct job *job, struct xb_argv *argv, struct xb_err *err)
{
	const struct xb_action *action = job->action;
	const struct xb_variant *variant = action->variant;
	struct xb_command_files files;
	size_t first;

	xb_action_files(action, &job->arena, &files);
	files.output = job->output;
	files.depfile = job->depfile;
	xb_command_launch(variant->setup->tools, variant->tool, variant->extra_tool, argv);
	first = argv->len;
	xb_command_argv(&variant->command, &exec_context(x, action)->roots, &files, argv);
	return use_response_file(x, job, argv, first, err);
}

static void tell_start(struct exec *x, const struct xb_action *action, const struct xb_argv *argv)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	if (x->options->verbose)
		xb_command_show(argv->items, &text);
	xb_observe(x->options->observer, &(struct xb_event){
						 .kind = XB_EVENT_JOB,
						 .verb = xb_action_verb(action->variant->kind),
						 .label = exec_subject(action),
						 .target = action->variant->setup->target->target->name,
						 .text = x->options->verbose ? xb_str_get(&text) : NULL,
						 .done = x->n_done,
						 .total = x->graph->n_actions,
					 });
}

/* A file that is gone from an unpacked tree (cleaners of caches do that) shows as a strange error of the compiler. */
static int check_trees(struct exec *x, const struct xb_action *action, struct xb_err *err)
{
	const struct xb_tools *tools = action->variant->setup->tools;
	const struct xb_sysroot_paths *sysroot = action->variant->setup->sysroot;
	struct context *c = exec_context(x, action);

	if (c->trees_seen)
		return 0;
	c->trees_seen = true;
	if (xb_tree_blame(tools->dir, &tools->digest, XB_TREE_LOOK_QUICK, err) < 0 ||
	    xb_tree_blame(tools->extra_dir, &tools->extra_digest, XB_TREE_LOOK_QUICK, err) < 0)
		return err->code;
	return xb_tree_blame(sysroot->dir, &sysroot->digest, XB_TREE_LOOK_QUICK, err);
}

/* What is read is hashed before: a later change is then seen. */
static int hash_inputs(struct exec *x, const struct xb_action *action, struct xb_err *err)
{
	struct xb_file_state source;

	if (action->variant->kind == XB_ACTION_FOREIGN)
		return exec_foreign_hash(x, action, err);
	if (action->source && !action->source_is_made && exec_hash(x, action->source, &source, err) < 0)
		return xb_wrap(err, "unit '%s'", action->variant->unit->name);
	return 0;
}

static int prepare(struct exec *x, struct job *job, struct xb_argv *argv, struct xb_err *err)
{
	struct context *c = exec_context(x, job->action);

	if (job->action->variant->kind == XB_ACTION_FOREIGN)
		exec_foreign_argv(x, job, argv);
	else if ((!c->origins && xb_origins_open(&c->roots, &c->origins, err) < 0) || compose(x, job, argv, err) < 0)
		return err->code;
	return hash_inputs(x, job->action, err);
}

int exec_start(struct exec *x, struct xb_action *action, struct xb_err *err)
{
	struct job *job = xb_alloc(sizeof(*job));
	struct xb_argv argv = {.arena = &job->arena};
	struct xb_proc_spec spec;

	job->action = action;
	job->output = xb_store_tmp(x->options->store);
	job->depfile = action->variant->has_depfile ? xb_store_tmp(x->options->store) : NULL;
	if (prepare(x, job, &argv, err) < 0) {
		job_free(job);
		return err->code;
	}
	tell_start(x, action, &argv);
	job->start = ++x->n_starts;
	job->started_ns = now_ns();
	spec = (struct xb_proc_spec){
		.argv = argv.items,
		.env = action->variant->kind == XB_ACTION_FOREIGN ? x->options->drive_env : xb_action_env,
		.cwd = x->options->project_dir,
		.ends_group = action->variant->kind == XB_ACTION_FOREIGN,
	};
	if (xb_procs_start(x->procs, &spec, job, err) < 0) {
		struct xb_err damage XB_CLEANUP(xb_err_release) = {0};

		job_free(job);
		xb_wrap(err, "start %s", action->variant->tool);
		if (check_trees(x, action, &damage) < 0)
			xb_err_move(err, &damage);
		return err->code;
	}
	XB_VEC_PUSH(&x->jobs, job);
	x->n_foreign += action->variant->kind == XB_ACTION_FOREIGN;
	action->state = XB_STATE_RUNNING;
	return 0;
}

/* Result and dependency record go to the store, under the key that the files really read make. */
static int publish(struct exec *x, struct job *job, struct xb_sv text, struct xb_err *err)
{
	struct xb_action *action = job->action;
	const struct xb_dep_set set = {.paths = action->deps, .len = action->n_deps};
	struct xb_reapi_output output = {
		.path = action->output, .digest = action->result, .executable = action->executable};
	const struct xb_reapi_result result = {.outputs = &output, .n_outputs = 1, .output_text = text};
	struct xb_reapi_digest command;
	struct xb_digest key, deps_key;
	struct key_files files;

	if (exec_key_files(x, action, &set, &job->arena, &files, err) <= 0) {
		action->unrecorded = true; /* a file went away or appeared just now: the next build will see */
		return err->code;
	}
	xb_key_command(action, &job->arena, &command);
	xb_key_action(action, &command, files.items, files.len, &key);
	if (xb_action_put(x->options->store, &key, &result, err) < 0)
		return err->code;
	if (!action->variant->has_depfile && action->variant->kind != XB_ACTION_AS)
		return 0;
	xb_key_deps(action, &command, &deps_key);
	return xb_deps_put(x->options->store, &deps_key, &set, err);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Archives that gave something; without the linker's word on it all that it opened. */
static void find_archives(struct exec *x, struct job *job, const struct reading *r, struct xb_dirs *out)
{
	struct xb_err unread XB_CLEANUP(xb_err_release) = {0};
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s%s", job->depfile, XB_STATS_TAIL);
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_dirs named = {0};
	const char *rel;

	if (xb_fs_read(path, XB_MAX_DEPFILE_BYTES, &text, &unread) == 0 &&
	    xb_linked_parse_stats(xb_str_sv(&text), &job->arena, &named)) {
		for (size_t i = 0; i < named.len; i++) {
			if (xb_origins_find(exec_context(x, job->action)->origins, named.items[i], &rel) ==
			    XB_ROOT_SYSROOT)
				xb_dirs_add_new(out, &job->arena, rel);
		}
		return;
	}
	for (size_t i = 0; i < r->files.len; i++) {
		if (r->files.items[i].root == XB_ROOT_SYSROOT && xb_sv_ends(xb_sv(r->files.items[i].rel), ".a"))
			xb_dirs_add_new(out, &job->arena, r->files.items[i].rel);
	}
}

/* Before the result is published, so that no result is without it. */
static int note_linked(struct exec *x, struct job *job, const struct reading *r, struct xb_err *err)
{
	const struct xb_action *action = job->action;
	struct xb_dirs files = {0};

	if (action->variant->kind != XB_ACTION_LINK)
		return 0;
	find_archives(x, job, r, &files);
	for (size_t i = 0; i < r->files.len; i++) {
		if (r->files.items[i].root == XB_ROOT_SYSROOT && xb_sv_ends(xb_sv(r->files.items[i].rel), ".o"))
			xb_dirs_add_new(&files, &job->arena, r->files.items[i].rel);
	}
	if (files.len)
		qsort(files.items, files.len, sizeof(*files.items), by_text);
	return xb_linked_put(x->options->store, &action->result.hash, &action->variant->setup->sysroot->digest, &files,
			     err);
}

static const char disk_full[] = "No space left on device"; /* in the locale that tools get */

/* "a.c:3:2: error:" speaks of a source, whatever its words; so does a line with a piece of one below it. */
static bool is_full_line(struct xb_sv line, struct xb_sv below)
{
	static const char *const words[] = {"error: ", "ERROR: "};
	const char *error = NULL;

	for (size_t i = 0; i < XB_COUNT(words) && !error && line.len; i++)
		error = memmem(line.ptr, line.len, words[i], strlen(words[i]));
	if (!error || (below.len && strchr(" \t", below.ptr[0])))
		return false;
	for (const char *c = line.ptr; c + 1 < error; c++)
		if (c[0] == ':' && c[1] >= '0' && c[1] <= '9')
			return false;
	line = xb_sv_trim(line);
	if (line.len && line.ptr[line.len - 1] == '\'')
		line.len--;
	return xb_sv_ends(line, disk_full);
}

/*
 * Shows what a tool that failed wrote. One that could not write its result says so in words alone, and clang adds a crash
 * report, which nobody needs.
 */
static int show_failure(struct exec *x, const struct job *job, struct xb_sv text, struct xb_err *err)
{
	static const char report[] = "PLEASE submit";
	struct xb_str plain XB_CLEANUP(xb_str_release) = {0};
	const char *end = text.len ? memmem(text.ptr, text.len, report, sizeof(report) - 1) : NULL;
	bool is_full = false;
	struct xb_sv rest;

	xb_strip_ansi(text, &plain);
	rest = xb_str_sv(&plain);
	while (rest.len && !is_full) {
		const struct xb_sv line = xb_sv_cut(&rest, '\n');

		is_full = is_full_line(line, rest);
	}
	exec_show(x, job->action, is_full && end ? xb_sv_n(text.ptr, (size_t)(end - text.ptr)) : text);
	if (!is_full)
		return 0;
	if (job->action->variant->kind == XB_ACTION_FOREIGN) /* which disk it is stands in what it wrote */
		return xb_fail(err, XB_E_SYSTEM, "unit '%s': cannot write below '%s' or '%s': %s",
			       job->action->variant->unit->name, x->options->project_dir,
			       xb_store_dir(x->options->store), disk_full);
	return xb_fail(err, XB_E_SYSTEM, "%s: %s cannot write below '%s': %s", exec_subject(job->action),
		       job->action->variant->tool, xb_store_dir(x->options->store), disk_full);
}

static int accept(struct exec *x, struct job *job, struct reading *r, struct xb_sv text, struct xb_err *err)
{
	struct xb_action *action = job->action;
	bool doubt = false;
	int rc;

	if (reading_take(x, job, r, err) < 0 || reading_check_inputs(x, job, r, &doubt, err) < 0)
		return err->code;
	if (action->variant->kind == XB_ACTION_FOREIGN && exec_foreign_check(x, job, err) < 0)
		return err->code;
	if (doubt) {
		action->state = XB_STATE_READY; /* by now the content of all that it reads is known beforehand */
		return 0;
	}
	if (xb_cas_adopt(x->options->store, job->output, action->executable, &action->result.hash,
			 &action->result.size_bytes, err) < 0)
		return xb_wrap(err, "keep the result of '%s'", exec_subject(action));
	free(job->output);
	job->output = NULL;
	if (action->variant->kind != XB_ACTION_FOREIGN)
		reading_set_deps(x, action, r, &job->arena);
	action->from_record = false;
	action->placed = (struct xb_placed){0};
	action->unrecorded = !r->told;
	if (!r->told) {
		char *text_of XB_CLEANUP(xb_free_ptr) = xb_printf(
			"'%s' names a file in .incbin, .include or __has_include that cannot be read off the text; "
			"its result is not remembered",
			exec_subject(action));

		xb_observe(x->options->observer, &(struct xb_event){.kind = XB_EVENT_WARNING, .text = text_of});
	}
	if (note_linked(x, job, r, err) < 0)
		return err->code;
	if (!action->unrecorded && publish(x, job, text, err) < 0)
		return err->code;
	if (action->is_final) {
		rc = exec_place(x, action, err);
		if (rc == 0)
			rc = xb_fail(err, XB_E_SYSTEM, "the store lost '%s' right after it was made", action->output);
		if (rc < 0)
			return rc;
	}
	action->state = XB_STATE_BUILT;
	return 0;
}

/* With lto: full all objects become one before symbols are resolved, and what lld then names is a temporary file of it. */
static void explain_lto(struct exec *x, const struct xb_action *action, const char *text)
{
	const struct xb_profile *profile = action->variant->setup->profile;
	char *note XB_CLEANUP(xb_free_ptr) = NULL;

	if (action->variant->kind != XB_ACTION_LINK || profile->lto != XB_LTO_FULL || profile->debug != XB_DEBUG_NONE ||
	    !strstr(text, ".lto."))
		return;
	note = xb_printf(
		"unit '%s' is one object at link time (lto: full in profile '%s'), so the linker cannot name the "
		"source; '--profile dev', or 'debug: lines' in the profile, makes it do so",
		action->variant->unit->name, profile->name);
	xb_observe(x->options->observer, &(struct xb_event){.kind = XB_EVENT_NOTE, .text = note});
}

/*
 * clang 22 skips an #embed of a file that is not there when it records dependencies, says nothing, writes no dependency file
 * and calls that success.
 */
static bool lost_embed(const struct job *job)
{
	return job->depfile && job->action->source && !xb_fs_exists(job->depfile);
}

static void explain_embed(struct exec *x, const struct xb_action *action)
{
	char *line XB_CLEANUP(xb_free_ptr) =
		xb_printf("%s: error: a file that an #embed names was not found; the compiler does not say which\n",
			  exec_subject(action));

	exec_show(x, action, xb_sv(line));
}

int exec_finish(struct exec *x, struct job *job, const struct xb_proc_result *ended, struct xb_err *err)
{
	struct xb_action *action = job->action;
	const struct xb_sv text = xb_str_sv(&ended->output);
	struct reading r = {0};
	int rc;

	reading_begin(&r, job);
	if (ended->exit_code == 0 && lost_embed(job)) {
		action->state = XB_STATE_FAILED;
		exec_show(x, action, text);
		explain_embed(x, action);
		rc = 0;
	} else if (ended->exit_code == 0) {
		rc = accept(x, job, &r, text, err);
		if (rc < 0 || action->state != XB_STATE_READY)
			exec_show(x, action, text);
	} else {
		char why[80];

		action->state = XB_STATE_FAILED;
		rc = show_failure(x, job, text, err);
		if (rc == 0)
			explain_lto(x, action, xb_str_get(&ended->output));
		if (rc == 0 && (!text.len || ended->signal)) {
			char *line XB_CLEANUP(xb_free_ptr) =
				xb_printf("%s: %s: %s\n", exec_subject(action), action->variant->tool,
					  xb_proc_describe(ended, why, sizeof(why)));

			exec_show(x, action, xb_sv(line));
		}
		if (rc == 0)
			rc = reading_refuse(x, job, &r, err);
		if (rc == 0)
			rc = check_trees(x, action, err);
	}
	reading_end(&r);
	return rc;
}
