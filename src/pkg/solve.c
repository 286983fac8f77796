/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/pkg/solve.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <solv/evr.h>
#include <solv/pool.h>
#include <solv/repo.h>
#include <solv/repo_deb.h>
#include <solv/solv_xfopen.h>
#include <solv/solver.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/base/str.h"
#include "xbuild/base/vec.h"

#define MAX_PROBLEMS_TOLD 20

/*
 * Where a solvable of the repository of locked packages has its data from: a package of an index, or the lock itself
 * (when `indexed` is 0).
 */
struct origin {
	Id id, indexed;
	struct xb_lock_package package;
};

struct xb_solver {
	struct xb_arena arena;
	Pool *pool;
	Repo *locked;	/* higher priority than the suites: what is in here wins over newer versions */
	Repo *excluded; /* stand-ins for excluded names that no index has */
	XB_VEC(struct origin) origins;
	XB_VEC(int64_t) sizes; /* of a package in bytes, by solvable: libsolv's reader passes over the field */
	bool has_run;
};

/* libsolv's order is dpkg's once the distribution type is set; a build of it without Debian support refuses that. */
static Pool *new_debian_pool(void)
{
	Pool *pool = pool_create();

	if (pool_setdisttype(pool, DISTTYPE_DEB) < 0) {
		pool_free(pool);
		return NULL;
	}
	return pool;
}

int xb_solver_new(const char *debian_arch, struct xb_solver **out, struct xb_err *err)
{
	Pool *pool = new_debian_pool();
	struct xb_solver *solver;

	if (!pool)
		return xb_fail(err, XB_E_SYSTEM, "start the solver: this libsolv was built without Debian support");
	/* pool_setarch() would also let in what libsolv's table of rpm architectures calls compatible. */
	pool_setarchpolicy(pool, debian_arch);
	solver = xb_alloc(sizeof(*solver));
	solver->pool = pool;
	*out = solver;
	return 0;
}

void xb_solver_free(struct xb_solver *solver)
{
	if (!solver)
		return;
	pool_free(solver->pool);
	XB_VEC_RELEASE(&solver->origins);
	XB_VEC_RELEASE(&solver->sizes);
	xb_arena_release(&solver->arena);
	free(solver);
}

/* The Size fields of all stanzas, in the order in which libsolv made solvables of them: from `first` on. */
static int add_sizes(struct xb_solver *solver, Id first, struct xb_sv stanzas, struct xb_err *err)
{
	const size_t n_solvables = (size_t)solver->pool->nsolvables;

	while (solver->sizes.len < (size_t)first)
		XB_VEC_PUSH(&solver->sizes, -1);
	while (stanzas.ptr && stanzas.len) {
		struct xb_sv line = xb_sv_cut(&stanzas, '\n');
		uint64_t size = 0;

		if (xb_sv_starts(line, "Package:"))
			XB_VEC_PUSH(&solver->sizes, -1);
		if (!xb_sv_starts(line, "Size:"))
			continue;
		line = xb_sv_trim(xb_sv_n(line.ptr + 5, line.len - 5));
		if (!xb_num_u64(line, XB_MAX_PACKAGE_BYTES, &size) || solver->sizes.len == (size_t)first)
			return xb_fail(err, XB_E_INPUT, "'%.*s' is no size", XB_SV_ARG(line));
		solver->sizes.items[solver->sizes.len - 1] = (int64_t)size;
	}
	if (solver->sizes.len != n_solvables)
		return xb_fail(err, XB_E_INPUT, "%zu packages were expected and %zu read",
			       solver->sizes.len - (size_t)first, n_solvables - (size_t)first);
	return 0;
}

int xb_solver_add(struct xb_solver *solver, const char *suite_id, struct xb_sv stanzas, struct xb_err *err)
{
	Repo *repo = repo_create(solver->pool, xb_arena_strdup(&solver->arena, suite_id));
	const Id first = solver->pool->nsolvables;
	FILE *file;
	int rc;

	assert(!solver->locked && !solver->has_run);
	if (stanzas.len == 0) /* fmemopen(3) refuses an empty buffer on some systems */
		return 0;
	file = solv_fmemopen(stanzas.ptr, stanzas.len, "r");
	if (!file)
		return xb_fail_errno(err, "read the index of '%s'", suite_id);
	rc = repo_add_debpackages(repo, file, 0);
	fclose(file);
	if (rc != 0)
		return xb_fail(err, XB_E_INPUT, "read the index of '%s': %s", suite_id, pool_errstr(solver->pool));
	if (add_sizes(solver, first, stanzas, err) < 0)
		return xb_wrap(err, "read the index of '%s'", suite_id);
	return 0;
}

static const char *id_str(const struct xb_solver *solver, Id id)
{
	return pool_id2str(solver->pool, id);
}

static bool list_has(const struct xb_list *list, const char *name)
{
	for (size_t i = 0; list && i < list->len; i++)
		if (strcmp(list->items[i], name) == 0)
			return true;
	return false;
}

static const struct origin *find_origin(const struct xb_solver *solver, Id id)
{
	for (size_t i = 0; i < solver->origins.len; i++)
		if (solver->origins.items[i].id == id)
			return &solver->origins.items[i];
	return NULL;
}

/* The sha256 of an index's solvable; false when it has none. */
static bool indexed_sha256(const struct xb_solver *solver, Id id, struct xb_digest *out)
{
	Id type = 0;
	const char *hex = solvable_lookup_checksum(pool_id2solvable(solver->pool, id), SOLVABLE_CHECKSUM, &type);

	return hex && type == REPOKEY_TYPE_SHA256 && xb_digest_parse(xb_sv(hex), out);
}

/* What a solvable is as a package of the lock, without its dependencies; strings are the pool's or the solver's. */
static void describe(const struct xb_solver *solver, Id id, struct xb_lock_package *out)
{
	const struct origin *origin = find_origin(solver, id);
	unsigned int media = 0;
	Solvable *s;

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
		.path = solvable_lookup_location(s, &media),
		.size_bytes = solver->sizes.items[id],
	};
	(void)indexed_sha256(solver, id, &out->sha256);
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

static struct xb_lock_package keep_package(struct xb_arena *arena, const struct xb_lock_package *package)
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
		(void)indexed_sha256(solver, match->same, &sha256);
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
		origin.package = keep_package(&solver->arena, package);
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
		if (!list_has(free_names, locked->items[i].name) &&
		    prefer_one(solver, &locked->items[i], &matches[i], err) < 0)
			return err->code;
	return 0;
}

/* Packages of the indexes by name: what the three functions below ask for. */
static bool has_package(const struct xb_solver *solver, const char *name)
{
	Pool *pool = solver->pool;
	Id id = pool_str2id(pool, name, 0), p, pp;

	if (!id)
		return false;
	FOR_PROVIDES(p, pp, id)
	{
		if (pool_id2solvable(pool, p)->name == id)
			return true;
	}
	return false;
}

/* The first real packages that provide a virtual one, in the order of the indexes. */
static void append_providers(const struct xb_solver *solver, const char *name, struct xb_str *out)
{
	Pool *pool = solver->pool;
	Id id = pool_str2id(pool, name, 0), p, pp;
	size_t n = 0;

	if (!id)
		return;
	FOR_PROVIDES(p, pp, id)
	{
		if (n < 5)
			xb_str_printf(out, "%s%s", n ? ", " : "", id_str(solver, pool_id2solvable(pool, p)->name));
		n++;
	}
	if (n > 5)
		xb_str_append(out, ", ...");
}

static int fail_unknown(const struct xb_solver *solver, const char *name, struct xb_err *err)
{
	struct xb_str providers XB_CLEANUP(xb_str_release) = {0};
	XB_VEC(const char *) names = {0};
	const char *like;

	append_providers(solver, name, &providers);
	xb_fail(err, XB_E_INPUT, "package '%s' does not exist in the indexes%s", name,
		providers.len ? " under its own name" : "");
	if (providers.len)
		return xb_hint(err, "it is a virtual package; name one that provides it: %s", xb_str_get(&providers));
	for (Id id = 2; id < solver->pool->nsolvables; id++)
		if (pool_id2solvable(solver->pool, id)->repo)
			XB_VEC_PUSH(&names, id_str(solver, pool_id2solvable(solver->pool, id)->name));
	XB_VEC_PUSH(&names, NULL);
	like = xb_sv_suggest(xb_sv(name), names.items);
	XB_VEC_RELEASE(&names);
	return like ? xb_hint(err, "did you mean '%s'?", like) : err->code;
}

/*
 * Excluded packages count as installed. Their own needs and conflicts are cut off, so that installing them drags in and
 * forbids nothing; a name that no index has gets a stand-in.
 */
static void cut_excluded(struct xb_solver *solver, const struct xb_list *exclude)
{
	Pool *pool = solver->pool;
	Map names, seen;

	for (size_t i = 0; i < exclude->len; i++)
		pool_str2id(pool, exclude->items[i], 1);
	map_init(&names, pool->ss.nstrings);
	map_init(&seen, pool->ss.nstrings);
	for (size_t i = 0; i < exclude->len; i++)
		MAPSET(&names, pool_str2id(pool, exclude->items[i], 0));
	for (Id id = 2; id < pool->nsolvables; id++) {
		Solvable *s = pool_id2solvable(pool, id);

		if (!s->repo || !MAPTST(&names, s->name))
			continue;
		MAPSET(&seen, s->name);
		s->requires = s->conflicts = s->obsoletes = 0;
	}
	solver->excluded = repo_create(pool, "excluded");
	for (size_t i = 0; i < exclude->len; i++) {
		Id name = pool_str2id(pool, exclude->items[i], 0), id;
		Solvable *s;

		if (MAPTST(&seen, name))
			continue;
		MAPSET(&seen, name);
		id = repo_add_solvable(solver->excluded);
		s = pool_id2solvable(pool, id);
		s->name = name;
		s->evr = ID_EMPTY;
		s->arch = ARCH_ALL;
		s->provides = repo_addid(solver->excluded, 0, name);
	}
	map_free(&names);
	map_free(&seen);
}

/* The first choice for every dependency, as apt would make it; the solver is asked to keep to it where it can. */
struct greedy {
	struct xb_solver *solver;
	const struct xb_list *exclude;
	Map picked;
	Queue queue; /* picked, in order; those before `next` have been followed */
};

/* Positive when a is the better candidate for the package name `wanted` (0 when the dependency has no name). */
static int compare_candidates(const struct greedy *g, Id wanted, Id a, Id b)
{
	Pool *pool = g->solver->pool;
	const Solvable *sa = pool_id2solvable(pool, a), *sb = pool_id2solvable(pool, b);
	int order;

	if (sa->repo->priority != sb->repo->priority)
		return sa->repo->priority - sb->repo->priority;
	if ((sa->name == wanted) != (sb->name == wanted))
		return sa->name == wanted ? 1 : -1;
	order = strcmp(id_str(g->solver, sb->name), id_str(g->solver, sa->name));
	if (order != 0)
		return order;
	return pool_evrcmp(pool, sa->evr, sb->evr, EVRCMP_COMPARE);
}

static bool is_picked(const struct greedy *g, Id dep)
{
	Id p, pp;
	Pool *pool = g->solver->pool;

	FOR_PROVIDES(p, pp, dep)
	{
		if (MAPTST(&g->picked, p))
			return true;
	}
	return false;
}

static Id best_candidate(const struct greedy *g, Id dep)
{
	Pool *pool = g->solver->pool;
	Id name = dep, best = 0, p, pp;

	while (ISRELDEP(name))
		name = GETRELDEP(pool, name)->name;
	FOR_PROVIDES(p, pp, dep)
	{
		if (!best || compare_candidates(g, name, p, best) > 0)
			best = p;
	}
	return best;
}

static void pick(struct greedy *g, Id dep)
{
	Pool *pool = g->solver->pool;
	Id best = 0;

	if (is_picked(g, dep))
		return;
	/* "a | b | c" is (a | (b | c)): the first alternative that exists wins. */
	while (!best && ISRELDEP(dep) && GETRELDEP(pool, dep)->flags == REL_OR) {
		best = best_candidate(g, GETRELDEP(pool, dep)->name);
		dep = GETRELDEP(pool, dep)->evr;
	}
	if (!best)
		best = best_candidate(g, dep);
	if (!best)
		return;
	MAPSET(&g->picked, best);
	queue_push(&g->queue, best);
}

static void pick_all(struct greedy *g, const struct xb_list *wanted)
{
	Pool *pool = g->solver->pool;

	for (size_t i = 0; i < g->exclude->len; i++)
		pick(g, pool_str2id(pool, g->exclude->items[i], 1));
	for (size_t i = 0; i < wanted->len; i++)
		pick(g, pool_str2id(pool, wanted->items[i], 1));
	for (int next = 0; next < g->queue.count; next++) {
		const Solvable *s = pool_id2solvable(pool, g->queue.elements[next]);
		Id dep;

		for (const Id *p = s->repo->idarraydata + s->requires; s->requires && (dep = *p) != 0; p++)
			if (dep != SOLVABLE_PREREQMARKER)
				pick(g, dep);
	}
}

/* Fills the solver's jobs: what must be there, what counts as there, and what is the better choice. */
static void make_jobs(struct xb_solver *solver, const struct xb_list *wanted, const struct xb_list *exclude,
		      Queue *jobs)
{
	struct greedy g = {.solver = solver, .exclude = exclude};
	Pool *pool = solver->pool;

	for (size_t i = 0; i < wanted->len; i++)
		if (!list_has(exclude, wanted->items[i]))
			queue_push2(jobs, SOLVER_INSTALL | SOLVER_SOLVABLE_NAME,
				    pool_str2id(pool, wanted->items[i], 1));
	/* Weak: a package that conflicts with an excluded one is still welcome, for the excluded one is not there. */
	for (size_t i = 0; i < exclude->len; i++)
		queue_push2(jobs, SOLVER_INSTALL | SOLVER_SOLVABLE_NAME | SOLVER_WEAK,
			    pool_str2id(pool, exclude->items[i], 1));
	map_init(&g.picked, pool->nsolvables);
	queue_init(&g.queue);
	pick_all(&g, wanted);
	for (int i = 0; i < g.queue.count; i++)
		queue_push2(jobs, SOLVER_FAVOR | SOLVER_SOLVABLE, g.queue.elements[i]);
	queue_free(&g.queue);
	map_free(&g.picked);
}

static int fail_unsolved(Solver *solv, int n_problems, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	for (int i = 1; i <= n_problems && i <= MAX_PROBLEMS_TOLD; i++) {
		Id source = 0, target = 0, dep = 0;
		Id rule = solver_findproblemrule(solv, i);
		SolverRuleinfo type = solver_ruleinfo(solv, rule, &source, &target, &dep);

		xb_str_printf(&text, "\n  %s", solver_problemruleinfo2str(solv, type, source, target, dep));
	}
	return xb_fail(err, XB_E_UNSAT, "the packages cannot be had together:%s", xb_str_get(&text));
}

/* The package of the first suite that was added, where several suites have the very same one. */
static int canonical(const struct xb_solver *solver, Id id, Id *out, struct xb_err *err)
{
	Pool *pool = solver->pool;
	const Solvable *s = pool_id2solvable(pool, id);
	struct xb_lock_package mine = {0}, other = {0};
	Id p, pp;

	*out = id;
	describe(solver, id, &mine);
	FOR_PROVIDES(p, pp, s->name)
	{
		const Solvable *o = pool_id2solvable(pool, p);

		if (p == id || o->name != s->name || o->evr != s->evr || o->arch != s->arch)
			continue;
		describe(solver, p, &other);
		if (!xb_digest_eq(&mine.sha256, &other.sha256))
			return xb_fail(err, XB_E_VERIFY,
				       "package '%s' %s is in '%s' and in '%s' with different contents", mine.name,
				       mine.version, mine.suite, other.suite);
		if (!find_origin(solver, id) && o->repo->repoid < pool_id2solvable(pool, *out)->repo->repoid)
			*out = p;
	}
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of the packages in `result` that the solvable needs, sorted, each once. */
static void list_depends(const struct xb_solver *solver, const Map *result, Id id, struct xb_arena *arena,
			 struct xb_lock_package *out)
{
	Pool *pool = solver->pool;
	const Solvable *s = pool_id2solvable(pool, id);
	XB_VEC(const char *) names = {0};
	Id dep, p, pp;
	size_t n = 0;

	for (const Id *d = s->repo->idarraydata + s->requires; s->requires && (dep = *d) != 0; d++) {
		if (dep == SOLVABLE_PREREQMARKER)
			continue;
		FOR_PROVIDES(p, pp, dep)
		{
			if (p != id && MAPTST(result, p))
				XB_VEC_PUSH(&names, id_str(solver, pool_id2solvable(pool, p)->name));
		}
	}
	if (names.len == 0)
		return;
	qsort(names.items, names.len, sizeof(*names.items), compare_names);
	out->depends = xb_arena_array(arena, names.len, sizeof(*out->depends));
	for (size_t i = 0; i < names.len; i++)
		if (n == 0 || strcmp(out->depends[n - 1], names.items[i]) != 0)
			out->depends[n++] = xb_arena_strdup(arena, names.items[i]);
	out->n_depends = n;
	XB_VEC_RELEASE(&names);
}

static int compare_packages(const void *a, const void *b)
{
	return strcmp(((const struct xb_lock_package *)a)->name, ((const struct xb_lock_package *)b)->name);
}

static int add_package(const struct xb_solver *solver, const Map *result, Id id, struct xb_arena *arena,
		       struct xb_lock_package *out, struct xb_err *err)
{
	struct xb_lock_package package = {0};
	Id shown = id;

	if (canonical(solver, id, &shown, err) < 0)
		return err->code;
	describe(solver, shown, &package);
	if (!package.path || xb_digest_is_zero(&package.sha256))
		return xb_fail(err, XB_E_INPUT, "package '%s' %s has no Filename or SHA256 in the index", package.name,
			       package.version);
	*out = keep_package(arena, &package);
	list_depends(solver, result, id, arena, out);
	return 0;
}

static int read_result(struct xb_solver *solver, Solver *solv, const struct xb_list *exclude, struct xb_arena *arena,
		       struct xb_lock_packages *out, struct xb_err *err)
{
	struct xb_lock_packages found = {0};
	Queue decisions;
	Map result;
	int rc = 0;

	queue_init(&decisions);
	map_init(&result, solver->pool->nsolvables);
	solver_get_decisionqueue(solv, &decisions);
	for (int i = 0; i < decisions.count; i++) {
		Id id = decisions.elements[i];

		if (id > SYSTEMSOLVABLE && !list_has(exclude, id_str(solver, pool_id2solvable(solver->pool, id)->name)))
			MAPSET(&result, id);
	}
	found.items = xb_arena_array(arena, (size_t)decisions.count + 1, sizeof(*found.items));
	for (int i = 0; rc == 0 && i < decisions.count; i++) {
		Id id = decisions.elements[i];

		if (id > SYSTEMSOLVABLE && MAPTST(&result, id))
			rc = add_package(solver, &result, id, arena, &found.items[found.len++], err);
	}
	map_free(&result);
	queue_free(&decisions);
	if (rc < 0)
		return rc;
	qsort(found.items, found.len, sizeof(*found.items), compare_packages);
	*out = found;
	return 0;
}

int xb_solver_run(struct xb_solver *solver, const struct xb_list *wanted, const struct xb_list *exclude,
		  struct xb_arena *arena, struct xb_lock_packages *out, struct xb_err *err)
{
	static const struct xb_list nothing = {0};
	Solver *solv;
	Queue jobs;
	int n_problems, rc;

	assert(!solver->has_run); /* cutting the excluded ones changed the pool for good */
	solver->has_run = true;
	if (!exclude)
		exclude = &nothing;
	cut_excluded(solver, exclude);
	pool_createwhatprovides(solver->pool);
	for (size_t i = 0; i < wanted->len; i++)
		if (!has_package(solver, wanted->items[i]))
			return fail_unknown(solver, wanted->items[i], err);
	queue_init(&jobs);
	make_jobs(solver, wanted, exclude, &jobs);
	solv = solver_create(solver->pool);
	solver_set_flag(solv, SOLVER_FLAG_IGNORE_RECOMMENDED, 1);
	n_problems = solver_solve(solv, &jobs);
	rc = n_problems ? fail_unsolved(solv, n_problems, err) : read_result(solver, solv, exclude, arena, out, err);
	solver_free(solv);
	queue_free(&jobs);
	return rc;
}

int xb_deb_version_compare(const char *a, const char *b)
{
	Pool *pool = new_debian_pool();
	int order;

	assert(pool);
	order = pool_evrcmp_str(pool, a, b, EVRCMP_COMPARE);
	pool_free(pool);
	return order;
}
