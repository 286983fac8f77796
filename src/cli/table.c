/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/vec.h"

#define MIN_ROOM	 20 /* a column that is narrower breaks after every other word */
#define TERMINAL_COLUMNS 80 /* of a terminal that does not tell */

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

int table_width(void)
{
	struct winsize size;
	if (isatty(STDOUT_FILENO) != 1)
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return TERMINAL_COLUMNS;
	return size.ws_col;
}

void table_wrap(const char *text, size_t indent, size_t room, struct xb_str *out)
{
	while (strlen(text) > room) {
		size_t cut = room;
		while (cut > 0 && text[cut] != ' ')
			cut--;
		if (cut == 0) /* a word that is longer than the line */
			cut = strcspn(text, " ");
		xb_str_append_n(out, text, cut);
		text += cut;
		text += strspn(text, " ");
		if (!*text)
			break;
		xb_str_printf(out, "\n%*s", (int)indent, "");
	}
	xb_str_printf(out, "%s\n", text);
}

/* Columns but the last one, with the blanks behind them. */
static size_t measure(const struct table *t, size_t *widths)
{
	size_t before_last = 0;
	for (size_t i = 0; i < t->n_cells; i++) {
		size_t len = strlen(t->cells[i]);
		if (len > widths[i % t->n_columns])
			widths[i % t->n_columns] = len;
	}
	for (size_t i = 0; i + 1 < t->n_columns; i++)
		before_last += widths[i] + 2;
	return before_last;
}

static void render_block(const struct table *t, size_t row, bool color, int width, struct xb_str *out)
{
	char *const *heads = t->cells, *const *cells = t->cells + row * t->n_columns;
	size_t widest = 0;
	for (size_t i = 1; i < t->n_columns; i++)
		widest = strlen(heads[i]) > widest ? strlen(heads[i]) : widest;
	size_t indent = widest + 4;
	size_t room = (size_t)width > indent + MIN_ROOM ? (size_t)width - indent : MIN_ROOM;
	xb_str_printf(out, "%s%s%s%s\n", row > 1 ? "\n" : "", color ? "\033[1m" : "", cells[0], color ? "\033[0m" : "");
	for (size_t i = 1; i < t->n_columns; i++) {
		if (!*cells[i])
			continue;
		xb_str_printf(out, "  %-*s  ", (int)widest, heads[i]);
		table_wrap(cells[i], indent, room, out);
	}
}

static void render_row(const struct table *t, size_t row, const size_t *widths, size_t room, bool color,
		       struct xb_str *out)
{
	char *const *cells = t->cells + row * t->n_columns;
	struct xb_str line = {0};
	size_t last = t->n_columns - 1, indent = 0;
	for (size_t i = 0; i < last; i++) {
		xb_str_printf(&line, "%-*s  ", (int)widths[i], cells[i]);
		indent += widths[i] + 2;
	}
	xb_str_printf(out, "%s%s", color ? "\033[1m" : "", xb_str_get(&line));
	xb_str_release(&line);
	if (color)
		xb_str_printf(out, "%s\033[0m\n", cells[last]);
	else
		table_wrap(cells[last], indent, room, out);
}

void table_render(const struct table *t, bool color, int width, struct xb_str *out)
{
	size_t widths[TABLE_COLUMNS] = {0}, n_rows = t->n_cells / t->n_columns;
	size_t before_last = measure(t, widths), last = widths[t->n_columns - 1];
	bool fits = width <= 0 || before_last + last <= (size_t)width;
	if (!fits && (last <= MIN_ROOM || before_last + MIN_ROOM > (size_t)width)) {
		for (size_t row = 1; row < n_rows; row++)
			render_block(t, row, color, width, out);
		return;
	}
	for (size_t row = 0; row < n_rows; row++)
		render_row(t, row, widths, fits ? SIZE_MAX : (size_t)width - before_last, color && row == 0, out);
}

void table_release(struct table *t)
{
	for (size_t i = 0; i < t->n_cells; i++)
		free(t->cells[i]);
	free(t->cells);
	*t = (struct table){0};
}
