/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Growing array. XB_VEC(type) is an anonymous struct type { type *items; size_t len, cap; }, all-zero when empty.
 *
 *     XB_VEC(const char *) names = {0};
 *     XB_VEC_PUSH(&names, "a");
 *     for (size_t i = 0; i < names.len; i++) use(names.items[i]);
 *     XB_VEC_RELEASE(&names);
 *
 * Items are moved by realloc when the array grows: keep indices, not pointers, across a push.
 */
#ifndef XBUILD_BASE_VEC_H
#define XBUILD_BASE_VEC_H

#include <stddef.h>
#include <stdlib.h>

#define XB_VEC(type)                                                                                                   \
	struct {                                                                                                       \
		type *items;                                                                                           \
		size_t len, cap;                                                                                       \
	}

/* Appends `item`, which is evaluated once. */
#define XB_VEC_PUSH(v, item)                                                                                           \
	do {                                                                                                           \
		if ((v)->len == (v)->cap)                                                                              \
			(v)->items = xb_vec_grow((v)->items, &(v)->cap, sizeof(*(v)->items));                          \
		(v)->items[(v)->len++] = (item);                                                                       \
	} while (0)

/* A pointer to a new zeroed last item. */
#define XB_VEC_ADD(v)                                                                                                  \
	((v)->items = (v)->len == (v)->cap ? xb_vec_grow((v)->items, &(v)->cap, sizeof(*(v)->items)) : (v)->items,     \
	 (v)->len++, xb_vec_zero(&(v)->items[(v)->len - 1], sizeof(*(v)->items)), &(v)->items[(v)->len - 1])

/* Frees the array (not what its items own); the vec is empty afterwards. */
#define XB_VEC_RELEASE(v)                                                                                              \
	do {                                                                                                           \
		free((v)->items);                                                                                      \
		(v)->items = NULL;                                                                                     \
		(v)->len = (v)->cap = 0;                                                                               \
	} while (0)

/* Doubles *cap (at least 8) and returns the moved array. Aborts when out of memory. */
void *xb_vec_grow(void *items, size_t *cap, size_t item_size);
void xb_vec_zero(void *item, size_t size);

#endif
