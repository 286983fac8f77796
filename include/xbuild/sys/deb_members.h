/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outer shell of a Debian binary package (deb(5), an ar(5) archive): where its control and its data archive lie.
 * Read by hand and not by libarchive, because every accepted file must be read in the same way by dpkg: no long-name
 * tables, no BSD names, no resynchronising.
 *
 * Guarantee: the whole file was walked: magic, complete member headers, sizes inside of the file, padding; the order
 *            debian-binary ("2.x"), control.tar.*, data.tar.*, each exactly once; before data.tar only further names
 *            that begin with '_'. Anything else is XB_E_VERIFY.
 * Sequence:  xb_deb_find, then read [at, at + size_bytes) of the same fd, as sys/archive does.
 * Threads:   no state; the offset of the fd is not moved.
 */
#ifndef XBUILD_SYS_DEB_MEMBERS_H
#define XBUILD_SYS_DEB_MEMBERS_H

#include <stdint.h>

#include "xbuild/base/err.h"

#define XB_DEB_NAME_BYTES 17 /* 16 of the ar header and NUL */

struct xb_deb_member {
	char name[XB_DEB_NAME_BYTES]; /* "data.tar.xz" */
	int64_t at;		      /* offset of the content in the file */
	int64_t size_bytes;
};

/* Finds the archive `which` ("control" or "data") of the package in the seekable fd; `name` is for messages. */
int xb_deb_find(int fd, const char *which, const char *name, struct xb_deb_member *out,
		struct xb_err *err) XB_MUST_CHECK;

#endif
