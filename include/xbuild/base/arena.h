/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arena: memory of one document (project, lock, plan), freed in one go. What is allocated from it is borrowed and valid
 * until xb_arena_release. All-zero is a valid empty arena. Not for use by two threads at once.
 */
#ifndef XBUILD_BASE_ARENA_H
#define XBUILD_BASE_ARENA_H

#include <stddef.h>

#include "xbuild/base/attr.h"
#include "xbuild/base/sv.h"

struct xb_arena_block;

struct xb_arena {
	struct xb_arena_block *blocks; /* owned list */
	size_t total_bytes;	       /* handed out so far */
};

void xb_arena_release(struct xb_arena *arena);
void *xb_arena_alloc(struct xb_arena *arena, size_t size_bytes); /* zeroed, aligned for any type */
void *xb_arena_array(struct xb_arena *arena, size_t count, size_t size);
char *xb_arena_strdup(struct xb_arena *arena, const char *text);
char *xb_arena_sv(struct xb_arena *arena, struct xb_sv sv); /* NUL-terminated copy */
char *xb_arena_printf(struct xb_arena *arena, const char *fmt, ...) XB_PRINTF(2, 3);

#endif
