/* SPDX-License-Identifier: Apache-2.0 */
/* A table for people: columns as wide as their widest cell, two blanks between, the last one not padded. */
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
/* Appends the table; the first row is underlined when `color` (bold) is set. */
void table_render(const struct table *t, bool color, struct xb_str *out);
void table_release(struct table *t);

#endif
