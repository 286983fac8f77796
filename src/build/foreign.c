/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/build/foreign.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/model/stdlib.h"
#include "xbuild/sys/fs.h"

#define VERSION "foreign 6" /* counts up when drivers or the runner change what comes out */

const char *xb_foreign_stage(const struct xb_setup *setup, const struct xb_unit *unit, struct xb_arena *arena)
{
	return xb_arena_printf(arena, ".xbuild/stage/%s/%s/%s", setup->target->target->name, setup->profile->name,
			       unit->name);
}

const char *xb_foreign_manifest(const struct xb_setup *setup, const struct xb_unit *unit, struct xb_arena *arena)
{
	return xb_arena_printf(arena, "%s.manifest", xb_foreign_stage(setup, unit, arena));
}

const char *xb_foreign_commands(const struct xb_setup *setup, const struct xb_unit *unit, struct xb_arena *arena)
{
	return xb_arena_printf(arena, "%s.commands.json", xb_foreign_stage(setup, unit, arena));
}

/* One call of xb_foreign_resolve. */
struct resolve {
	const struct xb_setup *setup;
	const struct xb_unit *unit;
	const struct xb_foreign_dirs *dirs;
	struct xb_arena *arena;
	struct xb_err *err;
};

/* "${dir.stage}" and the like; the rest is the project's matter. A "${" in a path is kept from being taken for a name. */
static const char *fill_dirs(const struct resolve *r, const char *text)
{
	const struct {
		const char *name, *value;
	} names[] = {{"${dir.source}", r->dirs->source},
		     {"${dir.build}", r->dirs->build},
		     {"${dir.stage}", r->dirs->stage},
		     {"${dir.sysroot}", r->dirs->sysroot}};
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};

	while (*text) {
		size_t i = 0;

		if (strncmp(text, "$${", 3) == 0) {
			xb_str_append(&out, "$${");
			text += 3;
			continue;
		}
		while (i < XB_COUNT(names) && strncmp(text, names[i].name, strlen(names[i].name)) != 0)
			i++;
		if (i == XB_COUNT(names)) {
			xb_str_append_char(&out, *text++);
			continue;
		}
		for (const char *c = names[i].value; *c; c++)
			xb_str_append(&out, strncmp(c, "${", 2) == 0 ? "$$" : (const char[]){*c, 0});
		text += strlen(names[i].name);
	}
	return xb_arena_sv(r->arena, xb_str_sv(&out));
}

static const char *expand(struct resolve *r, const char *text)
{
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};

	if (r->err->code || !strchr(text, '$'))
		return text;
	text = fill_dirs(r, text);
	if (!r->setup->expand)
		return text;
	if (r->setup->expand(r->setup->expand_ctx, text, r->setup->target->target, &out, r->err) < 0) {
		xb_wrap(r->err, "unit '%s'", r->unit->name);
		return "";
	}
	return xb_arena_sv(r->arena, xb_str_sv(&out));
}

static struct xb_words expand_words(struct resolve *r, const struct xb_words *words)
{
	struct xb_words out = {.items = xb_arena_array(r->arena, words->len, sizeof(*out.items)), .len = words->len};

	for (size_t i = 0; i < words->len; i++)
		out.items[i] = expand(r, words->items[i]);
	return out;
}

static struct xb_argvs expand_argvs(struct resolve *r, const struct xb_argvs *argvs)
{
	struct xb_argvs out = {.items = xb_arena_array(r->arena, argvs->len, sizeof(*out.items)), .len = argvs->len};

	for (size_t i = 0; i < argvs->len; i++)
		out.items[i] = expand_words(r, &argvs->items[i]);
	return out;
}

/* Settings have overrides besides: add_settings(). */
static void expand_keys(struct resolve *r, struct xb_foreign *foreign)
{
	struct xb_foreign_key key;

	for (size_t i = 0; xb_foreign_key(r->unit->driver, i, &key); i++) {
		struct xb_words *words = (void *)((char *)foreign + key.offset);
		struct xb_argvs *argvs = (void *)words;

		if (key.type == XB_FOREIGN_ARGS)
			*words = expand_words(r, words);
		else if (key.type == XB_FOREIGN_ARGVS)
			*argvs = expand_argvs(r, argvs);
	}
}

static void add_pairs(struct resolve *r, struct xb_pairs *to, const struct xb_pairs *from)
{
	struct xb_pairs all = {.names = xb_arena_array(r->arena, to->len + from->len, sizeof(*all.names)),
			       .values = xb_arena_array(r->arena, to->len + from->len, sizeof(*all.values))};

	for (size_t i = 0; i < to->len + from->len; i++) {
		const struct xb_pairs *pairs = i < to->len ? to : from;
		const size_t at = i < to->len ? i : i - to->len;
		size_t k = 0;

		while (k < all.len && strcmp(all.names[k], pairs->names[at]) != 0)
			k++;
		all.names[k] = pairs->names[at];
		all.values[k] = pairs == to ? pairs->values[at] : expand(r, pairs->values[at]);
		all.len += k == all.len;
	}
	*to = all;
}

static void add_settings(struct resolve *r, struct xb_foreign_settings *to, const struct xb_foreign_settings *from)
{
	const struct xb_words more = expand_words(r, &from->args);
	const char **args = xb_arena_array(r->arena, to->args.len + more.len, sizeof(*args));

	add_pairs(r, &to->options, &from->options);
	add_pairs(r, &to->cache, &from->cache);
	add_pairs(r, &to->env, &from->env);
	for (size_t i = 0; i < to->args.len + more.len; i++)
		args[i] = i < to->args.len ? to->args.items[i] : more.items[i - to->args.len];
	to->args = (struct xb_words){.items = args, .len = to->args.len + more.len};
}

int xb_foreign_resolve(const struct xb_setup *setup, const struct xb_unit *unit, const struct xb_foreign_dirs *dirs,
		       struct xb_arena *arena, struct xb_foreign *out, struct xb_err *err)
{
	static const struct xb_foreign_dirs canonical = {"../project", "../build", "../stage", "../sysroot"};
	struct resolve r = {setup, unit, dirs ? dirs : &canonical, arena, err};
	const struct xb_foreign *from = unit->foreign;

	*out = *from;
	expand_keys(&r, out);
	out->settings = (struct xb_foreign_settings){0};
	add_settings(&r, &out->settings, &from->settings);
	for (size_t i = 0; i < unit->n_overrides; i++) {
		const struct xb_override *o = &unit->overrides[i];

		if (o->target ? o->target == setup->target->target : strcmp(o->profile, setup->profile->name) == 0)
			add_settings(&r, &out->settings, &o->foreign);
	}
	return err->code;
}

static void word(struct xb_command *out, const char *key, const char *value)
{
	if (value)
		xb_command_word(out, xb_arena_printf(out->arena, "%s=%s", key, value));
}

static void words(struct xb_command *out, const char *key, const struct xb_words *list)
{
	for (size_t i = 0; i < list->len; i++)
		word(out, key, list->items[i]);
}

static void pairs(struct xb_command *out, const char *key, const struct xb_pairs *list)
{
	for (size_t i = 0; i < list->len; i++)
		xb_command_word(out, xb_arena_printf(out->arena, "%s:%s=%s", key, list->names[i], list->values[i]));
}

static void key_words(struct xb_command *out, const struct xb_foreign_key *key, const struct xb_foreign *f)
{
	const void *field = (const char *)f + key->offset;
	const struct xb_argvs *argvs = field;

	switch (key->type) {
	case XB_FOREIGN_TEXT:
		word(out, key->name, *(const char *const *)field);
		break;
	case XB_FOREIGN_BOOL:
		word(out, key->name, *(const bool *)field ? "yes" : NULL);
		break;
	case XB_FOREIGN_WORDS:
	case XB_FOREIGN_ARGS:
		words(out, key->name, field);
		break;
	case XB_FOREIGN_PAIRS:
		pairs(out, key->name, field);
		break;
	case XB_FOREIGN_ARGVS:
		for (size_t i = 0; i < argvs->len; i++) {
			word(out, key->name, ""); /* where one command ends */
			words(out, "word", &argvs->items[i]);
		}
		break;
	}
}

/* By content: where they are differs from machine to machine. */
static void rust_words(const struct xb_setup *setup, struct xb_command *out)
{
	char hex[XB_DIGEST_HEX];

	if (!setup->rust)
		return;
	word(out, "rust", xb_arena_strdup(out->arena, xb_digest_hex(&setup->rust->tools.digest, hex)));
	if (setup->rust->crates_dir)
		word(out, "crates", xb_arena_strdup(out->arena, xb_digest_hex(&setup->rust->crates_digest, hex)));
	if (setup->host_sysroot)
		word(out, "host", xb_arena_strdup(out->arena, xb_digest_hex(&setup->host_sysroot->digest, hex)));
}

static void module_words(const struct xb_unit *unit, struct xb_command *out)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_unit_list needs;

	xb_foreign_needs(unit, out->arena, &needs);
	for (size_t i = 0; i < needs.len; i++) {
		if (needs.items[i]->foreign || needs.items[i]->kind == XB_UNIT_EXECUTABLE)
			continue;
		xb_str_reset(&text);
		xb_foreign_module(needs.items[i], &text);
		word(out, "module", xb_str_get(&text));
		xb_str_reset(&text);
		xb_foreign_package(needs.items[i], &text);
		word(out, "package", xb_str_get(&text));
	}
}

void xb_foreign_words(const struct xb_setup *setup, const struct xb_unit *unit, const struct xb_foreign *f,
		      struct xb_command *out)
{
	const struct xb_profile *p = setup->profile;
	struct xb_foreign_key key;

	xb_command_word(out, VERSION);
	word(out, "driver", xb_driver_key(unit->driver));
	word(out, "unit", unit->name);
	word(out, "target", setup->target->target->name);
	word(out, "cpu", setup->target->cpu);
	xb_command_word(out, xb_arena_printf(out->arena, "profile=%s,%d,%d,%d,%d", p->name, p->optimize, p->debug,
					     p->lto, p->strip));
	/* said only where it is, as results from before this was asked for are as good */
	word(out, "stdlib", xb_stdlib_is_libcxx(unit, setup->target, p) ? "libc++" : NULL);
	word(out, "static-stdlib", xb_stdlib_is_static(unit, setup->target, p) ? "yes" : NULL);
	word(out, "runs", setup->emulator ? "yes" : "no");
	for (size_t i = 0; xb_foreign_key(unit->driver, i, &key); i++)
		key_words(out, &key, f);
	module_words(unit, out);
	if (unit->driver == XB_DRIVER_CARGO)
		rust_words(setup, out);
}

static bool is_listed(const struct xb_unit_list *list, const struct xb_unit *unit)
{
	for (size_t i = 0; i < list->len; i++) {
		if (list->items[i] == unit)
			return true;
	}
	return false;
}

/* As deep as units depend on each other, without cycles: model/project saw to it. */
static void add_needs(const struct xb_unit *unit, struct xb_arena *arena, struct xb_unit_list *list)
{
	for (size_t i = 0; i < unit->n_deps; i++) {
		const struct xb_unit **more;

		if (is_listed(list, unit->deps[i]))
			continue;
		add_needs(unit->deps[i], arena, list);
		more = xb_arena_array(arena, list->len + 1, sizeof(const struct xb_unit *));
		if (list->len)
			memcpy(more, list->items, list->len * sizeof(*more));
		more[list->len++] = unit->deps[i];
		list->items = more;
	}
}

void xb_foreign_needs(const struct xb_unit *unit, struct xb_arena *arena, struct xb_unit_list *out)
{
	*out = (struct xb_unit_list){0};
	add_needs(unit, arena, out);
}
