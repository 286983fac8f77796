/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Installs the locked packages of an apko.yaml for one architecture into a root in memory, as apko does, byte for byte:
 * the database of apk, devices, the packages' files, accounts, /etc/apko.json, changes of paths, certificates, keys, links
 * of busybox, the cache of the dynamic loader. Nothing of a package is ever run.
 *
 * Format:   apko, pkg/apk/apk (implementation.go, install.go, installed.go) and pkg/build (build_implementation.go and what
 *           it calls), at release 0.30 or so.
 * Other than apko: a path of type symlink or hardlink without permissions leaves those of what it leads to alone; a Java
 *           trust store is not added to.
 * Conflict: of two files of one path the later one wins if it replaces the package of the earlier one or has its origin;
 *           the earlier one, if its package replaces the later one's; equal ones are kept once; else XB_E_VERIFY names both.
 * Failure:  XB_E_VERIFY for packages that cannot be installed together; XB_E_INPUT for what apko.yaml asks in vain.
 * Threads:  an image belongs to one thread.
 */
#ifndef XBUILD_PKG_APK_IMAGE_H
#define XBUILD_PKG_APK_IMAGE_H

#include "xbuild/model/apko.h"
#include "xbuild/model/lockfile.h"
#include "xbuild/pkg/apk_root.h"

struct xb_apk_image_spec {
	const struct xb_apko *config;
	const struct xb_lock_apko *locked;
	const char *arch; /* apk's name */
	/* Annotations of the image as /etc/apko.json shall have them: those of the configuration, or more. */
	const struct xb_pairs *annotations;
};

struct xb_apk_image {
	struct xb_arena arena;
	struct xb_apk_root root;
	struct xb_apk **packages; /* owned, in the order of installation */
	struct xb_str *records;	  /* of each package in the database; owned */
	size_t n_packages;
	int64_t build_date; /* of the newest package, seconds */
	const char *run_as; /* user of the configuration, a name of /etc/passwd replaced by its number; or NULL */
};

int xb_apk_image_make(struct xb_store *store, const struct xb_apk_image_spec *spec, struct xb_apk_image *out,
		      struct xb_err *err) XB_MUST_CHECK;
void xb_apk_image_release(struct xb_apk_image *image); /* all-zero is fine */

/* Path of the database below the root: a layer that holds packages has its own part of it. */
#define XB_APK_INSTALLED "usr/lib/apk/db/installed"

#endif
