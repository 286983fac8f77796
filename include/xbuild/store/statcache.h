/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests of files of the project, remembered by what stat(2) says, so that an unchanged file is not read again. Content
 * decides: the cache only says "this is still the file that was hashed" (size, mtime and ctime in nanoseconds, inode,
 * device). An entry whose file was changed within the same clock tick as it was hashed is not trusted (the racy-git
 * problem: git, Documentation/technical/racy-git.txt). A damaged cache file is an empty cache.
 *
 * One instance belongs to one thread; xb_statcache_save merges nothing: the last writer wins, which costs time, never truth.
 */
#ifndef XBUILD_STORE_STATCACHE_H
#define XBUILD_STORE_STATCACHE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "xbuild/base/err.h"
#include "xbuild/sys/digest.h"

struct xb_statcache;

/* `file`: where it is kept (in the project's .xbuild/); root: directory that relative paths start from. */
struct xb_statcache *xb_statcache_open(const char *file, const char *root);
void xb_statcache_free(struct xb_statcache *cache);
int xb_statcache_save(struct xb_statcache *cache, struct xb_err *err) XB_MUST_CHECK; /* writes only when changed */

struct xb_file_state {
	struct xb_digest digest;
	uint64_t size_bytes;
	bool executable;
};
/*
 * State of a regular file (path relative to root, or absolute). stats each path at most once per instance unless
 * xb_statcache_forget is called. XB_E_NOT_FOUND when it is missing; a directory or special file is XB_E_INPUT.
 */
int xb_statcache_get(struct xb_statcache *cache, const char *path, struct xb_file_state *out,
		     struct xb_err *err) XB_MUST_CHECK;
/* The path may have changed since: stat it again next time. */
void xb_statcache_forget(struct xb_statcache *cache, const char *path);
/* True when the file changed (by stat) since xb_statcache_get was asked in this run, or is gone. */
bool xb_statcache_changed(struct xb_statcache *cache, const char *path);

#endif
