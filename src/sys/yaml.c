/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sys/yaml.h"

#include <stdint.h>
#include <string.h>
#include <yaml.h>

#include "xbuild/base/limits.h"
#include "xbuild/base/map.h"
#include "xbuild/base/vec.h"

#define MAX_KEY_BYTES 256 /* libyaml itself stops at 1024 */

/* An XB_VEC with a name, so that functions can take it. */
struct nodes {
	struct xb_yaml **items;
	size_t len, cap;
};

/* A list or map whose end has not come yet. */
struct frame {
	struct xb_yaml *node;
	struct nodes keys, items;
	struct xb_map seen; /* keys so far: text to node */
};

struct reader {
	yaml_parser_t parser;
	struct xb_sv source;
	const char *file;
	struct xb_arena *arena;
	struct xb_diags *diags;
	XB_VEC(size_t) line_starts; /* byte offset of each line */
	/* The last mark that became an offset: marks come in order, and a file may be one long line. */
	size_t last_line, last_column, last_offset;
	struct frame frames[XB_MAX_YAML_DEPTH];
	size_t depth, n_nodes;
	struct xb_yaml *root;
	bool has_document, is_whole;
};

static void release_frame(struct frame *frame)
{
	XB_VEC_RELEASE(&frame->keys);
	XB_VEC_RELEASE(&frame->items);
	xb_map_release(&frame->seen);
}

static void reader_release(struct reader *r)
{
	for (size_t i = 0; i < r->depth; i++)
		release_frame(&r->frames[i]);
	XB_VEC_RELEASE(&r->line_starts);
	yaml_parser_delete(&r->parser);
}

/* Bytes of the UTF-8 character that starts at i. The source is known to be valid, or is being checked. */
static size_t utf8_len(unsigned char first)
{
	return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* The character at offset i, its length in *out_len; UINT32_MAX when the bytes are no UTF-8 (RFC 3629, section 4). */
static uint32_t utf8_char(struct xb_sv s, size_t i, size_t *out_len)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char first = (unsigned char)s.ptr[i];
	const size_t len = utf8_len(first);
	uint32_t c;

	*out_len = 1;
	if (len == 1)
		return first;
	if (first < 0xc2 || first > 0xf4 || i + len > s.len)
		return UINT32_MAX;
	c = first & (0xffu >> (len + 1));
	for (size_t k = 1; k < len; k++) {
		const unsigned char next = (unsigned char)s.ptr[i + k];

		if ((next & 0xc0) != 0x80)
			return UINT32_MAX;
		c = c << 6 | (next & 0x3f);
	}
	if (c < smallest[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return UINT32_MAX;
	*out_len = len;
	return c;
}

/* Unicode UAX #9: what reorders the text that a reviewer sees ("Trojan Source", CVE-2021-42574). */
static bool is_bidi(uint32_t c)
{
	return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

static bool is_control(uint32_t c)
{
	return (c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029;
}

static struct xb_place place_at(const struct reader *r, size_t offset)
{
	struct xb_place at = {.file = r->file, .len = 1};
	size_t line = r->line_starts.len;

	while (line > 1 && r->line_starts.items[line - 1] > offset)
		line--;
	at.line = (int)line;
	at.col = (int)(offset - r->line_starts.items[line - 1]) + 1;
	return at;
}

static size_t line_end(const struct reader *r, size_t line)
{
	return line + 1 < r->line_starts.len ? r->line_starts.items[line + 1] - 1 : r->source.len;
}

/* The byte offset of a mark; *line is its line. libyaml counts columns in characters, ours count bytes. */
static size_t offset_of(struct reader *r, yaml_mark_t mark, size_t *line)
{
	size_t end, column = 0, offset;

	*line = mark.line < r->line_starts.len ? mark.line : r->line_starts.len - 1;
	offset = r->line_starts.items[*line];
	end = line_end(r, *line);
	if (*line == r->last_line && mark.column >= r->last_column && r->last_offset >= offset) {
		offset = r->last_offset;
		column = r->last_column;
	}
	for (; column < mark.column && offset < end; column++)
		offset += utf8_len((unsigned char)r->source.ptr[offset]);
	r->last_line = *line;
	r->last_column = column;
	r->last_offset = offset;
	return offset;
}

static struct xb_place place_of(struct reader *r, yaml_mark_t mark)
{
	size_t line;
	const size_t offset = offset_of(r, mark, &line);

	return (struct xb_place){
		.file = r->file,
		.line = (int)line + 1,
		.col = (int)(offset - r->line_starts.items[line]) + 1,
		.len = 1,
	};
}

static struct xb_place place_of_range(struct reader *r, yaml_mark_t start, yaml_mark_t end)
{
	struct xb_place at = place_of(r, start), last;

	if (end.line != start.line)
		return at;
	last = place_of(r, end);
	if (last.col > at.col)
		at.len = last.col - at.col;
	return at;
}

/* Adds a problem that ends the reading where its result is returned, and lets it go on where it is not. */
static int refuse(struct reader *r, struct xb_place at, const char *message, const char *help)
{
	struct xb_diag *diag = xb_diags_add(r->diags, at, r->source, "%s", message);

	if (help)
		xb_diags_help(r->diags, diag, "%s", help);
	return XB_E_INPUT;
}

static int refuse_char(struct reader *r, size_t offset, uint32_t c)
{
	const struct xb_place at = place_at(r, offset);

	if (c == UINT32_MAX)
		return refuse(r, at, "this is not UTF-8 text", "save the file as UTF-8");
	if (c == 0xfeff)
		return refuse(r, at, "the file holds a byte order mark", "save the file as UTF-8 without one");
	if (is_bidi(c)) {
		xb_diags_add(r->diags, at, r->source, "invisible character U+%04X changes the order of text", c);
		return XB_E_INPUT;
	}
	if (c == '\r')
		return refuse(r, at, "a carriage return must be followed by a newline", NULL);
	xb_diags_add(r->diags, at, r->source, "control character U+%04X is not allowed", c);
	return XB_E_INPUT;
}

/* Before libyaml sees the text: then its lines are our lines, and no escape sequence reaches a terminal. */
static int check_text(struct reader *r)
{
	size_t len = 1;

	XB_VEC_PUSH(&r->line_starts, (size_t)0);
	for (size_t i = 0; i < r->source.len; i += len) {
		const uint32_t c = utf8_char(r->source, i, &len);

		if (c == '\n') {
			XB_VEC_PUSH(&r->line_starts, i + 1);
		} else if (c == '\r' && i + 1 < r->source.len && r->source.ptr[i + 1] == '\n') {
			continue;
		} else if (c == UINT32_MAX || c == 0xfeff || is_bidi(c) || is_control(c)) {
			return refuse_char(r, i, c);
		}
	}
	return 0;
}

/* What libyaml says, and what it means to someone who writes a project file. */
static const struct {
	const char *problem, *message, *help;
} explanations[] = {
	{"mapping values are not allowed", "a ':' is not expected here",
	 "check the indentation, and quote text that holds ': '"},
	{"could not find expected ':'", "expected ':' after this key", "write 'key: value'"},
	{"did not find expected key", "the indentation does not match the lines above",
	 "keys of one map start in the same column"},
	{"did not find expected '-' indicator", "the indentation does not match the lines above",
	 "items of one list start with '-' in the same column"},
	{"did not find expected ',' or ']'", "this list is not closed", "add the missing ',' or ']'"},
	{"did not find expected ',' or '}'", "this map is not closed", "add the missing ',' or '}'"},
	{"found unexpected end of stream", "the file ends inside a quoted text", "add the missing quote"},
	{"found unexpected document indicator", "'---' or '...' inside a quoted text", "add the missing quote"},
	{"block sequence entries are not allowed", "a '-' list is not expected here",
	 "start the list on a line of its own, or write [a, b]"},
	{"found unknown escape character", "unknown escape in a double-quoted text",
	 "use single quotes, or write '\\\\'"},
	{"did not find expected <document start>", "text behind the end of the document",
	 "the file holds one document; check the indentation"},
	{"did not find expected node content", "a value is missing here", NULL},
	{"found character that cannot start any token", "this character cannot start a word", "put the word in quotes"},
	{"found undefined tag handle", "tags are not allowed", "remove the word that starts with '!'"},
};

static int refuse_syntax(struct reader *r)
{
	const char *problem = r->parser.problem ? r->parser.problem : "this is not YAML";
	const struct xb_place at = place_of(r, r->parser.problem_mark);
	const size_t offset = r->line_starts.items[at.line - 1] + (size_t)at.col - 1;

	if (offset < r->source.len && r->source.ptr[offset] == '\t')
		return refuse(r, at, "a tab cannot indent", "use spaces");
	for (size_t i = 0; i < XB_COUNT(explanations); i++) {
		if (strstr(problem, explanations[i].problem))
			return refuse(r, at, explanations[i].message, explanations[i].help);
	}
	return refuse(r, at, problem, NULL);
}

static struct xb_yaml *new_node(struct reader *r, const yaml_event_t *event, enum xb_yaml_kind kind)
{
	struct xb_yaml *node = xb_arena_alloc(r->arena, sizeof(*node));

	node->kind = kind;
	node->at = place_of_range(r, event->start_mark, event->end_mark);
	return node;
}

/* Keys and values alternate in a map: a key is due when there are as many of the one as of the other. */
static bool key_is_due(const struct reader *r)
{
	const struct frame *top = r->depth ? &r->frames[r->depth - 1] : NULL;

	return top && top->node->kind == XB_YAML_MAP && top->keys.len == top->items.len;
}

/* Holds the place of a key until its value was read; then both go (drop_refused). */
static int add_refused_key(struct frame *top, struct xb_yaml *node)
{
	node->refused = true;
	top->node->partial = true;
	XB_VEC_PUSH(&top->keys, node);
	return 0;
}

static int add_key(struct reader *r, struct frame *top, struct xb_yaml *node)
{
	const struct xb_yaml *before = xb_map_get(&top->seen, node->text);

	if (node->refused)
		return add_refused_key(top, node);
	if (!node->quoted && xb_sv_eq_str(node->text, "<<")) {
		(void)refuse(r, node->at, "merge keys are not allowed", "write the keys out");
		return add_refused_key(top, node);
	}
	if (node->text.len > MAX_KEY_BYTES)
		return refuse(r, node->at, "this key is too long", "the maximum is 256 bytes");
	if (before) {
		xb_diags_help(
			r->diags,
			xb_diags_add(r->diags, node->at, r->source, "duplicate key '%.*s'", XB_SV_ARG(node->text)),
			"it was given before in line %d; remove one of them", before->at.line);
	}
	xb_map_put(&top->seen, node->text, node);
	XB_VEC_PUSH(&top->keys, node);
	return 0;
}

static int add_node(struct reader *r, struct xb_yaml *node)
{
	struct frame *top = r->depth ? &r->frames[r->depth - 1] : NULL;

	if (++r->n_nodes > XB_MAX_YAML_NODES)
		return refuse(r, node->at, "the file holds too many values", "the maximum is 100000");
	if (!top) {
		r->root = node;
		return 0;
	}
	if (key_is_due(r)) {
		if (node->kind != XB_YAML_SCALAR) {
			(void)refuse(r, node->at, "a key must be a word", "check for a missing ',' or quote");
			return add_refused_key(top, node);
		}
		return add_key(r, top, node);
	}
	top->node->partial |= node->refused;
	XB_VEC_PUSH(&top->items, node);
	return 0;
}

/* The node is read as if they were not there. */
static void refuse_properties(struct reader *r, const struct xb_yaml *node, const yaml_char_t *anchor,
			      const yaml_char_t *tag)
{
	struct xb_place at = node->at;

	at.len = 1;
	if (anchor)
		(void)refuse(r, at, "anchors are not allowed", "write the value out where it is used");
	else if (tag)
		(void)refuse(r, at, "tags are not allowed", "remove the word that starts with '!'");
}

/* An escape in a double-quoted text can make what check_text() refused in the file itself. */
static bool check_scalar_text(struct reader *r, const struct xb_yaml *node)
{
	size_t len = 1;

	for (size_t i = 0; i < node->text.len; i += len) {
		const uint32_t c = utf8_char(node->text, i, &len);

		if (c == UINT32_MAX || c == 0xfeff || is_bidi(c) || is_control(c)) {
			xb_diags_add(r->diags, node->at, r->source,
				     "an escape makes the character U+%04X, which is not allowed",
				     c == UINT32_MAX ? 0xfffd : c);
			return false;
		}
	}
	return true;
}

static int on_scalar(struct reader *r, const yaml_event_t *event)
{
	struct xb_yaml *node = new_node(r, event, XB_YAML_SCALAR);
	const struct xb_sv text = xb_sv_n((const char *)event->data.scalar.value, event->data.scalar.length);

	refuse_properties(r, node, event->data.scalar.anchor, event->data.scalar.tag);
	node->text = xb_sv_n(xb_arena_sv(r->arena, text), text.len);
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	node->refused = !check_scalar_text(r, node);
	return add_node(r, node);
}

/* What it stands for is not looked up: a value that holds itself, or a million copies, cannot come to be. */
static int on_alias(struct reader *r, const yaml_event_t *event)
{
	struct xb_yaml *node = new_node(r, event, XB_YAML_SCALAR);
	struct xb_place at = node->at;

	at.len = 1;
	(void)refuse(r, at, "aliases are not allowed", "write the value out; text that starts with '*' needs quotes");
	node->text = xb_sv("");
	node->refused = true;
	return add_node(r, node);
}

static int on_start(struct reader *r, const yaml_event_t *event, enum xb_yaml_kind kind)
{
	const bool is_map = kind == XB_YAML_MAP;
	struct xb_yaml *node = new_node(r, event, kind);

	refuse_properties(r, node, is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor,
			  is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag);
	if (r->depth == XB_MAX_YAML_DEPTH)
		return refuse(r, node->at, "lists and maps are nested too deeply", "the maximum is 64 levels");
	if (add_node(r, node) < 0)
		return XB_E_INPUT;
	r->frames[r->depth++] = (struct frame){.node = node};
	return 0;
}

static struct xb_yaml **keep(struct reader *r, const struct nodes *nodes)
{
	struct xb_yaml **copy = xb_arena_array(r->arena, nodes->len, sizeof(struct xb_yaml *));

	if (nodes->len)
		memcpy(copy, nodes->items, nodes->len * sizeof(struct xb_yaml *));
	return copy;
}

/* Takes out the pairs whose key was refused. */
static void drop_refused(struct frame *frame)
{
	size_t len = 0;

	for (size_t i = 0; i < frame->keys.len; i++) {
		if (frame->keys.items[i]->refused)
			continue;
		frame->keys.items[len] = frame->keys.items[i];
		frame->items.items[len++] = frame->items.items[i];
	}
	frame->keys.len = frame->items.len = len;
}

static void on_end(struct reader *r)
{
	struct frame *top = &r->frames[--r->depth];

	if (top->node->kind == XB_YAML_MAP && top->node->partial)
		drop_refused(top);
	top->node->items = keep(r, &top->items);
	top->node->n_items = top->items.len;
	if (top->node->kind == XB_YAML_MAP)
		top->node->keys = keep(r, &top->keys);
	release_frame(top);
}

static int on_document(struct reader *r, const yaml_event_t *event)
{
	const struct xb_place at = place_of(r, event->start_mark);

	if (r->has_document)
		return refuse(r, at, "a second document starts here", "the file holds one document; remove '---'");
	r->has_document = true;
	if (event->data.document_start.version_directive ||
	    event->data.document_start.tag_directives.start != event->data.document_start.tag_directives.end)
		(void)refuse(r, at, "directives are not allowed", "remove the lines that start with '%'");
	return 0;
}

static int on_event(struct reader *r, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		return on_document(r, event);
	case YAML_ALIAS_EVENT:
		return on_alias(r, event);
	case YAML_SCALAR_EVENT:
		return on_scalar(r, event);
	case YAML_SEQUENCE_START_EVENT:
		return on_start(r, event, XB_YAML_LIST);
	case YAML_MAPPING_START_EVENT:
		return on_start(r, event, XB_YAML_MAP);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		on_end(r);
		break;
	default:
		break;
	}
	return 0;
}

static int read_events(struct reader *r)
{
	bool is_done = false;

	while (!is_done) {
		yaml_event_t event;
		int rc;

		if (!yaml_parser_parse(&r->parser, &event))
			return refuse_syntax(r);
		is_done = event.type == YAML_STREAM_END_EVENT || event.type == YAML_NO_EVENT;
		rc = on_event(r, &event);
		yaml_event_delete(&event);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_document(struct reader *r)
{
	const size_t problems = r->diags->list.len + r->diags->dropped;

	if (r->source.len > XB_MAX_YAML_BYTES)
		return refuse(r, (struct xb_place){.file = r->file, .len = 1}, "the file is too large",
			      "the maximum is 1 MiB");
	if (check_text(r) < 0)
		return XB_E_INPUT;
	yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r->parser, (const unsigned char *)(r->source.ptr ? r->source.ptr : ""),
				     r->source.len);
	if (read_events(r) < 0)
		return XB_E_INPUT;
	r->is_whole = true;
	return r->diags->list.len + r->diags->dropped > problems ? XB_E_INPUT : 0;
}

/* "", comments alone, and "---" with nothing behind it. */
static bool is_empty(const struct xb_yaml *root)
{
	return !root || (root->kind == XB_YAML_SCALAR && !root->quoted && !root->text.len);
}

int xb_yaml_parse(struct xb_sv source, const char *file, struct xb_arena *arena, struct xb_yaml **out,
		  struct xb_diags *diags, struct xb_err *err)
{
	struct reader r XB_CLEANUP(reader_release) = {
		.source = source,
		.arena = arena,
		.file = xb_arena_strdup(arena, file),
		.diags = diags,
	};

	int rc;

	*out = NULL;
	if (!yaml_parser_initialize(&r.parser))
		return xb_fail(err, XB_E_SYSTEM, "out of memory while reading %s", file);
	rc = read_document(&r);
	if (rc < 0)
		(void)xb_fail(err, XB_E_INPUT, "%s is not a valid file of this kind", file);
	if (!r.is_whole)
		return rc;
	if (is_empty(r.root)) {
		r.root = xb_arena_alloc(arena, sizeof(*r.root));
		r.root->kind = XB_YAML_MAP;
		r.root->at = (struct xb_place){.file = r.file, .line = 1, .col = 1, .len = 1};
	}
	*out = r.root;
	return rc;
}

const struct xb_yaml *xb_yaml_get(const struct xb_yaml *map, const char *key)
{
	if (map->kind != XB_YAML_MAP)
		return NULL;
	for (size_t i = 0; i < map->n_items; i++) {
		if (xb_sv_eq_str(map->keys[i]->text, key))
			return map->items[i];
	}
	return NULL;
}
