/* SPDX-License-Identifier: Apache-2.0 */
/* What the reader refuses, and where it says that it does; what it accepts, node by node; and that it stays quick. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "xbuild/base/limits.h"
#include "xbuild/base/str.h"
#include "xbuild/sys/yaml.h"

/* sizeof, not strlen: a text may hold a NUL. */
#define TEXT(literal)                                                                                                  \
	{                                                                                                              \
		literal, sizeof(literal) - 1                                                                           \
	}

struct parsed {
	struct xb_arena arena;
	struct xb_diags diags;
	struct xb_err err;
	struct xb_yaml *root;
	int rc;
};

static void parse(struct parsed *p, struct xb_sv text)
{
	*p = (struct parsed){0};
	p->rc = xb_yaml_parse(text, "t.yaml", &p->arena, &p->root, &p->diags, &p->err);
	assert_int_equal(p->rc, p->err.code);
	assert_true(p->rc == 0 ? p->diags.list.len == 0 : p->rc == XB_E_INPUT && p->diags.list.len > 0);
	assert_true(p->rc < 0 || p->root);
}

static void drop(struct parsed *p)
{
	xb_arena_release(&p->arena);
	xb_diags_release(&p->diags);
	xb_err_release(&p->err);
}

/* Appends the tree in one form: 'plain', "quoted", [list], {map}. */
static void render(const struct xb_yaml *node, struct xb_str *out)
{
	if (node->refused) {
		xb_str_append(out, "refused");
		return;
	}
	if (node->kind == XB_YAML_SCALAR) {
		xb_str_printf(out, node->quoted ? "\"%s\"" : "'%s'", node->text.ptr);
		assert_int_equal(strlen(node->text.ptr), node->text.len);
		return;
	}
	xb_str_append(out, node->kind == XB_YAML_LIST ? "[" : "{");
	for (size_t i = 0; i < node->n_items; i++) {
		if (i)
			xb_str_append(out, ", ");
		if (node->kind == XB_YAML_MAP) {
			render(node->keys[i], out);
			xb_str_append(out, ": ");
		}
		render(node->items[i], out);
	}
	xb_str_append(out, node->kind == XB_YAML_LIST ? "]" : "}");
	if (node->partial)
		xb_str_append(out, " partial");
}

static void test_accepted(void **state)
{
	static const struct {
		const char *text, *tree;
	} cases[] = {
		{"", "{}"},
		{"# only a comment\n", "{}"},
		{"---\n", "{}"},
		{"a: b\n", "{'a': 'b'}"},
		{"---\na: b\n...\n", "{'a': 'b'}"},
		{"a: b\r\nc: d\r\n", "{'a': 'b', 'c': 'd'}"},
		{"a: [x, 'y', \"z\"]\n", "{'a': ['x', \"y\", \"z\"]}"},
		{"a:\n- b\n- c: d\n  e: f\n", "{'a': ['b', {'c': 'd', 'e': 'f'}]}"},
		/* No type is guessed, whatever YAML 1.1 says about these. */
		{"[no, on, 0x1f, 010, 1e3, .inf, 1_000, 2001-01-01, ~, null, '']",
		 "['no', 'on', '0x1f', '010', '1e3', '.inf', '1_000', '2001-01-01', '~', 'null', \"\"]"},
		{"a:\nb: ''\n", "{'a': '', 'b': \"\"}"},
		{"a: |\n  x\n  y\n", "{'a': \"x\ny\n\"}"},
		{"'<<': x\n", "{\"<<\": 'x'}"},
		{"a: \"\\u00e4\\t\"\n", "{'a': \"\xc3\xa4\t\"}"},
		{"\xc3\xa4: \xf0\x9f\x98\x80\n", "{'\xc3\xa4': '\xf0\x9f\x98\x80'}"},
		{"scalar", "'scalar'"},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		struct xb_str found XB_CLEANUP(xb_str_release) = {0};
		struct parsed p;

		parse(&p, xb_sv(cases[i].text));
		if (p.rc < 0)
			fail_msg("'%s': %s", cases[i].text, p.diags.list.items[0].message);
		render(p.root, &found);
		assert_string_equal(xb_str_get(&found), cases[i].tree);
		drop(&p);
	}
}

static void test_refused(void **state)
{
	static const struct {
		struct xb_sv text;
		int line, col;
		const char *says;
	} cases[] = {
		{TEXT("a: &x [b]\nc: *x\n"), 1, 4, "anchors"},
		{TEXT("a: *x\n"), 1, 4, "aliases"},
		{TEXT("&a [*a]\n"), 1, 1, "anchors"},
		{TEXT("a: &x b\n"), 1, 4, "anchors"},
		{TEXT("a: !!str b\n"), 1, 4, "tags"},
		{TEXT("a: !foo b\n"), 1, 4, "tags"},
		{TEXT("a: !foo [b]\n"), 1, 4, "tags"},
		{TEXT("a: !<tag:x> {}\n"), 1, 4, "tags"},
		{TEXT("a: ! b\n"), 1, 4, "tags"},
		{TEXT("a: !!python/object/apply:os.system [id]\n"), 1, 4, "tags"},
		{TEXT("a: 1\n<<: {b: 2}\n"), 2, 1, "merge keys"},
		{TEXT("%YAML 1.1\n---\na: b\n"), 1, 1, "directives"},
		{TEXT("%TAG ! tag:x,2000:\n---\na: b\n"), 1, 1, "directives"},
		{TEXT("a: b\n---\nc: d\n"), 2, 1, "second document"},
		{TEXT("--- a\n--- b\n"), 2, 1, "second document"},
		{TEXT("a: 1\nb: 2\na: 3\n"), 3, 1, "duplicate key 'a'"},
		{TEXT("a: 1\n'a': 3\n"), 2, 1, "duplicate key 'a'"},
		{TEXT("a: 1\n\"\\x61\": 3\n"), 2, 1, "duplicate key 'a'"},
		{TEXT("[a]: b\n"), 1, 1, "key must be a word"},
		{TEXT("{a: b}: c\n"), 1, 1, "key must be a word"},
		{TEXT("a: \0b\n"), 1, 4, "U+0000"},
		{TEXT("a: \x1b[31m\n"), 1, 4, "U+001B"},
		{TEXT("a: \x7f\n"), 1, 4, "U+007F"},
		{TEXT("a: \xc2\x85\n"), 1, 4, "U+0085"},
		{TEXT("a: \xc2\x9b\n"), 1, 4, "U+009B"},
		{TEXT("a: \xe2\x80\xa8\n"), 1, 4, "U+2028"},
		{TEXT("a: b\rc: d\n"), 1, 5, "carriage return"},
		{TEXT("\xef\xbb\xbf"
		      "a: b\n"),
		 1, 1, "byte order mark"},
		{TEXT("a: \xef\xbb\xbf\n"), 1, 4, "byte order mark"},
		{TEXT("\xff\xfe"
		      "a\0"),
		 1, 1, "not UTF-8"},
		{TEXT("a: \xe2\x80\xae\n"), 1, 4, "U+202E"},
		{TEXT("a: \xe2\x81\xa6\n"), 1, 4, "U+2066"},
		{TEXT("# \xe2\x80\x8f\n"), 1, 3, "U+200F"},
		{TEXT("a: \"\\u202e\"\n"), 1, 4, "U+202E"},
		{TEXT("a: \"\\0\"\n"), 1, 4, "U+0000"},
		{TEXT("a: \"\\e[31m\"\n"), 1, 4, "U+001B"},
		{TEXT("\"\\0a\": b\n"), 1, 1, "U+0000"},
		{TEXT("a: \"\\ud800\"\n"), 1, 7, "invalid Unicode"},
		{TEXT("a: \x80\n"), 1, 4, "not UTF-8"},
		{TEXT("a: \xc3\n"), 1, 4, "not UTF-8"},
		{TEXT("a: \xc0\x80\n"), 1, 4, "not UTF-8"},
		{TEXT("a: \xe0\x80\x80\n"), 1, 4, "not UTF-8"},
		{TEXT("a: \xed\xa0\x80\n"), 1, 4, "not UTF-8"},
		{TEXT("a: \xf0\x80\x80\x80\n"), 1, 4, "not UTF-8"},
		{TEXT("a: \xf4\x90\x80\x80\n"), 1, 4, "not UTF-8"},
		{TEXT("a: \xfe\n"), 1, 4, "not UTF-8"},
		{TEXT("a:\n\tb: c\n"), 2, 1, "tab"},
		{TEXT("a: [b\nc: d\n"), 2, 2, "not closed"},
		{TEXT("a: {b: c\n"), 2, 1, "not closed"},
		{TEXT("a: \"b\n"), 2, 1, "quoted text"},
		{TEXT("a: b: c\n"), 1, 5, "':' is not expected"},
		{TEXT("a: @b\n"), 1, 4, "cannot start a word"},
		/* Columns are bytes: the two letters before the second colon are four. */
		{TEXT("\xc3\xa4: \xc3\xb6: c\n"), 1, 7, "':' is not expected"},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		struct parsed p;

		parse(&p, cases[i].text);
		if (p.rc == 0)
			fail_msg("'%s' was let through", cases[i].text.ptr);
		if (!strstr(p.diags.list.items[0].message, cases[i].says))
			fail_msg("expected \"%s\" in \"%s\"", cases[i].says, p.diags.list.items[0].message);
		assert_int_equal(p.diags.list.items[0].at.line, cases[i].line);
		assert_int_equal(p.diags.list.items[0].at.col, cases[i].col);
		assert_string_equal(p.diags.list.items[0].at.file, "t.yaml");
		drop(&p);
	}
}

/* Every duplicate is told, with the line of the one before it. */
static void test_duplicates(void **state)
{
	struct parsed p;

	(void)state;
	parse(&p, xb_sv("a: 1\nb: {c: 1, c: 2}\na: 3\n"));
	assert_int_equal(p.diags.list.len, 2);
	assert_string_equal(p.diags.list.items[0].message, "duplicate key 'c'");
	assert_int_equal(p.diags.list.items[1].at.line, 3);
	assert_non_null(strstr(p.diags.list.items[1].help, "line 1"));
	drop(&p);
}

/* What can be read on behind a problem: every problem is told, and the nodes say what is not known. */
static void test_reads_on(void **state)
{
	struct str_case {
		const char *text, *tree;
		size_t n_problems;
	};
	static const struct str_case cases[] = {
		{"a: &x [b]\nc: *x\nd: !t e\n", "{'a': ['b'], 'c': refused, 'd': 'e'} partial", 3},
		{"a: 1\n<<: {b: 2}\nc: 3\n", "{'a': '1', 'c': '3'} partial", 1},
		{"? [a, &x b]\n: c\nd: e\n", "{'d': 'e'} partial", 2},
		{"*x : b\nc: [*y, d]\n", "{'c': [refused, 'd'] partial} partial", 2},
		{"%YAML 1.1\n---\na: \"\\e\"\nb: c\n", "{'a': refused, 'b': 'c'} partial", 2},
		{"a: 1\na: &x 2\n", "{'a': '1', 'a': '2'}", 2},
		{"a: &x b\nc: [\n", NULL, 2},
		{"a: &x b\n--- c\n", NULL, 2},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		struct xb_str found XB_CLEANUP(xb_str_release) = {0};
		struct parsed p;

		parse(&p, xb_sv(cases[i].text));
		assert_int_equal(p.rc, XB_E_INPUT);
		assert_int_equal(p.diags.list.len, cases[i].n_problems);
		assert_true((p.root != NULL) == (cases[i].tree != NULL));
		if (p.root) {
			render(p.root, &found);
			assert_string_equal(xb_str_get(&found), cases[i].tree);
		}
		drop(&p);
	}
}

static void test_places(void **state)
{
	const struct xb_yaml *list, *map;
	struct parsed p;

	(void)state;
	parse(&p, xb_sv("first: x\n\xc3\xa4: [ab, 'c d',\n  e]\nmap:\n  k: v\n"));
	list = xb_yaml_get(p.root, "\xc3\xa4");
	assert_int_equal(list->at.line, 2);
	assert_int_equal(list->at.col, 5);
	assert_int_equal(list->items[0]->at.col, 6);
	assert_int_equal(list->items[0]->at.len, 2);
	assert_int_equal(list->items[1]->at.col, 10);
	assert_int_equal(list->items[1]->at.len, 5);
	assert_int_equal(list->items[2]->at.line, 3);
	assert_int_equal(list->items[2]->at.col, 3);
	map = xb_yaml_get(p.root, "map");
	assert_int_equal(map->keys[0]->at.line, 5);
	assert_int_equal(map->keys[0]->at.col, 3);
	assert_int_equal(map->items[0]->at.col, 6);
	assert_null(xb_yaml_get(p.root, "nothing"));
	assert_null(xb_yaml_get(list, "x"));
	drop(&p);
}

/* The text `piece` n times, parsed; the time it took in milliseconds. */
static double time_of(const char *before, const char *piece, size_t n, const char *after, struct parsed *p)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	clock_t start;
	double ms;

	xb_str_append(&text, before);
	for (size_t i = 0; i < n; i++)
		xb_str_append(&text, piece);
	xb_str_append(&text, after);
	start = clock();
	parse(p, xb_str_sv(&text));
	ms = (double)(clock() - start) * 1000 / CLOCKS_PER_SEC;
	return ms;
}

/* Deep files end at level 65, long before libyaml's own cost for 100,000 levels (many seconds) is paid. */
static void test_depth(void **state)
{
	static const char *const pieces[] = {"[", "{a: ", "- ", "[\n", "[[[", "{a: [", "? "};
	struct parsed p;

	(void)state;
	for (size_t i = 0; i < XB_COUNT(pieces); i++) {
		const double ms = time_of("", pieces[i], 100000, "", &p);

		assert_int_equal(p.rc, XB_E_INPUT);
		assert_true(p.diags.list.items[0].at.line <= 65);
		assert_true(strstr(p.diags.list.items[0].message, "too deeply") || pieces[i][0] == '?');
		/* Real times are below 5 ms; the sanitizers and a busy machine need room. */
		assert_true(ms < 500);
		drop(&p);
	}
	time_of("", "[", XB_MAX_YAML_DEPTH, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", &p);
	assert_int_equal(p.rc, 0);
	drop(&p);
	time_of("", "[", XB_MAX_YAML_DEPTH + 1, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
		&p);
	assert_int_equal(p.rc, XB_E_INPUT);
	assert_int_equal(p.diags.list.items[0].at.col, 65);
	drop(&p);
}

static void test_size(void **state)
{
	struct parsed p;

	(void)state;
	/* One line of 99,000 words: the place of each must not cost the length of the line. */
	assert_true(time_of("[", "a,", 99000, "]", &p) < 5000);
	assert_int_equal(p.rc, 0);
	assert_int_equal(p.root->n_items, 99000);
	assert_int_equal(p.root->items[98999]->at.col, 2 + 2 * 98999);
	drop(&p);
	time_of("[", "a,", XB_MAX_YAML_NODES, "]", &p);
	assert_int_equal(p.rc, XB_E_INPUT);
	assert_non_null(strstr(p.diags.list.items[0].message, "too many values"));
	drop(&p);
	time_of("a: ", "x", XB_MAX_YAML_BYTES - 3, "", &p);
	assert_int_equal(p.rc, 0);
	drop(&p);
	time_of("a: ", "x", XB_MAX_YAML_BYTES - 2, "", &p);
	assert_int_equal(p.rc, XB_E_INPUT);
	drop(&p);
	time_of("", "k", 257, ": v\n", &p);
	assert_non_null(strstr(p.diags.list.items[0].message, "key is too long"));
	drop(&p);
}

/* Any cut of a file, and any byte changed in it, is read or refused in peace. The sanitizers watch. */
static void test_mutations(void **state)
{
	static const char sample[] =
		"name: x # c\nbuild:\n  a: {s: [b, 'c', \"d\\n\"]}\n  e: |\n    f\n  g: >-\n    h\n";
	static const char bytes[] = "\0\t\n\r \"#%&'*,-:<>?@[]`{|}!\\\x80\xc3\xff";
	char text[sizeof(sample)];

	(void)state;
	for (size_t i = 0; i < sizeof(sample) - 1; i++) {
		struct parsed p;

		parse(&p, xb_sv_n(sample, i));
		drop(&p);
		for (size_t k = 0; k < sizeof(bytes) - 1; k++) {
			memcpy(text, sample, sizeof(sample));
			text[i] = bytes[k];
			parse(&p, xb_sv_n(text, sizeof(sample) - 1));
			drop(&p);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted), cmocka_unit_test(test_refused),   cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_reads_on), cmocka_unit_test(test_places),	   cmocka_unit_test(test_depth),
		cmocka_unit_test(test_size),	 cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
