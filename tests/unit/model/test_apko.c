/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apko.yaml. tests/cases/apko/NAME.case holds a file, the line "=== expected", and either the diagnostics as for the
 * project file, or "ok" and the /etc/apko.json of it for amd64 with the packages that it names itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../shared.h"
#include "../skip.h"
#include "xbuild/base/path.h"
#include "xbuild/model/apko.h"

#define CASES	  XB_TEST_SOURCE_DIR "/tests/cases/apko"
#define SEPARATOR "=== expected\n"

struct loaded {
	char *dir;
	struct xb_apko *apko;
	struct xb_diags diags;
	struct xb_err err;
	int rc;
};

static void start(struct loaded *l)
{
	const char *tmp = getenv("TMPDIR");

	*l = (struct loaded){0};
	l->dir = xb_printf("%s/xbuild-apko-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(l->dir));
}

static void add_file(const struct loaded *l, const char *name, struct xb_sv text)
{
	char *path = xb_path_join(l->dir, name);
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(text.ptr, 1, text.len, file), text.len);
	assert_int_equal(fclose(file), 0);
	free(path);
}

static void load(struct loaded *l)
{
	l->rc = xb_apko_load(l->dir, "apko.yaml", &l->apko, &l->diags, &l->err);
}

static void stop(struct loaded *l)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	assert_int_equal(xb_fs_remove(l->dir, &err), 0);
	xb_apko_free(l->apko);
	xb_diags_release(&l->diags);
	xb_err_release(&l->err);
	free(l->dir);
}

static void render(const struct loaded *l, struct xb_str *out)
{
	if (l->rc == 0) {
		xb_str_append(out, "ok\n");
		xb_apko_json(l->apko, "amd64", &l->apko->packages, &l->apko->annotations, out);
	}
	for (size_t i = 0; i < l->diags.list.len; i++) {
		const struct xb_diag *diag = &l->diags.list.items[i];

		xb_str_printf(out, "%s:%d:%d: %s\n", diag->at.file, diag->at.line, diag->at.col, diag->message);
		if (diag->help)
			xb_str_printf(out, "  help: %s\n", diag->help);
	}
}

static void check_case(const char *name)
{
	char *path = xb_printf("%s/%s", CASES, name);
	struct xb_err err = {0};
	struct xb_str text = {0}, found = {0};
	const char *expected;
	struct loaded l;

	assert_int_equal(xb_fs_read(path, 1 << 20, &text, &err), 0);
	expected = strstr(xb_str_get(&text), SEPARATOR);
	assert_non_null(expected);
	start(&l);
	add_file(&l, "apko.yaml", xb_sv_n(xb_str_get(&text), (size_t)(expected - xb_str_get(&text))));
	load(&l);
	render(&l, &found);
	if (strcmp(xb_str_get(&found), expected + strlen(SEPARATOR)) != 0)
		fail_msg("%s: found\n%s", name, xb_str_get(&found));
	assert_true(l.rc == 0 || (l.rc == XB_E_INPUT && !l.apko));
	stop(&l);
	xb_str_release(&text);
	xb_str_release(&found);
	free(path);
}

static void test_cases(void **state)
{
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};
	struct xb_err err = {0};
	size_t n = 0;

	(void)state;
	assert_int_equal(xb_fs_list(CASES, &list, &err), 0);
	for (size_t i = 0; i < list.len; i++) {
		if (xb_sv_ends(xb_sv(list.items[i].name), ".case")) {
			check_case(list.items[i].name);
			n++;
		}
	}
	assert_true(n >= 3);
}

/* As the lexer of apko splits: https://github.com/google/shlex, and its tests of quotes and comments. */
static void test_words(void **state)
{
	static const struct {
		const char *text, *words; /* words joined by '|' */
	} cases[] = {
		{"/bin/sh -l", "/bin/sh|-l"},
		{"  a\t b ", "a|b"},
		{"one \"two three\" 'four five'", "one|two three|four five"},
		{"a\\ b \"c\\\"d\" 'e\\f'", "a b|c\"d|e\\f"},
		{"pre'in'post \"\"", "preinpost|"},
		{"a # comment", "a"},
		{"a#b $HOME `x`", "a#b|$HOME|`x`"},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		struct xb_str text = {0}, found = {0};
		struct loaded l;

		xb_str_append(&text, "cmd: |-\n  ");
		xb_str_append(&text, cases[i].text);
		start(&l);
		add_file(&l, "apko.yaml", xb_str_sv(&text));
		load(&l);
		assert_int_equal(l.rc, 0);
		for (size_t k = 0; k < l.apko->cmd.len; k++)
			xb_str_printf(&found, "%s%s", k ? "|" : "", l.apko->cmd.items[k]);
		/* A block text has no blanks at its start. */
		assert_string_equal(xb_str_get(&found), cases[i].words);
		stop(&l);
		xb_str_release(&text);
		xb_str_release(&found);
	}
}

static void test_include(void **state)
{
	struct xb_digest expected;
	struct xb_hasher hasher;
	static const char top[] =
		"include: part.yaml\ncontents: { packages: [top] }\ncmd: mine\nenvironment: { A: top }\n"
		"entrypoint: { shell-fragment: exec top }\n";
	static const char part[] = "contents: { packages: [part], keyring: [k] }\ncmd: theirs\nwork-dir: /part\n"
				   "environment: { A: part, B: part }\narchs: [aarch64]\nlayering: {}\n";
	struct loaded l;

	(void)state;
	start(&l);
	add_file(&l, "apko.yaml", xb_sv(top));
	add_file(&l, "part.yaml", xb_sv(part));
	load(&l);
	assert_int_equal(l.rc, 0);
	assert_int_equal(l.apko->packages.len, 2);
	assert_string_equal(l.apko->packages.items[0], "part");
	assert_string_equal(l.apko->packages.items[1], "top");
	assert_string_equal(l.apko->cmd_text, "mine");
	assert_string_equal(l.apko->workdir, "/part");
	assert_string_equal(l.apko->environment.values[0], "top");
	assert_string_equal(l.apko->environment.names[1], "B");
	assert_string_equal(l.apko->archs.items[0], "arm64");
	assert_true(l.apko->has_layering);
	assert_int_equal(l.apko->entrypoint.len, 3);
	assert_string_equal(l.apko->entrypoint.items[1], "-c");
	xb_hasher_init(&hasher);
	xb_hasher_update(&hasher, top, strlen(top));
	xb_hasher_update(&hasher, part, strlen(part));
	xb_hasher_final(&hasher, &expected);
	assert_true(xb_digest_eq(&expected, &l.apko->digest));
	stop(&l);
}

static void test_include_fails(void **state)
{
	struct loaded l;

	(void)state;
	start(&l);
	add_file(&l, "apko.yaml", xb_sv("include: apko.yaml\n"));
	load(&l);
	assert_int_equal(l.rc, XB_E_INPUT);
	assert_non_null(strstr(l.err.msg, "includes itself"));
	stop(&l);

	start(&l);
	add_file(&l, "apko.yaml", xb_sv("include: part.yaml\n"));
	load(&l);
	assert_int_equal(l.rc, XB_E_NOT_FOUND);
	stop(&l);

	start(&l);
	add_file(&l, "apko.yaml", xb_sv("include: part.yaml\nbad: 1\n"));
	add_file(&l, "part.yaml", xb_sv("worse: 1\n"));
	load(&l);
	assert_int_equal(l.rc, XB_E_INPUT);
	assert_int_equal(l.diags.list.len, 2);
	assert_string_equal(l.diags.list.items[1].at.file, "part.yaml");
	stop(&l);
}

static void test_names(void **state)
{
	struct xb_sv tag;

	(void)state;
	assert_string_equal(xb_apko_arch(xb_sv("x86_64")), "amd64");
	assert_string_equal(xb_apko_arch(xb_sv("arm/v7")), "arm/v7");
	assert_string_equal(xb_apko_apk_arch(xb_sv("arm64")), "aarch64");
	assert_null(xb_apko_arch(xb_sv("vax")));
	assert_string_equal(xb_apko_strip("https://host/a"), "host/a");
	assert_string_equal(xb_apko_strip("@tag http://host/a"), "host/a");
	assert_string_equal(xb_apko_strip("./a"), "./a");
	assert_string_equal(xb_apko_url("@tag https://host/a", &tag), "https://host/a");
	assert_true(xb_sv_eq_str(tag, "tag"));
}

/* The files of other projects are read as they are. */
static void test_fixtures(void **state)
{
	static const char *const files[] = {"apko/apko.yaml",
					    "apko/apko-certs.yaml",
					    "apko/apko-discover.yaml",
					    "apko/layering.yaml",
					    "apko/empty-layering.yaml",
					    "wolfi/base-image-example/apko.yaml",
					    "wolfi/locks/lock/apko.yaml",
					    "wolfi/locks/oci/apko.yaml",
					    "wolfi/locks/wolfi-base/apko.yaml",
					    "wolfi/locks/multi_arch_and_repo/apko.yaml"};
	char *dir XB_CLEANUP(xb_free_ptr) = shared_path("apk");

	(void)state;
	if (!dir)
		skip_without("fixtures of apk packages (XB_SHARED)");
	for (size_t i = 0; i < XB_COUNT(files); i++) {
		struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct xb_apko *apko;

		if (xb_apko_load(dir, files[i], &apko, &diags, &err) < 0)
			fail_msg("%s: %s", files[i], diags.list.len ? diags.list.items[0].message : err.msg);
		assert_true(apko->packages.len > 0);
		xb_apko_free(apko);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),	      cmocka_unit_test(test_words), cmocka_unit_test(test_include),
		cmocka_unit_test(test_include_fails), cmocka_unit_test(test_names), cmocka_unit_test(test_fixtures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
