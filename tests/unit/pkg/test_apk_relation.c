/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include "xbuild/pkg/apk_relation.h"

static void test_forms(void **state)
{
	static const struct {
		const char *text, *name;
		enum xb_apk_op op;
		const char *version, *tag;
		bool conflict;
	} rows[] = {
		{"busybox", "busybox", XB_APK_ANY, "", "", false},
		{"busybox=1.35-r0", "busybox", XB_APK_EQUAL, "1.35-r0", "", false},
		{"a>1", "a", XB_APK_GREATER, "1", "", false},
		{"a<1", "a", XB_APK_LESS, "1", "", false},
		{"a>=1", "a", XB_APK_GREATER_EQUAL, "1", "", false},
		{"a<=1", "a", XB_APK_LESS_EQUAL, "1", "", false},
		{"a~1.2", "a", XB_APK_TILDE, "1.2", "", false},
		{"a=~1.2", "a", XB_APK_TILDE, "1.2", "", false},
		{"a><1.2", "a", XB_APK_ANY, "1.2", "", false},
		{"a@edge", "a", XB_APK_ANY, "", "edge", false},
		{"a>=1.2@edge2", "a", XB_APK_GREATER_EQUAL, "1.2", "edge2", false},
		{"!vlan", "vlan", XB_APK_ANY, "", "", true},
		{"!vlan<2", "vlan", XB_APK_LESS, "2", "", true},
		{"so:libc.musl-x86_64.so.1", "so:libc.musl-x86_64.so.1", XB_APK_ANY, "", "", false},
		{"/bin/sh", "/bin/sh", XB_APK_ANY, "", "", false},
		{"cmd:[=1.35-r0", "cmd:[", XB_APK_EQUAL, "1.35-r0", "", false},
		{"pc:freetype2>=9.7.3", "pc:freetype2", XB_APK_GREATER_EQUAL, "9.7.3", "", false},
		{"py3.10:foo-bar=1", "py3.10:foo-bar", XB_APK_EQUAL, "1", "", false},
	};
	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		struct xb_apk_relation r;
		xb_apk_relation_parse(rows[i].text, &r);
		if (!r.well_formed || !xb_sv_eq_str(xb_apk_relation_name(&r), rows[i].name) || r.op != rows[i].op ||
		    !xb_sv_eq_str(xb_sv_n(r.text + r.version_at, r.version_len), rows[i].version) ||
		    strcmp(xb_apk_relation_tag(&r), rows[i].tag) != 0 || r.conflict != rows[i].conflict)
			fail_msg("'%s' is read as something else", rows[i].text);
	}
}

/* The whole text is then the name of something that nobody has. */
static void test_other_forms(void **state)
{
	static const char *const rows[] = {"",	    "=1", "a=",	     "a@", "a=1@", "a@x-y",
					   "a@x@y", "@x", "a=1@x=2", "~1", "a>="};
	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		struct xb_apk_relation r;
		xb_apk_relation_parse(rows[i], &r);
		if (r.well_formed || !xb_sv_eq_str(xb_apk_relation_name(&r), rows[i]))
			fail_msg("'%s' should not be a relation", rows[i]);
	}
}

static int compare(const char *a, const char *b)
{
	struct xb_apk_relation ra, rb;
	struct xb_apk_version va, vb;
	xb_apk_relation_parse(a, &ra);
	xb_apk_relation_parse(b, &rb);
	xb_apk_relation_version(&ra, &va);
	xb_apk_relation_version(&rb, &vb);
	assert_true(va.valid && vb.valid);
	return xb_apk_version_compare(&va, &vb);
}

/* A soname's own number is lower than any package version. */
static void test_shared_libraries(void **state)
{
	(void)state;
	assert_true(compare("so:libx.so.3=3", "so:libx.so.3=1.0-r0") < 0);
	assert_true(compare("so:libx.so.3>=3", "so:libx.so.3=0.1-r0") > 0); /* 0.3 and 0.1-r0 */
	assert_true(compare("so:libx.so.3=3", "so:libx.so.3=4") < 0);
	assert_int_equal(compare("so:libx.so.3=3", "so:libx.so.3>=3"), 0);
	assert_int_equal(compare("so:libx.so.3=3.1", "foo=0.3.1"), 0);
	assert_true(compare("so:libx.so.3>3", "so:libx.so.3=3") > 0); /* only "=" is read so */
	assert_true(compare("pc:x=3", "pc:x=1.0-r0") > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_other_forms),
		cmocka_unit_test(test_shared_libraries),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
