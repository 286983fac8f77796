/* SPDX-License-Identifier: Apache-2.0 */
/* .PKGINFO: private to pkg/apk_archive. */
#ifndef XB_PKG_APK_INFO_H
#define XB_PKG_APK_INFO_H

#include "xbuild/pkg/apk_archive.h"

/*
 * Reads "key = value" lines (apk-tools, doc/apk-v2.5.scd "PKGINFO"); unknown keys and comments are passed over, of keys
 * that stand once the last one counts, as apko has it. datahash goes to *out_data. XB_E_VERIFY: no name, version,
 * architecture or datahash, or a value that is not what it should be.
 */
int apk_info_parse(struct xb_sv text, const char *name, struct xb_arena *arena, struct xb_apk_info *out,
		   struct xb_digest *out_data, struct xb_err *err) XB_MUST_CHECK;

#endif
