/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sys/digest.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xbuild/base/hex.h"
#include "xbuild/sys/fs.h"

#define OCI_PREFIX "sha256:"
#define READ_BYTES (64 * 1024)

/* Written once, below; a constant from then on. */
static EVP_MD *sha256;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

/*
 * Fetched by hand because every implicit fetch (EVP_sha256, SHA256) looks the algorithm up again. The first call into
 * libcrypto decides whether it reads openssl.cnf: how content is named is not for that file to say, and reading it
 * takes longer than all else here.
 */
static void fetch_sha256(void)
{
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (!sha256)
		abort(); /* out of memory, or a libcrypto without its default provider: no content can be named */
}

static const EVP_MD *get_sha256(void)
{
	pthread_once(&sha256_once, fetch_sha256);
	return sha256;
}

/* With a fetched algorithm and valid pointers the EVP calls fail only when memory is out. */
static void check(int evp_result)
{
	if (evp_result != 1)
		abort();
}

void xb_hasher_init(struct xb_hasher *h)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	check(ctx != NULL);
	check(EVP_DigestInit_ex2(ctx, get_sha256(), NULL));
	h->state = ctx;
}

void xb_hasher_update(struct xb_hasher *h, const void *data, size_t len)
{
	check(EVP_DigestUpdate(h->state, data, len));
}

void xb_hasher_final(struct xb_hasher *h, struct xb_digest *out)
{
	check(EVP_DigestFinal_ex(h->state, out->bytes, NULL));
	xb_hasher_release(h);
}

void xb_hasher_release(struct xb_hasher *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->state);
	h->state = NULL;
}

void xb_digest_bytes(const void *data, size_t len, struct xb_digest *out)
{
	check(EVP_Digest(data, len, out->bytes, NULL, get_sha256(), NULL));
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
