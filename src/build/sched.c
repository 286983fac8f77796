/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/build/sched.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reading.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/ansi.h"
#include "xbuild/base/path.h"
#include "xbuild/build/compdb.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/host.h"

#define FOREIGN_ENDS_MS 3000
#define STARVED_MS	20 /* how often it is asked whether somebody else's tool gave a job back */

void exec_show(struct exec *x, const struct xb_action *action, struct xb_sv text)
{
	struct xb_str shown XB_CLEANUP(xb_str_release) = {0};

	if (!text.len)
		return;
	if (x->options->color)
		xb_str_append_sv(&shown, text);
	else
		xb_strip_ansi(text, &shown);
	xb_observe(x->options->observer, &(struct xb_event){
						 .kind = XB_EVENT_OUTPUT,
						 .verb = xb_action_verb(action->variant->kind),
						 .label = action->source ? action->source : exec_subject(action),
						 .target = action->variant->setup->target->target->name,
						 .text = xb_str_get(&shown),
					 });
}

/* The longest waits begin with a link, so that one never stands behind compiles that became ready later. */
static void make_ready(struct exec *x, struct xb_action *action)
{
	struct queue *q = action->variant->kind > XB_ACTION_AS ? &x->links : &x->compiles;

	action->state = XB_STATE_READY;
	XB_VEC_PUSH(&q->items, action);
}

static struct xb_action *next_ready(struct exec *x)
{
	struct queue *const queues[] = {&x->links, &x->compiles};

	for (size_t i = 0; i < XB_COUNT(queues); i++) {
		while (queues[i]->head < queues[i]->items.len) {
			struct xb_action *action = queues[i]->items.items[queues[i]->head++];

			/* one that has to wait again is queued again later */
			if (action->state == XB_STATE_READY)
				return action;
		}
	}
	return NULL;
}

static void skip_users(struct exec *x, struct xb_action *action)
{
	for (size_t i = 0; i < action->n_users; i++) {
		struct xb_action *user = action->users[i];

		if (user->state != XB_STATE_WAITING && user->state != XB_STATE_READY)
			continue;
		user->state = XB_STATE_SKIPPED;
		x->result->n_skipped++;
		x->n_done++;
		skip_users(x, user);
	}
}

static void fail(struct exec *x, struct xb_action *action, struct xb_err *problem)
{
	action->state = XB_STATE_FAILED;
	x->result->n_failed++;
	x->n_done++;
	x->stopping = x->stopping || !x->options->keep_going;
	skip_users(x, action);
	if (!problem->code)
		return;
	if (!x->first.code) {
		xb_err_move(&x->first, problem);
		return;
	}
	struct xb_str line XB_CLEANUP(xb_str_release) = {0};

	xb_str_printf(&line, "error: %s\n", problem->msg);
	exec_show(x, action, xb_str_sv(&line));
}

static void done(struct exec *x, struct xb_action *action)
{
	struct xb_sched_result *result = x->result;

	x->n_done++;
	result->n_current += action->state == XB_STATE_CURRENT;
	result->n_cached += action->state == XB_STATE_CACHED;
	result->n_run += action->state == XB_STATE_BUILT;
	if (!x->options->dry_run && action->state != XB_STATE_PENDING)
		exec_record(x, action);
	if (action->state == XB_STATE_CACHED)
		xb_observe(
			x->options->observer,
			&(struct xb_event){.kind = XB_EVENT_PROGRESS, .done = x->n_done, .total = x->graph->n_actions});
	for (size_t i = 0; i < action->n_users; i++) {
		struct xb_action *user = action->users[i];

		if (user->state == XB_STATE_WAITING && --user->n_pending == 0)
			make_ready(x, user);
	}
}

/*
 * The store has lost the output of an action that was done (it was cleaned): it runs again, and who needs it waits again.
 */
static void undo(struct exec *x, struct xb_action *action)
{
	x->n_done--;
	x->result->n_current -= action->state == XB_STATE_CURRENT;
	x->result->n_cached -= action->state == XB_STATE_CACHED;
	x->result->n_run -= action->state == XB_STATE_BUILT;
	action->force = true;
	for (size_t i = 0; i < action->n_users; i++) {
		struct xb_action *user = action->users[i];

		if (user->state != XB_STATE_WAITING && user->state != XB_STATE_READY)
			continue;
		user->state = XB_STATE_WAITING;
		user->n_pending++;
	}
	make_ready(x, action);
}

/* 1: every input is at its place; 0: some have to be made again, and the action waits. */
static int place_inputs(struct exec *x, struct xb_action *action, struct xb_err *err)
{
	int all = 1;

	for (size_t i = 0; i < action->n_inputs; i++) {
		struct xb_action *input = action->inputs[i];
		const struct xb_placed before = input->placed;
		const int rc = exec_place(x, input, err);

		if (rc < 0)
			return rc;
		if (rc == 0 && input->state != XB_STATE_READY)
			undo(x, input);
		else if (rc == 1 && !xb_placed_eq(&before, &input->placed))
			exec_record(x, input); /* where it is now */
		all = all && rc;
	}
	return all;
}

static bool waits_for_pending(const struct xb_action *action)
{
	for (size_t i = 0; i < action->n_inputs; i++)
		if (action->inputs[i]->state == XB_STATE_PENDING)
			return true;
	return false;
}

/* A file that is taken needs no command: its input is whole by now. */
static int start(struct exec *x, struct xb_action *action, struct xb_err *err)
{
	int rc;

	if (action->variant->kind != XB_ACTION_TAKE)
		return exec_start(x, action, err);
	rc = exec_take(x, action, err);
	if (rc == 0)
		rc = xb_fail(err, XB_E_SYSTEM, "the store lost '%s' right after it was there", action->output);
	if (rc > 0)
		done(x, action);
	return rc;
}

/* Decides what to do with a ready action, and does it or starts it. */
static void advance(struct exec *x, struct xb_action *action)
{
	struct xb_err problem XB_CLEANUP(xb_err_release) = {0};
	int rc;

	if (waits_for_pending(action)) {
		action->state = XB_STATE_PENDING;
		done(x, action);
		return;
	}
	rc = exec_resolve(x, action, &problem);
	if (rc == 0 && x->options->dry_run) {
		action->state = XB_STATE_PENDING;
		rc = 1;
	}
	if (rc == 1) {
		done(x, action);
		return;
	}
	if (rc == 0) {
		rc = place_inputs(x, action, &problem);
		if (rc == 0)
			return;
		if (rc > 0)
			rc = start(x, action, &problem);
	}
	if (rc < 0)
		fail(x, action, &problem);
}

static bool is_interrupted(const struct exec *x)
{
	return x->options->interrupted && *x->options->interrupted;
}

static void fill_slots(struct exec *x)
{
	x->starved = false;
	while (!x->stopping && !is_interrupted(x) && xb_procs_running(x->procs) < (size_t)x->options->jobs) {
		const size_t before = xb_procs_running(x->procs);
		struct xb_action *action;

		x->starved = !pool_take(&x->pool);
		if (x->starved)
			return;
		action = next_ready(x);
		if (action)
			advance(x, action);
		if (xb_procs_running(x->procs) == before)
			pool_give(&x->pool);
		if (!action)
			return;
	}
}

/* A build system that was killed cannot give back what its tools had taken. */
static void give_back(struct exec *x, const struct job *job)
{
	x->n_foreign -= job->action->variant->kind == XB_ACTION_FOREIGN;
	if (x->n_foreign)
		pool_give(&x->pool);
	else
		pool_settle(&x->pool, xb_procs_running(x->procs));
}

/*
 * Tools tidy up when they are asked to end: make removes the file that it was making. What a driver that ends leaves in its
 * group is killed with its end (ends_group), and a group whose driver does not end in time when the processes are freed.
 */
static void end_foreign(struct exec *x)
{
	const int64_t until = xb_host_monotonic_ms() + FOREIGN_ENDS_MS;

	if (!x->n_foreign)
		return;
	xb_procs_signal(x->procs, SIGTERM);
	while (xb_procs_running(x->procs) && xb_host_monotonic_ms() < until) {
		struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
		struct xb_proc_result ended = {0};
		void *user;

		if (xb_procs_wait(x->procs, until - xb_host_monotonic_ms(), NULL, &user, &ended, &ignored) <= 0)
			return;
		xb_proc_result_release(&ended);
	}
}

static void finish_one(struct exec *x, struct job *job, const struct xb_proc_result *ended)
{
	struct xb_err problem XB_CLEANUP(xb_err_release) = {0};
	struct xb_action *action = job->action;

	if (exec_finish(x, job, ended, &problem) < 0 || action->state == XB_STATE_FAILED)
		fail(x, action, &problem);
	else if (action->state == XB_STATE_READY)
		make_ready(x, action);
	else
		done(x, action);
	for (size_t i = 0; i < x->jobs.len; i++)
		if (x->jobs.items[i] == job)
			x->jobs.items[i] = x->jobs.items[--x->jobs.len];
	job_free(job);
}

static int loop(struct exec *x, struct xb_err *err)
{
	for (;;) {
		struct xb_proc_result ended = {0};
		void *user;
		int rc;

		fill_slots(x);
		if (is_interrupted(x)) {
			end_foreign(x);
			return xb_fail(err, XB_E_INTERRUPTED, "interrupted");
		}
		if (!xb_procs_running(x->procs))
			return 0;
		rc = xb_procs_wait(x->procs, x->starved ? STARVED_MS : -1, x->options->interrupted, &user, &ended, err);
		if (rc < 0)
			return rc;
		if (rc == 0)
			continue;
		give_back(x, user);
		/* the free slot is filled before the result is hashed and published */
		if (ended.exit_code == 0)
			fill_slots(x);
		finish_one(x, user, &ended);
		xb_proc_result_release(&ended);
	}
}

static int write_once(const char *dir, const char *name, const char *text, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, name);

	return xb_fs_exists(path) ? 0 : xb_atomic_file_write(path, text, strlen(text), 0644, 0, err);
}

/* Neither directory belongs into a repository; the tag keeps backups out (bford.info/cachedir). */
static int make_dirs(const char *project_dir, struct xb_err *err)
{
	static const char tag[] = "Signature: 8a477f597d28d172789f06886806bc55\n# Made by xbuild; may be removed.\n";
	char *state XB_CLEANUP(xb_free_ptr) = xb_path_join(project_dir, ".xbuild");
	char *out XB_CLEANUP(xb_free_ptr) = xb_path_join(project_dir, "out");

	if ((!xb_fs_is_dir(state) && xb_fs_mkdirs(state, 0755, err) < 0) ||
	    (!xb_fs_is_dir(out) && xb_fs_mkdirs(out, 0755, err) < 0) ||
	    write_once(state, ".gitignore", "*\n", err) < 0 || write_once(state, "CACHEDIR.TAG", tag, err) < 0)
		return err->code;
	return write_once(out, ".gitignore", "*\n", err);
}

/* What a killed run left at the places of outputs; the caller sees to it that there is one run at a time. */
static void sweep(const struct exec *x)
{
	for (size_t i = 0; i < x->options->n_setups; i++) {
		char *out XB_CLEANUP(xb_free_ptr) = exec_path(x, "out");
		char *dir XB_CLEANUP(xb_free_ptr) = xb_path_join(out, x->options->setups[i].target->target->name);

		xb_atomic_file_sweep(dir);
	}
}

static void open_contexts(struct exec *x)
{
	const struct xb_sched_options *o = x->options;

	x->contexts = xb_alloc(o->n_setups * sizeof(*x->contexts));
	for (size_t i = 0; i < o->n_setups; i++) {
		const struct xb_setup *setup = &o->setups[i];
		char *file XB_CLEANUP(xb_free_ptr) =
			xb_state_path(o->project_dir, setup->target->target->name, setup->profile->name);

		x->contexts[i].setup = setup;
		xb_roots_real(o->project_dir, setup->tools, setup->sysroot, &x->contexts[i].roots);
		x->contexts[i].state = xb_state_open(file, xb_store_generation(o->store), x->cache, x->shadows);
	}
}

static void queue_first(struct exec *x)
{
	for (size_t i = 0; i < x->graph->n_actions; i++) {
		struct xb_action *action = x->graph->actions[i];

		action->n_pending = action->n_inputs;
		action->state = XB_STATE_WAITING;
		if (!action->n_pending)
			make_ready(x, action);
	}
}

/* What was done is kept, also after a failure. */
static int save(struct exec *x, struct xb_err *err)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	int rc = 0;

	for (size_t i = 0; i < x->options->n_setups; i++)
		if (rc == 0)
			rc = xb_state_save(x->contexts[i].state, err);
	if (xb_statcache_save(x->cache, rc == 0 ? err : &ignored) < 0 && rc == 0)
		rc = err->code;
	return rc;
}

static void list_pending(struct exec *x)
{
	const char **items = xb_arena_array(x->arena, x->graph->n_actions, sizeof(*items));
	size_t n = 0;

	for (size_t i = 0; i < x->graph->n_actions; i++) {
		struct xb_action *action = x->graph->actions[i];

		if (action->state == XB_STATE_PENDING)
			items[n++] = xb_arena_printf(x->arena, "%s %s", action->variant->setup->target->target->name,
						     xb_action_label(action, x->arena));
	}
	x->result->would_run = items;
	x->result->n_would_run = n;
}

static int conclude(struct exec *x, struct xb_err *err)
{
	if (x->first.code) {
		xb_err_move(err, &x->first);
		return err->code;
	}
	if (x->result->n_failed)
		return xb_fail(err, XB_E_JOB, "%zu of %zu build step%s failed", x->result->n_failed,
			       x->graph->n_actions, x->graph->n_actions == 1 ? "" : "s");
	return 0;
}

static void close_all(struct exec *x)
{
	pool_close(&x->pool);
	xb_procs_free(x->procs); /* first: what is still running writes to the jobs' files */
	for (size_t i = 0; i < x->jobs.len; i++)
		job_free(x->jobs.items[i]);
	XB_VEC_RELEASE(&x->jobs);
	for (size_t i = 0; x->contexts && i < x->options->n_setups; i++) {
		xb_origins_free(x->contexts[i].origins);
		xb_state_free(x->contexts[i].state);
	}
	free(x->contexts);
	xb_map_release(&x->hashed);
	xb_shadows_free(x->shadows);
	xb_statcache_free(x->cache);
	XB_VEC_RELEASE(&x->links.items);
	XB_VEC_RELEASE(&x->compiles.items);
	xb_err_release(&x->first);
}

static int open_pool(struct exec *x, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/.xbuild/jobserver", x->options->project_dir);
	bool wanted = false;

	for (size_t i = 0; i < x->graph->n_actions && !wanted; i++)
		wanted = x->graph->actions[i]->variant->kind == XB_ACTION_FOREIGN;
	if (!wanted || x->options->dry_run)
		return 0;
	return pool_open(&x->pool, path, (size_t)x->options->jobs, err);
}

static int run(struct exec *x, struct xb_err *err)
{
	struct xb_err late XB_CLEANUP(xb_err_release) = {0};
	int rc;

	if (open_pool(x, err) < 0)
		return err->code;
	queue_first(x);
	rc = loop(x, err);
	if (x->options->dry_run) {
		list_pending(x);
		return rc < 0 ? rc : conclude(x, err);
	}
	if (rc == 0 && x->options->compdb && x->options->n_setups)
		rc = xb_compdb_write(x->graph, &x->options->setups[0], x->options->project_dir,
				     xb_state_note(x->contexts[0].state), err);
	if (rc < 0) {
		(void)!save(x, &late);
		return rc;
	}
	if (save(x, err) < 0)
		return err->code;
	return conclude(x, err);
}

int xb_sched_run(struct xb_graph *graph, const struct xb_sched_options *options, struct xb_arena *arena,
		 struct xb_sched_result *out, struct xb_err *err)
{
	char *cache XB_CLEANUP(xb_free_ptr) = xb_path_join(options->project_dir, ".xbuild/statcache");
	struct xb_sched_result result = {0};
	struct exec x = {.graph = graph, .options = options, .result = &result, .arena = arena, .pool = {.fd = -1}};
	int rc;

	if (!options->dry_run && make_dirs(options->project_dir, err) < 0)
		return err->code;
	xb_observe(options->observer,
		   &(struct xb_event){.kind = XB_EVENT_PHASE, .label = "build", .total = graph->n_actions});
	x.cache = xb_statcache_open(cache, options->project_dir);
	x.shadows = xb_shadows_open(options->project_dir);
	x.procs = xb_procs_new();
	open_contexts(&x);
	if (!options->dry_run)
		sweep(&x);
	rc = run(&x, err);
	close_all(&x);
	*out = result;
	return rc;
}
