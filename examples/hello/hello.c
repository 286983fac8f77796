/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#if defined(__aarch64__)
#define ARCH "aarch64"
#elif defined(__x86_64__)
#define ARCH "x86_64"
#else
#define ARCH "an unknown machine"
#endif

int main(void)
{
	return printf("hello from " ARCH "\n") < 0;
}
