/* SPDX-License-Identifier: Apache-2.0 */
#include "words.h"

const char *words_greeting(void)
{
	return WORDS_GREETING;
}
