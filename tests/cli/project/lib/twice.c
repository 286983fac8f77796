/* SPDX-License-Identifier: Apache-2.0 */
#include "core.h"

int core_twice(int n)
{
	return 2 * n;
}
