/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debian's Release document (wiki.debian.org/DebianRepository/Format "Release"): deb822 fields and the list of index
 * files with their SHA-256. Only text that sys/openpgp handed out may come in here.
 *
 * Guarantee: names of index files are safe relative paths; a file listed twice with different digests is refused; SHA256
 *            must be there.
 */
#ifndef XBUILD_PKG_DEB_RELEASE_H
#define XBUILD_PKG_DEB_RELEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "xbuild/base/arena.h"
#include "xbuild/base/err.h"
#include "xbuild/model/data.h"
#include "xbuild/sys/digest.h"

struct xb_release_file {
	const char *path; /* "main/binary-arm64/Packages.xz" */
	int64_t size_bytes;
	struct xb_digest sha256;
};

struct xb_release {
	struct xb_arena arena;
	const char *suite, *codename, *origin, *label;
	int64_t date;	     /* seconds since the epoch */
	int64_t valid_until; /* 0: not given */
	bool by_hash;	     /* Acquire-By-Hash: yes */
	struct xb_release_file *files;
	size_t n_files;
};

void xb_release_free(struct xb_release *release);
int xb_release_parse(struct xb_sv text, const char *name, struct xb_release **out, struct xb_err *err) XB_MUST_CHECK;

/*
 * Refuses (XB_E_SIGNATURE) a document whose Codename, Origin or Label (where the suite names them) is not the suite's or
 * whose Suite is of another pocket, whose Valid-Until has passed or whose Date lies more than 10 s in the future at `now` (the
 * message shows both times and thinks of a wrong clock), or whose Date is older than not_before (0: no lock yet; XB_E_SIGNATURE
 * naming --allow-rollback).
 */
int xb_release_check(const struct xb_release *release, const struct xb_suite *suite, int64_t now, int64_t not_before,
		     struct xb_err *err) XB_MUST_CHECK;

const struct xb_release_file *xb_release_find(const struct xb_release *release, const char *path);

/* RFC 5322 date as Debian writes it ("Sat, 21 Nov 2026 00:53:02 UTC"); false when it is none. */
bool xb_release_parse_date(struct xb_sv text, int64_t *out);

#endif
