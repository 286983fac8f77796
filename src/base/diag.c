/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/base/diag.h"

#include <stdarg.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"

void xb_diags_release(struct xb_diags *diags)
{
	if (!diags)
		return;
	XB_VEC_RELEASE(&diags->list);
	xb_arena_release(&diags->arena);
	diags->dropped = 0;
}

/* A file may hold terminal commands. Replaced byte for byte, so that the columns stay right. */
static void mask_controls(char *text)
{
	unsigned char *p = (unsigned char *)text;

	for (; *p; p++) {
		if (*p < 0x20 || *p == 0x7f) {
			*p = '?';
		} else if (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f) {
			/* U+0080 to U+009F in UTF-8: C1 controls, among them CSI, which starts an escape sequence. */
			*p++ = '?';
			*p = '?';
		}
	}
}

/* The line as one NUL-terminated string, or NULL when the source has no such line. */
static const char *copy_line(struct xb_arena *arena, struct xb_sv source, int line)
{
	struct xb_sv found = {0};
	char *text;

	if (line < 1)
		return NULL;
	for (int i = 0; i < line; i++) {
		if (!source.ptr)
			return NULL;
		found = xb_sv_cut(&source, '\n');
	}
	if (xb_sv_ends(found, "\r"))
		found.len--;
	text = xb_arena_sv(arena, found);
	/* A NUL would end the string early. */
	for (size_t i = 0; i < found.len; i++) {
		if (!text[i])
			text[i] = '?';
	}
	mask_controls(text);
	return text;
}

struct xb_diag *xb_diags_add(struct xb_diags *diags, struct xb_place at, struct xb_sv source, const char *fmt, ...)
{
	char *message XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_diag *diag;
	va_list args;

	if (diags->list.len >= XB_MAX_DIAGS) {
		diags->dropped++;
		return NULL;
	}
	va_start(args, fmt);
	message = xb_vprintf(fmt, args);
	va_end(args);

	diag = XB_VEC_ADD(&diags->list);
	diag->at = at;
	diag->at.file = at.file ? xb_arena_strdup(&diags->arena, at.file) : NULL;
	diag->at.len = at.len < 1 ? 1 : at.len;
	diag->message = xb_arena_strdup(&diags->arena, message);
	diag->text = copy_line(&diags->arena, source, at.line);
	return diag;
}

void xb_diags_help(struct xb_diags *diags, struct xb_diag *diag, const char *fmt, ...)
{
	char *help XB_CLEANUP(xb_free_ptr) = NULL;
	va_list args;

	if (!diag)
		return;
	va_start(args, fmt);
	help = xb_vprintf(fmt, args);
	va_end(args);
	diag->help = xb_arena_strdup(&diags->arena, help);
}
