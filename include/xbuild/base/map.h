/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Insertion-ordered map from a string to a pointer. Iteration is by index in order of insertion, so that no result
 * ever depends on hash order. Keys are copied; values are borrowed and never freed by the map.
 * All-zero is an empty map. There is no removal: documents are built once.
 */
#ifndef XBUILD_BASE_MAP_H
#define XBUILD_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xbuild/base/sv.h"

struct xb_map_entry {
	char *key;	/* owned by the map, NUL-terminated */
	size_t key_len; /* differs from strlen(key) only for a key that holds a NUL (YAML "a\0b") */
	void *value;
};

struct xb_map {
	struct xb_map_entry *entries; /* in insertion order */
	size_t len, cap;
	uint32_t *slots; /* open addressing, entry index + 1; 0 is empty */
	size_t n_slots;
};

void xb_map_release(struct xb_map *map);

/* The value of `key`, or NULL. */
void *xb_map_get(const struct xb_map *map, struct xb_sv key);
void *xb_map_get_str(const struct xb_map *map, const char *key);
bool xb_map_has(const struct xb_map *map, struct xb_sv key);

/* Sets key to value. Returns the value that was there before, or NULL; the position of an old key stays. */
void *xb_map_put(struct xb_map *map, struct xb_sv key, void *value);
void *xb_map_put_str(struct xb_map *map, const char *key, void *value);

#endif
