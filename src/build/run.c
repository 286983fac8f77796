/* SPDX-License-Identifier: Apache-2.0 */
#include "exec.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/map.h"
#include "xbuild/base/path.h"
#include "xbuild/build/depfile.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"

/* A command line of more bytes goes through a response file: Linux takes 2 MiB with the environment, macOS 1 MiB. */
#define MAX_COMMAND_BYTES (128 * 1024)

/* The longest tick of the coarse clock that file systems stamp with (CONFIG_HZ=100). */
#define TICK_NS (10 * INT64_C(1000000))

void job_free(struct job *job)
{
	char *const files[] = {job->output, job->depfile, job->response};

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
	const bool compiles = action->source && !action->source_is_made;

	if (x->options->verbose)
		xb_command_show(argv->items, &text);
	xb_observe(x->options->observer, &(struct xb_event){
						 .kind = XB_EVENT_JOB,
						 .verb = xb_action_verb(action->variant->kind),
						 .label = compiles ? action->source : action->output,
						 .target = action->variant->setup->target->target->name,
						 .text = x->options->verbose ? xb_str_get(&text) : NULL,
						 .done = x->n_done,
						 .total = x->graph->n_actions,
					 });
}

int exec_start(struct exec *x, struct xb_action *action, struct xb_err *err)
{
	struct context *c = exec_context(x, action);
	struct job *job = xb_alloc(sizeof(*job));
	struct xb_argv argv = {.arena = &job->arena};
	struct xb_file_state source;
	struct xb_proc_spec spec;

	job->action = action;
	job->output = xb_store_tmp(x->options->store);
	job->depfile = action->variant->has_depfile ? xb_store_tmp(x->options->store) : NULL;
	if ((!c->origins && xb_origins_open(&c->roots, &c->origins, err) < 0) || compose(x, job, &argv, err) < 0) {
		job_free(job);
		return err->code;
	}
	/* hashed before the compiler reads it: a later change is then seen */
	if (action->source && !action->source_is_made && exec_hash(x, action->source, &source, err) < 0) {
		job_free(job);
		return xb_wrap(err, "unit '%s'", action->variant->unit->name);
	}
	tell_start(x, action, &argv);
	job->start = ++x->n_starts;
	job->started_ns = now_ns();
	spec = (struct xb_proc_spec){.argv = argv.items, .env = xb_action_env, .cwd = x->options->project_dir};
	if (xb_procs_start(x->procs, &spec, job, err) < 0) {
		job_free(job);
		return xb_wrap(err, "start %s", action->variant->tool);
	}
	XB_VEC_PUSH(&x->jobs, job);
	action->state = XB_STATE_RUNNING;
	return 0;
}

/* The action's place in messages: its source, or what it makes. */
static const char *subject(const struct xb_action *action)
{
	return action->source && !action->source_is_made ? action->source : action->output;
}

static int violation(const struct xb_action *action, const char *path, struct xb_err *err)
{
	xb_fail(err, XB_E_VERIFY,
		"'%s' (unit '%s', %s) reads '%s', which lies neither in the project nor in the sysroot "
		"nor in the toolchain",
		subject(action), action->variant->unit->name, action->variant->setup->target->target->name, path);
	return xb_hint(err, "copy the file into the project, or add the package that has it to sysroot.packages");
}

static int made_by_others(const struct xb_action *action, const char *path, struct xb_err *err)
{
	xb_fail(err, XB_E_VERIFY,
		"'%s' (unit '%s', %s) reads '%s', which is a result of another build step that it "
		"does not depend on",
		subject(action), action->variant->unit->name, action->variant->setup->target->target->name, path);
	return xb_hint(err, "name the unit that makes it in 'deps'");
}

static int changed(const struct xb_action *action, const char *path, struct xb_err *err)
{
	xb_fail(err, XB_E_VERIFY,
		"'%s' changed while '%s' (unit '%s', %s) was made from it; the result was thrown away", path,
		subject(action), action->variant->unit->name, action->variant->setup->target->target->name);
	return xb_hint(err, "build again once nothing writes to the project");
}

/* What the tool says it read, before it is judged. */
struct reading {
	struct xb_arena *arena;		   /* borrowed */
	XB_VEC(const char *) paths;	   /* as named by the tool */
	XB_VEC(struct xb_read_file) files; /* the source first */
	struct xb_map known;		   /* the source and the inputs of the action: no deps */
	struct xb_dirs deps;		   /* project paths */
	struct xb_dirs includes;	   /* those that .include named */
	bool told;			   /* false: an assembler name could not be read */
};

/* An assembler name is looked for as the assembler does: from the working directory, then along the -I path. */
static void add_assembler_name(struct exec *x, const struct xb_action *action, const char *name, struct reading *r)
{
	const struct xb_dirs *search = &action->variant->search;
	char *path = exec_path(x, name);
	bool found = *name == '/' || xb_fs_exists(path);

	for (size_t i = 0; !found && i < search->len; i++) {
		const char *candidate = xb_arena_printf(r->arena, "%s/%s", search->items[i], name);

		free(path);
		path = exec_path(x, candidate);
		found = xb_fs_exists(path);
		if (found)
			name = candidate;
	}
	free(path);
	if (found)
		XB_VEC_PUSH(&r->paths, name);
	else
		r->told = false;
}

/* Adds the files that `directive` names in `path`; those of .include have to be looked through in their turn. */
static int scan_assembler(struct exec *x, const struct xb_action *action, const char *path, const char *directive,
			  struct reading *r, struct xb_err *err)
{
	char *full XB_CLEANUP(xb_free_ptr) = exec_path(x, path);
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_dirs names = {0};

	if (xb_fs_read(full, XB_MAX_SOURCE_BYTES, &text, err) < 0)
		return err->code;
	if (!xb_assembler_reads(xb_str_sv(&text), directive, r->arena, &names))
		r->told = false;
	for (size_t i = 0; i < names.len; i++)
		add_assembler_name(x, action, names.items[i], r);
	return 0;
}

/* Sorts one path into its root; only those of the project become deps. */
static int judge(struct exec *x, const struct xb_action *action, const char *path, struct reading *r,
		 struct xb_err *err)
{
	struct xb_read_file file;

	file.root = xb_origins_find(exec_context(x, action)->origins, path, &file.rel);
	if (file.root == XB_ROOT_NONE)
		return violation(action, path, err);
	if (file.root == XB_ROOT_PROJECT) {
		if (xb_map_get_str(&r->known, file.rel))
			return 0;
		if (!strncmp(file.rel, "out/", 4) || !strncmp(file.rel, ".xbuild/", 8))
			return made_by_others(action, file.rel, err);
		xb_map_put_str(&r->known, file.rel, r);
		xb_dirs_add(&r->deps, r->arena, xb_arena_strdup(r->arena, file.rel));
	}
	XB_VEC_PUSH(&r->files, file);
	return 0;
}

/* What the action may read without a word: its source, and what other actions made for it. */
static void begin_reading(struct reading *r, struct job *job)
{
	const struct xb_action *action = job->action;

	r->arena = &job->arena;
	r->told = true;
	if (action->source) {
		XB_VEC_PUSH(&r->files, ((struct xb_read_file){XB_ROOT_PROJECT, action->source}));
		xb_map_put_str(&r->known, action->source, r);
		if (!action->source_is_made)
			XB_VEC_PUSH(&r->paths, action->source); /* it may be a link that leads outside */
	}
	for (size_t i = 0; i < action->n_inputs; i++)
		xb_map_put_str(&r->known, action->inputs[i]->output, r);
}

static void end_reading(struct reading *r)
{
	XB_VEC_RELEASE(&r->paths);
	XB_VEC_RELEASE(&r->files);
	xb_map_release(&r->known);
}

/* Judges the paths from index `first` on. */
static int judge_from(struct exec *x, const struct xb_action *action, size_t first, struct reading *r,
		      struct xb_err *err)
{
	for (size_t i = first; i < r->paths.len; i++)
		if (judge(x, action, r->paths.items[i], r, err) < 0)
			return err->code;
	return 0;
}

/* An assembler source, and what it includes, which may include more. */
static int read_assembler(struct exec *x, const struct xb_action *action, struct reading *r, struct xb_err *err)
{
	const char *path = action->source;

	for (size_t next = 0;; next++) {
		const size_t before = r->paths.len, deps = r->deps.len;

		if (scan_assembler(x, action, path, ".include", r, err) < 0 ||
		    judge_from(x, action, before, r, err) < 0)
			return err->code;
		if (scan_assembler(x, action, path, ".incbin", r, err) < 0)
			return err->code;
		/* behind the included ones, and never looked through: they are data */
		for (size_t i = deps; i < r->deps.len; i++)
			xb_dirs_add(&r->includes, r->arena, r->deps.items[i]);
		if (next >= r->includes.len)
			break;
		path = r->includes.items[next];
	}
	return judge_from(x, action, 0, r, err);
}

static int read_lists(struct exec *x, struct job *job, struct reading *r, struct xb_err *err)
{
	const struct xb_action *action = job->action;
	const enum xb_action_kind kind = action->variant->kind;
	struct xb_depfile list = {0};
	size_t n, headers;

	if (job->depfile && xb_depfile_read(job->depfile, subject(action), &job->arena, &list, err) < 0)
		return err->code;
	for (size_t i = 0; i < list.len; i++)
		XB_VEC_PUSH(&r->paths, list.paths[i]);
	if (judge_from(x, action, 0, r, err) < 0)
		return err->code;
	if (kind == XB_ACTION_AS)
		return read_assembler(x, action, r, err);
	if (kind != XB_ACTION_CC && kind != XB_ACTION_CXX)
		return 0;
	n = r->paths.len;
	headers = r->deps.len;
	if (scan_assembler(x, action, action->source, ".incbin", r, err) < 0)
		return err->code;
	for (size_t i = 0; i < headers; i++)
		if (scan_assembler(x, action, r->deps.items[i], ".incbin", r, err) < 0)
			return err->code;
	return judge_from(x, action, n, r, err);
}

/*
 * Fails when a file that was read is not any more what it was when the command started. For one whose content was known
 * before, the statcache tells. One that was met for the first time is judged by its stamp: later than the start, it changed;
 * within a tick of the clock that file systems stamp with, nobody can tell, and the command has to run again.
 */
static int check_unchanged(struct exec *x, const struct job *job, const char *path, bool *out_doubt, struct xb_err *err)
{
	char *full XB_CLEANUP(xb_free_ptr) = exec_path(x, path);
	const uintptr_t hashed = (uintptr_t)xb_map_get_str(&x->hashed, path);
	const bool was_known = hashed && hashed <= job->start;
	struct xb_file_state state;
	struct stat st;

	if (exec_hash(x, path, &state, err) < 0)
		return xb_wrap(err, "'%s' was read by '%s'", path, subject(job->action));
	if (stat(full, &st) < 0 || xb_statcache_changed(x->cache, path) ||
	    (!was_known && xb_fs_ctime_ns(&st) > job->started_ns)) {
		xb_statcache_forget(x->cache, path);
		return changed(job->action, path, err);
	}
	*out_doubt = *out_doubt || (!was_known && xb_fs_ctime_ns(&st) > job->started_ns - TICK_NS);
	return 0;
}

static int check_inputs(struct exec *x, const struct job *job, const struct reading *r, bool *out_doubt,
			struct xb_err *err)
{
	const struct xb_action *action = job->action;

	if (action->source && !action->source_is_made && check_unchanged(x, job, action->source, out_doubt, err) < 0)
		return err->code;
	for (size_t i = 0; i < r->deps.len; i++)
		if (check_unchanged(x, job, r->deps.items[i], out_doubt, err) < 0)
			return err->code;
	for (size_t i = 0; i < action->n_inputs; i++) {
		char *path XB_CLEANUP(xb_free_ptr) = exec_path(x, action->inputs[i]->output);
		struct xb_placed now;

		xb_placed_read(path, &now);
		if (!xb_placed_eq(&now, &action->inputs[i]->placed))
			return changed(action, action->inputs[i]->output, err);
	}
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sets action->deps: the files of the project, sorted, and what must stay absent. */
static void set_deps(struct exec *x, struct xb_action *action, struct reading *r, struct xb_arena *scratch)
{
	struct xb_arena *arena = &x->graph->arena;
	struct xb_dirs absent = {0};

	if (action->variant->has_depfile && action->source)
		xb_shadows_find(x->shadows, &action->variant->search, action->variant->setup->target->target->multiarch,
				r->files.items, r->files.len, scratch, &absent);
	if (r->deps.len)
		qsort(r->deps.items, r->deps.len, sizeof(*r->deps.items), by_text);
	action->n_deps = r->deps.len + absent.len;
	action->deps = xb_arena_array(arena, action->n_deps, sizeof(*action->deps));
	for (size_t i = 0; i < absent.len; i++) /* '!' sorts before all that names begin with */
		action->deps[i] = xb_arena_strdup(arena, absent.items[i]);
	for (size_t i = 0; i < r->deps.len; i++)
		action->deps[absent.len + i] = xb_arena_strdup(arena, r->deps.items[i]);
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

/* A command that failed because of a file that it may not read is refused for that, not for what it made of it. */
static int check_failed(struct exec *x, struct job *job, struct reading *r, struct xb_err *err)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct xb_depfile list = {0};

	if (!job->depfile || xb_depfile_read(job->depfile, subject(job->action), &job->arena, &list, &ignored) < 0)
		return 0;
	for (size_t i = 0; i < list.len; i++)
		XB_VEC_PUSH(&r->paths, list.paths[i]);
	return judge_from(x, job->action, 0, r, err);
}

/*
 * A tool that could not write its result says so in words alone, and clang adds a crash report. The words are those of
 * strerror(3) in the locale that tools get.
 */
static int check_full(const struct exec *x, const struct job *job, const char *text, struct xb_err *err)
{
	static const char full[] = "No space left on device";

	if (!strstr(text, full))
		return 0;
	return xb_fail(err, XB_E_SYSTEM, "%s: %s cannot write below '%s': %s", subject(job->action),
		       job->action->variant->tool, xb_store_dir(x->options->store), full);
}

static int accept(struct exec *x, struct job *job, struct reading *r, struct xb_sv text, struct xb_err *err)
{
	struct xb_action *action = job->action;
	bool doubt = false;
	int rc;

	if (read_lists(x, job, r, err) < 0 || check_inputs(x, job, r, &doubt, err) < 0)
		return err->code;
	if (doubt) {
		action->state = XB_STATE_READY; /* by now the content of all that it reads is known beforehand */
		return 0;
	}
	if (xb_cas_adopt(x->options->store, job->output, action->executable, &action->result.hash,
			 &action->result.size_bytes, err) < 0)
		return xb_wrap(err, "keep the result of '%s'", subject(action));
	free(job->output);
	job->output = NULL;
	set_deps(x, action, r, &job->arena);
	action->from_record = false;
	action->placed = (struct xb_placed){0};
	action->unrecorded = !r->told;
	if (!r->told) {
		char *text_of XB_CLEANUP(xb_free_ptr) =
			xb_printf("'%s' has an .incbin or .include whose file name cannot be read; its result is not "
				  "remembered",
				  subject(action));

		xb_observe(x->options->observer, &(struct xb_event){.kind = XB_EVENT_WARNING, .text = text_of});
	}
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

int exec_finish(struct exec *x, struct job *job, const struct xb_proc_result *ended, struct xb_err *err)
{
	struct xb_action *action = job->action;
	const struct xb_sv text = xb_str_sv(&ended->output);
	struct reading r = {0};
	int rc;

	begin_reading(&r, job);
	if (ended->exit_code == 0) {
		rc = accept(x, job, &r, text, err);
		if (rc < 0 || action->state != XB_STATE_READY)
			exec_show(x, action, text);
	} else {
		char why[80];

		action->state = XB_STATE_FAILED;
		rc = check_full(x, job, xb_str_get(&ended->output), err);
		if (rc == 0)
			exec_show(x, action, text);
		if (rc == 0 && (!text.len || ended->signal)) {
			char *line XB_CLEANUP(xb_free_ptr) =
				xb_printf("%s: %s: %s\n", subject(action), action->variant->tool,
					  xb_proc_describe(ended, why, sizeof(why)));

			exec_show(x, action, xb_sv(line));
		}
		if (rc == 0)
			rc = check_failed(x, job, &r, err);
	}
	end_reading(&r);
	return rc;
}
