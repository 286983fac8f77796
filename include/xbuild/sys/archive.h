/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading archives as a stream. libarchive is used by this file alone, and only to read: nothing is ever extracted by
 * it, so no name in an archive becomes a path on disk here.
 *
 * Guarantee: only the formats asked for are enabled; names are handed on as bytes, unchecked: the caller validates.
 *            Bytes delivered are counted against max_bytes.
 *            A tar must end with its two blocks of zeros and nothing else may follow: a cut-off one is never complete.
 *            Compression inside of compression is refused.
 * Failure:   XB_E_VERIFY where the archive is at fault, XB_E_SYSTEM where reading the file is.
 * Not seen:  libarchive leaves out the CRC of gzip and reads a pax number as far as it is one ("1e9" is 1): contents
 *            must have been verified by digest before.
 * Sequence:  open_*, then next until it says end, read the content of regular files, close.
 *            The file is read from its beginning by offset (its position does not move); a pipe from where it is.
 * Threads:   one reader belongs to one thread; several readers may run side by side. With n_threads over 1 the blocks
 *            of a large xz file are decoded side by side, which takes up to 96 MiB (archive_source.h).
 */
#ifndef XBUILD_SYS_ARCHIVE_H
#define XBUILD_SYS_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xbuild/base/err.h"
#include "xbuild/sys/digest.h"

enum xb_archive_type {
	XB_ARCHIVE_FILE,
	XB_ARCHIVE_DIR,
	XB_ARCHIVE_SYMLINK,
	XB_ARCHIVE_HARDLINK, /* link_target is the earlier entry's name */
	XB_ARCHIVE_OTHER     /* device, fifo, socket: for the caller to refuse */
};

struct xb_archive_entry {
	const char *path;	 /* as stored; borrowed until the next call */
	const char *link_target; /* for links, else NULL */
	enum xb_archive_type type;
	uint32_t mode;	    /* permission bits incl. setuid, setgid, sticky */
	int64_t size_bytes; /* of a file; -1 when the archive does not say */
	int64_t mtime;	    /* seconds since the epoch */
	uint32_t uid, gid;
};

struct xb_archive;

/* A tar with any of gzip, xz, zstd, bzip2 (or none). `name` is for messages; fd stays the caller's. */
int xb_archive_open_tar(int fd, const char *name, int64_t max_bytes, int n_threads, struct xb_archive **out,
			struct xb_err *err) XB_MUST_CHECK;
/*
 * A tar that is a part of a file, bytes [at, at + size_bytes); the file must have them. The bytes of the tar, before
 * compression, are hashed on the way: xb_archive_sum.
 */
int xb_archive_open_part(int fd, int64_t at, int64_t size_bytes, const char *name, int64_t max_bytes,
			 struct xb_archive **out, struct xb_err *err) XB_MUST_CHECK;
/* deb(5): the ar members debian-binary (2.x), control.tar.*, data.tar.*; opens `member` ("control" or "data"). */
int xb_archive_open_deb(int fd, const char *member, const char *name, int64_t max_bytes, int n_threads,
			struct xb_archive **out, struct xb_err *err) XB_MUST_CHECK;
/* A single compressed stream (Packages.xz, .gz, .zst or plain): no entries, read right away. */
int xb_archive_open_stream(int fd, const char *name, int64_t max_bytes, struct xb_archive **out,
			   struct xb_err *err) XB_MUST_CHECK;
void xb_archive_close(struct xb_archive *a); /* NULL-safe */
/* From here on reading fails with XB_E_INTERRUPTED once *flag is not 0. Borrowed; NULL: never. */
void xb_archive_set_interrupted(struct xb_archive *a, const volatile int *flag);

/* 1: *entry is filled; 0: the end, and the archive was complete; negative: error. */
int xb_archive_next(struct xb_archive *a, struct xb_archive_entry *entry, struct xb_err *err) XB_MUST_CHECK;
/* Up to len bytes of the current file or stream; 0 at its end. Sparse holes are delivered as zeros and counted. */
int64_t xb_archive_read(struct xb_archive *a, void *buf, size_t len, struct xb_err *err) XB_MUST_CHECK;

/*
 * Offset in the tar, before compression, of the headers of the current entry; after the end, of the end marker. What
 * lies before the headers of the next entry is the content of this one and its padding (pax, "ustar Interchange Format").
 */
int64_t xb_archive_position(const struct xb_archive *a);
/* Once, after next has said that this is the end of an archive of xb_archive_open_part: the digest of the whole tar. */
void xb_archive_sum(struct xb_archive *a, struct xb_digest *out);

#endif
