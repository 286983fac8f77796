/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation that cannot fail: out of memory ends the process here, in one file (SIGABRT after one line on stderr).
 *
 * Guarantee: every returned pointer is non-NULL, also for a size of 0. Sizes that come from outside must have been
 *            checked against base/limits before they reach this module.
 */
#ifndef XBUILD_BASE_ALLOC_H
#define XBUILD_BASE_ALLOC_H

#include <stdarg.h>
#include <stddef.h>

#include "xbuild/base/attr.h"

void *xb_alloc(size_t size_bytes);			      /* zeroed; owned by the caller, free() it */
void *xb_realloc(void *old, size_t size_bytes);		      /* growth is not zeroed */
void *xb_realloc_array(void *old, size_t count, size_t size); /* aborts where count * size overflows */
char *xb_strdup(const char *text);			      /* owned */
char *xb_strndup(const char *text, size_t len);		      /* owned, at most len bytes, as strndup() */
char *xb_printf(const char *fmt, ...) XB_PRINTF(1, 2);	      /* owned formatted string */
char *xb_vprintf(const char *fmt, va_list args) XB_PRINTF(1, 0);

/* For XB_CLEANUP on `char *` and other plain malloc pointers: frees *pointer_to_pointer. */
void xb_free_ptr(void *pointer_to_pointer);

#endif
