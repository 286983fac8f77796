/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/base/str.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"

#define MIN_CAP 32

void xb_str_release(struct xb_str *s)
{
	if (!s)
		return;
	free(s->data);
	s->data = NULL;
	s->len = s->cap = 0; /* max_bytes stays: a string that is used again must not lose its cap */
}

void xb_str_reset(struct xb_str *s)
{
	s->len = 0;
	if (s->data)
		s->data[0] = '\0';
}

/* Makes room for `more` bytes and a NUL; false where the cap forbids it. */
static bool reserve(struct xb_str *s, size_t more)
{
	size_t need, cap;

	if (s->max_bytes && (s->len > s->max_bytes || more > s->max_bytes - s->len))
		return false;
	need = more < SIZE_MAX - s->len ? s->len + more + 1 : SIZE_MAX;
	if (need <= s->cap)
		return true;
	cap = s->cap < SIZE_MAX / 2 ? s->cap * 2 : SIZE_MAX;
	if (cap < MIN_CAP)
		cap = MIN_CAP;
	if (cap < need)
		cap = need;
	s->data = xb_realloc(s->data, cap);
	s->cap = cap;
	return true;
}

bool xb_str_append(struct xb_str *s, const char *text)
{
	return xb_str_append_n(s, text, strlen(text));
}

bool xb_str_append_n(struct xb_str *s, const void *bytes, size_t len)
{
	if (!reserve(s, len))
		return false;
	if (len)
		memcpy(s->data + s->len, bytes, len);
	s->len += len;
	s->data[s->len] = '\0';
	return true;
}

bool xb_str_append_sv(struct xb_str *s, struct xb_sv sv)
{
	return xb_str_append_n(s, sv.ptr, sv.len);
}

bool xb_str_append_char(struct xb_str *s, char c)
{
	return xb_str_append_n(s, &c, 1);
}

bool xb_str_append_quoted(struct xb_str *s, const char *text)
{
	struct xb_str quoted XB_CLEANUP(xb_str_release) = {0};

	xb_str_append_char(&quoted, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			xb_str_append(&quoted, "'\\''");
		else
			xb_str_append_char(&quoted, *text);
	}
	xb_str_append_char(&quoted, '\'');
	return xb_str_append_sv(s, xb_str_sv(&quoted));
}

bool xb_str_printf(struct xb_str *s, const char *fmt, ...)
{
	char *text XB_CLEANUP(xb_free_ptr) = NULL;
	va_list args;

	va_start(args, fmt);
	text = xb_vprintf(fmt, args);
	va_end(args);
	return xb_str_append(s, text);
}

const char *xb_str_get(const struct xb_str *s)
{
	return s->data ? s->data : "";
}

struct xb_sv xb_str_sv(const struct xb_str *s)
{
	return xb_sv_n(xb_str_get(s), s->len);
}

char *xb_str_steal(struct xb_str *s)
{
	char *text = s->data ? s->data : xb_strdup("");

	s->data = NULL;
	s->len = s->cap = 0;
	return text;
}
