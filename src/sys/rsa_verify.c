/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sys/rsa_verify.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"

#define MIN_RSA_BITS	    2048
#define MAX_KEY_BYTES	    (64 * 1024)
#define READ_BYTES	    (64 * 1024)
#define MAX_SIGNATURE_BYTES (16384 / 8) /* OpenSSL takes no larger modulus */

struct verifier {
	BIO *bio;
	char *pem_name, *pem_header; /* what PEM_read_bio found: "PUBLIC KEY" and no header fields */
	unsigned char *der;
	long der_bytes;
	EVP_PKEY *key;
	EVP_MD_CTX *ctx;
};

static void verifier_release(struct verifier *v)
{
	EVP_MD_CTX_free(v->ctx);
	EVP_PKEY_free(v->key);
	OPENSSL_free(v->pem_name);
	OPENSSL_free(v->pem_header);
	OPENSSL_free(v->der);
	BIO_free(v->bio);
	ERR_clear_error(); /* the queue belongs to the thread: nobody else shall find ours in it */
}

static int bad_key(const struct xb_rsa_key *key, struct xb_err *err, const char *what)
{
	return xb_fail(err, XB_E_INPUT, "read the public key '%s': %s", key->name, what);
}

/* PEM_read_bio_PUBKEY would ask the terminal for the passphrase of a key that claims to be encrypted. */
static int load_key(struct verifier *v, const struct xb_rsa_key *key, struct xb_err *err)
{
	if (key->pem.len > MAX_KEY_BYTES)
		return bad_key(key, err, "it is too large");
	v->bio = BIO_new_mem_buf(key->pem.ptr, (int)key->pem.len);
	if (!v->bio || PEM_read_bio(v->bio, &v->pem_name, &v->pem_header, &v->der, &v->der_bytes) != 1)
		return bad_key(key, err, "it is not in PEM form");
	if (strcmp(v->pem_name, PEM_STRING_PUBLIC) != 0 || *v->pem_header)
		return xb_fail(err, XB_E_INPUT, "read the public key '%s': expected a '%s', found a '%.60s'", key->name,
			       PEM_STRING_PUBLIC, v->pem_name);
	const unsigned char *at = v->der;
	v->key = d2i_PUBKEY(NULL, &at, v->der_bytes);
	if (!v->key || at != v->der + v->der_bytes)
		return bad_key(key, err, "it holds no key that can be read");
	if (!EVP_PKEY_is_a(v->key, "RSA"))
		return xb_fail(err, XB_E_INPUT, "read the public key '%s': expected an RSA key, found %s", key->name,
			       EVP_PKEY_get0_type_name(v->key));
	int bits = EVP_PKEY_get_bits(v->key);
	if (bits < MIN_RSA_BITS)
		return xb_fail(err, XB_E_INPUT, "read the public key '%s': it has %d bits, at least %d are accepted",
			       key->name, bits, MIN_RSA_BITS);
	return 0;
}

static const EVP_MD *hash_of(enum xb_rsa_hash hash)
{
	switch (hash) {
	case XB_RSA_SHA1:
		return EVP_sha1();
	case XB_RSA_SHA256:
		return EVP_sha256();
	case XB_RSA_SHA512:
		break;
	}
	return EVP_sha512();
}

static int fail_library(struct xb_err *err)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	return xb_fail(err, XB_E_SYSTEM, "start an RSA verification: %s", reason ? reason : "OpenSSL refuses");
}

static int update(struct verifier *v, const struct xb_rsa_signed *what, struct xb_err *err)
{
	char *buf XB_CLEANUP(xb_free_ptr) = xb_alloc(READ_BYTES);
	for (int64_t done = 0; done < what->size_bytes;) {
		int64_t left = what->size_bytes - done;
		ssize_t n =
			pread(what->fd, buf, left < READ_BYTES ? (size_t)left : READ_BYTES, (off_t)(what->at + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return xb_fail_errno(err, "read '%s'", what->name);
		if (n == 0)
			return xb_fail(err, XB_E_SIGNATURE, "verify the signature of '%s': the file is cut off",
				       what->name);
		if (EVP_DigestVerifyUpdate(v->ctx, buf, (size_t)n) != 1)
			return fail_library(err);
		done += n;
	}
	return 0;
}

int xb_rsa_verify(const struct xb_rsa_signed *what, const struct xb_rsa_key *key, struct xb_err *err)
{
	struct verifier v XB_CLEANUP(verifier_release) = {0};
	EVP_PKEY_CTX *padding = NULL; /* borrowed from v.ctx */
	int rc = load_key(&v, key, err);
	if (rc < 0)
		return rc;
	v.ctx = EVP_MD_CTX_new();
	if (!v.ctx || EVP_DigestVerifyInit(v.ctx, &padding, hash_of(what->hash), NULL, v.key) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PADDING) != 1)
		return fail_library(err);
	rc = update(&v, what, err);
	if (rc < 0)
		return rc;
	if (what->signature.len > MAX_SIGNATURE_BYTES ||
	    EVP_DigestVerifyFinal(v.ctx, (const unsigned char *)what->signature.ptr, what->signature.len) != 1)
		return xb_fail(err, XB_E_SIGNATURE,
			       "verify the signature of '%s': it is not one that key '%s' made of it", what->name,
			       key->name);
	return 0;
}
