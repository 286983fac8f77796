/* SPDX-License-Identifier: Apache-2.0 */
/* What a unit of sources names: its source files, and the directories and modules that must be there to compile them. */
#include <string.h>

#include "planner.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/fs.h"

/* Patterns of the unit and of its overrides that hold here. */
static void gather_patterns(struct planner *p, const struct xb_unit *unit, struct xb_words *out)
{
	size_t n = unit->sources.len;

	for (size_t i = 0; i < unit->n_overrides; i++)
		n += unit->overrides[i].sources.len;
	out->items = xb_arena_array(p->arena, n, sizeof(*out->items));
	out->at = xb_arena_array(p->arena, n, sizeof(*out->at));
	out->len = 0;
	for (size_t i = 0; i <= unit->n_overrides; i++) {
		const struct xb_override *o = i ? &unit->overrides[i - 1] : NULL;
		const struct xb_words *words = o ? &o->sources : &unit->sources;

		if (o && (o->target ? o->target != p->setup->target->target
				    : strcmp(o->profile, p->setup->profile->name) != 0))
			continue;
		for (size_t k = 0; k < words->len; k++) {
			if (words->at)
				out->at[out->len] = words->at[k];
			out->items[out->len++] = words->items[k];
		}
	}
}

static int match_sources(struct planner *p, const struct xb_unit *unit, struct xb_source_list *out, struct xb_err *err)
{
	struct xb_source_query query;
	struct xb_words patterns;
	size_t unmatched;

	gather_patterns(p, unit, &patterns);
	query = (struct xb_source_query){.patterns = patterns.items,
					 .n_patterns = patterns.len,
					 .exclude = unit->exclude.items,
					 .n_exclude = unit->exclude.len};
	if (xb_sources_find(p->sources, &query, p->arena, out, &unmatched, err) < 0)
		return xb_wrap(err, "unit '%s'", unit->name);
	if (unmatched < patterns.len)
		return plan_report(p, &patterns.at[unmatched], err,
				   xb_arena_printf(p->arena, "unit '%s': no file matches '%s'", unit->name,
						   patterns.items[unmatched]));
	if (!out->len)
		return plan_report(p, &unit->at, err,
				   xb_arena_printf(p->arena, "unit '%s' has no sources", unit->name));
	return 0;
}

static int check_dirs(struct planner *p, const struct xb_unit *unit, const struct xb_words *words, struct xb_err *err)
{
	for (size_t i = 0; i < words->len; i++) {
		char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(p->project->dir, words->items[i]);

		if (!xb_fs_is_dir(path))
			return plan_report(p, words->at ? &words->at[i] : &unit->at, err,
					   xb_arena_printf(p->arena, "unit '%s': include: '%s' is no directory",
							   unit->name, words->items[i]));
	}
	return 0;
}

/* All modules that cannot be had are told, each at its place; the answer is the first. */
static int check_modules(struct planner *p, const struct xb_unit *unit, struct xb_err *err)
{
	const struct xb_words *names = &unit->pkg_config;

	for (size_t i = 0; i < names->len; i++) {
		struct xb_err one XB_CLEANUP(xb_err_release) = {0};
		struct xb_command unused;
		struct xb_diag *diag;

		xb_command_init(&unused, p->arena);
		if (xb_pkgconfig_flags(p->pkgconfig, &names->items[i], 1, true, &unused, NULL, &one) == 0)
			continue;
		if (one.code == XB_E_INPUT && names->at && names->at[i].file) {
			diag = xb_diags_add(p->diags, names->at[i], p->project->source, "unit '%s': %s", unit->name,
					    one.msg);
			if (one.hint)
				xb_diags_help(p->diags, diag, "%s", one.hint);
		}
		if (err->code)
			continue;
		xb_err_move(err, &one);
		xb_wrap(err, "unit '%s'", unit->name);
	}
	return err->code;
}

int plan_find_sources(struct planner *p, const struct xb_unit *unit, struct xb_source_list *out, struct xb_err *err)
{
	if (match_sources(p, unit, out, err) < 0 || check_dirs(p, unit, &unit->include, err) < 0 ||
	    check_dirs(p, unit, &unit->private_include, err) < 0)
		return err->code;
	return check_modules(p, unit, err);
}
