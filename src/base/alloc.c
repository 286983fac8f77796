/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/base/alloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static XB_NORETURN void die_out_of_memory(void)
{
	fputs("xbuild: out of memory\n", stderr);
	abort();
}

/* malloc(0) and calloc(0) may return NULL, and realloc(p, 0) frees p on glibc: never ask for nothing. */
static size_t at_least_one(size_t size_bytes)
{
	return size_bytes ? size_bytes : 1;
}

void *xb_alloc(size_t size_bytes)
{
	void *memory = calloc(1, at_least_one(size_bytes));

	if (!memory)
		die_out_of_memory();
	return memory;
}

void *xb_realloc(void *old, size_t size_bytes)
{
	void *memory = realloc(old, at_least_one(size_bytes));

	if (!memory)
		die_out_of_memory();
	return memory;
}

void *xb_realloc_array(void *old, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		die_out_of_memory();
	return xb_realloc(old, count * size);
}

char *xb_strdup(const char *text)
{
	return xb_strndup(text, strlen(text));
}

char *xb_strndup(const char *text, size_t len)
{
	size_t used = len ? strnlen(text, len) : 0;
	char *copy = xb_realloc(NULL, used + 1);

	if (used)
		memcpy(copy, text, used);
	copy[used] = '\0';
	return copy;
}

char *xb_vprintf(const char *fmt, va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, args) < 0)
		die_out_of_memory();
	return text;
}

char *xb_printf(const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = xb_vprintf(fmt, args);
	va_end(args);
	return text;
}

void xb_free_ptr(void *pointer_to_pointer)
{
	void *pointer;

	/* The variable is a char *, a struct x *, ...: reading it as a void * would break the aliasing rules. */
	memcpy(&pointer, pointer_to_pointer, sizeof(pointer));
	free(pointer);
}
