/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tar headers byte for byte as Go's archive/tar writes them: apko's layers and scripts.tar are made by it, and an image
 * that shall be the same has to have the same.
 *
 * Format:   ustar where the entry fits (the name split at the last slash that leaves both parts short enough), else one pax
 *           header "<dir>/PaxHeaders.0/<name>" before it with its records sorted by key. Go's archive/tar, writer.go and
 *           common.go ("allowedFormats").
 * Sequence: per entry the header, for files the content, then zeros up to a block; at the end two blocks of zeros.
 * Failure:  none: names were checked when they came in (base/path).
 */
#ifndef XBUILD_PKG_GO_TAR_H
#define XBUILD_PKG_GO_TAR_H

#include <stdint.h>

#include "xbuild/base/str.h"
#include "xbuild/pkg/apk_archive.h"

#define XB_GO_TAR_BLOCK 512

struct xb_go_tar {
	const char *path; /* as it shall stand there: directories have no final slash in apko's layers */
	char type;	  /* '0' file, '1' hard link, '2' symbolic link, '3' character device, '5' directory */
	uint32_t mode;	  /* 07777 */
	uint32_t uid, gid;
	int64_t size_bytes; /* files */
	int64_t mtime;
	const char *target;	   /* of links, or NULL */
	const char *uname, *gname; /* or NULL */
	uint32_t major, minor;
	const struct xb_apk_xattr *xattrs; /* records "SCHILY.xattr.<name>" */
	size_t n_xattrs;
};

/* Appends the header blocks. */
void xb_go_tar_header(const struct xb_go_tar *entry, struct xb_str *out);

#endif
