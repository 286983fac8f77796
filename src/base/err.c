/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/base/err.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"

void xb_err_release(struct xb_err *err)
{
	if (!err)
		return;
	free(err->msg);
	free(err->hint);
	*err = (struct xb_err){0};
}

void xb_err_clear(struct xb_err *err)
{
	xb_err_release(err);
}

void xb_err_move(struct xb_err *dst, struct xb_err *src)
{
	assert(dst->code == XB_OK && !dst->msg && !dst->hint);
	*dst = *src;
	*src = (struct xb_err){0};
}

int xb_fail(struct xb_err *err, enum xb_code code, const char *fmt, ...)
{
	va_list args;

	assert(err->code == XB_OK && !err->msg && !err->hint);
	assert(code < XB_OK);
	va_start(args, fmt);
	err->msg = xb_vprintf(fmt, args);
	va_end(args);
	err->code = code;
	return code;
}

/* strerror() may use one static buffer for all threads; of strerror_r() there are two kinds. */
static const char *errno_text(int number, char *buf, size_t size)
{
#if defined(__GLIBC__)
	return strerror_r(number, buf, size);
#else
	if (strerror_r(number, buf, size) != 0)
		snprintf(buf, size, "error %d", number);
	return buf;
#endif
}

int xb_fail_errno(struct xb_err *err, const char *fmt, ...)
{
	const int number = errno; /* formatting may change it */
	char *text XB_CLEANUP(xb_free_ptr) = NULL;
	char buf[256];
	va_list args;

	va_start(args, fmt);
	text = xb_vprintf(fmt, args);
	va_end(args);
	return xb_fail(err, number == ENOENT ? XB_E_NOT_FOUND : XB_E_SYSTEM, "%s: %s", text,
		       errno_text(number, buf, sizeof(buf)));
}

int xb_wrap(struct xb_err *err, const char *fmt, ...)
{
	char *text XB_CLEANUP(xb_free_ptr) = NULL;
	char *old;
	va_list args;

	assert(err->code != XB_OK);
	va_start(args, fmt);
	text = xb_vprintf(fmt, args);
	va_end(args);
	old = err->msg;
	err->msg = xb_printf("%s: %s", text, old);
	free(old);
	return err->code;
}

int xb_hint(struct xb_err *err, const char *fmt, ...)
{
	va_list args;

	assert(err->code != XB_OK);
	if (err->hint)
		return err->code;
	va_start(args, fmt);
	err->hint = xb_vprintf(fmt, args);
	va_end(args);
	return err->code;
}

int xb_hint_instead(struct xb_err *err, const char *fmt, ...)
{
	char *old XB_CLEANUP(xb_free_ptr) = err->hint; /* the arguments may be of it */
	va_list args;

	assert(err->code != XB_OK);
	va_start(args, fmt);
	err->hint = xb_vprintf(fmt, args);
	va_end(args);
	return err->code;
}
