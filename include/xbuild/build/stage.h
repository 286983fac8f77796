/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manifest of a staging tree: what a unit of another build system installed, with the contents in the store.
 *
 * Format: text; the line "xbuild stage 1", then one line per entry, sorted by the bytes of the path, fields apart by one tab:
 *         "f", mode (644 or 755), SHA-256, size in bytes, path;  "l", text of the link, path;  "d", path (an empty directory).
 *         Paths are below the tree ("usr/bin/tool"). A path or link with a newline or a tab is refused.
 * Bounds: XB_MAX_STAGE_ENTRIES entries; everything is checked on reading, since results may come from another machine.
 */
#ifndef XBUILD_BUILD_STAGE_H
#define XBUILD_BUILD_STAGE_H

#include "xbuild/base/arena.h"
#include "xbuild/base/str.h"
#include "xbuild/store/statcache.h"
#include "xbuild/store/store.h"

#define XB_MAX_STAGE_ENTRIES 500000

enum xb_stage_type { XB_STAGE_FILE, XB_STAGE_LINK, XB_STAGE_DIR };

struct xb_stage_entry {
	const char *path;
	enum xb_stage_type type;
	bool executable; /* files */
	struct xb_digest digest;
	uint64_t size_bytes;
	const char *link; /* links: text */
};

/* In arena. */
struct xb_stage {
	struct xb_stage_entry *items; /* sorted by path */
	size_t len, cap;
};

/* What lies below `dir`, without digests; sorted. */
int xb_stage_list(const char *dir, struct xb_arena *arena, struct xb_stage *out, struct xb_err *err) XB_MUST_CHECK;
/*
 * Takes the listed files into the store: they are renamed away from `dir`, which is below a directory of the store
 * (xb_store_tmp). Fills in digests and sizes.
 */
int xb_stage_adopt(struct xb_store *store, const char *dir, struct xb_stage *stage, struct xb_err *err) XB_MUST_CHECK;

void xb_stage_write(const struct xb_stage *stage, struct xb_str *out);
/* Reads the manifest that is the blob `digest`. */
int xb_stage_read(struct xb_store *store, const struct xb_digest *digest, struct xb_arena *arena, struct xb_stage *out,
		  struct xb_err *err) XB_MUST_CHECK;
/* True when all contents are in the store. */
bool xb_stage_is_whole(struct xb_store *store, const struct xb_stage *stage);

/* The entry that `path` leads to, links inside of the tree followed; NULL when there is none, or it is a directory. */
const struct xb_stage_entry *xb_stage_find(const struct xb_stage *stage, const char *path);
/* The entries below the directory `path`, with paths that begin there; in arena, the strings shared. Empty: no such directory. */
void xb_stage_below(const struct xb_stage *stage, const char *path, struct xb_arena *arena, struct xb_stage *out);

/*
 * Makes `dir` (a project path below `project_dir`) hold exactly the tree: what is as it should be, by content, stays.
 * XB_E_NOT_FOUND or XB_E_DIGEST when the store lost something.
 */
struct xb_stage_place {
	struct xb_store *store;
	struct xb_statcache *cache; /* with root project_dir */
	const char *project_dir, *dir;
};
int xb_stage_place(const struct xb_stage *stage, const struct xb_stage_place *place, struct xb_err *err) XB_MUST_CHECK;

#endif
