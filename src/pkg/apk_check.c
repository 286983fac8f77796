/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is the result what its packages ask for? The search never goes back: it can choose x-2 for one package, learn from the
 * next that only x<2 will do, and choose x-1 beside it, of which one is installed. apko leaves it at that.
 */
#include "apk_pool.h"

static bool is_in_result(const struct apk_pool *pool, uint32_t package)
{
	const struct apk_mark *m = &pool->installed[pool->facts[package].name];
	return m->run == pool->run && m->package == package;
}

/* Does the package have the name in a version that fits? One without a version has that of its package, as in apko. */
static bool has(const struct apk_pool *pool, uint32_t package, uint32_t name, const struct xb_apk_relation *relation,
		const struct xb_apk_version *wanted)
{
	const struct xb_apk_package *p = pool->packages[package];
	enum xb_apk_op op = (enum xb_apk_op)relation->op;
	if (op == XB_APK_ANY)
		return true;
	if (pool->facts[package].name == name && xb_apk_version_satisfies(&p->parsed, op, wanted))
		return true;
	for (size_t i = 0; i < p->provides.len; i++) {
		struct xb_apk_version v = p->parsed;
		if (pool->ids_of.items[pool->facts[package].provides_at + i] != name)
			continue;
		if (p->provides.items[i].version_len > 0)
			xb_apk_relation_version(&p->provides.items[i], &v);
		if (xb_apk_version_satisfies(&v, op, wanted))
			return true;
	}
	return false;
}

/* A package of the result that has the name, other than `who`: one that fits, else any (*out_fits tells). */
static uint32_t find(struct apk_pool *pool, uint32_t who, uint32_t name, const struct xb_apk_relation *relation,
		     bool *out_fits)
{
	struct apk_span all = pool->providers[name];
	struct xb_apk_version wanted = {0};
	uint32_t found = APK_NONE;
	*out_fits = false;
	if (relation->op != XB_APK_ANY)
		xb_apk_relation_version(relation, &wanted);
	apk_count_steps(pool, all.len + 1);
	for (uint32_t i = 0; i < all.len && !*out_fits; i++) {
		uint32_t p = pool->provider_list[all.at + i];
		if (p == who || !is_in_result(pool, p))
			continue;
		found = p;
		*out_fits = has(pool, p, name, relation, &wanted);
	}
	return found;
}

/* What a package provides itself it does not need from others, in whatever version: apko's rule. */
static bool has_itself(const struct apk_pool *pool, uint32_t package, uint32_t name)
{
	const struct xb_apk_package *p = pool->packages[package];
	for (size_t i = 0; i < p->provides.len; i++)
		if (pool->ids_of.items[pool->facts[package].provides_at + i] == name)
			return true;
	return pool->facts[package].name == name;
}

static int check_relation(struct apk_pool *pool, uint32_t package, uint32_t i, struct xb_err *err)
{
	const struct xb_apk_relation *r = &pool->packages[package]->depends.items[i];
	uint32_t name = pool->ids_of.items[pool->facts[package].depends_at + i];
	bool fits = false;
	uint32_t other = find(pool, package, name, r, &fits);
	if (pool->steps == 0)
		return apk_refuse_package(pool, package, err, "the dependencies take too many steps");
	if (r->conflict && fits)
		return apk_refuse_package(pool, package, err,
					  "it excludes '%s', and %s-%s was chosen before that was seen", r->text + 1,
					  pool->packages[other]->name, pool->packages[other]->version);
	/* What install_if brings is not walked, so it may lack something: apko's rule too. */
	if (r->conflict || fits || has_itself(pool, package, name) || pool->reason[package].why == XB_APK_INSTALL_IF)
		return 0;
	if (other == APK_NONE)
		return apk_refuse_package(pool, package, err, "it needs '%s', which was chosen and replaced", r->text);
	(void)apk_refuse_package(pool, package, err, "it needs '%s', and %s-%s was chosen before that was seen",
				 r->text, pool->packages[other]->name, pool->packages[other]->version);
	return xb_hint(err, "add '%s' to the packages that are wanted: wishes are looked at first", r->text);
}

int apk_check(struct apk_pool *pool, struct xb_err *err)
{
	for (size_t i = 0; i < pool->result.len; i++) {
		uint32_t p = pool->result.items[i];
		for (uint32_t k = 0; k < pool->packages[p]->depends.len; k++) {
			int rc = check_relation(pool, p, k, err);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}
