/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>

#include "../run_program.h"
#include "../skip.h"
#include "../store/fixture.h"
#include "xbuild/image/gzip.h"
#include "xbuild/sys/deflate.h"
#include "xbuild/sys/proc.h"

#define MEMBER ((size_t)XB_DEFLATE_MEMBER_BYTES)

/* Text-like bytes that repeat neither within a member nor between members. */
static uint8_t *sample(size_t len)
{
	uint8_t *bytes = xb_alloc(len + 1);
	uint32_t x = 1;

	for (size_t i = 0; i < len; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (uint8_t)('a' + (x >> 28));
	}
	return bytes;
}

static struct xb_gzip_sum pack_as(struct fixture *f, const char *path, const uint8_t *data, size_t len, size_t step,
				  int threads, enum xb_compression compression)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct xb_gzip_sum sum;
	struct xb_gzip_writer *gz;

	assert_true(fd >= 0);
	assert_ok(xb_gzip_writer_open(fd, "test", threads, compression, &gz, &f->err), &f->err);
	for (size_t at = 0; at < len; at += step)
		assert_ok(xb_gzip_writer_write(gz, data + at, len - at < step ? len - at : step, &f->err), &f->err);
	assert_ok(xb_gzip_writer_finish(gz, &sum, &f->err), &f->err);
	xb_gzip_writer_free(gz);
	close(fd);
	return sum;
}

static struct xb_gzip_sum pack(struct fixture *f, const char *path, const uint8_t *data, size_t len, size_t step,
			       int threads)
{
	return pack_as(f, path, data, len, step, threads, XB_COMPRESSION_GZIP);
}

static void check_threads_and_steps(struct fixture *f, enum xb_compression compression)
{
	static const size_t lengths[] = {0, 1, 511, MEMBER - 1, MEMBER, MEMBER + 1, 9 * MEMBER + 12345};
	static const int threads[] = {1, 2, 5, 16, 100};
	char *path = xb_printf("%s/out.gz", f->dir);
	uint8_t *data = sample(lengths[XB_COUNT(lengths) - 1]);

	for (size_t i = 0; i < XB_COUNT(lengths); i++) {
		const struct xb_gzip_sum first = pack_as(f, path, data, lengths[i], MEMBER * 20, 1, compression);
		struct xb_digest plain, packed;
		uint64_t size;

		xb_digest_bytes(data, lengths[i], &plain);
		assert_ok(xb_digest_file(path, &packed, &size, &f->err), &f->err);
		assert_true(xb_digest_eq(&first.plain, &plain));
		assert_true(xb_digest_eq(&first.packed, &packed));
		assert_int_equal(first.plain_bytes, lengths[i]);
		assert_int_equal(first.packed_bytes, size);
		for (size_t k = 0; k < XB_COUNT(threads); k++) {
			const struct xb_gzip_sum other =
				pack_as(f, path, data, lengths[i], 700001 * (k + 1), threads[k], compression);

			assert_true(xb_digest_eq(&first.packed, &other.packed));
			assert_true(xb_digest_eq(&first.plain, &other.plain));
		}
	}
	free(data);
	free(path);
}

static void test_same_bytes_for_any_threads_and_steps(void **state)
{
	check_threads_and_steps(*state, XB_COMPRESSION_GZIP);
	check_threads_and_steps(*state, XB_COMPRESSION_ZSTD);
	check_threads_and_steps(*state, XB_COMPRESSION_NONE);
}

/* gzip(1) as the judge of the members, zstd(1) of the frames; cat(1) finds plain bytes as they were. */
static void check_reader(struct fixture *f, const char *reader, const char *option, enum xb_compression compression)
{
	static const size_t lengths[] = {0, 1, 3 * MEMBER + 7};
	char *path = xb_printf("%s/out.gz", f->dir), *program = xb_proc_find(reader);
	const char *const argv[] = {program, option, path, NULL};
	uint8_t *data = sample(lengths[2]);

	if (!program)
		skip_without(reader);
	for (size_t i = 0; i < XB_COUNT(lengths); i++) {
		struct xb_proc_result r = {0};

		pack_as(f, path, data, lengths[i], 65536, 3, compression);
		assert_ok(run_program(&(struct xb_proc_spec){.argv = argv}, &r, &f->err), &f->err);
		assert_int_equal(r.exit_code, 0);
		assert_int_equal(r.output.len, lengths[i]);
		assert_memory_equal(xb_str_get(&r.output), data, lengths[i]);
		xb_proc_result_release(&r);
	}
	free(data);
	free(path);
	free(program);
}

static void test_gzip_reads_it(void **state)
{
	check_reader(*state, "gzip", "-dc", XB_COMPRESSION_GZIP);
}

static void test_zstd_reads_it(void **state)
{
	check_reader(*state, "zstd", "-dcq", XB_COMPRESSION_ZSTD);
}

static void test_plain_bytes_are_plain(void **state)
{
	check_reader(*state, "cat", "-u", XB_COMPRESSION_NONE);
}

/* Members of the same bytes are the same bytes: what is cut where does not depend on the calls. */
static void test_member_boundaries(void **state)
{
	struct fixture *f = *state;
	char *path = xb_printf("%s/out.gz", f->dir);
	uint8_t *data = sample(MEMBER);
	struct xb_str text = {0};

	const uint64_t one = pack(f, path, data, MEMBER, 1000, 2).packed_bytes;
	uint8_t *twice = xb_alloc(2 * MEMBER);

	memcpy(twice, data, MEMBER);
	memcpy(twice + MEMBER, data, MEMBER);
	assert_int_equal(pack(f, path, twice, 2 * MEMBER, 999983, 2).packed_bytes, 2 * one);
	assert_ok(xb_fs_read(path, 1 << 30, &text, &f->err), &f->err);
	assert_memory_equal(text.data, text.data + one, one);
	/* RFC 1952: deflate, no flags, MTIME 0, OS 255 */
	assert_memory_equal(text.data, "\x1f\x8b\x08\x00\x00\x00\x00\x00", 8);
	assert_int_equal((uint8_t)text.data[9], 255);
	xb_str_release(&text);
	free(twice);
	free(data);
	free(path);
}

static void test_failed_write_is_told(void **state)
{
	struct fixture *f = *state;
	char *path = xb_printf("%s/file", f->dir);
	uint8_t *data = sample(MEMBER);
	struct xb_gzip_sum sum;
	struct xb_gzip_writer *gz;
	int r = 0, fd;

	write_text(path, "");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_ok(xb_gzip_writer_open(fd, "the layer", 2, XB_COMPRESSION_GZIP, &gz, &f->err), &f->err);
	/* There are fewer slots than this: the writer's failure must free the one who waits for a slot. */
	for (int i = 0; i < 50 && r == 0; i++)
		r = xb_gzip_writer_write(gz, data, MEMBER, &f->err);
	if (r == 0)
		r = xb_gzip_writer_finish(gz, &sum, &f->err);
	assert_failed(r, &f->err, XB_E_SYSTEM, "the layer");
	xb_gzip_writer_free(gz);
	close(fd);
	free(data);
	free(path);
}

static void test_given_up(void **state)
{
	struct fixture *f = *state;
	char *path = xb_printf("%s/file", f->dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	struct xb_gzip_writer *gz;

	assert_ok(xb_gzip_writer_open(fd, "x", 4, XB_COMPRESSION_GZIP, &gz, &f->err), &f->err);
	assert_ok(xb_gzip_writer_write(gz, "abc", 3, &f->err), &f->err);
	xb_gzip_writer_free(gz);
	xb_gzip_writer_free(NULL);
	close(fd);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_same_bytes_for_any_threads_and_steps),
		TEST(test_gzip_reads_it),
		TEST(test_zstd_reads_it),
		TEST(test_plain_bytes_are_plain),
		TEST(test_member_boundaries),
		TEST(test_failed_write_is_told),
		TEST(test_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
