/* SPDX-License-Identifier: Apache-2.0 */
#include "reading.h"

#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/build/depfile.h"
#include "xbuild/build/scan.h"
#include "xbuild/sys/fs.h"

/* The longest tick of the coarse clock that file systems stamp with (CONFIG_HZ=100). */
#define TICK_NS (10 * INT64_C(1000000))

const char *exec_subject(const struct xb_action *action)
{
	if (action->variant->kind == XB_ACTION_FOREIGN)
		return action->variant->unit->name;
	return action->source && !action->source_is_made ? action->source : action->output;
}

static int violation(const struct xb_action *action, const char *path, struct xb_err *err)
{
	xb_fail(err, XB_E_VERIFY,
		"'%s' (unit '%s', %s) reads '%s', which lies neither in the project nor in the sysroot "
		"nor in the toolchain",
		exec_subject(action), action->variant->unit->name, action->variant->setup->target->target->name, path);
	return xb_hint(err, "copy the file into the project, or add the package that has it to sysroot.packages");
}

static int made_by_others(const struct xb_action *action, const char *path, struct xb_err *err)
{
	xb_fail(err, XB_E_VERIFY,
		"'%s' (unit '%s', %s) reads '%s', which is a result of another build step that it "
		"does not depend on",
		exec_subject(action), action->variant->unit->name, action->variant->setup->target->target->name, path);
	return xb_hint(err, "name the unit that makes it in 'deps'");
}

static int changed(const struct xb_action *action, const char *path, struct xb_err *err)
{
	xb_fail(err, XB_E_VERIFY,
		"'%s' changed while '%s' (unit '%s', %s) was made from it; the result was thrown away", path,
		exec_subject(action), action->variant->unit->name, action->variant->setup->target->target->name);
	return xb_hint(err, "build again once nothing writes to the project");
}

/*
 * An assembler name is looked for as the assembler does: from the working directory, then along the -I path. Places before
 * the one where it is must stay empty.
 */
static void add_assembler_name(struct exec *x, const struct xb_action *action, const char *name, struct reading *r)
{
	const struct xb_dirs *search = &action->variant->search;
	const char *candidate = name;

	for (size_t i = 0; i <= search->len; i++) {
		if (i > 0)
			candidate = xb_arena_printf(r->arena, "%s/%s", search->items[i - 1], name);
		char *path XB_CLEANUP(xb_free_ptr) = exec_path(x, candidate);

		if (xb_fs_exists(path)) {
			XB_VEC_PUSH(&r->paths, candidate);
			return;
		}
		if (*name == '/')
			break;
		xb_dirs_add_new(&r->absent, r->arena, xb_arena_printf(r->arena, "!%s", candidate));
	}
	r->told = false;
}

static int read_text(struct exec *x, const char *path, struct xb_str *text, struct xb_err *err)
{
	char *full XB_CLEANUP(xb_free_ptr) = exec_path(x, path);

	return xb_fs_read(full, XB_MAX_SOURCE_BYTES, text, err);
}

/* Adds the files that `directive` names in `text`; those of .include have to be looked through in their turn. */
static void scan_assembler(struct exec *x, const struct xb_action *action, struct xb_sv text, const char *directive,
			   struct reading *r)
{
	struct xb_dirs names = {0};

	if (!xb_scan_assembler(text, directive, r->arena, &names))
		r->told = false;
	for (size_t i = 0; i < names.len; i++)
		add_assembler_name(x, action, names.items[i], r);
}

/* A source or header that the preprocessor read; what it becomes is assembled by the compiler itself, or by an AS action. */
static int scan_preprocessed(struct exec *x, const struct xb_action *action, const char *path, struct reading *r,
			     struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	if (read_text(x, path, &text, err) < 0)
		return err->code;
	if (!xb_scan_conditions(xb_str_sv(&text), r->arena, &r->asked))
		r->told = false;
	if (action->variant->kind != XB_ACTION_CPP)
		scan_assembler(x, action, xb_str_sv(&text), ".incbin", r);
	return 0;
}

/* What units of other build systems installed is known as a whole, by the manifests among the inputs. */
static bool is_staged(const struct xb_action *action, const char *rel)
{
	static const char end[] = ".manifest";

	for (size_t i = 0; i < action->n_inputs; i++) {
		const struct xb_action *input = action->inputs[i];
		const size_t n = strlen(input->output) - (sizeof(end) - 1);

		if (input->variant->kind == XB_ACTION_FOREIGN && !strncmp(rel, input->output, n) && rel[n] == '/')
			return true;
	}
	return false;
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
		if (xb_map_get_str(&r->known, file.rel) || is_staged(action, file.rel))
			return 0;
		if (!strncmp(file.rel, "out/", 4) || !strncmp(file.rel, ".xbuild/", 8))
			return made_by_others(action, file.rel, err);
		xb_map_put_str(&r->known, file.rel, r);
		xb_dirs_add(&r->deps, r->arena, xb_arena_strdup(r->arena, file.rel));
	}
	XB_VEC_PUSH(&r->files, file);
	return 0;
}

void reading_begin(struct reading *r, struct job *job)
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

void reading_end(struct reading *r)
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
		struct xb_str text XB_CLEANUP(xb_str_release) = {0};

		if (read_text(x, path, &text, err) < 0)
			return err->code;
		scan_assembler(x, action, xb_str_sv(&text), ".include", r);
		if (judge_from(x, action, before, r, err) < 0)
			return err->code;
		scan_assembler(x, action, xb_str_sv(&text), ".incbin", r);
		/* behind the included ones, and never looked through: they are data */
		for (size_t i = deps; i < r->deps.len; i++)
			xb_dirs_add(&r->includes, r->arena, r->deps.items[i]);
		if (next >= r->includes.len)
			break;
		path = r->includes.items[next];
	}
	return judge_from(x, action, 0, r, err);
}

int reading_take(struct exec *x, struct job *job, struct reading *r, struct xb_err *err)
{
	const struct xb_action *action = job->action;
	const enum xb_action_kind kind = action->variant->kind;
	struct xb_depfile list = {0};
	size_t n, headers;

	if (job->depfile && xb_depfile_read(job->depfile, exec_subject(action), &job->arena, &list, err) < 0)
		return err->code;
	for (size_t i = 0; i < list.len; i++)
		XB_VEC_PUSH(&r->paths, list.paths[i]);
	if (judge_from(x, action, 0, r, err) < 0)
		return err->code;
	if (kind == XB_ACTION_AS)
		return read_assembler(x, action, r, err);
	if (kind != XB_ACTION_CC && kind != XB_ACTION_CXX && kind != XB_ACTION_CPP)
		return 0;
	n = r->paths.len;
	headers = r->deps.len;
	if (scan_preprocessed(x, action, action->source, r, err) < 0)
		return err->code;
	for (size_t i = 0; i < headers; i++)
		if (scan_preprocessed(x, action, r->deps.items[i], r, err) < 0)
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
		return xb_wrap(err, "'%s' was read by '%s'", path, exec_subject(job->action));
	if (stat(full, &st) < 0 || xb_statcache_changed(x->cache, path) ||
	    (!was_known && xb_fs_ctime_ns(&st) > job->started_ns)) {
		xb_statcache_forget(x->cache, path);
		return changed(job->action, path, err);
	}
	*out_doubt = *out_doubt || (!was_known && xb_fs_ctime_ns(&st) > job->started_ns - TICK_NS);
	return 0;
}

int reading_check_inputs(struct exec *x, const struct job *job, const struct reading *r, bool *out_doubt,
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

void reading_set_deps(struct exec *x, struct xb_action *action, struct reading *r, struct xb_arena *scratch)
{
	struct xb_arena *arena = &x->graph->arena;
	const struct xb_variant *variant = action->variant;
	const struct xb_shadow_query query = {
		.search = &variant->search,
		.multiarch = variant->setup->target->target->multiarch,
		.files = r->files.items,
		.n_files = r->files.len,
		.asked = &r->asked,
	};
	struct xb_dirs absent = r->absent;

	if (variant->kind == XB_ACTION_LINK)
		xb_shadows_find_libraries(x->shadows, &variant->command, scratch, &absent);
	else if (variant->has_depfile)
		xb_shadows_find(x->shadows, &query, scratch, &absent);
	if (absent.len)
		qsort(absent.items, absent.len, sizeof(*absent.items), by_text);
	if (r->deps.len)
		qsort(r->deps.items, r->deps.len, sizeof(*r->deps.items), by_text);
	action->n_deps = r->deps.len + absent.len;
	action->deps = xb_arena_array(arena, action->n_deps, sizeof(*action->deps));
	for (size_t i = 0; i < absent.len; i++) /* '!' sorts before all that names begin with */
		action->deps[i] = xb_arena_strdup(arena, absent.items[i]);
	for (size_t i = 0; i < r->deps.len; i++)
		action->deps[absent.len + i] = xb_arena_strdup(arena, r->deps.items[i]);
}

int reading_refuse(struct exec *x, struct job *job, struct reading *r, struct xb_err *err)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct xb_depfile list = {0};

	if (!job->depfile || xb_depfile_read(job->depfile, exec_subject(job->action), &job->arena, &list, &ignored) < 0)
		return 0;
	for (size_t i = 0; i < list.len; i++)
		XB_VEC_PUSH(&r->paths, list.paths[i]);
	return judge_from(x, job->action, 0, r, err);
}
