/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sys/digest.h"

/* The plain functions, not EVP: see the header. They exist in every OpenSSL since 0.9.7. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <fcntl.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/hex.h"
#include "xbuild/sys/fs.h"

#define OCI_PREFIX "sha256:"
#define READ_BYTES (64 * 1024)

void xb_hasher_init(struct xb_hasher *h)
{
	h->state = xb_alloc(sizeof(SHA256_CTX));
	SHA256_Init(h->state); /* these functions cannot fail */
}

void xb_hasher_update(struct xb_hasher *h, const void *data, size_t len)
{
	SHA256_Update(h->state, data, len);
}

void xb_hasher_final(struct xb_hasher *h, struct xb_digest *out)
{
	SHA256_Final(out->bytes, h->state);
	xb_hasher_release(h);
}

void xb_hasher_release(struct xb_hasher *h)
{
	if (!h)
		return;
	free(h->state);
	h->state = NULL;
}

void xb_digest_bytes(const void *data, size_t len, struct xb_digest *out)
{
	SHA256_CTX ctx;

	SHA256_Init(&ctx);
	SHA256_Update(&ctx, data, len);
	SHA256_Final(out->bytes, &ctx);
}

static int hash_fd(int fd, const char *name, struct xb_digest *out, uint64_t *out_size, struct xb_err *err)
{
	struct xb_hasher hasher XB_CLEANUP(xb_hasher_release) = {0};
	unsigned char buf[READ_BYTES];
	uint64_t size_bytes = 0;
	int64_t got;

	xb_hasher_init(&hasher);
	do {
		got = xb_fs_read_some(fd, buf, sizeof(buf), name, err);
		if (got < 0)
			return (int)got;
		xb_hasher_update(&hasher, buf, (size_t)got);
		size_bytes += (uint64_t)got;
	} while (got == sizeof(buf));
	xb_hasher_final(&hasher, out);
	if (out_size)
		*out_size = size_bytes;
	return 0;
}

int xb_digest_fd(int fd, struct xb_digest *out, uint64_t *out_size, struct xb_err *err)
{
	return hash_fd(fd, "file to hash", out, out_size, err);
}

int xb_digest_file(const char *path, struct xb_digest *out, uint64_t *out_size, struct xb_err *err)
{
	int fd XB_CLEANUP(xb_fs_close) = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return xb_fail_errno(err, "open '%s'", path);
	return hash_fd(fd, path, out, out_size, err);
}

bool xb_digest_eq(const struct xb_digest *a, const struct xb_digest *b)
{
	return memcmp(a->bytes, b->bytes, XB_DIGEST_BYTES) == 0;
}

bool xb_digest_is_zero(const struct xb_digest *d)
{
	static const struct xb_digest zero;

	return xb_digest_eq(d, &zero);
}

const char *xb_digest_hex(const struct xb_digest *d, char buf[XB_DIGEST_HEX])
{
	xb_hex_encode(d->bytes, XB_DIGEST_BYTES, buf);
	return buf;
}

const char *xb_digest_oci(const struct xb_digest *d, char buf[XB_DIGEST_OCI])
{
	const size_t prefix_len = sizeof(OCI_PREFIX) - 1;

	memcpy(buf, OCI_PREFIX, prefix_len);
	xb_hex_encode(d->bytes, XB_DIGEST_BYTES, buf + prefix_len);
	return buf;
}

bool xb_digest_parse(struct xb_sv text, struct xb_digest *out)
{
	if (xb_sv_starts(text, OCI_PREFIX))
		text = xb_sv_n(text.ptr + sizeof(OCI_PREFIX) - 1, text.len - (sizeof(OCI_PREFIX) - 1));
	return xb_hex_decode(text, out->bytes, XB_DIGEST_BYTES);
}
