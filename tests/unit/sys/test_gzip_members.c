/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sample.h"
#include "xbuild/base/hex.h"
#include "xbuild/base/limits.h"
#include "xbuild/sys/gzip_members.h"

/* Appends what the gzip program makes of the bytes. */
static void add_gzip(struct xb_str *out, const void *bytes, size_t len)
{
	char *dir = sample_dir();
	char *in XB_CLEANUP(xb_free_ptr) = xb_printf("%s/in", dir);
	char *gz XB_CLEANUP(xb_free_ptr) = xb_printf("%s/out", dir);
	struct xb_str made XB_CLEANUP(xb_str_release) = {0};
	sample_write(in, bytes, len);
	assert_int_equal(SAMPLE_RUN_TO(gz, "gzip", "-nc", in), 0);
	sample_read(gz, &made);
	xb_str_append_sv(out, xb_str_sv(&made));
	sample_dir_remove(dir);
}

static void add_zeros(struct xb_str *out, size_t len)
{
	char *zeros XB_CLEANUP(xb_free_ptr) = xb_alloc(len);
	add_gzip(out, zeros, len);
}

static int find(const struct xb_str *file, int64_t max_bytes, struct xb_gzip_member *members, size_t cap, size_t *out_n,
		struct xb_err *err)
{
	int fd XB_CLEANUP(xb_fs_close) = sample_fd(xb_str_get(file), file->len);
	return xb_gzip_find(fd, "f.apk", max_bytes, members, cap, out_n, err);
}

static void expect_fail(const struct xb_str *file, int64_t max_bytes, const char *message)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_gzip_member members[3];
	size_t n = 99;
	int rc = find(file, max_bytes, members, XB_COUNT(members), &n, &err);
	if (rc != XB_E_VERIFY || !strstr(err.msg, message))
		fail_msg("expected '%s', got %d '%s'", message, rc, err.msg ? err.msg : "");
	assert_int_equal(n, 99);
}

static void test_three_members(void **state)
{
	struct xb_str file XB_CLEANUP(xb_str_release) = {0}, big XB_CLEANUP(xb_str_release) = {0};
	struct xb_str back XB_CLEANUP(xb_str_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_gzip_member m[3];
	size_t n = 0, ends[3];
	(void)state;
	for (unsigned i = 0; i < 300000; i++)
		xb_str_append_char(&big, (char)(i * i >> 7));
	add_gzip(&file, "signature", 9);
	ends[0] = file.len;
	add_gzip(&file, "", 0);
	ends[1] = file.len;
	add_gzip(&file, big.data, big.len);
	ends[2] = file.len;
	assert_int_equal(find(&file, 1 * XB_MIB, m, 3, &n, &err), 0);
	assert_int_equal(n, 3);
	for (size_t i = 0; i < 3; i++) {
		struct xb_digest sha256;
		struct xb_sha1_hasher h = {0};
		struct xb_sha1 sha1;
		size_t at = i ? ends[i - 1] : 0;
		assert_int_equal(m[i].at, at);
		assert_int_equal(m[i].compressed_bytes, ends[i] - at);
		xb_digest_bytes(file.data + at, ends[i] - at, &sha256);
		assert_true(xb_digest_eq(&m[i].sha256, &sha256));
		xb_sha1_init(&h);
		xb_sha1_update(&h, file.data + at, ends[i] - at);
		xb_sha1_final(&h, &sha1);
		assert_memory_equal(m[i].sha1.bytes, sha1.bytes, XB_SHA1_BYTES);
	}
	assert_int_equal(m[0].content_bytes, 9);
	assert_int_equal(m[1].content_bytes, 0);
	assert_int_equal(m[2].content_bytes, big.len);
	int fd XB_CLEANUP(xb_fs_close) = sample_fd(file.data, file.len);
	xb_str_append(&back, "kept ");
	assert_int_equal(xb_gzip_read_member(fd, 0, "f", 9, &back, &m[0], &err), 0);
	assert_string_equal(back.data, "kept signature");
	xb_str_reset(&back);
	assert_int_equal(xb_gzip_read_member(fd, m[2].at, "f", big.len, &back, &m[2], &err), 0);
	assert_int_equal(back.len, big.len);
	assert_memory_equal(back.data, big.data, big.len);
}

/* Whatever the size of the pieces, the content is the same, and the end comes once it was asked for. */
static void test_pieces(void **state)
{
	struct xb_str file XB_CLEANUP(xb_str_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	char text[1000], buf[1001];
	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7 % 251);
	add_gzip(&file, text, sizeof(text));
	int fd XB_CLEANUP(xb_fs_close) = sample_fd(file.data, file.len);
	for (size_t piece = 1; piece <= sizeof(buf); piece += 9) {
		struct xb_gzip *gz = NULL;
		size_t done = 0;
		int64_t n;
		assert_int_equal(xb_gzip_open(fd, 0, "f", sizeof(text), &gz, &err), 0);
		while ((n = xb_gzip_read(gz, buf, piece, &err)) > 0) {
			assert_memory_equal(buf, text + done, (size_t)n);
			done += (size_t)n;
			assert_true((size_t)n == piece || done == sizeof(text));
		}
		assert_int_equal(n, 0);
		assert_int_equal(done, sizeof(text));
		assert_int_equal(xb_gzip_read(gz, buf, piece, &err), 0);
		xb_gzip_close(gz);
	}
}

static void test_cut_off(void **state)
{
	struct xb_str file XB_CLEANUP(xb_str_release) = {0};
	(void)state;
	add_gzip(&file, "one two three", 13);
	size_t whole = file.len;
	add_gzip(&file, "four", 4);
	for (size_t len = file.len - 1; len > 0; len--) {
		file.len = len;
		if (len != whole)
			expect_fail(&file, 1000, "cut off");
	}
	file.len = 0;
	expect_fail(&file, 1000, "is missing: the file ends there");
}

static void test_damaged(void **state)
{
	struct xb_str file XB_CLEANUP(xb_str_release) = {0};
	(void)state;
	add_gzip(&file, "one two three", 13);
	size_t whole = file.len;
	file.data[whole - 8] ^= 1;
	expect_fail(&file, 1000, "incorrect data check");
	file.data[whole - 8] ^= 1;
	file.data[whole - 4] ^= 1;
	expect_fail(&file, 1000, "incorrect length check");
	file.data[whole - 4] ^= 1;
	file.data[3] |= (char)0x80;
	expect_fail(&file, 1000, "unknown header flags");
	file.data[3] &= 0x7f;
	xb_str_append(&file, "padding");
	expect_fail(&file, 1000, "is none: it does not begin as gzip does");
	file.len = whole;
	xb_str_append_n(&file, "\0\0\0\0", 4);
	expect_fail(&file, 1000, "is none");
	xb_str_reset(&file);
	xb_str_append(&file, "<html>");
	expect_fail(&file, 1000, "at byte 0 is none");
}

static void test_bombs(void **state)
{
	struct xb_str file XB_CLEANUP(xb_str_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_gzip_member members[3];
	size_t n = 0;
	(void)state;
	add_zeros(&file, 8 * XB_MIB);
	expect_fail(&file, 8 * XB_MIB - 1, "holds more than the allowed 8388607 bytes");
	assert_int_equal(find(&file, 8 * XB_MIB, members, 3, &n, &err), 0);
	add_zeros(&file, 1);
	expect_fail(&file, 8 * XB_MIB, "holds more than the allowed 0 bytes");
	/* many small members */
	xb_str_reset(&file);
	for (int i = 0; i < 4; i++)
		add_gzip(&file, "x", 1);
	expect_fail(&file, 1000, "more than 3 gzip members");
	/* a name in the header that does not end */
	xb_str_reset(&file);
	xb_str_append_n(&file, "\x1f\x8b\x08\x08\0\0\0\0\0\x03", 10);
	while (file.len < 2 * XB_MIB)
		xb_str_append(&file, "name");
	expect_fail(&file, 1000, "holds nothing");
	/* empty stored blocks without end (RFC 1951 section 3.2.4) */
	xb_str_reset(&file);
	xb_str_append_n(&file, "\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
	while (file.len < 2 * XB_MIB)
		xb_str_append_n(&file, "\0\0\0\xff\xff", 5);
	expect_fail(&file, 1000, "holds nothing");
}

static void test_room(void **state)
{
	struct xb_str file XB_CLEANUP(xb_str_release) = {0}, out XB_CLEANUP(xb_str_release) = {.max_bytes = 10};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_gzip_member m;
	(void)state;
	add_gzip(&file, "0123456789A", 11);
	int fd XB_CLEANUP(xb_fs_close) = sample_fd(file.data, file.len);
	assert_int_equal(xb_gzip_read_member(fd, 0, "f", 1000, &out, &m, &err), XB_E_VERIFY);
	assert_int_equal(out.len, 0);
	xb_err_clear(&err);
	assert_int_equal(xb_gzip_read_member(-1, 0, "f", 1000, &out, &m, &err), XB_E_SYSTEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_three_members), cmocka_unit_test(test_pieces), cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_damaged),	      cmocka_unit_test(test_bombs),  cmocka_unit_test(test_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
