/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sys/digest_sha1.h"

/* The plain functions, not EVP: see sys/digest.h. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/base64.h"

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
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	xb_base64_encode(sum->bytes, XB_SHA1_BYTES, &text);
	memcpy(buf, xb_str_get(&text), XB_SHA1_BASE64);
	return buf;
}

bool xb_sha1_parse_base64(struct xb_sv text, struct xb_sha1 *out)
{
	struct xb_str bytes XB_CLEANUP(xb_str_release) = {0};
	if (text.len != XB_SHA1_BASE64 - 1 || !xb_base64_decode(text, &bytes) || bytes.len != XB_SHA1_BYTES)
		return false;
	memcpy(out->bytes, bytes.data, XB_SHA1_BYTES);
	return true;
}
