/* SPDX-License-Identifier: Apache-2.0 */
/* What comes out of xz files of many blocks, whatever the number of threads; xz(1) makes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdbool.h>

#include "../../../src/sys/archive_source.h"
#include "sample.h"

#define MANY 4
/* Of xz, not of text: above what is worth threads (8 MiB). Bytes that cannot be compressed, 10 blocks. */
#define BLOCK_BYTES (1024 * 1024)
#define TEXT_BYTES  (9 * BLOCK_BYTES + 4321)

struct files {
	struct xb_str text, packed;
};

static void pack(const struct xb_str *text, const char *block_size, const char *filter, struct xb_str *out)
{
	char *dir = sample_dir();
	char *path = xb_printf("%s/f", dir), *packed = xb_printf("%s/f.xz", dir);

	sample_write(path, text->data, text->len);
	assert_int_equal(SAMPLE_RUN("xz", "-T2", "-k", block_size, filter, path), 0);
	sample_read(packed, out);
	free(path);
	free(packed);
	sample_dir_remove(dir);
}

static int make_files(void **state)
{
	struct files *f = xb_alloc(sizeof(*f));
	uint32_t x = 1;

	while (f->text.len < TEXT_BYTES) {
		x = x * 1664525U + 1013904223U;
		(void)xb_str_append_n(&f->text, (const char *)&x + 1, 3);
	}
	pack(&f->text, "--block-size=1MiB", "-0", &f->packed);
	*state = f;
	return 0;
}

static int drop_files(void **state)
{
	struct files *f = *state;

	xb_str_release(&f->text);
	xb_str_release(&f->packed);
	free(f);
	return 0;
}

/* 0, or -1 with the problem; what came before it is in `out`. */
static int read_all(const void *bytes, size_t len, int n_threads, struct xb_str *out, struct xb_source_problem *problem)
{
	const int fd = sample_fd(bytes, len);
	struct xb_source *s = xb_source_new(fd);
	const void *block;
	ssize_t n;

	xb_str_reset(out);
	xb_source_set_threads(s, n_threads);
	while ((n = xb_source_read(s, &block, problem)) > 0)
		(void)xb_str_append_n(out, block, (size_t)n);
	xb_source_free(s);
	close(fd);
	return (int)n;
}

static void expect_bytes(const struct xb_str *packed, int n_threads, const struct xb_str *text)
{
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	struct xb_source_problem problem = {0};

	assert_int_equal(read_all(packed->data, packed->len, n_threads, &out, &problem), 0);
	assert_int_equal(out.len, text->len);
	assert_memory_equal(out.data, text->data, text->len);
}

static void expect_problem(const void *bytes, size_t len, int n_threads, const char *text)
{
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	struct xb_source_problem problem = {0};

	assert_int_equal(read_all(bytes, len, n_threads, &out, &problem), -1);
	assert_int_equal(problem.number, 0);
	assert_non_null(strstr(problem.text, text));
}

static void test_same_bytes(void **state)
{
	const struct files *f = *state;

	expect_bytes(&f->packed, 1, &f->text);
	expect_bytes(&f->packed, MANY, &f->text);
}

/* Two files behind each other are one (2, "Overall Structure of .xz File"). */
static void test_two_streams(void **state)
{
	const struct files *f = *state;
	struct xb_str both XB_CLEANUP(xb_str_release) = {0}, text XB_CLEANUP(xb_str_release) = {0};

	for (int i = 0; i < 2; i++) {
		(void)xb_str_append_n(&both, f->packed.data, f->packed.len);
		(void)xb_str_append_n(&text, f->text.data, f->text.len);
	}
	expect_bytes(&both, 1, &text);
	expect_bytes(&both, MANY, &text);
}

static void test_cut(void **state)
{
	const struct files *f = *state;

	for (size_t len = 12; len < f->packed.len; len += f->packed.len / 7) {
		expect_problem(f->packed.data, len, 1, "cut off");
		expect_problem(f->packed.data, len, MANY, "cut off");
	}
	expect_problem(f->packed.data, f->packed.len - 1, MANY, "cut off");
}

/* Each block has its own checksum, and so has the index. */
static void test_damaged(void **state)
{
	const struct files *f = *state;
	struct xb_str bytes XB_CLEANUP(xb_str_release) = {0};

	for (size_t at = BLOCK_BYTES / 2; at < f->packed.len; at += 3 * BLOCK_BYTES) {
		xb_str_reset(&bytes);
		(void)xb_str_append_n(&bytes, f->packed.data, f->packed.len);
		bytes.data[at] ^= 1;
		expect_problem(bytes.data, bytes.len, 1, "damaged");
		expect_problem(bytes.data, bytes.len, MANY, "damaged");
	}
	xb_str_reset(&bytes);
	(void)xb_str_append_n(&bytes, f->packed.data, f->packed.len);
	(void)xb_str_append_n(&bytes, "and more than that", 18);
	expect_problem(bytes.data, bytes.len, MANY, "damaged");
}

/* A file may ask for as much memory as it likes: a dictionary of 1 GiB for three bytes. */
static void test_memory(void **state)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0}, packed XB_CLEANUP(xb_str_release) = {0};

	(void)state;
	(void)xb_str_append_n(&text, "abc", 3);
	pack(&text, "--block-size=1MiB", "--lzma2=preset=0,dict=1GiB", &packed);
	expect_problem(packed.data, packed.len, 1, "256 MiB");
	pack(&text, "--block-size=1MiB", "--lzma2=preset=0,dict=64MiB", &packed);
	expect_bytes(&packed, 1, &text);
}

static void test_kept(void **state)
{
	const struct files *f = *state;
	const int fd = sample_fd(f->packed.data, f->packed.len);
	struct xb_source *s = xb_source_new(fd);
	struct xb_source_problem problem = {0};
	const void *block = NULL;

	xb_source_keep_xz(s);
	assert_true(xb_source_read(s, &block, &problem) > 6);
	assert_memory_equal(block, f->packed.data, 6);
	assert_false(xb_source_is_xz(s));
	assert_true(xb_source_looks_compressed(s));
	xb_source_free(s);
	close(fd);
}

#ifdef __linux__
static int count_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	int count = -2; /* "." and ".." */

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static int most_threads(const struct files *f, int n_threads)
{
	const int fd = sample_fd(f->packed.data, f->packed.len);
	struct xb_source *s = xb_source_new(fd);
	struct xb_source_problem problem = {0};
	const void *block;
	int most = 0;

	xb_source_set_threads(s, n_threads);
	while (xb_source_read(s, &block, &problem) > 0) {
		const int now = count_threads();

		most = now > most ? now : most;
	}
	xb_source_free(s);
	close(fd);
	return most;
}

static void test_threads(void **state)
{
	const struct files *f = *state;
	const int before = count_threads();

	assert_int_equal(most_threads(f, 1), before);
	assert_true(most_threads(f, MANY) > before + 1);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_bytes), cmocka_unit_test(test_two_streams), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_damaged),	   cmocka_unit_test(test_memory),      cmocka_unit_test(test_kept),
#ifdef __linux__
		cmocka_unit_test(test_threads),
#endif
	};
	return cmocka_run_group_tests(tests, make_files, drop_files);
}
