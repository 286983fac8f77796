/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An .apk package (version 2): one gzip member with signatures, which may be missing, one with what the package says about
 * itself, and one with its files.
 *
 * Format:    apk-tools, doc/apk-v2.5.scd; .PKGINFO is "key = value" lines.
 * Guarantee: the chain is followed to its end: the control member has the checksum "Q1..." that the signed index or the
 *            lock names, the data member the `datahash` of .PKGINFO, and each file and symbolic link the SHA-1 of its pax
 *            record. Name, version and architecture are those that were asked for. The signature in the package itself
 *            is not looked at: the chain begins with that of the index, as in apko.
 *            Scripts are read and handed on, and never run.
 * Refused:   names that are not safe, names twice, devices and fifos, sparse files, whiteouts, hard links to what is not
 *            there, files without a checksum, more content or entries than base/limits allows: XB_E_VERIFY.
 * Threads:   packages may be read by several threads at once.
 */
#ifndef XBUILD_PKG_APK_ARCHIVE_H
#define XBUILD_PKG_APK_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "xbuild/base/arena.h"
#include "xbuild/base/err.h"
#include "xbuild/model/data.h"
#include "xbuild/model/lockfile.h"
#include "xbuild/store/store.h"
#include "xbuild/sys/digest.h"
#include "xbuild/sys/digest_sha1.h"

enum xb_apk_type { XB_APK_FILE, XB_APK_DIR, XB_APK_SYMLINK, XB_APK_HARDLINK, XB_APK_DEVICE };

struct xb_apk_xattr {
	const char *name, *value;
	size_t len; /* of value */
};

struct xb_apk_entry {
	const char *path;
	enum xb_apk_type type;	 /* never a device */
	uint32_t mode, uid, gid; /* as in the package; mode 07777 */
	int64_t mtime;		 /* seconds */
	const char *target;	 /* of links; a hard link's is a path of the package */
	bool has_sum;
	struct xb_sha1 sum;	 /* of the content, or of the target of a symbolic link */
	struct xb_digest digest; /* file: its blob in the store */
	int64_t size_bytes;	 /* file */
	struct xb_apk_xattr *xattrs;
	size_t n_xattrs;
};

/* An executable file of the control member: ".post-install". */
struct xb_apk_script {
	const char *name, *text;
	size_t len;
	uint32_t mode, uid, gid;
	const char *uname, *gname;
};

/* What .PKGINFO says; texts that are missing are "". */
struct xb_apk_info {
	const char *name, *version, *arch, *description, *url, *license, *origin, *maintainer, *commit;
	struct xb_list depends, provides, replaces, install_if, triggers;
	int64_t build_date, installed_bytes, provider_priority;
};

struct xb_apk {
	struct xb_arena arena;
	struct xb_apk_info info;
	struct xb_sha1 checksum; /* of the control member */
	int64_t size_bytes;	 /* of the file */
	struct xb_apk_script *scripts;
	size_t n_scripts;
	struct xb_apk_entry *entries; /* in the order of the package */
	size_t n_entries;
};

void xb_apk_free(struct xb_apk *apk); /* NULL-safe */

/*
 * Reads the package of the lock from the store and puts the content of its files there, each a blob of its own: they are
 * what layers are made of and what the closure check reads. XB_E_NOT_FOUND when the package is not in the store.
 */
int xb_apk_read(struct xb_store *store, const struct xb_lock_apk *package, struct xb_apk **out,
		struct xb_err *err) XB_MUST_CHECK;

/*
 * What the lock says about a package file: fills sizes and digests of *package from a file that was fetched, of which the
 * name, version, arch and checksum are those of the signed index. The chain down to the data member is checked; files are
 * not looked at. Texts go to the arena. *said (or NULL) gets depends, provides and install_if of .PKGINFO, line by line, in
 * the arena too.
 */
int xb_apk_measure(int fd, struct xb_arena *arena, struct xb_lock_apk *package, struct xb_apk_info *said,
		   struct xb_err *err) XB_MUST_CHECK;

#endif
