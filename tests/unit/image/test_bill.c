/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "xbuild/base/attr.h"
#include "xbuild/image/bill.h"

static void purls_are_encoded(void **state)
{
	static const struct {
		const char *type, *vendor, *name, *version, *qualifiers, *expected;
	} cases[] = {
		{"deb", "debian", "libstdc++6", "1:12.2.0-14+deb12u1~x", "arch=amd64&distro=debian-12",
		 "pkg:deb/debian/libstdc%2B%2B6@1%3A12.2.0-14%2Bdeb12u1~x?arch=amd64&distro=debian-12"},
		{"apk", "wolfi", "so-x", "1.0-r0", NULL, "pkg:apk/wolfi/so-x@1.0-r0"},
		{"oci", NULL, "a/b", NULL, "", "pkg:oci/a%2Fb"},
		{"generic", NULL, "\xc3\xa4@?#%", "1", NULL, "pkg:generic/%C3%A4%40%3F%23%25@1"},
	};
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(cases); i++)
		assert_string_equal(xb_bill_purl(cases[i].type, cases[i].vendor, cases[i].name, cases[i].version,
						 cases[i].qualifiers, &arena),
				    cases[i].expected);
}

static void images_by_their_digest(void **state)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_digest digest;

	(void)state;
	memset(digest.bytes, 0xab, sizeof(digest.bytes));
	assert_string_equal(xb_bill_oci_purl("parcel", &digest, NULL, &arena),
			    "pkg:oci/parcel@sha256%3Aabababababababababababababababababababababababababababababababab");
	assert_string_equal(
		xb_bill_oci_purl("parcel", &digest, xb_target_find(xb_sv("arm64")), &arena),
		"pkg:oci/"
		"parcel@sha256%3Aabababababababababababababababababababababababababababababababab?arch=arm64&os=linux");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(purls_are_encoded),
		cmocka_unit_test(images_by_their_digest),
	};

	return cmocka_run_group_tests_name("image/bill", tests, NULL, NULL);
}
