/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/map.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"

#define FILE_NAME ".xbuild/outputs"

struct output {
	struct xb_digest digest;
	const char *target, *unit;
	const char *path; /* of the project */
	bool is_new;
};

/* An XB_VEC with a name, so that functions can take it, and what is in it. */
struct outputs {
	struct output *items;
	size_t len, cap;
	struct xb_map made; /* paths of the new ones */
};

static bool parse_line(struct xb_sv line, struct xb_arena *arena, struct output *out)
{
	struct xb_sv rest = line;
	const struct xb_sv digest = xb_sv_cut(&rest, ' ');
	const struct xb_sv target = xb_sv_cut(&rest, ' ');
	const struct xb_sv unit = xb_sv_cut(&rest, ' ');

	*out = (struct output){0};
	if (!xb_digest_parse(digest, &out->digest) || !xb_sv_starts(rest, "out/") || !xb_path_is_safe(rest))
		return false;
	out->target = xb_arena_sv(arena, target);
	out->unit = xb_arena_sv(arena, unit);
	out->path = xb_arena_sv(arena, rest);
	return true;
}

static void read_old(struct xb_sv text, struct xb_arena *arena, struct outputs *list)
{
	while (text.ptr && text.len) {
		struct output output;

		if (parse_line(xb_sv_cut(&text, '\n'), arena, &output))
			XB_VEC_PUSH(list, output);
	}
}

static void add_new(struct outputs *list, const struct xb_product *product, const struct xb_action *action)
{
	struct output output = {
		.target = product->setup->target->target->name, .unit = product->unit->name, .is_new = true};

	if (!action || !action->is_final || action->state < XB_STATE_CURRENT || action->state > XB_STATE_BUILT)
		return;
	output.path = action->output;
	output.digest = action->result.hash;
	xb_map_put_str(&list->made, output.path, list);
	XB_VEC_PUSH(list, output);
}

static bool is_target_built(const struct outputs_build *build, const char *target)
{
	for (size_t i = 0; i < build->n_targets; i++)
		if (strcmp(build->targets[i]->target->name, target) == 0)
			return true;
	return false;
}

static bool is_target_of_project(const struct xb_project *project, const char *target)
{
	for (size_t i = 0; i < project->n_targets; i++)
		if (strcmp(project->targets[i].target->name, target) == 0)
			return true;
	return false;
}

/* Would this build have made the file again, if it were still to be made? */
static bool is_judged(const struct xb_app *app, const struct outputs_build *build, const struct output *old)
{
	const struct xb_graph *graph = build->graph;

	for (size_t i = 0; i < graph->n_products; i++)
		if (strcmp(graph->products[i].unit->name, old->unit) == 0 &&
		    strcmp(graph->products[i].setup->target->target->name, old->target) == 0)
			return true;
	if (!build->all_units)
		return false;
	if (is_target_built(build, old->target))
		return true;
	return build->n_targets == app->project->n_targets && !is_target_of_project(app->project, old->target);
}

/* A directory that is empty now goes too; out/ itself stays. */
static void remove_empty_dir(const char *project_dir, const char *path)
{
	struct xb_sv dir = xb_path_dir(xb_sv(path));
	char *full XB_CLEANUP(xb_free_ptr) = xb_printf("%s/%.*s", project_dir, XB_SV_ARG(dir));

	if (xb_sv_starts(dir, "out/"))
		(void)!rmdir(full);
}

static int remove_old(const struct xb_app *app, const struct output *old, struct xb_err *err)
{
	struct xb_err unreadable XB_CLEANUP(xb_err_release) = {0};
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(app->project->dir, old->path);
	char *text XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_digest now;
	struct stat st;
	uint64_t size;

	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode) || xb_digest_file(path, &now, &size, &unreadable) < 0 ||
	    !xb_digest_eq(&now, &old->digest))
		return 0;
	if (xb_fs_remove(path, err) < 0)
		return err->code;
	remove_empty_dir(app->project->dir, old->path);
	text = xb_printf("'%s' is made no longer and was removed", old->path);
	xb_observe(app->observer, &(struct xb_event){.kind = XB_EVENT_NOTE, .text = text});
	return 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct output *)a)->path, ((const struct output *)b)->path);
}

static int save(const char *file, struct outputs *list, const struct xb_str *before, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	char hex[XB_DIGEST_HEX];

	if (list->len)
		qsort(list->items, list->len, sizeof(*list->items), by_path);
	for (size_t i = 0; i < list->len; i++)
		xb_str_printf(&text, "%s %s %s %s\n", xb_digest_hex(&list->items[i].digest, hex), list->items[i].target,
			      list->items[i].unit, list->items[i].path);
	if (xb_sv_eq(xb_str_sv(&text), xb_str_sv(before)))
		return 0;
	return xb_atomic_file_write(file, xb_str_get(&text), text.len, 0644, 0, err);
}

/* Drops from the list what is made no longer, or in another version now. */
static int settle(const struct xb_app *app, const struct outputs_build *build, struct outputs *list, struct xb_err *err)
{
	size_t len = 0;

	for (size_t i = 0; i < list->len; i++) {
		const struct output *o = &list->items[i];

		if (!o->is_new && xb_map_get_str(&list->made, o->path))
			continue;
		if (!o->is_new && build->is_successful && is_judged(app, build, o)) {
			if (remove_old(app, o, err) < 0)
				return err->code;
			continue;
		}
		list->items[len++] = *o;
	}
	list->len = len;
	return 0;
}

int outputs_update(const struct xb_app *app, const struct outputs_build *build, struct xb_err *err)
{
	char *file XB_CLEANUP(xb_free_ptr) = xb_path_join(app->project->dir, FILE_NAME);
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_err unreadable XB_CLEANUP(xb_err_release) = {0};
	struct xb_str before XB_CLEANUP(xb_str_release) = {0};
	struct outputs list = {0};
	int rc;

	if (xb_fs_exists(file) && xb_fs_read(file, XB_MAX_JSON_BYTES, &before, &unreadable) < 0)
		xb_str_reset(&before);
	for (size_t i = 0; i < build->graph->n_products; i++) {
		const struct xb_product *product = &build->graph->products[i];

		add_new(&list, product, product->action);
		add_new(&list, product, product->debug);
		for (size_t k = 1; product->foreign && k < product->unit->outputs.len; k++)
			add_new(&list, product, product->takes[k]);
	}
	read_old(xb_str_sv(&before), &arena, &list);
	rc = settle(app, build, &list, err);
	if (rc == 0)
		rc = save(file, &list, &before, err);
	XB_VEC_RELEASE(&list);
	xb_map_release(&list.made);
	return rc;
}
