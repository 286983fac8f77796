/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers of a layer's tar, as pure text: the same entry always gives the same bytes, and nothing but the entry decides.
 *
 * Format:   POSIX.1-1988 ustar where the entry fits (name split into prefix and name), else one POSIX.1-2001 pax
 *           extended header ('x') before it, with only the records that are needed: gid, linkpath, path, size, uid.
 *           No global headers, no GNU extensions, no hard links, no owner names, device numbers 0, mtime XB_TAR_MTIME
 *           (OCI image-spec v1.1 layer.md; 0 breaks programs that take it for "unknown").
 * Sequence: per entry: header, then for files the bytes, then xb_tar_padding() zeros; at the end XB_TAR_END_BYTES zeros.
 * Failure:  XB_E_INPUT for a name that a layer cannot hold. Nothing is appended then.
 * Threads:  no state.
 */
#ifndef XBUILD_IMAGE_TAR_H
#define XBUILD_IMAGE_TAR_H

#include <stddef.h>
#include <stdint.h>

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"

#define XB_TAR_BLOCK_BYTES 512
#define XB_TAR_END_BYTES   (2 * XB_TAR_BLOCK_BYTES) /* two blocks of zeros (pax, "ustar Interchange Format") */
#define XB_TAR_MTIME	   1			    /* seconds: every entry of every layer */

enum xb_tar_type { XB_TAR_FILE = '0', XB_TAR_SYMLINK = '2', XB_TAR_DIR = '5' };

struct xb_tar_entry {
	const char *path; /* relative and safe (base/path), without a final slash */
	enum xb_tar_type type;
	uint32_t mode; /* permission bits, sticky and set-id bits; 07777 */
	uint32_t uid, gid;
	const char *target;  /* symlink: its text, not empty; else NULL */
	uint64_t size_bytes; /* file: bytes that follow; else 0 */
};

/*
 * Appends the header blocks of one entry to out (a multiple of XB_TAR_BLOCK_BYTES).
 * XB_E_INPUT: a path that is not safe; a component that starts with ".wh.", which is a whiteout to every reader of
 * layers (layer.md "Whiteouts") and would delete instead of adding.
 */
int xb_tar_header(const struct xb_tar_entry *entry, struct xb_str *out, struct xb_err *err) XB_MUST_CHECK;

/* Zeros that follow size_bytes of content, 0 to 511. */
size_t xb_tar_padding(uint64_t size_bytes);

#endif
