/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/base/vec.h"

#include <string.h>

#include "xbuild/base/alloc.h"

#define MIN_ITEMS 8

void *xb_vec_grow(void *items, size_t *cap, size_t item_size)
{
	*cap = *cap ? *cap * 2 : MIN_ITEMS;
	return xb_realloc_array(items, *cap, item_size);
}

void xb_vec_zero(void *item, size_t size)
{
	memset(item, 0, size);
}
