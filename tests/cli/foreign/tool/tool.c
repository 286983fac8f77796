/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base.h"
#include "words.h"

int main(void)
{
	printf("tool: %s %d\n", words_greeting(), base_number());
	return 0;
}
