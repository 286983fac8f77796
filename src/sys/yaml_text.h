/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to sys/yaml: the text of a YAML file, checked before libyaml sees it, and the places in it. Columns count bytes
 * here and characters in libyaml's marks.
 */
#ifndef XBUILD_SYS_YAML_TEXT_H
#define XBUILD_SYS_YAML_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <yaml.h>

#include "xbuild/base/diag.h"
#include "xbuild/base/vec.h"

struct yaml_text {
	struct xb_sv source; /* borrowed */
	const char *file;
	struct xb_diags *diags;
	XB_VEC(size_t) line_starts; /* byte offset of each line */
	/* The last mark that became an offset: marks come in order, and a file may be one long line. */
	size_t last_line, last_column, last_offset;
};

void yaml_text_release(struct yaml_text *t);

/*
 * Finds the lines, and the first character that no YAML file of ours may hold. With that done before libyaml runs, its
 * lines are our lines, and no escape sequence reaches a terminal. Places can be asked for afterwards.
 */
int yaml_text_check(struct yaml_text *t);

struct xb_place yaml_text_place(struct yaml_text *t, yaml_mark_t mark);
struct xb_place yaml_text_range(struct yaml_text *t, yaml_mark_t start, yaml_mark_t end);

/* Adds a problem that ends the reading where its result is returned, and lets it go on where it is not. help: or NULL. */
int yaml_text_refuse(struct yaml_text *t, struct xb_place at, const char *message, const char *help);

/* Is there a character in it that the file itself must not hold? It is in *out then; UINT32_MAX: no character at all. */
bool yaml_text_has_refused(struct xb_sv text, uint32_t *out);

#endif
