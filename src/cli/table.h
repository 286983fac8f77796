/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table for people: columns as wide as their widest cell, two blanks between, the last one not padded. Where a terminal is
 * too narrow, the last column is broken between words; where that leaves it too little room, each row becomes a block of
 * lines "HEAD  cell" below its first cell.
 */
#ifndef XBUILD_CLI_TABLE_H
#define XBUILD_CLI_TABLE_H

#include "xbuild/base/str.h"

#define TABLE_COLUMNS 10

struct table {
	size_t n_columns;
	char **cells; /* rows of n_columns owned strings */
	size_t n_cells, cap;
};

void table_init(struct table *t, size_t n_columns);
/* n_columns strings, copied; NULL is an empty cell. */
void table_row(struct table *t, const char *const *cells);
/* Appends the table for a terminal of `width` columns (0: no terminal, lines of any length); the first row is its head,
 * bold when `color` is set. */
void table_render(const struct table *t, bool color, int width, struct xb_str *out);
/* Columns of the terminal that stdout is, 0 when it is none. */
int table_width(void);

/* Appends the text in lines of at most `room` columns, broken at blanks; further lines begin with `indent` blanks. */
void table_wrap(const char *text, size_t indent, size_t room, struct xb_str *out);
void table_release(struct table *t);

#endif
