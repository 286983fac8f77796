/* SPDX-License-Identifier: Apache-2.0 */
#include <tally.h>

#ifndef HAVE_TALLY
#error "the flags of tally.pc did not arrive"
#endif

int counted(void);
int counted(void)
{
	tally_add(2);
	return tally_add(3);
}
