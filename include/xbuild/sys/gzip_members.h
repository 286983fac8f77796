/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are several gzip members one behind the other (RFC 1952 section 2.2), where it matters which bytes of the
 * file each member is: apk packages and indexes sign and hash compressed members (apk-tools, doc/apk-v2.5.scd). zlib is
 * used by this file alone.
 *
 * Guarantee: a member is delivered whole or not at all: its CRC-32 and its length (RFC 1952 section 2.3.1) were right
 *            when a read returns 0, and only then xb_gzip_member tells its range and its hashes. Content is
 *            counted against max_bytes, so that a bomb ends with an error; memory is one window, whatever the size.
 * Not said:  whether the bytes are those of their author: verify signature or hash before anything is believed.
 * Failure:   XB_E_VERIFY where the bytes are at fault, XB_E_SYSTEM where reading the file is.
 * Sequence:  xb_gzip_open at an offset, xb_gzip_read until it returns 0, xb_gzip_member, xb_gzip_close; the next member
 *            begins at member.at + member.compressed_bytes. Reading is by offset: the position of fd does not move.
 * Threads:   one reader belongs to one thread; several may read the same fd side by side.
 */
#ifndef XBUILD_SYS_GZIP_MEMBERS_H
#define XBUILD_SYS_GZIP_MEMBERS_H

#include <stddef.h>
#include <stdint.h>

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"
#include "xbuild/sys/digest.h"
#include "xbuild/sys/digest_sha1.h"

struct xb_gzip_member {
	int64_t at;		  /* offset of its first byte in the file */
	int64_t compressed_bytes; /* with header and trailer */
	int64_t content_bytes;	  /* inflated */
	struct xb_sha1 sha1;	  /* of the compressed bytes: the "Q1" checksum of a control member */
	struct xb_digest sha256;  /* of the compressed bytes: the datahash of a data member */
};

struct xb_gzip;

/* Reads the member that begins at offset `at`. `name` is for messages and copied; fd stays the caller's. */
int xb_gzip_open(int fd, int64_t at, const char *name, int64_t max_bytes, struct xb_gzip **out,
		 struct xb_err *err) XB_MUST_CHECK;
void xb_gzip_close(struct xb_gzip *gz); /* NULL-safe */

/* Content: fills buf unless the member ends; returns the number of bytes, 0 once it has ended and was complete. */
int64_t xb_gzip_read(struct xb_gzip *gz, void *buf, size_t len, struct xb_err *err) XB_MUST_CHECK;

/* After xb_gzip_read has returned 0: what the member was. */
void xb_gzip_member(const struct xb_gzip *gz, struct xb_gzip_member *out);

/* A whole member: its content is appended to out (NULL: only checked), what it was goes to *out_member. */
int xb_gzip_read_member(int fd, int64_t at, const char *name, int64_t max_bytes, struct xb_str *out,
			struct xb_gzip_member *out_member, struct xb_err *err) XB_MUST_CHECK;

/*
 * Finds all members of a file: their number goes to *out_n. The content of all together is at most max_bytes. The file
 * must end with the last one; more than `cap` members are XB_E_VERIFY.
 */
int xb_gzip_find(int fd, const char *name, int64_t max_bytes, struct xb_gzip_member *members, size_t cap, size_t *out_n,
		 struct xb_err *err) XB_MUST_CHECK;

#endif
