/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results of actions, by the digest of the REAPI Action; and dependency records, which make an Action's input tree known
 * before the compiler ran (which headers did this command read the last times?).
 *
 * Guarantee: an entry is found only whole: each file holds the key and a digest of itself, a damaged one is a miss and is
 *            removed. Results of failed actions are never stored.
 * Durability: put does not fsync: a lost entry is a miss.
 */
#ifndef XBUILD_STORE_ACTION_CACHE_H
#define XBUILD_STORE_ACTION_CACHE_H

#include "xbuild/base/arena.h"
#include "xbuild/base/err.h"
#include "xbuild/store/reapi.h"
#include "xbuild/store/store.h"

/* 1: found, every output blob is in the store; 0: miss. Errors of reading are misses. */
int xb_action_get(struct xb_store *store, const struct xb_digest *action, struct xb_arena *arena,
		  struct xb_reapi_result *out);
int xb_action_put(struct xb_store *store, const struct xb_digest *action, const struct xb_reapi_result *result,
		  struct xb_err *err) XB_MUST_CHECK;

/* One set of files that a command read, sorted: project-relative paths, or absolute ones (build/cc). */
struct xb_dep_set {
	const char **paths;
	size_t len;
};
struct xb_dep_sets {
	struct xb_dep_set *items; /* most recent first, at most 16 */
	size_t len;
};
/* `key`: digest of the command, toolchain, sysroot and main source path. Missing gives an empty list. */
void xb_deps_get(struct xb_store *store, const struct xb_digest *key, struct xb_arena *arena, struct xb_dep_sets *out);
/* Adds a set in front (moved there if it is known). */
int xb_deps_put(struct xb_store *store, const struct xb_digest *key, const struct xb_dep_set *set,
		struct xb_err *err) XB_MUST_CHECK;

#endif
