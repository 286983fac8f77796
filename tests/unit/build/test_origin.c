/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/build/origin.h"
#include "xbuild/sys/fs.h"

static void assert_origin(struct xb_origins *o, const char *path, enum xb_root root, const char *rel)
{
	const char *found = NULL;

	assert_int_equal(xb_origins_find(o, path, &found), root);
	if (rel)
		assert_string_equal(found, rel);
	assert_int_equal(xb_origins_find(o, path, &found), root); /* from memory */
}

static void link_to(const struct fake *f, const char *target, const char *name)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(f->project_dir, name);

	assert_int_equal(symlink(target, path), 0);
}

static void test_where_files_lie(void **state)
{
	struct fake f;
	struct xb_origins *o;
	struct xb_roots roots;

	(void)state;
	fake_open(&f);
	fake_write(&f, "src/a.c", "");
	fake_write(&f, "include/h.h", "");
	fake_write(&f, "other/deep/x.h", "");
	fake_write(&f, "../sysroot/usr/include/s.h", "");
	fake_write(&f, "../outside/o.h", "");
	link_to(&f, "../../outside/o.h", "src/leak.h");
	link_to(&f, "../../outside", "src/leakdir");
	link_to(&f, "../include/h.h", "src/inner.h");
	link_to(&f, "other/deep", "short");
	xb_roots_real(f.project_dir, &f.tools, &f.sysroot, &roots);
	if (xb_origins_open(&roots, &o, &f.err) < 0)
		fail_msg("%s", f.err.msg);

	assert_origin(o, "src/a.c", XB_ROOT_PROJECT, "src/a.c");
	assert_origin(o, "./src//a.c", XB_ROOT_PROJECT, "src/a.c");
	assert_origin(o, "src/../include/h.h", XB_ROOT_PROJECT, "include/h.h");
	char *absolute XB_CLEANUP(xb_free_ptr) = xb_path_join(f.project_dir, "include/h.h");

	assert_origin(o, absolute, XB_ROOT_PROJECT, "include/h.h");
	/* a link within the project counts by its own name: it may be turned elsewhere */
	assert_origin(o, "src/inner.h", XB_ROOT_PROJECT, "src/inner.h");
	assert_origin(o, "short/x.h", XB_ROOT_PROJECT, "short/x.h");
	/* "short/.." is "other", not the top */
	assert_origin(o, "short/../deep/x.h", XB_ROOT_PROJECT, "other/deep/x.h");

	assert_origin(o, "../sysroot/usr/include/s.h", XB_ROOT_SYSROOT, "usr/include/s.h");
	assert_origin(o, "../sysroot/usr/../usr/include/s.h", XB_ROOT_SYSROOT, "usr/include/s.h");
	assert_origin(o, "../toolchain/bin/clang", XB_ROOT_TOOLCHAIN, "bin/clang");

	assert_origin(o, "../outside/o.h", XB_ROOT_NONE, NULL);
	assert_origin(o, "src/leak.h", XB_ROOT_NONE, NULL);
	assert_origin(o, "src/leakdir/o.h", XB_ROOT_NONE, NULL);
	assert_origin(o, "/etc/passwd", XB_ROOT_NONE, NULL);
	assert_origin(o, "no/such/file.h", XB_ROOT_NONE, NULL);
	assert_origin(o, "src/none.h", XB_ROOT_NONE, NULL);
	xb_origins_free(o);
	fake_close(&f);
}

static void test_deepest_root_wins(void **state)
{
	struct fake f;
	struct xb_origins *o;
	struct xb_roots roots;

	(void)state;
	fake_open(&f);
	fake_write(&f, "cache/sysroot/usr/s.h", "");
	char *inner XB_CLEANUP(xb_free_ptr) = xb_path_join(f.project_dir, "cache/sysroot");

	f.sysroot.dir = inner;
	xb_roots_real(f.project_dir, &f.tools, &f.sysroot, &roots);
	if (xb_origins_open(&roots, &o, &f.err) < 0)
		fail_msg("%s", f.err.msg);
	assert_origin(o, "cache/sysroot/usr/s.h", XB_ROOT_SYSROOT, "usr/s.h");
	xb_origins_free(o);
	fake_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_where_files_lie),
					   cmocka_unit_test(test_deepest_root_wins)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
