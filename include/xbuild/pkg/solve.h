/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dependency solving with libsolv (its Debian reader and its SAT solver). libsolv is used by this file alone.
 *
 * One solver is one architecture: add the reduced indexes of the suites, say what is excluded and what is preferred,
 * then solve. The result is a function of these inputs alone: packages sorted by name.
 *
 * Excluded packages count as installed: what depends on them is satisfied, what they depend on is not followed, and they
 * are not in the result. Recommends are not followed.
 */
#ifndef XBUILD_PKG_SOLVE_H
#define XBUILD_PKG_SOLVE_H

#include "xbuild/base/arena.h"
#include "xbuild/base/err.h"
#include "xbuild/model/data.h"
#include "xbuild/model/lockfile.h"

struct xb_solver;

/* debian_arch: "arm64". */
int xb_solver_new(const char *debian_arch, struct xb_solver **out, struct xb_err *err) XB_MUST_CHECK;
void xb_solver_free(struct xb_solver *solver); /* NULL-safe */

/* Adds reduced stanzas (pkg/deb_index) of suite `id`. The newest version wins whatever the suite. */
int xb_solver_add(struct xb_solver *solver, const char *suite_id, struct xb_sv stanzas,
		  struct xb_err *err) XB_MUST_CHECK;

/*
 * The packages of suite `id`, which was added, come behind those of the others: one is taken only where nothing else does, or where
 * xb_solver_take_from asks for it. Before xb_solver_prefer.
 */
void xb_solver_rank_last(struct xb_solver *solver, const char *suite_id);

/*
 * A package of this name comes from suite `id` and nowhere else. Before xb_solver_prefer, whose packages are not touched.
 * XB_E_INPUT when the suite has none.
 */
int xb_solver_take_from(struct xb_solver *solver, const char *name, const char *suite_id,
			struct xb_err *err) XB_MUST_CHECK;

/* Locked packages are preferred at their version; one that the indexes no longer have is kept as the lock describes it.
 * Call after all xb_solver_add. `free_names` (may be NULL) are those that may move to newer versions. */
int xb_solver_prefer(struct xb_solver *solver, const struct xb_lock_packages *locked, const struct xb_list *free_names,
		     struct xb_err *err) XB_MUST_CHECK;

/* What these packages depend on is not followed, although they themselves are in the result. Call after xb_solver_prefer. */
void xb_solver_cut_needs(struct xb_solver *solver, const struct xb_list *names);

/*
 * Solves for `wanted`: names, or "a | b", which is the first that the indexes have. *out is allocated in arena; each package
 * lists which others of the result it depends on.
 * XB_E_INPUT: a wanted package does not exist (with the closest name as a hint). XB_E_UNSAT: no solution; the message
 * holds libsolv's explanation, one problem per line.
 */
int xb_solver_run(struct xb_solver *solver, const struct xb_list *wanted, const struct xb_list *exclude,
		  struct xb_arena *arena, struct xb_lock_packages *out, struct xb_err *err) XB_MUST_CHECK;

/*
 * After a run: the newest version of a package of the result that the indexes have, when it is newer than the one taken; NULL
 * when there is none. Borrowed from the solver.
 */
const char *xb_solver_newer(const struct xb_solver *solver, const struct xb_lock_package *package);

#endif
