/* SPDX-License-Identifier: Apache-2.0 */
/* The dependencies of a package, as apko walks them: getPackageDependencies of pkg/apk/apk/repo.go. */
#include <string.h>

#include "apk_pool.h"

#define MAX_DEPTH 1000 /* real chains have less than 50 */

/* What one dependency is at the moment. */
enum need {
	NEED_MET, /* by the package itself or by what is chosen */
	NEED_OPEN /* *out_count candidates are left */
};

static uint32_t depend_name(const struct apk_pool *pool, uint32_t package, uint32_t i)
{
	return pool->ids_of.items[pool->facts[package].depends_at + i];
}

static bool provides_itself(const struct apk_pool *pool, uint32_t package, const struct apk_request *r)
{
	const struct xb_apk_package *p = pool->packages[package];
	for (size_t i = 0; i < p->provides.len; i++)
		if (pool->ids_of.items[pool->facts[package].provides_at + i] == r->name)
			return true;
	return pool->facts[package].name == r->name && p->parsed.valid &&
	       xb_apk_version_satisfies(&p->parsed, (enum xb_apk_op)r->relation->op, &r->version);
}

/* Does a package that was chosen have the name in a version that the request accepts? */
static bool selected_satisfies(const struct apk_pool *pool, uint32_t package, const struct apk_request *r)
{
	const struct xb_apk_package *p = pool->packages[package];
	enum xb_apk_op op = (enum xb_apk_op)r->relation->op;
	for (size_t i = 0; i < p->provides.len; i++) {
		struct xb_apk_version v;
		if (pool->ids_of.items[pool->facts[package].provides_at + i] != r->name ||
		    p->provides.items[i].version_len == 0)
			continue;
		xb_apk_relation_version(&p->provides.items[i], &v);
		if (xb_apk_version_satisfies(&v, op, &r->version))
			return true;
	}
	return pool->facts[package].name == r->name && xb_apk_version_satisfies(&p->parsed, op, &r->version);
}

static struct apk_request request_of(const struct apk_pool *pool, uint32_t package, uint32_t i)
{
	const struct xb_apk_relation *relation = &pool->packages[package]->depends.items[i];
	uint32_t name = depend_name(pool, package, i);
	struct apk_request r = {
		.relation = relation, .name = name, .prefer_tag = "", .allow_tag = pool->tag, .installed = APK_NONE};
	if (relation->op != XB_APK_ANY)
		xb_apk_relation_version(relation, &r.version);
	if (pool->existing[name].run == pool->wish)
		r.installed = pool->existing[name].package;
	else if (pool->top[name].run == pool->run)
		r.installed = pool->top[name].package;
	return r;
}

/* Negative: err is set. */
static int judge(struct apk_pool *pool, uint32_t package, const struct apk_request *r, size_t *out_count,
		 struct xb_err *err)
{
	const struct apk_mark *selected = &pool->selected[r->name];
	if (provides_itself(pool, package, r))
		return NEED_MET;
	if (selected->run == pool->run) {
		const struct xb_apk_package *p = pool->packages[selected->package];
		if (r->relation->op == XB_APK_ANY || selected_satisfies(pool, selected->package, r))
			return NEED_MET;
		return apk_refuse_package(pool, package, err, "it needs '%s', and %s-%s is chosen already",
					  r->relation->text, p->name, p->version);
	}
	*out_count = apk_count(pool, r);
	return *out_count ? NEED_OPEN : apk_refuse(pool, r, package, err);
}

/*
 * Drops from the pending dependencies [base, end) what is met, and finds the open one with the fewest candidates, of
 * equal ones the smallest text: *out is its place in depends, APK_NONE when nothing is open.
 */
static int find_next(struct apk_pool *pool, uint32_t package, size_t base, uint32_t *out, struct xb_err *err)
{
	const struct xb_apk_relation *depends = pool->packages[package]->depends.items;
	size_t kept = base, fewest = SIZE_MAX;
	*out = APK_NONE;
	for (size_t k = base; k < pool->pending.len; k++) {
		uint32_t i = pool->pending.items[k];
		struct apk_request r = request_of(pool, package, i);
		size_t count = 0;
		int need = judge(pool, package, &r, &count, err);
		if (need < 0)
			return need;
		if (need == NEED_MET)
			continue;
		pool->pending.items[kept++] = i;
		if (*out == APK_NONE || count < fewest ||
		    (count == fewest && strcmp(depends[i].text, depends[*out].text) < 0)) {
			fewest = count;
			*out = i;
		}
	}
	pool->pending.len = kept;
	return 0;
}

/* Takes a dependency, and others of the same text, off the pending ones. */
static void drop(struct apk_pool *pool, uint32_t package, size_t base, uint32_t taken)
{
	const struct xb_apk_relation *depends = pool->packages[package]->depends.items;
	size_t kept = base;
	for (size_t k = base; k < pool->pending.len; k++)
		if (strcmp(depends[pool->pending.items[k]].text, depends[taken].text) != 0)
			pool->pending.items[kept++] = pool->pending.items[k];
	pool->pending.len = kept;
}

/* From now on the package has its names. It happens once it is known that it needs something. */
static int pick(struct apk_pool *pool, uint32_t package, struct xb_err *err)
{
	const struct xb_apk_package *p = pool->packages[package];
	const struct apk_facts *facts = &pool->facts[package];
	struct apk_mark *own = &pool->selected[facts->name];
	if (own->run == pool->run && own->package == package)
		return 0;
	for (size_t i = 0; i <= p->provides.len; i++) {
		uint32_t name = i == 0 ? facts->name : pool->ids_of.items[facts->provides_at + i - 1];
		struct apk_mark *m = &pool->selected[name];
		if (m->run == pool->run && m->package != package)
			return apk_refuse_package(pool, package, err,
						  "%s-%s, which is chosen already, has the name '%s' too",
						  pool->packages[m->package]->name, pool->packages[m->package]->version,
						  apk_id_text(pool, name));
		if (i == 0 || p->provides.items[i - 1].version_len > 0)
			*m = (struct apk_mark){.run = pool->run, .package = package};
	}
	return 0;
}

static void note_reason(struct apk_pool *pool, uint32_t package, uint32_t by, const char *relation)
{
	if (pool->reason[package].run != pool->run)
		pool->reason[package] =
			(struct apk_reason){.run = pool->run, .why = XB_APK_DEPENDENCY, .relation = relation, .by = by};
}

/* What was walked since `from` is preferred from now on, and its origins at its versions. */
static void remember(struct apk_pool *pool, size_t from)
{
	apk_count_steps(pool, pool->walked.len - from);
	for (size_t k = from; k < pool->walked.len; k++) {
		uint32_t p = pool->walked.items[k];
		struct apk_mark m = {.run = pool->wish, .package = p};
		pool->existing[pool->facts[p].name] = m;
		if (pool->facts[p].origin)
			pool->origins[pool->facts[p].origin] = m;
	}
}

static int walk(struct apk_pool *pool, uint32_t package, int depth, struct xb_err *err);

/* Chooses for dependency i, walks what was chosen, and appends it. */
static int take(struct apk_pool *pool, uint32_t package, uint32_t i, int depth, struct xb_err *err)
{
	struct apk_request r = request_of(pool, package, i);
	uint32_t best = apk_best(pool, &r, true);
	size_t from = pool->walked.len;
	apk_put_out_rivals(pool, best);
	note_reason(pool, best, package, r.relation->text);
	int rc = pick(pool, package, err);
	if (rc == 0)
		rc = walk(pool, best, depth + 1, err);
	if (rc < 0)
		return rc;
	remember(pool, from);
	XB_VEC_PUSH(&pool->walked, best);
	return 0;
}

static int constrain_all(struct apk_pool *pool, uint32_t package, struct xb_err *err)
{
	const struct xb_apk_relations *depends = &pool->packages[package]->depends;
	for (uint32_t i = 0; i < depends->len; i++) {
		const struct xb_apk_relation *r = &depends->items[i];
		if (!apk_constrain(pool, r, depend_name(pool, package, i), package))
			return apk_refuse_package(pool, package, err,
						  "it needs '%s', which asks for what is no version", r->text);
		if (!r->conflict)
			XB_VEC_PUSH(&pool->pending, i);
	}
	return 0;
}

static int walk(struct apk_pool *pool, uint32_t package, int depth, struct xb_err *err)
{
	uint32_t name = pool->facts[package].name, next = APK_NONE;
	size_t base = pool->pending.len;
	if (pool->on_path[name])
		return 0;
	if (depth > MAX_DEPTH)
		return apk_refuse_package(pool, package, err, "its dependencies are more than %d deep", MAX_DEPTH);
	int rc = constrain_all(pool, package, err);
	while (rc == 0 && (rc = find_next(pool, package, base, &next, err)) == 0 && next != APK_NONE) {
		if (pool->steps == 0) {
			rc = apk_refuse_package(pool, package, err, "the dependencies take too many steps");
			break;
		}
		drop(pool, package, base, next);
		pool->on_path[name] = true;
		rc = take(pool, package, next, depth, err);
	}
	pool->on_path[name] = false;
	pool->pending.len = base;
	return rc;
}

int apk_walk(struct apk_pool *pool, uint32_t package, struct xb_err *err)
{
	pool->walked.len = 0;
	return walk(pool, package, 0, err);
}
