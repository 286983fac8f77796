/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64 as RFC 4648 section 4 has it: the digits A-Z a-z 0-9 + /, filled up with '='. The decoder takes no other spelling:
 * no line ends, no missing fill, no bits behind the last byte (section 3.5).
 */
#ifndef XBUILD_BASE_BASE64_H
#define XBUILD_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "xbuild/base/str.h"
#include "xbuild/base/sv.h"

/* Appends the text of `len` bytes to out. */
void xb_base64_encode(const void *bytes, size_t len, struct xb_str *out);
/* Appends the bytes that text stands for. False, and nothing is appended, when it is no base64 or out's cap is hit. */
bool xb_base64_decode(struct xb_sv text, struct xb_str *out);

#endif
