/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RSA signatures of a part of a file: RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2.2) by a public key in PEM
 * (SubjectPublicKeyInfo, RFC 7468 section 13), the form of apk's keys and signatures.
 *
 * Guarantee: 0 is returned for a good signature of exactly these bytes by exactly this key, and the key has at least 2048
 *            bits. Which hashes are good enough is the caller's to decide: SHA-1 is verified too.
 * Failure:   XB_E_SIGNATURE for a signature that is not good; XB_E_INPUT for a key that cannot be used (no PEM public
 *            key, not RSA, too short: the message says what it is); XB_E_SYSTEM where reading the file fails.
 * Threads:   safe from several at once.
 */
#ifndef XBUILD_SYS_RSA_VERIFY_H
#define XBUILD_SYS_RSA_VERIFY_H

#include <stdint.h>

#include "xbuild/base/err.h"
#include "xbuild/base/sv.h"

enum xb_rsa_hash { XB_RSA_SHA1, XB_RSA_SHA256, XB_RSA_SHA512 };

struct xb_rsa_key {
	struct xb_sv pem; /* the text of the key file */
	const char *name; /* for messages */
};

/* Bytes [at, at + size_bytes) of a file, which must have them, and what is said to sign them. All borrowed. */
struct xb_rsa_signed {
	int fd;
	int64_t at, size_bytes;
	const char *name; /* of the file, for messages */
	enum xb_rsa_hash hash;
	struct xb_sv signature; /* as many bytes as the modulus of the key has */
};

int xb_rsa_verify(const struct xb_rsa_signed *what, const struct xb_rsa_key *key, struct xb_err *err) XB_MUST_CHECK;

#endif
