/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sys/key_sign.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/sys/fs.h"

#define MAX_KEY_FILE_BYTES (64 * 1024)

struct xb_key {
	EVP_PKEY *pkey;
};

/* What the callback of OpenSSL knows and tells. */
struct password {
	const char *text; /* or NULL */
	bool asked;
};

static int give_password(char *buf, int size, int is_writing, void *ctx)
{
	struct password *password = ctx;
	const size_t len = password->text ? strlen(password->text) : 0;

	(void)is_writing;
	password->asked = true;
	if (!password->text || len > (size_t)size)
		return -1;
	memcpy(buf, password->text, len);
	return (int)len;
}

static void free_bio(BIO **bio)
{
	BIO_free(*bio);
}

static void free_context(EVP_MD_CTX **context)
{
	EVP_MD_CTX_free(*context);
}

/* A copy of a private key stays nowhere. */
static void wipe_text(struct xb_str *text)
{
	if (text->data)
		OPENSSL_cleanse(text->data, text->cap);
	xb_str_release(text);
}

static bool is_ed25519(const EVP_PKEY *pkey)
{
	return EVP_PKEY_is_a(pkey, "ED25519");
}

static int check_kind(const EVP_PKEY *pkey, const char *path, struct xb_err *err)
{
	char group[64] = "";
	size_t len;

	if (is_ed25519(pkey))
		return 0;
	if (EVP_PKEY_is_a(pkey, "EC") && EVP_PKEY_get_group_name(pkey, group, sizeof(group), &len) == 1 &&
	    strcmp(group, "prime256v1") == 0)
		return 0;
	xb_fail(err, XB_E_INPUT, "read the key '%s': expected ECDSA on P-256 or Ed25519, found %s%s%s", path,
		EVP_PKEY_get0_type_name(pkey) ? EVP_PKEY_get0_type_name(pkey) : "another kind", *group ? " on " : "",
		group);
	return xb_hint(err, "make one with 'openssl genpkey -algorithm ed25519 -out FILE'");
}

static int no_private_key(const struct xb_str *text, const char *path, const struct password *password,
			  struct xb_err *err)
{
	if (strstr(text->data, "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----") ||
	    strstr(text->data, "-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----")) {
		xb_fail(err, XB_E_INPUT,
			"read the key '%s': it is encrypted in the way of cosign, which is not known here", path);
		return xb_hint(err, "make the key with 'openssl genpkey' and give it to cosign by 'cosign "
				    "import-key-pair'");
	}
	if (strstr(text->data, "-----BEGIN PUBLIC KEY-----"))
		return xb_fail(err, XB_E_INPUT,
			       "read the key '%s': it is a public key, and signing needs the private one", path);
	if (password->asked && !password->text) {
		xb_fail(err, XB_E_INPUT, "read the key '%s': it is encrypted, and there is no password", path);
		return xb_hint(err, "set XBUILD_KEY_PASSWORD");
	}
	if (password->asked)
		return xb_fail(err, XB_E_INPUT, "read the key '%s': it does not open with this password", path);
	return xb_fail(err, XB_E_INPUT, "read the key '%s': expected a private key in PEM", path);
}

static int no_public_key(const struct xb_str *text, const char *path, struct xb_err *err)
{
	if (!strstr(text->data, "PRIVATE KEY-----"))
		return xb_fail(err, XB_E_INPUT, "read the key '%s': expected a public key in PEM", path);
	xb_fail(err, XB_E_INPUT, "read the key '%s': it is a private key, and to verify takes the public one", path);
	return xb_hint(err, "'openssl pkey -in FILE -pubout' tells it");
}

static int read_pem(const char *path, struct xb_str *text, BIO **out, struct xb_err *err)
{
	if (xb_fs_read(path, MAX_KEY_FILE_BYTES, text, err) < 0)
		return xb_wrap(err, "read the key");
	xb_str_append(text, ""); /* also an empty file is a text */
	*out = BIO_new_mem_buf(text->data, (int)text->len);
	return *out ? 0 : xb_fail(err, XB_E_SYSTEM, "read the key '%s': out of memory", path);
}

static int take(EVP_PKEY *pkey, const char *path, struct xb_key **out, struct xb_err *err)
{
	if (check_kind(pkey, path, err) < 0) {
		EVP_PKEY_free(pkey);
		return err->code;
	}
	*out = xb_alloc(sizeof(**out));
	(*out)->pkey = pkey;
	return 0;
}

int xb_key_read_private(const char *path, const char *password, struct xb_key **out, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(wipe_text) = {0};
	BIO *bio XB_CLEANUP(free_bio) = NULL;
	struct password given = {.text = password};
	EVP_PKEY *pkey;

	if (read_pem(path, &text, &bio, err) < 0)
		return err->code;
	pkey = PEM_read_bio_PrivateKey(bio, NULL, give_password, &given);
	ERR_clear_error();
	return pkey ? take(pkey, path, out, err) : no_private_key(&text, path, &given, err);
}

int xb_key_read_public(const char *path, struct xb_key **out, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(wipe_text) = {0};
	BIO *bio XB_CLEANUP(free_bio) = NULL;
	struct password none = {0};
	EVP_PKEY *pkey;

	if (read_pem(path, &text, &bio, err) < 0)
		return err->code;
	pkey = PEM_read_bio_PUBKEY(bio, NULL, give_password, &none);
	ERR_clear_error();
	return pkey ? take(pkey, path, out, err) : no_public_key(&text, path, err);
}

void xb_key_free(struct xb_key **key)
{
	if (!*key)
		return;
	EVP_PKEY_free((*key)->pkey);
	free(*key);
	*key = NULL;
}

/* Ed25519 has its hash within. */
static const EVP_MD *digest_of(const struct xb_key *key)
{
	return is_ed25519(key->pkey) ? NULL : EVP_sha256();
}

int xb_key_sign(const struct xb_key *key, struct xb_sv message, struct xb_str *out, struct xb_err *err)
{
	EVP_MD_CTX *context XB_CLEANUP(free_context) = EVP_MD_CTX_new();
	unsigned char bytes[128]; /* 64 of Ed25519, at most 72 of P-256 */
	size_t len = sizeof(bytes);

	if (!context || EVP_DigestSignInit(context, NULL, digest_of(key), NULL, key->pkey) != 1 ||
	    EVP_DigestSign(context, bytes, &len, (const unsigned char *)message.ptr, message.len) != 1) {
		const unsigned long code = ERR_get_error();
		char why[256];

		ERR_error_string_n(code, why, sizeof(why));
		ERR_clear_error();
		return xb_fail(err, XB_E_SYSTEM, "sign: %s", why);
	}
	xb_str_append_n(out, bytes, len);
	return 0;
}

bool xb_key_verify(const struct xb_key *key, struct xb_sv message, struct xb_sv signature)
{
	EVP_MD_CTX *context XB_CLEANUP(free_context) = EVP_MD_CTX_new();
	const bool is_good = context && EVP_DigestVerifyInit(context, NULL, digest_of(key), NULL, key->pkey) == 1 &&
			     EVP_DigestVerify(context, (const unsigned char *)signature.ptr, signature.len,
					      (const unsigned char *)message.ptr, message.len) == 1;

	ERR_clear_error();
	return is_good;
}
