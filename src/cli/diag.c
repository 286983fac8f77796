/* SPDX-License-Identifier: Apache-2.0 */
#include "diag.h"

#include <string.h>

#define RED  "\033[1;31m"
#define CYAN "\033[36m"
#define BOLD "\033[1m"
#define OFF  "\033[0m"

static const char *paint(bool color, const char *code)
{
	return color ? code : "";
}

/* The source line with its caret. A long line is shown as a window around the caret, so that a narrow terminal does not
 * break the caret away from what it points at. */
static void render_line(const struct xb_diag *d, bool color, int width, struct xb_str *out)
{
	size_t len = strlen(d->text), start = 0;
	size_t col = d->at.col > 0 ? (size_t)d->at.col - 1 : 0;
	size_t room = width > 24 ? (size_t)width - 9 : len;
	if (len > room && col + 1 > room / 2) {
		start = col - room / 2;
		if (start + room > len)
			start = len > room ? len - room : 0;
	}
	size_t shown = len - start < room ? len - start : room;
	xb_str_printf(out, "%s%5d |%s %.*s\n", paint(color, CYAN), d->at.line, paint(color, OFF), (int)shown,
		      d->text + start);
	xb_str_printf(out, "%s      |%s ", paint(color, CYAN), paint(color, OFF));
	for (size_t i = start; i < col && i < start + shown; i++)
		xb_str_append_char(out, d->text[i] == '\t' ? '\t' : ' ');
	xb_str_append(out, paint(color, RED));
	xb_str_append_char(out, '^');
	for (int i = 1; i < d->at.len && col + (size_t)i < start + shown; i++)
		xb_str_append_char(out, '~');
	xb_str_printf(out, "%s\n", paint(color, OFF));
}

void diag_render(const struct xb_diags *diags, bool color, int width, struct xb_str *out)
{
	for (size_t i = 0; i < diags->list.len; i++) {
		const struct xb_diag *d = &diags->list.items[i];
		xb_str_printf(out, "%s%s", paint(color, BOLD), d->at.file ? d->at.file : "?");
		if (d->at.line > 0)
			xb_str_printf(out, ":%d:%d", d->at.line, d->at.col);
		xb_str_printf(out, ":%s %serror:%s %s\n", paint(color, OFF), paint(color, RED), paint(color, OFF),
			      d->message);
		if (d->text && d->at.line > 0)
			render_line(d, color, width, out);
		if (d->help)
			xb_str_printf(out, "  %shelp:%s %s\n", paint(color, CYAN), paint(color, OFF), d->help);
	}
	if (diags->dropped)
		xb_str_printf(out, "and %zu more\n", diags->dropped);
}

void diag_render_err(const struct xb_err *err, bool color, struct xb_str *out)
{
	if (!err->msg || !*err->msg)
		return;
	xb_str_printf(out, "%serror:%s %s\n", paint(color, RED), paint(color, OFF), err->msg);
	if (err->hint)
		xb_str_printf(out, "%shint:%s %s\n", paint(color, CYAN), paint(color, OFF), err->hint);
}

int diag_exit_status(enum xb_code code, int signal)
{
	switch (code) {
	case XB_OK:
		return 0;
	case XB_E_JOB:
		return 1;
	case XB_E_USAGE:
	case XB_E_INPUT:
	case XB_E_NOT_FOUND:
	case XB_E_UNSAT:
		return 2;
	case XB_E_LOCK:
		return 3;
	case XB_E_NETWORK:
	case XB_E_SYSTEM:
		return 4;
	case XB_E_DIGEST:
	case XB_E_SIGNATURE:
	case XB_E_VERIFY:
		return 5;
	case XB_E_INTERRUPTED:
		return signal ? 128 + signal : 130;
	}
	return 70;
}
