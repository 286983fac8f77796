/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of an archive before libarchive sees them: a part of a file or what a pipe gives, and where they are an xz
 * file (The .xz File Format 1.1.0) what comes out of it. liblzma decodes the blocks of a file side by side, which
 * libarchive does not ask it for: a package of 100 MB is six blocks and else the one that all others wait for.
 *
 * Guarantee: only bytes of the part are read; the end of the xz file is the end of its index, and a cut-off one never
 *            is. Memory is bounded: blocks are decoded side by side while that takes less than 96 MiB, and a file that
 *            needs more than 256 MiB for one block (no `xz` makes one unless told to) is refused.
 * Failure:   -1 from read, with errno's number and a text in `problem`; the archive's fault is number 0.
 * Threads:   a source belongs to one thread.
 */
#ifndef SYS_ARCHIVE_SOURCE_H
#define SYS_ARCHIVE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct xb_source_problem {
	int number; /* of errno; 0: the bytes are at fault */
	const char *text;
};

struct xb_source;

/* From where fd is where it is a pipe, else from its beginning to its end. fd stays the caller's. */
struct xb_source *xb_source_new(int fd);
/* The bytes [at, at + size_bytes) of a file. */
struct xb_source *xb_source_new_part(int fd, int64_t at, int64_t size_bytes);
void xb_source_free(struct xb_source *s); /* NULL-safe */
/* Before the first read: the blocks of an xz file are decoded by up to n_threads threads (1 where nothing is said). */
void xb_source_set_threads(struct xb_source *s, int n_threads);
/* Before the first read: xz is not undone. */
void xb_source_keep_xz(struct xb_source *s);
/* Looked at between reads; borrowed; NULL: never. */
void xb_source_set_interrupted(struct xb_source *s, const volatile int *flag);
bool xb_source_is_interrupted(const struct xb_source *s);

/* The next bytes, borrowed until the next call; 0 at the end, -1 with `problem`. */
ssize_t xb_source_read(struct xb_source *s, const void **out, struct xb_source_problem *problem);
/* After a read. Whether the bytes that read gives come out of an xz file. */
bool xb_source_is_xz(const struct xb_source *s);
/* After a read. Whether the bytes of the file begin as those of gzip, xz or zstd do. */
bool xb_source_looks_compressed(const struct xb_source *s);

#endif
