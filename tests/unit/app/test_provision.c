/* SPDX-License-Identifier: Apache-2.0 */
#include "../pkg/sample.h"

#include "xbuild/app/provision.h"

static void wants_as_text(void **state)
{
	static const char *const texts[] = {"toolchain:linux-x86_64", "tools:darwin-aarch64", "sysroot:linux-aarch64",
					    "package:linux-aarch64/libstdc++6"};
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_want of_image;

	(void)state;
	for (size_t i = 0; i < XB_COUNT(texts); i++) {
		struct xb_want want;

		expect_ok(xb_want_parse(texts[i], &arena, &want, &err), &err);
		assert_int_equal(want.kind, i);
		assert_string_equal(xb_want_format(&want, &arena), texts[i]);
		assert_null(want.image);
	}
	expect_ok(xb_want_parse("package:linux-aarch64/api/libc6", &arena, &of_image, &err), &err);
	assert_string_equal(of_image.name, "linux-aarch64");
	assert_string_equal(of_image.image, "api");
	assert_string_equal(of_image.package, "libc6");
	assert_string_equal(xb_want_format(&of_image, &arena), "package:linux-aarch64/api/libc6");
}

static void refused_texts(void **state)
{
	static const char *const texts[] = {"",
					    "toolchain",
					    "toolchain:",
					    "other:linux-x86_64",
					    "sysroot:../x",
					    "sysroot:linux-aarch64/libc6",
					    "package:linux-aarch64",
					    "package:linux-aarch64/",
					    "package:linux-aarch64/../x",
					    "package:/libc6",
					    "package:linux-aarch64/a/b/libc6",
					    "package:linux-aarch64//libc6"};
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(texts); i++) {
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct xb_want want;

		if (xb_want_parse(texts[i], &arena, &want, &err) != XB_E_USAGE)
			fail_msg("'%s' was taken", texts[i]);
		assert_non_null(err.hint);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(wants_as_text), cmocka_unit_test(refused_texts)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
