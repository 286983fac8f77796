/* SPDX-License-Identifier: Apache-2.0 */
/* Which packages of a set are there for which others. */
#include <stdlib.h>
#include <string.h>

#include "base_apko.h"
#include "xbuild/base/map.h"

struct xb_apk_relations apko_relations(const struct xb_list *texts, struct xb_arena *arena)
{
	struct xb_apk_relation *items;
	size_t room = 0, n = 0;

	for (size_t i = 0; i < texts->len; i++)
		room += strlen(texts->items[i]) / 2 + 1;
	items = xb_arena_array(arena, room, sizeof(*items));
	for (size_t i = 0; i < texts->len; i++) {
		struct xb_sv rest = xb_sv(texts->items[i]);

		while (rest.ptr) {
			const struct xb_sv word = xb_sv_cut(&rest, ' ');

			if (word.len)
				xb_apk_relation_parse(xb_arena_sv(arena, word), &items[n++]);
		}
	}
	return (struct xb_apk_relations){items, n};
}

/* Names and what is provided, to the package of the set that has it; own names go first. */
static void map_providers(struct apko_said *said, size_t n, struct xb_map *out)
{
	for (size_t i = 0; i < n; i++)
		xb_map_put_str(out, said[i].name, &said[i]);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < said[i].provides.len; k++) {
			const struct xb_sv name = xb_apk_relation_name(&said[i].provides.items[k]);

			if (!xb_map_has(out, name))
				xb_map_put(out, name, &said[i]);
		}
	}
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of the packages that meet the relations of another one, sorted and each once. Returns how many. */
static size_t put_names(const struct xb_apk_relations *relations, const struct apko_said *of,
			const struct xb_map *providers, struct xb_arena *arena, const char ***out)
{
	const char **names = xb_arena_array(arena, relations->len, sizeof(*names));
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < relations->len; i++) {
		const struct xb_apk_relation *relation = &relations->items[i];
		const struct apko_said *met =
			relation->conflict ? NULL : xb_map_get(providers, xb_apk_relation_name(relation));

		if (met && met != of)
			names[n++] = xb_arena_strdup(arena, met->name);
	}
	if (n)
		qsort(names, n, sizeof(*names), compare_texts);
	for (size_t i = 0; i < n; i++) {
		if (!kept || strcmp(names[i], names[kept - 1]) != 0)
			names[kept++] = names[i];
	}
	*out = names;
	return kept;
}

static bool is_met(const struct xb_apk_relations *relations, const struct xb_map *providers)
{
	for (size_t i = 0; i < relations->len; i++) {
		const struct xb_apk_relation *relation = &relations->items[i];

		if (relation->conflict || !xb_map_has(providers, xb_apk_relation_name(relation)))
			return false; /* a conflict is never met: pkg/apk_solve, as in apko */
	}
	return relations->len > 0;
}

/* A lock of apko does not tell what led to a package: of these nothing else can have. */
static void find_added(struct apko_said *said, const struct xb_lock_apk *packages, size_t n,
		       const struct xb_words *wishes, const struct xb_map *providers)
{
	struct xb_map needed XB_CLEANUP(xb_map_release) = {0};

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < packages[i].n_depends; k++)
			xb_map_put_str(&needed, packages[i].depends[k], said);
	}
	for (size_t i = 0; i < wishes->len; i++) {
		struct xb_apk_relation wish;
		const struct apko_said *met;

		xb_apk_relation_parse(wishes->items[i], &wish);
		met = xb_map_get(providers, xb_apk_relation_name(&wish));
		if (met)
			xb_map_put_str(&needed, met->name, said);
	}
	for (size_t i = 0; i < n; i++)
		said[i].is_added = is_met(&said[i].install_if, providers) && !xb_map_has(&needed, xb_sv(said[i].name));
}

void apko_link(struct apko_said *said, struct xb_lock_apk *packages, size_t n, const struct xb_words *wishes,
	       struct xb_arena *arena)
{
	struct xb_map providers XB_CLEANUP(xb_map_release) = {0};

	map_providers(said, n, &providers);
	for (size_t i = 0; i < n; i++)
		packages[i].n_depends = put_names(&said[i].depends, &said[i], &providers, arena, &packages[i].depends);
	if (wishes)
		find_added(said, packages, n, wishes, &providers);
	for (size_t i = 0; i < n; i++) {
		if (said[i].is_added)
			packages[i].n_install_if =
				put_names(&said[i].install_if, &said[i], &providers, arena, &packages[i].install_if);
	}
}
