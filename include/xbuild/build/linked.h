/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files of the sysroot a link has copied code from: start files and archives. Bills of materials need it, and it cannot be
 * read off the program. The linker tells it while it links (ld.lld --dependency-file, --print-archive-stats: an archive
 * that was opened and gave nothing does not count).
 *
 * Kept:    in the store among the results of actions, by the program and the sysroot. The same program with two such lists would
 *          be one made in two ways; then either is true of it.
 * Failure: one that is missing or damaged is "not known"; the link then has to run again (sched's need_linked).
 */
#ifndef XBUILD_BUILD_LINKED_H
#define XBUILD_BUILD_LINKED_H

#include <stdbool.h>

#include "xbuild/base/arena.h"
#include "xbuild/base/err.h"
#include "xbuild/build/compile.h"
#include "xbuild/store/store.h"

/* `files`: paths below the sysroot, sorted, each once. */
int xb_linked_put(struct xb_store *store, const struct xb_digest *program, const struct xb_digest *sysroot,
		  const struct xb_dirs *files, struct xb_err *err) XB_MUST_CHECK;
bool xb_linked_get(struct xb_store *store, const struct xb_digest *program, const struct xb_digest *sysroot,
		   struct xb_arena *arena, struct xb_dirs *out);

/*
 * The archives of a text that --print-archive-stats has written ("members\textracted\tarchive" and such lines) of which something
 * was extracted, as they are named there. False for another text; doubles stay in.
 */
bool xb_linked_parse_stats(struct xb_sv text, struct xb_arena *arena, struct xb_dirs *out);

#endif
