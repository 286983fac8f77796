/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zstd writing with libzstd, which is used by this file alone (libarchive, which reads, has its own).
 *
 * Guarantee: the same bytes for the same input from the same release of libzstd, whatever the number of threads: level 3,
 *            one thread, frames of at most XB_DEFLATE_MEMBER_BYTES of input, that may be made in parallel and concatenated
 *            (RFC 8878 section 3). Another release may write other bytes: xb_zstd_version names them.
 * Format:    RFC 8878: frames with their content size and without a checksum (a layer has its digest).
 */
#ifndef XBUILD_SYS_ZSTD_H
#define XBUILD_SYS_ZSTD_H

#include <stddef.h>

struct xb_zstd; /* one encoder per thread; nothing of one frame is remembered for the next */

struct xb_zstd *xb_zstd_new(void);
void xb_zstd_free(struct xb_zstd *z); /* NULL-safe */
size_t xb_zstd_bound(size_t len);     /* the most that a frame of len bytes can take */
/* Compresses one frame; out has xb_zstd_bound(len) bytes. Returns its size; 0 when the library failed (no memory). */
size_t xb_zstd_frame(struct xb_zstd *z, const void *data, size_t len, void *out);
/* "1.5.4 level 3": what the bytes depend on. Static. */
const char *xb_zstd_version(void);

#endif
