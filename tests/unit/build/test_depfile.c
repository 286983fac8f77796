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

#include "xbuild/base/str.h"
#include "xbuild/build/depfile.h"

static void parse(struct xb_sv text, struct xb_arena *arena, struct xb_depfile *out)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	if (xb_depfile_parse(text, "x.d", arena, out, &err) < 0)
		fail_msg("%s", err.msg);
}

/* `expected` ends with NULL. */
static void assert_paths(const char *text, const char *const *expected)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_depfile file;
	size_t n = 0;

	parse(xb_sv(text), &arena, &file);
	for (; expected[n]; n++) {
		assert_true(n < file.len);
		assert_string_equal(file.paths[n], expected[n]);
	}
	assert_int_equal(file.len, n);
}

static void test_what_compilers_write(void **state)
{
	(void)state;
	assert_paths("a.o: a.c\n", ((const char *const[]){"a.c", NULL}));
	assert_paths("a.o: a.c \\\n  b.h \\\n  /usr/include/c.h\n",
		     ((const char *const[]){"a.c", "b.h", "/usr/include/c.h", NULL}));
	assert_paths("a.o: a.c \\\r\n  b.h\r\n", ((const char *const[]){"a.c", "b.h", NULL}));
	assert_paths("a.o:\n", ((const char *const[]){NULL}));
	assert_paths("", ((const char *const[]){NULL}));
	assert_paths("a.o: a.c", ((const char *const[]){"a.c", NULL}));
}

static void test_what_linkers_write(void **state)
{
	(void)state;
	assert_paths("app: \\\n  x.o \\\n  /s/libc.so.6\n\nx.o:\n\n/s/libc.so.6:\n",
		     ((const char *const[]){"x.o", "/s/libc.so.6", NULL}));
}

static void test_escapes(void **state)
{
	(void)state;
	assert_paths("a.o: my\\ file.c b\\#.h c$$d.h\n", ((const char *const[]){"my file.c", "b#.h", "c$d.h", NULL}));
	assert_paths("a.o: back\\slash.h a\\\\b.h\n", ((const char *const[]){"back\\slash.h", "a\\\\b.h", NULL}));
	assert_paths("a.o: end\\\\ next\n", ((const char *const[]){"end\\", "next", NULL}));
	assert_paths("a.o: end\\\\\\ next\n", ((const char *const[]){"end\\ next", NULL}));
	assert_paths("a.o: c:name d\n", ((const char *const[]){"c:name", "d", NULL}));
	assert_paths("a\\ b.o: c.c\n", ((const char *const[]){"c.c", NULL}));
	assert_paths("a.o: trailing\\", ((const char *const[]){"trailing\\", NULL}));
}

static void assert_refused(struct xb_sv text)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_depfile file;

	assert_int_equal(xb_depfile_parse(text, "x.d", &arena, &file, &err), XB_E_INPUT);
	assert_non_null(strstr(err.msg, "x.d"));
}

static void test_refuses_what_is_no_rule(void **state)
{
	char *text = malloc(6000);

	(void)state;
	assert_refused(xb_sv("just words\n"));
	assert_refused(xb_sv("just words"));
	assert_refused(xb_sv_n("a.o: b\0c\n", 9));
	memset(text, 'x', 6000);
	memcpy(text, "a: ", 3);
	assert_refused(xb_sv_n(text, 6000));
	free(text);
}

/* Any name survives being written as clang writes it (PrintFilename) and read again. */
static void test_round_trip(void **state)
{
	static const char letters[] = "ab \\#$:.";
	unsigned seed = 12345;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
		struct xb_str text XB_CLEANUP(xb_str_release) = {0};
		char name[12] = "";
		struct xb_depfile file;
		size_t n = 1 + (size_t)round % 9;

		for (size_t i = 0; i < n; i++) {
			seed = seed * 1103515245u + 12345u;
			name[i] = letters[(seed >> 16) % (sizeof(letters) - 1)];
		}
		/* clang cannot write these so that they could be told apart */
		if (name[n - 1] == '\\' || name[n - 1] == ':')
			name[n - 1] = 'z';
		xb_str_append(&text, "o: ");
		for (size_t i = 0; i < n; i++) {
			if (name[i] == '#' || name[i] == ' ') {
				for (size_t k = i; name[i] == ' ' && k > 0 && name[k - 1] == '\\'; k--)
					xb_str_append_char(&text, '\\');
				xb_str_append_char(&text, '\\');
			} else if (name[i] == '$') {
				xb_str_append_char(&text, '$');
			}
			xb_str_append_char(&text, name[i]);
		}
		if (strstr(name, "\\#"))
			continue;
		xb_str_append_char(&text, '\n');
		parse(xb_str_sv(&text), &arena, &file);
		assert_int_equal(file.len, 1);
		assert_string_equal(file.paths[0], name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_compilers_write),
		cmocka_unit_test(test_what_linkers_write),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_refuses_what_is_no_rule),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
