/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/model/project_edit.h"

#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/diag.h"
#include "xbuild/sys/yaml.h"

#define INDENT "  "

/* Text being edited. Offsets are bytes of source; changes are made from the end to the beginning, so that they hold. */
struct editor {
	struct xb_sv source;
	const struct xb_project_edit *edit;
	const char *newline;
	struct xb_str text;		 /* source with the changes so far */
	const struct xb_yaml *at;	 /* the list, or what is there of the way to it */
	const struct xb_yaml *commented; /* NULL, or the item whose comment is in the way */
};

static size_t offset_of(const struct editor *e, struct xb_place at)
{
	size_t offset = 0;

	for (int line = 1; line < at.line; line++) {
		const char *end = memchr(e->source.ptr + offset, '\n', e->source.len - offset);

		offset = end ? (size_t)(end - e->source.ptr) + 1 : e->source.len;
	}
	return offset + (size_t)at.col - 1;
}

static size_t line_start(const struct editor *e, size_t at)
{
	while (at && e->source.ptr[at - 1] != '\n')
		at--;
	return at;
}

/* Behind the newline of the line that `at` is in, or the end of the text. */
static size_t next_line(const struct editor *e, size_t at)
{
	const char *end = memchr(e->source.ptr + at, '\n', e->source.len - at);

	return end ? (size_t)(end - e->source.ptr) + 1 : e->source.len;
}

static size_t end_of(const struct editor *e, const struct xb_yaml *node)
{
	return offset_of(e, node->at) + (size_t)node->at.len;
}

static void replace(struct editor *e, size_t from, size_t to, const char *by)
{
	struct xb_str text = {0};

	xb_str_append_n(&text, e->text.data, from);
	xb_str_append(&text, by);
	xb_str_append_n(&text, e->text.data + to, e->text.len - to);
	xb_str_release(&e->text);
	e->text = text;
}

/* A whole line at `at`, which is the beginning of one or the end of a text whose last line has no newline. */
static void insert_line(struct editor *e, size_t at, const char *line)
{
	const bool is_open = at && e->source.ptr[at - 1] != '\n';
	char *text XB_CLEANUP(xb_free_ptr) =
		xb_printf("%s%s%s", is_open ? e->newline : "", line, is_open ? "" : e->newline);

	replace(e, at, at, text);
}

static void join(const struct editor *e, const char *between, struct xb_str *out)
{
	for (size_t i = 0; i < e->edit->n_words; i++)
		xb_str_printf(out, "%s%s", i ? between : "", e->edit->words[i]);
}

static bool is_empty(const struct xb_yaml *node)
{
	return node->kind == XB_YAML_SCALAR && !node->quoted && !node->text.len;
}

static bool is_flow(const struct editor *e, const struct xb_yaml *node)
{
	return strchr("[{", e->source.ptr[offset_of(e, node->at)]) != NULL;
}

static bool is_blank(struct xb_sv text)
{
	return xb_sv_trim(text).len == 0;
}

/* Behind the comma that follows `at` in its line, or `at`. */
static size_t behind_comma(const struct editor *e, size_t at)
{
	size_t comma = at;

	while (comma < e->source.len && strchr(" \t", e->source.ptr[comma]))
		comma++;
	return comma < e->source.len && e->source.ptr[comma] == ',' ? comma + 1 : at;
}

/* From `at` to the end of its line, without blanks. */
static struct xb_sv rest_of_line(const struct editor *e, size_t at)
{
	return xb_sv_trim(xb_sv_n(e->source.ptr + at, next_line(e, at) - at));
}

static bool has_comment(const struct editor *e, size_t from, size_t to)
{
	return memchr(e->source.ptr + from, '#', to - from) != NULL;
}

/* From the beginning of its line to the item. */
static struct xb_sv before_item(const struct editor *e, const struct xb_yaml *item)
{
	const size_t start = offset_of(e, item->at), line = line_start(e, start);

	return xb_sv_n(e->source.ptr + line, start - line);
}

/* ---- adding ---- */

/* What puts a word of the flow list under the first in the line of its last one, or an empty list's one level deeper. */
static void append_indent(const struct editor *e, const struct xb_yaml *list, struct xb_str *out)
{
	size_t i = list->n_items ? list->n_items - 1 : 0;
	struct xb_sv before = before_item(e, list->n_items ? list->items[i] : list);

	while (i && list->items[i - 1]->at.line == list->items[i]->at.line)
		before = before_item(e, list->items[--i]);
	for (i = 0; i < before.len && (list->n_items || strchr(" \t", before.ptr[i])); i++)
		xb_str_append_char(out, before.ptr[i] == '\t' ? '\t' : ' ');
	if (!list->n_items)
		xb_str_append(out, INDENT);
}

/* Lines behind the one in which `at` is the end of the last item, so that a comment there stays with that one. */
static void add_flow_lines(struct editor *e, const struct xb_yaml *list, size_t at)
{
	const bool has_comma = list->n_items && behind_comma(e, at) > at;
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	for (size_t i = 0; i < e->edit->n_words; i++) {
		append_indent(e, list, &text);
		xb_str_printf(&text, "%s%s%s", e->edit->words[i], i + 1 < e->edit->n_words || has_comma ? "," : "",
			      e->newline);
	}
	replace(e, next_line(e, at), next_line(e, at), xb_str_get(&text));
	if (list->n_items && !has_comma)
		replace(e, at, at, ",");
}

/* [a, b]: behind the last; one line per item stays so, each with the comment behind it. */
static void add_to_flow(struct editor *e, const struct xb_yaml *list)
{
	const struct xb_yaml *last = list->n_items ? list->items[list->n_items - 1] : NULL;
	const size_t at = last ? end_of(e, last) : offset_of(e, list->at) + 1;
	const bool begins_line = last && is_blank(before_item(e, last));
	const struct xb_sv rest = rest_of_line(e, last ? behind_comma(e, at) : at);
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	if (xb_sv_starts(rest, "#") || (!rest.len && (begins_line || !last))) {
		add_flow_lines(e, list, at);
		return;
	}
	for (size_t i = 0; i < e->edit->n_words; i++) {
		if (begins_line) {
			xb_str_printf(&text, ",%s", e->newline);
			append_indent(e, list, &text);
		} else if (last || i) {
			xb_str_append(&text, ", ");
		}
		xb_str_append(&text, e->edit->words[i]);
	}
	replace(e, at, at, xb_str_get(&text));
}

/* Lines of "- a": one more behind the last, which begins as that one does. False: it shares its line with something. */
static bool add_to_block(struct editor *e, const struct xb_yaml *list)
{
	const struct xb_yaml *last = list->items[list->n_items - 1];
	const struct xb_sv before = before_item(e, last);
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	if (!xb_sv_eq_str(xb_sv_trim(before), "-"))
		return false;
	for (size_t i = 0; i < e->edit->n_words; i++)
		xb_str_printf(&text, "%s%.*s%s", i ? e->newline : "", XB_SV_ARG(before), e->edit->words[i]);
	insert_line(e, next_line(e, offset_of(e, last->at)), xb_str_get(&text));
	return true;
}

/* Behind the ':' of a key that has no value. */
static bool add_value(struct editor *e, const struct xb_yaml *key, const char *value)
{
	size_t at = end_of(e, key);
	char *text XB_CLEANUP(xb_free_ptr) = xb_printf(" %s", value);

	while (at < e->source.len && strchr(" \t", e->source.ptr[at]))
		at++;
	if (at == e->source.len || e->source.ptr[at] != ':')
		return false;
	replace(e, at + 1, at + 1, text);
	return true;
}

/* A key with a list into a map that has others: behind the first if that is one line, as in the template. */
static bool add_to_map(struct editor *e, const struct xb_yaml *map, const char *entry)
{
	const struct xb_yaml *key, *value;
	size_t start;
	char *text XB_CLEANUP(xb_free_ptr) = NULL;

	if (is_flow(e, map)) {
		start = map->n_items ? offset_of(e, map->keys[0]->at) : offset_of(e, map->at) + 1;
		text = map->n_items ? xb_printf("%s, ", entry) : xb_printf(" %s ", entry);
		replace(e, start, start, text);
		return true;
	}
	if (!map->n_items)
		return false;
	key = map->keys[0];
	value = map->items[0];
	start = offset_of(e, key->at);
	if (!is_blank(before_item(e, key)))
		return false;
	text = xb_printf("%.*s%s", XB_SV_ARG(before_item(e, key)), entry);
	if (value->kind == XB_YAML_SCALAR && !is_empty(value) && value->at.line == key->at.line)
		insert_line(e, next_line(e, start), text);
	else
		insert_line(e, line_start(e, start), text);
	return true;
}

/* A top-level key, where the template has it: before the targets, or else the units, with the comments above them. */
static bool add_section(struct editor *e, const struct xb_yaml *root, const char *name, const char *entry)
{
	static const char *const followers[] = {"targets", "build"};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	size_t at = e->source.len;

	if (!root->n_items || is_flow(e, root))
		return false;
	for (size_t i = 0; i < XB_COUNT(followers) && at == e->source.len; i++)
		for (size_t k = 0; k < root->n_items; k++)
			if (xb_sv_eq_str(root->keys[k]->text, followers[i]))
				at = line_start(e, offset_of(e, root->keys[k]->at));
	while (at && at < e->source.len && e->source.ptr[line_start(e, at - 1)] == '#')
		at = line_start(e, at - 1);
	xb_str_printf(&text, "%s:%s" INDENT "%s%s", name, e->newline, entry, at < e->source.len ? e->newline : "");
	insert_line(e, at, xb_str_get(&text));
	return true;
}

/* ---- removing ---- */

static bool is_removed(const struct editor *e, const struct xb_yaml *item)
{
	for (size_t i = 0; i < e->edit->n_words; i++)
		if (xb_sv_eq_str(item->text, e->edit->words[i]))
			return true;
	return false;
}

/* The last one, with a comma and what is removed before it, back to a comment. Returns the index of the first that went. */
static size_t remove_last(struct editor *e, const struct xb_yaml *list, size_t i)
{
	size_t from = offset_of(e, list->items[i]->at), to = end_of(e, list->items[i]);

	while (i && is_removed(e, list->items[i - 1]) && !has_comment(e, end_of(e, list->items[i - 1]), from))
		from = offset_of(e, list->items[--i]->at);
	if (i && !has_comment(e, end_of(e, list->items[i - 1]), from))
		from = end_of(e, list->items[i - 1]);
	else
		to = behind_comma(e, to);
	replace(e, from, to, "");
	return i;
}

/* Each with its line and the comment there, or with the comma and the blanks behind it. False: a comment there may be of
 * what stays. */
static bool remove_from_flow(struct editor *e, const struct xb_yaml *list)
{
	for (size_t i = list->n_items; i-- > 0;) {
		const struct xb_yaml *item = list->items[i], *next = i + 1 < list->n_items ? list->items[i + 1] : NULL;
		size_t first = i, from, to = behind_comma(e, end_of(e, item));
		const struct xb_sv rest = rest_of_line(e, to);
		struct xb_sv before;

		if (!is_removed(e, item))
			continue;
		while (first && list->items[first - 1]->at.line == item->at.line &&
		       is_removed(e, list->items[first - 1]))
			first--;
		from = offset_of(e, list->items[first]->at);
		before = xb_sv_trim(before_item(e, list->items[first]));
		if ((!before.len || xb_sv_eq_str(before, ",")) && (!rest.len || xb_sv_starts(rest, "#"))) {
			from = line_start(e, from);
			to = next_line(e, to);
		} else if (xb_sv_starts(rest, "#")) {
			e->commented = item;
			return false;
		} else if (!next) {
			i = remove_last(e, list, i);
			continue;
		} else if (next->at.line == item->at.line) {
			to = offset_of(e, next->at);
		} else { /* no blank is left at the line's end */
			while (from && strchr(" \t", e->source.ptr[from - 1]))
				from--;
		}
		replace(e, from, to, "");
		i = first;
	}
	return true;
}

/* Each with its line, and with what a comment there says of it. */
static bool remove_from_block(struct editor *e, const struct xb_yaml *list, const struct xb_yaml *key)
{
	size_t n_removed = 0;

	for (size_t i = list->n_items; i-- > 0;) {
		const size_t start = offset_of(e, list->items[i]->at);

		if (!is_removed(e, list->items[i]))
			continue;
		if (!xb_sv_eq_str(xb_sv_trim(before_item(e, list->items[i])), "-"))
			return false;
		n_removed++;
		replace(e, line_start(e, start), next_line(e, start), "");
	}
	return n_removed < list->n_items || add_value(e, key, "[]");
}

/* ---- the whole ---- */

static const struct xb_yaml *find(const struct xb_yaml *map, const char *name, const struct xb_yaml **out_key)
{
	for (size_t i = 0; map->kind == XB_YAML_MAP && i < map->n_items; i++) {
		if (!xb_sv_eq_str(map->keys[i]->text, name))
			continue;
		*out_key = map->keys[i];
		return map->items[i];
	}
	return NULL;
}

static bool change_list(struct editor *e, const struct xb_yaml *list, const struct xb_yaml *key)
{
	struct xb_str words XB_CLEANUP(xb_str_release) = {0};

	if (is_empty(list) && !e->edit->remove) {
		xb_str_append_char(&words, '[');
		join(e, ", ", &words);
		xb_str_append_char(&words, ']');
		return add_value(e, key, xb_str_get(&words));
	}
	if (list->kind != XB_YAML_LIST)
		return false;
	if (!is_flow(e, list))
		return e->edit->remove ? remove_from_block(e, list, key) : add_to_block(e, list);
	if (e->edit->remove)
		return remove_from_flow(e, list);
	add_to_flow(e, list);
	return true;
}

static bool change(struct editor *e, const struct xb_yaml *root)
{
	const struct xb_yaml *node = root, *key = NULL, *parent = root, *parent_key = NULL;
	const char *const *name = e->edit->path;
	struct xb_str entry XB_CLEANUP(xb_str_release) = {0};

	for (; *name; name++) {
		parent = node;
		parent_key = key;
		node = find(parent, *name, &key);
		if (!node)
			break;
		e->at = node;
	}
	if (node)
		return change_list(e, node, key);
	if (e->edit->remove || (name[1] && (name != e->edit->path || name[2])))
		return false; /* more than the list and the top-level key is missing */
	xb_str_printf(&entry, "%s: [", name[1] ? name[1] : *name);
	join(e, ", ", &entry);
	xb_str_append_char(&entry, ']');
	if (name[1])
		return add_section(e, root, *name, xb_str_get(&entry));
	if (is_empty(parent) && parent_key) {
		char *value XB_CLEANUP(xb_free_ptr) = xb_printf("{ %s }", xb_str_get(&entry));

		return add_value(e, parent_key, value);
	}
	return parent->kind == XB_YAML_MAP && add_to_map(e, parent, xb_str_get(&entry));
}

static bool same(const struct xb_yaml *a, const struct xb_yaml *b)
{
	if (a->kind != b->kind || a->n_items != b->n_items || !xb_sv_eq(a->text, b->text))
		return false;
	for (size_t i = 0; i < a->n_items; i++)
		if (!same(a->items[i], b->items[i]) || (a->keys && !xb_sv_eq(a->keys[i]->text, b->keys[i]->text)))
			return false;
	return true;
}

/* Is `after` the list `before` (NULL: none) with the edit? */
static bool is_edited_list(const struct editor *e, const struct xb_yaml *before, const struct xb_yaml *after)
{
	size_t n = 0;

	if (after->kind != XB_YAML_LIST)
		return false;
	for (size_t i = 0; before && i < before->n_items; i++) {
		if (e->edit->remove && is_removed(e, before->items[i]))
			continue;
		if (n == after->n_items || !same(before->items[i], after->items[n++]))
			return false;
	}
	for (size_t i = 0; !e->edit->remove && i < e->edit->n_words; i++)
		if (n == after->n_items || !xb_sv_eq_str(after->items[n++]->text, e->edit->words[i]))
			return false;
	return n == after->n_items;
}

/* Is everything else as it was? `before` NULL: it was not there, or was empty. */
static bool is_edited(const struct editor *e, const struct xb_yaml *before, const struct xb_yaml *after,
		      const char *const *path)
{
	size_t n_found = 0;

	if (!*path)
		return is_edited_list(e, before, after);
	if (after->kind != XB_YAML_MAP || (before && before->kind != XB_YAML_MAP && !is_empty(before)))
		return false;
	for (size_t i = 0; i < after->n_items; i++) {
		const char *name = after->keys[i]->text.ptr;
		const struct xb_yaml *old = before && before->kind == XB_YAML_MAP ? xb_yaml_get(before, name) : NULL;

		n_found += old != NULL;
		if (strcmp(name, *path) == 0 ? !is_edited(e, old, after->items[i], path + 1)
					     : !old || !same(old, after->items[i]))
			return false;
	}
	return !before || before->kind != XB_YAML_MAP || n_found == before->n_items;
}

static int refuse(const struct editor *e, const char *file, struct xb_err *err)
{
	struct xb_str path XB_CLEANUP(xb_str_release) = {0};
	struct xb_str words XB_CLEANUP(xb_str_release) = {0};

	for (const char *const *name = e->edit->path; *name; name++)
		xb_str_printf(&path, "%s%s", name == e->edit->path ? "" : ".", *name);
	join(e, ", ", &words);
	if (e->commented)
		xb_fail(err, XB_E_INPUT,
			"%s:%d:%d: '%s' cannot be taken out of %s: the comment in its line may be of what stays", file,
			e->commented->at.line, e->commented->at.col, e->commented->text.ptr, xb_str_get(&path));
	else
		xb_fail(err, XB_E_INPUT, "%s:%d:%d: %s is written in a way that cannot be edited safely", file,
			e->at->at.line, e->at->at.col, xb_str_get(&path));
	return xb_hint(err, "%s %s %s %s by hand, then run 'xbuild lock'", e->edit->remove ? "take" : "add",
		       xb_str_get(&words), e->edit->remove ? "out of" : "to", xb_str_get(&path));
}

int xb_project_edit(struct xb_sv source, const char *file, const struct xb_project_edit *edit, struct xb_str *out,
		    struct xb_err *err)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
	struct xb_err unreadable XB_CLEANUP(xb_err_release) = {0};
	const char *newline = memchr(source.ptr, '\n', source.len);
	struct editor e = {.source = source, .edit = edit, .newline = "\n"};
	struct xb_yaml *before = NULL, *after = NULL;

	if (newline && newline > source.ptr && newline[-1] == '\r')
		e.newline = "\r\n";
	if (xb_yaml_parse(source, file, &arena, &before, &diags, err) < 0)
		return err->code;
	xb_str_append_sv(&e.text, source);
	e.at = before;
	if (change(&e, before) && xb_yaml_parse(xb_str_sv(&e.text), file, &arena, &after, &diags, &unreadable) == 0 &&
	    is_edited(&e, before, after, edit->path)) {
		xb_str_release(out);
		*out = e.text;
		return 0;
	}
	xb_str_release(&e.text);
	return refuse(&e, file, err);
}
