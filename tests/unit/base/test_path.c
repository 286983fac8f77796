/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sample.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/attr.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"

static const char letters[] = "a./"; /* of these every path up to some length is tried */

static char *clean(const char *path)
{
	struct xb_str out = {0};

	xb_path_clean(xb_sv(path), &out);
	return xb_str_steal(&out);
}

static void join_table(void **state)
{
	static const struct {
		const char *a, *b, *joined;
	} rows[] = {
		{"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"/", "b", "/b"},  {"a", "/b", "/b"},	   {"", "b", "b"},
		{"a", "", "a"},	   {"", "", ""},       {".", "b", "./b"}, {"a", "../b", "a/../b"},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		char *joined XB_CLEANUP(xb_free_ptr) = xb_path_join(rows[i].a, rows[i].b);

		assert_string_equal(joined, rows[i].joined);
	}
}

static void clean_table(void **state)
{
	static const struct {
		const char *path, *cleaned;
	} rows[] = {
		{"", "."},
		{".", "."},
		{"./", "."},
		{"./.", "."},
		{"a", "a"},
		{"a/", "a"},
		{"./a", "a"},
		{"a//b", "a/b"},
		{"a/./b", "a/b"},
		{"a/../b", "b"},
		{"a/..", "."},
		{"a/b/..", "a"},
		{"..", ".."},
		{"../", ".."},
		{"../..", "../.."},
		{"a/../..", ".."},
		{"../a/..", ".."},
		{"../a/../../b", "../../b"},
		{"/", "/"},
		{"//", "/"},
		{"/..", "/"},
		{"/../a", "/a"},
		{"/a/..", "/"},
		{"/a/../../b", "/b"},
		{"/a/b/../c", "/a/c"},
		{"...", "..."},
		{"a/.../b", "a/.../b"},
		{"..a", "..a"},
		{"a..", "a.."},
		{"..a/..", "."},
		{"a b/\xc3\xa4", "a b/\xc3\xa4"},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		char *cleaned XB_CLEANUP(xb_free_ptr) = clean(rows[i].path);

		assert_string_equal(cleaned, rows[i].cleaned);
	}
}

static void clean_replaces_what_out_held(void **state)
{
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};

	(void)state;
	xb_path_clean(xb_sv("first/one"), &out);
	xb_path_clean(xb_sv("/b/"), &out);
	assert_string_equal(out.data, "/b");
	xb_path_clean(xb_sv(NULL), &out);
	assert_string_equal(out.data, ".");
	assert_int_equal(out.len, 1);
}

/* Idempotent, as absolute as before, and every component that is left has a reason to be there. */
static void clean_paths_are_clean(void **state)
{
	char path[9] = "";

	(void)state;
	do {
		char *once XB_CLEANUP(xb_free_ptr) = clean(path);
		char *twice XB_CLEANUP(xb_free_ptr) = clean(once);
		struct xb_sv rest = xb_sv(once);
		bool named = false;

		assert_string_equal(once, twice);
		assert_int_equal(once[0] == '/', path[0] == '/');
		if (!strcmp(once, ".") || !strcmp(once, "/"))
			continue;
		if (once[0] == '/')
			xb_sv_cut(&rest, '/');
		while (rest.ptr) {
			struct xb_sv part = xb_sv_cut(&rest, '/');
			bool up = xb_sv_eq_str(part, "..");

			assert_true(part.len > 0);
			assert_false(xb_sv_eq_str(part, "."));
			assert_false(up && (named || once[0] == '/'));
			named = !up;
		}
	} while (sample_next_text(path, 8, letters));
}

static void safe_table(void **state)
{
	static const char *const safe[] = {
		"a",  "a/b", "usr/lib/x86_64-linux-gnu/libc.so.6", "...", "a/..b", ".hidden", "a b", "\xc3\xa4",
		"-x", "a\\b"};
	static const char *const unsafe[] = {"",       "/",    "/a", ".",   "..",   "./a",     "a/.",	"../a", "a/..",
					     "a/../b", "a//b", "a/", "//a", "a\nb", "a\x1b[m", "a\x7f", "\t"};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(safe); i++) {
		if (!xb_path_is_safe(xb_sv(safe[i])))
			fail_msg("'%s' was refused", safe[i]);
	}
	for (size_t i = 0; i < XB_COUNT(unsafe); i++) {
		if (xb_path_is_safe(xb_sv(unsafe[i])))
			fail_msg("'%s' was let through", unsafe[i]);
	}
	assert_false(xb_path_is_safe(xb_sv_n("a\0b", 3)));
	assert_false(xb_path_is_safe(xb_sv(NULL)));
}

static void safe_paths_have_limits(void **state)
{
	struct xb_str path XB_CLEANUP(xb_str_release) = {0};
	char name[XB_MAX_NAME_BYTES + 2];

	(void)state;
	memset(name, 'n', sizeof(name));
	assert_true(xb_path_is_safe(xb_sv_n(name, XB_MAX_NAME_BYTES)));
	assert_false(xb_path_is_safe(xb_sv_n(name, XB_MAX_NAME_BYTES + 1)));

	for (int i = 0; i < XB_MAX_PATH_DEPTH; i++)
		xb_str_append(&path, i ? "/a" : "a");
	assert_true(xb_path_is_safe(xb_str_sv(&path)));
	xb_str_append(&path, "/a");
	assert_false(xb_path_is_safe(xb_str_sv(&path)));

	xb_str_reset(&path);
	while (path.len < XB_MAX_PATH_BYTES)
		xb_str_append_char(&path, path.len % 200 == 199 ? '/' : 'a');
	assert_true(xb_path_is_safe(xb_str_sv(&path)));
	xb_str_append_char(&path, 'a');
	assert_false(xb_path_is_safe(xb_str_sv(&path)));
}

static void safe_paths_are_clean(void **state)
{
	char path[9] = "";

	(void)state;
	do {
		char *cleaned XB_CLEANUP(xb_free_ptr) = clean(path);
		bool climbs = !strcmp(cleaned, ".") || !strcmp(cleaned, "..") || xb_sv_starts(xb_sv(cleaned), "../");

		/* These letters are neither long nor control bytes: nothing else can make a path unsafe. */
		assert_int_equal(xb_path_is_safe(xb_sv(path)), !strcmp(cleaned, path) && path[0] != '/' && !climbs);
	} while (sample_next_text(path, 8, letters));
}

static void below_table(void **state)
{
	static const struct {
		const char *path, *dir;
		bool below;
	} rows[] = {
		{"a", "a", true},     {"a/b", "a", true},     {"ab", "a", false},	{"a", "a/b", false},
		{"a", ".", true},     {".", ".", true},	      {".", "a", false},	{"..", ".", false},
		{"../a", ".", false}, {"/", "/", true},	      {"/a", "/", true},	{"/a/b", "/a", true},
		{"/ab", "/a", false}, {"a", "/", false},      {"/a", ".", false},	{"../a/b", "../a", true},
		{"../a", "..", true}, {"../..", "..", false}, {"../../a", "..", false}, {"a", "..", true},
		{"a", "../a", false}, {"..a", "..", true},    {"..a", ".", true},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		if (xb_path_is_below(xb_sv(rows[i].path), xb_sv(rows[i].dir)) != rows[i].below)
			fail_msg("'%s' below '%s' is not %d", rows[i].path, rows[i].dir, rows[i].below);
	}
}

static void relative_table(void **state)
{
	static const struct {
		const char *from, *to, *relative;
	} rows[] = {
		{"a", "a", "."},	  {"a", "a/b", "b"},	    {"a/b", "a", ".."},	    {"a/b", "a/c", "../c"},
		{"a", "ab", "../ab"},	  {".", "a", "a"},	    {"a", ".", ".."},	    {".", ".", "."},
		{"/", "/", "."},	  {"/", "/a/b", "a/b"},	    {"/a/b", "/", "../.."}, {"/a/b", "/c", "../../c"},
		{"a", "../b", "../../b"}, {"../a", "../b", "../b"}, {"..", "../a", "a"},    {"../..", "..", NULL},
		{"../x", "y", NULL},	  {"..", "../..", ".."},    {".", "..", ".."},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		char *relative XB_CLEANUP(xb_free_ptr) = xb_path_relative(rows[i].from, rows[i].to);

		assert_string_equal(relative ? relative : "(null)", rows[i].relative ? rows[i].relative : "(null)");
	}
}

/* Walking the relative path from `from` leads to `to`; and what lies below needs no "..". */
static void relative_leads_there(void **state)
{
	char a[6] = "";

	(void)state;
	do {
		char *from XB_CLEANUP(xb_free_ptr) = clean(a);
		char b[6] = "";

		if (strcmp(a, from) != 0)
			continue;
		do {
			char *to XB_CLEANUP(xb_free_ptr) = clean(b);
			char *relative XB_CLEANUP(xb_free_ptr) = NULL, *joined XB_CLEANUP(xb_free_ptr) = NULL;
			char *arrived XB_CLEANUP(xb_free_ptr) = NULL;
			bool climbs;

			if (strcmp(b, to) != 0 || (from[0] == '/') != (to[0] == '/'))
				continue;
			relative = xb_path_relative(from, to);
			if (!relative) {
				assert_true(xb_sv_starts(xb_sv(from), ".."));
				continue;
			}
			joined = xb_path_join(from, relative);
			arrived = clean(joined);
			assert_string_equal(arrived, to);
			climbs = !strcmp(relative, "..") || xb_sv_starts(xb_sv(relative), "../");
			assert_int_equal(xb_path_is_below(xb_sv(to), xb_sv(from)), !climbs);
		} while (sample_next_text(b, 5, letters));
	} while (sample_next_text(a, 5, letters));
}

static void parts_table(void **state)
{
	static const struct {
		const char *path, *dir, *base, *ext;
	} rows[] = {
		{"", "", "", ""},
		{"a", "", "a", ""},
		{"a.c", "", "a.c", ".c"},
		{"src/a.c", "src", "a.c", ".c"},
		{"/a.tar.gz", "/", "a.tar.gz", ".gz"},
		{"/", "/", "", ""},
		{"a/b/", "a", "b", ""},
		{"a//b", "a", "b", ""},
		{"//b", "/", "b", ""},
		{"a.d/b", "a.d", "b", ""},
		{".profile", "", ".profile", ""},
		{".a.c", "", ".a.c", ".c"},
		{".", "", ".", ""},
		{"..", "", "..", ""},
		{"../..", "..", "..", ""},
		{"a.", "", "a.", ""},
		{"libx.so.1", "", "libx.so.1", ".1"},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		const struct xb_sv path = xb_sv(rows[i].path);

		if (!xb_sv_eq_str(xb_path_dir(path), rows[i].dir) || !xb_sv_eq_str(xb_path_base(path), rows[i].base) ||
		    !xb_sv_eq_str(xb_path_ext(path), rows[i].ext))
			fail_msg("'%s': dir, base or ext is wrong", rows[i].path);
	}
	assert_int_equal(xb_path_base(xb_sv(NULL)).len, 0);
	assert_int_equal(xb_path_dir(xb_sv(NULL)).len, 0);
	assert_int_equal(xb_path_ext(xb_sv(NULL)).len, 0);
}

static void dir_and_base_make_the_path(void **state)
{
	char path[8] = "";

	(void)state;
	do {
		char *cleaned XB_CLEANUP(xb_free_ptr) = clean(path);
		char *dir XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_path_dir(xb_sv(cleaned)));
		char *base XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_path_base(xb_sv(cleaned)));
		char *joined XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, base);

		assert_string_equal(joined, cleaned);
		assert_null(strchr(base, '/'));
	} while (sample_next_text(path, 7, letters));
}

static void glob_table(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool match;
	} rows[] = {
		{"a.c", "a.c", true},
		{"a.c", "b.c", false},
		{"*.c", "a.c", true},
		{"*.c", ".c", true},
		{"*.c", "src/a.c", false},
		{"*", "", true},
		{"*", "a/b", false},
		{"src/*.c", "src/a.c", true},
		{"src/*.c", "src/sub/a.c", false},
		{"src/*/*.c", "src/sub/a.c", true},
		{"a?c", "abc", true},
		{"a?c", "a/c", false},
		{"a?c", "ac", false},
		{"a?c",
		 "a\xc3\xa4"
		 "c",
		 true},
		{"a*b*c", "aXbXbXc", true},
		{"a*b*c", "aXbXbX", false},
		{"**", "", true},
		{"**", "a/b/c", true},
		{"**", "/a", true},
		{"**/*.c", "a.c", true},
		{"**/*.c", "x/y/a.c", true},
		{"**/*.c", "x/y/a.h", false},
		{"src/**", "src", true},
		{"src/**", "src/a/b", true},
		{"src/**", "srca", false},
		{"src/**/*.c", "src/a.c", true},
		{"src/**/*.c", "src/x/y/a.c", true},
		{"src/**/*.c", "lib/x/a.c", false},
		{"src/**/test/**/*.c", "src/a/test/b/test/c.c", true},
		{"src/**/test/**/*.c", "src/a/b/c.c", false},
		{"**/a/**/a", "a/b/a/b", false},
		{"a**", "ab", true}, /* not a component of its own: two stars are one */
		{"a**", "a/b", false},
		{"a**b/c", "axb/c", true},
		{"/a/*", "/a/b", true},
		{"/a/*", "a/b", false},
		{"[ab]", "a", false}, /* no classes */
		{"[ab]", "[ab]", true},
		{"", "", true},
		{"", "a", false},
		{"a", "", false},
		{"a/", "a", false},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		if (xb_path_glob(xb_sv(rows[i].pattern), xb_sv(rows[i].path)) != rows[i].match)
			fail_msg("glob '%s' on '%s' is not %d", rows[i].pattern, rows[i].path, rows[i].match);
	}
}

/* The definition written down: tries every way, and takes exponential time. */
static bool glob_by_definition(const char *pattern, const char *path, bool at_component)
{
	const bool deep = at_component && pattern[0] == '*' && pattern[1] == '*';

	if (deep && pattern[2] == '\0')
		return true;
	if (deep && pattern[2] == '/') {
		while (!glob_by_definition(pattern + 3, path, true)) {
			path = strchr(path, '/');
			if (!path)
				return false;
			path++;
		}
		return true;
	}
	/* "x/" + "**" at the end also matches x itself. */
	if (!*path && !strcmp(pattern, "/**"))
		return true;
	if (!*path && !strncmp(pattern, "/**/", 4))
		return glob_by_definition(pattern + 3, path, false);
	switch (*pattern) {
	case '\0':
		return !*path;
	case '*':
		for (const char *p = path;; p++) {
			if (glob_by_definition(pattern + 1, p, false))
				return true;
			if (!*p || *p == '/')
				return false;
		}
	case '?':
		return *path && *path != '/' && glob_by_definition(pattern + 1, path + 1, false);
	default:
		return *path == *pattern && glob_by_definition(pattern + 1, path + 1, *pattern == '/');
	}
}

static void glob_does_what_the_definition_says(void **state)
{
	char pattern[7] = "";

	(void)state;
	do {
		char path[5] = "";

		do {
			bool expected = glob_by_definition(pattern, path, true);

			if (xb_path_glob(xb_sv(pattern), xb_sv(path)) != expected)
				fail_msg("glob '%s' on '%s' is not %d", pattern, path, expected);
		} while (sample_next_text(path, 4, "ab/"));
	} while (sample_next_text(pattern, 6, "a*?/"));
}

/* A matcher that tries every way would not come back from this within the life of the machine. */
static void glob_takes_no_exponential_time(void **state)
{
	struct xb_str pattern XB_CLEANUP(xb_str_release) = {0}, path XB_CLEANUP(xb_str_release) = {0};

	(void)state;
	for (int i = 0; i < 60; i++) {
		xb_str_append(&pattern, "**/a*a*a*a*b/");
		xb_str_append(&path, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab/");
	}
	xb_str_append(&pattern, "x");
	xb_str_append(&path, "y");
	assert_false(xb_path_glob(xb_str_sv(&pattern), xb_str_sv(&path)));
	path.data[path.len - 1] = 'x';
	assert_true(xb_path_glob(xb_str_sv(&pattern), xb_str_sv(&path)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(join_table),
		cmocka_unit_test(clean_table),
		cmocka_unit_test(clean_replaces_what_out_held),
		cmocka_unit_test(clean_paths_are_clean),
		cmocka_unit_test(safe_table),
		cmocka_unit_test(safe_paths_have_limits),
		cmocka_unit_test(safe_paths_are_clean),
		cmocka_unit_test(below_table),
		cmocka_unit_test(relative_table),
		cmocka_unit_test(relative_leads_there),
		cmocka_unit_test(parts_table),
		cmocka_unit_test(dir_and_base_make_the_path),
		cmocka_unit_test(glob_table),
		cmocka_unit_test(glob_does_what_the_definition_says),
		cmocka_unit_test(glob_takes_no_exponential_time),
	};

	return cmocka_run_group_tests_name("base/path", tests, NULL, NULL);
}
