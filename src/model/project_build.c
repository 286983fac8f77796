/* SPDX-License-Identifier: Apache-2.0 */
/* The key build: units, their overrides and what they depend on. */
#include <string.h>

#include "project_read.h"
#include "xbuild/base/path.h"
#include "xbuild/model/names.h"

/* A unit while the file is read: names in deps may stand for units that come later. */
struct draft {
	struct xb_unit *unit;
	struct xb_words deps;
	struct xb_place at_deps;
	XB_VEC(struct xb_override) overrides;
	struct xb_words host_tools;
	bool is_unknown; /* what the unit is could not be read whole: nothing is said about what depends on it */
};

static bool is_file_name(struct xb_sv text)
{
	return xb_path_is_safe(text) && !memchr(text.ptr, '/', text.len) && text.ptr[0] != '-';
}

static bool is_module(struct xb_sv text)
{
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.ptr[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    (!strchr("+._-", c) || !i))
			return false;
	}
	return text.len > 0;
}

static const struct text_rule file_name_rule = {is_file_name, "a file name without '/'", NULL, false, false};
static const struct text_rule module_rule = {is_module, "the name of a pkg-config module", NULL, false, false};

static const struct enum_word kind_words[] = {
	{"executable", XB_UNIT_EXECUTABLE}, {"static", XB_UNIT_STATIC}, {"shared", XB_UNIT_SHARED}, {NULL, 0}};

static void read_override(struct schema *s, const struct xb_yaml *node, struct draft *draft,
			  const struct xb_override *start, const char *what)
{
	static const struct schema_key keys[] = {
		{"sources", schema_words, offsetof(struct xb_override, sources), &path_rule, false},
	};
	struct xb_override *override = XB_VEC_ADD(&draft->overrides);
	struct schema_group groups[2];

	*override = *start;
	if (draft->unit->foreign) {
		project_read_foreign_override(s, node, draft->unit->driver, override, what);
		return;
	}
	groups[0] = (struct schema_group)SCHEMA_GROUP(keys, override);
	groups[1] = (struct schema_group){settings_keys, settings_keys_len, &override->settings};
	schema_read(s, node, groups, XB_COUNT(groups), what);
}

static void refuse_key(struct schema *s, const struct xb_yaml *key, const char *what, const char *meant,
		       const char *help)
{
	struct xb_diag *diag =
		schema_problem(s, key->at, "'%.*s' is no %s of this project", XB_SV_ARG(key->text), what);

	if (meant)
		xb_diags_help(s->diags, diag, "did you mean '%s'?", meant);
	else
		xb_diags_help(s->diags, diag, "%s", help);
}

static void refuse_target_key(struct schema *s, const struct xb_yaml *key)
{
	const char **names = xb_arena_array(s->arena, s->project->n_targets + 1, sizeof(*names));

	for (size_t i = 0; i < s->project->n_targets; i++)
		names[i] = s->project->targets[i].target->name;
	names[s->project->n_targets] = NULL;
	refuse_key(s, key, "target", xb_sv_suggest(key->text, names),
		   "only the names under 'targets' can be used here");
}

static void refuse_profile_key(struct schema *s, const struct xb_yaml *key)
{
	const char **names = xb_arena_array(s->arena, s->project->n_profiles + 1, sizeof(*names));

	for (size_t i = 0; i < s->project->n_profiles; i++)
		names[i] = s->project->profiles[i].name;
	names[s->project->n_profiles] = NULL;
	refuse_key(s, key, "profile", xb_sv_suggest(key->text, names), "define it under 'profiles'");
}

static void read_per_target(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	(void)arg;
	if (!schema_want_map(s, node, "per-target"))
		return;
	for (size_t i = 0; i < node->n_items; i++) {
		const struct xb_target *target = xb_target_find(node->keys[i]->text);

		if (!target || !xb_project_target(s->project, target)) {
			refuse_target_key(s, node->keys[i]);
			continue;
		}
		read_override(s, node->items[i], field, &(struct xb_override){.target = target}, "per-target");
	}
}

static void read_per_profile(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	(void)arg;
	if (!schema_want_map(s, node, "per-profile"))
		return;
	for (size_t i = 0; i < node->n_items; i++) {
		const struct xb_profile *profile = xb_project_profile(s->project, node->keys[i]->text.ptr);

		if (!profile) {
			refuse_profile_key(s, node->keys[i]);
			continue;
		}
		read_override(s, node->items[i], field, &(struct xb_override){.profile = profile->name}, "per-profile");
	}
}

static void read_deps(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct draft *draft = field;

	(void)arg;
	draft->at_deps = node->at;
	schema_word_set(s, node, &draft->deps, &unit_name_rule);
}

#define UNIT(field) offsetof(struct xb_unit, field)

static const struct schema_key unit_keys[] = {
	{"kind", schema_enum, UNIT(kind), kind_words, false},
	{"sources", schema_word_set, UNIT(sources), &path_rule, false},
	{"exclude", schema_word_set, UNIT(exclude), &path_rule, false},
	{"include", schema_word_set, UNIT(include), &path_rule, false},
	{"private-include", schema_word_set, UNIT(private_include), &path_rule, false},
	{"pkg-config", schema_word_set, UNIT(pkg_config), &module_rule, false},
	{"soname", schema_text, UNIT(soname), &file_name_rule, false},
	{"output-name", schema_text, UNIT(output_name), &file_name_rule, false},
	{"targets", project_target_names, UNIT(targets), NULL, false},
};

static void read_host_tools(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct draft *draft = field;

	(void)arg;
	schema_word_set(s, node, &draft->host_tools, &unit_name_rule);
}

static const struct schema_key foreign_keys[] = {
	{"outputs", schema_word_set, UNIT(outputs), &output_rule, false},
	{"targets", project_target_names, UNIT(targets), NULL, false},
	{"cxx", project_read_foreign_cxx, UNIT(settings), NULL, false},
};

static const struct schema_key host_tools_keys[] = {
	{"host-tools", read_host_tools, 0, NULL, false},
};

static const struct schema_key draft_keys[] = {
	{"deps", read_deps, 0, NULL, false},
	{"per-target", read_per_target, 0, NULL, false},
	{"per-profile", read_per_profile, 0, NULL, false},
};

/* The driver key of a unit; with more than one the first, and a problem. NULL: none. */
static const struct xb_yaml *find_driver(struct schema *s, const struct xb_yaml *node, const struct xb_yaml *key,
					 enum xb_driver_kind *out)
{
	const struct xb_yaml *found = NULL, *last = NULL;
	size_t n = 0;

	*out = XB_DRIVER_SOURCES;
	for (size_t i = 0; i < node->n_items && node->kind == XB_YAML_MAP; i++) {
		for (int k = 0; k < XB_N_DRIVERS; k++) {
			if (!xb_sv_eq_str(node->keys[i]->text, xb_driver_key((enum xb_driver_kind)k)))
				continue;
			n++;
			last = k || !last ? node->keys[i] : last;
			if (k && !*out) {
				found = node->keys[i];
				*out = (enum xb_driver_kind)k;
			}
		}
	}
	if (n > 1)
		schema_refuse(s, last->at, "a unit is built in one way; make two units",
			      "unit '%s' has more than one driver key", key->text.ptr);
	return found;
}

static void fill_names(struct schema *s, struct xb_unit *unit)
{
	if (!unit->output_name) {
		const char *start = unit->kind == XB_UNIT_EXECUTABLE ? "" : "lib";
		const char *end = unit->kind == XB_UNIT_STATIC ? ".a" : unit->kind == XB_UNIT_SHARED ? ".so" : "";

		unit->output_name = xb_arena_printf(s->arena, "%s%s%s", start, unit->name, end);
	}
	if (unit->soname && unit->kind != XB_UNIT_SHARED)
		schema_refuse(s, unit->at, "remove it, or set kind: shared",
			      "unit '%s': soname is for shared libraries", unit->name);
	if (!unit->soname && unit->kind == XB_UNIT_SHARED)
		unit->soname = unit->output_name;
}

static void read_foreign(struct schema *s, const struct xb_yaml *node, struct xb_place at, struct draft *draft)
{
	struct xb_unit *unit = draft->unit;
	const struct schema_group groups[] = {
		SCHEMA_GROUP(foreign_keys, unit),
		{project_driver_keys, project_driver_keys_len, NULL},
		SCHEMA_GROUP(host_tools_keys, draft),
		SCHEMA_GROUP(draft_keys, draft),
	};

	unit->foreign = xb_arena_alloc(s->arena, sizeof(*unit->foreign));
	unit->foreign->at = at;
	schema_read(s, node, groups, XB_COUNT(groups), "unit");
	project_read_foreign(s, node, unit);
	unit->overrides = schema_keep(s, draft->overrides.items, draft->overrides.len, sizeof(*unit->overrides));
	unit->n_overrides = draft->overrides.len;
}

static void read_unit(struct schema *s, const struct xb_yaml *key, const struct xb_yaml *node, struct draft *draft)
{
	struct xb_unit *unit = draft->unit;
	const struct schema_group groups[] = {
		SCHEMA_GROUP(unit_keys, unit),
		SCHEMA_GROUP(draft_keys, draft),
		{settings_keys, settings_keys_len, &unit->settings},
		{project_driver_keys, project_driver_keys_len, NULL},
	};
	const struct xb_yaml *driver = find_driver(s, node, key, &unit->driver);

	if (driver && !xb_yaml_get(node, "sources")) {
		read_foreign(s, node, driver->at, draft);
		return;
	}
	/* With both, `sources` is what tells which keys there may be beside it; something must change anyway. */
	unit->driver = XB_DRIVER_SOURCES;
	draft->is_unknown = driver != NULL;
	schema_read(s, node, groups, XB_COUNT(groups), "unit");
	fill_names(s, unit);
	unit->overrides = schema_keep(s, draft->overrides.items, draft->overrides.len, sizeof(*unit->overrides));
	unit->n_overrides = draft->overrides.len;
	if (driver || node->refused || node->partial)
		return;
	if ((node->kind == XB_YAML_MAP || schema_is_empty(node)) && !xb_yaml_get(node, "sources"))
		schema_refuse(s, key->at, "add 'sources: [src/*.c]', or what builds it, as in 'cmake: { dir: lib }'",
			      "unit '%s' has no sources", unit->name);
	else if (xb_yaml_get(node, "sources") && xb_yaml_get(node, "sources")->kind == XB_YAML_LIST &&
		 !xb_yaml_get(node, "sources")->n_items)
		schema_problem(s, xb_yaml_get(node, "sources")->at, "unit '%s' has no sources", unit->name);
}

static bool is_unknown(const struct xb_project *project, const struct draft *drafts, const struct xb_unit *unit)
{
	size_t i = 0;

	while (i < project->n_units && drafts[i].unit != unit)
		i++;
	return i < project->n_units && drafts[i].is_unknown;
}

static void resolve_deps(struct schema *s, const struct draft *drafts, struct draft *draft)
{
	struct xb_unit *unit = draft->unit;

	unit->deps = xb_arena_array(s->arena, draft->deps.len, sizeof(*unit->deps));
	for (size_t i = 0; i < draft->deps.len; i++) {
		const char *name = draft->deps.items[i];
		struct xb_unit *dep = xb_project_unit(s->project, xb_sv(name));

		if (!dep)
			project_refuse_unit(s, xb_sv(name), draft->deps.at[i]);
		else if (is_unknown(s->project, drafts, dep))
			continue;
		else if (dep->kind == XB_UNIT_EXECUTABLE && dep != unit && !dep->foreign && !unit->foreign)
			schema_refuse(s, draft->deps.at[i],
				      "only static and shared libraries can be linked; set its kind",
				      "unit '%s' depends on '%s', which is an executable", unit->name, name);
		else if (!project_unit_covers(s, dep, &unit->targets))
			schema_refuse(s, draft->deps.at[i], "widen its 'targets', or narrow those of this unit",
				      "unit '%s' depends on '%s', which is not built for all of its targets",
				      unit->name, name);
		if (dep)
			unit->deps[unit->n_deps++] = dep;
	}
	unit->host_tools = xb_arena_array(s->arena, draft->host_tools.len, sizeof(*unit->host_tools));
	for (size_t i = 0; i < draft->host_tools.len; i++) {
		struct xb_unit *tool = xb_project_unit(s->project, xb_sv(draft->host_tools.items[i]));

		if (tool)
			unit->host_tools[unit->n_host_tools++] = tool;
		else
			project_refuse_unit(s, xb_sv(draft->host_tools.items[i]), draft->host_tools.at[i]);
	}
}

static size_t n_needed(const struct xb_unit *unit)
{
	return unit->n_deps + unit->n_host_tools;
}

static const struct xb_unit *needed(const struct xb_unit *unit, size_t i)
{
	return i < unit->n_deps ? unit->deps[i] : unit->host_tools[i - unit->n_deps];
}

enum colour { WHITE, GREY, BLACK };

struct walk {
	struct schema *s;
	struct draft *drafts;
	enum colour *colours;
	size_t *path; /* indices of the grey units, in order */
	size_t depth;
};

static size_t index_of(const struct walk *w, const struct xb_unit *unit)
{
	size_t i = 0;

	while (w->drafts[i].unit != unit)
		i++;
	return i;
}

static void report_cycle(const struct walk *w, size_t start)
{
	const struct draft *last = &w->drafts[w->path[w->depth - 1]];
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	size_t i = 0;

	while (w->path[i] != start)
		i++;
	for (; i < w->depth; i++)
		xb_str_printf(&text, "%s -> ", w->drafts[w->path[i]].unit->name);
	schema_refuse(w->s, last->at_deps, "move what both need into a unit of its own",
		      "units depend on each other: %s%s", xb_str_get(&text), w->drafts[start].unit->name);
}

/* Depth first. The depth is the number of units at most, which the number of YAML nodes limits; no recursion. */
static void find_cycles(struct walk *w, size_t root, size_t *next)
{
	w->path[0] = root;
	w->depth = 1;
	w->colours[root] = GREY;
	next[root] = 0;
	while (w->depth) {
		const size_t at = w->path[w->depth - 1];
		const struct xb_unit *unit = w->drafts[at].unit;
		size_t dep;

		if (next[at] == n_needed(unit)) {
			w->colours[at] = BLACK;
			w->depth--;
			continue;
		}
		dep = index_of(w, needed(unit, next[at]++));
		if (w->colours[dep] == GREY) {
			report_cycle(w, dep);
		} else if (w->colours[dep] == WHITE) {
			w->colours[dep] = GREY;
			next[dep] = 0;
			w->path[w->depth++] = dep;
		}
	}
}

static void check_cycles(struct schema *s, struct draft *drafts, size_t len)
{
	struct walk w = {
		.s = s,
		.drafts = drafts,
		.colours = xb_arena_array(s->arena, len, sizeof(*w.colours)),
		.path = xb_arena_array(s->arena, len, sizeof(*w.path)),
	};
	size_t *next = xb_arena_array(s->arena, len, sizeof(*next));

	for (size_t i = 0; i < len; i++) {
		if (w.colours[i] == WHITE)
			find_cycles(&w, i, next);
	}
}

/* Two units that write one file would take turns in doing so. */
static void check_output(struct schema *s, struct xb_map *seen, const struct xb_unit *unit, const char *name,
			 struct xb_place at)
{
	const struct xb_unit *before = xb_map_put_str(seen, name, (void *)(uintptr_t)unit);

	if (before == unit)
		schema_refuse(s, at, "files go to out/<target>/ by their last component",
			      "unit '%s': two outputs are called '%s'", unit->name, name);
	/* Of one name are only duplicates, which were told when the text was read. */
	else if (before && strcmp(before->name, unit->name) != 0)
		schema_refuse(s, at, unit->foreign ? "rename one of them" : "set another 'output-name'",
			      "units '%s' and '%s' both make '%s'", before->name, unit->name, name);
}

static void check_outputs(struct schema *s)
{
	const struct xb_project *project = s->project;
	struct xb_map seen XB_CLEANUP(xb_map_release) = {0};

	for (size_t i = 0; i < project->n_units; i++) {
		const struct xb_unit *unit = project->units[i];

		for (size_t k = 0; k < unit->outputs.len; k++)
			check_output(s, &seen, unit, xb_output_file_name(unit->outputs.items[k]),
				     unit->outputs.at ? unit->outputs.at[k] : unit->at);
		if (!unit->foreign)
			check_output(s, &seen, unit, unit->output_name, unit->at);
	}
}

void project_read_build(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_project *project = field;
	struct draft *drafts;

	(void)arg;
	if (!schema_want_map(s, node, "build"))
		return;
	if (!node->n_items && !node->partial)
		schema_refuse(s, node->at, "add 'hello: { sources: [hello.c] }'", "build: expected at least one unit");
	drafts = xb_arena_array(s->arena, node->n_items, sizeof(*drafts));
	project->units = xb_arena_array(s->arena, node->n_items, sizeof(*project->units));
	project->n_units = node->n_items;
	for (size_t i = 0; i < node->n_items; i++) {
		struct xb_unit *unit = xb_arena_alloc(s->arena, sizeof(*unit));

		(void)schema_want_text(s, node->keys[i], &unit_name_rule, "unit");
		unit->name = node->keys[i]->text.ptr;
		unit->at = node->keys[i]->at;
		project->units[i] = drafts[i].unit = unit;
	}
	for (size_t i = 0; i < node->n_items; i++) {
		read_unit(s, node->keys[i], node->items[i], &drafts[i]);
		drafts[i].is_unknown = drafts[i].is_unknown || node->items[i]->refused || node->items[i]->partial;
		XB_VEC_RELEASE(&drafts[i].overrides);
	}
	for (size_t i = 0; i < node->n_items; i++)
		resolve_deps(s, drafts, &drafts[i]);
	check_cycles(s, drafts, node->n_items);
	check_outputs(s);
}
