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
#define CHUNK_BYTES	  (256 * 1024)

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
	XB_VEC_RELEASE(&solver->files);
	xb_arena_release(&solver->arena);
	free(solver);
}

/*
 * Reading stanzas: libsolv gets the fields that it solves with, a chunk at a time; what is only looked up for the result
 * goes into solver->files. libsolv could hold that too (without sizes), but it grows its store by realloc() of small
 * steps, which takes minutes where realloc() always copies.
 */
struct reading {
	struct xb_solver *solver;
	Repo *repo;
	struct xb_str chunk;
	struct file file; /* of the stanza that is being read */
	size_t n_stanzas;
};

/* The value of "Name: value" when the line is that field. */
static bool is_field(struct xb_sv line, const char *name, struct xb_sv *out_value)
{
	size_t len = strlen(name);

	if (!xb_sv_starts(line, name) || line.len == len || line.ptr[len] != ':')
		return false;
	*out_value = xb_sv_trim(xb_sv_n(line.ptr + len + 1, line.len - len - 1));
	return true;
}

static int flush_chunk(struct reading *r, struct xb_err *err)
{
	FILE *file;
	int rc;

	if (r->chunk.len == 0)
		return 0;
	file = solv_fmemopen(r->chunk.data, r->chunk.len, "r");
	if (!file)
		return xb_fail_errno(err, "open a chunk of it");
	rc = repo_add_debpackages(r->repo, file, REPO_REUSE_REPODATA | REPO_NO_INTERNALIZE);
	fclose(file);
	xb_str_reset(&r->chunk);
	return rc ? xb_fail(err, XB_E_INPUT, "%s", pool_errstr(r->solver->pool)) : 0;
}

static int take_line(struct reading *r, struct xb_sv line, struct xb_err *err)
{
	struct xb_sv value;
	uint64_t size;

	if (is_field(line, "Filename", &value)) {
		r->file.path = xb_arena_sv(&r->solver->arena, value);
	} else if (is_field(line, "SHA256", &value)) {
		if (!xb_digest_parse(value, &r->file.sha256))
			return xb_fail(err, XB_E_INPUT, "'%.*s' is no sha256", XB_SV_ARG(value));
	} else if (is_field(line, "Size", &value)) {
		if (!xb_num_u64(value, XB_MAX_PACKAGE_BYTES, &size))
			return xb_fail(err, XB_E_INPUT, "'%.*s' is no size", XB_SV_ARG(value));
		r->file.size_bytes = (int64_t)size;
	} else {
		xb_str_append_sv(&r->chunk, line);
		xb_str_append_char(&r->chunk, '\n');
	}
	return 0;
}

static int end_stanza(struct reading *r, struct xb_err *err)
{
	if (!r->file.path || xb_digest_is_zero(&r->file.sha256))
		return xb_fail(err, XB_E_INPUT, "stanza %zu has no Filename or SHA256", r->n_stanzas + 1);
	XB_VEC_PUSH(&r->solver->files, r->file);
	r->file = (struct file){0};
	r->n_stanzas++;
	xb_str_append_char(&r->chunk, '\n');
	return r->chunk.len >= CHUNK_BYTES ? flush_chunk(r, err) : 0;
}

static int read_stanzas(struct reading *r, struct xb_sv stanzas, struct xb_err *err)
{
	bool inside = false;

	while (stanzas.ptr && stanzas.len) {
		struct xb_sv line = xb_sv_cut(&stanzas, '\n');
		int rc = 0;

		if (line.len)
			rc = take_line(r, line, err);
		else if (inside)
			rc = end_stanza(r, err);
		if (rc < 0)
			return rc;
		inside = line.len > 0;
	}
	if (inside && end_stanza(r, err) < 0)
		return err->code;
	return flush_chunk(r, err);
}

int xb_solver_add(struct xb_solver *solver, const char *suite_id, struct xb_sv stanzas, struct xb_err *err)
{
	struct reading r = {.solver = solver};
	int rc;

	assert(!solver->locked && !solver->has_run);
	r.repo = repo_create(solver->pool, xb_arena_strdup(&solver->arena, suite_id));
	while (solver->files.len < (size_t)solver->pool->nsolvables)
		XB_VEC_PUSH(&solver->files, (struct file){0});
	rc = read_stanzas(&r, stanzas, err);
	repo_internalize(r.repo);
	xb_str_release(&r.chunk);
	/* Every stanza must have become the next solvable: files are found by its number. */
	if (rc == 0 && solver->files.len != (size_t)solver->pool->nsolvables)
		rc = xb_fail(err, XB_E_INPUT, "a stanza has no Package field");
	return rc < 0 ? xb_wrap(err, "read the index of '%s'", suite_id) : 0;
}

void xb_solver_rank_last(struct xb_solver *solver, const char *suite_id)
{
	Pool *pool = solver->pool;
	Repo *repo;
	int i;

	assert(!solver->locked && !solver->has_run);
	FOR_REPOS(i, repo)
	{
		if (strcmp(repo->name, suite_id) == 0)
			repo->priority = -1;
	}
}

int xb_solver_take_from(struct xb_solver *solver, const char *name, const char *suite_id, struct xb_err *err)
{
	Pool *pool = solver->pool;
	const Id id = pool_str2id(pool, name, 0);
	bool found = false;

	assert(!solver->locked && !solver->has_run);
	for (Id p = 2; id && p < pool->nsolvables; p++) {
		const Solvable *s = pool_id2solvable(pool, p);

		found = found || (s->repo && s->name == id && strcmp(s->repo->name, suite_id) == 0);
	}
	if (!found)
		return xb_fail(err, XB_E_INPUT, "package '%s' does not exist in suite '%s'", name, suite_id);
	for (Id p = 2; p < pool->nsolvables; p++) {
		const Solvable *s = pool_id2solvable(pool, p);

		/* its number stays: solver->files goes by it */
		if (s->repo && s->name == id && strcmp(s->repo->name, suite_id) != 0)
			repo_free_solvable(s->repo, p, 0);
	}
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

/* The name that a wish stands for: itself, or the first of "a | b" that the indexes have. */
static int resolve_wish(struct xb_solver *solver, const char *wish, const char **out, struct xb_err *err)
{
	struct xb_sv rest = xb_sv(wish);

	while (rest.ptr) {
		*out = xb_arena_sv(&solver->arena, xb_sv_trim(xb_sv_cut(&rest, '|')));
		if (has_package(solver, *out))
			return 0;
	}
	return strchr(wish, '|') ? xb_fail(err, XB_E_INPUT, "none of the packages '%s' exists in the indexes", wish)
				 : fail_unknown(solver, wish, err);
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
	struct xb_list names = {xb_arena_array(&solver->arena, wanted->len + 1, sizeof(*names.items)), wanted->len};
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
		if (resolve_wish(solver, wanted->items[i], &names.items[i], err) < 0)
			return err->code;
	queue_init(&jobs);
	solve_make_jobs(solver, &names, exclude, &jobs);
	solv = solver_create(solver->pool);
	solver_set_flag(solv, SOLVER_FLAG_IGNORE_RECOMMENDED, 1);
	n_problems = solver_solve(solv, &jobs);
	rc = n_problems ? fail_unsolved(solv, n_problems, err) : read_result(solver, solv, exclude, arena, out, err);
	solver_free(solv);
	queue_free(&jobs);
	return rc;
}
