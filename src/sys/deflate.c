/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sys/deflate.h"

#include <assert.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"

/* RFC 1952 section 2.3: offsets in the header of a member. */
#define MTIME_AT    4
#define MTIME_BYTES 4
#define OS_AT	    9
#define OS_UNKNOWN  255

struct xb_deflate {
	struct libdeflate_compressor *compressor;
};

struct xb_deflate *xb_deflate_new(void)
{
	struct xb_deflate *d = xb_alloc(sizeof(*d));

	d->compressor = libdeflate_alloc_compressor(XB_DEFLATE_LEVEL);
	if (!d->compressor)
		abort(); /* the level is valid, so memory is out */
	return d;
}

void xb_deflate_free(struct xb_deflate *d)
{
	if (!d)
		return;
	libdeflate_free_compressor(d->compressor);
	free(d);
}

size_t xb_deflate_bound(size_t len)
{
	return libdeflate_gzip_compress_bound(NULL, len);
}

size_t xb_deflate_member(struct xb_deflate *d, const void *data, size_t len, void *out)
{
	unsigned char *header = out;
	size_t size;

	assert(len <= XB_DEFLATE_MEMBER_BYTES);
	size = libdeflate_gzip_compress(d->compressor, data, len, out, xb_deflate_bound(len));
	if (!size)
		abort(); /* happens only where the bound is wrong */
	/* What libdeflate writes there is not promised by it, and must be the same with every release. */
	memset(header + MTIME_AT, 0, MTIME_BYTES);
	header[OS_AT] = OS_UNKNOWN;
	return size;
}
