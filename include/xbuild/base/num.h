/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict number parsing: the whole text must be the number; no sign, blank, prefix or overflow is let through.
 * The functions return false and leave *out alone when the text is not such a number.
 */
#ifndef XBUILD_BASE_NUM_H
#define XBUILD_BASE_NUM_H

#include <stdbool.h>
#include <stdint.h>

#include "xbuild/base/sv.h"

bool xb_num_u64(struct xb_sv text, uint64_t max, uint64_t *out);
bool xb_num_octal(struct xb_sv text, uint32_t max, uint32_t *out); /* for file modes: "0640" */

/* Writes a size for people to buf: "999 B", "17.4 MB" (powers of 1000). Returns buf. */
#define XB_NUM_SIZE_MAX 16
const char *xb_num_size(uint64_t bytes, char buf[XB_NUM_SIZE_MAX]);

#endif
