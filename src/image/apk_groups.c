/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "apk_layers.h"
#include "xbuild/pkg/apk_relation.h"

/* Which group a package is in: the smallest index of a package in it. */
struct grouping {
	struct xb_apk *const *packages;
	size_t n;
	size_t *group; /* by package */
};

static void merge(struct grouping *g, size_t a, size_t b)
{
	const size_t from = a > b ? a : b, to = a > b ? b : a;

	for (size_t i = 0; i < g->n; i++) {
		if (g->group[i] == from)
			g->group[i] = to;
	}
}

/* Is package i one that the relation ("name", "name<2") of a `replaces` means? */
static bool is_meant(const struct xb_apk *apk, const struct xb_apk_relation *r)
{
	struct xb_apk_version actual, wanted;

	if (!xb_sv_eq_str(xb_apk_relation_name(r), apk->info.name))
		return false;
	if (r->op == XB_APK_ANY)
		return true;
	xb_apk_relation_version(r, &wanted);
	return xb_apk_version_parse(xb_sv(apk->info.version), &actual) && wanted.valid &&
	       xb_apk_version_satisfies(&actual, (enum xb_apk_op)r->op, &wanted);
}

static void merge_replaced(struct grouping *g, size_t package)
{
	const struct xb_list *replaces = &g->packages[package]->info.replaces;

	for (size_t i = 0; i < replaces->len; i++) {
		struct xb_apk_relation relation;

		xb_apk_relation_parse(replaces->items[i], &relation);
		for (size_t k = 0; k < g->n; k++) {
			if (g->group[k] != g->group[package] && is_meant(g->packages[k], &relation))
				merge(g, g->group[k], g->group[package]);
		}
	}
}

static int compare_groups(const void *a, const void *b)
{
	const struct apk_group *one = a, *two = b;

	if (one->size_bytes != two->size_bytes)
		return one->size_bytes > two->size_bytes ? -1 : 1;
	return strcmp(one->last, two->last);
}

static void add_package(struct apk_group *group, const struct xb_apk *apk, size_t index)
{
	group->packages[group->len++] = index;
	group->size_bytes += apk->info.installed_bytes;
	if (!group->last || strcmp(group->last, apk->info.name) < 0)
		group->last = apk->info.name;
}

/* By insertion: a group has its packages by name. */
static void sort_packages(const struct grouping *g, struct apk_group *group)
{
	for (size_t i = 1; i < group->len; i++) {
		const size_t index = group->packages[i];
		size_t k = i;

		for (;
		     k > 0 && strcmp(g->packages[group->packages[k - 1]]->info.name, g->packages[index]->info.name) > 0;
		     k--)
			group->packages[k] = group->packages[k - 1];
		group->packages[k] = index;
	}
}

void apk_group_packages(struct xb_arena *arena, struct xb_apk *const *packages, size_t n_packages, size_t budget,
			struct apk_groups *out)
{
	struct grouping g = {packages, n_packages, xb_arena_array(arena, n_packages, sizeof(size_t))};
	struct apk_group *groups = xb_arena_array(arena, n_packages, sizeof(*groups));
	size_t len = 0;

	for (size_t i = 0; i < n_packages; i++) {
		g.group[i] = i;
		for (size_t k = 0; k < i && g.group[i] == i; k++) {
			if (strcmp(packages[k]->info.origin, packages[i]->info.origin) == 0)
				g.group[i] = g.group[k];
		}
	}
	for (size_t i = 0; i < n_packages; i++)
		merge_replaced(&g, i);
	for (size_t i = 0; i < n_packages; i++) {
		if (g.group[i] != i)
			continue;
		groups[len].packages = xb_arena_array(arena, n_packages, sizeof(size_t));
		for (size_t k = i; k < n_packages; k++) {
			if (g.group[k] == i)
				add_package(&groups[len], packages[k], k);
		}
		len++;
	}
	if (len)
		qsort(groups, len, sizeof(*groups), compare_groups);
	if (len > budget) {
		struct apk_group *rest = &groups[budget ? budget - 1 : 0];

		for (struct apk_group *g2 = rest + 1; g2 < groups + len; g2++) {
			for (size_t k = 0; k < g2->len; k++)
				add_package(rest, packages[g2->packages[k]], g2->packages[k]);
		}
		len = budget ? budget : 1;
	}
	for (size_t i = 0; i < len; i++)
		sort_packages(&g, &groups[i]);
	*out = (struct apk_groups){groups, len};
}
