/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Growing string with a cap. All-zero is an empty string without a cap (for text that this program makes itself).
 * For text that comes from outside set max_bytes first: xb_str_append* then report that the cap was hit.
 *
 * Guarantee: data is NUL-terminated and never NULL after the first append; use xb_str_get() for a never-NULL view.
 */
#ifndef XBUILD_BASE_STR_H
#define XBUILD_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>

#include "xbuild/base/attr.h"
#include "xbuild/base/sv.h"

struct xb_str {
	char *data;	  /* owned */
	size_t len;	  /* bytes without the final NUL */
	size_t cap;	  /* bytes allocated */
	size_t max_bytes; /* 0: no cap */
};

void xb_str_release(struct xb_str *s);
void xb_str_reset(struct xb_str *s); /* empty again, keeps the memory */

/* Each append returns false, and appends nothing, when the cap would be exceeded. Without a cap they return true. */
bool xb_str_append(struct xb_str *s, const char *text);
bool xb_str_append_n(struct xb_str *s, const void *bytes, size_t len);
bool xb_str_append_sv(struct xb_str *s, struct xb_sv sv);
bool xb_str_append_char(struct xb_str *s, char c);
/* Between single quotes as a POSIX shell reads them (Shell Command Language, 2.2.2): nothing is special but the quote. */
bool xb_str_append_quoted(struct xb_str *s, const char *text);
bool xb_str_printf(struct xb_str *s, const char *fmt, ...) XB_PRINTF(2, 3);

const char *xb_str_get(const struct xb_str *s); /* borrowed, "" when empty */
struct xb_sv xb_str_sv(const struct xb_str *s);
char *xb_str_steal(struct xb_str *s); /* owned by the caller; s is empty afterwards */

#endif
