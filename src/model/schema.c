/* SPDX-License-Identifier: Apache-2.0 */
#include "schema.h"

#include <stdarg.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/map.h"
#include "xbuild/base/str.h"
#include "xbuild/model/data.h"
#include "xbuild/model/subst.h"

static const struct text_rule any_text = {.expected = "text"};

struct xb_diag *schema_problem(struct schema *s, struct xb_place at, const char *fmt, ...)
{
	char *message XB_CLEANUP(xb_free_ptr) = NULL;
	va_list args;

	va_start(args, fmt);
	message = xb_vprintf(fmt, args);
	va_end(args);
	return xb_diags_add(s->diags, at, s->source, "%s", message);
}

void schema_refuse(struct schema *s, struct xb_place at, const char *help, const char *fmt, ...)
{
	char *message XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_diag *diag;
	va_list args;

	va_start(args, fmt);
	message = xb_vprintf(fmt, args);
	va_end(args);
	diag = xb_diags_add(s->diags, at, s->source, "%s", message);
	if (help)
		xb_diags_help(s->diags, diag, "%s", help);
}

void schema_suggest(struct schema *s, struct xb_diag *diag, struct xb_sv word, const char *const *candidates)
{
	const char *meant = xb_sv_suggest(word, candidates);
	struct xb_str all XB_CLEANUP(xb_str_release) = {0};

	if (meant) {
		xb_diags_help(s->diags, diag, "did you mean '%s'?", meant);
		return;
	}
	for (size_t i = 0; candidates[i]; i++)
		xb_str_printf(&all, "%s%s", i ? ", " : "", candidates[i]);
	if (all.len)
		xb_diags_help(s->diags, diag, "known here: %s", xb_str_get(&all));
}

bool schema_is_empty(const struct xb_yaml *node)
{
	return node->kind == XB_YAML_SCALAR && !node->quoted && !node->text.len && !node->refused;
}

static const char *kind_name(const struct xb_yaml *node)
{
	if (schema_is_empty(node))
		return "nothing";
	return node->kind == XB_YAML_SCALAR ? "text" : node->kind == XB_YAML_LIST ? "a list" : "a map";
}

bool schema_want_map(struct schema *s, const struct xb_yaml *node, const char *what)
{
	if (node->kind == XB_YAML_MAP || schema_is_empty(node))
		return true;
	if (!node->refused)
		schema_refuse(s, node->at, "write 'key: value' pairs", "%s: expected a map, found %s", what,
			      kind_name(node));
	return false;
}

bool schema_want_list(struct schema *s, const struct xb_yaml *node, const char *what)
{
	if (node->kind == XB_YAML_LIST)
		return true;
	if (!node->refused)
		schema_refuse(s, node->at, "write [a, b]", "%s: expected a list, found %s", what, kind_name(node));
	return false;
}

/* Newlines reach us through block texts and escapes; where they make no sense they would only mislead a log. */
static bool has_lines(struct xb_sv text)
{
	return text.len && (memchr(text.ptr, '\n', text.len) || memchr(text.ptr, '\t', text.len));
}

bool schema_want_text(struct schema *s, const struct xb_yaml *node, const struct text_rule *rule, const char *what)
{
	if (!rule)
		rule = &any_text;
	if (node->refused)
		return false;
	if (node->kind != XB_YAML_SCALAR) {
		schema_refuse(s, node->at, NULL, "%s: expected %s, found %s", what, rule->expected, kind_name(node));
		return false;
	}
	if (!node->text.len) {
		if (!rule->may_be_empty)
			schema_refuse(s, node->at, rule->help, "%s: expected %s, found nothing", what, rule->expected);
		return rule->may_be_empty;
	}
	if (!rule->may_have_lines && has_lines(node->text)) {
		schema_refuse(s, node->at, NULL, "%s: expected one line without tabs", what);
		return false;
	}
	if (rule->check && !rule->check(node->text)) {
		schema_refuse(s, node->at, rule->help, "%s: expected %s, found '%.*s'", what, rule->expected,
			      XB_SV_ARG(node->text));
		return false;
	}
	return true;
}

bool schema_failed(const struct schema *s)
{
	return s->diags->list.len + s->diags->dropped > s->n_before;
}

void *schema_keep(struct schema *s, const void *items, size_t len, size_t size)
{
	void *copy = xb_arena_array(s->arena, len, size);

	if (len)
		memcpy(copy, items, len * size);
	return copy;
}

static bool is_known(const struct schema_group *groups, size_t n_groups, struct xb_sv key)
{
	for (size_t g = 0; g < n_groups; g++) {
		for (size_t i = 0; i < groups[g].len; i++) {
			if (xb_sv_eq_str(key, groups[g].keys[i].name))
				return true;
		}
	}
	return false;
}

static void refuse_unknown(struct schema *s, const struct xb_yaml *key, const struct schema_group *groups,
			   size_t n_groups)
{
	struct xb_diag *diag = schema_problem(s, key->at, "unknown key '%.*s'", XB_SV_ARG(key->text));
	XB_VEC(const char *) known = {0};

	for (size_t g = 0; g < n_groups; g++) {
		for (size_t i = 0; i < groups[g].len; i++)
			XB_VEC_PUSH(&known, groups[g].keys[i].name);
	}
	XB_VEC_PUSH(&known, NULL);
	schema_suggest(s, diag, key->text, known.items);
	XB_VEC_RELEASE(&known);
}

static void read_group(struct schema *s, const struct xb_yaml *map, const struct schema_group *group, const char *what)
{
	const char *outer = s->key;

	for (size_t i = 0; i < group->len; i++) {
		const struct schema_key *key = &group->keys[i];
		const struct xb_yaml *value = xb_yaml_get(map, key->name);

		s->key = key->name;
		if (value && !value->refused)
			key->read(s, value, (char *)group->base + key->offset, key->arg);
		else if (!value && key->required && !map->partial)
			schema_problem(s, map->at, "%s: '%s' is missing", what, key->name);
	}
	s->key = outer;
}

void schema_read(struct schema *s, const struct xb_yaml *map, const struct schema_group *groups, size_t n_groups,
		 const char *what)
{
	if (!schema_want_map(s, map, what))
		return;
	for (size_t i = 0; i < map->n_items; i++) {
		/* A duplicate was reported where the text was parsed. */
		if (!is_known(groups, n_groups, map->keys[i]->text))
			refuse_unknown(s, map->keys[i], groups, n_groups);
	}
	for (size_t g = 0; g < n_groups; g++)
		read_group(s, map, &groups[g], what);
}

void schema_text(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	if (schema_want_text(s, node, arg, s->key))
		*(const char **)field = node->text.ptr;
}

void schema_bool(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	bool *out = field;

	(void)arg;
	if (node->kind == XB_YAML_SCALAR && xb_sv_eq_str(node->text, "true"))
		*out = true;
	else if (node->kind == XB_YAML_SCALAR && xb_sv_eq_str(node->text, "false"))
		*out = false;
	else if (node->kind == XB_YAML_SCALAR && node->text.len)
		schema_problem(s, node->at, "%s: expected true or false, found '%.*s'", s->key, XB_SV_ARG(node->text));
	else
		schema_problem(s, node->at, "%s: expected true or false, found %s", s->key, kind_name(node));
}

void schema_enum(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	const struct enum_word *words = arg;
	XB_VEC(const char *) known = {0};

	if (!schema_want_text(s, node, NULL, s->key))
		return;
	for (; words->name; words++) {
		if (xb_sv_eq_str(node->text, words->name)) {
			*(int *)field = words->value;
			XB_VEC_RELEASE(&known);
			return;
		}
		XB_VEC_PUSH(&known, words->name);
	}
	XB_VEC_PUSH(&known, NULL);
	schema_suggest(s, schema_problem(s, node->at, "%s: unknown value '%.*s'", s->key, XB_SV_ARG(node->text)),
		       node->text, known.items);
	XB_VEC_RELEASE(&known);
}

void schema_words(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_words *out = field;

	if (!schema_want_list(s, node, s->key))
		return;
	*out = (struct xb_words){
		.items = xb_arena_array(s->arena, node->n_items, sizeof(*out->items)),
		.at = xb_arena_array(s->arena, node->n_items, sizeof(*out->at)),
	};
	for (size_t i = 0; i < node->n_items; i++) {
		if (!schema_want_text(s, node->items[i], arg, s->key))
			continue;
		out->items[out->len] = node->items[i]->text.ptr;
		out->at[out->len++] = node->items[i]->at;
	}
}

void schema_word_set(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	const struct xb_words *words = field;
	struct xb_map seen XB_CLEANUP(xb_map_release) = {0};

	schema_words(s, node, field, arg);
	for (size_t i = 0; i < words->len; i++) {
		const struct xb_place *before = xb_map_put_str(&seen, words->items[i], &words->at[i]);

		if (before)
			schema_problem(s, words->at[i], "'%s' is listed twice", words->items[i]);
	}
}

void schema_list(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	struct xb_list *out = field;
	struct xb_words words = {0};

	schema_words(s, node, &words, arg);
	*out = (struct xb_list){.items = words.items, .len = words.len};
}

void schema_pairs(struct schema *s, const struct xb_yaml *node, void *field, const void *arg)
{
	const struct pair_rule *rule = arg;
	struct xb_pairs *out = field;

	if (!schema_want_map(s, node, s->key))
		return;
	*out = (struct xb_pairs){
		.names = xb_arena_array(s->arena, node->n_items, sizeof(*out->names)),
		.values = xb_arena_array(s->arena, node->n_items, sizeof(*out->values)),
		.at = xb_arena_array(s->arena, node->n_items, sizeof(*out->at)),
	};
	for (size_t i = 0; i < node->n_items; i++) {
		const struct xb_yaml *key = node->keys[i], *value = node->items[i];
		const bool has_name = schema_want_text(s, key, rule->name, s->key);
		const bool has_value = schema_want_text(s, value, rule->value, s->key);

		if (!has_name || !has_value)
			continue;
		if (rule->may_substitute)
			schema_check_subst(s, value);
		out->names[out->len] = key->text.ptr;
		out->values[out->len] = value->text.ptr;
		out->at[out->len++] = key->at;
	}
}

/* Remembers the name that was refused, because the check itself can only say no. */
struct subst_context {
	const struct xb_project *project;
	struct xb_sv unknown;
};

static bool is_subst_name(void *ctx, struct xb_sv name)
{
	struct subst_context *context = ctx;
	struct xb_sv plain = name;

	if (xb_subst_is_builtin(name) || xb_subst_is_base(name) || xb_subst_is_dir(name))
		return true;
	if (xb_sv_starts(name, "vars."))
		plain = xb_sv_n(name.ptr + strlen("vars."), name.len - strlen("vars."));
	for (size_t i = 0; i < context->project->vars.len; i++) {
		if (xb_sv_eq_str(plain, context->project->vars.names[i]))
			return true;
	}
	context->unknown = name;
	return false;
}

static void suggest_subst(struct schema *s, struct xb_diag *diag, struct xb_sv name)
{
	const struct xb_pairs *vars = &s->project->vars;
	XB_VEC(const char *) known = {0};

	for (const char *const *builtin = xb_subst_builtins(); *builtin; builtin++)
		XB_VEC_PUSH(&known, *builtin);
	for (size_t i = 0; i < vars->len; i++)
		XB_VEC_PUSH(&known, vars->names[i]);
	XB_VEC_PUSH(&known, NULL);
	schema_suggest(s, diag, name, known.items);
	XB_VEC_RELEASE(&known);
}

void schema_check_subst(struct schema *s, const struct xb_yaml *node)
{
	struct subst_context context = {.project = s->project};
	struct xb_place at = node->at;
	struct xb_diag *diag;
	size_t offset;

	if (xb_subst_check(node->text.ptr, is_subst_name, &context, &offset) == 0)
		return;
	/* Without quotes and escapes the text stands in the file as it is, so the caret can point into it. */
	if (!node->quoted && (int)offset < at.len) {
		at.col += (int)offset;
		at.len -= (int)offset;
	}
	if (context.unknown.ptr) {
		diag = schema_problem(s, at, "unknown name '${%.*s}'", XB_SV_ARG(context.unknown));
		suggest_subst(s, diag, context.unknown);
		return;
	}
	schema_refuse(s, at, "write '${name}', or '$${' for a literal '${'", "'${' is not closed");
}
