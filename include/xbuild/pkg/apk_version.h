/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Versions of apk packages, as apko reads and orders them (chainguard-dev/apko, pkg/apk/apk/version.go):
 *
 *     1.2.3b_rc2_p1-r4     numbers, letter, a suffix of before (alpha beta pre rc), one of after (cvs svn git hg p), revision
 *
 * Numbers are compared one by one, leading zeros do not count, and of two lists that begin alike the longer one is higher;
 * then letter, the suffix of before (none is highest), its number, the suffix of after (none is lowest), its number, and
 * the revision. apk-tools reads more (several suffixes, "~hash") and compares ".05" as a fraction: that is not done here.
 *
 * Guarantee: xb_apk_version_compare is a total order; a text that is no version is below all versions and satisfies no
 *            operator but XB_APK_ANY.
 * Memory:    a parsed version borrows from the text. Nothing is allocated.
 */
#ifndef XBUILD_PKG_APK_VERSION_H
#define XBUILD_PKG_APK_VERSION_H

#include <stdbool.h>
#include <stdint.h>

#include "xbuild/base/sv.h"

enum xb_apk_op {
	XB_APK_ANY,
	XB_APK_EQUAL,
	XB_APK_GREATER,
	XB_APK_LESS,
	XB_APK_GREATER_EQUAL,
	XB_APK_LESS_EQUAL,
	XB_APK_TILDE /* "~" and "=~": begins as the wanted one does */
};

struct xb_apk_version {
	struct xb_sv numbers;  /* "1.2.3", borrowed; each is at most INT64_MAX */
	bool valid;	       /* false: not a version, the rest is zero */
	bool zero_first;       /* the numbers are to be read as if "0." stood before (pkg/apk_relation, "so:") */
	char letter;	       /* 'a' to 'z', or 0 */
	uint8_t before, after; /* suffixes in their order, see above */
	uint64_t before_number, after_number, revision;
};

/* Parses text; out->valid tells whether it is a version, and is returned. */
bool xb_apk_version_parse(struct xb_sv text, struct xb_apk_version *out);

/* Below 0, 0 or above 0 as a is lower than, as high as or higher than b. */
int xb_apk_version_compare(const struct xb_apk_version *a, const struct xb_apk_version *b);

/* Is `actual op wanted` true? */
bool xb_apk_version_satisfies(const struct xb_apk_version *actual, enum xb_apk_op op,
			      const struct xb_apk_version *wanted);

#endif
