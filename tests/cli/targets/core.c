/* SPDX-License-Identifier: Apache-2.0 */
#include "core.h"

#include <string.h>

static _Thread_local int depth;

int core_depth(void)
{
	return ++depth;
}

int core_lowest_byte_first(void)
{
	const uint32_t one = 1;
	unsigned char byte;

	memcpy(&byte, &one, 1);
	return byte;
}

uint64_t core_scale(uint64_t a, uint64_t b)
{
	return a / 3 * b + a % b;
}
