/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256, the one name that xbuild gives to content. OpenSSL is used by this file alone, and of it the plain SHA256_
 * functions: they need no provider, no configuration and no start, where the first EVP call takes a millisecond; and linked
 * statically they are 20 kB, where loading libcrypto takes another two (cmake/Dependencies.cmake).
 *
 * Text form: 64 lower-case hex digits; the OCI form adds "sha256:" (OCI image-spec v1.1, descriptor.md "Digests").
 * Threads:   a hasher belongs to one thread; digests are plain values.
 */
#ifndef XBUILD_SYS_DIGEST_H
#define XBUILD_SYS_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xbuild/base/err.h"
#include "xbuild/base/sv.h"

#define XB_DIGEST_BYTES 32
#define XB_DIGEST_HEX	65 /* 64 digits and NUL */
#define XB_DIGEST_OCI	72 /* "sha256:" + 64 digits + NUL */

struct xb_digest {
	uint8_t bytes[XB_DIGEST_BYTES];
};

/* Incremental hasher. init, update any number of times, final exactly once (it also releases). */
struct xb_hasher {
	void *state; /* owned */
};

void xb_hasher_init(struct xb_hasher *h);
void xb_hasher_update(struct xb_hasher *h, const void *data, size_t len);
void xb_hasher_final(struct xb_hasher *h, struct xb_digest *out);
void xb_hasher_release(struct xb_hasher *h); /* for a hasher that is given up; NULL-safe and idempotent */

void xb_digest_bytes(const void *data, size_t len, struct xb_digest *out);
/* Hashes from the current offset of fd to its end and tells the number of bytes read. */
int xb_digest_fd(int fd, struct xb_digest *out, uint64_t *out_size, struct xb_err *err) XB_MUST_CHECK;
int xb_digest_file(const char *path, struct xb_digest *out, uint64_t *out_size, struct xb_err *err) XB_MUST_CHECK;

bool xb_digest_eq(const struct xb_digest *a, const struct xb_digest *b);
bool xb_digest_is_zero(const struct xb_digest *d);
const char *xb_digest_hex(const struct xb_digest *d, char buf[XB_DIGEST_HEX]); /* returns buf */
const char *xb_digest_oci(const struct xb_digest *d, char buf[XB_DIGEST_OCI]); /* "sha256:..."; returns buf */
/* Accepts exactly 64 lower-case digits, with or without "sha256:". */
bool xb_digest_parse(struct xb_sv text, struct xb_digest *out);

#endif
