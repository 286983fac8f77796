/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"
#include "xbuild/sys/deflate.h"
#include "xbuild/sys/pool.h"

static const size_t sizes[] = {0, 1, 100, 65536, XB_DEFLATE_MEMBER_BYTES};

/* Neither all alike nor noise. */
static void fill(unsigned char *bytes, size_t len)
{
	uint32_t seed = 1;

	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525 + 1013904223;
		bytes[i] = (unsigned char)(i % 300 < 200 ? (uint32_t) "the quick brown fox "[i % 20] : seed >> 24);
	}
}

static size_t compress_new(const void *data, size_t len, void *out)
{
	struct xb_deflate *d = xb_deflate_new();
	const size_t size = xb_deflate_member(d, data, len, out);

	xb_deflate_free(d);
	return size;
}

static void members_come_back_as_they_were(void **state)
{
	unsigned char *in = xb_alloc(XB_DEFLATE_MEMBER_BYTES), *back = xb_alloc(XB_DEFLATE_MEMBER_BYTES);
	struct libdeflate_decompressor *reader = libdeflate_alloc_decompressor();
	struct xb_deflate *d = xb_deflate_new();

	(void)state;
	fill(in, XB_DEFLATE_MEMBER_BYTES);
	for (size_t i = 0; i < XB_COUNT(sizes); i++) {
		unsigned char *out XB_CLEANUP(xb_free_ptr) = xb_alloc(xb_deflate_bound(sizes[i]));
		const size_t size = xb_deflate_member(d, in, sizes[i], out);
		size_t got = 0;

		assert_in_range(size, 18, xb_deflate_bound(sizes[i]));
		if (sizes[i] >= 65536)
			assert_true(size < sizes[i] / 2);
		assert_int_equal(libdeflate_gzip_decompress(reader, out, size, back, sizes[i], &got),
				 LIBDEFLATE_SUCCESS);
		assert_int_equal(got, sizes[i]);
		assert_memory_equal(in, back, sizes[i]);
	}
	xb_deflate_free(d);
	xb_deflate_free(NULL);
	libdeflate_free_decompressor(reader);
	free(in);
	free(back);
}

/* RFC 1952 section 2.3.1. */
static void the_header_tells_nothing(void **state)
{
	static const unsigned char expected[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0};
	unsigned char *out XB_CLEANUP(xb_free_ptr) = xb_alloc(xb_deflate_bound(3));

	(void)state;
	compress_new("abc", 3, out);
	assert_memory_equal(out, expected, sizeof(expected));
	assert_int_equal(out[9], 255);
}

struct same {
	const unsigned char *in, *expected;
	size_t size;
};

static int compress_again(void *ctx, size_t i, struct xb_err *err)
{
	const struct same *same = ctx;
	unsigned char *out XB_CLEANUP(xb_free_ptr) = xb_alloc(xb_deflate_bound(XB_DEFLATE_MEMBER_BYTES));

	if (compress_new(same->in, XB_DEFLATE_MEMBER_BYTES, out) != same->size ||
	    memcmp(out, same->expected, same->size) != 0)
		return xb_fail(err, XB_E_VERIFY, "run %zu differs", i);
	return 0;
}

/* Also from a compressor that was used before. */
static void bytes_do_not_depend_on_threads_or_history(void **state)
{
	unsigned char *in XB_CLEANUP(xb_free_ptr) = xb_alloc(XB_DEFLATE_MEMBER_BYTES);
	unsigned char *out XB_CLEANUP(xb_free_ptr) = xb_alloc(xb_deflate_bound(XB_DEFLATE_MEMBER_BYTES));
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_deflate *d = xb_deflate_new();
	struct same same = {.in = in, .expected = out};

	(void)state;
	fill(in, XB_DEFLATE_MEMBER_BYTES);
	xb_deflate_member(d, in + 7, 1000, out);
	same.size = xb_deflate_member(d, in, XB_DEFLATE_MEMBER_BYTES, out);
	xb_deflate_free(d);
	assert_int_equal(xb_parallel(16, 4, compress_again, &same, &err), 0);
}

/* RFC 1952 section 2.2: members one after the other are one file. gzip(1) is the judge, where there is one. */
static void members_can_be_joined(void **state)
{
	char *dir = sample_dir();
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/f.gz", dir);
	char *plain XB_CLEANUP(xb_free_ptr) = xb_printf("%s/f", dir);
	unsigned char out[400];
	struct xb_str got XB_CLEANUP(xb_str_release) = {0};
	size_t size;

	(void)state;
	assert_true(2 * xb_deflate_bound(5) <= sizeof(out));
	size = compress_new("hello", 5, out);
	size += compress_new("world", 5, out + size);
	sample_write(path, out, size);
	if (SAMPLE_RUN("gzip", "-d", path) == 0) {
		sample_read(plain, &got);
		assert_string_equal(xb_str_get(&got), "helloworld");
	} else {
		assert_int_equal(SAMPLE_RUN("gzip", "--version"), 127);
	}
	sample_dir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_come_back_as_they_were),
		cmocka_unit_test(the_header_tells_nothing),
		cmocka_unit_test(bytes_do_not_depend_on_threads_or_history),
		cmocka_unit_test(members_can_be_joined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
