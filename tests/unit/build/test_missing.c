/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "xbuild/base/str.h"
#include "xbuild/build/missing.h"

/* "header openssl/ssl.h src/a.c:3:10; library ssl" */
static void describe(const struct xb_missing_list *list, struct xb_str *out)
{
	static const char *const kinds[] = {"header", "library", "module", "package"};

	for (size_t i = 0; i < list->list.len; i++) {
		const struct xb_missing *m = &list->list.items[i];

		xb_str_printf(out, "%s%s %s", i ? "; " : "", kinds[m->kind], m->name);
		if (m->file)
			xb_str_printf(out, " %s:%d:%d", m->file, m->line, m->col);
	}
}

static void expect_found(const char *text, const char *expected)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_str found XB_CLEANUP(xb_str_release) = {0};
	struct xb_missing_list list = {0};

	xb_missing_scan(xb_sv(text), &arena, &list);
	describe(&list, &found);
	assert_string_equal(xb_str_get(&found), expected);
	XB_VEC_RELEASE(&list.list);
}

static void compilers(void **state)
{
	(void)state;
	expect_found(
		"src/tls.c:3:10: fatal error: 'openssl/ssl.h' file not found\n#include <openssl/ssl.h>\n         ^~~~\n"
		"1 error generated.\n",
		"header openssl/ssl.h src/tls.c:3:10");
	expect_found("conftest.c:9:10: fatal error: zlib.h: No such file or directory\n",
		     "header zlib.h conftest.c:9:10");
	/* as often as it is included: once */
	expect_found("a.c:1:1: fatal error: 'z.h' file not found\nb.c:1:1: fatal error: 'z.h' file not found\n",
		     "header z.h a.c:1:1");
	expect_found("In file included from a.c:1:\nsub dir/b.h:2:1: fatal error: 'z.h' file not found", "header z.h");
	expect_found("clang: error: no such file or directory: 'x.c'\n", "");
	expect_found("a.c:1:1: fatal error: '/etc/x.h' file not found\n", "");
	expect_found("a.c:1:1: fatal error: '../../x.h' file not found\n", "");
}

static void linkers(void **state)
{
	(void)state;
	expect_found("ld.lld: error: unable to find library -lssl\nld.lld: error: unable to find library -lcrypto\n",
		     "library ssl; library crypto");
	expect_found("/usr/bin/ld: cannot find -lpq: No such file or directory\n", "library pq");
	expect_found("rust-lld: error: unable to find library -lpq\"\n", "library pq");
	expect_found("ld.lld: error: unable to find library -l:x/y.a\n", "");
}

static void modules(void **state)
{
	(void)state;
	expect_found("pkg-config module 'zlib', required by png is not in the sysroot of linux-aarch64 (no zlib.pc)",
		     "module zlib");
	expect_found("Package libcurl was not found in the pkg-config search path.\nPerhaps you should add\n"
		     "No package 'libcurl' found\n",
		     "module libcurl");
	expect_found("Package 'libffi', required by 'glib-2.0', not found\n", "module libffi");
}

static void cmake(void **state)
{
	(void)state;
	expect_found("CMake Error at FindPackageHandleStandardArgs.cmake:230 (message):\n"
		     "  Could NOT find ZLIB (missing: ZLIB_LIBRARY ZLIB_INCLUDE_DIR)\n",
		     "package ZLIB");
	expect_found("-- Could NOT find Doxygen (missing: DOXYGEN_EXECUTABLE)\n", "");
	expect_found("  By not providing \"FindFoo.cmake\" in CMAKE_MODULE_PATH this project has\n"
		     "  Could not find a package configuration file provided by \"fmt\" with any of\n",
		     "package fmt");
	expect_found("-- Checking for module 'libcurl'\n--   No package 'libcurl' found\n"
		     "CMake Error at FindPkgConfig.cmake:607 (message):\n  A required package was not found\n",
		     "module libcurl");
	expect_found("-- Checking for module 'gtk4'\n--   No package 'gtk4' found\n-- Configuring done\n", "");
	expect_found("-- Checking for modules 'a;b'\n--   Package 'a', required by 'virtual:world', not found\n"
		     "-- Checking for modules 'c;d'\n--   Package 'c', required by 'virtual:world', not found\n"
		     "--   Package 'd', required by 'virtual:world', not found\n"
		     "CMake Error at FindPkgConfig.cmake:607 (message):\n  A required package was not found\n",
		     "module c; module d");
	expect_found("CMake Error at CMakeLists.txt:4 (find_path):\n  Could not find Z using the following files: "
		     "z/z.h, z.h\n",
		     "header z/z.h; header z.h");
	expect_found("CMake Error at CMakeLists.txt:4 (find_library):\n  Could not find Z using the following names: "
		     "z, zlib\n",
		     "library z; library zlib");
	expect_found(
		"CMake Error at CMakeLists.txt:4 (find_program):\n  Could not find Z using the following names: z\n",
		"");
	expect_found("  The following required packages were not found:\n\n   - libcurl>=7\n   - zlib\n\nCall Stack\n "
		     "- no\n",
		     "module libcurl; module zlib");
}

static void meson(void **state)
{
	(void)state;
	expect_found("meson.build:5:0: ERROR: Dependency \"zlib\" not found, tried pkgconfig and cmake\n",
		     "module zlib meson.build:5:0");
	expect_found("meson.build:7:3: ERROR: C shared or static library 'ssl' not found\n",
		     "library ssl meson.build:7:3");
	expect_found("meson.build:7:3: ERROR: C header 'ev.h' not found\n", "header ev.h meson.build:7:3");
	expect_found("Run-time dependency zlib found: NO (tried pkgconfig and cmake)\n", "");
}

static void configure(void **state)
{
	(void)state;
	expect_found(
		"checking for stdio.h... yes\nchecking for event.h... no\nconfigure: error: \"libevent not found\"\n",
		"header event.h");
	expect_found("checking for deflate in -lz... no\nconfigure: error: zlib is needed\n", "library z");
	expect_found("checking for sys/epoll.h... no\nchecking for x.h... yes\nconfigure: creating config.status\n",
		     "");
	/* one that names what it wants behind its checks, and has a name of its own */
	expect_found(
		"checking for a.h... no\nchecking for b/b.h... no\nchecking for c.h... no\nchecking for d.h... yes\n"
		"- Failed to find b/b.h\n- Needs a.h (or <d.h>).\nconfigure.sh: error: Aborting configure run\n",
		"header a.h; header b/b.h");
	expect_found("checking for a.h... no\nno a.h, never mind\nchecking for b.h... no\nconfigure: error: x\n",
		     "header b.h");
	expect_found("- Failed to find x/a.h and b.h for c.h.\nUse d.h.\nconfigure.sh: error: stop\n",
		     "header x/a.h; header b.h; header c.h");
	expect_found("a.h not found\n", "");
	expect_found("checking for a.h... no\nchecking for b in -lc... yes\nconfigure: error: x\n", "header a.h");
	expect_found("checking for gcc... no\nconfigure: error: no acceptable C compiler\n", "");
	expect_found(
		"configure: error: Package requirements (libcurl >= 7) were not met:\n\nNo package 'libcurl' found\n",
		"module libcurl");
}

static void is_bounded(void **state)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_missing_list list = {0};

	(void)state;
	for (int i = 0; i < 1000; i++)
		xb_str_printf(&text, "a.c:1:1: fatal error: 'h%d.h' file not found\n", i);
	xb_missing_scan(xb_str_sv(&text), &arena, &list);
	assert_int_equal(list.list.len, 50);
	XB_VEC_RELEASE(&list.list);
	expect_found("", "");
	expect_found("a.c:1:1: fatal error: '", "");
	expect_found("a.c:1:1: fatal error: '\x1b[1mx.h' file not found\n", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compilers),  cmocka_unit_test(linkers), cmocka_unit_test(modules),
		cmocka_unit_test(cmake),      cmocka_unit_test(meson),	 cmocka_unit_test(configure),
		cmocka_unit_test(is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
