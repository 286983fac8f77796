/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip writing: the same bytes on every CPU, with every compiler and library, and for every number of threads. The
 * digest of an image contains the compressed bytes, and one lock shall give one digest everywhere; the bytes that zlib,
 * libdeflate and the others write change with their releases, so the encoder is part of xbuild.
 *
 * Format: RFC 1952 around RFC 1951; MTIME 0, no name, OS 255. A long input is a sequence of members of
 *         XB_DEFLATE_MEMBER_BYTES of input each (RFC 1952 2.2 allows it; OCI readers were tried), so members can be made
 *         in parallel and concatenated.
 */
#ifndef XBUILD_SYS_DEFLATE_H
#define XBUILD_SYS_DEFLATE_H

#include <stddef.h>

#define XB_DEFLATE_MEMBER_BYTES (1024 * 1024)
/* Names the bytes: to be raised with every change of the encoder that changes what it writes. */
#define XB_DEFLATE_VERSION "2"

struct xb_deflate; /* one encoder per thread; nothing of one member is remembered for the next */

struct xb_deflate *xb_deflate_new(void);
void xb_deflate_free(struct xb_deflate *d); /* NULL-safe */
/* The most that a member of len bytes can take, with some bytes of room that the encoder needs to write. */
size_t xb_deflate_bound(size_t len);
/* Compresses one member of at most XB_DEFLATE_MEMBER_BYTES; out has xb_deflate_bound(len) bytes. Returns its size. */
size_t xb_deflate_member(struct xb_deflate *d, const void *data, size_t len, void *out);

#endif
