/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of a listing, between listing.c, listing_make.c and audit_start.c. One record per entry:
 *
 *   TYPE " " MODE(octal) " " UID " " GID " " SIZE " " SHA256-or-"-" NUL PATH NUL TARGET NUL
 *
 * TYPE is d(irectory), f(ile), k(ept file: its content is in the store), l(ink), h(ard link: TARGET is a path),
 * w(hiteout of PATH), o(paque: what lower layers have below PATH is gone).
 */
#ifndef XB_IMAGE_LISTING_PRIVATE_H
#define XB_IMAGE_LISTING_PRIVATE_H

#include "xbuild/image/listing.h"
#include "xbuild/sys/archive.h"

#define LISTING_OUTPUT "listing"

/* Key of a layer's listing among the action results. Raise the version in it when a listing of the same layer changes. */
void listing_key(const struct xb_listed_layer *layer, struct xb_digest *out);

/* One record. digest: of a file, else NULL. */
void listing_put(struct xb_str *text, char type, const struct xb_archive_entry *e, const char *path, const char *target,
		 const struct xb_digest *digest);
/* The record of an entry with a safe name that is no file. False: it is a file, and the record is the caller's. */
bool listing_put_entry(struct xb_str *text, const struct xb_archive_entry *e, const char *path);

#endif
