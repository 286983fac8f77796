/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures with a key pair: ECDSA on P-256 with SHA-256 (as ASN.1 DER) and Ed25519 (RFC 8032, of the message itself).
 * OpenSSL's EVP is used by this file and its like alone, and only xbuild-supply has it.
 *
 * Keys:    PEM files. Private: PKCS#8 (RFC 5958), plain or encrypted with a password, and "EC PRIVATE KEY" (RFC 5915). Public:
 *          "PUBLIC KEY" (RFC 5280 SubjectPublicKeyInfo). Other kinds and curves are refused, so is what cosign makes with
 *          a password of its own (its cipher is none of OpenSSL's).
 * Failure: XB_E_NOT_FOUND, XB_E_SYSTEM for the file; XB_E_INPUT for what is no such key, or a wrong password.
 * Threads: a key may be used by several threads at once.
 */
#ifndef XBUILD_SYS_KEY_SIGN_H
#define XBUILD_SYS_KEY_SIGN_H

#include <stdbool.h>

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"
#include "xbuild/base/sv.h"

struct xb_key;

/* password: for an encrypted key; NULL when there is none. */
int xb_key_read_private(const char *path, const char *password, struct xb_key **out, struct xb_err *err) XB_MUST_CHECK;
int xb_key_read_public(const char *path, struct xb_key **out, struct xb_err *err) XB_MUST_CHECK;
void xb_key_free(struct xb_key **key); /* for XB_CLEANUP */

/* Appends the signature of `message`, in bytes. An ECDSA signature is another one each time. */
int xb_key_sign(const struct xb_key *key, struct xb_sv message, struct xb_str *out, struct xb_err *err) XB_MUST_CHECK;
/* True when `signature` is the key's of `message`; a private key knows its public one. */
bool xb_key_verify(const struct xb_key *key, struct xb_sv message, struct xb_sv signature);

#endif
