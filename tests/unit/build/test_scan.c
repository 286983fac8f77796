/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "xbuild/base/str.h"
#include "xbuild/build/scan.h"

static void assert_reads(const char *text, const char *directive, bool told, const char *expected)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_str names XB_CLEANUP(xb_str_release) = {0};
	struct xb_dirs out = {0};

	assert_int_equal(xb_scan_assembler(xb_sv(text), directive, &arena, &out), told);
	for (size_t i = 0; i < out.len; i++)
		xb_str_printf(&names, "%s%s", i ? " " : "", out.items[i]);
	assert_string_equal(xb_str_get(&names), expected);
}

static void test_assembler(void **state)
{
	static const char both[] = " .incbin \"a.bin\", 4\n\t.include\t\"b.inc\"\n";

	(void)state;
	assert_reads(both, ".incbin", true, "a.bin");
	assert_reads(both, ".include", true, "b.inc");
	assert_reads("__asm__(\".incbin \\\"logo.png\\\"\\n\");", ".incbin", true, "logo.png");
	assert_reads(".incbin NAME\n", ".incbin", false, "");
	assert_reads(".incbin \"open\n", ".incbin", false, "");
	assert_reads(".incbins \"x\" .included\n", ".incbin", true, "");
	assert_reads(".incbins \"x\" .included\n", ".include", true, "");
	assert_reads("nothing here", ".incbin", true, "");
	assert_reads(".incbin_1 .incbin$x .incbin.y .incbin2 \"x\"", ".incbin", true, "");
	/* a macro makes the text, with its name somewhere else */
	assert_reads("#define INC(f) S(.incbin) \" \\\"\" f \"\\\"\"\n", ".incbin", false, "");
	assert_reads("#define DIR .incbin\n", ".incbin", false, "");
	assert_reads(".incbin", ".incbin", false, "");
	assert_reads(" .INCLUDE \"b.inc\"\n.Include \"c\"", ".include", true, "b.inc c");
}

static void assert_names(const char *text, const char *expected)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_str names XB_CLEANUP(xb_str_release) = {0};
	struct xb_dirs out = {0};

	xb_scan_link_script(xb_sv(text), &arena, &out);
	for (size_t i = 0; i < out.len; i++)
		xb_str_printf(&names, "%s%s", i ? " " : "", out.items[i]);
	assert_string_equal(xb_str_get(&names), expected);
}

static void test_link_scripts(void **state)
{
	(void)state;
	assert_names("INPUT(libncurses.so.6 -ltinfo)", "libncurses.so.6 -ltinfo");
	assert_names("/* GNU ld script: -lno */ OUTPUT_FORMAT(elf64-x86-64)\n"
		     "GROUP ( /lib/libc.so.6 /usr/lib/libc_nonshared.a AS_NEEDED ( -l:ld.so.1,liba.a ) )",
		     "-l:ld.so.1 liba.a");
	assert_names("INPUT(\"with.so\" with.so)\n/* open", "with.so");
	assert_names("/", "");
	assert_names("", "");
}

static void assert_asks(const char *text, bool told, const char *expected)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_str names XB_CLEANUP(xb_str_release) = {0};
	struct xb_dirs out = {0};

	assert_int_equal(xb_scan_conditions(xb_sv(text), &arena, &out), told);
	for (size_t i = 0; i < out.len; i++)
		xb_str_printf(&names, "%s%s", i ? " " : "", out.items[i]);
	assert_string_equal(xb_str_get(&names), expected);
}

static void test_conditions(void **state)
{
	(void)state;
	assert_asks("#if __has_include(\"opt.h\")\n", true, "opt.h");
	assert_asks("  #  elif defined(X) && ( __has_include ( <sys/a.h> ) || HAS( \"b\"))", true, "sys/a.h b");
	assert_asks("#if X && \\\n    __has_embed(\"e.bin\" limit(3))\nint a;\n", true, "e.bin");
	assert_asks("#if X && \\\r\n    __has_include(<crlf.h>)\r\n", true, "crlf.h");
	assert_asks("#if __has_include(<a.h>)\n#endif\n#if __has_include(<a.h>)\n", true, "a.h");
	assert_asks("#if __has_include_next(NAME)\n", false, "");
	assert_asks("#if __has_embed (NAME)\n", false, "");
	/* the operator in a macro of the project: its uses are found by their names */
	assert_asks("#define HAS(x) __has_include(x)\n#if HAS(<v.h>)\n", true, "v.h");
	assert_asks("#ifdef __has_include\n#if defined(__has_include)\n", true, "");
	assert_asks("f(\"not.h\"); // #if __has_include(\"no.h\")\n", true, "");
	assert_asks("#if (\"open\n", true, "");
	assert_asks("#if __has_include(\"/etc/passwd\")\n", true, ""); /* outside: never the project's */
	assert_asks("#if F(\"\")\n#if F(", true, "");
	assert_asks("", true, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_assembler), cmocka_unit_test(test_link_scripts),
					   cmocka_unit_test(test_conditions)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
