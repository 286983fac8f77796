/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: one directory per user and machine, shared by all projects and processes.
 *
 *   <dir>/format                   "1\n": another number is refused with a hint
 *   <dir>/blobs/<aa>/<62 digits>   content by sha256, mode 0444 (0555 when it was stored as executable)
 *   <dir>/trees/<recipe>/          unpacked trees by the digest of their recipe (store/tree)
 *   <dir>/actions/<aa>/<62>        action results and dependency records (store/action_cache)
 *   <dir>/contents/<aa>/<62>      which package has which file, by the index it was made of (src/app/contents.h)
 *   <dir>/generation               missing at first; 16 digits once results were given up (xb_store_renew), and then
 *                                  results are in <dir>/actions/<generation>/<aa>/<62>
 *   <dir>/cc/                      projects of xbuild's own, by what is asked for (app/op_compiler)
 *   <dir>/uploads/                 where unfinished uploads to registries are (registry/blob)
 *   <dir>/tmp/                     work in progress; each process uses a directory of its own under a held lock
 *   <dir>/locks/                   one lock file per thing that is being made, so that it is made once
 *
 * The directory must belong to the user who runs and be writable by no one else: XB_E_SYSTEM with a hint.
 *
 * Guarantee: nothing is visible under its name before it is complete and its digest was checked. Publishing is one
 *            rename. A crash leaves nothing but a directory in tmp/, which the next opener removes when its lock is free.
 * Threads:   a store may be used by several threads at once.
 */
#ifndef XBUILD_STORE_STORE_H
#define XBUILD_STORE_STORE_H

#include <stdbool.h>

#include "xbuild/base/err.h"
#include "xbuild/base/observer.h"
#include "xbuild/sys/digest.h"
#include "xbuild/sys/filelock.h"

struct xb_store;

/* Opens or creates the store at `dir` (absolute). A directory owned by another user is refused. */
int xb_store_open(const char *dir, const struct xb_observer *observer, struct xb_store **out,
		  struct xb_err *err) XB_MUST_CHECK;
void xb_store_close(struct xb_store *store); /* NULL-safe; removes this process's tmp directory */
/*
 * Sets the flag that a signal makes non-zero (NULL: none; it must outlive the store). Unpacking looks at it and ends with
 * XB_E_INTERRUPTED. Set it before other threads use the store.
 */
void xb_store_set_interrupted(struct xb_store *store, const volatile int *interrupted);
bool xb_store_is_interrupted(const struct xb_store *store);
const volatile int *xb_store_interrupted(const struct xb_store *store); /* the flag, or NULL */
const char *xb_store_dir(const struct xb_store *store);

/* Owned path of a new unused name in this process's tmp directory (nothing is created). Cheap. */
char *xb_store_tmp(struct xb_store *store);

/*
 * Which results count: "", or the 16 digits that xb_store_renew chose last, as they were when this store was opened. What
 * remembers results outside of the store remembers this with them. Borrowed from the store.
 */
const char *xb_store_generation(const struct xb_store *store);
/*
 * Gives up all results of actions, for what they were made with turned out to be damaged. What a process that has the store
 * open already still publishes is not found by those that open it later. Blobs and trees stay. Not while other threads use
 * the store. On failure the generation and the
 * results are the old ones.
 */
int xb_store_renew(struct xb_store *store, struct xb_err *err) XB_MUST_CHECK;

/*
 * Takes the lock named `key` (a file name, e.g. the digest of a recipe), waiting for another process that makes the
 * same thing. After taking it look again whether the thing exists by now.
 */
int xb_store_lock(struct xb_store *store, const char *key, struct xb_filelock *out, struct xb_err *err) XB_MUST_CHECK;

/* For the modules of this layer: owned path <dir>/<kind>/<aa>/<62 digits>, whether it exists or not. */
char *xb_store_path(const struct xb_store *store, const char *kind, const struct xb_digest *name);
/* Renames a finished temporary file to such a path, replacing what is there; makes the directory <aa> when missing. */
int xb_store_publish(const char *tmp_path, const char *path, struct xb_err *err) XB_MUST_CHECK;

#endif
