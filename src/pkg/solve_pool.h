/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the solver share: solve.c (the pool, the run, its result), solve_locked.c (what the lock has) and
 * solve_jobs.c (what is asked for). Ids are libsolv's: of strings, dependencies or solvables of the one pool.
 */
#ifndef XBUILD_PKG_SOLVE_POOL_H
#define XBUILD_PKG_SOLVE_POOL_H

#include "xbuild/pkg/solve.h"

#include <solv/pool.h>
#include <solv/repo.h>
#include <solv/solver.h>

#include "xbuild/base/vec.h"

/*
 * Where a solvable of the repository of locked packages has its data from: a package of an index, or the lock itself
 * (when `indexed` is 0).
 */
struct origin {
	Id id, indexed;
	struct xb_lock_package package;
};

/* What the result tells of a package and the solver has no use for. */
struct file {
	const char *path; /* in the solver's arena */
	int64_t size_bytes;
	struct xb_digest sha256;
};

struct xb_solver {
	struct xb_arena arena;
	Pool *pool;
	Repo *locked;	/* higher priority than the suites: what is in here wins over newer versions */
	Repo *excluded; /* stand-ins for excluded names that no index has */
	XB_VEC(struct origin) origins;
	XB_VEC(struct file) files; /* by solvable, for those of the indexes */
	bool has_run;
};

static inline const char *id_str(const struct xb_solver *solver, Id id)
{
	return pool_id2str(solver->pool, id);
}

static inline Solvable *solvable_of(const struct xb_solver *solver, Id id)
{
	return pool_id2solvable(solver->pool, id);
}

bool solve_list_has(const struct xb_list *list, const char *name);
/* The origin of a solvable of solver->locked, or NULL for others. */
const struct origin *solve_origin(const struct xb_solver *solver, Id id);
/* What a solvable is as a package of the lock, without its dependencies; strings are the pool's or the solver's. */
void solve_describe(const struct xb_solver *solver, Id id, struct xb_lock_package *out);
/* A copy whose strings are the arena's, without its dependencies. */
struct xb_lock_package solve_keep(struct xb_arena *arena, const struct xb_lock_package *package);

/*
 * Makes excluded packages count as installed: their own needs and conflicts are cut off, so that having them drags in and
 * forbids nothing, and so are the conflicts of others with them. A name that no index has gets a stand-in.
 */
void solve_cut_excluded(struct xb_solver *solver, const struct xb_list *exclude);
/* Fills the solver's jobs: what must be there, what counts as there, and what is the better choice. */
void solve_make_jobs(struct xb_solver *solver, const struct xb_list *wanted, const struct xb_list *exclude,
		     Queue *jobs);

#endif
