/* SPDX-License-Identifier: Apache-2.0 */
#include "pkgconfig_reader.h"

#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/map.h"
#include "xbuild/base/path.h"
#include "xbuild/base/str.h"
#include "xbuild/base/vec.h"
#include "xbuild/sys/fs.h"

#define MAX_PC_BYTES   (256 * 1024)
#define MAX_EXPANSION  65536	     /* bytes of one value */
#define MAX_FIELDS     (1024 * 1024) /* bytes of all fields of a file */
#define MAX_REFERENCES 10000	     /* to variables, of one value */
#define MAX_NESTING    32

struct order {
	struct module **items; /* a module stands behind all that it requires */
	size_t len, cap;
};

struct xb_pkgconfig *xb_pkgconfig_open(const struct xb_sysroot_paths *sysroot, struct xb_arena *arena)
{
	struct xb_pkgconfig *reader = xb_alloc(sizeof(*reader));

	reader->sysroot = sysroot;
	reader->arena = arena;
	return reader;
}

void xb_pkgconfig_add_prefix(struct xb_pkgconfig *reader, const char *dir)
{
	xb_dirs_add(&reader->prefixes, reader->arena, dir);
}

void xb_pkgconfig_define(struct xb_pkgconfig *reader, const char *name, const char *value)
{
	xb_map_put_str(&reader->defined, name, (void *)(uintptr_t)value);
}

void xb_pkgconfig_keep_system(struct xb_pkgconfig *reader, bool cflags, bool libs)
{
	reader->keep_cflags = cflags;
	reader->keep_libs = libs;
}

void xb_pkgconfig_free(struct xb_pkgconfig *reader)
{
	if (!reader)
		return;
	for (size_t i = 0; i < reader->modules.len; i++) {
		struct module *module = reader->modules.entries[i].value;

		xb_map_release(&module->vars);
	}
	xb_map_release(&reader->modules);
	xb_map_release(&reader->defined);
	free(reader);
}

struct expansion {
	const struct module *module;
	struct xb_str *out;
	size_t n_references; /* so far: "${a}${a}" may double at each step, also where nothing comes out */
};

static int expand(struct expansion *x, struct xb_sv text, int depth, struct xb_err *err)
{
	const char *file = x->module->name;

	if (depth > MAX_NESTING)
		return xb_fail(err, XB_E_INPUT, "%s.pc: variables refer to each other without end (%d deep)", file,
			       MAX_NESTING);
	while (text.len) {
		const char *close;

		if (!xb_sv_starts(text, "${") || !(close = memchr(text.ptr, '}', text.len))) {
			if (xb_sv_starts(text, "$$"))
				text = xb_sv_n(text.ptr + 1, text.len - 1);
			if (!xb_str_append_char(x->out, *text.ptr))
				break;
			text = xb_sv_n(text.ptr + 1, text.len - 1);
			continue;
		}
		const struct xb_sv name = xb_sv_n(text.ptr + 2, (size_t)(close - text.ptr) - 2);
		const char *value = xb_map_get(&x->module->vars, name);

		if (!value)
			return xb_fail(err, XB_E_INPUT, "%s.pc: variable '%.*s' is not defined", file, XB_SV_ARG(name));
		if (++x->n_references > MAX_REFERENCES)
			return xb_fail(err, XB_E_INPUT, "%s.pc: a value has over %d variables", file, MAX_REFERENCES);
		if (expand(x, xb_sv(value), depth + 1, err) < 0)
			return err->code;
		text = xb_sv_n(close + 1, text.len - (size_t)(close + 1 - text.ptr));
	}
	if (text.len)
		return xb_fail(err, XB_E_INPUT, "%s.pc: a value is longer than %d bytes", file, MAX_EXPANSION);
	return 0;
}

int pkgconfig_expand(const struct module *module, struct xb_sv text, struct xb_str *out, struct xb_err *err)
{
	struct expansion x = {.module = module, .out = out};

	out->max_bytes = MAX_EXPANSION;
	return expand(&x, text, 0, err);
}

static int set_field(struct xb_pkgconfig *reader, struct module *module, struct xb_sv key, struct xb_sv value,
		     struct xb_err *err)
{
	const struct {
		const char *key;
		const char **field;
	} fields[] = {
		{"Requires", &module->requires_},
		{"Requires.private", &module->requires_private},
		{"Cflags", &module->cflags},
		{"CFlags", &module->cflags},
		{"Libs", &module->libs},
		{"Libs.private", &module->libs_private},
		{"Version", &module->version},
		{"Name", &module->title},
		{"Description", &module->description},
	};

	for (size_t i = 0; i < XB_COUNT(fields); i++) {
		struct xb_str text XB_CLEANUP(xb_str_release) = {0};

		if (!xb_sv_eq_str(key, fields[i].key))
			continue;
		if (pkgconfig_expand(module, value, &text, err) < 0)
			return err->code;
		module->fields_bytes += text.len;
		if (module->fields_bytes > MAX_FIELDS)
			return xb_fail(err, XB_E_INPUT, "%s.pc: fields of over %d bytes", module->name, MAX_FIELDS);
		*fields[i].field = xb_arena_strdup(reader->arena, xb_str_get(&text));
	}
	return 0;
}

/* "name = value" or "Field: value", whichever sign comes first. */
static int read_line(struct xb_pkgconfig *reader, struct module *module, struct xb_sv line, struct xb_err *err)
{
	size_t n = 0;

	line = xb_sv_trim(line);
	while (n < line.len && line.ptr[n] != '=' && line.ptr[n] != ':')
		n++;
	if (n == line.len)
		return 0;
	const struct xb_sv key = xb_sv_trim(xb_sv_n(line.ptr, n));
	const struct xb_sv value = xb_sv_trim(xb_sv_n(line.ptr + n + 1, line.len - n - 1));

	if (line.ptr[n] == ':')
		return set_field(reader, module, key, value, err);
	if (key.len && !xb_sv_eq_str(key, "pcfiledir") && !xb_map_get(&reader->defined, key))
		xb_map_put(&module->vars, key, xb_arena_sv(reader->arena, value));
	return 0;
}

static int read_text(struct xb_pkgconfig *reader, struct module *module, struct xb_sv text, struct xb_err *err)
{
	struct xb_str line XB_CLEANUP(xb_str_release) = {0};

	while (text.ptr) {
		struct xb_sv part = xb_sv_cut(&text, '\n');
		const char *hash;

		if (part.len && part.ptr[part.len - 1] == '\r')
			part.len--;
		if (part.len && part.ptr[part.len - 1] == '\\' && text.ptr) {
			part.len--;
			xb_str_append_sv(&line, part);
			xb_str_append_char(&line, ' ');
			continue;
		}
		xb_str_append_sv(&line, part);
		hash = strchr(xb_str_get(&line), '#');
		const struct xb_sv whole = xb_str_sv(&line);

		if (read_line(reader, module, hash ? xb_sv_n(whole.ptr, (size_t)(hash - whole.ptr)) : whole, err) < 0)
			return err->code;
		xb_str_reset(&line);
	}
	return 0;
}

static int load_from(struct xb_pkgconfig *reader, struct module *module, const char *root, const char *dir,
		     struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/%s/%s.pc", root, dir, module->name);
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	if (!xb_fs_exists(path))
		return 0;
	if (xb_fs_read(path, MAX_PC_BYTES, &text, err) < 0)
		return err->code;
	module->root = root;
	xb_map_put_str(&module->vars, "pcfiledir", xb_arena_printf(reader->arena, "/%s", dir));
	xb_map_put_str(&module->vars, "pc_sysrootdir", (void *)(uintptr_t) "");
	for (size_t i = 0; i < reader->defined.len; i++)
		xb_map_put_str(&module->vars, reader->defined.entries[i].key, reader->defined.entries[i].value);
	return read_text(reader, module, xb_str_sv(&text), err) < 0 ? err->code : 1;
}

int pkgconfig_each_dir(struct xb_pkgconfig *reader, pkgconfig_dir_fn fn, void *ctx, struct xb_err *err)
{
	const char *dirs[] = {
		xb_arena_printf(reader->arena, "usr/lib/%s/pkgconfig", reader->sysroot->target->multiarch),
		"usr/lib/pkgconfig",
		"usr/share/pkgconfig",
	};

	for (size_t r = 0; r <= reader->prefixes.len; r++) {
		const char *root = r < reader->prefixes.len ? reader->prefixes.items[r] : reader->sysroot->dir;

		for (size_t i = 0; i < XB_COUNT(dirs); i++) {
			const int rc = fn(ctx, root, dirs[i], err);

			if (rc)
				return rc;
		}
	}
	return 0;
}

struct load {
	struct xb_pkgconfig *reader;
	struct module *module;
};

static int try_dir(void *ctx, const char *root, const char *dir, struct xb_err *err)
{
	const struct load *load = ctx;

	return load_from(load->reader, load->module, root, dir, err);
}

/* 1: read; 0: no such file in any of the directories. */
static int load_file(struct xb_pkgconfig *reader, struct module *module, struct xb_err *err)
{
	struct load load = {reader, module};

	return pkgconfig_each_dir(reader, try_dir, &load, err);
}

int pkgconfig_module(struct xb_pkgconfig *reader, struct xb_sv name, const char *wanted_by, struct module **out,
		     struct xb_err *err)
{
	struct module *module = xb_map_get(&reader->modules, name);
	int rc;

	if (module) {
		*out = module;
		return 0;
	}
	if (!name.len || name.len > XB_MAX_NAME_BYTES || memchr(name.ptr, '/', name.len) || name.ptr[0] == '.')
		return xb_fail(err, XB_E_INPUT, "'%.*s' is no name of a pkg-config module", XB_SV_ARG(name));
	module = xb_arena_alloc(reader->arena, sizeof(*module));
	module->name = xb_arena_sv(reader->arena, name);
	module->requires_ = module->requires_private = module->cflags = module->libs = module->libs_private = "";
	module->version = module->title = module->description = "";
	rc = load_file(reader, module, err);
	if (rc <= 0)
		xb_map_release(&module->vars);
	if (rc < 0)
		return xb_wrap(err, "pkg-config module '%s'", module->name);
	if (rc == 0) {
		xb_fail(err, XB_E_INPUT, "pkg-config module '%s'%s%s is not in the sysroot of %s (no %s.pc)",
			module->name, wanted_by ? ", required by " : "", wanted_by ? wanted_by : "",
			reader->sysroot->target->name, module->name);
		if (reader->sysroot->target->libc == XB_LIBC_MUSL)
			return xb_hint(err, "Debian's libraries are built for glibc; build the library from source as "
					    "a unit, or leave this target out of the unit's 'targets:'");
		return xb_hint(err,
			       "the -dev package that ships %s.pc is wanted: 'xbuild add PACKAGE' in a project, "
			       "'--with PACKAGE' elsewhere",
			       module->name);
	}
	xb_map_put_str(&reader->modules, module->name, module);
	*out = module;
	return 0;
}

struct xb_sv pkgconfig_word(struct xb_sv *rest)
{
	size_t n = 0;
	struct xb_sv word;

	while (rest->len && strchr(" \t,", *rest->ptr))
		*rest = xb_sv_n(rest->ptr + 1, rest->len - 1);
	while (n < rest->len && !strchr(" \t,", rest->ptr[n]))
		n++;
	word = xb_sv_n(rest->ptr, n);
	*rest = xb_sv_n(rest->ptr + n, rest->len - n);
	return word;
}

static int visit(struct xb_pkgconfig *reader, struct module *module, bool private_too, int depth, struct order *order,
		 struct xb_err *err);

/* The modules of a Requires line, last first: reversing the whole order afterwards then keeps that of the file. */
static int visit_list(struct xb_pkgconfig *reader, const struct module *from, const char *text, bool private_too,
		      int depth, struct order *order, struct xb_err *err)
{
	XB_VEC(struct module *) list = {0};
	struct xb_sv rest = xb_sv(text);
	int rc = 0;

	for (struct xb_sv word = pkgconfig_word(&rest); rc == 0 && word.len; word = pkgconfig_word(&rest)) {
		struct module *module = NULL;

		if (pkgconfig_is_sign(word) && list.len) {
			const struct xb_sv want = pkgconfig_word(&rest);

			module = list.items[list.len - 1];
			if (!pkgconfig_version_fits(xb_sv(module->version), word, want))
				rc = xb_fail(err, XB_E_INPUT,
					     "pkg-config module '%s' requires %s %.*s %.*s, but the sysroot has %s",
					     from->name, module->name, XB_SV_ARG(word), XB_SV_ARG(want),
					     module->version);
			continue;
		}
		rc = pkgconfig_module(reader, word, from->name, &module, err);
		if (rc == 0)
			XB_VEC_PUSH(&list, module);
	}
	for (size_t i = list.len; rc == 0 && i-- > 0;)
		rc = visit(reader, list.items[i], private_too, depth + 1, order, err);
	XB_VEC_RELEASE(&list);
	return rc;
}

static int visit(struct xb_pkgconfig *reader, struct module *module, bool private_too, int depth, struct order *order,
		 struct xb_err *err)
{
	if (module->visited == reader->query)
		return 0;
	if (depth > XB_MAX_PATH_DEPTH)
		return xb_fail(err, XB_E_INPUT, "pkg-config module '%s' is required too deep", module->name);
	module->visited = reader->query;
	if (private_too && visit_list(reader, module, module->requires_private, private_too, depth, order, err) < 0)
		return err->code;
	if (visit_list(reader, module, module->requires_, private_too, depth, order, err) < 0)
		return err->code;
	XB_VEC_PUSH(order, module);
	return 0;
}

static bool is_searched_anyway(struct xb_pkgconfig *reader, const char *path)
{
	const char *multiarch = reader->sysroot->target->multiarch;
	const char *known[] = {"usr/include",
			       "usr/lib",
			       "lib",
			       xb_arena_printf(reader->arena, "usr/include/%s", multiarch),
			       xb_arena_printf(reader->arena, "usr/lib/%s", multiarch),
			       xb_arena_printf(reader->arena, "lib/%s", multiarch)};

	for (size_t i = 0; i < XB_COUNT(known); i++)
		if (!strcmp(path, known[i]))
			return true;
	return false;
}

static bool has_word(const struct xb_command *command, const struct xb_word *word)
{
	for (size_t i = 0; i < command->len; i++) {
		const struct xb_word *old = &command->items[i];

		if (old->root == word->root && old->path && !strcmp(old->text, word->text) &&
		    !strcmp(old->path, word->path))
			return true;
	}
	return false;
}

/* What is only told where a caller wants the directories that are searched anyway. */
static bool is_left_out(struct xb_pkgconfig *reader, const char *option, const char *path)
{
	const bool keep = !strcmp(option, "-L") ? reader->keep_libs : reader->keep_cflags;

	return *option && !keep && is_searched_anyway(reader, path);
}

/* `word` is "<option>/absolute/path". What is in a prefix is searched by nobody who is not told. */
static void add_path(struct xb_pkgconfig *reader, const struct module *module, const char *option, const char *path,
		     struct xb_command *out)
{
	struct xb_str clean XB_CLEANUP(xb_str_release) = {0};
	struct xb_word word = {.text = option, .root = XB_ROOT_SYSROOT};

	xb_path_clean(xb_sv(path), &clean);
	word.path = xb_arena_strdup(reader->arena, xb_str_get(&clean) + 1);
	if (module->root != reader->sysroot->dir) {
		xb_command_word(out, xb_arena_printf(reader->arena, "%s%s/%s", option, module->root, word.path));
		return;
	}
	if (is_left_out(reader, option, word.path) || (*option && has_word(out, &word)))
		return;
	xb_command_rooted(out, option, XB_ROOT_SYSROOT, word.path, NULL);
}

static void add_word(struct xb_pkgconfig *reader, const struct module *module, const char *word, struct xb_command *out)
{
	static const char *const options[] = {"-I", "-L", "-isystem", "-idirafter", "-F", ""};

	for (size_t i = 0; i < XB_COUNT(options); i++) {
		const size_t n = strlen(options[i]);

		if (!strncmp(word, options[i], n) && word[n] == '/') {
			/* the joined spelling of the two long ones is accepted by clang as well */
			add_path(reader, module, options[i], word + n, out);
			return;
		}
	}
	xb_command_word(out, xb_arena_strdup(reader->arena, word));
}

/* Splits as a shell would: blanks, both quotes and the backslash. An option whose path is the next word is joined. */
static void add_words(struct xb_pkgconfig *reader, const struct module *module, const char *text,
		      struct xb_command *out)
{
	struct xb_str word XB_CLEANUP(xb_str_release) = {0};
	bool in_word = false;
	char quote = 0;

	for (const char *c = text;; c++) {
		const bool blank = !*c || (!quote && strchr(" \t\r\n", *c));

		if (blank && in_word) {
			const char *w = xb_str_get(&word);
			const bool waits = *c && (!strcmp(w, "-I") || !strcmp(w, "-L") || !strcmp(w, "-isystem") ||
						  !strcmp(w, "-idirafter"));

			if (!waits) {
				add_word(reader, module, w, out);
				xb_str_reset(&word);
				in_word = false;
			}
		}
		if (!*c)
			return;
		if (blank)
			continue;
		in_word = true;
		if (quote && *c == quote)
			quote = 0;
		else if (!quote && (*c == '"' || *c == '\''))
			quote = *c;
		else if (*c == '\\' && quote != '\'' && c[1])
			xb_str_append_char(&word, *++c);
		else
			xb_str_append_char(&word, *c);
	}
}

/* Runs one query and leaves its modules in *order, required ones first. */
static int collect(struct xb_pkgconfig *reader, const char *const *modules, size_t n_modules, bool private_too,
		   struct order *order, struct xb_err *err)
{
	reader->query++;
	for (size_t i = n_modules; i-- > 0;) {
		struct module *module = NULL;

		if (pkgconfig_module(reader, xb_sv(modules[i]), NULL, &module, err) < 0 ||
		    visit(reader, module, private_too, 0, order, err) < 0)
			return err->code;
	}
	return 0;
}

int xb_pkgconfig_flags(struct xb_pkgconfig *reader, const char *const *modules, size_t n_modules, bool for_static,
		       struct xb_command *cflags, struct xb_command *libs, struct xb_err *err)
{
	struct order order = {0};
	int rc = 0;

	if (cflags) {
		rc = collect(reader, modules, n_modules, true, &order, err);
		for (size_t i = order.len; rc == 0 && i-- > 0;)
			add_words(reader, order.items[i], order.items[i]->cflags, cflags);
	}
	order.len = 0;
	if (rc == 0 && libs) {
		rc = collect(reader, modules, n_modules, for_static, &order, err);
		for (size_t i = order.len; rc == 0 && i-- > 0;) {
			add_words(reader, order.items[i], order.items[i]->libs, libs);
			if (for_static)
				add_words(reader, order.items[i], order.items[i]->libs_private, libs);
		}
	}
	XB_VEC_RELEASE(&order);
	return rc;
}
