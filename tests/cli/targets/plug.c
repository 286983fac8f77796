/* SPDX-License-Identifier: Apache-2.0 */
#include "core.h"

static _Thread_local int calls = 3;

int plug_twice(int x)
{
	calls++;
	return 2 * x;
}

int plug_calls(void)
{
	return calls;
}
