/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/op_pkg_config.h"

#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/sv.h"
#include "xbuild/base/vec.h"
#include "xbuild/build/command.h"
#include "xbuild/build/pkgconfig.h"

/* The pkgconf whose options and answers these are; build systems ask before they use it. */
#define LEVEL "1.8.1"

enum part { INCLUDES = 1, OTHER_CFLAGS = 2, LIBRARIES = 4, DIRECTORIES = 8, OTHER_LIBS = 16 };

enum query {
	NO_QUERY,
	MODVERSION,
	REQUIRES,
	REQUIRES_PRIVATE,
	PROVIDES,
	VARIABLES,
	VARIABLE,
	LIST_ALL,
	LIST_NAMES,
	EXISTS
};

/* One run. */
struct run {
	const struct xb_pkg_config_opts *opts;
	struct xb_arena arena;
	struct xb_pkgconfig *reader;
	unsigned parts; /* of enum part */
	enum query query;
	bool for_static, silent, loud, to_stdout, version, uninstalled;
	const char *variable, *sign, *wanted,
		*level; /* --variable; --atleast-version ...; --atleast-pkgconfig-version */
	struct xb_str modules;
	struct xb_str *out, *errors;
};

/* A row sets what its option means; the ones that have nothing to set change nothing here. */
static const struct row {
	const char *name;
	unsigned parts;
	enum query query;
	bool takes_value;
	size_t flag; /* offset of a bool in struct run, or 0 */
} rows[] = {
	{"cflags", INCLUDES | OTHER_CFLAGS, NO_QUERY, false, 0},
	{"cflags-only-I", INCLUDES, NO_QUERY, false, 0},
	{"cflags-only-other", OTHER_CFLAGS, NO_QUERY, false, 0},
	{"libs", LIBRARIES | DIRECTORIES | OTHER_LIBS, NO_QUERY, false, 0},
	{"libs-only-l", LIBRARIES, NO_QUERY, false, 0},
	{"libs-only-L", DIRECTORIES, NO_QUERY, false, 0},
	{"libs-only-other", OTHER_LIBS, NO_QUERY, false, 0},
	{"static", 0, NO_QUERY, false, offsetof(struct run, for_static)},
	{"exists", 0, EXISTS, false, 0},
	{"validate", 0, EXISTS, false, 0},
	{"modversion", 0, MODVERSION, false, 0},
	{"print-requires", 0, REQUIRES, false, 0},
	{"print-requires-private", 0, REQUIRES_PRIVATE, false, 0},
	{"print-provides", 0, PROVIDES, false, 0},
	{"print-variables", 0, VARIABLES, false, 0},
	{"list-all", 0, LIST_ALL, false, 0},
	{"list-package-names", 0, LIST_NAMES, false, 0},
	{"version", 0, NO_QUERY, false, offsetof(struct run, version)},
	{"uninstalled", 0, NO_QUERY, false, offsetof(struct run, uninstalled)},
	{"print-errors", 0, NO_QUERY, false, offsetof(struct run, loud)},
	{"silence-errors", 0, NO_QUERY, false, offsetof(struct run, silent)},
	{"errors-to-stdout", 0, NO_QUERY, false, offsetof(struct run, to_stdout)},
	{"short-errors", 0, NO_QUERY, false, 0},
	{"shared", 0, NO_QUERY, false, 0},
	{"pure", 0, NO_QUERY, false, 0},
	{"keep-system-cflags", 0, NO_QUERY, false, 0},
	{"keep-system-libs", 0, NO_QUERY, false, 0},
	{"define-prefix", 0, NO_QUERY, false, 0},
	{"dont-define-prefix", 0, NO_QUERY, false, 0},
	{"dont-relocate-paths", 0, NO_QUERY, false, 0},
	{"env-only", 0, NO_QUERY, false, 0},
	{"ignore-conflicts", 0, NO_QUERY, false, 0},
	{"no-cache", 0, NO_QUERY, false, 0},
	{"no-uninstalled", 0, NO_QUERY, false, 0},
	{"maximum-traverse-depth", 0, NO_QUERY, true, 0},
	{"prefix-variable", 0, NO_QUERY, true, 0},
	{"variable", 0, VARIABLE, true, 0},
	{"define-variable", 0, NO_QUERY, true, 0},
	{"atleast-version", 0, EXISTS, true, 0},
	{"exact-version", 0, EXISTS, true, 0},
	{"max-version", 0, EXISTS, true, 0},
	{"atleast-pkgconfig-version", 0, NO_QUERY, true, 0},
};

static void set_value(struct run *run, const struct row *row, const char *value)
{
	static const char *const signs[][2] = {
		{"atleast-version", ">="}, {"exact-version", "="}, {"max-version", "<="}};
	struct xb_sv rest = xb_sv(value), name;

	for (size_t i = 0; i < XB_COUNT(signs); i++) {
		if (!strcmp(row->name, signs[i][0])) {
			run->sign = signs[i][1];
			run->wanted = value;
		}
	}
	if (row->query == VARIABLE)
		run->variable = value;
	if (!strcmp(row->name, "atleast-pkgconfig-version"))
		run->level = value;
	if (!strcmp(row->name, "define-variable")) {
		name = xb_sv_cut(&rest, '=');
		xb_pkgconfig_define(run->reader, xb_arena_sv(&run->arena, name), rest.ptr ? rest.ptr : "");
	}
}

/* `word` is "--name" or "--name=value"; *at stands behind it. */
static int read_option(struct run *run, const char *word, size_t *at, struct xb_err *err)
{
	struct xb_sv rest = xb_sv(word + 2);
	const struct xb_sv name = xb_sv_cut(&rest, '=');
	const struct row *row = NULL;

	for (size_t i = 0; i < XB_COUNT(rows) && !row; i++)
		if (xb_sv_eq_str(name, rows[i].name))
			row = &rows[i];
	if (!row)
		return xb_fail(err, XB_E_USAGE, "pkg-config: unknown option '%s'", word);
	run->parts |= row->parts;
	if (row->query != NO_QUERY)
		run->query = row->query;
	if (row->flag)
		*(bool *)((char *)run + row->flag) = true;
	if (!row->takes_value)
		return 0;
	if (!rest.ptr && *at >= run->opts->n_words)
		return xb_fail(err, XB_E_USAGE, "pkg-config: %s needs a value", word);
	set_value(run, row, rest.ptr ? rest.ptr : run->opts->words[(*at)++]);
	return 0;
}

static int read_words(struct run *run, struct xb_err *err)
{
	bool keep_cflags = run->opts->keep_cflags, keep_libs = run->opts->keep_libs;
	bool options = true; /* until "--": cmd/go puts it before every list of modules */

	for (size_t i = 0; i < run->opts->n_words;) {
		const char *word = run->opts->words[i++];

		if (options && !strcmp(word, "--")) {
			options = false;
			continue;
		}
		if (!options || strncmp(word, "--", 2) != 0) {
			xb_str_printf(&run->modules, "%s%s", run->modules.len ? " " : "", word);
			continue;
		}
		keep_cflags |= !strcmp(word, "--keep-system-cflags");
		keep_libs |= !strcmp(word, "--keep-system-libs");
		if (read_option(run, word, &i, err) < 0)
			return err->code;
	}
	xb_pkgconfig_keep_system(run->reader, keep_cflags, keep_libs);
	return 0;
}

static unsigned part_of(const char *word, bool lib)
{
	if (!lib)
		return !strncmp(word, "-I", 2) ? INCLUDES : OTHER_CFLAGS;
	if (!strncmp(word, "-L", 2))
		return DIRECTORIES;
	return !strncmp(word, "-l", 2) ? LIBRARIES : OTHER_LIBS;
}

/* As pkgconf does: what a shell would look at has a backslash. */
static void say_word(const char *word, struct xb_str *out)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=./,:@%^~()$";

	xb_str_append(out, out->len && out->data[out->len - 1] != '\n' ? " " : "");
	for (; *word; word++) {
		if (!strchr(plain, *word))
			xb_str_append_char(out, '\\');
		xb_str_append_char(out, *word);
	}
}

static void say_words(struct run *run, const struct xb_command *command, bool lib)
{
	const struct xb_tools no_tools = {0};
	const struct xb_sysroot_paths sysroot = {.dir = run->opts->sysroot};
	const struct xb_command_files no_files = {0};
	struct xb_argv argv = {.arena = &run->arena};
	struct xb_roots roots;

	xb_roots_real(NULL, &no_tools, &sysroot, &roots);
	xb_command_argv(command, &roots, &no_files, &argv);
	for (size_t i = 0; i < argv.len; i++)
		if (run->parts & part_of(argv.items[i], lib))
			say_word(argv.items[i], run->out);
}

static int say_flags(struct run *run, const char **names, size_t n, struct xb_err *err)
{
	struct xb_command cflags, libs;

	xb_command_init(&cflags, &run->arena);
	xb_command_init(&libs, &run->arena);
	/* private modules are needed for the flags of headers, and for static libraries */
	if (xb_pkgconfig_flags(run->reader, names, n, run->for_static,
			       run->parts & (INCLUDES | OTHER_CFLAGS) ? &cflags : NULL,
			       run->parts & (LIBRARIES | DIRECTORIES | OTHER_LIBS) ? &libs : NULL, err) < 0)
		return err->code;
	say_words(run, &cflags, false);
	say_words(run, &libs, true);
	xb_str_append_char(run->out, '\n');
	return 0;
}

/* The modules that these require have to be there, too. */
static int check(struct run *run, const char **names, size_t n, struct xb_err *err)
{
	struct xb_command libs;

	xb_command_init(&libs, &run->arena);
	return xb_pkgconfig_flags(run->reader, names, n, false, NULL, &libs, err);
}

static void say_list(struct xb_str *out, const char *text)
{
	struct xb_sv rest = xb_sv(text);

	/* one module a line, with its version behind it */
	while (rest.ptr) {
		const struct xb_sv part = xb_sv_trim(xb_sv_cut(&rest, ','));

		if (part.len)
			xb_str_printf(out, "%.*s\n", XB_SV_ARG(part));
	}
}

static int answer_one(struct run *run, const char *name, struct xb_err *err)
{
	struct xb_pkgconfig_module module;
	const char *value;

	if (xb_pkgconfig_find(run->reader, name, &module, err) < 0)
		return err->code;
	if (run->sign && !xb_pkgconfig_version_is(module.version, run->sign, run->wanted))
		return xb_fail(err, XB_E_INPUT, "pkg-config module '%s' has version %s, wanted is %s %s", name,
			       module.version, run->sign, run->wanted);
	switch (run->query) {
	case MODVERSION:
		xb_str_printf(run->out, "%s\n", module.version);
		return 0;
	case REQUIRES:
		say_list(run->out, module.requires_);
		return 0;
	case REQUIRES_PRIVATE:
		say_list(run->out, module.requires_private);
		return 0;
	case PROVIDES:
		xb_str_printf(run->out, "%s = %s\n", module.name, module.version);
		return 0;
	case VARIABLES:
		return xb_pkgconfig_variables(run->reader, name, run->out, err);
	case VARIABLE:
		if (xb_pkgconfig_variable(run->reader, name, run->variable, &value, err) < 0)
			return err->code;
		xb_str_printf(run->out, "%s\n", value);
		return 0;
	default:
		return 0;
	}
}

static int list_all(struct run *run, struct xb_err *err)
{
	const char **names;
	size_t n;

	if (xb_pkgconfig_list(run->reader, &names, &n, err) < 0)
		return err->code;
	for (size_t i = 0; i < n; i++) {
		struct xb_err broken XB_CLEANUP(xb_err_release) = {0};
		struct xb_pkgconfig_module module;

		if (run->query == LIST_NAMES)
			xb_str_printf(run->out, "%s\n", names[i]);
		else if (xb_pkgconfig_find(run->reader, names[i], &module, &broken) == 0)
			xb_str_printf(run->out, "%-30s %s - %s\n", names[i], module.title, module.description);
	}
	return 0;
}

/* Negative with err: what pkg-config tells by status 1. */
static int answer(struct run *run, struct xb_err *err)
{
	const char **names;
	size_t n;

	if (run->version) {
		xb_str_append(run->out, LEVEL "\n");
		return 0;
	}
	if (run->level)
		return xb_pkgconfig_version_is(LEVEL, ">=", run->level)
			       ? 0
			       : xb_fail(err, XB_E_INPUT, "this pkg-config is as %s", LEVEL);
	if (run->query == LIST_ALL || run->query == LIST_NAMES)
		return list_all(run, err);
	if (!run->modules.len)
		return xb_fail(err, XB_E_USAGE, "pkg-config: no module was named");
	if (xb_pkgconfig_modules(run->reader, xb_str_get(&run->modules), &names, &n, err) < 0)
		return err->code;
	if (run->uninstalled)
		return xb_fail(err, XB_E_INPUT, "%s", "");
	for (size_t i = 0; i < n; i++)
		if (answer_one(run, names[i], err) < 0)
			return err->code;
	if (run->parts && run->query != MODVERSION && run->query != VARIABLE)
		return say_flags(run, names, n, err);
	return run->query == EXISTS ? check(run, names, n, err) : 0;
}

/* --exists and its like are silent by themselves, everything else is not: pkg-config(1), --print-errors. */
static void tell(struct run *run, const struct xb_err *why)
{
	const bool quiet = run->query == EXISTS || run->uninstalled;

	if (run->silent || (quiet && !run->loud) || !*why->msg)
		return;
	xb_str_printf(run->to_stdout ? run->out : run->errors, "%s\n", why->msg);
	if (why->hint)
		xb_str_printf(run->to_stdout ? run->out : run->errors, "hint: %s\n", why->hint);
}

int xb_op_pkg_config(const struct xb_pkg_config_opts *opts, struct xb_str *out, struct xb_str *errors, int *out_status,
		     struct xb_err *err)
{
	const struct xb_sysroot_paths sysroot = {.target = opts->target, .dir = opts->sysroot};
	struct run run = {.opts = opts, .out = out, .errors = errors};
	struct xb_err why XB_CLEANUP(xb_err_release) = {0};
	int rc;

	run.reader = xb_pkgconfig_open(&sysroot, &run.arena);
	for (size_t i = 0; i < opts->n_prefixes; i++)
		xb_pkgconfig_add_prefix(run.reader, opts->prefixes[i]);
	rc = read_words(&run, err);
	if (rc == 0) {
		*out_status = answer(&run, &why) < 0;
		if (*out_status)
			tell(&run, &why);
	}
	xb_pkgconfig_free(run.reader);
	xb_str_release(&run.modules);
	xb_arena_release(&run.arena);
	return rc;
}
