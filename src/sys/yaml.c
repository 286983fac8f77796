/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sys/yaml.h"

#include <string.h>
#include <yaml.h>

#include "yaml_text.h"

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
	struct yaml_text text;
	struct xb_arena *arena;
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
	yaml_text_release(&r->text);
	yaml_parser_delete(&r->parser);
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
	const struct xb_place at = yaml_text_place(&r->text, r->parser.problem_mark);
	const size_t offset = r->text.line_starts.items[at.line - 1] + (size_t)at.col - 1;

	if (offset < r->text.source.len && r->text.source.ptr[offset] == '\t')
		return yaml_text_refuse(&r->text, at, "a tab cannot indent", "use spaces");
	for (size_t i = 0; i < XB_COUNT(explanations); i++) {
		if (strstr(problem, explanations[i].problem))
			return yaml_text_refuse(&r->text, at, explanations[i].message, explanations[i].help);
	}
	return yaml_text_refuse(&r->text, at, problem, NULL);
}

static struct xb_yaml *new_node(struct reader *r, const yaml_event_t *event, enum xb_yaml_kind kind)
{
	struct xb_yaml *node = xb_arena_alloc(r->arena, sizeof(*node));

	node->kind = kind;
	node->at = yaml_text_range(&r->text, event->start_mark, event->end_mark);
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
		(void)yaml_text_refuse(&r->text, node->at, "merge keys are not allowed", "write the keys out");
		return add_refused_key(top, node);
	}
	if (node->text.len > MAX_KEY_BYTES)
		return yaml_text_refuse(&r->text, node->at, "this key is too long", "the maximum is 256 bytes");
	if (before) {
		xb_diags_help(r->text.diags,
			      xb_diags_add(r->text.diags, node->at, r->text.source, "duplicate key '%.*s'",
					   XB_SV_ARG(node->text)),
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
		return yaml_text_refuse(&r->text, node->at, "the file holds too many values", "the maximum is 100000");
	if (!top) {
		r->root = node;
		return 0;
	}
	if (key_is_due(r)) {
		if (node->kind != XB_YAML_SCALAR) {
			(void)yaml_text_refuse(&r->text, node->at, "a key must be a word",
					       "check for a missing ',' or quote");
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
		(void)yaml_text_refuse(&r->text, at, "anchors are not allowed", "write the value out where it is used");
	else if (tag)
		(void)yaml_text_refuse(&r->text, at, "tags are not allowed", "remove the word that starts with '!'");
}

/* An escape in a double-quoted text can make what yaml_text_check() refused in the file itself. */
static bool check_scalar_text(struct reader *r, const struct xb_yaml *node)
{
	uint32_t c;

	if (!yaml_text_has_refused(node->text, &c))
		return true;
	xb_diags_add(r->text.diags, node->at, r->text.source,
		     "an escape makes the character U+%04X, which is not allowed", c == UINT32_MAX ? 0xfffd : c);
	return false;
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
	(void)yaml_text_refuse(&r->text, at, "aliases are not allowed",
			       "write the value out; text that starts with '*' needs quotes");
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
		return yaml_text_refuse(&r->text, node->at, "lists and maps are nested too deeply",
					"the maximum is 64 levels");
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
	const struct xb_place at = yaml_text_place(&r->text, event->start_mark);

	if (r->has_document)
		return yaml_text_refuse(&r->text, at, "a second document starts here",
					"the file holds one document; remove '---'");
	r->has_document = true;
	if (event->data.document_start.version_directive ||
	    event->data.document_start.tag_directives.start != event->data.document_start.tag_directives.end)
		(void)yaml_text_refuse(&r->text, at, "directives are not allowed",
				       "remove the lines that start with '%'");
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
	const size_t problems = r->text.diags->list.len + r->text.diags->dropped;

	if (r->text.source.len > XB_MAX_YAML_BYTES)
		return yaml_text_refuse(&r->text, (struct xb_place){.file = r->text.file, .len = 1},
					"the file is too large", "the maximum is 1 MiB");
	if (yaml_text_check(&r->text) < 0)
		return XB_E_INPUT;
	yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r->parser, (const unsigned char *)(r->text.source.ptr ? r->text.source.ptr : ""),
				     r->text.source.len);
	if (read_events(r) < 0)
		return XB_E_INPUT;
	r->is_whole = true;
	return r->text.diags->list.len + r->text.diags->dropped > problems ? XB_E_INPUT : 0;
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
		.text = {.source = source, .file = xb_arena_strdup(arena, file), .diags = diags},
		.arena = arena,
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
		r.root->at = (struct xb_place){.file = r.text.file, .line = 1, .col = 1, .len = 1};
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
