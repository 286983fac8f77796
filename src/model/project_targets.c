/* SPDX-License-Identifier: Apache-2.0 */
/* The keys targets and profiles. */
#include <string.h>

#include "project_read.h"
#include "xbuild/model/names.h"

static bool is_cpu(struct xb_sv text)
{
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.ptr[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    (!strchr("+._-", c) || !i))
			return false;
	}
	/* "native" asks the compiler to look at this machine. */
	return text.len > 0 && !xb_sv_starts(text, "native");
}

static const struct text_rule cpu_rule = {is_cpu, "the name of a CPU",
					  "as in x86-64-v2 or cortex-a72; 'native' would depend on this machine", false,
					  false};
static const struct text_rule floor_rule = {xb_name_is_version_number, "a version of glibc", "as in \"2.34\"", false,
					    false};

static const struct schema_key target_keys[] = {
	{"cpu", schema_text, offsetof(struct xb_project_target, cpu), &cpu_rule, false},
	{"glibc-floor", schema_text, offsetof(struct xb_project_target, glibc_floor), &floor_rule, false},
};

static void refuse_target(struct schema *s, const struct xb_yaml *node)
{
	struct xb_diag *diag = schema_problem(s, node->at, "unknown target '%.*s'", XB_SV_ARG(node->text));
	const char *meant = xb_target_suggest(node->text);
	struct xb_str all XB_CLEANUP(xb_str_release) = {0};
	const struct xb_target *rows;
	size_t len;

	rows = xb_target_all(&len);
	for (size_t i = 0; i < len; i++)
		xb_str_printf(&all, "%s%s", i ? ", " : "", rows[i].name);
	if (meant)
		xb_diags_help(s->diags, diag, "did you mean '%s'?", meant);
	else
		xb_diags_help(s->diags, diag, "known here: %s", xb_str_get(&all));
}

/* Adds a target of the project; NULL when it is unknown or there already. */
static struct xb_project_target *add_target(struct schema *s, const struct xb_yaml *name)
{
	struct xb_project *project = s->project;
	const struct xb_target *target;
	struct xb_project_target *added;

	if (!schema_want_text(s, name, NULL, "target"))
		return NULL;
	target = xb_target_find(name->text);
	if (!target) {
		refuse_target(s, name);
		return NULL;
	}
	if (xb_project_target(project, target)) {
		schema_problem(s, name->at, "target '%s' is listed twice", target->name);
		return NULL;
	}
	added = &project->targets[project->n_targets++];
	added->target = target;
	added->at = name->at;
	return added;
}

static void read_target(struct schema *s, const struct xb_yaml *node, struct xb_project_target *target)
{
	const struct schema_group groups[] = {
		SCHEMA_GROUP(target_keys, target),
		{settings_keys, settings_keys_len, &target->settings},
	};

	schema_read(s, node, groups, XB_COUNT(groups), "target");
	if (target->glibc_floor && target->target->libc != XB_LIBC_GLIBC)
		schema_problem(s, node->at, "target '%s' has no glibc: 'glibc-floor' means nothing there",
			       target->target->name);
}

void project_read_targets(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_project *project = field;

	(void)arg;
	if (node->kind == XB_YAML_SCALAR) {
		schema_refuse(s, node->at, "write [linux-x86_64, linux-aarch64]",
			      "targets: expected a list of names, or a map of names and settings");
		return;
	}
	if (!node->n_items && !node->partial)
		schema_problem(s, node->at, "targets: expected at least one");
	project->targets = xb_arena_array(s->arena, node->n_items, sizeof(*project->targets));
	for (size_t i = 0; i < node->n_items; i++) {
		const bool is_map = node->kind == XB_YAML_MAP;
		struct xb_project_target *target = add_target(s, is_map ? node->keys[i] : node->items[i]);

		if (target && is_map)
			read_target(s, node->items[i], target);
	}
}

void project_default_targets(struct schema *s)
{
	struct xb_project *project = s->project;
	size_t len;
	const struct xb_target *rows = xb_target_all(&len);

	if (project->targets)
		return;
	project->targets = xb_arena_array(s->arena, len, sizeof(*project->targets));
	for (size_t i = 0; i < len; i++) {
		if (rows[i].is_default)
			project->targets[project->n_targets++].target = &rows[i];
	}
}

void project_target_names(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_words *out = field;
	struct xb_words words = {0};
	size_t len = 0;

	(void)arg;
	schema_words(s, node, &words, NULL);
	for (size_t i = 0; i < words.len; i++) {
		const struct xb_target *target = xb_target_find(xb_sv(words.items[i]));
		bool is_there = false;

		if (!target || !xb_project_target(s->project, target)) {
			schema_refuse(s, words.at[i], "only the names under 'targets' can be used here",
				      "'%s' is no target of this project", words.items[i]);
			continue;
		}
		for (size_t k = 0; k < len; k++)
			is_there = is_there || strcmp(words.items[k], target->name) == 0;
		if (is_there) {
			schema_problem(s, words.at[i], "target '%s' is listed twice", target->name);
			continue;
		}
		words.items[len] = target->name;
		words.at[len++] = words.at[i];
	}
	if (node->kind == XB_YAML_LIST && !node->n_items)
		schema_problem(s, node->at, "targets: expected at least one");
	words.len = len;
	*out = words;
}

static const struct enum_word optimize_words[] = {
	{"none", XB_OPTIMIZE_NONE}, {"speed", XB_OPTIMIZE_SPEED}, {"size", XB_OPTIMIZE_SIZE}, {NULL, 0}};
static const struct enum_word debug_words[] = {{"none", XB_DEBUG_NONE},
					       {"lines", XB_DEBUG_LINES},
					       {"full", XB_DEBUG_FULL},
					       {"split", XB_DEBUG_SPLIT},
					       {NULL, 0}};
static const struct enum_word lto_words[] = {
	{"none", XB_LTO_NONE}, {"thin", XB_LTO_THIN}, {"full", XB_LTO_FULL}, {NULL, 0}};

static const struct schema_key profile_keys[] = {
	{"optimize", schema_enum, offsetof(struct xb_profile, optimize), optimize_words, false},
	{"debug", schema_enum, offsetof(struct xb_profile, debug), debug_words, false},
	{"lto", schema_enum, offsetof(struct xb_profile, lto), lto_words, false},
	{"strip", schema_bool, offsetof(struct xb_profile, strip), NULL, false},
};

static const struct xb_profile builtin_profiles[] = {
	{.name = "dev", .optimize = XB_OPTIMIZE_NONE, .debug = XB_DEBUG_FULL},
	{.name = "release", .optimize = XB_OPTIMIZE_SPEED, .debug = XB_DEBUG_NONE, .strip = true},
};

void project_default_profiles(struct schema *s)
{
	struct xb_project *project = s->project;

	if (project->profiles)
		return;
	project->n_profiles = XB_COUNT(builtin_profiles);
	project->profiles = schema_keep(s, builtin_profiles, project->n_profiles, sizeof(*project->profiles));
}

/* The profile of that name; a new one starts as a copy of release, which the file may have changed. */
static struct xb_profile *get_profile(struct xb_project *project, const char *name)
{
	for (size_t i = 0; i < project->n_profiles; i++) {
		if (strcmp(project->profiles[i].name, name) == 0)
			return &project->profiles[i];
	}
	project->profiles[project->n_profiles] = project->profiles[1];
	project->profiles[project->n_profiles].name = name;
	return &project->profiles[project->n_profiles++];
}

static bool is_builtin_profile(struct xb_sv name)
{
	for (size_t i = 0; i < XB_COUNT(builtin_profiles); i++) {
		if (xb_sv_eq_str(name, builtin_profiles[i].name))
			return true;
	}
	return false;
}

static void read_profile(struct schema *s, const struct xb_yaml *name, const struct xb_yaml *node)
{
	struct xb_profile *profile;

	if (!schema_want_text(s, name, &unit_name_rule, "profile"))
		return;
	profile = get_profile(s->project, name->text.ptr);
	const struct schema_group groups[] = {
		SCHEMA_GROUP(profile_keys, profile),
		{settings_keys, settings_keys_len, &profile->settings},
	};
	schema_read(s, node, groups, XB_COUNT(groups), "profile");
}

void project_read_profiles(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_project *project = field;

	(void)arg;
	if (!schema_want_map(s, node, "profiles"))
		return;
	project->profiles =
		xb_arena_array(s->arena, node->n_items + XB_COUNT(builtin_profiles), sizeof(*project->profiles));
	memcpy(project->profiles, builtin_profiles, sizeof(builtin_profiles));
	project->n_profiles = XB_COUNT(builtin_profiles);
	/* Two passes: what the file says about release holds for the profiles that are based on it, wherever they stand. */
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < node->n_items; i++) {
			if (is_builtin_profile(node->keys[i]->text) == (pass == 0))
				read_profile(s, node->keys[i], node->items[i]);
		}
	}
}
