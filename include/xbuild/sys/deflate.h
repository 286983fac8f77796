/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip writing by libdeflate: the same bytes on every CPU and for every number of threads.
 *
 * Format: RFC 1952; MTIME 0, no name, OS 255. A long input is a sequence of members of XB_DEFLATE_MEMBER_BYTES of input
 *         each (RFC 1952 2.2 allows it; OCI readers were tried), so members can be made in parallel and concatenated.
 */
#ifndef XBUILD_SYS_DEFLATE_H
#define XBUILD_SYS_DEFLATE_H

#include <stddef.h>

#include "xbuild/base/err.h"

#define XB_DEFLATE_MEMBER_BYTES (1024 * 1024)
/* Measured on 123 MiB of programs and libraries: level 6 takes 1.6 times as long as level 4 and saves 2.4 percent. */
#define XB_DEFLATE_LEVEL 4

struct xb_deflate; /* one compressor per thread */

struct xb_deflate *xb_deflate_new(void);
void xb_deflate_free(struct xb_deflate *d);
size_t xb_deflate_bound(size_t len);
/* Compresses one member of at most XB_DEFLATE_MEMBER_BYTES; out has xb_deflate_bound(len) bytes. Returns its size. */
size_t xb_deflate_member(struct xb_deflate *d, const void *data, size_t len, void *out);

#endif
