/* SPDX-License-Identifier: Apache-2.0 */
/* Candidates for a wish or a dependency. The rules and their order are apko's: pkg/apk/apk/repo.go. */
#include <string.h>

#include "apk_pool.h"

static const struct xb_apk_package *package_of(const struct apk_pool *pool, uint32_t package)
{
	return pool->packages[package];
}

/* The id of the name in provide number i. */
static uint32_t provide_name(const struct apk_pool *pool, uint32_t package, size_t i)
{
	return pool->ids_of.items[pool->facts[package].provides_at + i];
}

bool apk_is_out(const struct apk_pool *pool, uint32_t package)
{
	return pool->facts[package].missing_on || pool->out[package].run == pool->run;
}

static void put_out(struct apk_pool *pool, uint32_t package, enum apk_refusal kind, uint32_t who,
		    const struct xb_apk_relation *relation)
{
	if (pool->out[package].run != pool->run)
		pool->out[package] = (struct apk_out){.run = pool->run, .kind = kind, .who = who, .relation = relation};
}

struct apk_request apk_wish_request(const struct apk_pool *pool, const struct xb_apk_relation *relation)
{
	struct apk_request r = {.relation = relation,
				.name = apk_id(pool, xb_apk_relation_name(relation)),
				.prefer_tag = xb_apk_relation_tag(relation),
				.allow_tag = "",
				.installed = APK_NONE};
	if (relation->op != XB_APK_ANY)
		xb_apk_relation_version(relation, &r.version);
	return r;
}

/* ---- which are left ---- */

static bool is_same_file(const struct xb_apk_package *a, const struct xb_apk_package *b)
{
	return strcmp(a->version, b->version) == 0 && strcmp(a->name, b->name) == 0 &&
	       strcmp(a->repository->url, b->repository->url) == 0;
}

bool apk_tag_fits(const struct apk_pool *pool, const struct apk_request *request, uint32_t package)
{
	const struct xb_apk_package *p = package_of(pool, package);
	const char *tag = p->repository->tag;
	if (!*tag || strcmp(tag, request->prefer_tag) == 0 || strcmp(tag, request->allow_tag) == 0)
		return true;
	return request->installed != APK_NONE && is_same_file(p, package_of(pool, request->installed));
}

/* A trap of apko's: the version of any provide will do, not only that of the name. apk_constrain mends most of it. */
static bool version_fits(const struct apk_pool *pool, const struct apk_request *request, uint32_t package)
{
	const struct xb_apk_package *p = package_of(pool, package);
	enum xb_apk_op op = (enum xb_apk_op)request->relation->op;
	if (xb_apk_version_satisfies(&p->parsed, op, &request->version))
		return true;
	for (size_t i = 0; i < p->provides.len; i++) {
		struct xb_apk_version v;
		if (p->provides.items[i].version_len == 0)
			continue;
		xb_apk_relation_version(&p->provides.items[i], &v);
		if (xb_apk_version_satisfies(&v, op, &request->version))
			return true;
	}
	return false;
}

static bool is_left(const struct apk_pool *pool, const struct apk_request *request, uint32_t package)
{
	return !apk_is_out(pool, package) && apk_tag_fits(pool, request, package) &&
	       (request->relation->op == XB_APK_ANY || version_fits(pool, request, package));
}

void apk_count_steps(struct apk_pool *pool, size_t n)
{
	pool->steps -= n < pool->steps ? n : pool->steps;
}

size_t apk_count(struct apk_pool *pool, const struct apk_request *request)
{
	struct apk_span all = pool->providers[request->name];
	size_t n = 0;
	apk_count_steps(pool, all.len + 1);
	for (uint32_t i = 0; i < all.len; i++)
		n += is_left(pool, request, pool->provider_list[all.at + i]);
	return n;
}

/* ---- which is best ---- */

/* The version that a package has under the name; NULL when it has the name without a version. */
static const char *version_under(const struct apk_pool *pool, uint32_t package, uint32_t name,
				 struct xb_apk_version *out)
{
	const struct xb_apk_package *p = package_of(pool, package);
	if (pool->facts[package].name == name) {
		*out = p->parsed;
		return p->version;
	}
	for (size_t i = 0; i < p->provides.len; i++) {
		const struct xb_apk_relation *r = &p->provides.items[i];
		if (provide_name(pool, package, i) != name)
			continue;
		xb_apk_relation_version(r, out);
		return r->version_len ? r->text + r->version_at : NULL;
	}
	return NULL;
}

/* What is true of a alone is -1, of b alone 1. */
static int prefer(bool a, bool b)
{
	return (int)b - (int)a;
}

static bool is_existing(const struct apk_pool *pool, uint32_t package)
{
	uint32_t name = pool->facts[package].name;
	const struct apk_mark *m = &pool->existing[name];
	uint32_t other = m->run == pool->wish		    ? m->package
			 : pool->top[name].run == pool->run ? pool->top[name].package
							    : APK_NONE;
	return other != APK_NONE && strcmp(package_of(pool, other)->version, package_of(pool, package)->version) == 0;
}

static bool is_of_known_origin(const struct apk_pool *pool, uint32_t package)
{
	uint32_t origin = pool->facts[package].origin;
	const struct apk_mark *m = &pool->origins[origin];
	return origin && m->run == pool->wish &&
	       strcmp(package_of(pool, m->package)->version, package_of(pool, package)->version) == 0;
}

static int compare_under(const struct apk_pool *pool, uint32_t a, uint32_t b, uint32_t name)
{
	struct xb_apk_version va = {0}, vb = {0};
	const char *ta = version_under(pool, a, name, &va), *tb = version_under(pool, b, name, &vb);
	return ta && tb ? -xb_apk_version_compare(&va, &vb) : 0;
}

/* Below 0 when a is better. The first difference decides. */
static int compare(const struct apk_pool *pool, uint32_t a, uint32_t b, const struct apk_request *request, bool in_walk)
{
	const struct xb_apk_package *pa = package_of(pool, a), *pb = package_of(pool, b);
	int c = 0;
	if (in_walk)
		c = prefer(is_existing(pool, a), is_existing(pool, b));
	if (c == 0 && in_walk)
		c = prefer(is_of_known_origin(pool, a), is_of_known_origin(pool, b));
	if (c == 0)
		c = prefer(strcmp(pa->repository->tag, request->prefer_tag) == 0,
			   strcmp(pb->repository->tag, request->prefer_tag) == 0);
	if (c == 0)
		c = compare_under(pool, a, b, request->name);
	if (c == 0 && pool->facts[a].name == pool->facts[b].name)
		c = -xb_apk_version_compare(&pa->parsed, &pb->parsed);
	if (c == 0)
		c = prefer(pa->provider_priority > pb->provider_priority,
			   pb->provider_priority > pa->provider_priority);
	if (c == 0)
		c = -xb_apk_version_compare(&pa->parsed, &pb->parsed);
	return c ? c : strcmp(pa->name, pb->name);
}

uint32_t apk_best(struct apk_pool *pool, const struct apk_request *request, bool in_walk)
{
	struct apk_span all = pool->providers[request->name];
	uint32_t best = APK_NONE;
	apk_count_steps(pool, all.len + 1);
	for (uint32_t i = 0; i < all.len; i++) {
		uint32_t p = pool->provider_list[all.at + i];
		if (is_left(pool, request, p) && (best == APK_NONE || compare(pool, p, best, request, in_walk) < 0))
			best = p;
	}
	return best;
}

/* ---- which are out ---- */

static void exclude(struct apk_pool *pool, const struct xb_apk_relation *relation, uint32_t name, uint32_t who)
{
	struct apk_request r = apk_wish_request(pool, relation);
	struct apk_span all = pool->providers[name];
	for (uint32_t i = 0; i < all.len; i++) {
		uint32_t p = pool->provider_list[all.at + i];
		if (is_left(pool, &r, p))
			put_out(pool, p, APK_EXCLUDED, who, relation);
	}
}

/* Is there a version that the package has under the name and that does not satisfy the relation? */
static bool contradicts(const struct apk_pool *pool, uint32_t package, const struct xb_apk_relation *relation,
			uint32_t name, const struct xb_apk_version *wanted)
{
	const struct xb_apk_package *p = package_of(pool, package);
	if (pool->facts[package].name == name)
		return !xb_apk_version_satisfies(&p->parsed, (enum xb_apk_op)relation->op, wanted);
	for (size_t i = 0; i < p->provides.len; i++) {
		struct xb_apk_version v;
		if (provide_name(pool, package, i) != name || p->provides.items[i].version_len == 0)
			continue;
		xb_apk_relation_version(&p->provides.items[i], &v);
		if (!xb_apk_version_satisfies(&v, (enum xb_apk_op)relation->op, wanted))
			return true;
	}
	return false;
}

bool apk_constrain(struct apk_pool *pool, const struct xb_apk_relation *relation, uint32_t name, uint32_t who)
{
	struct apk_span all = pool->providers[name];
	struct xb_apk_version wanted = {0};
	apk_count_steps(pool, all.len + 1);
	if (relation->conflict) {
		exclude(pool, relation, name, who);
		return true;
	}
	if (relation->op == XB_APK_ANY || all.len == 0)
		return true;
	xb_apk_relation_version(relation, &wanted);
	if (!wanted.valid)
		return false;
	for (uint32_t i = 0; i < all.len; i++) {
		uint32_t p = pool->provider_list[all.at + i];
		if (contradicts(pool, p, relation, name, &wanted))
			put_out(pool, p, APK_VERSION, who, relation);
	}
	return true;
}

/* A name with a version belongs to one package; a virtual one to all that have it without. */
static bool is_rival(const struct apk_pool *pool, uint32_t package, uint32_t name, bool versioned)
{
	const struct xb_apk_package *p = package_of(pool, package);
	if (versioned || pool->facts[package].name == name)
		return true;
	for (size_t i = 0; i < p->provides.len; i++)
		if (provide_name(pool, package, i) == name)
			return p->provides.items[i].version_len > 0;
	return true;
}

void apk_put_out_rivals(struct apk_pool *pool, uint32_t package)
{
	const struct xb_apk_package *p = package_of(pool, package);
	for (size_t i = 0; i < p->provides.len; i++) {
		uint32_t name = provide_name(pool, package, i);
		struct apk_span all = pool->providers[name];
		bool versioned = p->provides.items[i].version_len > 0;
		apk_count_steps(pool, all.len);
		for (uint32_t k = 0; k < all.len; k++) {
			uint32_t other = pool->provider_list[all.at + k];
			if (other != package && !apk_is_out(pool, other) && is_rival(pool, other, name, versioned))
				put_out(pool, other, APK_CONFLICT, package, &p->provides.items[i]);
		}
	}
}
