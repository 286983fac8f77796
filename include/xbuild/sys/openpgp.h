/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenPGP verification of clearsigned documents (RFC 9580 section 7, the form of Debian's InRelease) and of detached
 * signatures. librnp is used by this file alone.
 *
 * Guarantee: the text handed back is exactly what a good signature covers: nothing before, after or between is ever
 *            seen by the caller. A signature counts when it is good and made by a key (or subkey) of one of the given
 *            certificates whose primary fingerprint is in `fingerprints`; with RSA of at least 2048 bits, EdDSA or ECDSA; with
 *            SHA-256 or better; by a key neither expired nor revoked at `now`. Further signatures by unknown keys do
 *            not matter. No good signature is XB_E_SIGNATURE and the message names the key ids that were seen.
 */
#ifndef XBUILD_SYS_OPENPGP_H
#define XBUILD_SYS_OPENPGP_H

#include <stdbool.h>
#include <stdint.h>

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"

struct xb_openpgp_keys {
	const char *const *files; /* paths of certificates, armored or binary */
	size_t n_files;
	const char *const *fingerprints; /* primary keys that may sign: 40 upper-case hex digits */
	size_t n_fingerprints;
	bool any_key; /* every primary key of the files may sign; fingerprints are not looked at */
};

/*
 * Form:    one clearsigned message and nothing but blanks around it; header lines other than "Hash:", NUL bytes and
 *          lines that begin with an unescaped dash are refused. At most 64 signatures are looked at.
 * Failure: XB_E_SIGNATURE; XB_E_INPUT or XB_E_NOT_FOUND for a key file that cannot be used.
 * Threads: safe from several at once, one verifies at a time; while it does, stderr of the process is muted, because
 *          builds of rnp write there.
 *
 * Verifies `document` (named `name` in messages). out_text gets the signed text with LF line ends; out_fingerprint
 * (41 bytes) the primary fingerprint of the key of the first good signature in the order of keys->fingerprints.
 */
int xb_openpgp_verify(struct xb_sv document, const char *name, const struct xb_openpgp_keys *keys, int64_t now,
		      struct xb_str *out_text, char out_fingerprint[41], struct xb_err *err) XB_MUST_CHECK;

/*
 * Verifies the detached `signature` (armored or binary; RFC 9580 section 10.4) of the file at `path`, which is called `name` in
 * messages. The same rules as above; the file is read once, as a stream.
 */
int xb_openpgp_verify_detached(const char *path, struct xb_sv signature, const char *name,
			       const struct xb_openpgp_keys *keys, int64_t now, struct xb_err *err) XB_MUST_CHECK;

#endif
