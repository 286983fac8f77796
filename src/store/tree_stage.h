/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of store/tree share: the staging directory and the parts before they are merged.
 *
 * A stage may be used by several threads, each with parts of its own; its counters are atomic for that. Staged files are
 * named by their number alone, and never by anything that came out of an archive.
 */
#ifndef XBUILD_SRC_STORE_TREE_STAGE_H
#define XBUILD_SRC_STORE_TREE_STAGE_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/stat.h>

#include "xbuild/base/map.h"
#include "xbuild/base/str.h"
#include "xbuild/base/vec.h"
#include "xbuild/store/tree.h"

#define TREE_FILE_MODE	     0444
#define TREE_EXECUTABLE_MODE 0555
#define TREE_DIR_MODE	     0755
#define STAGED_NAME_BYTES    16 /* a number of 32 bits and NUL */

struct xb_tree_stage {
	struct xb_store *store;
	char *dir; /* owned path of the staging directory */
	int fd;	   /* of dir */
	bool for_image;
	atomic_uint next;	     /* number of the next staged file */
	atomic_uint n_entries;	     /* of all parts, bounded by XB_MAX_TREE_ENTRIES */
	atomic_ullong content_bytes; /* of all parts, bounded by XB_MAX_TREE_BYTES */
};

struct xb_tree_part {
	struct xb_tree_stage *stage;
	struct xb_arena arena;
	const char *origin;
	XB_VEC(struct xb_tree_entry) entries; /* in the order of the package */
	struct xb_map by_path; /* of entries below `mapped`; value: index + 1. Made for the first hard link */
	size_t mapped;

	/* the file that is being written */
	int fd; /* -1: none */
	struct xb_hasher hasher;
};

/* The mode that a file has on disk. */
static inline mode_t tree_file_mode(const struct xb_tree_entry *entry)
{
	return entry->mode & 0111 ? TREE_EXECUTABLE_MODE : TREE_FILE_MODE;
}

/* XB_E_VERIFY unless the name and the link target of an entry are such as a tree may hold. */
int tree_check_name(const char *path, const char *origin, struct xb_err *err) XB_MUST_CHECK;
int tree_check_target(const char *path, const char *target, const char *origin, struct xb_err *err) XB_MUST_CHECK;

/* Owned copy for messages: control bytes become '?'. */
char *tree_printable(const char *text);

/* "package 'libc6'" or "xbuild", for messages. buf belongs to the caller. */
const char *tree_origin(const char *origin, char *buf, size_t size);

/* Writes the manifest's text. */
void tree_manifest_write(const struct xb_tree_entries *entries, struct xb_str *out);

#endif
