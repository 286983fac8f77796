/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>

#include "core.h"

static atomic_int sum;

static void *work(void *unused)
{
	for (int i = 0; i < 1000; i++)
		sum += core_depth() > 0;
	return unused;
}

int main(void)
{
	pthread_t threads[4];
	struct stat st;

	for (int i = 0; i < 4; i++)
		if (pthread_create(&threads[i], NULL, work, NULL))
			return 2;
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	printf("sum %d depth %d little %d pointer %zu scale %" PRIu64 " half %.1Lf", sum, core_depth(),
	       core_lowest_byte_first(), sizeof(void *), core_scale(UINT64_C(100000000007), 77),
	       (long double)sum / 8000);
#ifndef WITHOUT_PLUG
	printf(" twice %d calls %d", plug_twice(21), plug_calls());
#endif
	printf("\n");
	return sum == 4000 && stat("/", &st) == 0 ? 0 : 1;
}
