/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A root file system in memory: what apk packages and the steps after them leave, before it becomes layers. Content of
 * packages stays in the store; only what was made or changed here is held in memory.
 *
 * Paths:     with or without a '/' at the start. Links are followed as a process in that root would, at most 40 of them;
 *            nothing leads out of it. "Made" functions make no directories above, unless they say so.
 * Guarantee: functions fail with XB_E_VERIFY naming the path; a failed one changed nothing but directories above.
 * Threads:   a root belongs to one thread.
 */
#ifndef XBUILD_PKG_APK_ROOT_H
#define XBUILD_PKG_APK_ROOT_H

#include <stdbool.h>
#include <stdint.h>

#include "xbuild/base/arena.h"
#include "xbuild/base/err.h"
#include "xbuild/base/map.h"
#include "xbuild/base/str.h"
#include "xbuild/pkg/apk_archive.h"
#include "xbuild/store/store.h"

#define XB_APK_NOBODY SIZE_MAX /* owner of what no package brought */

struct xb_apk_node {
	enum xb_apk_type type; /* never a hard link: that is a second name of one node */
	uint32_t mode, uid, gid;
	int64_t mtime;	       /* seconds */
	const char *target;    /* symbolic link */
	uint32_t major, minor; /* character device */
	size_t package;	       /* index of the package that brought it, or XB_APK_NOBODY */
	bool has_sum;	       /* of a package: files and symbolic links */
	struct xb_sha1 sum;
	bool in_memory;		 /* file: content is text; else the blob `digest` */
	struct xb_str text;	 /* owned */
	struct xb_digest digest; /* file: of the content, when it is a blob */
	int64_t size_bytes;	 /* file */
	const struct xb_apk_xattr *xattrs;
	size_t n_xattrs;
	struct xb_map children; /* directory: name to struct xb_apk_node, NULL: removed; owned */
};

struct xb_apk_root {
	struct xb_store *store;
	struct xb_arena arena;
	struct xb_apk_node *top;
	struct xb_apk_node **nodes; /* all, for the release */
	size_t n_nodes, cap;
};

void xb_apk_root_init(struct xb_apk_root *root, struct xb_store *store);
void xb_apk_root_release(struct xb_apk_root *root);

/* The node behind all links, or NULL; and the one of the name itself, which may be a link. */
struct xb_apk_node *xb_apk_root_find(const struct xb_apk_root *root, const char *path);
struct xb_apk_node *xb_apk_root_find_link(const struct xb_apk_root *root, const char *path);

/* A directory and those above it; one that is there keeps its mode. *out (may be NULL) is it. */
int xb_apk_root_mkdirs(struct xb_apk_root *root, const char *path, uint32_t mode, struct xb_apk_node **out,
		       struct xb_err *err) XB_MUST_CHECK;
/* A new node under a name that nothing has yet; with the time of the directory that it is in. */
int xb_apk_root_add(struct xb_apk_root *root, const char *path, enum xb_apk_type type, struct xb_apk_node **out,
		    struct xb_err *err) XB_MUST_CHECK;
int xb_apk_root_symlink(struct xb_apk_root *root, const char *target, const char *path,
			struct xb_err *err) XB_MUST_CHECK;
/* Gives a node a further name, or the name to another node (`replace`). */
int xb_apk_root_link(struct xb_apk_root *root, struct xb_apk_node *node, const char *path, bool replace,
		     struct xb_err *err) XB_MUST_CHECK;
/* A node that is not in the tree yet. */
struct xb_apk_node *xb_apk_root_new_node(struct xb_apk_root *root, enum xb_apk_type type);
void xb_apk_root_remove(struct xb_apk_root *root, const char *path); /* a name that is not there is fine */

/* Sets the content of a file, which is made with `mode` when it is not there; else it keeps mode, owner and time. */
int xb_apk_root_write(struct xb_apk_root *root, const char *path, struct xb_sv text, uint32_t mode,
		      struct xb_err *err) XB_MUST_CHECK;
/* Content of a file of at most 64 MiB. XB_E_NOT_FOUND when there is none. */
int xb_apk_root_read(const struct xb_apk_root *root, const char *path, struct xb_str *out,
		     struct xb_err *err) XB_MUST_CHECK;

/*
 * Everything below a path in the order of a walk: names of a directory by their bytes, each directory before what is in it.
 * A negative result of `visit` ends it and is returned. `path` is relative and borrowed for the call.
 */
typedef int xb_apk_visit_fn(void *self, const char *path, struct xb_apk_node *node, struct xb_err *err);
int xb_apk_root_walk(const struct xb_apk_root *root, const char *path, xb_apk_visit_fn *visit, void *self,
		     struct xb_err *err) XB_MUST_CHECK;

#endif
