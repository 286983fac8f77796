/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/vec.h"

void table_init(struct table *t, size_t n_columns)
{
	assert(n_columns > 0 && n_columns <= TABLE_COLUMNS);
	*t = (struct table){.n_columns = n_columns};
}

void table_row(struct table *t, const char *const *cells)
{
	for (size_t i = 0; i < t->n_columns; i++) {
		if (t->n_cells == t->cap)
			t->cells = xb_vec_grow(t->cells, &t->cap, sizeof(*t->cells));
		t->cells[t->n_cells++] = xb_strdup(cells[i] ? cells[i] : "");
	}
}

void table_render(const struct table *t, bool color, struct xb_str *out)
{
	size_t widths[TABLE_COLUMNS] = {0};
	for (size_t i = 0; i < t->n_cells; i++) {
		size_t len = strlen(t->cells[i]);
		if (len > widths[i % t->n_columns])
			widths[i % t->n_columns] = len;
	}
	for (size_t i = 0; i < t->n_cells; i++) {
		size_t column = i % t->n_columns;
		if (color && i == 0)
			xb_str_append(out, "\033[1m");
		if (column + 1 == t->n_columns)
			xb_str_printf(out, "%s%s\n", t->cells[i], color && i < t->n_columns ? "\033[0m" : "");
		else
			xb_str_printf(out, "%-*s  ", (int)widths[column], t->cells[i]);
	}
}

void table_release(struct table *t)
{
	for (size_t i = 0; i < t->n_cells; i++)
		free(t->cells[i]);
	free(t->cells);
	*t = (struct table){0};
}
