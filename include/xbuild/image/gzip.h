/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gzip stream in the making: what is written is cut into members of XB_DEFLATE_MEMBER_BYTES, which worker threads
 * compress while other threads hash the plain bytes, and hash and write the compressed members in order. It may be one of
 * zstd instead, whose frames are cut alike (sys/zstd), or plain bytes.
 *
 * Guarantee: the bytes depend on the input alone, never on the number of threads or on how the input was cut into
 *            calls. Memory is bounded: about 2 MiB per slot, with four slots more than workers, at most
 *            XB_GZIP_MAX_THREADS workers.
 * Sequence:  struct xb_gzip_writer *gz = xb_gzip_writer_open(fd, "layer", threads, XB_COMPRESSION_GZIP);
 *            xb_gzip_writer_reserve / xb_gzip_writer_advance, or xb_gzip_writer_write, any number of times;
 *            xb_gzip_writer_finish(gz, &sum, err); xb_gzip_writer_free(gz), also to give up half-way.
 * Failure:   a failed write of the output is reported by the next call; after it only xb_gzip_writer_free is of use.
 * Threads:   one caller; the threads inside are its own and end before finish or free returns.
 * Format:    RFC 1952 2.2: a gzip file is a series of members; RFC 8878 3: of frames. Empty input gives one empty member.
 */
#ifndef XBUILD_IMAGE_GZIP_H
#define XBUILD_IMAGE_GZIP_H

#include <stddef.h>
#include <stdint.h>

#include "xbuild/base/err.h"
#include "xbuild/model/project.h"
#include "xbuild/sys/digest.h"

#define XB_GZIP_MAX_THREADS 16

struct xb_gzip_writer;

/* What came of it. In an image: plain is the layer's diffID, packed the digest of its blob. */
struct xb_gzip_sum {
	struct xb_digest plain, packed;
	uint64_t plain_bytes, packed_bytes;
};

/* Output goes to fd from its current offset; fd is borrowed. `name` (borrowed) is for messages. n_threads >= 1. */
int xb_gzip_writer_open(int fd, const char *name, int n_threads, enum xb_compression compression,
			struct xb_gzip_writer **out, struct xb_err *err) XB_MUST_CHECK;
void xb_gzip_writer_free(struct xb_gzip_writer *gz); /* NULL-safe */

/* Room for at least one byte at *out_data, *out_len bytes in all; waits for a free slot. Valid until the next call. */
int xb_gzip_writer_reserve(struct xb_gzip_writer *gz, void **out_data, size_t *out_len,
			   struct xb_err *err) XB_MUST_CHECK;
/* The first len bytes of what was reserved were filled. */
void xb_gzip_writer_advance(struct xb_gzip_writer *gz, size_t len);

int xb_gzip_writer_write(struct xb_gzip_writer *gz, const void *data, size_t len, struct xb_err *err) XB_MUST_CHECK;
int xb_gzip_writer_finish(struct xb_gzip_writer *gz, struct xb_gzip_sum *out, struct xb_err *err) XB_MUST_CHECK;

#endif
