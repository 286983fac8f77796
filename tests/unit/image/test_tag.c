/* SPDX-License-Identifier: Apache-2.0 */
#include "../store/fixture.h"
#include "xbuild/image/tag.h"
#include "xbuild/model/names.h"

#define LONG_BRANCH                                                                                                    \
	"renovate/some-very-long-branch-name-that-goes-on-and-on-and-on-and-on-and-on-and-on-"                         \
	"and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on"

static const char *const awkward[] = {"",      "main",	      "feature/ABC-12_x",  "...",    "--",
				      "-.-.x", "release/1.0", "\xc3\xa9t\xc3\xa9", "a b\tc", "UPPER",
				      "_x",    "x\x01\x7fy",  LONG_BRANCH};

/* The property, said once more without the code under test: [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}. */
static void assert_legal(const char *tag)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	static const char rest[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

	assert_true(strlen(tag) >= 1 && strlen(tag) <= 128);
	assert_int_equal(strspn(tag, first) > 0, 1);
	assert_int_equal(strspn(tag, rest), strlen(tag));
	assert_true(xb_name_is_tag(xb_sv(tag)));
}

static void test_every_tag_is_legal(void **state)
{
	uint32_t x = 7;

	(void)state;
	for (size_t i = 0; i < XB_COUNT(awkward); i++) {
		for (int dirty = 0; dirty < 2; dirty++) {
			struct xb_str tag = {0};

			xb_tag_legal(awkward[i], dirty, &tag);
			assert_legal(tag.data);
			assert_int_equal(xb_sv_ends(xb_str_sv(&tag), "-dirty") || !strcmp(tag.data, "dirty"), dirty);
			xb_str_release(&tag);
		}
	}
	for (int round = 0; round < 5000; round++) {
		struct xb_str tag = {0};
		char text[300];
		size_t len;

		x = x * 1664525 + 1013904223;
		len = (x >> 8) % (sizeof(text) - 1);
		for (size_t i = 0; i < len; i++) {
			x = x * 1664525 + 1013904223;
			text[i] = (char)(1 + (x >> 10) % 255);
		}
		text[len] = '\0';
		xb_tag_legal(text, x & 1, &tag);
		assert_legal(tag.data);
		xb_str_reset(&tag);
		xb_tag_slug(text, 1 + len % 60, &tag);
		assert_legal(tag.data);
		assert_true(tag.len <= (1 + len % 60 > 4 ? 1 + len % 60 : 4));
		xb_str_release(&tag);
	}
}

static void test_slug(void **state)
{
	static const struct {
		const char *branch;
		size_t max;
		const char *slug;
	} rows[] = {{"main", 99, "main"},
		    {"feature/ABC-12_x", 99, "feature-abc-12_x"},
		    {"feature/ABC", 7, "feature"},
		    {"", 99, "head"},
		    {"..", 99, "head"},
		    {"-.fix", 99, "fix"},
		    {"a\xc3\xa9", 99, "a--"},
		    {"_x", 99, "_x"}};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		struct xb_str slug = {0};

		xb_tag_slug(rows[i].branch, rows[i].max, &slug);
		assert_string_equal(slug.data, rows[i].slug);
		xb_str_release(&slug);
	}
}

static void test_legal(void **state)
{
	struct xb_str tag = {0};
	char longer[200];

	(void)state;
	xb_tag_legal("1.0+rc 1", false, &tag);
	assert_string_equal(tag.data, "1.0-rc-1");
	xb_str_reset(&tag);
	xb_tag_legal("main-1-abc", true, &tag);
	assert_string_equal(tag.data, "main-1-abc-dirty");
	xb_str_reset(&tag);
	xb_tag_legal("1.0-dirty", true, &tag);
	assert_string_equal(tag.data, "1.0-dirty");
	xb_str_reset(&tag);
	memset(longer, 'a', sizeof(longer));
	memcpy(longer + sizeof(longer) - 5, "-end", 5);
	xb_tag_legal(longer, false, &tag);
	assert_int_equal(tag.len, 128);
	assert_true(xb_sv_ends(xb_str_sv(&tag), "aa-end"));
	xb_str_release(&tag);
}

static void test_branch_in_template(void **state)
{
	struct xb_str out = {0};

	(void)state;
	assert_true(xb_tag_set_branch("${git.branch}-$${git.branch}-${git.sha}-${git.branch}", "b", &out));
	assert_string_equal(out.data, "b-$${git.branch}-${git.sha}-b");
	xb_str_reset(&out);
	assert_false(xb_tag_set_branch("v${version}", "b", &out));
	assert_string_equal(out.data, "v${version}");
	xb_str_release(&out);
}

static void test_repository_part(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} rows[] = {{"v1", 0},
		    {"${registry}/${image}:${version}", 20},
		    {"host:5000/name", 0},
		    {"host:5000/name:v", 14},
		    {"${a:b}", 0}};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++)
		assert_int_equal(xb_tag_repository_len(rows[i].text), rows[i].len);
}

static void test_builtins(void **state)
{
	struct xb_digest index = {{0x8f, 0x43, 0x43, 0x46}};
	struct xb_tag_facts facts = {"458b6779d7c5b0a9f9d7d1a1c4b1a8e0f0d1c2b3", 1729045897, &index};
	struct xb_str tag = {0};
	struct xb_err err = {0};

	(void)state;
	assert_int_equal(xb_tag_builtin("commit-timestamp", &facts, &tag, &err), 1);
	assert_string_equal(tag.data, "458b6779-1729045897");
	xb_str_reset(&tag);
	assert_int_equal(xb_tag_builtin("sha256", &facts, &tag, &err), 1);
	assert_string_equal(tag.data, "8f434346-20241016023137");
	assert_int_equal(xb_tag_builtin("other", &facts, &tag, &err), 0);
	facts.index = NULL;
	assert_failed(xb_tag_builtin("sha256", &facts, &tag, &err), &err, XB_E_NOT_FOUND, "not been written");
	facts.commit = "";
	assert_failed(xb_tag_builtin("commit-timestamp", &facts, &tag, &err), &err, XB_E_INPUT, "no git commit");
	xb_str_release(&tag);
}

static void test_is_ref(void **state)
{
	(void)state;
	assert_true(xb_tag_is_ref("latest"));
	assert_true(xb_tag_is_ref("main-20241016023137-458b677"));
	assert_true(xb_tag_is_ref("a--b.c_d"));
	assert_false(xb_tag_is_ref("a---b"));
	assert_false(xb_tag_is_ref("a..b"));
	assert_false(xb_tag_is_ref("_a"));
	assert_false(xb_tag_is_ref("a-"));
	assert_false(xb_tag_is_ref(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_tag_is_legal),
		cmocka_unit_test(test_slug),
		cmocka_unit_test(test_legal),
		cmocka_unit_test(test_branch_in_template),
		cmocka_unit_test(test_repository_part),
		cmocka_unit_test(test_builtins),
		cmocka_unit_test(test_is_ref),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
