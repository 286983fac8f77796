/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which Debian package has which file: the archive's own Contents indexes, reduced (pkg/deb_contents, model/contents) and
 * kept in the store below contents/:
 *
 *   <sha256 of a Contents index>   what was kept of it
 *   <key of suites and list>       "xbuild-contents-of 1", then "<sha256> <date> <suite>" for each index that belongs to
 *                                  the suites of a lock
 *
 * There are two lists per target: of its architecture, and "all" with the packages that are for every architecture, which is
 * three times as large and asked when the first one does not know. An archive that has no such index gives an empty list.
 */
#ifndef XBUILD_SRC_APP_CONTENTS_H
#define XBUILD_SRC_APP_CONTENTS_H

#include "xbuild/app/app.h"
#include "xbuild/app/provision.h"

#define CONTENTS_OF_HEAD "xbuild-contents-of 1\n"
#define CONTENTS_TRY	 "try" /* struct xb_want.image: a failure is a note */
#define CONTENTS_ALL	 "all" /* struct xb_want.package */

struct contents_part {
	const char *suite; /* id */
	int64_t date;	   /* Date of the Release that named the index */
	struct xb_str text;
};

/* One list, read. */
struct contents {
	XB_VEC(struct contents_part) parts;
};

void contents_release(struct contents *c); /* NULL-safe */

/* Debian's name of the architecture that a want is for: "arm64", or "all". */
const char *contents_arch(const struct xb_want *want);
/* Owned path of the list that a want names, whether it is there or not. Needs descs, lock, store. */
char *contents_path(const struct xb_app *app, const struct xb_want *want);
/* XB_E_NOT_FOUND when the list is not there. Strings are in app->arena. */
int contents_read(struct xb_app *app, const struct xb_want *want, struct contents *out,
		  struct xb_err *err) XB_MUST_CHECK;

/* Downloads, verifies and reduces what the list needs, unless it is there. Part of xbuild-supply (contents_supply.c). */
int contents_supply(struct xb_app *app, const struct xb_want *want, struct xb_err *err) XB_MUST_CHECK;

#endif
