/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/model/project.h"

#include <stdlib.h>
#include <string.h>

#include "project_read.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/model/names.h"
#include "xbuild/model/subst.h"
#include "xbuild/sys/fs.h"

#define FILE_NAME	  "xbuild.yaml"
#define DEFAULT_TOOLCHAIN "llvm-" XB_DEFAULT_LLVM
#define DEFAULT_SYSROOT	  "debian-" XB_DEFAULT_DEBIAN
#define DEFAULT_RUST	  "rust-1.85"

void xb_project_free(struct xb_project *project)
{
	if (!project)
		return;
	xb_arena_release(&project->arena);
	free(project);
}

/* ">=0.1": the one form, so that nobody has to guess what another would mean. */
static bool is_requirement(struct xb_sv text)
{
	struct xb_sv number = xb_sv_n(text.ptr + 2, text.len > 2 ? text.len - 2 : 0), rest = number;

	if (!xb_sv_starts(text, ">=") || !xb_name_is_version_number(number))
		return false;
	(void)xb_sv_cut(&rest, '.');
	(void)xb_sv_cut(&rest, '.');
	return !rest.ptr && memchr(number.ptr, '.', number.len);
}

static bool is_var_name(struct xb_sv name)
{
	return xb_name_is_unit(name) && !memchr(name.ptr, '.', name.len);
}

static const struct text_rule requirement_rule = {is_requirement, "the form \">=0.1\"", NULL, false, false};
static const struct text_rule var_rule = {is_var_name, "a name of lower-case letters, digits, '_' and '-'", NULL, false,
					  false};
const struct text_rule package_rule = {xb_name_is_debian_package, "the name of a Debian package", NULL, false, false};

/* True when this program is new enough for the file. */
static bool check_requirement(struct schema *s, const struct xb_yaml *node)
{
	if (!schema_want_text(s, node, &requirement_rule, "xbuild") ||
	    xb_version_number_compare(xb_sv_n(node->text.ptr + 2, node->text.len - 2), xb_sv(XBUILD_VERSION)) <= 0)
		return true;
	schema_refuse(s, node->at, "install a newer xbuild", "this file is for xbuild %s; this is " XBUILD_VERSION,
		      node->text.ptr);
	return false;
}

static void read_version(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_project *project = field;
	struct xb_sv path;

	(void)arg;
	if (!schema_want_text(s, node, NULL, "version"))
		return;
	project->version = node->text.ptr;
	project->version_kind = XB_VERSION_LITERAL;
	if (xb_sv_eq_str(node->text, "git")) {
		project->version_kind = XB_VERSION_GIT;
	} else if (xb_sv_starts(node->text, "file:")) {
		path = node->text;
		(void)xb_sv_cut(&path, ':');
		project->version = path.ptr;
		project->version_kind = XB_VERSION_FILE;
		if (!path_rule.check(path))
			schema_refuse(s, node->at, path_rule.help,
				      "version: expected a path below the project, found '%s'", path.ptr);
	}
}

struct var {
	const char *value, *description;
};

static const struct schema_key var_keys[] = {
	{"default", schema_text, offsetof(struct var, value), &value_rule, true},
	{"description", schema_text, offsetof(struct var, description), &value_rule, false},
};

static void read_vars(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_pairs *vars = field;

	(void)arg;
	if (!schema_want_map(s, node, "vars"))
		return;
	vars->names = xb_arena_array(s->arena, node->n_items, sizeof(*vars->names));
	vars->values = xb_arena_array(s->arena, node->n_items, sizeof(*vars->values));
	vars->at = xb_arena_array(s->arena, node->n_items, sizeof(*vars->at));
	for (size_t i = 0; i < node->n_items; i++) {
		const struct xb_yaml *key = node->keys[i], *value = node->items[i];
		struct var var = {.value = ""};
		const struct schema_group group = SCHEMA_GROUP(var_keys, &var);

		if (!schema_want_text(s, key, &var_rule, "variable"))
			continue;
		if (xb_subst_is_builtin(key->text)) {
			schema_problem(s, key->at, "variable: '%s' is a name of xbuild", key->text.ptr);
			continue;
		}
		if (value->kind == XB_YAML_MAP)
			schema_read(s, value, &group, 1, "variable");
		else
			schema_text(s, value, &var.value, &value_rule);
		vars->names[vars->len] = key->text.ptr;
		vars->values[vars->len] = var.value;
		vars->at[vars->len++] = key->at;
	}
}

static void read_hosts(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_words words = {0};

	(void)arg;
	schema_word_set(s, node, &words, NULL);
	for (size_t i = 0; i < words.len; i++) {
		const struct xb_sv name = xb_sv(words.items[i]);

		if (!xb_host_find(name))
			schema_suggest(s, schema_problem(s, words.at[i], "unknown host '%s'", words.items[i]), name,
				       xb_host_names());
	}
	if (node->kind == XB_YAML_LIST && !node->n_items)
		schema_problem(s, node->at, "hosts: expected at least one");
	*(struct xb_words *)field = words;
}

/* Was read before all others. */
static void skip(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	(void)s;
	(void)node;
	(void)field;
	(void)arg;
}

#define PROJECT(field) offsetof(struct xb_project, field)

/* In the order of reading: what is named later must be known by then. */
static const struct schema_key project_keys[] = {
	{"xbuild", skip, 0, NULL, false},
	{"name", schema_text, PROJECT(name), &unit_name_rule, true},
	{"version", read_version, 0, NULL, false},
	{"license", schema_text, PROJECT(license), NULL, false},
	{"vars", read_vars, PROJECT(vars), NULL, false},
	{"toolchain", project_read_toolchain, 0, NULL, false},
	{"sysroot", project_read_sysroot, 0, NULL, false},
	{"hosts", read_hosts, PROJECT(hosts), NULL, false},
	{"targets", project_read_targets, 0, NULL, false},
	{"profiles", project_read_profiles, 0, NULL, false},
	{"build", project_read_build, 0, NULL, true},
	{"test", project_read_tests, 0, NULL, false},
	{"image", project_read_images, 0, NULL, false},
	{"tags", project_read_tags, 0, NULL, false},
};

static void set_defaults(struct schema *s)
{
	static const char *const hosts[] = {"linux-x86_64", "linux-aarch64", "darwin-aarch64"};
	struct xb_project *project = s->project;

	project->toolchain = DEFAULT_TOOLCHAIN;
	project->sysroot = DEFAULT_SYSROOT;
	project->snapshot = "latest";
	project->version_kind = XB_VERSION_GIT;
	project->version = "git";
	project->hosts.items = schema_keep(s, hosts, XB_COUNT(hosts), sizeof(*hosts));
	project->hosts.at = xb_arena_array(s->arena, XB_COUNT(hosts), sizeof(*project->hosts.at));
	project->hosts.len = XB_COUNT(hosts);
}

/* Whoever has cargo or crates in the project file needs a Rust. */
static void default_rust(struct xb_project *project)
{
	bool needed = project->crates.len > 0;

	for (size_t i = 0; i < project->n_units; i++)
		needed |= project->units[i]->driver == XB_DRIVER_CARGO;
	if (needed && !project->rust)
		project->rust = DEFAULT_RUST;
}

/* Targets and profiles have defaults that depend on the key being absent, and units need them. */
static void read_project(struct schema *s, const struct xb_yaml *root)
{
	const struct schema_group group = SCHEMA_GROUP(project_keys, s->project);
	const struct xb_yaml *requirement = xb_yaml_get(root, "xbuild");

	set_defaults(s);
	/* A file for a newer xbuild may hold keys that this one does not know: one problem says it all. */
	if (requirement && !check_requirement(s, requirement))
		return;
	if (!xb_yaml_get(root, "targets"))
		project_default_targets(s);
	if (!xb_yaml_get(root, "profiles"))
		project_default_profiles(s);
	schema_read(s, root, &group, 1, "project");
	project_default_tags(s);
	default_rust(s->project);
}

static bool is_before(const struct xb_diag *a, const struct xb_diag *b)
{
	return a->at.line != b->at.line ? a->at.line < b->at.line : a->at.col < b->at.col;
}

/* By place, as a reader of the file meets them. Insertion keeps equal places in order; there are 50 at most. */
static void sort_diags(struct xb_diags *diags, size_t from)
{
	for (size_t i = from + 1; i < diags->list.len; i++) {
		const struct xb_diag diag = diags->list.items[i];
		size_t k = i;

		for (; k > from && is_before(&diag, &diags->list.items[k - 1]); k--)
			diags->list.items[k] = diags->list.items[k - 1];
		diags->list.items[k] = diag;
	}
}

static void release_project(struct xb_project **project)
{
	xb_project_free(*project);
}

int xb_project_load(const char *dir, const char *file, struct xb_project **out, struct xb_diags *diags,
		    struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, file);
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	if (xb_fs_read(path, XB_MAX_YAML_BYTES, &text, err) < 0)
		return err->code;
	return xb_project_parse(dir, file, xb_str_sv(&text), out, diags, err);
}

int xb_project_parse(const char *dir, const char *file, struct xb_sv text, struct xb_project **out,
		     struct xb_diags *diags, struct xb_err *err)
{
	struct xb_project *project XB_CLEANUP(release_project) = xb_alloc(sizeof(*project));
	const size_t first = diags->list.len;
	struct schema s = {.arena = &project->arena,
			   .diags = diags,
			   .project = project,
			   .n_before = diags->list.len + diags->dropped};
	struct xb_yaml *root;

	project->dir = xb_arena_strdup(s.arena, dir);
	project->file = xb_arena_strdup(s.arena, file);
	project->source = s.source = xb_sv_n(xb_arena_sv(s.arena, text), text.len);
	if (xb_yaml_parse(s.source, file, s.arena, &root, diags, err) < 0 && !root)
		return err->code;
	read_project(&s, root);
	if (schema_failed(&s)) {
		sort_diags(diags, first);
		return err->code ? err->code : xb_fail(err, XB_E_INPUT, "%s is not valid", file);
	}
	*out = project;
	project = NULL;
	return 0;
}

int xb_project_find(const char *start, char **out_dir, struct xb_err *err)
{
	struct xb_sv dir = xb_sv(start);

	while (dir.len) {
		char *candidate XB_CLEANUP(xb_free_ptr) = xb_sv_dup(dir);
		char *file XB_CLEANUP(xb_free_ptr) = xb_path_join(candidate, FILE_NAME);

		if (xb_fs_exists(file)) {
			*out_dir = xb_strdup(candidate);
			return 0;
		}
		if (dir.len == 1)
			break;
		dir = xb_path_dir(dir);
	}
	xb_fail(err, XB_E_NOT_FOUND, "there is no " FILE_NAME " in '%s' or above it", start);
	return xb_hint(err, "run 'xbuild init' in the directory of your sources");
}

struct xb_unit *xb_project_unit(const struct xb_project *project, struct xb_sv name)
{
	for (size_t i = 0; i < project->n_units; i++) {
		if (xb_sv_eq_str(name, project->units[i]->name))
			return project->units[i];
	}
	return NULL;
}

struct xb_image *xb_project_image(const struct xb_project *project, struct xb_sv name)
{
	for (size_t i = 0; i < project->n_images; i++) {
		if (xb_sv_eq_str(name, project->images[i].name))
			return &project->images[i];
	}
	return NULL;
}

const struct xb_profile *xb_project_profile(const struct xb_project *project, const char *name)
{
	for (size_t i = 0; i < project->n_profiles; i++) {
		if (strcmp(project->profiles[i].name, name) == 0)
			return &project->profiles[i];
	}
	return NULL;
}

const struct xb_project_target *xb_project_target(const struct xb_project *project, const struct xb_target *target)
{
	for (size_t i = 0; i < project->n_targets; i++) {
		if (project->targets[i].target == target)
			return &project->targets[i];
	}
	return NULL;
}
