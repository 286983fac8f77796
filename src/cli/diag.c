/* SPDX-License-Identifier: Apache-2.0 */
#include "diag.h"

#include <string.h>

#define RED    "\033[1;31m"
#define CYAN   "\033[36m"
#define YELLOW "\033[1;33m"
#define BOLD   "\033[1m"
#define OFF    "\033[0m"

static const char *paint(bool color, const char *code)
{
	return color ? code : "";
}

void diag_clean(const char *text, bool keep_color, struct xb_str *out)
{
	for (const unsigned char *s = (const unsigned char *)text; *s; s++) {
		if (*s == 033 && s[1] == '[') {
			size_t n = 2;
			while ((s[n] >= '0' && s[n] <= '9') || s[n] == ';')
				n++;
			if (s[n] == 'm' && keep_color)
				xb_str_append_n(out, s, n + 1);
			if (s[n] == 'm' || s[n] == 'K') {
				s += n;
				continue;
			}
		}
		/* U+0080 to U+009F in UTF-8: C1 controls, among them a CSI of one character. */
		if (*s == 0xc2 && s[1] >= 0x80 && s[1] <= 0x9f)
			s++;
		else if ((*s >= 0x20 && *s != 0x7f) || *s == '\n' || *s == '\t')
			xb_str_append_char(out, (char)*s);
	}
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

/* A line "error: text". The text may quote what comes from outside. */
static void render_words(const char *word, const char *code, const char *text, bool color, struct xb_str *out)
{
	xb_str_printf(out, "%s%s%s ", paint(color, code), word, paint(color, OFF));
	diag_clean(text, false, out);
	xb_str_append_char(out, '\n');
}

void diag_render_finding(const char *text, bool is_warning, bool color, struct xb_str *out)
{
	render_words(is_warning ? "warning:" : "error:", is_warning ? YELLOW : RED, text, color, out);
}

void diag_render(const struct xb_diags *diags, bool color, int width, struct xb_str *out)
{
	for (size_t i = 0; i < diags->list.len; i++) {
		const struct xb_diag *d = &diags->list.items[i];
		xb_str_append(out, paint(color, BOLD));
		diag_clean(d->at.file ? d->at.file : "?", false, out);
		if (d->at.line > 0)
			xb_str_printf(out, ":%d:%d", d->at.line, d->at.col);
		xb_str_printf(out, ":%s ", paint(color, OFF));
		render_words("error:", RED, d->message, color, out);
		if (d->text && d->at.line > 0)
			render_line(d, color, width, out);
		if (d->help)
			render_words("  help:", CYAN, d->help, color, out);
	}
	if (diags->dropped)
		xb_str_printf(out, "and %zu more\n", diags->dropped);
}

void diag_render_err(const struct xb_err *err, bool color, struct xb_str *out)
{
	if (err->msg && *err->msg)
		render_words("error:", RED, err->msg, color, out);
	if (err->hint)
		render_words("hint:", CYAN, err->hint, color, out);
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
	return DIAG_STATUS_BUG;
}
