/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sys/json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/vec.h"
#include "xbuild/sys/fs.h"

struct writer {
	struct xb_str *out;
	int pretty_depth;
	bool sort_keys;
	bool as_go; /* xb_json_write_go */
};

static void write_value(const struct writer *w, const json_t *value, int depth);

void xb_json_release(json_t **value)
{
	if (!value)
		return;
	json_decref(*value);
	*value = NULL;
}

/* jansson recurses to 2048 levels and has no setting for it, so the depth is counted before it sees the text. */
static int check_depth(struct xb_sv text, const char *name, struct xb_err *err)
{
	bool in_string = false;
	int depth = 0, line = 1;
	size_t line_start = 0;

	for (size_t i = 0; i < text.len; i++) {
		const char c = text.ptr[i];

		if (c == '\n') {
			line++;
			line_start = i + 1;
		} else if (in_string && c == '\\') {
			i++;
		} else if (c == '"') {
			in_string = !in_string;
		} else if (!in_string && (c == '{' || c == '[')) {
			depth++;
		} else if (!in_string && (c == '}' || c == ']')) {
			depth--;
		}
		if (depth > XB_MAX_JSON_DEPTH)
			return xb_fail(err, XB_E_INPUT, "%s:%d:%d: more than %d levels of nesting", name, line,
				       (int)(i - line_start) + 1, XB_MAX_JSON_DEPTH);
	}
	return 0;
}

/* jansson quotes the text near the error, which may hold terminal commands. */
static int parse_failed(const json_error_t *found, const char *name, struct xb_err *err)
{
	char *text XB_CLEANUP(xb_free_ptr) = xb_strdup(found->text);

	for (char *p = text; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
	return xb_fail(err, XB_E_INPUT, "%s:%d:%d: %s", name, found->line > 0 ? found->line : 1,
		       found->column > 0 ? found->column : 1, text);
}

int xb_json_parse(struct xb_sv text, const char *name, json_t **out, struct xb_err *err)
{
	json_error_t found;
	json_t *value;

	if (text.len > XB_MAX_JSON_BYTES)
		return xb_fail(err, XB_E_INPUT, "parse '%s': expected at most %lld bytes, found %zu", name,
			       XB_MAX_JSON_BYTES, text.len);
	if (check_depth(text, name, err) < 0)
		return err->code;
	value = json_loadb(text.ptr ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &found);
	if (!value)
		return parse_failed(&found, name, err);
	*out = value;
	return 0;
}

int xb_json_read(const char *path, int64_t max_bytes, json_t **out, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	if (xb_fs_read(path, max_bytes < XB_MAX_JSON_BYTES ? max_bytes : XB_MAX_JSON_BYTES, &text, err) < 0)
		return err->code;
	return xb_json_parse(xb_str_sv(&text), path, out, err);
}

/* What Go escapes beyond RFC 8259, for the sake of HTML and JavaScript (encoding/json "HTMLEscape"): the length, or 0. */
static size_t go_escapes(const char *text, size_t len)
{
	if (*text == '<' || *text == '>' || *text == '&')
		return 1;
	return len >= 3 && memcmp(text, "\xe2\x80", 2) == 0 && (text[2] == '\xa8' || text[2] == '\xa9') ? 3 : 0;
}

/* RFC 8259 section 7: only the quote, the backslash and the controls have to be escaped. */
static void write_string(const struct writer *w, const char *text, size_t len)
{
	struct xb_str *out = w->out;
	static const char escapes[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
	size_t from = 0;

	xb_str_append_char(out, '"');
	for (size_t i = 0; i < len; i++) {
		const unsigned char c = (unsigned char)text[i];
		const size_t more = w->as_go ? go_escapes(text + i, len - i) : 0;

		if (c >= 0x20 && c != '"' && c != '\\' && !more)
			continue;
		xb_str_append_n(out, text + from, i - from);
		from = i + (more ? more : 1);
		if (more)
			xb_str_printf(out, "\\u%04x", more == 1 ? c : 0x2000U + ((unsigned char)text[i + 2] & 0x3f));
		else if (c >= 0x20)
			xb_str_printf(out, "\\%c", c);
		else if (c < sizeof(escapes) && escapes[c])
			xb_str_printf(out, "\\%c", escapes[c]);
		else
			xb_str_printf(out, "\\u%04x", c);
	}
	xb_str_append_n(out, text + from, len - from);
	xb_str_append_char(out, '"');
}

static void write_newline(const struct writer *w, int indent)
{
	xb_str_append_char(w->out, '\n');
	for (int i = 0; i < indent; i++)
		xb_str_append(w->out, w->as_go ? "  " : " ");
}

static void write_list(const struct writer *w, const json_t *list, int depth)
{
	const bool spread = depth < w->pretty_depth && json_array_size(list) > 0;

	xb_str_append_char(w->out, '[');
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (i)
			xb_str_append_char(w->out, ',');
		if (spread)
			write_newline(w, depth + 1);
		write_value(w, json_array_get(list, i), depth + 1);
	}
	if (spread)
		write_newline(w, depth);
	xb_str_append_char(w->out, ']');
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void write_object(const struct writer *w, const json_t *object, int depth)
{
	const bool spread = depth < w->pretty_depth && json_object_size(object) > 0;
	XB_VEC(const char *) keys = {0};
	json_t *shared = (json_t *)(uintptr_t)object; /* the iteration of jansson is not const, and changes nothing */

	for (void *at = json_object_iter(shared); at; at = json_object_iter_next(shared, at))
		XB_VEC_PUSH(&keys, json_object_iter_key(at));
	if (w->sort_keys && keys.len)
		qsort(keys.items, keys.len, sizeof(*keys.items), compare_keys);

	xb_str_append_char(w->out, '{');
	for (size_t i = 0; i < keys.len; i++) {
		if (i)
			xb_str_append_char(w->out, ',');
		if (spread)
			write_newline(w, depth + 1);
		write_string(w, keys.items[i], strlen(keys.items[i]));
		xb_str_append(w->out, spread ? ": " : ":");
		write_value(w, json_object_get(object, keys.items[i]), depth + 1);
	}
	if (spread)
		write_newline(w, depth);
	xb_str_append_char(w->out, '}');
	XB_VEC_RELEASE(&keys);
}

static void write_value(const struct writer *w, const json_t *value, int depth)
{
	assert(depth <= XB_MAX_JSON_DEPTH && !json_is_real(value));
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		write_object(w, value, depth);
		break;
	case JSON_ARRAY:
		write_list(w, value, depth);
		break;
	case JSON_STRING:
		write_string(w, json_string_value(value), json_string_length(value));
		break;
	case JSON_INTEGER:
		xb_str_printf(w->out, "%lld", (long long)json_integer_value(value));
		break;
	case JSON_TRUE:
		xb_str_append(w->out, "true");
		break;
	case JSON_FALSE:
		xb_str_append(w->out, "false");
		break;
	case JSON_NULL:
	case JSON_REAL:
		xb_str_append(w->out, "null");
		break;
	}
}

bool xb_json_has_real(const json_t *value)
{
	json_t *shared = (json_t *)(uintptr_t)value; /* the iteration of jansson is not const, and changes nothing */

	for (size_t i = 0; i < json_array_size(value); i++) {
		if (xb_json_has_real(json_array_get(value, i)))
			return true;
	}
	for (void *at = json_object_iter(shared); at; at = json_object_iter_next(shared, at)) {
		if (xb_json_has_real(json_object_iter_value(at)))
			return true;
	}
	return json_is_real(value);
}

void xb_json_write(const json_t *value, int pretty_depth, bool sort_keys, struct xb_str *out)
{
	const struct writer w = {.out = out, .pretty_depth = pretty_depth, .sort_keys = sort_keys};

	write_value(&w, value, 0);
}

void xb_json_write_go(const json_t *value, bool pretty, struct xb_str *out)
{
	const struct writer w = {.out = out, .pretty_depth = pretty ? XB_MAX_JSON_DEPTH : 0, .as_go = true};

	write_value(&w, value, 0);
}

static int check_object(const json_t *object, const char *where, struct xb_err *err)
{
	if (!json_is_object(object))
		return xb_fail(err, XB_E_INPUT, "%s: expected an object", where);
	return 0;
}

int xb_json_string(const json_t *object, const char *key, const char *where, const char **out, struct xb_err *err)
{
	const json_t *value = json_object_get(object, key);

	if (check_object(object, where, err) < 0)
		return err->code;
	if (value && !json_is_string(value))
		return xb_fail(err, XB_E_INPUT, "%s: expected a string as '%s'", where, key);
	*out = json_string_value(value);
	return 0;
}

int xb_json_only_keys(const json_t *object, const char *const *known, const char *where, struct xb_err *err)
{
	json_t *shared = (json_t *)(uintptr_t)object; /* as in write_object */

	if (check_object(object, where, err) < 0)
		return err->code;
	for (void *at = json_object_iter(shared); at; at = json_object_iter_next(shared, at)) {
		const char *key = json_object_iter_key(at), *meant;
		size_t i = 0;

		while (known[i] && strcmp(known[i], key) != 0)
			i++;
		if (known[i])
			continue;
		meant = xb_sv_suggest(xb_sv(key), known);
		xb_fail(err, XB_E_INPUT, "%s: unknown member '%s'", where, key);
		return meant ? xb_hint(err, "did you mean '%s'?", meant) : err->code;
	}
	return 0;
}
