/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML text to a tree in which every node knows its line and column. libyaml is used by this file alone.
 *
 * Guarantee: one document of at most XB_MAX_YAML_BYTES, depth XB_MAX_YAML_DEPTH, XB_MAX_YAML_NODES nodes; no anchors,
 *            aliases, tags, merge keys, directives, duplicate keys, no NUL or other control characters, no bidirectional
 *            overrides, valid UTF-8. A breach is a diag with its place and a plain-language message. Scalars are text:
 *            no type is ever guessed.
 * Failure:   XB_E_INPUT with at least one entry in diags. Where the text could be read to its end all the same (an
 *            anchor, a duplicate key), *out is set too: a caller that checks what the nodes say finds the further
 *            problems in the same run, and fails then.
 */
#ifndef XBUILD_SYS_YAML_H
#define XBUILD_SYS_YAML_H

#include <stdbool.h>

#include "xbuild/base/arena.h"
#include "xbuild/base/diag.h"
#include "xbuild/base/err.h"
#include "xbuild/base/sv.h"

enum xb_yaml_kind { XB_YAML_SCALAR, XB_YAML_LIST, XB_YAML_MAP };

struct xb_yaml {
	enum xb_yaml_kind kind;
	struct xb_place at;	/* of the first character */
	struct xb_sv text;	/* scalar: its text, NUL-terminated in the arena */
	bool quoted;		/* scalar: written with quotes or as a block */
	struct xb_yaml **items; /* list: children; map: values */
	struct xb_yaml **keys;	/* map: keys (scalars), same index as items */
	size_t n_items;
	bool refused; /* stands for an alias or a text that was refused: nothing more is to be said about it */
	bool partial; /* list or map: something in it was refused, so what is missing may be in there */
};

/* Parses `source` (named `file` in diags); nodes are borrowed from arena. An empty document gives an empty map. *out is
 * NULL after a failure that ended the reading. */
int xb_yaml_parse(struct xb_sv source, const char *file, struct xb_arena *arena, struct xb_yaml **out,
		  struct xb_diags *diags, struct xb_err *err) XB_MUST_CHECK;

/* The value of `key` in a map, or NULL. */
const struct xb_yaml *xb_yaml_get(const struct xb_yaml *map, const char *key);

#endif
