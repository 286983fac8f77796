/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "exec.h"
#include "reading.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/build/stage.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fs.h"

#define MAX_NAMES_TOLD 5

void exec_foreign_argv(struct exec *x, const struct job *job, struct xb_argv *argv)
{
	const struct xb_action *action = job->action;
	const struct xb_setup *setup = action->variant->setup;

	for (const char *const *w = x->options->drive; *w; w++)
		xb_argv_push(argv, *w);
	xb_argv_push(argv, "--target");
	xb_argv_push(argv, setup->target->target->name);
	xb_argv_push(argv, "--profile");
	xb_argv_push(argv, setup->profile->name);
	xb_argv_push(argv, "--manifest");
	xb_argv_push(argv, job->output);
	if (x->pool.path) {
		xb_argv_push(argv, "--jobserver");
		xb_argv_push(argv, xb_arena_strdup(argv->arena, x->pool.path));
	}
	xb_argv_push(argv, action->variant->unit->name);
	xb_argv_push(argv, NULL);
}

int exec_foreign_hash(struct exec *x, const struct xb_action *action, struct xb_err *err)
{
	struct xb_file_state state;

	for (size_t i = 0; i < action->n_deps; i++) {
		if (exec_hash(x, action->deps[i], &state, err) < 0)
			return xb_wrap(err, "unit '%s'", action->variant->unit->name);
	}
	return 0;
}

static int changed(const struct xb_action *action, const char *what, struct xb_err *err)
{
	xb_fail(err, XB_E_VERIFY, "%s while unit '%s' (%s) was built from it; the result was thrown away", what,
		action->variant->unit->name, action->variant->setup->target->target->name);
	return xb_hint(err, "a build that writes into its own sources is not repeatable; else build again once nothing "
			    "writes to the project");
}

/* Files that came or went: where they lie now, as one of them may have been read. */
static int check_names(struct exec *x, const struct xb_action *action, struct xb_arena *arena, struct xb_err *err)
{
	struct xb_foreign_files now;

	if (xb_foreign_inputs(x->options->project_dir, action->variant->unit, arena, &now, err) < 0)
		return err->code;
	if (xb_digest_eq(&now.names, action->names))
		return 0;
	return changed(action,
		       xb_arena_printf(arena, "files came or went below '%s'", action->variant->unit->foreign->dir),
		       err);
}

int exec_foreign_check(struct exec *x, const struct job *job, struct xb_err *err)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	const struct xb_action *action = job->action;

	for (size_t i = 0; i < action->n_deps; i++) {
		if (!xb_statcache_changed(x->cache, action->deps[i]))
			continue;
		xb_statcache_forget(x->cache, action->deps[i]);
		return changed(action, xb_arena_printf(&arena, "'%s' changed", action->deps[i]), err);
	}
	return check_names(x, action, &arena, err);
}

int exec_foreign_whole(struct exec *x, const struct xb_digest *manifest)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_err unreadable XB_CLEANUP(xb_err_release) = {0};
	struct xb_stage stage;

	return xb_stage_read(x->options->store, manifest, &arena, &stage, &unreadable) == 0 &&
	       xb_stage_is_whole(x->options->store, &stage);
}

/* The store may have lost what it had: then the unit is built again. */
static int lost_or_failed(struct xb_err *problem, struct xb_err *err)
{
	if (problem->code == XB_E_NOT_FOUND || problem->code == XB_E_DIGEST || problem->code == XB_E_INPUT)
		return 0;
	xb_err_move(err, problem);
	return err->code;
}

int exec_stage(struct exec *x, struct xb_action *action, struct xb_err *err)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_err problem XB_CLEANUP(xb_err_release) = {0};
	const struct xb_stage_place place = {
		.store = x->options->store,
		.cache = x->cache,
		.project_dir = x->options->project_dir,
		.dir = xb_foreign_stage(action->variant->setup, action->variant->unit, &arena),
	};
	struct xb_stage stage;

	if (action->is_tree)
		return 1;
	if (xb_stage_read(x->options->store, &action->result.hash, &arena, &stage, &problem) < 0 ||
	    xb_stage_place(&stage, &place, &problem) < 0)
		return lost_or_failed(&problem, err);
	action->is_tree = true;
	return 1;
}

static int not_installed(const struct xb_action *action, const struct xb_stage *stage, struct xb_err *err)
{
	const char *name = xb_output_file_name(action->take);
	struct xb_str found XB_CLEANUP(xb_str_release) = {0};
	size_t n = 0;

	for (int same = 1; same >= 0 && !n; same--) {
		for (size_t i = 0; i < stage->len && n < MAX_NAMES_TOLD; i++) {
			const char *path = stage->items[i].path;

			if (!xb_sv_starts(xb_sv(path), "usr/") ||
			    (same && strcmp(xb_output_file_name(path), name) != 0))
				continue;
			xb_str_printf(&found, "%s%s", n++ ? ", " : "", path + strlen("usr/"));
		}
	}
	xb_fail(err, XB_E_INPUT, "unit '%s' (%s) installed no '%s' below its prefix", action->variant->unit->name,
		action->variant->setup->target->target->name, action->take + strlen("usr/"));
	return found.len ? xb_hint(err, "it installed: %s", xb_str_get(&found)) : err->code;
}

/* A directory goes to out/ as a tree of its own; its name is the digest of its manifest. */
static int take_tree(struct exec *x, struct xb_action *action, const struct xb_stage *stage, struct xb_err *err)
{
	const struct xb_stage_place place = {.store = x->options->store,
					     .cache = x->cache,
					     .project_dir = x->options->project_dir,
					     .dir = action->output};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	xb_stage_write(stage, &text);
	if (xb_cas_put_bytes(x->options->store, xb_str_get(&text), text.len, &action->result.hash, err) < 0)
		return err->code;
	action->result.size_bytes = text.len;
	action->is_tree = true;
	return x->options->dry_run ? 0 : xb_stage_place(stage, &place, err);
}

static bool take_current(struct exec *x, struct xb_action *action)
{
	struct xb_state *state = exec_context(x, action)->state;
	const struct xb_state_record *record = xb_state_find(state, action->output, &action->record);
	char *path XB_CLEANUP(xb_free_ptr) = exec_path(x, action->output);
	struct xb_placed now;
	struct stat st;

	xb_placed_read(path, &now);
	if (!record || !xb_digest_eq(&record->fingerprint, &action->variant->fingerprint) ||
	    !xb_digest_eq(&record->inputs, &action->inputs_digest) || !xb_placed_eq(&now, &record->placed))
		return false;
	action->result = (struct xb_reapi_digest){record->result, record->size_bytes};
	action->placed = record->placed;
	action->executable = stat(path, &st) == 0 && (st.st_mode & 0111) != 0;
	action->from_record = true;
	action->state = XB_STATE_CURRENT;
	return true;
}

int exec_take(struct exec *x, struct xb_action *action, struct xb_err *err)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_err problem XB_CLEANUP(xb_err_release) = {0};
	const struct xb_stage_entry *entry;
	struct xb_stage stage, below;
	int rc = 1;

	if (take_current(x, action))
		return 1;
	if (xb_stage_read(x->options->store, &action->inputs[0]->result.hash, &arena, &stage, &problem) < 0)
		return lost_or_failed(&problem, err);
	entry = xb_stage_find(&stage, action->take);
	xb_stage_below(&stage, action->take, &arena, &below);
	if (entry) {
		action->result = (struct xb_reapi_digest){entry->digest, entry->size_bytes};
		action->executable = entry->executable;
		action->is_tree = false;
		rc = x->options->dry_run ? 1 : exec_place(x, action, err);
	} else if (below.len) {
		if (take_tree(x, action, &below, &problem) < 0)
			return lost_or_failed(&problem, err);
	} else {
		return not_installed(action, &stage, err);
	}
	if (rc > 0)
		action->state = XB_STATE_CACHED;
	return rc;
}
