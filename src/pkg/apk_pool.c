/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the apk resolver: made once, read by every run. */
#include "apk_pool.h"

#include <stdlib.h>

#include "xbuild/base/alloc.h"

uint32_t apk_id(const struct apk_pool *pool, struct xb_sv text)
{
	return (uint32_t)(uintptr_t)xb_map_get(&pool->ids, text);
}

const char *apk_id_text(const struct apk_pool *pool, uint32_t id)
{
	return pool->ids.entries[id - 1].key;
}

static uint32_t intern(struct apk_pool *pool, struct xb_sv text)
{
	uint32_t id = apk_id(pool, text);
	if (id == 0) {
		id = (uint32_t)pool->ids.len + 1;
		(void)xb_map_put(&pool->ids, text, (void *)(uintptr_t)id); /* a number, not a pointer */
	}
	return id;
}

static uint32_t intern_names(struct apk_pool *pool, const struct xb_apk_relations *list)
{
	uint32_t at = (uint32_t)pool->ids_of.len;
	for (size_t i = 0; i < list->len; i++)
		XB_VEC_PUSH(&pool->ids_of, intern(pool, xb_apk_relation_name(&list->items[i])));
	return at;
}

static void add_package(struct apk_pool *pool, const struct xb_apk_package *p)
{
	struct apk_facts *f = &pool->facts[pool->n_packages];
	pool->packages[pool->n_packages++] = p;
	f->name = intern(pool, xb_sv(p->name));
	f->origin = *p->origin ? intern(pool, xb_sv(p->origin)) : 0;
	f->depends_at = intern_names(pool, &p->depends);
	f->provides_at = intern_names(pool, &p->provides);
	f->install_if_at = intern_names(pool, &p->install_if);
	for (size_t i = 0; i < p->install_if.len; i++)
		(void)intern(pool, xb_sv(p->install_if.items[i].text));
}

static void find_exact_ids(struct apk_pool *pool)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	for (uint32_t i = 0; i < pool->n_packages; i++) {
		xb_str_reset(&text);
		(void)xb_str_printf(&text, "%s=%s", pool->packages[i]->name, pool->packages[i]->version);
		pool->facts[i].exact = apk_id(pool, xb_str_sv(&text));
	}
}

/* Calls visit for every pair of an id and a package that has it, in the order in which candidates are to stand. */
static void each_name(struct apk_pool *pool, void (*visit)(struct apk_pool *, uint32_t id, uint32_t package))
{
	for (uint32_t i = 0; i < pool->n_packages; i++)
		visit(pool, pool->facts[i].name, i);
	for (uint32_t i = 0; i < pool->n_packages; i++)
		for (size_t k = 0; k < pool->packages[i]->provides.len; k++)
			visit(pool, pool->ids_of.items[pool->facts[i].provides_at + k], i);
}

static void each_condition(struct apk_pool *pool, void (*visit)(struct apk_pool *, uint32_t id, uint32_t package))
{
	for (uint32_t i = 0; i < pool->n_packages; i++)
		for (size_t k = 0; k < pool->packages[i]->install_if.len; k++)
			visit(pool, apk_id(pool, xb_sv(pool->packages[i]->install_if.items[k].text)), i);
}

static void count_provider(struct apk_pool *pool, uint32_t id, uint32_t package)
{
	(void)package;
	pool->providers[id].len++;
}

static void put_provider(struct apk_pool *pool, uint32_t id, uint32_t package)
{
	struct apk_span *span = &pool->providers[id];
	pool->provider_list[span->at + span->len++] = package;
}

static void count_condition(struct apk_pool *pool, uint32_t id, uint32_t package)
{
	(void)package;
	pool->conditions[id].len++;
}

static void put_condition(struct apk_pool *pool, uint32_t id, uint32_t package)
{
	struct apk_span *span = &pool->conditions[id];
	pool->condition_list[span->at + span->len++] = package;
}

/* Turns the counted lengths into places; the lengths are 0 again. Returns the list that they point into. */
static uint32_t *lay_out(struct apk_span *spans, size_t n)
{
	uint32_t at = 0;
	for (size_t i = 0; i < n; i++) {
		spans[i].at = at;
		at += spans[i].len;
		spans[i].len = 0;
	}
	return xb_realloc_array(NULL, at ? at : 1, sizeof(uint32_t));
}

static void *zeroed(size_t count, size_t size)
{
	return xb_alloc(count * size); /* counts are bounded by XB_MAX_APK_RELATIONS */
}

static void make_lists(struct apk_pool *pool)
{
	size_t n = pool->ids.len + 1;
	pool->providers = zeroed(n, sizeof(*pool->providers));
	pool->conditions = zeroed(n, sizeof(*pool->conditions));
	each_name(pool, count_provider);
	pool->provider_list = lay_out(pool->providers, n);
	each_name(pool, put_provider);
	each_condition(pool, count_condition);
	pool->condition_list = lay_out(pool->conditions, n);
	each_condition(pool, put_condition);
}

static void make_state(struct apk_pool *pool)
{
	size_t n = pool->ids.len + 1;
	pool->out = zeroed(pool->n_packages, sizeof(*pool->out));
	pool->reason = zeroed(pool->n_packages, sizeof(*pool->reason));
	pool->selected = zeroed(n, sizeof(*pool->selected));
	pool->top = zeroed(n, sizeof(*pool->top));
	pool->installed = zeroed(n, sizeof(*pool->installed));
	pool->existing = zeroed(n, sizeof(*pool->existing));
	pool->origins = zeroed(n, sizeof(*pool->origins));
	pool->added = zeroed(n, sizeof(*pool->added));
	pool->on_path = zeroed(n, sizeof(*pool->on_path));
}

void apk_pool_make(struct apk_pool *pool, const struct xb_apk_arch *arch)
{
	size_t n = 0;
	for (size_t i = 0; i < arch->n_indexes; i++)
		n += arch->indexes[i]->n_packages;
	pool->arch = arch->name;
	pool->packages = zeroed(n, sizeof(const struct xb_apk_package *));
	pool->facts = zeroed(n, sizeof(*pool->facts));
	for (size_t i = 0; i < arch->n_indexes; i++)
		for (size_t k = 0; k < arch->indexes[i]->n_packages; k++)
			add_package(pool, &arch->indexes[i]->packages[k]);
	find_exact_ids(pool);
	make_lists(pool);
	make_state(pool);
}

void apk_pool_release(struct apk_pool *pool)
{
	void *const owned[] = {
		pool->packages,	      pool->facts,    pool->providers, pool->conditions, pool->provider_list,
		pool->condition_list, pool->out,      pool->reason,    pool->selected,	 pool->top,
		pool->installed,      pool->existing, pool->origins,   pool->added,	 pool->on_path};
	for (size_t i = 0; i < XB_COUNT(owned); i++)
		free(owned[i]);
	xb_map_release(&pool->ids);
	XB_VEC_RELEASE(&pool->ids_of);
	XB_VEC_RELEASE(&pool->top_list);
	XB_VEC_RELEASE(&pool->result);
	XB_VEC_RELEASE(&pool->walked);
	XB_VEC_RELEASE(&pool->added_list);
	XB_VEC_RELEASE(&pool->pending);
	*pool = (struct apk_pool){0};
}
