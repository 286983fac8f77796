/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-1, for formats that name content by it and leave no choice: the apk package database and its indexes (apk-tools,
 * doc/apk-v2.5.scd). Nothing of our own is named by it: sys/digest is for that. Plain functions of OpenSSL, as there.
 *
 * Text form: standard base64 with padding (RFC 4648 section 4), 28 characters; apk writes "Q1" before it.
 * Threads:   a hasher belongs to one thread; sums are plain values.
 */
#ifndef XBUILD_SYS_DIGEST_SHA1_H
#define XBUILD_SYS_DIGEST_SHA1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xbuild/base/sv.h"

#define XB_SHA1_BYTES  20
#define XB_SHA1_BASE64 29 /* 28 characters and NUL */

struct xb_sha1 {
	uint8_t bytes[XB_SHA1_BYTES];
};

/* Incremental hasher: init, update any number of times, final exactly once (it also releases). */
struct xb_sha1_hasher {
	void *state; /* owned */
};

void xb_sha1_init(struct xb_sha1_hasher *h);
void xb_sha1_update(struct xb_sha1_hasher *h, const void *data, size_t len);
void xb_sha1_final(struct xb_sha1_hasher *h, struct xb_sha1 *out);
void xb_sha1_release(struct xb_sha1_hasher *h); /* for a hasher that is given up; NULL-safe and idempotent */

const char *xb_sha1_base64(const struct xb_sha1 *sum, char buf[XB_SHA1_BASE64]); /* returns buf */
/* True for exactly the 28 characters that xb_sha1_base64 writes for some sum; *out is written only then. */
bool xb_sha1_parse_base64(struct xb_sv text, struct xb_sha1 *out);

#endif
