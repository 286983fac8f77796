/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/diag.h"
#include "xbuild/model/project.h"
#include "xbuild/model/project_edit.h"

static const char *const sysroot[] = {"sysroot", "packages", NULL};
static const char *const image[] = {"image", "api", "packages", NULL};

/* words: at most three, NULL-terminated */
static int edit(const char *text, const char *const *path, const char *const *words, bool is_remove, struct xb_str *out,
		struct xb_err *err)
{
	struct xb_project_edit e = {.path = path, .words = words, .remove = is_remove};

	while (words[e.n_words])
		e.n_words++;
	return xb_project_edit(xb_sv(text), "xbuild.yaml", &e, out, err);
}

static void expect_edit(const char *const *path, bool is_remove, const char *text, const char *const *words,
			const char *expected)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};

	if (edit(text, path, words, is_remove, &out, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	assert_string_equal(xb_str_get(&out), expected);
}

#define ONE(a)	  ((const char *const[]){a, NULL})
#define TWO(a, b) ((const char *const[]){a, b, NULL})

static void adds_to_one_line(void **state)
{
	(void)state;
	expect_edit(sysroot, false, "sysroot:\n  packages: []  # more\n", ONE("a"),
		    "sysroot:\n  packages: [a]  # more\n");
	expect_edit(sysroot, false, "sysroot:\n  packages: [ a, \"b\" ] # x\n# y\n", TWO("c", "d"),
		    "sysroot:\n  packages: [ a, \"b\", c, d ] # x\n# y\n");
	expect_edit(sysroot, false, "sysroot: { debian: x, packages: [a,] }", ONE("b"),
		    "sysroot: { debian: x, packages: [a, b,] }");
	expect_edit(sysroot, false, "sysroot:\n  packages: [\n    a, # one\n    b  # two ] no end\n  ]\n",
		    TWO("c", "d"),
		    "sysroot:\n  packages: [\n    a, # one\n    b,  # two ] no end\n    c,\n    d\n  ]\n");
	expect_edit(sysroot, false, "sysroot:\n  packages: [\n    a,\n    'b' , # two\n    # end\n  ]\n", TWO("c", "d"),
		    "sysroot:\n  packages: [\n    a,\n    'b' , # two\n    c,\n    d,\n    # end\n  ]\n");
	expect_edit(sysroot, false, "sysroot:\r\n  packages: [\r\n    a\r\n  ]\r\n", TWO("c", "d"),
		    "sysroot:\r\n  packages: [\r\n    a,\r\n    c,\r\n    d\r\n  ]\r\n");
	expect_edit(sysroot, false, "sysroot:\n  packages: [\n    a,\n    b] # two\n", TWO("c", "d"),
		    "sysroot:\n  packages: [\n    a,\n    b,\n    c,\n    d] # two\n");
	expect_edit(sysroot, false, "sysroot:\n  packages: [a, b\n  ] # two\n", ONE("c"),
		    "sysroot:\n  packages: [a, b, c\n  ] # two\n");
}

/* A comment behind an item stays behind it, whatever else is in the line. */
static void adds_behind_comments(void **state)
{
	(void)state;
	expect_edit(sysroot, false, "sysroot:\n  packages: [\n    libtally-dev # counts\n  ]\n", ONE("libssl-dev"),
		    "sysroot:\n  packages: [\n    libtally-dev, # counts\n    libssl-dev\n  ]\n");
	expect_edit(sysroot, false, "sysroot:\r\n  packages: [\r\n    a,\r\n    \"b\" # two\r\n  ]\r\n", TWO("c", "d"),
		    "sysroot:\r\n  packages: [\r\n    a,\r\n    \"b\", # two\r\n    c,\r\n    d\r\n  ]\r\n");
	expect_edit(sysroot, false, "sysroot:\n  packages: [a, 'b' # two\n  ]\n", TWO("c", "d"),
		    "sysroot:\n  packages: [a, 'b', # two\n             c,\n             d\n  ]\n");
	expect_edit(sysroot, false, "sysroot:\n  packages: [\n      a, b, # two\n  ]\n", ONE("c"),
		    "sysroot:\n  packages: [\n      a, b, # two\n      c,\n  ]\n");
	expect_edit(sysroot, false, "sysroot:\n  packages: [\n    a # one\n    , b # two\n  ]\n", ONE("c"),
		    "sysroot:\n  packages: [\n    a # one\n    , b, # two\n      c\n  ]\n");
	expect_edit(sysroot, false, "sysroot:\n  packages: [\n\t\ta # one\n  ]\n", ONE("b"),
		    "sysroot:\n  packages: [\n\t\ta, # one\n\t\tb\n  ]\n");
	expect_edit(sysroot, false, "sysroot:\n  packages: [ # all\n  ]\n", TWO("a", "b"),
		    "sysroot:\n  packages: [ # all\n    a,\n    b\n  ]\n");
	expect_edit(sysroot, false, "sysroot:\n  packages: [\n    # none yet\n  ]\n", ONE("a"),
		    "sysroot:\n  packages: [\n    a\n    # none yet\n  ]\n");
	expect_edit(image, false, "image:\n    api:\n        packages: [\n            a # one\n        ]\n", ONE("b"),
		    "image:\n    api:\n        packages: [\n            a, # one\n            b\n        ]\n");
}

static void adds_to_lines(void **state)
{
	(void)state;
	expect_edit(sysroot, false,
		    "sysroot:\n  packages:\n    - a # first\n    # between\n    - b # last\n\ntargets: [x]\n",
		    TWO("c", "d"),
		    "sysroot:\n  packages:\n    - a # first\n    # between\n    - b # last\n    - c\n    - "
		    "d\n\ntargets: [x]\n");
	expect_edit(sysroot, false, "sysroot:\n  packages:\n  - a", ONE("b"), "sysroot:\n  packages:\n  - a\n  - b");
	expect_edit(sysroot, false, "sysroot:\r\n  packages:\r\n    -   a\r\nx: y\r\n", TWO("b", "c"),
		    "sysroot:\r\n  packages:\r\n    -   a\r\n    -   b\r\n    -   c\r\nx: y\r\n");
	/* bytes, not characters */
	expect_edit(sysroot, false, "n: \xc3\xa4\xc3\xb6\nsysroot: { debian: \"\xc3\xa4\", packages: [a] }\n", ONE("b"),
		    "n: \xc3\xa4\xc3\xb6\nsysroot: { debian: \"\xc3\xa4\", packages: [a, b] }\n");
}

static void makes_what_is_not_there(void **state)
{
	(void)state;
	expect_edit(sysroot, false, "sysroot:\n  debian: x # y\n  snapshot: latest\n", ONE("a"),
		    "sysroot:\n  debian: x # y\n  packages: [a]\n  snapshot: latest\n");
	expect_edit(sysroot, false, "sysroot:\n  debian: x", ONE("a"), "sysroot:\n  debian: x\n  packages: [a]");
	expect_edit(sysroot, false, "sysroot:\n  suites:\n    - b\n", ONE("a"),
		    "sysroot:\n  packages: [a]\n  suites:\n    - b\n");
	expect_edit(sysroot, false, "sysroot: { debian: x }\n", ONE("a"), "sysroot: { packages: [a], debian: x }\n");
	expect_edit(sysroot, false, "sysroot: # nothing\nx: y\n", TWO("a", "b"),
		    "sysroot: { packages: [a, b] } # nothing\nx: y\n");
	expect_edit(sysroot, false, "sysroot:\n  packages:   # none\n", ONE("a"),
		    "sysroot:\n  packages: [a]   # none\n");
	expect_edit(sysroot, false, "name: x\r\n\r\n# where\r\n# to\r\ntargets: [y]\r\n", ONE("a"),
		    "name: x\r\n\r\nsysroot:\r\n  packages: [a]\r\n\r\n# where\r\n# to\r\ntargets: [y]\r\n");
	expect_edit(sysroot, false, "name: x\nbuild:\n  y: {}\n", ONE("a"),
		    "name: x\nsysroot:\n  packages: [a]\n\nbuild:\n  y: {}\n");
	expect_edit(sysroot, false, "name: x", ONE("a"), "name: x\nsysroot:\n  packages: [a]");
	expect_edit(image, false, "image:\n  api:\n    base: auto\n    user: x\n", ONE("a"),
		    "image:\n  api:\n    base: auto\n    packages: [a]\n    user: x\n");
	expect_edit(image, false, "image:\n  api: {}\n  b: c\n", ONE("a"),
		    "image:\n  api: { packages: [a] }\n  b: c\n");
}

static void removes(void **state)
{
	const char *list = "sysroot: { packages: [a, b, c] }\n";

	(void)state;
	expect_edit(sysroot, true, list, ONE("a"), "sysroot: { packages: [b, c] }\n");
	expect_edit(sysroot, true, list, ONE("b"), "sysroot: { packages: [a, c] }\n");
	expect_edit(sysroot, true, list, ONE("c"), "sysroot: { packages: [a, b] }\n");
	expect_edit(sysroot, true, list, TWO("b", "c"), "sysroot: { packages: [a] }\n");
	expect_edit(sysroot, true, list, TWO("a", "c"), "sysroot: { packages: [b] }\n");
	expect_edit(sysroot, true, list, TWO("b", "a"), "sysroot: { packages: [c] }\n");
	expect_edit(sysroot, true, list, ((const char *const[]){"a", "b", "c", NULL}), "sysroot: { packages: [] }\n");
	expect_edit(sysroot, true, "sysroot: { packages: [a,] }\n", ONE("a"), "sysroot: { packages: [] }\n");
	expect_edit(sysroot, true, "sysroot: { packages: [a, 'b', ] }\n", ONE("b"), "sysroot: { packages: [a, ] }\n");
	expect_edit(sysroot, true, "sysroot:\n  packages:\n  - a\n  - b # why\n  # c\n  - c\n", ONE("b"),
		    "sysroot:\n  packages:\n  - a\n  # c\n  - c\n");
	expect_edit(sysroot, true, "sysroot:\n  packages: # all\n  - a\nx: y\n", ONE("a"),
		    "sysroot:\n  packages: [] # all\nx: y\n");
}

#define LINES "sysroot:\n  packages: [\n    a, # why a\n    # of b\n    b, # why b\n    c # why c\n  ] # all\n"

static void removes_lines_of_a_flow_list(void **state)
{
	(void)state;
	expect_edit(sysroot, true, LINES, ONE("a"),
		    "sysroot:\n  packages: [\n    # of b\n    b, # why b\n    c # why c\n  ] # all\n");
	expect_edit(sysroot, true, LINES, ONE("b"),
		    "sysroot:\n  packages: [\n    a, # why a\n    # of b\n    c # why c\n  ] # all\n");
	expect_edit(sysroot, true, LINES, ONE("c"),
		    "sysroot:\n  packages: [\n    a, # why a\n    # of b\n    b, # why b\n  ] # all\n");
	expect_edit(sysroot, true, LINES, ((const char *const[]){"a", "b", "c", NULL}),
		    "sysroot:\n  packages: [\n    # of b\n  ] # all\n");
	expect_edit(sysroot, true, "sysroot:\n  packages: [a, b,\n    c,\n    d, e]\n", TWO("b", "c"),
		    "sysroot:\n  packages: [a,\n    d, e]\n");
	expect_edit(sysroot, true, "sysroot:\n  packages: [\n    a,\n    b]\n", ONE("b"),
		    "sysroot:\n  packages: [\n    a]\n");
	expect_edit(sysroot, true, "sysroot:\n  packages: [\n    a,\n    b, 'c', # both\n    d\n  ]\n", TWO("b", "c"),
		    "sysroot:\n  packages: [\n    a,\n    d\n  ]\n");
	expect_edit(sysroot, true, "sysroot:\r\n  packages: [\r\n    'a', # why a\r\n    \"b\" # why b\r\n  ]\r\n",
		    ONE("b"), "sysroot:\r\n  packages: [\r\n    'a', # why a\r\n  ]\r\n");
	expect_edit(sysroot, true, "sysroot:\n  packages: [\n    a # why a\n    , b # why b\n  ]\n", ONE("b"),
		    "sysroot:\n  packages: [\n    a # why a\n  ]\n");
	expect_edit(image, true, "image:\n    api:\n        packages: [\n            a # why\n        ]\n", ONE("a"),
		    "image:\n    api:\n        packages: [\n        ]\n");
}

#define OWN_LINES "sysroot:\n  packages: [\n    libtally-dev, # counts: do not remove\n    # TLS comes from here\n"

/* A comment line before an item stays, and a comment behind another item too. */
static void removes_between_comments(void **state)
{
	(void)state;
	expect_edit(sysroot, true, OWN_LINES "    libssl-dev # only for tests\n  ]\n", ONE("libssl-dev"),
		    OWN_LINES "  ]\n");
	expect_edit(sysroot, true, OWN_LINES "    libssl-dev # only for tests\n  ]\n", ONE("libtally-dev"),
		    "sysroot:\n  packages: [\n    # TLS comes from here\n    libssl-dev # only for tests\n  ]\n");
	expect_edit(sysroot, true, OWN_LINES "    libssl-dev]\n", ONE("libssl-dev"), OWN_LINES "    ]\n");
	expect_edit(sysroot, true, "sysroot:\n  packages: [a, b,\n    # of c\n    c]\n", TWO("b", "c"),
		    "sysroot:\n  packages: [a,\n    # of c\n    ]\n");
	expect_edit(sysroot, true, "sysroot:\n  packages: [a, # why a\n    c, b,]\n", TWO("b", "c"),
		    "sysroot:\n  packages: [a, # why a\n    ]\n");
	expect_edit(sysroot, true, "sysroot:\n  packages: [a, # why a\n    b, # why b\n    c, d]\n",
		    ((const char *const[]){"b", "c", "d", NULL}), "sysroot:\n  packages: [a, # why a\n    ]\n");
}

static void refuses_what_it_cannot_keep(void **state)
{
	static const char *const texts[] = {
		"sysroot: text\n",
		"sysroot:\n  packages: text\n",
		"sysroot:\n  packages:\n    x: y\n",
		"sysroot:\n  ? packages\n  :\n    - a\n  ? b\n  : c\n",
		"{ name: x }\n",
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(texts); i++) {
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct xb_str out XB_CLEANUP(xb_str_release) = {0};

		/* the complex key is no matter: its list is of the common kind */
		if (edit(texts[i], sysroot, ONE("zz"), false, &out, &err) == 0) {
			assert_int_equal(i, 3);
			continue;
		}
		assert_int_equal(err.code, XB_E_INPUT);
		assert_null(out.data);
		assert_non_null(strstr(err.hint, "sysroot.packages"));
	}
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};

	assert_int_equal(edit("name: x\n", image, ONE("a"), false, &out, &err), XB_E_INPUT);
}

/* Comments that may say something of what stays: the message has the place of the item that they stand behind. */
static void refuses_to_lose_comments(void **state)
{
	static const struct {
		const char *text, *at;
	} cases[] = {
		{"sysroot:\n  packages: [a, b, # both\n    c]\n", "xbuild.yaml:2:17: 'b' "},
		{"sysroot:\n  packages: [\n    a, 'b' # both\n  ]\n", "xbuild.yaml:3:8: 'b' "},
		{"sysroot:\r\n  packages: [b # the list\r\n  ]\r\n", "xbuild.yaml:2:14: 'b' "},
		{"sysroot:\n  packages: [\n    b # why b\n    , c]\n", "xbuild.yaml:2:13: sysroot.packages "},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct xb_str out XB_CLEANUP(xb_str_release) = {0};

		assert_int_equal(edit(cases[i].text, sysroot, ONE("b"), true, &out, &err), XB_E_INPUT);
		assert_null(out.data);
		assert_memory_equal(err.msg, cases[i].at, strlen(cases[i].at));
		assert_string_equal(err.hint, "take b out of sysroot.packages by hand, then run 'xbuild lock'");
	}
}

/* Whatever the file looks like, it is read as before with the packages more; taking them out again gives them back. */
static void template_is_edited(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_str added XB_CLEANUP(xb_str_release) = {0};
	struct xb_str back XB_CLEANUP(xb_str_release) = {0};
	struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
	struct xb_project *project = NULL;

	(void)state;
	xb_project_template("demo", XB_DRIVER_SOURCES, "src/*.c", &text);
	assert_int_equal(edit(xb_str_get(&text), sysroot, TWO("zlib1g-dev", "libssl-dev"), false, &added, &err), 0);
	assert_int_equal(xb_project_parse("/p", "xbuild.yaml", xb_str_sv(&added), &project, &diags, &err), 0);
	assert_int_equal(project->packages.len, 2);
	assert_string_equal(project->packages.items[1], "libssl-dev");
	xb_project_free(project);
	assert_int_equal(edit(xb_str_get(&added), sysroot, TWO("zlib1g-dev", "libssl-dev"), true, &back, &err), 0);
	assert_string_equal(xb_str_get(&back), xb_str_get(&text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adds_to_one_line),
		cmocka_unit_test(adds_behind_comments),
		cmocka_unit_test(adds_to_lines),
		cmocka_unit_test(makes_what_is_not_there),
		cmocka_unit_test(removes),
		cmocka_unit_test(removes_lines_of_a_flow_list),
		cmocka_unit_test(removes_between_comments),
		cmocka_unit_test(refuses_what_it_cannot_keep),
		cmocka_unit_test(refuses_to_lose_comments),
		cmocka_unit_test(template_is_edited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
