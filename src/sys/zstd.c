/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sys/zstd.h"

#include <stdlib.h>
#include <zstd.h>

#include "xbuild/base/alloc.h"

/* As good as gzip -6 in half the time. A change of it changes digests: it is part of the version. */
#define LEVEL	   3
#define LEVEL_TEXT " level 3"

struct xb_zstd {
	ZSTD_CCtx *context;
};

struct xb_zstd *xb_zstd_new(void)
{
	struct xb_zstd *z = xb_alloc(sizeof(*z));

	z->context = ZSTD_createCCtx();
	return z;
}

void xb_zstd_free(struct xb_zstd *z)
{
	if (!z)
		return;
	ZSTD_freeCCtx(z->context);
	free(z);
}

size_t xb_zstd_bound(size_t len)
{
	return ZSTD_compressBound(len);
}

size_t xb_zstd_frame(struct xb_zstd *z, const void *data, size_t len, void *out)
{
	const size_t size =
		z->context ? ZSTD_compressCCtx(z->context, out, ZSTD_compressBound(len), data, len, LEVEL) : 0;

	return ZSTD_isError(size) ? 0 : size;
}

const char *xb_zstd_version(void)
{
	/* of the library that runs, which need not be that of the header; it has one of these since 1.3 */
	return ZSTD_versionNumber() == ZSTD_VERSION_NUMBER ? ZSTD_VERSION_STRING LEVEL_TEXT : ZSTD_versionString();
}
