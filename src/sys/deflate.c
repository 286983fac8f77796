/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sys/deflate.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "deflate_block.h"
#include "xbuild/base/alloc.h"

/* RFC 1952 section 2.3: magic, deflate, no flags, no time, no hint, system unknown. */
static const uint8_t header[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
#define TRAILER_BYTES 8
#define CRC_SLICES    8

struct xb_deflate {
	struct deflate_matcher *matcher;
	struct deflate_block block;
	uint32_t crc[CRC_SLICES][256];
};

/* RFC 1952 section 8; table k is for a byte that k more bytes follow. */
static void fill_crc(uint32_t crc[CRC_SLICES][256])
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t value = byte;

		for (int bit = 0; bit < 8; bit++)
			value = value & 1 ? value >> 1 ^ 0xedb88320U : value >> 1;
		crc[0][byte] = value;
	}
	for (int k = 1; k < CRC_SLICES; k++) {
		for (int byte = 0; byte < 256; byte++)
			crc[k][byte] = crc[k - 1][byte] >> 8 ^ crc[0][crc[k - 1][byte] & 255];
	}
}

static uint32_t crc32_of(const struct xb_deflate *d, const uint8_t *data, size_t len)
{
	uint32_t value = ~0U;

	for (; len >= 8; len -= 8, data += 8) {
		const uint32_t low = deflate_load32(data) ^ value, high = deflate_load32(data + 4);

		value = d->crc[7][low & 255] ^ d->crc[6][low >> 8 & 255] ^ d->crc[5][low >> 16 & 255] ^
			d->crc[4][low >> 24] ^ d->crc[3][high & 255] ^ d->crc[2][high >> 8 & 255] ^
			d->crc[1][high >> 16 & 255] ^ d->crc[0][high >> 24];
	}
	for (; len > 0; len--)
		value = value >> 8 ^ d->crc[0][(value ^ *data++) & 255];
	return ~value;
}

struct xb_deflate *xb_deflate_new(void)
{
	struct xb_deflate *d = xb_alloc(sizeof(*d));

	d->matcher = deflate_matcher_new();
	fill_crc(d->crc);
	return d;
}

void xb_deflate_free(struct xb_deflate *d)
{
	if (!d)
		return;
	free(d->matcher);
	free(d);
}

/* Only the last block may be shorter than DEFLATE_BLOCK_TOKENS bytes; none takes more than stored: 5 bytes and a few bits. */
size_t xb_deflate_bound(size_t len)
{
	return sizeof(header) + len + (len / DEFLATE_BLOCK_TOKENS + 1) * 6 + 8 + TRAILER_BYTES;
}

size_t xb_deflate_member(struct xb_deflate *d, const void *data, size_t len, void *out)
{
	struct deflate_bits bits = {.out = out};
	bool more;

	assert(len <= XB_DEFLATE_MEMBER_BYTES);
	memcpy(bits.out, header, sizeof(header));
	bits.out += sizeof(header);
	deflate_matcher_start(d->matcher, data, len);
	do {
		more = deflate_matcher_next(d->matcher, &d->block);
		deflate_block_write(&d->block, !more, &bits);
	} while (more);
	deflate_bits_finish(&bits);
	deflate_store32(bits.out, crc32_of(d, data, len));
	deflate_store32(bits.out + 4, (uint32_t)len);
	const size_t size = (size_t)(bits.out + TRAILER_BYTES - (uint8_t *)out);

	assert(size <= xb_deflate_bound(len));
	return size;
}
