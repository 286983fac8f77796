/* SPDX-License-Identifier: Apache-2.0 */
/* The text form of an apk index, for pkg/apk_index alone. */
#ifndef XBUILD_PKG_APK_RECORDS_H
#define XBUILD_PKG_APK_RECORDS_H

#include "xbuild/pkg/apk_index.h"

/*
 * Parses the len bytes of APKINDEX at `text` into index->packages, in place: text[len] must be writable, line ends and
 * blanks become NULs, and the packages point there. `name` is for messages.
 */
int xb_apk_records_parse(struct xb_apk_index *index, const char *name, char *text, size_t len,
			 struct xb_err *err) XB_MUST_CHECK;

#endif
