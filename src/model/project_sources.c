/* SPDX-License-Identifier: Apache-2.0 */
/* The keys toolchain and sysroot: where the two are taken from. */
#include <string.h>

#include "archive_read.h"
#include "project_read.h"
#include "xbuild/base/path.h"
#include "xbuild/model/names.h"
#include "xbuild/model/timestamp.h"

#define OWN_TOOLCHAIN "archive"
#define OWN_ARCHIVE   "archive"
#define OWN_DIRECTORY "directory"

static bool is_major(struct xb_sv text)
{
	return xb_name_is_version_number(text) && !memchr(text.ptr, '.', text.len) && text.ptr[0] != '0';
}

static bool is_snapshot(struct xb_sv text)
{
	int64_t when;

	return xb_sv_eq_str(text, "latest") || xb_timestamp_parse(text, &when);
}

/* "22.1.8": what a compiler says of itself. */
static bool is_full_version(struct xb_sv text)
{
	struct xb_sv rest = text;

	(void)xb_sv_cut(&rest, '.');
	return xb_name_is_version_number(text) && rest.ptr && memchr(rest.ptr, '.', rest.len);
}

static const struct text_rule major_rule = {is_major, "a major version of LLVM", "as in \"22\"", false, false};
static const struct text_rule full_version_rule = {is_full_version, "the whole version of the compiler",
						   "as 'clang --version' says it: \"22.1.8\"", false, false};
static const struct text_rule suite_rule = {xb_name_is_suite, "the name of a Debian release", "as in bookworm", false,
					    false};
static const struct text_rule name_rule = {xb_name_is_suite, "a name of letters, digits, '.' and '-'", NULL, false,
					   false};
static const struct text_rule dist_rule = {xb_path_is_safe, "the name of a suite below dists/", "as in bookworm-pgdg",
					   false, false};
static const struct text_rule pattern_rule = {xb_path_is_safe, "a pattern of paths below the sysroot",
					      "as in usr/share/**", false, false};
static const struct text_rule snapshot_rule = {is_snapshot, "'latest' or a time", "as in 2026-11-20T00:00:00Z", false,
					       false};

static const struct archive_rule host_archives = {archive_host, "host", true};
static const struct archive_rule target_archives = {archive_target, "target", true};

/* ---- toolchain ---- */

static void read_llvm(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_project *project = field;

	(void)arg;
	if (!schema_want_text(s, node, &major_rule, "llvm"))
		return;
	project->toolchain = xb_arena_printf(s->arena, "llvm-%s", node->text.ptr);
	project->at_toolchain = node->at;
}

static void read_size(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	static const struct enum_word words[] = {{"small", false}, {"full", true}, {NULL, 0}};
	int value = *(bool *)field;

	(void)arg;
	schema_enum(s, node, &value, words);
	*(bool *)field = value;
}

static bool is_rust(struct xb_sv text)
{
	return xb_sv_eq_str(text, XB_RUST_HOST) || xb_name_is_version_number(text);
}

static const struct text_rule rust_rule = {is_rust, "a version of Rust, or host", "as in \"1.85\"", false, false};

static void read_rust(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_project *project = field;

	(void)arg;
	if (!schema_want_text(s, node, &rust_rule, "rust"))
		return;
	project->rust = xb_sv_eq_str(node->text, XB_RUST_HOST) ? XB_RUST_HOST
							       : xb_arena_printf(s->arena, "rust-%s", node->text.ptr);
	project->at_rust = node->at;
}

/* After "rust": crates of Debian go with a compiler of Debian. */
static void read_crates(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_project *project = field;

	(void)arg;
	schema_word_set(s, node, &project->crates, &package_rule);
	if (project->rust && !strcmp(project->rust, XB_RUST_HOST))
		schema_refuse(s, node->at, "name a version, as in 'rust: \"1.85\"', or vendor the crates",
			      "crates: Debian's need a locked Rust, not the host's");
}

static const struct enum_word source_words[] = {{"packages", XB_TOOLCHAIN_ANY},
						{"official", XB_TOOLCHAIN_OFFICIAL},
						{"minimal", XB_TOOLCHAIN_MINIMAL},
						{NULL, 0}};

static const struct schema_key toolchain_keys[] = {
	{"llvm", read_llvm, 0, NULL, false},
	{"rust", read_rust, 0, NULL, false},
	{"crates", read_crates, 0, NULL, false},
	{"profile", read_size, offsetof(struct xb_project, toolchain_full), NULL, false},
	{"source", schema_enum, offsetof(struct xb_project, toolchain_source), source_words, false},
	{"version", schema_text, offsetof(struct xb_project, toolchain_version), &full_version_rule, false},
	{"archive", archive_read_map, offsetof(struct xb_project, toolchain_archives), &host_archives, false},
};

static void check_toolchain(struct schema *s, const struct xb_yaml *node, struct xb_project *project)
{
	const struct xb_yaml *archive = xb_yaml_get(node, "archive"), *version = xb_yaml_get(node, "version");

	if (!archive && version)
		schema_refuse(s, version->at, "for a toolchain of xbuild's list give 'llvm:'",
			      "toolchain: 'version' belongs to 'archive'");
	if (!archive)
		return;
	if (xb_yaml_get(node, "llvm") || xb_yaml_get(node, "source"))
		schema_problem(s, archive->at, "toolchain: 'archive' stands in place of 'llvm' and 'source'");
	if (!version && !node->partial)
		schema_refuse(s, archive->at, "add 'version:', which 'clang --version' must say",
			      "toolchain: an archive needs a version");
	project->toolchain = OWN_TOOLCHAIN;
	project->toolchain_source = XB_TOOLCHAIN_OWN;
	project->at_toolchain = archive->at;
}

void project_read_toolchain(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	const struct schema_group group = SCHEMA_GROUP(toolchain_keys, field);

	(void)arg;
	if (node->kind == XB_YAML_SCALAR && node->text.len) {
		schema_refuse(s, node->at, "as in 'toolchain: { llvm: \"22\" }'",
			      "toolchain: expected a map, found text");
		return;
	}
	schema_read(s, node, &group, 1, "toolchain");
	if (node->kind == XB_YAML_MAP)
		check_toolchain(s, node, field);
}

/* ---- sysroot ---- */

/* The value with the key before it is the name of a data file. */
static void read_named(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_project *project = field;
	const char *prefix = arg;

	if (!schema_want_text(s, node, &suite_rule, prefix))
		return;
	project->sysroot = xb_arena_printf(s->arena, "%s-%s", prefix, node->text.ptr);
	project->at_sysroot = node->at;
}

static void read_archive(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_project *project = field;

	(void)arg;
	archive_read_map(s, node, &project->sysroot_archives, &target_archives);
	project->sysroot = OWN_ARCHIVE;
	project->sysroot_source = XB_SYSROOT_ARCHIVE;
	project->at_sysroot = node->at;
}

/* Its content is locked by digest, so it may lie anywhere. */
static bool is_directory(struct xb_sv text)
{
	return text.len > 1 && text.ptr[0] == '/' ? xb_path_is_safe(xb_sv_n(text.ptr + 1, text.len - 1))
						  : path_rule.check(text);
}

static const struct text_rule directory_rule = {is_directory, "the path of a directory",
						"relative to the project file or absolute, without '..' or a final '/'",
						false, false};

static void add_directory(struct schema *s, const struct xb_yaml *node, const char *owner, struct xb_archive_refs *refs)
{
	if (!schema_want_text(s, node, &directory_rule, "dir"))
		return;
	refs->items[refs->len++] = (struct xb_archive_ref){
		.owner = owner,
		.at = node->at,
		.url = node->text.ptr[0] == '/' ? node->text.ptr
						: xb_arena_printf(s->arena, XB_LOCAL_FILE "%s", node->text.ptr)};
}

static void read_dir(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_project *project = field;
	struct xb_archive_refs *refs = &project->sysroot_archives;

	(void)arg;
	project->sysroot = OWN_DIRECTORY;
	project->sysroot_source = XB_SYSROOT_DIR;
	project->at_sysroot = node->at;
	refs->items = xb_arena_array(s->arena, node->n_items + 1, sizeof(*refs->items));
	if (node->kind == XB_YAML_SCALAR) {
		add_directory(s, node, NULL, refs);
		return;
	}
	if (!schema_want_map(s, node, "dir"))
		return;
	for (size_t i = 0; i < node->n_items; i++) {
		const struct xb_yaml *name = node->keys[i];
		const char *owner = name->kind == XB_YAML_SCALAR ? archive_target(name->text) : NULL;

		if (!owner)
			schema_problem(s, name->at, "unknown target '%.*s'", XB_SV_ARG(name->text));
		else if (xb_archive_ref_find(refs, owner))
			schema_problem(s, name->at, "target '%s' is listed twice", owner);
		else
			add_directory(s, node->items[i], owner, refs);
	}
}

#define SUITE(field) offsetof(struct xb_project_suite, field)

static const struct schema_key suite_keys[] = {
	{"packages", schema_word_set, SUITE(packages), &package_rule, false},
};

static const struct schema_key repository_keys[] = {
	{"url", schema_text, SUITE(url), &archive_url_rule, true},
	{"suite", schema_text, SUITE(suite), &dist_rule, true},
	{"components", schema_word_set, SUITE(components), &name_rule, true},
	{"key", schema_text, SUITE(key), &path_rule, true},
	{"packages", schema_word_set, SUITE(packages), &package_rule, false},
};

static bool has_suite(const struct xb_project_suites *suites, const char *name)
{
	for (size_t i = 0; i < suites->len; i++)
		if (strcmp(suites->items[i].name, name) == 0)
			return true;
	return false;
}

/* One more of `suites`, which grows: there are few. NULL when the name is no name or taken. */
static struct xb_project_suite *add_suite(struct schema *s, const struct xb_yaml *name,
					  struct xb_project_suites *suites)
{
	struct xb_project_suite *items;

	if (!schema_want_text(s, name, &name_rule, "suite"))
		return NULL;
	if (has_suite(suites, name->text.ptr)) {
		schema_problem(s, name->at, "'%s' is listed twice", name->text.ptr);
		return NULL;
	}
	items = xb_arena_array(s->arena, suites->len + 1, sizeof(*items));
	if (suites->len)
		memcpy(items, suites->items, suites->len * sizeof(*items));
	suites->items = items;
	items[suites->len] = (struct xb_project_suite){.name = name->text.ptr, .at = name->at};
	return &items[suites->len++];
}

static void read_suites(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_project *project = field;

	(void)arg;
	if (node->kind == XB_YAML_SCALAR && node->text.len) {
		schema_refuse(s, node->at, "as in 'suites: [backports]'",
			      "suites: expected a list or a map, found text");
		return;
	}
	for (size_t i = 0; i < node->n_items; i++) {
		const bool is_map = node->kind == XB_YAML_MAP;
		struct xb_project_suite *suite =
			add_suite(s, is_map ? node->keys[i] : node->items[i], &project->suites);
		const struct schema_group group = SCHEMA_GROUP(suite_keys, suite);

		if (suite && is_map)
			schema_read(s, node->items[i], &group, 1, "suite");
	}
}

static void read_repositories(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_project *project = field;

	(void)arg;
	if (!schema_want_map(s, node, "repositories"))
		return;
	for (size_t i = 0; i < node->n_items; i++) {
		struct xb_project_suite *suite = add_suite(s, node->keys[i], &project->suites);
		const struct schema_group group = SCHEMA_GROUP(repository_keys, suite);

		if (!suite)
			continue;
		schema_read(s, node->items[i], &group, 1, "repository");
		if (!suite->components.len && xb_yaml_get(node->items[i], "components"))
			schema_problem(s, suite->at, "repository '%s': expected at least one component", suite->name);
	}
}

static const struct schema_key sysroot_keys[] = {
	{"debian", read_named, 0, "debian", false},
	{"chromium", read_named, 0, "chromium", false},
	{"archive", read_archive, 0, NULL, false},
	{"dir", read_dir, 0, NULL, false},
	{"drop", schema_word_set, offsetof(struct xb_project, sysroot_drop), &pattern_rule, false},
	{"snapshot", schema_text, offsetof(struct xb_project, snapshot), &snapshot_rule, false},
	{"packages", schema_word_set, offsetof(struct xb_project, packages), &package_rule, false},
	{"suites", read_suites, 0, NULL, false},
	{"repositories", read_repositories, 0, NULL, false},
};

/* The packages of a suite are packages of the sysroot. */
static void join_packages(struct schema *s, struct xb_project *project)
{
	struct xb_words all = project->packages;
	size_t n = all.len;

	for (size_t i = 0; i < project->suites.len; i++)
		n += project->suites.items[i].packages.len;
	project->packages = (struct xb_words){.items = xb_arena_array(s->arena, n + 1, sizeof(*all.items)),
					      .at = xb_arena_array(s->arena, n + 1, sizeof(*all.at))};
	for (size_t i = 0; i <= project->suites.len; i++) {
		const struct xb_words *from = i ? &project->suites.items[i - 1].packages : &all;
		struct xb_words *to = &project->packages;

		for (size_t k = 0; k < from->len; k++) {
			size_t at = 0;

			while (at < to->len && strcmp(to->items[at], from->items[k]) != 0)
				at++;
			if (at < to->len && i)
				schema_problem(s, from->at[k], "package '%s' is listed twice", from->items[k]);
			to->items[at] = from->items[k];
			to->at[at] = from->at[k];
			to->len += at == to->len;
		}
	}
}

static void check_sysroot(struct schema *s, const struct xb_yaml *node, struct xb_project *project)
{
	static const char *const kinds[] = {"debian", "chromium", "archive", "dir"};
	static const char *const of_packages[] = {"packages", "suites", "repositories", "snapshot"};
	const struct xb_yaml *drop = xb_yaml_get(node, "drop");
	const char *kind = NULL;

	for (size_t i = 0; i < XB_COUNT(kinds); i++) {
		const struct xb_yaml *value = xb_yaml_get(node, kinds[i]);

		if (value && kind)
			schema_problem(s, value->at, "sysroot: '%s' and '%s' exclude each other", kind, kinds[i]);
		kind = value ? kinds[i] : kind;
	}
	for (size_t i = 0; kind && strcmp(kind, "debian") != 0 && i < XB_COUNT(of_packages); i++) {
		const struct xb_yaml *value = xb_yaml_get(node, of_packages[i]);

		if (value)
			schema_refuse(s, value->at, "put what is missing into the tree itself, or use 'debian:'",
				      "sysroot: '%s' is only for a sysroot of Debian packages", of_packages[i]);
	}
	if (drop && project->sysroot_source == XB_SYSROOT_DATA)
		schema_problem(s, drop->at, "sysroot: 'drop' is only for 'archive' and 'dir'");
	join_packages(s, project);
}

void project_read_sysroot(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	const struct schema_group group = SCHEMA_GROUP(sysroot_keys, field);

	(void)arg;
	if (node->kind == XB_YAML_SCALAR && node->text.len) {
		schema_refuse(s, node->at, "as in 'sysroot: { debian: bookworm }'",
			      "sysroot: expected a map, found text");
		return;
	}
	schema_read(s, node, &group, 1, "sysroot");
	if (node->kind == XB_YAML_MAP)
		check_sysroot(s, node, field);
}
