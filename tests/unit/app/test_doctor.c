/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "xbuild/app/app.h"
#include "xbuild/app/op_doctor.h"
#include "xbuild/base/alloc.h"
#include "xbuild/sys/fs.h"

/* What doctor says about the store when its directory is `cache`. */
static enum xb_finding_level store_level(const char *cache)
{
	const struct xb_app_options options = {.dir = "/"};
	struct xb_doctor_result result;
	struct xb_err err = {0};
	struct xb_app app;
	int level = -1;

	assert_int_equal(setenv("XBUILD_CACHE_DIR", cache, 1), 0);
	xb_app_init(&app, &options, NULL, NULL);
	assert_int_equal(xb_op_doctor(&app, &result, &err), 0);
	for (size_t i = 0; i < result.len; i++)
		if (strcmp(result.items[i].what, "store") == 0)
			level = (int)result.items[i].level;
	assert_true(level >= 0);
	xb_app_release(&app);
	return (enum xb_finding_level)level;
}

static void the_store_is_looked_at_and_not_made(void **state)
{
	char dir[] = "/tmp/xb-doctor-XXXXXX";
	char *below XB_CLEANUP(xb_free_ptr) = NULL, *first XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_err err = {0};

	(void)state;
	assert_non_null(mkdtemp(dir));
	first = xb_printf("%s/a", dir);
	below = xb_printf("%s/b/c", first);
	assert_int_not_equal(store_level(below), XB_FINDING_BAD);
	assert_false(xb_fs_exists(first));
	assert_int_equal(store_level("/dev/null"), XB_FINDING_BAD);
	assert_int_equal(store_level("/dev/null/x"), XB_FINDING_BAD);
	assert_int_equal(xb_fs_remove(dir, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_store_is_looked_at_and_not_made)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
