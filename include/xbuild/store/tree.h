/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unpacked trees: immutable directories made from packages or archives, named by the digest of their recipe (what they
 * were made from and how).
 *
 *   <store>/trees/<recipe>/root/      the files: 0444 or 0555, directories 0755
 *   <store>/trees/<recipe>/manifest   every entry, see xb_tree_manifest_read
 *   <store>/trees/<recipe>/digest     "<sha256> <size>\n": REAPI v2 Directory digest of root/
 *   <store>/trees/<recipe>/folded     where the disk folds case: the paths that it had no place for, a line each
 *
 * Making one: an unpacker never gives the disk a name out of an archive. It streams each file's bytes into a numbered file
 * of a staging directory and records the entry in a part (one part per package, so that packages unpack in parallel). The
 * parts are then merged, checked and put right in memory, and only what passed is materialised:
 *
 *     xb_tree_stage_open(store, &stage, err)
 *     one thread per package: xb_tree_part_new(stage), xb_tree_part_dir / _symlink / _hardlink, _file_begin, write, _file_end
 *     xb_tree_merge(parts in order) -> entries, sorted by path; duplicates and conflicts are errors
 *     callers edit the entries (sysroot/fixup: links, merged /usr, drops)
 *     xb_tree_commit(stage, entries, recipe)
 *
 * Checks (each XB_E_VERIFY naming package and entry): names safe (base/path), no entry below a symlink or a file, no
 * symlink that leaves the root, no device, fifo or socket, set-id bits dropped (unless they are asked for), hard links only to
 * earlier files, no path twice unless both are directories or are equal in every respect; counts and sizes bounded by base/limits.
 */
#ifndef XBUILD_STORE_TREE_H
#define XBUILD_STORE_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "xbuild/base/arena.h"
#include "xbuild/base/err.h"
#include "xbuild/store/store.h"
#include "xbuild/sys/digest.h"

enum xb_tree_type { XB_TREE_FILE, XB_TREE_DIR, XB_TREE_SYMLINK };

struct xb_tree_entry {
	const char *path; /* relative, safe; in the arena of the list */
	enum xb_tree_type type;
	uint32_t mode;		 /* permission bits of the package: image layers need them */
	uint32_t uid, gid;	 /* of the package */
	const char *target;	 /* symlink: its text */
	struct xb_digest digest; /* file: of its content */
	int64_t size_bytes;	 /* file */
	const char *origin;	 /* name of the package it came from, "" for entries made by xbuild */
	uint32_t staged;	 /* file: number in the staging directory; several entries may share one (hard links) */
};

struct xb_tree_entries {
	struct xb_arena arena;
	struct xb_tree_entry *items; /* sorted by path (bytes) */
	size_t len, cap;
};
void xb_tree_entries_release(struct xb_tree_entries *entries);
/* Adds an entry (strings copied); the list is sorted again by xb_tree_entries_sort. */
struct xb_tree_entry *xb_tree_entries_add(struct xb_tree_entries *entries, const struct xb_tree_entry *entry);
void xb_tree_entries_sort(struct xb_tree_entries *entries);
/* The entry of a path in a sorted list, or NULL. */
struct xb_tree_entry *xb_tree_entries_find(const struct xb_tree_entries *entries, const char *path);

/* Adds the directories (0755, no origin) that lie above an entry and have none, and sorts. For lists that were edited. */
void xb_tree_entries_complete(struct xb_tree_entries *entries);

/*
 * Takes out of a sorted list what a disk that folds case (macOS) has no place for: each entry whose path is that of an earlier one
 * but for the case of ASCII letters, with what lies below it. Debian's kernel headers hold eight such pairs (xt_CONNMARK.h and
 * xt_connmark.h). Appends their paths to out, a line each; returns the first of them, or NULL.
 */
struct xb_str;
const char *xb_tree_entries_fold(struct xb_tree_entries *entries, struct xb_str *out);

/* Top-level directories that a merged /usr turns into links, "lib" to "usr/lib" (hier(7), usrmerge); ends with NULL. */
const char *const *xb_tree_usr_aliases(void);

struct xb_tree_stage; /* staging directory in the store's tmp */
struct xb_tree_part;  /* entries of one package; used by one thread */

int xb_tree_stage_open(struct xb_store *store, struct xb_tree_stage **out, struct xb_err *err) XB_MUST_CHECK;
void xb_tree_stage_close(struct xb_tree_stage *stage); /* NULL-safe; removes what was not committed */
/*
 * For layers of images: entries keep their set-user-id and set-group-id bits (on disk no file ever has them), and a disk that
 * folds case must have a place for all of them, else XB_E_SYSTEM; of other trees it leaves out what it has no place for.
 */
void xb_tree_stage_for_image(struct xb_tree_stage *stage);

/* `origin`: package name for messages and manifest. Freed by the caller after merge. Parts of one stage may be filled
 * by different threads at once. */
struct xb_tree_part *xb_tree_part_new(struct xb_tree_stage *stage, const char *origin);
void xb_tree_part_free(struct xb_tree_part *part);
/* Names are cleaned of a leading "./" and a trailing "/" and then checked. "." itself is accepted and ignored. */
int xb_tree_part_dir(struct xb_tree_part *part, const char *path, uint32_t mode, uint32_t uid, uint32_t gid,
		     struct xb_err *err) XB_MUST_CHECK;
int xb_tree_part_symlink(struct xb_tree_part *part, const char *path, const char *target,
			 struct xb_err *err) XB_MUST_CHECK;
int xb_tree_part_hardlink(struct xb_tree_part *part, const char *path, const char *target,
			  struct xb_err *err) XB_MUST_CHECK;
/* Starts a file; write its bytes with _file_write (hashed on the way), close with _file_end. A write fails with
 * XB_E_INTERRUPTED once the store's flag is set (xb_store_set_interrupted). */
int xb_tree_part_file_begin(struct xb_tree_part *part, const char *path, uint32_t mode, uint32_t uid, uint32_t gid,
			    struct xb_err *err) XB_MUST_CHECK;
int xb_tree_part_file_write(struct xb_tree_part *part, const void *data, size_t len, struct xb_err *err) XB_MUST_CHECK;
int xb_tree_part_file_end(struct xb_tree_part *part, struct xb_err *err) XB_MUST_CHECK;

/*
 * Merges parts (in the order given) into a sorted list. Names, duplicates and conflicts are checked here; what lies below
 * a symlink is left to commit, because fixups may still move it. A link such as lib -> usr/lib of one package and the
 * directory lib of another are no conflict: the link stays (merged /usr). Missing parent directories are added (0755).
 */
int xb_tree_merge(struct xb_tree_part *const *parts, size_t n_parts, struct xb_tree_entries *out,
		  struct xb_err *err) XB_MUST_CHECK;

/* Path of a staged file, while it is one. Owned. */
char *xb_tree_staged_path(const struct xb_tree_stage *stage, uint32_t staged);

/* A committed tree. */
struct xb_tree {
	char *dir;		 /* owned absolute path of root/ */
	char *manifest;		 /* owned absolute path */
	struct xb_digest digest; /* REAPI Directory digest */
	uint64_t digest_size;	 /* bytes of that Directory message */
};
void xb_tree_release(struct xb_tree *tree);

/*
 * Checks the entries once more (they were edited), materialises them by openat below a directory that only this process
 * knows, flushes, and renames it to its name. When another process was faster its tree is kept and this one dropped; a
 * damaged tree that has the name is replaced. Files are moved out of the stage: it is used up, on failure too.
 */
int xb_tree_commit(struct xb_tree_stage *stage, struct xb_tree_entries *entries, const struct xb_digest *recipe,
		   struct xb_tree *out, struct xb_err *err) XB_MUST_CHECK;

/*
 * The same in two steps, for who makes hundreds of small trees: each is prepared, then all are flushed at once
 * (xb_tree_flush), then published. To flush each by itself takes longer than to unpack it.
 */
struct xb_tree_prepared {
	struct xb_store *store; /* NULL: nothing is prepared */
	char *dir;		/* owned; in the store's tmp */
	struct xb_digest recipe;
};
int xb_tree_prepare(struct xb_tree_stage *stage, struct xb_tree_entries *entries, const struct xb_digest *recipe,
		    struct xb_tree_prepared *out, struct xb_err *err) XB_MUST_CHECK;
int xb_tree_flush(const struct xb_store *store, struct xb_err *err) XB_MUST_CHECK;
/* Releases `prepared`, on failure too. */
int xb_tree_publish(struct xb_tree_prepared *prepared, struct xb_tree *out, struct xb_err *err) XB_MUST_CHECK;
void xb_tree_prepared_release(struct xb_tree_prepared *prepared); /* removes what was not published */

/* 1: found, *out filled; 0: not in the store; negative: error (a damaged tree is reported with a hint). */
int xb_tree_find(const struct xb_store *store, const struct xb_digest *recipe, struct xb_tree *out,
		 struct xb_err *err) XB_MUST_CHECK;

/*
 * Manifest: one line per entry, fields separated by tabs, sorted by path:
 *   "d" mode uid gid origin path | "l" origin path target | "f" mode uid gid sha256 size origin path
 */
int xb_tree_manifest_read(const char *path, struct xb_tree_entries *out, struct xb_err *err) XB_MUST_CHECK;

/* The entries of a tree that was found: its manifest, which must be whole (it is compared with the tree's digest). */
int xb_tree_read(const char *manifest, const struct xb_digest *digest, struct xb_tree_entries *out,
		 struct xb_err *err) XB_MUST_CHECK;

/*
 * Digest of the REAPI v2 Directory message of the root (remote_execution.proto "Directory": FileNode, DirectoryNode,
 * SymlinkNode sorted by name; canonical protobuf), computed bottom up from a sorted list that holds every
 * parent directory (xb_tree_entries_complete). is_executable = mode & 0111.
 */
void xb_tree_directory_digest(const struct xb_tree_entries *entries, struct xb_digest *out, uint64_t *out_size);

/* How close xb_tree_check looks. */
enum xb_tree_look {
	XB_TREE_LOOK_QUICK, /* is everything there, and of the right kind and size: milliseconds */
	XB_TREE_LOOK_WHOLE  /* reads every file, and finds what does not belong there */
};
/*
 * Compares the tree whose root/ is `root` with the manifest beside it, which must be that of `digest`. XB_E_DIGEST names the
 * first difference, which may be the manifest itself.
 */
int xb_tree_check(const char *root, const struct xb_digest *digest, enum xb_tree_look look,
		  struct xb_err *err) XB_MUST_CHECK;
/*
 * For who failed at something below `root` (NULL: nothing): 0 when that is not because of the tree, else XB_E_DIGEST, which
 * names the damage and the command that mends it.
 */
int xb_tree_blame(const char *root, const struct xb_digest *digest, enum xb_tree_look look,
		  struct xb_err *err) XB_MUST_CHECK;
/* Takes a tree out of the store, so that it is made again when it is needed. A missing one is success. */
int xb_tree_discard(struct xb_store *store, const struct xb_digest *recipe, struct xb_err *err) XB_MUST_CHECK;

#endif
