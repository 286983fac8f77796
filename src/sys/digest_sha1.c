/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sys/digest_sha1.h"

/* The plain functions, not EVP: see sys/digest.h. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"

#define BASE64_LEN (XB_SHA1_BASE64 - 1)

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void xb_sha1_init(struct xb_sha1_hasher *h)
{
	h->state = xb_alloc(sizeof(SHA_CTX));
	SHA1_Init(h->state); /* these functions cannot fail */
}

void xb_sha1_update(struct xb_sha1_hasher *h, const void *data, size_t len)
{
	SHA1_Update(h->state, data, len);
}

void xb_sha1_final(struct xb_sha1_hasher *h, struct xb_sha1 *out)
{
	SHA1_Final(out->bytes, h->state);
	xb_sha1_release(h);
}

void xb_sha1_release(struct xb_sha1_hasher *h)
{
	if (!h)
		return;
	free(h->state);
	h->state = NULL;
}

const char *xb_sha1_base64(const struct xb_sha1 *sum, char buf[XB_SHA1_BASE64])
{
	for (size_t i = 0; i < BASE64_LEN; i++) {
		size_t bit = i * 6, at = bit / 8;
		unsigned pair = (unsigned)sum->bytes[at < XB_SHA1_BYTES ? at : 0] << 8;
		if (at + 1 < XB_SHA1_BYTES)
			pair |= sum->bytes[at + 1];
		buf[i] = alphabet[pair >> (10 - bit % 8) & 63];
	}
	buf[BASE64_LEN - 1] = '='; /* 20 bytes fill 27 characters, the last of them by 4 of its bits */
	buf[BASE64_LEN] = '\0';
	return buf;
}

bool xb_sha1_parse_base64(struct xb_sv text, struct xb_sha1 *out)
{
	struct xb_sha1 sum = {0};
	char again[XB_SHA1_BASE64];
	if (text.len != BASE64_LEN)
		return false;
	for (size_t i = 0; i + 1 < BASE64_LEN; i++) {
		const char *digit = text.ptr[i] ? strchr(alphabet, text.ptr[i]) : NULL;
		size_t bit = i * 6, at = bit / 8;
		if (!digit)
			return false;
		unsigned pair = (unsigned)(digit - alphabet) << (10 - bit % 8);
		sum.bytes[at] |= (uint8_t)(pair >> 8);
		if (at + 1 < XB_SHA1_BYTES)
			sum.bytes[at + 1] |= (uint8_t)pair;
	}
	/* One spelling each: the bits that are left over must be zero, and the padding there. */
	if (memcmp(xb_sha1_base64(&sum, again), text.ptr, BASE64_LEN) != 0)
		return false;
	*out = sum;
	return true;
}
