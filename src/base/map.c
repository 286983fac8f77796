/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/base/map.h"

#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/vec.h"

#define MIN_SLOTS 16

/* FNV-1a, 64 bits (draft-eastlake-fnv), with the high half folded in: the table is indexed by the low bits. */
static size_t hash_key(struct xb_sv key)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < key.len; i++) {
		hash ^= (unsigned char)key.ptr[i];
		hash *= UINT64_C(0x100000001b3);
	}
	return (size_t)(hash ^ hash >> 32);
}

static struct xb_sv entry_key(const struct xb_map_entry *entry)
{
	return xb_sv_n(entry->key, entry->key_len);
}

/* The slot that holds key, or the empty slot where it belongs. There is always an empty one (see grow_slots). */
static uint32_t *find_slot(const struct xb_map *map, struct xb_sv key)
{
	const size_t mask = map->n_slots - 1;
	size_t i = hash_key(key) & mask;

	while (map->slots[i] && !xb_sv_eq(entry_key(&map->entries[map->slots[i] - 1]), key))
		i = (i + 1) & mask;
	return &map->slots[i];
}

static const struct xb_map_entry *find_entry(const struct xb_map *map, struct xb_sv key)
{
	uint32_t slot;

	if (!map->len)
		return NULL;
	slot = *find_slot(map, key);
	return slot ? &map->entries[slot - 1] : NULL;
}

/* Keeps at least a quarter of the slots empty; n_slots stays a power of two. */
static void grow_slots(struct xb_map *map)
{
	if (map->len < map->n_slots / 4 * 3)
		return;
	map->n_slots = map->n_slots ? map->n_slots * 2 : MIN_SLOTS;
	free(map->slots);
	map->slots = xb_realloc_array(NULL, map->n_slots, sizeof(*map->slots));
	memset(map->slots, 0, map->n_slots * sizeof(*map->slots));
	for (size_t i = 0; i < map->len; i++)
		*find_slot(map, entry_key(&map->entries[i])) = (uint32_t)(i + 1);
}

void xb_map_release(struct xb_map *map)
{
	if (!map)
		return;
	for (size_t i = 0; i < map->len; i++)
		free(map->entries[i].key);
	free(map->entries);
	free(map->slots);
	*map = (struct xb_map){0};
}

void *xb_map_get(const struct xb_map *map, struct xb_sv key)
{
	const struct xb_map_entry *entry = find_entry(map, key);

	return entry ? entry->value : NULL;
}

void *xb_map_get_str(const struct xb_map *map, const char *key)
{
	return xb_map_get(map, xb_sv(key));
}

bool xb_map_has(const struct xb_map *map, struct xb_sv key)
{
	return find_entry(map, key) != NULL;
}

void *xb_map_put(struct xb_map *map, struct xb_sv key, void *value)
{
	struct xb_map_entry *entry;
	uint32_t *slot;

	grow_slots(map);
	slot = find_slot(map, key);
	if (*slot) {
		void *before = map->entries[*slot - 1].value;

		map->entries[*slot - 1].value = value;
		return before;
	}
	if (map->len >= UINT32_MAX - 1)
		abort(); /* every reader stops long before this (base/limits) */
	if (map->len == map->cap)
		map->entries = xb_vec_grow(map->entries, &map->cap, sizeof(*map->entries));
	entry = &map->entries[map->len++];
	entry->key = xb_sv_dup(key);
	entry->key_len = key.len;
	entry->value = value;
	*slot = (uint32_t)map->len;
	return NULL;
}

void *xb_map_put_str(struct xb_map *map, const char *key, void *value)
{
	return xb_map_put(map, xb_sv(key), value);
}
