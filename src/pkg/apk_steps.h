/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of an installation: private to pkg/apk_image. */
#ifndef XB_PKG_APK_STEPS_H
#define XB_PKG_APK_STEPS_H

#include "xbuild/base/map.h"
#include "xbuild/pkg/apk_image.h"

/* apk_packages.c: the files of package `index`, scripts.tar and triggers. */
struct apk_packages {
	struct xb_apk_image *image;
	struct xb_map owners; /* path of a file, as its package spells it, to the struct xb_apk that has it */
	struct xb_str scripts, triggers;
};
void apk_packages_release(struct apk_packages *p);
int apk_packages_add(struct apk_packages *p, size_t index, struct xb_err *err) XB_MUST_CHECK;

/* apk_installed.c: the record of a package in the installed database, with the files that `owners` says are still its own. */
void apk_record_write(const struct xb_apk *apk, const struct xb_map *owners, struct xb_str *out);

/* apk_accounts.c: /etc/passwd, /etc/group, /etc/shadow, homes; sets image->run_as. */
int apk_accounts(struct xb_apk_image *image, const struct xb_apko *config, struct xb_err *err) XB_MUST_CHECK;

/* apk_paths.c: `paths` of the configuration. */
int apk_paths(struct xb_apk_image *image, const struct xb_apko *config, struct xb_err *err) XB_MUST_CHECK;

/* apk_certificates.c: certificates into bundles, checksums of bundles, runtime keys. */
int apk_certificates(struct xb_apk_image *image, const struct xb_apko *config, struct xb_err *err) XB_MUST_CHECK;

/* apk_links.c: links to busybox; /etc/ld.so.cache. */
int apk_busybox(struct xb_apk_image *image, struct xb_err *err) XB_MUST_CHECK;
int apk_loader_cache(struct xb_apk_image *image, struct xb_err *err) XB_MUST_CHECK;

#endif
