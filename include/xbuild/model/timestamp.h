/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Points in time as text, UTC only, second precision: the form of RFC 3339 that ends with "Z".
 *
 * Guarantee: no time zone, locale or libc calendar is involved, so every host gives the same text. Years 1970 to 9999.
 */
#ifndef XBUILD_MODEL_TIMESTAMP_H
#define XBUILD_MODEL_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "xbuild/base/sv.h"

#define XB_TIMESTAMP_SIZE 21

/* Writes "2026-09-12T07:55:41Z" to buf and returns it. Times outside of the range give its nearest end. */
const char *xb_timestamp_format(int64_t unix_sec, char buf[XB_TIMESTAMP_SIZE]);

/* "20260912T075541Z" and, with plain set, "20260912075541": names of snapshots and of images. Returns buf. */
const char *xb_timestamp_compact(int64_t unix_sec, bool plain, char buf[XB_TIMESTAMP_SIZE]);

/* True when text is exactly "YYYY-MM-DDThh:mm:ssZ" and names a second that exists (no leap second). */
bool xb_timestamp_parse(struct xb_sv text, int64_t *out_unix_sec);

#endif
