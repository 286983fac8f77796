/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include "xbuild/pkg/deb_index.h"

#define SUM  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define TAIL "Filename: pool/main/a/a_1_all.deb\nSize: 12\nSHA256: " SUM "\n"

static int reduce_until(const void *data, size_t len, const volatile int *interrupted, struct xb_str *out,
			struct xb_err *err)
{
	char *dir XB_CLEANUP(scratch_remove) = scratch_dir();
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, "Packages");
	int fd XB_CLEANUP(xb_fs_close) = -1;

	scratch_write(dir, "Packages", data, len);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return xb_deb_index_reduce(fd, "Packages", interrupted, out, err);
}

static int reduce(const void *data, size_t len, struct xb_str *out, struct xb_err *err)
{
	return reduce_until(data, len, NULL, out, err);
}

static void expect_reduced(const char *text, const char *expected)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};

	expect_ok(reduce(text, strlen(text), &out, &err), &err);
	assert_string_equal(xb_str_get(&out), expected);
}

static void expect_refused(const char *text, const char *part)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};

	expect_error(reduce(text, strlen(text), &out, &err), &err, XB_E_INPUT, part);
}

static void keeps_what_solving_needs(void **state)
{
	(void)state;
	expect_reduced("Package: aa\nPriority: optional\nVersion: 1:2-3\nDescription: x\n more\n .\n even: more\n"
		       "depends: bb (>= 1), cc | dd:any (<< 2~)\nTag: role::x,\n role::y\n" TAIL "\n",
		       "Package: aa\nVersion: 1:2-3\nDepends: bb (>= 1), cc | dd:any (<< 2~)\n" TAIL "\n");
	expect_reduced("", "");
	expect_reduced("\n\n\n", "");
}

static void joins_lines_and_ends_without_newline(void **state)
{
	(void)state;
	expect_reduced("Package: aa\nVersion: 1\n" TAIL "Depends: bb,\n\tcc\n   , dd",
		       "Package: aa\nVersion: 1\n" TAIL "Depends: bb, cc , dd\n\n");
	expect_reduced("Package: aa\r\nVersion: 1\r\nFilename: pool/a.deb\r\nSize: 1\r\nSHA256: " SUM "\r\n\r\n",
		       "Package: aa\nVersion: 1\nFilename: pool/a.deb\nSize: 1\nSHA256: " SUM "\n\n");
	/* Several stanzas, with more than one line between them. */
	expect_reduced("Package: aa\nVersion: 1\n" TAIL "\n\nPackage: bb\nVersion: 2\n" TAIL,
		       "Package: aa\nVersion: 1\n" TAIL "\nPackage: bb\nVersion: 2\n" TAIL "\n");
}

static void refuses_what_is_missing_or_twice(void **state)
{
	(void)state;
	expect_refused("Package: ab\nVersion: 1\nSize: 1\nSHA256: " SUM "\n",
		       "'ab' at byte 0: missing field 'Filename'");
	expect_refused("Package: ab\n" TAIL, "missing field 'Version'");
	expect_refused("Version: 1\n" TAIL, "missing field 'Package'");
	expect_refused("Package: ab\nVersion: 1\nFilename: pool/a\nSize: 1\n", "missing field 'SHA256'");
	expect_refused("Package: ab\nVersion: 1\nFilename: pool/a\nSHA256: " SUM "\n", "missing field 'Size'");
	expect_refused("Package: ab\nVersion: 1\nVersion: 2\n" TAIL, "a second field 'Version'");
	expect_refused("Package: ab\nVersion: 1\n" TAIL "\nPackage: cd\nno field here\n", "'cd' at byte");
}

static void refuses_bad_values(void **state)
{
	static const struct {
		const char *field, *part;
	} rows[] = {
		{"Filename: ../../../etc/x", "Filename is not valid:"},
		{"Filename: /etc/x", "Filename is not valid:"},
		{"Filename: //host/x", "Filename is not valid:"},
		{"Filename: pool/a?b#c", "Filename is not valid:"},
		{"Filename: pool/%2e%2e/x", "Filename is not valid:"},
		{"Filename: pool/a b", "Filename is not valid:"},
		{"Filename: pool/a\x01", "Filename is not valid:"},
		{"Size: -1", "Size is not valid:"},
		{"Size: 1x", "Size is not valid:"},
		{"Size: 99999999999999999999", "Size is not valid:"},
		{"SHA256: abc", "SHA256 is not valid:"},
		{"SHA256: A"
		 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		 "SHA256 is not valid:"},
		{"Version: 1 2", "Version is not valid:"},
		{"Version: :1", "Version is not valid:"},
		{"Version: 18446744073709551616:1", "Version is not valid:"},
		{"Package: a", "Package is not valid:"},
		{"Package: Ab", "Package is not valid:"},
		{"Package: a/b", "Package is not valid:"},
		{"Architecture: a b", "Architecture is not valid:"},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		struct xb_str text XB_CLEANUP(xb_str_release) = {0};
		struct xb_sv rest = xb_sv("Package: ab\nVersion: 1\n" TAIL);
		struct xb_sv name = xb_sv(rows[i].field);

		name = xb_sv_cut(&name, ':');
		while (rest.ptr) {
			struct xb_sv line = xb_sv_cut(&rest, '\n'), field = line;

			if (line.len && !xb_sv_eq(xb_sv_cut(&field, ':'), name))
				xb_str_printf(&text, "%.*s\n", XB_SV_ARG(line));
		}
		xb_str_printf(&text, "%s\n", rows[i].field);
		print_message("%s\n", rows[i].field);
		expect_refused(xb_str_get(&text), rows[i].part);
	}
}

static void refuses_bad_relations(void **state)
{
	static const char *const bad[] = {
		"b (>= 1", "b (>=)", "b (> 1)",	  "b (=> 1)",	  "b (>= )",	"b |",
		"| b",	   "b || c", "b [amd64]", "b <!nocheck>", "b:any:any",	"b (>= 1) c",
		"b,, c",   "b, c,",  "b ()",	  "b (1)",	  "b (>= 1 2)", "b: (>= 1)",
		"b c",	   "B",	     "b (<> 1)",  "b ((>= 1))",	  "b (>= 1))",	"bb\x7f",
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(bad); i++) {
		char *text XB_CLEANUP(xb_free_ptr) =
			xb_printf("Package: ab\nVersion: 1\n" TAIL "Depends: ok (>= 1), b%s\n", bad[i]);

		print_message("%s\n", bad[i]);
		expect_refused(text, "package 'ab' at byte 0: not a dependency:");
	}
}

static void bounds_what_it_reads(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	static const char nul[] = "Package: ab\nVersion: 1\0 2\n" TAIL;

	(void)state;
	/* A line of a megabyte in a field that is dropped counts as well. */
	xb_str_append(&text, "Package: ab\nDescription: ");
	while (text.len < XB_MAX_STANZA_BYTES + 64)
		xb_str_append_char(&text, 'x');
	expect_error(reduce(text.data, text.len, &out, &err), &err, XB_E_INPUT, "1 MiB");
	xb_str_append(&text, " y");
	while (text.len < XB_MAX_STANZA_BYTES * 3)
		xb_str_append_char(&text, 'x');
	expect_error(reduce(text.data, text.len, &out, &err), &err, XB_E_INPUT, "1 MiB");
	expect_error(reduce(nul, sizeof(nul) - 1, &out, &err), &err, XB_E_INPUT, "NUL");
	/* A long list of alternatives would make a reader that recurses run out of stack. */
	xb_str_reset(&text);
	xb_str_append(&text, "Package: ab\nVersion: 1\n" TAIL "Depends: aa");
	for (int i = 0; i < 10000; i++)
		xb_str_append(&text, "|bb");
	expect_error(reduce(text.data, text.len, &out, &err), &err, XB_E_INPUT, "too many alternatives");
}

/* Whatever the size of what read() gives, the result is the same: lines and stanzas cross blocks. */
static void stops_when_interrupted(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0}, out XB_CLEANUP(xb_str_release) = {0};
	volatile int interrupted = 1;

	(void)state;
	while (text.len < 1024 * 1024) /* more than is read when the index is opened */
		xb_str_append(&text, "Package: aa\nVersion: 1\n" TAIL "\n");
	expect_error(reduce_until(text.data, text.len, &interrupted, &out, &err), &err, XB_E_INTERRUPTED, "Packages");
	interrupted = 0;
	xb_str_reset(&out);
	expect_ok(reduce_until(text.data, text.len, &interrupted, &out, &err), &err);
}

static void long_index(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_str expected XB_CLEANUP(xb_str_release) = {0};

	(void)state;
	for (int i = 0; i < 5000; i++) {
		xb_str_printf(&text, "Package: p%d\nDescription: %0*d\nVersion: %d\n" TAIL "\n", i, i % 777 + 1, i, i);
		xb_str_printf(&expected, "Package: p%d\nVersion: %d\n" TAIL "\n", i, i);
	}
	expect_ok(reduce(text.data, text.len, &out, &err), &err);
	assert_true(text.len > 2 * XB_MIB);
	assert_string_equal(xb_str_get(&out), xb_str_get(&expected));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_what_solving_needs),
		cmocka_unit_test(joins_lines_and_ends_without_newline),
		cmocka_unit_test(refuses_what_is_missing_or_twice),
		cmocka_unit_test(refuses_bad_values),
		cmocka_unit_test(refuses_bad_relations),
		cmocka_unit_test(bounds_what_it_reads),
		cmocka_unit_test(stops_when_interrupted),
		cmocka_unit_test(long_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
