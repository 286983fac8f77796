/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include "xbuild/pkg/apk_version.h"

static struct xb_apk_version parse(const char *text)
{
	struct xb_apk_version v;
	if (!xb_apk_version_parse(xb_sv(text), &v))
		fail_msg("'%s' should be a version", text);
	return v;
}

/* Ascending; what stands in one row is equal. */
static const char *const ladder[][4] = {
	{"0", "00"},
	{"0.0"},
	{"0.1_alpha"},
	{"0.1_alpha1"},
	{"0.1_beta"},
	{"0.1_pre"},
	{"0.1_pre20220101"},
	{"0.1_rc"},
	{"0.1_rc_p1"},
	{"0.1_rc1-r1"},
	{"0.1_rc2"},
	{"0.1", "0.01", "0.1-r0"},
	{"0.1-r1"},
	{"0.1-r10"},
	{"0.1_cvs"},
	{"0.1_svn"},
	{"0.1_git"},
	{"0.1_git20200101"},
	{"0.1_git20220101"},
	{"0.1_hg"},
	{"0.1_p"},
	{"0.1_p1"},
	{"0.1_p1-r3"},
	{"0.1_p2"},
	{"0.1a_rc1"},
	{"0.1a"},
	{"0.1b"},
	{"0.1.0"},
	{"0.1.1"},
	{"0.9"},
	{"0.10", "0.010"},
	{"1"},
	{"1.2.3"},
	{"1.2.3.4"},
	{"1.2.13"},
	{"2.0_alpha1"},
	{"20221030.3.1-r0"},
	{"9223372036854775807"},
};

static void test_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < XB_COUNT(ladder); i++)
		for (size_t j = 0; j < XB_COUNT(ladder); j++)
			for (size_t a = 0; a < 4 && ladder[i][a]; a++)
				for (size_t b = 0; b < 4 && ladder[j][b]; b++) {
					struct xb_apk_version x = parse(ladder[i][a]), y = parse(ladder[j][b]);
					int c = xb_apk_version_compare(&x, &y), expected = (i > j) - (i < j);
					if ((c > 0) - (c < 0) != expected)
						fail_msg("compare '%s' and '%s' gave %d", ladder[i][a], ladder[j][b],
							 c);
				}
}

static void test_no_versions(void **state)
{
	static const char *const rows[] = {"",
					   "a",
					   ".1",
					   "1.",
					   "1..2",
					   "1.a",
					   "1ab",
					   "1_",
					   "1_foo",
					   "1_p_rc",
					   "1_rc_rc",
					   "1-",
					   "1-r",
					   "1-1",
					   "1-r1x",
					   "1_p1_git1",
					   "1 ",
					   " 1",
					   "1,2",
					   "1:2",
					   "1~hash",
					   "v1",
					   "1-r-1",
					   "+1",
					   "1A",
					   "1_RC",
					   "1-r1-r2",
					   "1\n",
					   "-r1",
					   "1.2.3.",
					   "1_preview",
					   "9223372036854775808",
					   "1.9223372036854775808",
					   "1_p9223372036854775808",
					   "1-r9223372036854775808",
					   "99999999999999999999999999"};
	struct xb_apk_version v, zero = parse("0");
	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		if (xb_apk_version_parse(xb_sv(rows[i]), &v))
			fail_msg("'%s' should be no version", rows[i]);
		assert_false(v.valid);
		assert_true(xb_apk_version_compare(&v, &zero) < 0);
		assert_true(xb_apk_version_compare(&zero, &v) > 0);
		for (int op = XB_APK_EQUAL; op <= XB_APK_TILDE; op++) {
			assert_false(xb_apk_version_satisfies(&v, (enum xb_apk_op)op, &zero));
			assert_false(xb_apk_version_satisfies(&zero, (enum xb_apk_op)op, &v));
			assert_false(xb_apk_version_satisfies(&v, (enum xb_apk_op)op, &v));
		}
		assert_true(xb_apk_version_satisfies(&v, XB_APK_ANY, &zero));
	}
	assert_false(xb_apk_version_parse(xb_sv_n("1\0", 2), &v));
}

static void test_operators(void **state)
{
	static const struct {
		const char *actual;
		enum xb_apk_op op;
		const char *wanted;
		bool holds;
	} rows[] = {
		{"1.2", XB_APK_EQUAL, "1.2-r0", true},
		{"1.2-r1", XB_APK_EQUAL, "1.2", false},
		{"1.3", XB_APK_GREATER, "1.2", true},
		{"1.2", XB_APK_GREATER, "1.2", false},
		{"1.1", XB_APK_LESS, "1.2", true},
		{"1.2", XB_APK_LESS, "1.2", false},
		{"1.2", XB_APK_GREATER_EQUAL, "1.2", true},
		{"1.1", XB_APK_GREATER_EQUAL, "1.2", false},
		{"1.2", XB_APK_LESS_EQUAL, "1.2", true},
		{"1.3", XB_APK_LESS_EQUAL, "1.2", false},
		{"0", XB_APK_ANY, "9", true},
		/* "~": what is wanted is a prefix, number by number */
		{"1.2.3-r4", XB_APK_TILDE, "1", true},
		{"1.2.3-r4", XB_APK_TILDE, "1.2", true},
		{"1.2.3-r4", XB_APK_TILDE, "1.2.3", true},
		{"1.2.3-r4", XB_APK_TILDE, "1.2.3-r4", true},
		{"1.2.3-r4", XB_APK_TILDE, "1.2.3-r5", false},
		{"1.2.3-r4", XB_APK_TILDE, "1.2.3.4", false},
		{"1.20", XB_APK_TILDE, "1.2", false},
		{"1.2.3", XB_APK_TILDE, "1.2-r5", true}, /* longer: the rest of what is wanted is not looked at */
		{"1.2b", XB_APK_TILDE, "1.2", true},
		{"1.2b", XB_APK_TILDE, "1.2b", true},
		{"1.2", XB_APK_TILDE, "1.2b", false},
		{"1.2_rc1", XB_APK_TILDE, "1.2", true},
		{"1.2_rc1", XB_APK_TILDE, "1.2_rc", true},
		{"1.2_rc1", XB_APK_TILDE, "1.2_rc2", false},
		{"1.2_rc1", XB_APK_TILDE, "1.2_beta1", false},
		{"1.2_p1", XB_APK_TILDE, "1.2_p1", true},
		{"1.2_p1", XB_APK_TILDE, "1.2_p2", false},
		{"1.2_p1", XB_APK_TILDE, "1.2_git", false},
	};
	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		struct xb_apk_version a = parse(rows[i].actual), w = parse(rows[i].wanted);
		if (xb_apk_version_satisfies(&a, rows[i].op, &w) != rows[i].holds)
			fail_msg("row %zu: '%s' and '%s'", i, rows[i].actual, rows[i].wanted);
	}
}

/* A version of the grammar, drawn from a small world so that equal ones and near ones are met often. */
static const char *draw(uint32_t *seed, struct xb_str *out)
{
	static const char *const numbers[] = {"0", "1", "2", "10", "01"};
	static const char *const suffixes[] = {"", "_alpha", "_beta2", "_pre", "_rc1", "_rc01"};
	static const char *const afters[] = {"", "_cvs", "_svn1", "_git2", "_hg", "_p", "_p1"};
	static const char *const ends[] = {"", "-r0", "-r1", "-r10"};
	static const char *const letters[] = {"", "", "a", "b"};
#define DRAW(list) list[(*seed = *seed * 1664525U + 1013904223U, *seed >> 16) % XB_COUNT(list)]
	xb_str_reset(out);
	xb_str_append(out, DRAW(numbers));
	for (const char *more = DRAW(numbers); *more != '0' && out->len < 8; more = DRAW(numbers))
		xb_str_printf(out, ".%s", more);
	xb_str_append(out, DRAW(letters));
	xb_str_append(out, DRAW(suffixes));
	xb_str_append(out, DRAW(afters));
	xb_str_append(out, DRAW(ends));
	return xb_str_get(out);
}

static int sign(int c)
{
	return (c > 0) - (c < 0);
}

static void test_is_a_total_order(void **state)
{
	struct xb_str text[3] = {{0}};
	uint32_t seed = 1;
	(void)state;
	for (int round = 0; round < 200000; round++) {
		struct xb_apk_version v[3];
		for (int i = 0; i < 3; i++)
			v[i] = parse(draw(&seed, &text[i]));
		int ab = sign(xb_apk_version_compare(&v[0], &v[1])), ba = sign(xb_apk_version_compare(&v[1], &v[0]));
		int bc = sign(xb_apk_version_compare(&v[1], &v[2])), ac = sign(xb_apk_version_compare(&v[0], &v[2]));
		assert_int_equal(xb_apk_version_compare(&v[0], &v[0]), 0);
		assert_int_equal(ab, -ba);
		if (ab <= 0 && bc <= 0 && ac != sign(ab + bc))
			fail_msg("'%s' '%s' '%s' are in no order", text[0].data, text[1].data, text[2].data);
		/* the operators say what the order says */
		assert_int_equal(xb_apk_version_satisfies(&v[0], XB_APK_EQUAL, &v[1]), ab == 0);
		assert_int_equal(xb_apk_version_satisfies(&v[0], XB_APK_LESS, &v[1]), ab < 0);
		assert_int_equal(xb_apk_version_satisfies(&v[0], XB_APK_GREATER_EQUAL, &v[1]), ab >= 0);
		assert_int_equal(xb_apk_version_satisfies(&v[0], XB_APK_GREATER, &v[1]), ab > 0);
		assert_int_equal(xb_apk_version_satisfies(&v[0], XB_APK_LESS_EQUAL, &v[1]), ab <= 0);
		assert_true(xb_apk_version_satisfies(&v[0], XB_APK_TILDE, &v[0]));
	}
	for (int i = 0; i < 3; i++)
		xb_str_release(&text[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_no_versions),
		cmocka_unit_test(test_operators),
		cmocka_unit_test(test_is_a_total_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
