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
#include "xbuild/base/str.h"
#include "xbuild/build/pkgconfig.h"
#include "xbuild/sys/fs.h"

static void write_pc(const struct fake *f, const char *dir, const char *name, const char *text)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("../sysroot/%s/%s.pc", dir, name);

	fake_write(f, path, text);
}
#define ARCH "usr/lib/x86_64-linux-gnu/pkgconfig"

/* Words of one query with the canonical names of the roots. */
static char *flags(struct fake *f, const char *const *modules, bool for_static, bool libs)
{
	struct xb_pkgconfig *reader = xb_pkgconfig_open(&f->sysroot, &f->arena);
	struct xb_argv argv = {.arena = &f->arena};
	struct xb_str text = {0};
	struct xb_command c;
	struct xb_roots roots;
	size_t n = 0;

	while (modules[n])
		n++;
	xb_err_release(&f->err);
	xb_command_init(&c, &f->arena);
	if (xb_pkgconfig_flags(reader, modules, n, for_static, libs ? NULL : &c, libs ? &c : NULL, &f->err) < 0) {
		xb_pkgconfig_free(reader);
		return NULL;
	}
	xb_roots_canonical(&roots);
	xb_command_argv(&c, &roots, &(struct xb_command_files){0}, &argv);
	for (size_t i = 0; i < argv.len; i++)
		xb_str_printf(&text, "%s%s", i ? " " : "", argv.items[i]);
	xb_pkgconfig_free(reader);
	return text.data ? xb_str_steal(&text) : xb_strdup("");
}

static void assert_flags(struct fake *f, const char *module, bool for_static, bool libs, const char *expected)
{
	char *text XB_CLEANUP(xb_free_ptr) = flags(f, (const char *const[]){module, NULL}, for_static, libs);

	if (!text)
		fail_msg("%s", f->err.msg);
	assert_string_equal(text, expected);
}

static void test_paths_lie_in_the_sysroot(void **state)
{
	struct fake f;

	(void)state;
	fake_open(&f);
	write_pc(&f, ARCH, "a",
		 "# a comment\nprefix=/usr\nlibdir=${prefix}/lib/x86_64-linux-gnu\nincludedir = ${prefix}/include\n\n"
		 "Name: A\nVersion: 1.2\nCflags: -I${includedir} -I${includedir}/a-1 -DA=\\\"x\\\" -I ${prefix}/odd\n"
		 "Libs: -L${libdir} -L${libdir}/a \\\n  -la -pthread\n");
	assert_flags(&f, "a", false, false, "-I../sysroot/usr/include/a-1 -DA=\"x\" -I../sysroot/usr/odd");
	assert_flags(&f, "a", false, true, "-L../sysroot/usr/lib/x86_64-linux-gnu/a -la -pthread");
	write_pc(&f, "usr/share/pkgconfig", "b",
		 "p=${pcfiledir}/../../b\nCflags: -I${p}/include\nLibs: /usr/lib/libb.a\n");
	assert_flags(&f, "b", false, false, "-I../sysroot/usr/b/include");
	assert_flags(&f, "b", false, true, "../sysroot/usr/lib/libb.a");
	fake_close(&f);
}

static void test_requires(void **state)
{
	struct fake f;

	(void)state;
	fake_open(&f);
	write_pc(&f, ARCH, "top", "Version: 1\nRequires: mid >= 2.0, low\nLibs: -ltop\nCflags: -DTOP\n");
	write_pc(&f, ARCH, "mid",
		 "Version: 2.10\nRequires: low\nRequires.private: hidden\nLibs: -lmid\nLibs.private: -lm\n");
	write_pc(&f, ARCH, "low", "Version: 1\nLibs: -llow\n");
	write_pc(&f, ARCH, "hidden", "Version: 1\nLibs: -lhidden\nCflags: -DHIDDEN\n");
	assert_flags(&f, "top", false, true, "-ltop -lmid -llow");
	assert_flags(&f, "top", true, true, "-ltop -lmid -lm -lhidden -llow");
	assert_flags(&f, "top", false, false, "-DTOP -DHIDDEN");
	write_pc(&f, ARCH, "ring", "Requires: ring2\nLibs: -lring\n");
	write_pc(&f, ARCH, "ring2", "Requires: ring\nLibs: -lring2\n");
	assert_flags(&f, "ring", false, true, "-lring -lring2");
	fake_close(&f);
}

static void assert_fails(struct fake *f, const char *module, const char *part)
{
	char *text XB_CLEANUP(xb_free_ptr) = flags(f, (const char *const[]){module, NULL}, false, true);

	assert_null(text);
	assert_int_equal(f->err.code, XB_E_INPUT);
	if (!strstr(f->err.msg, part))
		fail_msg("no '%s' in: %s", part, f->err.msg);
}

static void test_failures(void **state)
{
	struct fake f;

	(void)state;
	fake_open(&f);
	write_pc(&f, ARCH, "needs", "Requires: gone\n");
	write_pc(&f, ARCH, "old", "Version: 1.9\n");
	write_pc(&f, ARCH, "wants", "Requires: old >= 1.10\n");
	write_pc(&f, ARCH, "bad", "Libs: -L${nowhere}\n");
	write_pc(&f, ARCH, "endless", "a=${b}\nb=${a}\nLibs: ${a}\n");
	write_pc(&f, ARCH, "bomb",
		 "a=xxxxxxxxxxxxxxxx\nb=${a}${a}${a}${a}${a}${a}${a}${a}\nc=${b}${b}${b}${b}${b}${b}${b}${b}\n"
		 "d=${c}${c}${c}${c}${c}${c}${c}${c}\ne=${d}${d}${d}${d}${d}${d}${d}${d}${d}\nLibs: ${e}\n");
	assert_fails(&f, "gone", "'gone' is not in the sysroot of linux-x86_64");
	assert_non_null(strstr(f.err.hint, "xbuild add PACKAGE"));
	assert_fails(&f, "needs", "required by needs");
	assert_fails(&f, "wants", "requires old >= 1.10, but the sysroot has 1.9");
	assert_fails(&f, "bad", "'nowhere'");
	assert_fails(&f, "endless", "without end");
	assert_fails(&f, "bomb", "longer than");
	assert_fails(&f, "../../../etc/x", "no name");
	fake_close(&f);
}

/* n variables: each has the next one twice, the last one has `last`. */
static void write_doubling(const struct fake *f, const char *name, int n, const char *last)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	for (int i = 0; i + 1 < n; i++)
		xb_str_printf(&text, "v%d=${v%d}${v%d}\n", i, i + 1, i + 1);
	xb_str_printf(&text, "v%d=%s\nLibs: -l${v0}\n", n - 1, last);
	write_pc(f, ARCH, name, xb_str_get(&text));
}

/* Each step doubles the work, whether anything comes out or not. */
static void test_work_is_bounded(void **state)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct fake f;

	(void)state;
	fake_open(&f);
	write_doubling(&f, "few", 4, "x");
	assert_flags(&f, "few", false, true, "-lxxxxxxxx");
	write_doubling(&f, "many", 12, "");
	assert_flags(&f, "many", false, true, "-l");
	write_doubling(&f, "empty", 28, "");
	assert_fails(&f, "empty", "empty.pc: a value has over 10000 variables");
	write_doubling(&f, "full", 28, "x");
	assert_fails(&f, "full", "full.pc: a value has over 10000 variables");
	write_doubling(&f, "deep", 40, "");
	assert_fails(&f, "deep", "deep.pc: variables refer to each other without end");
	/* a field of many lines, each of them within the bounds */
	xb_str_append(&text, "a=");
	for (int i = 0; i < 1024; i++)
		xb_str_append_char(&text, 'x');
	for (int i = 0; i < 1023; i++)
		xb_str_append(&text, "\nDescription: ${a}");
	xb_str_append(&text, "\nLibs: -lx\n");
	write_pc(&f, ARCH, "lines", xb_str_get(&text));
	assert_flags(&f, "lines", false, true, "-lx");
	xb_str_append(&text, "Description: ${a}\n");
	write_pc(&f, ARCH, "lines", xb_str_get(&text));
	assert_fails(&f, "lines", "lines.pc: fields of over 1048576 bytes");
	fake_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths_lie_in_the_sysroot),
		cmocka_unit_test(test_requires),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_work_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
