/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lower-case hexadecimal. xb_hex_decode refuses upper case and odd lengths: a digest has one spelling, so that comparing
 * texts is comparing digests.
 */
#ifndef XBUILD_BASE_HEX_H
#define XBUILD_BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xbuild/base/sv.h"

/* Writes 2 * len digits and a NUL to out. */
void xb_hex_encode(const uint8_t *bytes, size_t len, char *out);
/* True when text is exactly 2 * len lower-case digits; bytes are written only then. */
bool xb_hex_decode(struct xb_sv text, uint8_t *out, size_t len);

#endif
