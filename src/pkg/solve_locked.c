/* SPDX-License-Identifier: Apache-2.0 */
#include "solve_pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <solv/evr.h>

#include "xbuild/base/alloc.h"

bool solve_list_has(const struct xb_list *list, const char *name)
{
	for (size_t i = 0; list && i < list->len; i++)
		if (strcmp(list->items[i], name) == 0)
			return true;
	return false;
}

const struct origin *solve_origin(const struct xb_solver *solver, Id id)
{
	for (size_t i = 0; i < solver->origins.len; i++)
		if (solver->origins.items[i].id == id)
			return &solver->origins.items[i];
	return NULL;
}

void solve_describe(const struct xb_solver *solver, Id id, struct xb_lock_package *out)
{
	const struct origin *origin = solve_origin(solver, id);
	const Solvable *s;

	if (origin && !origin->indexed) {
		*out = origin->package;
		return;
	}
	if (origin)
		id = origin->indexed;
	s = pool_id2solvable(solver->pool, id);
	*out = (struct xb_lock_package){
		.name = id_str(solver, s->name),
		.version = id_str(solver, s->evr),
		.arch = id_str(solver, s->arch),
		.suite = s->repo->name,
		.path = solver->files.items[id].path,
		.size_bytes = solver->files.items[id].size_bytes,
		.sha256 = solver->files.items[id].sha256,
	};
}

/* One array of dependencies of `from` in its repository, appended to that of a solvable of another one. */
static Offset copy_deps(Repo *to, Offset have, const Solvable *from, Offset deps)
{
	Id dep;

	for (const Id *p = from->repo->idarraydata + deps; deps && (dep = *p) != 0; p++)
		if (dep != SOLVABLE_PREREQMARKER)
			have = repo_addid(to, have, dep);
	return have;
}

/* A package of an index once more, in the repository that wins. */
static Id copy_solvable(struct xb_solver *solver, Id indexed)
{
	Id id = repo_add_solvable(solver->locked);
	/* Both pointers are valid from here on only: adding moves the pool's array. */
	Solvable *to = pool_id2solvable(solver->pool, id);
	const Solvable *from = pool_id2solvable(solver->pool, indexed);

	to->name = from->name;
	to->evr = from->evr;
	to->arch = from->arch;
	to->provides = copy_deps(solver->locked, 0, from, from->provides);
	to->requires = copy_deps(solver->locked, 0, from, from->requires);
	to->conflicts = copy_deps(solver->locked, 0, from, from->conflicts);
	to->obsoletes = copy_deps(solver->locked, 0, from, from->obsoletes);
	return id;
}

/* The other names that a package provides, taken from its newest version: the lock does not hold them. */
static Offset inherited_provides(struct xb_solver *solver, Offset have, Id newest)
{
	const Solvable *s = pool_id2solvable(solver->pool, newest);
	Id dep;

	for (const Id *p = s->repo->idarraydata + s->provides; s->provides && (dep = *p) != 0; p++) {
		Id name = ISRELDEP(dep) ? GETRELDEP(solver->pool, dep)->name : dep;

		if (name != s->name)
			have = repo_addid(solver->locked, have, dep);
	}
	return have;
}

/* A package that no index has any more, as the lock describes it. */
static Id restore_solvable(struct xb_solver *solver, const struct xb_lock_package *package, Id newest)
{
	Pool *pool = solver->pool;
	Id id = repo_add_solvable(solver->locked);
	Solvable *s = pool_id2solvable(pool, id);

	s->name = pool_str2id(pool, package->name, 1);
	s->evr = pool_str2id(pool, package->version, 1);
	s->arch = pool_str2id(pool, package->arch, 1);
	s->provides = repo_addid(solver->locked, 0, pool_rel2id(pool, s->name, s->evr, REL_EQ, 1));
	if (newest)
		s->provides = inherited_provides(solver, s->provides, newest);
	for (size_t i = 0; i < package->n_depends; i++)
	s->requires = repo_addid(solver->locked, s->requires, pool_str2id(pool, package->depends[i], 1));
	return id;
}

/* A locked package's counterparts in the indexes. */
struct match {
	Id same;   /* with the same version and architecture, or 0 */
	Id newest; /* of any version, or 0 */
};

static void match_solvable(const struct xb_solver *solver, const struct xb_lock_package *package, Id id,
			   struct match *match)
{
	Pool *pool = solver->pool;
	const Solvable *s = pool_id2solvable(pool, id);

	if (!match->same && strcmp(id_str(solver, s->evr), package->version) == 0 &&
	    strcmp(id_str(solver, s->arch), package->arch) == 0)
		match->same = id;
	if (!match->newest || pool_evrcmp(pool, s->evr, pool_id2solvable(pool, match->newest)->evr, EVRCMP_COMPARE) > 0)
		match->newest = id;
}

/* All matches in one pass over the pool: it has 60,000 packages, the lock up to some hundred. */
static struct match *match_locked(struct xb_solver *solver, const struct xb_lock_packages *locked)
{
	Pool *pool = solver->pool;
	struct match *matches = xb_realloc_array(NULL, locked->len + 1, sizeof(*matches));
	uint32_t *by_name = NULL; /* name id -> index in the lock + 1 */
	size_t n_ids;

	for (size_t i = 0; i < locked->len; i++) {
		matches[i] = (struct match){0};
		pool_str2id(pool, locked->items[i].name, 1);
	}
	n_ids = (size_t)pool->ss.nstrings;
	by_name = xb_alloc(n_ids * sizeof(*by_name));
	for (size_t i = 0; i < locked->len; i++)
		by_name[pool_str2id(pool, locked->items[i].name, 0)] = (uint32_t)i + 1;
	for (Id id = 2; id < pool->nsolvables; id++) {
		const Solvable *s = pool_id2solvable(pool, id);
		uint32_t slot = s->repo ? by_name[s->name] : 0;

		if (slot)
			match_solvable(solver, &locked->items[slot - 1], id, &matches[slot - 1]);
	}
	free(by_name);
	return matches;
}

struct xb_lock_package solve_keep(struct xb_arena *arena, const struct xb_lock_package *package)
{
	struct xb_lock_package copy = *package;

	copy.name = xb_arena_strdup(arena, package->name);
	copy.version = xb_arena_strdup(arena, package->version);
	copy.arch = xb_arena_strdup(arena, package->arch);
	copy.suite = xb_arena_strdup(arena, package->suite);
	copy.path = xb_arena_strdup(arena, package->path);
	copy.depends = NULL;
	copy.n_depends = 0;
	return copy;
}

static int prefer_one(struct xb_solver *solver, const struct xb_lock_package *package, const struct match *match,
		      struct xb_err *err)
{
	char in_lock[XB_DIGEST_HEX], in_index[XB_DIGEST_HEX];
	struct origin origin = {.indexed = match->same};
	struct xb_digest sha256 = {0};

	if (match->same) {
		sha256 = solver->files.items[match->same].sha256;
		if (!xb_digest_eq(&sha256, &package->sha256)) {
			xb_fail(err, XB_E_VERIFY,
				"package '%s' %s has sha256 %s in the lock and %s in the signed index", package->name,
				package->version, xb_digest_hex(&package->sha256, in_lock),
				xb_digest_hex(&sha256, in_index));
			return xb_hint(err,
				       "if the lock is the wrong one, take what the archive has with "
				       "'xbuild lock --update %s'",
				       package->name);
		}
		origin.id = copy_solvable(solver, match->same);
	} else {
		origin.package = solve_keep(&solver->arena, package);
		origin.id = restore_solvable(solver, package, match->newest);
	}
	XB_VEC_PUSH(&solver->origins, origin);
	return 0;
}

int xb_solver_prefer(struct xb_solver *solver, const struct xb_lock_packages *locked, const struct xb_list *free_names,
		     struct xb_err *err)
{
	struct match *matches XB_CLEANUP(xb_free_ptr) = NULL;

	assert(!solver->locked && !solver->has_run);
	matches = match_locked(solver, locked);
	solver->locked = repo_create(solver->pool, "lock");
	solver->locked->priority = 1;
	for (size_t i = 0; i < locked->len; i++)
		if (!solve_list_has(free_names, locked->items[i].name) &&
		    prefer_one(solver, &locked->items[i], &matches[i], err) < 0)
			return err->code;
	return 0;
}

const char *xb_solver_newer(const struct xb_solver *solver, const struct xb_lock_package *package)
{
	Pool *pool = solver->pool;
	const Id name = pool_str2id(pool, package->name, 0);
	const char *newest = package->version;

	/* What stands in for an excluded package has no version, so it is never the newer one. */
	for (Id id = 2; name && id < pool->nsolvables; id++) {
		const Solvable *s = pool_id2solvable(pool, id);

		if (s->repo && s->name == name && s->repo != solver->locked &&
		    pool_evrcmp_str(pool, id_str(solver, s->evr), newest, EVRCMP_COMPARE) > 0)
			newest = id_str(solver, s->evr);
	}
	return newest == package->version ? NULL : newest;
}
