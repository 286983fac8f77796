/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/pkg/apk_solve.h"

#include <stdlib.h>
#include <string.h>

#include "apk_pool.h"
#include "xbuild/base/alloc.h"

#define MAX_STEPS 20000000 /* candidates looked at for one architecture; real runs take some thousand */

struct xb_apk_resolver {
	struct apk_pool *pools; /* one per architecture */
	size_t n_pools;
};

/* ---- architectures ---- */

static bool has_version(const struct apk_pool *pool, const struct xb_apk_package *p)
{
	struct apk_span all = pool->providers[apk_id(pool, xb_sv(p->name))];
	for (uint32_t i = 0; i < all.len; i++) {
		const struct xb_apk_package *other = pool->packages[pool->provider_list[all.at + i]];
		if (strcmp(other->name, p->name) == 0 && strcmp(other->version, p->version) == 0)
			return true;
	}
	return false;
}

/* What one architecture does not have in this version is taken on none. */
static void align(struct xb_apk_resolver *r)
{
	for (size_t a = 0; a < r->n_pools; a++)
		for (size_t b = 0; b < r->n_pools; b++)
			for (uint32_t i = 0; a != b && i < r->pools[a].n_packages; i++) {
				struct apk_facts *f = &r->pools[a].facts[i];
				if (!f->missing_on && !has_version(&r->pools[b], r->pools[a].packages[i]))
					f->missing_on = r->pools[b].arch;
			}
}

void xb_apk_resolver_new(const struct xb_apk_arch *archs, size_t n_archs, struct xb_apk_resolver **out)
{
	struct xb_apk_resolver *r = xb_alloc(sizeof(*r));
	r->pools = xb_alloc(n_archs * sizeof(*r->pools));
	r->n_pools = n_archs;
	for (size_t i = 0; i < n_archs; i++)
		apk_pool_make(&r->pools[i], &archs[i]);
	align(r);
	*out = r;
}

void xb_apk_resolver_free(struct xb_apk_resolver *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n_pools; i++)
		apk_pool_release(&r->pools[i]);
	free(r->pools);
	free(r);
}

/* ---- wishes ---- */

/* Sorted, each once, parsed. */
struct wishes {
	struct xb_apk_relation *items;
	size_t len;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int parse_wish(const char *text, struct xb_apk_relation *out, struct xb_err *err)
{
	struct xb_apk_version version;
	xb_apk_relation_parse(text, out);
	xb_apk_relation_version(out, &version);
	if (!out->well_formed || (out->op == XB_APK_ANY && out->version_len > 0)) {
		(void)xb_fail(err, XB_E_INPUT,
			      "read the package wish '%s': it is not of the form NAME[OP VERSION][@TAG]", text);
		return xb_hint(err, "operators are = > < >= <= ~");
	}
	if (out->version_len > 0 && !version.valid)
		return xb_fail(err, XB_E_INPUT, "read the package wish '%s': '%.*s' is no version", text,
			       (int)out->version_len, text + out->version_at);
	return 0;
}

static int parse_wishes(const struct xb_list *list, struct xb_arena *arena, struct wishes *out, struct xb_err *err)
{
	const char **texts = xb_arena_array(arena, list->len, sizeof(*texts));
	out->items = xb_arena_array(arena, list->len, sizeof(*out->items));
	for (size_t i = 0; i < list->len; i++)
		texts[i] = xb_arena_strdup(arena, list->items[i]);
	if (list->len > 1)
		qsort(texts, list->len, sizeof(*texts), by_text);
	for (size_t i = 0; i < list->len; i++) {
		if (i > 0 && strcmp(texts[i], texts[i - 1]) == 0)
			continue;
		int rc = parse_wish(texts[i], &out->items[out->len++], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static const char *suggest(const struct apk_pool *pool, const char *word, struct xb_arena *arena)
{
	const char **names = xb_arena_array(arena, pool->n_packages + 1, sizeof(*names));
	for (uint32_t i = 0; i < pool->n_packages; i++)
		names[i] = pool->packages[i]->name;
	return xb_sv_suggest(xb_sv(word), names);
}

/* A wish that no candidate fits. */
static int refuse_wish(const struct apk_pool *pool, const struct apk_request *request, struct xb_arena *arena,
		       struct xb_err *err)
{
	if (request->name && pool->providers[request->name].len > 0)
		return apk_refuse(pool, request, APK_NONE, err);
	struct xb_sv name = xb_apk_relation_name(request->relation);
	const char *near = suggest(pool, xb_arena_sv(arena, name), arena);
	(void)xb_fail(err, XB_E_INPUT, "resolve packages for %s: no package has or provides the name '%.*s'",
		      pool->arch, XB_SV_ARG(name));
	return near ? xb_hint(err, "did you mean '%s'?", near) : err->code;
}

static void set_top(struct apk_pool *pool, uint32_t package)
{
	struct apk_mark *m = &pool->top[pool->facts[package].name];
	if (m->run != pool->run)
		XB_VEC_PUSH(&pool->top_list, pool->facts[package].name);
	*m = (struct apk_mark){.run = pool->run, .package = package};
}

/* The wish with the fewest candidates, of equal ones the first. */
static int next_wish(struct apk_pool *pool, const struct wishes *wishes, const bool *done, struct apk_request *out,
		     size_t *out_at, struct xb_arena *arena, struct xb_err *err)
{
	size_t fewest = SIZE_MAX;
	*out_at = wishes->len;
	for (size_t i = 0; i < wishes->len; i++) {
		if (done[i])
			continue;
		struct apk_request r = apk_wish_request(pool, &wishes->items[i]);
		size_t n = apk_count(pool, &r);
		if (n == 0)
			return refuse_wish(pool, &r, arena, err);
		if (n < fewest) {
			fewest = n;
			*out = r;
			*out_at = i;
		}
	}
	return 0;
}

/* A package for every wish, before any dependency is looked at. */
static int choose_tops(struct apk_pool *pool, const struct wishes *wishes, struct xb_arena *arena, struct xb_err *err)
{
	bool *done = xb_arena_array(arena, wishes->len, sizeof(*done));
	for (size_t i = 0; i < wishes->len; i++) {
		const struct xb_apk_relation *w = &wishes->items[i];
		(void)apk_constrain(pool, w, apk_id(pool, xb_apk_relation_name(w)), APK_NONE);
		done[i] = w->conflict;
	}
	for (;;) {
		struct apk_request r = {0};
		size_t at;
		int rc = next_wish(pool, wishes, done, &r, &at, arena, err);
		if (rc < 0)
			return rc;
		if (at == wishes->len)
			return 0;
		uint32_t p = apk_best(pool, &r, false);
		set_top(pool, p);
		done[at] = true;
		apk_put_out_rivals(pool, p);
	}
}

/* ---- install_if ---- */

static void add(struct apk_pool *pool, uint32_t package)
{
	struct apk_mark *m = &pool->added[pool->facts[package].name];
	if (m->run == pool->wish)
		return;
	*m = (struct apk_mark){.run = pool->wish, .package = package};
	XB_VEC_PUSH(&pool->added_list, package);
}

/* Condition number i of a package: a name, or a name and exactly this version. */
static bool is_condition_met(const struct apk_pool *pool, uint32_t package, size_t i, uint32_t *out_by)
{
	const struct xb_apk_relation *r = &pool->packages[package]->install_if.items[i];
	const struct apk_mark *m = &pool->added[pool->ids_of.items[pool->facts[package].install_if_at + i]];
	if (r->conflict || m->run != pool->wish)
		return false;
	*out_by = m->package;
	return r->version_len == 0 ||
	       xb_sv_eq_str(xb_sv_n(r->text + r->version_at, r->version_len), pool->packages[m->package]->version);
}

static void try_install_if(struct apk_pool *pool, uint32_t package, uint32_t by)
{
	const struct xb_apk_relations *conditions = &pool->packages[package]->install_if;
	struct apk_request any = {.prefer_tag = pool->tag, .allow_tag = "", .installed = APK_NONE};
	const char *relation = "";
	if (apk_is_out(pool, package) || !apk_tag_fits(pool, &any, package))
		return;
	for (size_t i = 0; i < conditions->len; i++) {
		uint32_t met_by = APK_NONE;
		if (!is_condition_met(pool, package, i, &met_by))
			return;
		if (met_by == by)
			relation = conditions->items[i].text;
	}
	add(pool, package);
	if (pool->reason[package].run != pool->run)
		pool->reason[package] =
			(struct apk_reason){.run = pool->run, .why = XB_APK_INSTALL_IF, .relation = relation, .by = by};
}

/* Looks at what is added on the way too. The dependencies of what comes so are not walked, as in apko. */
static void add_install_if(struct apk_pool *pool)
{
	for (size_t i = 0; i < pool->added_list.len; i++) {
		uint32_t by = pool->added_list.items[i];
		struct apk_span span = pool->conditions[pool->facts[by].name];
		if (span.len == 0)
			span = pool->conditions[pool->facts[by].exact];
		for (uint32_t k = 0; k < span.len; k++)
			try_install_if(pool, pool->condition_list[span.at + k], by);
	}
}

/* ---- a run ---- */

static void append_result(struct apk_pool *pool, uint32_t package)
{
	struct apk_mark *m = &pool->installed[pool->facts[package].name];
	if (m->run == pool->run)
		return;
	*m = (struct apk_mark){.run = pool->run, .package = package};
	XB_VEC_PUSH(&pool->result, package);
	if (pool->top[pool->facts[package].name].run != pool->run)
		set_top(pool, package);
}

static void begin_wish(struct apk_pool *pool, const struct xb_apk_relation *wish, uint32_t package)
{
	pool->wish++;
	pool->tag = xb_apk_relation_tag(wish);
	pool->pending.len = pool->added_list.len = 0;
	for (size_t i = 0; i < pool->top_list.len; i++) {
		uint32_t p = pool->top[pool->top_list.items[i]].package;
		if (pool->facts[p].origin)
			pool->origins[pool->facts[p].origin] = (struct apk_mark){.run = pool->wish, .package = p};
	}
	/* That it is wanted says more than what else needs it. */
	pool->reason[package] =
		(struct apk_reason){.run = pool->run, .why = XB_APK_WISH, .relation = wish->text, .by = APK_NONE};
}

static int resolve_wish(struct apk_pool *pool, const struct xb_apk_relation *wish, struct xb_arena *arena,
			struct xb_err *err)
{
	struct apk_request r = apk_wish_request(pool, wish);
	uint32_t package = apk_best(pool, &r, false);
	if (package == APK_NONE)
		return refuse_wish(pool, &r, arena, err);
	begin_wish(pool, wish, package);
	int rc = apk_walk(pool, package, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < pool->walked.len; i++)
		add(pool, pool->walked.items[i]);
	add_install_if(pool);
	for (size_t i = 0; i < pool->added_list.len; i++)
		append_result(pool, pool->added_list.items[i]);
	append_result(pool, package);
	return 0;
}

static int run_pool(struct apk_pool *pool, const struct wishes *wishes, struct xb_arena *arena, struct xb_err *err)
{
	pool->run++;
	pool->steps = MAX_STEPS;
	pool->top_list.len = pool->result.len = 0;
	int rc = choose_tops(pool, wishes, arena, err);
	for (size_t i = 0; rc == 0 && i < wishes->len; i++)
		if (!wishes->items[i].conflict)
			rc = resolve_wish(pool, &wishes->items[i], arena, err);
	return rc < 0 ? rc : apk_check(pool, err);
}

/* The highest version of the name that only the missing of another architecture kept away. */
static void find_held_back(const struct apk_pool *pool, uint32_t package, struct xb_apk_chosen *out)
{
	struct apk_span all = pool->providers[pool->facts[package].name];
	const struct xb_apk_package *best = pool->packages[package];
	for (uint32_t i = 0; i < all.len; i++) {
		uint32_t k = pool->provider_list[all.at + i];
		const struct xb_apk_package *p = pool->packages[k];
		if (!pool->facts[k].missing_on || pool->facts[k].name != pool->facts[package].name ||
		    pool->out[k].run == pool->run || strcmp(p->repository->tag, out->package->repository->tag) != 0 ||
		    xb_apk_version_compare(&p->parsed, &best->parsed) <= 0)
			continue;
		best = out->newer = p;
		out->missing_on = pool->facts[k].missing_on;
	}
}

static void give_result(const struct apk_pool *pool, struct xb_arena *arena, struct xb_apk_solution *out)
{
	out->arch = pool->arch;
	out->items = xb_arena_array(arena, pool->result.len, sizeof(*out->items));
	out->len = pool->result.len;
	for (size_t i = 0; i < out->len; i++) {
		uint32_t p = pool->result.items[i];
		const struct apk_reason *reason = &pool->reason[p];
		out->items[i] = (struct xb_apk_chosen){
			.package = pool->packages[p],
			.why = reason->why,
			.relation = reason->relation,
			.by = reason->by == APK_NONE ? NULL : pool->packages[reason->by],
		};
		find_held_back(pool, p, &out->items[i]);
	}
}

int xb_apk_resolver_run(struct xb_apk_resolver *resolver, const struct xb_list *list, struct xb_arena *arena,
			struct xb_apk_solution **out, struct xb_err *err)
{
	struct wishes wishes = {0};
	struct xb_apk_solution *solutions = xb_arena_array(arena, resolver->n_pools, sizeof(*solutions));
	int rc = parse_wishes(list, arena, &wishes, err);
	for (size_t i = 0; rc == 0 && i < resolver->n_pools; i++) {
		rc = run_pool(&resolver->pools[i], &wishes, arena, err);
		if (rc == 0)
			give_result(&resolver->pools[i], arena, &solutions[i]);
	}
	if (rc == 0)
		*out = solutions;
	return rc;
}

static const struct xb_apk_chosen *find_chosen(const struct xb_apk_solution *solution, const char *name)
{
	for (size_t i = 0; i < solution->len; i++)
		if (strcmp(solution->items[i].package->name, name) == 0)
			return &solution->items[i];
	return NULL;
}

bool xb_apk_solution_why(const struct xb_apk_solution *solution, const char *name, struct xb_str *out)
{
	const struct xb_apk_chosen *c = find_chosen(solution, name);
	if (!c)
		return false;
	apk_append_file(out, c->package);
	/* Two versions of a name can be in the reasons, and one in the result: a bound, so that no such pair makes a circle. */
	for (size_t n = 0; c && n <= solution->len; n++) {
		apk_append_link(out, n == 0, c->why, c->relation, c->by);
		c = c->by ? find_chosen(solution, c->by->name) : NULL;
	}
	return true;
}
