/* SPDX-License-Identifier: Apache-2.0 */
/* Colours and the like in the output of tools. */
#ifndef XBUILD_BASE_ANSI_H
#define XBUILD_BASE_ANSI_H

#include "xbuild/base/str.h"
#include "xbuild/base/sv.h"

/* Appends text without control sequences: ECMA-48, 5.4, "ESC [" up to a final byte. One without an end takes the rest. */
void xb_strip_ansi(struct xb_sv text, struct xb_str *out);

#endif
