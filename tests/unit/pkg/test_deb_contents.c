/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include "xbuild/model/contents.h"
#include "xbuild/pkg/deb_contents.h"

static int reduce(const char *text, const volatile int *interrupted, struct xb_str *out, struct xb_err *err)
{
	char *dir XB_CLEANUP(scratch_remove) = scratch_dir();
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, "Contents");
	int fd XB_CLEANUP(xb_fs_close) = -1;

	scratch_write(dir, "Contents", text, strlen(text));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return xb_deb_contents_reduce(fd, "Contents-amd64", interrupted, out, err);
}

static void expect_reduced(const char *text, const char *lines)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};

	expect_ok(reduce(text, NULL, &out, &err), &err);
	assert_true(xb_sv_starts(xb_str_sv(&out), XB_CONTENTS_HEAD));
	assert_string_equal(xb_str_get(&out) + strlen(XB_CONTENTS_HEAD), lines);
}

static void keeps_what_builds_look_for(void **state)
{
	(void)state;
	expect_reduced(
		"bin/zsh                 shells/zsh\n"
		"usr/include/zlib.h      libdevel/zlib1g-dev\n"
		"usr/include/a b.h\tlibdevel/blank-dev\n"
		"usr/include/x86_64-linux-gnu/curl/curl.h  libdevel/libcurl4-gnutls-dev,libdevel/libcurl4-nss-dev\n"
		"usr/lib/x86_64-linux-gnu/libz.so  libdevel/zlib1g-dev\n"
		"usr/lib/x86_64-linux-gnu/libz.so.1  libs/zlib1g\n"
		"usr/lib/x86_64-linux-gnu/libz.a  libdevel/zlib1g-dev\n"
		"usr/lib/x86_64-linux-gnu/pkgconfig/zlib.pc  libdevel/zlib1g-dev\n"
		"usr/lib/x86_64-linux-gnu/other/zlib.pc  x/y\n"
		"usr/share/pkgconfig/xproto.pc x11/x11proto-dev\n"
		"usr/share/doc/x/libx.a  doc/x\n"
		"usr/lib/x86_64-linux-gnu/cmake/fmt/fmt-config.cmake  libdevel/libfmt-dev\n"
		"usr/aarch64-linux-gnu/include/zlib.h  libdevel/z-arm64-cross\n"
		"usr/include/only/cross.h  libdevel/x-arm64-cross\n"
		"usr/lib/gcc-cross/aarch64-linux-gnu/12/libgcc.a  devel/gcc\n"
		"usr/include/../x.h x/y\nusr/include/nothing.h\n\nFILE LOCATION\n",
		"a b.h/include/usr\tblank-dev\n"
		"curl.h/curl/x86_64-linux-gnu/include/usr\tlibcurl4-gnutls-dev,libcurl4-nss-dev\n"
		"fmt-config.cmake/fmt/cmake/x86_64-linux-gnu/lib/usr\tlibfmt-dev\n"
		"libz.a/x86_64-linux-gnu/lib/usr\tzlib1g-dev\n"
		"libz.so/x86_64-linux-gnu/lib/usr\tzlib1g-dev\n"
		"xproto.pc/pkgconfig/share/usr\tx11proto-dev\n"
		"zlib.h/include/usr\tzlib1g-dev\n"
		"zlib.pc/pkgconfig/x86_64-linux-gnu/lib/usr\tzlib1g-dev\n");
	expect_reduced("", "");
	expect_reduced("usr/include/last.h x/last-dev", "last.h/include/usr\tlast-dev\n");
}

static void refuses_what_is_no_index(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_err stopped XB_CLEANUP(xb_err_release) = {0};
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	const volatile int flag = 2;
	char *line = malloc(400000);

	(void)state;
	memset(line, 'x', 399999);
	line[399999] = 0;
	expect_error(reduce(line, NULL, &out, &err), &err, XB_E_INPUT, "line longer than");
	free(line);
	expect_error(reduce("usr/include/z.h x/z\n", &flag, &out, &stopped), &stopped, XB_E_INTERRUPTED, "interrupted");
}

static void expect_hits(const char *text, const char *suffix, const char *expected)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_str found XB_CLEANUP(xb_str_release) = {0};
	struct xb_contents_hits hits = {0};

	xb_contents_find(xb_sv(text), xb_sv(suffix), 3, &arena, &hits);
	for (size_t i = 0; i < hits.list.len; i++)
		xb_str_printf(&found, "%s%s=%.*s", i ? " " : "", hits.list.items[i].path,
			      XB_SV_ARG(hits.list.items[i].packages));
	assert_string_equal(xb_str_get(&found), expected);
	XB_VEC_RELEASE(&hits.list);
}

static void is_found_by_the_end_of_its_path(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	struct xb_str many XB_CLEANUP(xb_str_release) = {0};

	(void)state;
	for (int i = 0; i < 500; i++)
		xb_str_printf(&many, "usr/include/d%d/h%d.h x/p%d\nusr/include/e/h%d.h x/q%d\n", i, i, i, i, i);
	expect_ok(reduce(xb_str_get(&many), NULL, &out, &err), &err);
	for (int i = 0; i < 500; i++) {
		char suffix[64], expected[128];

		(void)snprintf(suffix, sizeof(suffix), "h%d.h", i);
		(void)snprintf(expected, sizeof(expected), "usr/include/d%d/h%d.h=p%d usr/include/e/h%d.h=q%d", i, i, i,
			       i, i);
		expect_hits(xb_str_get(&out), suffix, expected);
		(void)snprintf(suffix, sizeof(suffix), "e/h%d.h", i);
		(void)snprintf(expected, sizeof(expected), "usr/include/e/h%d.h=q%d", i, i);
		expect_hits(xb_str_get(&out), suffix, expected);
	}
	expect_hits(xb_str_get(&out), "", "");
	expect_hits(xb_str_get(&out), "h", "");
	expect_hits(xb_str_get(&out), "zz.h", "");
	expect_hits(xb_str_get(&out), "usr/include/e/h7.h/x", "");
	expect_hits("", "h1.h", "");
	expect_hits("something else\nh1.h/include\tx\n", "h1.h", "");
	expect_hits(XB_CONTENTS_HEAD "a.h/x\tp", "a.h", "x/a.h=p");
	expect_hits(XB_CONTENTS_HEAD "a.h/1\tp\na.h/2\tp\na.h/3\tp\na.h/4\tp\n", "a.h", "1/a.h=p 2/a.h=p 3/a.h=p");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_what_builds_look_for),
		cmocka_unit_test(refuses_what_is_no_index),
		cmocka_unit_test(is_found_by_the_end_of_its_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
