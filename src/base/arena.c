/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"

#define FIRST_BLOCK_BYTES 4096
#define MAX_BLOCK_BYTES	  (256 * 1024)

struct xb_arena_block {
	struct xb_arena_block *next;
	size_t used, cap; /* bytes of data */
	max_align_t data[];
};

void xb_arena_release(struct xb_arena *arena)
{
	if (!arena)
		return;
	for (struct xb_arena_block *block = arena->blocks, *next; block; block = next) {
		next = block->next;
		free(block);
	}
	*arena = (struct xb_arena){0};
}

static struct xb_arena_block *new_block(size_t cap)
{
	struct xb_arena_block *block = xb_alloc(sizeof(*block) + cap);

	block->cap = cap;
	return block;
}

static struct xb_arena_block *block_with_room(struct xb_arena *arena, size_t need)
{
	struct xb_arena_block *head = arena->blocks, *block;
	size_t cap = FIRST_BLOCK_BYTES;

	if (head && head->cap - head->used >= need)
		return head;
	if (head)
		cap = head->cap < MAX_BLOCK_BYTES / 2 ? head->cap * 2 : MAX_BLOCK_BYTES;
	if (head && need > cap / 4) {
		/* A big item gets a block of its own behind the head: the room left in the head stays usable. */
		block = new_block(need);
		block->next = head->next;
		head->next = block;
		return block;
	}
	block = new_block(need > cap ? need : cap);
	block->next = head;
	arena->blocks = block;
	return block;
}

void *xb_arena_alloc(struct xb_arena *arena, size_t size_bytes)
{
	const size_t align = _Alignof(max_align_t);
	struct xb_arena_block *block;
	size_t need;
	char *memory;

	if (size_bytes > SIZE_MAX / 2) /* keeps the sums here and in new_block from wrapping */
		return xb_realloc_array(NULL, SIZE_MAX, size_bytes); /* does not return */
	need = (size_bytes + align - 1) / align * align;
	if (!need)
		need = align; /* two empty items are still two pointers */
	block = block_with_room(arena, need);
	memory = (char *)block->data + block->used;
	block->used += need;
	arena->total_bytes += size_bytes;
	return memory;
}

void *xb_arena_array(struct xb_arena *arena, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		return xb_realloc_array(NULL, count, size); /* does not return */
	return xb_arena_alloc(arena, count * size);
}

char *xb_arena_strdup(struct xb_arena *arena, const char *text)
{
	return xb_arena_sv(arena, xb_sv(text));
}

char *xb_arena_sv(struct xb_arena *arena, struct xb_sv sv)
{
	char *copy = xb_arena_alloc(arena, sv.len + 1);

	if (sv.len)
		memcpy(copy, sv.ptr, sv.len);
	return copy;
}

char *xb_arena_printf(struct xb_arena *arena, const char *fmt, ...)
{
	char *text XB_CLEANUP(xb_free_ptr) = NULL;
	va_list args;

	va_start(args, fmt);
	text = xb_vprintf(fmt, args);
	va_end(args);
	return xb_arena_strdup(arena, text);
}
