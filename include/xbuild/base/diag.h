/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostics: problems of a text file of the user, each with its place. A reader collects as many as there are (at
 * most XB_MAX_DIAGS) and then fails once with XB_E_INPUT; src/cli/diag.c shows them with the source line and a caret.
 */
#ifndef XBUILD_BASE_DIAG_H
#define XBUILD_BASE_DIAG_H

#include <stdbool.h>
#include <stddef.h>

#include "xbuild/base/arena.h"
#include "xbuild/base/attr.h"
#include "xbuild/base/vec.h"

/* Where something stands in a file. Lines and columns count from 1, columns in bytes; 0 means unknown. */
struct xb_place {
	const char *file; /* as the user knows it; borrowed from the document's arena */
	int line, col;
	int len; /* bytes to underline, at least 1 */
};

struct xb_diag {
	struct xb_place at;
	const char *message; /* lower case, no final period */
	const char *help;    /* next step, or NULL */
	const char *text;    /* the source line without its newline, or NULL */
};

struct xb_diags {
	struct xb_arena arena; /* owns the strings */
	XB_VEC(struct xb_diag) list;
	size_t dropped; /* found beyond XB_MAX_DIAGS */
};

void xb_diags_release(struct xb_diags *diags);

/*
 * Adds a problem; the strings are copied. `source` is the whole text of the file (NULL when not at hand) and gives the
 * line to show; control bytes in it are shown as '?'. Returns the new diag, borrowed until the next add, or NULL when
 * the maximum is reached.
 */
struct xb_diag *xb_diags_add(struct xb_diags *diags, struct xb_place at, struct xb_sv source, const char *fmt, ...)
	XB_PRINTF(4, 5);

/* Sets the help line of a diag (which may be NULL: nothing happens then). */
void xb_diags_help(struct xb_diags *diags, struct xb_diag *diag, const char *fmt, ...) XB_PRINTF(3, 4);

#endif
