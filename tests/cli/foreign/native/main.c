/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "words.h"

int main(void)
{
	puts(words_greeting());
	return 0;
}
