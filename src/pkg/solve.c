/* SPDX-License-Identifier: Apache-2.0 */
#include "solve_pool.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <solv/repo_deb.h>
#include <solv/solv_xfopen.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/base/str.h"

#define MAX_PROBLEMS_TOLD 20

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
	solve_describe(solver, id, &mine);
	FOR_PROVIDES(p, pp, s->name)
	{
		const Solvable *o = pool_id2solvable(pool, p);

		if (p == id || o->name != s->name || o->evr != s->evr || o->arch != s->arch)
			continue;
		solve_describe(solver, p, &other);
		if (!xb_digest_eq(&mine.sha256, &other.sha256))
			return xb_fail(err, XB_E_VERIFY,
				       "package '%s' %s is in '%s' and in '%s' with different contents", mine.name,
				       mine.version, mine.suite, other.suite);
		if (!solve_origin(solver, id) && o->repo->repoid < pool_id2solvable(pool, *out)->repo->repoid)
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
	solve_describe(solver, shown, &package);
	if (!package.path || xb_digest_is_zero(&package.sha256))
		return xb_fail(err, XB_E_INPUT, "package '%s' %s has no Filename or SHA256 in the index", package.name,
			       package.version);
	*out = solve_keep(arena, &package);
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

		if (id > SYSTEMSOLVABLE &&
		    !solve_list_has(exclude, id_str(solver, pool_id2solvable(solver->pool, id)->name)))
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
	solve_cut_excluded(solver, exclude);
	pool_createwhatprovides(solver->pool);
	for (size_t i = 0; i < wanted->len; i++)
		if (!has_package(solver, wanted->items[i]))
			return fail_unknown(solver, wanted->items[i], err);
	queue_init(&jobs);
	solve_make_jobs(solver, wanted, exclude, &jobs);
	solv = solver_create(solver->pool);
	solver_set_flag(solv, SOLVER_FLAG_IGNORE_RECOMMENDED, 1);
	n_problems = solver_solve(solv, &jobs);
	rc = n_problems ? fail_unsolved(solv, n_problems, err) : read_result(solver, solv, exclude, arena, out, err);
	solver_free(solv);
	queue_free(&jobs);
	return rc;
}
