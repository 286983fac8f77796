/* SPDX-License-Identifier: Apache-2.0 */
#include "include/base.h"

int base_number(void)
{
	return 42;
}
