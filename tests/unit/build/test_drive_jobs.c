/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../../src/build/drive.h"

/* What programs print of their version, and how they are told of the pool. */
static void test_forms(void **state)
{
	static const struct {
		enum xb_pool pool;
		bool is_make;
		const char *fifo, *version;
		enum drive_jobs how;
	} table[] = {
		{XB_POOL_NONE, true, "/p/f", "GNU Make 4.4", DRIVE_JOBS_NONE},
		{XB_POOL_WORD, true, "/p/f", "GNU Make 4.4", DRIVE_JOBS_WORD},
		{XB_POOL_MAKE, true, "/p/f", "GNU Make 3.81\nCopyright (C) 2006", DRIVE_JOBS_FDS},
		{XB_POOL_MAKE, true, "/p/f", "GNU Make 4.3\nBuilt for x86_64-pc-linux-gnu", DRIVE_JOBS_FDS},
		{XB_POOL_MAKE, true, "/p/f", "GNU Make 4.4.1\nBuilt for", DRIVE_JOBS_FIFO},
		{XB_POOL_MAKE, true, "/p/f", "GNU Make 5.0", DRIVE_JOBS_FIFO},
		{XB_POOL_MAKE, true, "/p/f", "make, of its own kind", DRIVE_JOBS_FDS},
		{XB_POOL_MAKE, true, "/p of/f", "GNU Make 4.4.1", DRIVE_JOBS_FDS},
		{XB_POOL_MAKE, true, NULL, "", DRIVE_JOBS_FDS},
		/* cargo and commands: descriptors are what all of them understand */
		{XB_POOL_MAKE, false, "/p/f", "cargo 1.85.0", DRIVE_JOBS_FDS},
		{XB_POOL_NINJA, false, "/p/f", "1.11.1\n", DRIVE_JOBS_WORD},
		{XB_POOL_NINJA, false, "/p/f", "1.12.1\n", DRIVE_JOBS_WORD},
		{XB_POOL_NINJA, false, "/p/f", "1.13.0\n", DRIVE_JOBS_FIFO},
		{XB_POOL_NINJA, false, "/p/f", "2.0\n", DRIVE_JOBS_FIFO},
		{XB_POOL_NINJA, false, "/p of/f", "1.13.0\n", DRIVE_JOBS_WORD},
		{XB_POOL_NINJA, false, NULL, "", DRIVE_JOBS_WORD},
		{XB_POOL_NINJA, false, "/p/f", "1.", DRIVE_JOBS_WORD},
		{XB_POOL_NINJA, false, "/p/f", "99999999999999999999.13", DRIVE_JOBS_WORD},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(table); i++) {
		const enum drive_jobs how =
			drive_jobs_of(table[i].pool, table[i].is_make, table[i].fifo, xb_sv(table[i].version));

		if (how != table[i].how)
			fail_msg("row %zu, '%s': found %d", i, table[i].version, how);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_forms)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
