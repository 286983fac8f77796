/* SPDX-License-Identifier: Apache-2.0 */
#include "yaml_text.h"

#include "xbuild/base/err.h"

void yaml_text_release(struct yaml_text *t)
{
	XB_VEC_RELEASE(&t->line_starts);
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

static struct xb_place place_at(const struct yaml_text *t, size_t offset)
{
	struct xb_place at = {.file = t->file, .len = 1};
	size_t line = t->line_starts.len;

	while (line > 1 && t->line_starts.items[line - 1] > offset)
		line--;
	at.line = (int)line;
	at.col = (int)(offset - t->line_starts.items[line - 1]) + 1;
	return at;
}

static size_t line_end(const struct yaml_text *t, size_t line)
{
	return line + 1 < t->line_starts.len ? t->line_starts.items[line + 1] - 1 : t->source.len;
}

/* The byte offset of a mark; *line is its line. libyaml counts columns in characters, ours count bytes. */
static size_t offset_of(struct yaml_text *t, yaml_mark_t mark, size_t *line)
{
	size_t end, column = 0, offset;

	*line = mark.line < t->line_starts.len ? mark.line : t->line_starts.len - 1;
	offset = t->line_starts.items[*line];
	end = line_end(t, *line);
	if (*line == t->last_line && mark.column >= t->last_column && t->last_offset >= offset) {
		offset = t->last_offset;
		column = t->last_column;
	}
	for (; column < mark.column && offset < end; column++)
		offset += utf8_len((unsigned char)t->source.ptr[offset]);
	t->last_line = *line;
	t->last_column = column;
	t->last_offset = offset;
	return offset;
}

struct xb_place yaml_text_place(struct yaml_text *t, yaml_mark_t mark)
{
	size_t line;
	const size_t offset = offset_of(t, mark, &line);

	return (struct xb_place){
		.file = t->file,
		.line = (int)line + 1,
		.col = (int)(offset - t->line_starts.items[line]) + 1,
		.len = 1,
	};
}

struct xb_place yaml_text_range(struct yaml_text *t, yaml_mark_t start, yaml_mark_t end)
{
	struct xb_place at = yaml_text_place(t, start), last;

	if (end.line != start.line)
		return at;
	last = yaml_text_place(t, end);
	if (last.col > at.col)
		at.len = last.col - at.col;
	return at;
}

int yaml_text_refuse(struct yaml_text *t, struct xb_place at, const char *message, const char *help)
{
	struct xb_diag *diag = xb_diags_add(t->diags, at, t->source, "%s", message);

	if (help)
		xb_diags_help(t->diags, diag, "%s", help);
	return XB_E_INPUT;
}

static int refuse_char(struct yaml_text *t, size_t offset, uint32_t c)
{
	const struct xb_place at = place_at(t, offset);

	if (c == UINT32_MAX)
		return yaml_text_refuse(t, at, "this is not UTF-8 text", "save the file as UTF-8");
	if (c == 0xfeff)
		return yaml_text_refuse(t, at, "the file holds a byte order mark",
					"save the file as UTF-8 without one");
	if (is_bidi(c)) {
		xb_diags_add(t->diags, at, t->source, "invisible character U+%04X changes the order of text", c);
		return XB_E_INPUT;
	}
	if (c == '\r')
		return yaml_text_refuse(t, at, "a carriage return must be followed by a newline", NULL);
	xb_diags_add(t->diags, at, t->source, "control character U+%04X is not allowed", c);
	return XB_E_INPUT;
}

int yaml_text_check(struct yaml_text *t)
{
	size_t len = 1;

	XB_VEC_PUSH(&t->line_starts, (size_t)0);
	for (size_t i = 0; i < t->source.len; i += len) {
		const uint32_t c = utf8_char(t->source, i, &len);

		if (c == '\n') {
			XB_VEC_PUSH(&t->line_starts, i + 1);
		} else if (c == '\r' && i + 1 < t->source.len && t->source.ptr[i + 1] == '\n') {
			continue;
		} else if (c == UINT32_MAX || c == 0xfeff || is_bidi(c) || is_control(c)) {
			return refuse_char(t, i, c);
		}
	}
	return 0;
}

bool yaml_text_has_refused(struct xb_sv text, uint32_t *out)
{
	size_t len = 1;

	for (size_t i = 0; i < text.len; i += len) {
		*out = utf8_char(text, i, &len);
		if (*out == UINT32_MAX || *out == 0xfeff || is_bidi(*out) || is_control(*out))
			return true;
	}
	return false;
}
