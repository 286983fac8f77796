/* SPDX-License-Identifier: Apache-2.0 */
#include "exec.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/build/linked.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fs.h"

struct context *exec_context(struct exec *x, const struct xb_action *action)
{
	return &x->contexts[action->variant->setup - x->options->setups];
}

char *exec_path(const struct exec *x, const char *rel)
{
	return xb_path_join(x->options->project_dir, rel);
}

static mode_t mode_of(const struct xb_action *action)
{
	return action->executable ? 0755 : 0644;
}

static int make_parent(const char *path, struct xb_err *err)
{
	char *dir XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_path_dir(xb_sv(path)));

	return xb_fs_is_dir(dir) ? 0 : xb_fs_mkdirs(dir, 0755, err);
}

int exec_place(struct exec *x, struct xb_action *action, struct xb_err *err)
{
	struct xb_err damage XB_CLEANUP(xb_err_release) = {0};
	char *path XB_CLEANUP(xb_free_ptr) = exec_path(x, action->output);
	struct xb_placed now;

	xb_placed_read(path, &now);
	if (xb_placed_eq(&now, &action->placed))
		return action->variant->kind == XB_ACTION_FOREIGN ? exec_stage(x, action, err) : 1;
	if (!xb_cas_has(x->options->store, &action->result.hash, (int64_t)action->result.size_bytes))
		return 0;
	/* a directory in the way comes from a target or unit that was named otherwise before */
	if (xb_fs_is_dir(path) && xb_fs_remove(path, err) < 0)
		return err->code;
	if (make_parent(path, err) < 0)
		return xb_wrap(err, "place '%s'", action->output);
	if (xb_cas_place(x->options->store, &action->result.hash, path, mode_of(action), &damage) < 0) {
		/* a damaged blob is gone now: as good as a miss */
		if (damage.code == XB_E_DIGEST || damage.code == XB_E_NOT_FOUND)
			return 0;
		xb_err_move(err, &damage);
		return xb_wrap(err, "place '%s'", action->output);
	}
	xb_placed_read(path, &action->placed);
	return action->variant->kind == XB_ACTION_FOREIGN ? exec_stage(x, action, err) : 1;
}

/* The state checks files one by one: the source is one of them. */
static void put(struct xb_state *state, const struct xb_action *action, const struct xb_state_record *record)
{
	const char **deps = xb_alloc((action->n_deps + 1) * sizeof(*deps));
	size_t n = 0;

	for (; n < action->n_deps; n++)
		deps[n] = action->deps[n];
	if (action->source && !action->source_is_made)
		deps[n++] = action->source;
	xb_state_put(state, action->output, record, deps, n);
	free(deps);
}

void exec_record(struct exec *x, struct xb_action *action)
{
	struct xb_state *state = exec_context(x, action)->state;
	const struct xb_state_record record = {
		.fingerprint = action->variant->fingerprint,
		.inputs = action->inputs_digest,
		.result = action->result.hash,
		.size_bytes = action->result.size_bytes,
		.placed = action->placed,
	};

	if (action->unrecorded)
		xb_state_drop(state, action->output);
	else if (action->from_record)
		xb_state_keep(state, action->record, &action->placed);
	else
		put(state, action, &record);
}

/* A result that was kept without it (or whose record the store lost) has to be made again where it is asked for. */
static bool knows_linked(struct exec *x, const struct xb_action *action, const struct xb_digest *result)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_dirs files = {0};

	if (!x->options->need_linked || action->variant->kind != XB_ACTION_LINK)
		return true;
	return xb_linked_get(x->options->store, result, &action->variant->setup->sysroot->digest, &arena, &files);
}

/* 1: up to date; 0: not. */
static int resolve_from_state(struct exec *x, struct xb_action *action, struct xb_err *err)
{
	struct xb_state *state = exec_context(x, action)->state;
	const struct xb_state_record *record = xb_state_find(state, action->output, &action->record);
	int rc = 1;

	if (!record || !xb_digest_eq(&record->fingerprint, &action->variant->fingerprint) ||
	    !xb_digest_eq(&record->inputs, &action->inputs_digest) || !xb_state_is_fresh(state, action->record) ||
	    !knows_linked(x, action, &record->result))
		return 0;
	action->result = (struct xb_reapi_digest){record->result, record->size_bytes};
	action->placed = record->placed;
	action->from_record = true;
	if (action->is_final && !x->options->dry_run)
		rc = exec_place(x, action, err);
	if (rc <= 0) {
		action->from_record = false;
		action->placed = (struct xb_placed){0};
		return rc;
	}
	action->state = XB_STATE_CURRENT;
	return 1;
}

int exec_hash(struct exec *x, const char *path, struct xb_file_state *out, struct xb_err *err)
{
	if (xb_statcache_get(x->cache, path, out, err) < 0)
		return err->code;
	if (!xb_map_get_str(&x->hashed, path))
		xb_map_put_str(&x->hashed, path, (void *)(uintptr_t)(x->n_starts + 1));
	return 0;
}

/* 1: read into *out; 0: there is no such file. */
static int key_file(struct exec *x, const char *path, struct xb_key_file *out, struct xb_err *err)
{
	struct xb_err problem XB_CLEANUP(xb_err_release) = {0};
	struct xb_file_state state;

	if (exec_hash(x, path, &state, &problem) < 0) {
		/* a directory where a file was, or the other way round: as good as missing */
		if (problem.code == XB_E_NOT_FOUND || problem.code == XB_E_INPUT || problem.code == XB_E_SYSTEM)
			return 0;
		xb_err_move(err, &problem);
		return err->code;
	}
	*out = (struct xb_key_file){
		.path = path, .digest = {state.digest, state.size_bytes}, .executable = state.executable};
	return 1;
}

int exec_key_files(struct exec *x, const struct xb_action *action, const struct xb_dep_set *deps,
		   struct xb_arena *arena, struct key_files *out, struct xb_err *err)
{
	struct xb_key_file *files = xb_arena_array(arena, 1 + action->n_inputs + deps->len, sizeof(*files));
	size_t n = 0;
	int rc;

	if (action->source && !action->source_is_made) {
		rc = key_file(x, action->source, &files[n], err);
		if (rc <= 0)
			return rc;
		n++;
	}
	for (size_t i = 0; i < action->n_inputs; i++) {
		const struct xb_action *input = action->inputs[i];

		files[n++] = (struct xb_key_file){
			.path = input->output, .digest = input->result, .executable = input->executable};
	}
	for (size_t i = 0; i < deps->len; i++) {
		if (*deps->paths[i] == '!') {
			if (xb_shadows_exists(x->shadows, deps->paths[i] + 1))
				return 0;
			continue;
		}
		rc = key_file(x, deps->paths[i], &files[n], err);
		if (rc <= 0)
			return rc;
		n++;
	}
	*out = (struct key_files){files, xb_key_sort(files, n)};
	return 1;
}

/* 1: the store has the result of the action with these dependencies; taken over. */
static int try_set(struct exec *x, struct xb_action *action, const struct xb_reapi_digest *command,
		   const struct xb_dep_set *set, struct xb_arena *arena, struct xb_err *err)
{
	struct xb_reapi_result result;
	struct key_files files;
	struct xb_digest key;
	int rc = exec_key_files(x, action, set, arena, &files, err);

	if (rc <= 0)
		return rc;
	xb_key_action(action, command, files.items, files.len, &key);
	if (xb_action_get(x->options->store, &key, arena, &result) <= 0)
		return 0;
	if (result.exit_code != 0 || result.n_outputs != 1 || strcmp(result.outputs[0].path, action->output) != 0 ||
	    !knows_linked(x, action, &result.outputs[0].digest.hash))
		return 0;
	if (action->variant->kind == XB_ACTION_FOREIGN && !exec_foreign_whole(x, &result.outputs[0].digest.hash))
		return 0;
	action->result = result.outputs[0].digest;
	if (!x->options->dry_run) {
		if (action->is_final) {
			rc = exec_place(x, action, err);
			if (rc <= 0)
				return rc;
		}
		exec_show(x, action, result.output_text);
	}
	action->n_deps = set->len;
	action->deps = xb_arena_array(&x->graph->arena, set->len, sizeof(*action->deps));
	for (size_t i = 0; i < set->len; i++)
		action->deps[i] = xb_arena_strdup(&x->graph->arena, set->paths[i]);
	action->state = XB_STATE_CACHED;
	return 1;
}

/* An archive is made of its inputs and nothing else; what other tools read is known from the last times. */
static bool reads_more(const struct xb_action *action)
{
	return action->variant->has_depfile || action->variant->kind == XB_ACTION_AS;
}

static int resolve_from_store(struct exec *x, struct xb_action *action, struct xb_err *err)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	const struct xb_dep_set known = {.paths = action->deps, .len = action->n_deps};
	struct xb_dep_sets sets = {0};
	struct xb_reapi_digest command;
	struct xb_digest deps_key;

	xb_key_command(action, &arena, &command);
	if (!reads_more(action))
		return try_set(x, action, &command, &known, &arena, err);
	xb_key_deps(action, &command, &deps_key);
	xb_deps_get(x->options->store, &deps_key, &arena, &sets);
	for (size_t i = 0; i < sets.len; i++) {
		const int rc = try_set(x, action, &command, &sets.items[i], &arena, err);

		if (rc != 0)
			return rc;
	}
	return 0;
}

int exec_resolve(struct exec *x, struct xb_action *action, struct xb_err *err)
{
	int rc;

	xb_key_inputs(action, &action->inputs_digest);
	if (action->variant->kind == XB_ACTION_TAKE)
		return exec_take(x, action, err);
	if (action->force)
		return 0;
	rc = resolve_from_state(x, action, err);
	return rc != 0 ? rc : resolve_from_store(x, action, err);
}
