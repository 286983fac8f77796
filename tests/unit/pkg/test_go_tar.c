/* SPDX-License-Identifier: Apache-2.0 */
/* Headers as Go's archive/tar writes them, in an order that is total. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "xbuild/base/attr.h"
#include "xbuild/pkg/go_tar.h"

static void write_header(const struct xb_apk_xattr *xattrs, size_t n, struct xb_str *out)
{
	xb_go_tar_header(&(struct xb_go_tar){.path = "d/a", .type = '0', .mode = 0644, .xattrs = xattrs, .n_xattrs = n},
			 out);
}

/* The same records in any order make the same bytes, those with one key included. */
static void test_record_order(void **state)
{
	static const struct xb_apk_xattr sorted[] = {{.name = "user.a", .value = "1", .len = 1},
						     {.name = "user.a", .value = "1\0", .len = 2},
						     {.name = "user.a", .value = "2", .len = 1},
						     {.name = "user.b", .value = "0", .len = 1}};
	const struct xb_apk_xattr other[] = {sorted[2], sorted[3], sorted[1], sorted[0]};
	static const char records[] = "25 SCHILY.xattr.user.a=1\n26 SCHILY.xattr.user.a=1\0\n"
				      "25 SCHILY.xattr.user.a=2\n25 SCHILY.xattr.user.b=0\n";
	struct xb_str a XB_CLEANUP(xb_str_release) = {0}, b XB_CLEANUP(xb_str_release) = {0};

	(void)state;
	write_header(sorted, XB_COUNT(sorted), &a);
	write_header(other, XB_COUNT(other), &b);
	assert_int_equal(a.len, 3 * XB_GO_TAR_BLOCK);
	assert_memory_equal(a.data + XB_GO_TAR_BLOCK, records, sizeof(records) - 1);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_record_order)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
