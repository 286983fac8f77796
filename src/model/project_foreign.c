/* SPDX-License-Identifier: Apache-2.0 */
/* Units that another build system makes: the keys of each driver. */
#include <assert.h>
#include <string.h>

#include "project_read.h"
#include "xbuild/base/path.h"
#include "xbuild/model/names.h"

static void skip(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	(void)s;
	(void)node;
	(void)field;
	(void)arg;
}

const struct schema_key project_driver_keys[] = {
	{"cmake", skip, 0, NULL, false},   {"meson", skip, 0, NULL, false}, {"autotools", skip, 0, NULL, false},
	{"make", skip, 0, NULL, false},	   {"cargo", skip, 0, NULL, false}, {"go", skip, 0, NULL, false},
	{"command", skip, 0, NULL, false},
};
const size_t project_driver_keys_len = XB_COUNT(project_driver_keys);

const char *xb_driver_key(enum xb_driver_kind kind)
{
	return kind == XB_DRIVER_SOURCES ? "sources" : project_driver_keys[kind - 1].name;
}

const char *xb_output_file_name(const char *output)
{
	const char *slash = strrchr(output, '/');

	return slash ? slash + 1 : output;
}

static bool is_output(struct xb_sv text)
{
	return xb_path_is_safe(text) && !memchr(text.ptr, '$', text.len) && text.ptr[0] != '~';
}

static bool is_option(struct xb_sv text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (strchr("= \"';", text.ptr[i]))
			return false;
	}
	return text.len > 0 && text.ptr[0] != '-';
}

const struct text_rule output_rule = {is_output, "a path below the prefix it installs to", "as in bin/tool", false,
				      false};
static const struct text_rule option_rule = {is_option, "the name of an option", "without '-', '=' and blanks", false,
					     false};
static const struct text_rule env_rule = {xb_name_is_env, "the name of an environment variable", NULL, false, false};
static const struct pair_rule option_pairs = {&option_rule, &value_rule, true};
static const struct pair_rule env_pairs = {&env_rule, &value_rule, true};
static const struct text_rule name_rule = {is_option, "a name", NULL, false, false};

/* Refuses names that xbuild gives itself. `names` ends with NULL. */
static void refuse_names(struct schema *s, const struct xb_pairs *pairs, const char *const *names, const char *help)
{
	for (size_t i = 0; i < pairs->len; i++) {
		for (size_t k = 0; names[k]; k++) {
			if (strcmp(pairs->names[i], names[k]) == 0)
				schema_refuse(s, pairs->at[i], help, "'%s' is set by xbuild", names[k]);
		}
	}
}

static void read_env(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	static const char *const ours[] = {"PATH", "HOME", "TMPDIR", "MAKEFLAGS", "DESTDIR", "SOURCE_DATE_EPOCH", NULL};

	(void)arg;
	schema_pairs(s, node, field, &env_pairs);
	refuse_names(s, field, ours, "remove it; what a unit needs in PATH is named in 'host-tools'");
}

static void read_options(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	static const char *const ours[] = {"CMAKE_TOOLCHAIN_FILE",
					   "CMAKE_SYSROOT",
					   "CMAKE_SYSTEM_NAME",
					   "CMAKE_C_COMPILER",
					   "CMAKE_CXX_COMPILER",
					   "CMAKE_INSTALL_PREFIX",
					   "CMAKE_BUILD_TYPE",
					   "CMAKE_STAGING_PREFIX",
					   "prefix",
					   "cross-file",
					   "buildtype",
					   "host",
					   NULL};

	(void)arg;
	schema_pairs(s, node, field, &option_pairs);
	refuse_names(s, field, ours, "remove it; target, sysroot and profile come from the project file");
}

/* Words in which ${...} is allowed. */
static void read_args(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	schema_words(s, node, field, arg ? arg : &word_rule);
	for (size_t i = 0; node->kind == XB_YAML_LIST && i < node->n_items; i++) {
		if (node->items[i]->kind == XB_YAML_SCALAR && !node->items[i]->refused)
			schema_check_subst(s, node->items[i]);
	}
}

/* "install: install" is [install]. */
static void read_goals(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_words *out = field;

	if (node->kind != XB_YAML_SCALAR) {
		schema_words(s, node, field, arg);
		return;
	}
	if (!schema_want_text(s, node, arg, s->key))
		return;
	out->items = xb_arena_array(s->arena, 1, sizeof(*out->items));
	out->at = xb_arena_array(s->arena, 1, sizeof(*out->at));
	out->items[0] = node->text.ptr;
	out->at[0] = node->at;
	out->len = 1;
}

static void read_run(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_argvs *run = field;

	(void)arg;
	if (!schema_want_list(s, node, "run"))
		return;
	run->items = xb_arena_array(s->arena, node->n_items, sizeof(*run->items));
	for (size_t i = 0; i < node->n_items; i++) {
		struct xb_words words = {0};

		if (node->items[i]->kind != XB_YAML_LIST && !node->items[i]->refused)
			schema_refuse(s, node->items[i]->at,
				      "as in [[make, all], [cp, tool, bin/tool]]; no shell reads it",
				      "run: expected a list of words for each command");
		else
			read_args(s, node->items[i], &words, NULL);
		if (words.len)
			run->items[run->len++] = words;
		else if (node->items[i]->kind == XB_YAML_LIST && !node->items[i]->n_items)
			schema_problem(s, node->items[i]->at, "run: a command has at least one word");
	}
}

#define FOREIGN(field) offsetof(struct xb_foreign, field)
#define ADDED(field)   offsetof(struct xb_foreign_settings, field)

/* What each driver has of the settings that targets and profiles may add to. */
enum { OPTIONS = 1, CACHE = 2, ARGS = 4 };
static const int has[XB_N_DRIVERS] = {
	[XB_DRIVER_CMAKE] = OPTIONS | CACHE | ARGS,
	[XB_DRIVER_MESON] = OPTIONS | ARGS,
	[XB_DRIVER_AUTOTOOLS] = OPTIONS | CACHE | ARGS,
	[XB_DRIVER_MAKE] = ARGS,
	[XB_DRIVER_CARGO] = ARGS,
	[XB_DRIVER_GO] = ARGS,
};
static const struct schema_key env_key = {"env", read_env, ADDED(env), NULL, false};
static const struct schema_key options_key = {"options", read_options, ADDED(options), NULL, false};
static const struct schema_key cache_key = {"cache", schema_pairs, ADDED(cache), &option_pairs, false};
static const struct schema_key args_key = {"args", read_args, ADDED(args), NULL, false};

static const struct schema_key cmake_keys[] = {
	{"dir", schema_text, FOREIGN(dir), &path_rule, false},
	{"copy", schema_bool, FOREIGN(copy), NULL, false},
	{"source", schema_text, FOREIGN(source), &path_rule, false},
	{"preset", schema_text, FOREIGN(preset), &name_rule, false},
	{"build-type", schema_text, FOREIGN(build_type), &name_rule, false},
	{"targets", schema_word_set, FOREIGN(targets), &name_rule, false},
};
static const struct schema_key meson_keys[] = {
	{"dir", schema_text, FOREIGN(dir), &path_rule, false},
	{"copy", schema_bool, FOREIGN(copy), NULL, false},
	{"source", schema_text, FOREIGN(source), &path_rule, false},
};
static const struct schema_key autotools_keys[] = {
	{"dir", schema_text, FOREIGN(dir), &path_rule, false},
	{"make-args", read_args, FOREIGN(make_args), NULL, false},
	{"autoreconf", schema_bool, FOREIGN(autoreconf), NULL, false},
};
static const struct schema_key make_keys[] = {
	{"dir", schema_text, FOREIGN(dir), &path_rule, false},
	{"install", read_goals, FOREIGN(install), &name_rule, false},
};
static const struct schema_key cargo_keys[] = {
	{"dir", schema_text, FOREIGN(dir), &path_rule, false},
	{"copy", schema_bool, FOREIGN(copy), NULL, false},
	{"bins", schema_word_set, FOREIGN(bins), &name_rule, true},
	{"features", schema_word_set, FOREIGN(features), &name_rule, false},
	{"profile", schema_text, FOREIGN(profile), &name_rule, false},
	{"vendor", schema_text, FOREIGN(vendor), &path_rule, false},
	{"test", schema_bool, FOREIGN(test), NULL, false},
};
static const struct schema_key go_keys[] = {
	{"dir", schema_text, FOREIGN(dir), &path_rule, false},
	{"packages", schema_word_set, FOREIGN(packages), &word_rule, false},
	{"tags", schema_word_set, FOREIGN(tags), &name_rule, false},
	{"ldflags", read_args, FOREIGN(ldflags), NULL, false},
};
static const struct schema_key command_keys[] = {
	{"dir", schema_text, FOREIGN(dir), &path_rule, false},	   {"run", read_run, FOREIGN(run), NULL, false},
	{"configure", read_args, FOREIGN(configure), NULL, false}, {"build", read_args, FOREIGN(build), NULL, false},
	{"install", read_args, FOREIGN(install), NULL, false},
};

#define TABLE(keys)                                                                                                    \
	{                                                                                                              \
		keys, XB_COUNT(keys)                                                                                   \
	}

static const struct {
	const struct schema_key *keys;
	size_t len;
} tables[XB_N_DRIVERS] = {
	[XB_DRIVER_CMAKE] = TABLE(cmake_keys),	       [XB_DRIVER_MESON] = TABLE(meson_keys),
	[XB_DRIVER_AUTOTOOLS] = TABLE(autotools_keys), [XB_DRIVER_MAKE] = TABLE(make_keys),
	[XB_DRIVER_CARGO] = TABLE(cargo_keys),	       [XB_DRIVER_GO] = TABLE(go_keys),
	[XB_DRIVER_COMMAND] = TABLE(command_keys),
};

#define MAX_GROUPS 5 /* a driver's own, and the four of settings, of one key each */

static size_t settings_groups(enum xb_driver_kind driver, struct xb_foreign_settings *settings,
			      struct schema_group *out)
{
	size_t n = 0;

	out[n++] = (struct schema_group){&env_key, 1, settings};
	if (has[driver] & OPTIONS)
		out[n++] = (struct schema_group){&options_key, 1, settings};
	if (has[driver] & CACHE)
		out[n++] = (struct schema_group){&cache_key, 1, settings};
	if (has[driver] & ARGS)
		out[n++] = (struct schema_group){&args_key, 1, settings};
	return n;
}

static enum xb_foreign_type type_of(const struct schema_key *key)
{
	static const struct {
		schema_fn *read;
		enum xb_foreign_type type;
	} types[] = {
		{schema_text, XB_FOREIGN_TEXT},	  {schema_bool, XB_FOREIGN_BOOL}, {schema_word_set, XB_FOREIGN_WORDS},
		{read_args, XB_FOREIGN_ARGS},	  {read_goals, XB_FOREIGN_ARGS},  {schema_pairs, XB_FOREIGN_PAIRS},
		{read_options, XB_FOREIGN_PAIRS}, {read_env, XB_FOREIGN_PAIRS},	  {read_run, XB_FOREIGN_ARGVS},
	};
	size_t i = 0;

	while (types[i].read != key->read) {
		i++;
		assert(i < XB_COUNT(types));
	}
	return types[i].type;
}

bool xb_foreign_key(enum xb_driver_kind kind, size_t i, struct xb_foreign_key *out)
{
	struct schema_group groups[MAX_GROUPS];
	const struct schema_key *key;
	struct xb_foreign any;
	const size_t own = tables[kind].len;

	if (i >= own + settings_groups(kind, &any.settings, groups))
		return false;
	key = i < own ? &tables[kind].keys[i] : groups[i - own].keys;
	*out = (struct xb_foreign_key){key->name, type_of(key),
				       key->offset + (i < own ? 0 : offsetof(struct xb_foreign, settings))};
	return true;
}

/* What cargo installs is told by its bins. */
static void default_outputs(struct schema *s, struct xb_unit *unit)
{
	const struct xb_words *bins = &unit->foreign->bins;

	if (unit->outputs.items || !bins->len)
		return;
	unit->outputs.items = xb_arena_array(s->arena, bins->len, sizeof(*unit->outputs.items));
	for (size_t i = 0; i < bins->len; i++)
		unit->outputs.items[i] = xb_arena_printf(s->arena, "bin/%s", bins->items[i]);
	unit->outputs.at = bins->at;
	unit->outputs.len = bins->len;
}

/* What is read besides is in no key of the result. */
static void check_vendor(struct schema *s, const struct xb_yaml *node, const struct xb_foreign *f)
{
	const struct xb_yaml *vendor = f->vendor ? xb_yaml_get(node, "vendor") : NULL;
	const size_t n = strlen(f->dir);

	if (!vendor || strcmp(f->dir, ".") == 0 || (strncmp(f->vendor, f->dir, n) == 0 && f->vendor[n] == '/'))
		return;
	schema_refuse(s, vendor->at, xb_arena_printf(s->arena, "as in %s/vendor", f->dir),
		      "vendor: expected a directory below 'dir', %s", f->dir);
}

static void check_command(struct schema *s, const struct xb_yaml *node, const struct xb_unit *unit)
{
	const struct xb_foreign *f = unit->foreign;
	const bool steps = f->configure.len || f->build.len || f->install.len;

	if (unit->driver != XB_DRIVER_COMMAND || node->refused || node->partial)
		return;
	if (f->run.len && steps)
		schema_refuse(s, f->at, "commands of 'run' run one behind the other",
			      "unit '%s': 'run' stands alone, or there are 'configure', 'build' and 'install'",
			      unit->name);
	else if (!f->run.len && !steps && !xb_yaml_get(node, "run"))
		schema_refuse(s, f->at, "add 'run: [[program, argument]]'", "unit '%s' has no commands", unit->name);
}

void project_read_foreign(struct schema *s, const struct xb_yaml *node, struct xb_unit *unit)
{
	const struct xb_yaml *value = xb_yaml_get(node, xb_driver_key(unit->driver));
	struct schema_group groups[MAX_GROUPS];
	size_t n;

	unit->foreign->dir = ".";
	groups[0] = (struct schema_group){tables[unit->driver].keys, tables[unit->driver].len, unit->foreign};
	n = 1 + settings_groups(unit->driver, &unit->foreign->settings, groups + 1);
	schema_read(s, value, groups, n, xb_driver_key(unit->driver));
	check_command(s, value, unit);
	check_vendor(s, value, unit->foreign);
	default_outputs(s, unit);
	if (unit->outputs.len)
		unit->output_name = xb_output_file_name(unit->outputs.items[0]);
}

void project_read_foreign_override(struct schema *s, const struct xb_yaml *node, enum xb_driver_kind driver,
				   struct xb_override *override, const char *what)
{
	struct schema_group groups[MAX_GROUPS];

	schema_read(s, node, groups, settings_groups(driver, &override->foreign, groups), what);
}
