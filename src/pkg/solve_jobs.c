/* SPDX-License-Identifier: Apache-2.0 */
#include "solve_pool.h"

#include <string.h>

#include <solv/evr.h>

/* Takes the dependencies on a name of `names` out of an array of a solvable: what follows moves up. */
static void drop_deps(struct xb_solver *solver, const Solvable *s, Offset deps, const Map *names)
{
	Id *to = s->repo->idarraydata + deps;

	for (const Id *from = to; deps && *from; from++) {
		Id name = *from;

		while (ISRELDEP(name))
			name = GETRELDEP(solver->pool, name)->name;
		if (!MAPTST(names, name))
			*to++ = *from;
	}
	if (deps)
		*to = 0;
}

/* Does one of the alternatives of a dependency name one of these? */
static bool names_one(const struct xb_solver *solver, Id dep, const Map *names)
{
	while (ISRELDEP(dep)) {
		const Reldep *rel = GETRELDEP(solver->pool, dep);

		if (rel->flags == REL_OR && names_one(solver, rel->evr, names))
			return true;
		dep = rel->name;
	}
	return MAPTST(names, dep);
}

/*
 * A stand-in has no version, so it cannot satisfy "name (= 1.2)" as the real package would: what depends on one is taken
 * for satisfied.
 */
static void drop_needs_of_stand_ins(struct xb_solver *solver, const Map *stand_ins)
{
	for (Id id = 2; id < solver->pool->nsolvables; id++) {
		const Solvable *s = solvable_of(solver, id);
		Id *to;

		if (!s->repo || !s->requires)
			continue;
		to = s->repo->idarraydata + s->requires;
		for (const Id *from = to; *from; from++)
			if (!names_one(solver, *from, stand_ins))
				*to++ = *from;
		*to = 0;
	}
}

static void add_stand_in(struct xb_solver *solver, Id name)
{
	Solvable *s = solvable_of(solver, repo_add_solvable(solver->excluded));

	s->name = name;
	s->evr = ID_EMPTY;
	s->arch = ARCH_ALL;
	s->provides = repo_addid(solver->excluded, 0, name);
}

void xb_solver_cut_needs(struct xb_solver *solver, const struct xb_list *names)
{
	Pool *pool = solver->pool;

	for (size_t i = 0; i < names->len; i++) {
		const Id name = pool_str2id(pool, names->items[i], 0);

		for (Id id = 2; name && id < pool->nsolvables; id++) {
			Solvable *s = solvable_of(solver, id);

			if (s->repo && s->name == name)
			s->requires = 0;
		}
	}
}

void solve_cut_excluded(struct xb_solver *solver, const struct xb_list *exclude)
{
	Pool *pool = solver->pool;
	Map names, seen, stand_ins;

	for (size_t i = 0; i < exclude->len; i++)
		pool_str2id(pool, exclude->items[i], 1);
	map_init(&names, pool->ss.nstrings);
	map_init(&seen, pool->ss.nstrings);
	map_init(&stand_ins, pool->ss.nstrings);
	for (size_t i = 0; i < exclude->len; i++)
		MAPSET(&names, pool_str2id(pool, exclude->items[i], 0));
	for (Id id = 2; id < pool->nsolvables; id++) {
		Solvable *s = solvable_of(solver, id);

		if (!s->repo)
			continue;
		drop_deps(solver, s, s->conflicts, &names);
		drop_deps(solver, s, s->obsoletes, &names);
		if (!MAPTST(&names, s->name))
			continue;
		MAPSET(&seen, s->name);
		s->requires = s->conflicts = s->obsoletes = 0;
	}
	solver->excluded = repo_create(pool, "excluded");
	for (size_t i = 0; i < exclude->len; i++) {
		Id name = pool_str2id(pool, exclude->items[i], 0);

		if (MAPTST(&seen, name))
			continue;
		MAPSET(&seen, name);
		MAPSET(&stand_ins, name);
		add_stand_in(solver, name);
	}
	drop_needs_of_stand_ins(solver, &stand_ins);
	map_free(&stand_ins);
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
	const struct xb_solver *solver = g->solver;
	Id best = 0, rest = dep;

	if (is_picked(g, dep))
		return;
	/* "a | b | c" is (a | (b | c)): a locked alternative wins, else the first that exists. */
	while (rest) {
		bool is_or = ISRELDEP(rest) && GETRELDEP(solver->pool, rest)->flags == REL_OR;
		Id candidate = best_candidate(g, is_or ? GETRELDEP(solver->pool, rest)->name : rest);
		bool is_locked = candidate && solvable_of(solver, candidate)->repo == solver->locked;

		if (candidate && (!best || is_locked))
			best = candidate;
		if (is_locked)
			break;
		rest = is_or ? GETRELDEP(solver->pool, rest)->evr : 0;
	}
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

void solve_make_jobs(struct xb_solver *solver, const struct xb_list *wanted, const struct xb_list *exclude, Queue *jobs)
{
	struct greedy g = {.solver = solver, .exclude = exclude};
	Pool *pool = solver->pool;

	for (size_t i = 0; i < wanted->len; i++)
		if (!solve_list_has(exclude, wanted->items[i]))
			queue_push2(jobs, SOLVER_INSTALL | SOLVER_SOLVABLE_NAME,
				    pool_str2id(pool, wanted->items[i], 1));
	/* Weak: a package that rules an excluded one out in another way is still welcome, for it is not really there. */
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
