/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tar inside of a member of an apk package, as a stream: private to pkg/apk_archive. Read by hand, because the
 * checksums of files stand in pax records that libarchive keeps to itself.
 *
 * Format:    POSIX.1-2001 ustar and pax, and GNU long names ('L', 'K'); apk-tools, doc/apk-v2.5.scd.
 * Guarantee: names are clean, relative and safe (base/path) and name no whiteout of a layer; header checksums are right;
 *            only files, directories, symbolic and hard links pass: devices, fifos, sparse files are refused. Numbers and
 *            texts are bounded. Where the tar ends, by its two blocks of zeros or, if it may be cut, by the end of its
 *            bytes, nothing but zeros follows.
 * Failure:   XB_E_VERIFY naming the entry.
 */
#ifndef XB_PKG_APK_TAR_H
#define XB_PKG_APK_TAR_H

#include <stdbool.h>
#include <stdint.h>

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"
#include "xbuild/pkg/apk_archive.h"
#include "xbuild/sys/gzip_members.h"

#define APK_TAR_BLOCK 512

struct apk_tar_entry {
	enum xb_apk_type type;
	uint32_t mode, uid, gid; /* mode: 07777 */
	int64_t mtime;		 /* seconds */
	int64_t size_bytes;
	const char *path, *target; /* until the next call; "" is the root itself; target: of links, else NULL */
	char uname[33], gname[33];
	bool has_sum;
	struct xb_sha1 sum; /* as the package says */
	struct xb_apk_xattr *xattrs;
	size_t n_xattrs;
};

/* All-zero but for gz, name and may_be_cut when it starts. */
struct apk_tar {
	struct xb_gzip *gz;
	const char *name; /* of the package, for messages */
	bool may_be_cut;  /* control and signature parts have no end marker, so that the whole is one tar */
	bool ended;
	int64_t left;	/* of the current file */
	size_t padding; /* behind it */
	size_t n_entries;
	struct xb_str path, target, records;
	struct xb_arena xattrs; /* of the current entry */
};

void apk_tar_release(struct apk_tar *tar);
/* 1: *entry is filled; 0: the end; negative: error. */
int apk_tar_next(struct apk_tar *tar, struct apk_tar_entry *entry, struct xb_err *err) XB_MUST_CHECK;
/* Content of the current file; 0 at its end. */
int64_t apk_tar_read(struct apk_tar *tar, void *buf, size_t len, struct xb_err *err) XB_MUST_CHECK;

#endif
