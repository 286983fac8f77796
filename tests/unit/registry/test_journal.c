/* SPDX-License-Identifier: Apache-2.0 */
/* Where unfinished uploads are: kept for the next process, one holder at a time, forgotten when no registry can know them. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../../src/registry/journal.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/attr.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/host.h"

static char dir[] = "/tmp/xbuild-journal.XXXXXX";

static void open_of(struct journal *j, const char *in, const char *name, const char *content)
{
	struct xb_reference ref XB_CLEANUP(xb_reference_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_digest digest;

	xb_digest_bytes(content, strlen(content), &digest);
	assert_int_equal(xb_reference_parse(name, &ref, &err), 0);
	journal_open(j, in, &ref, &digest);
}

static void expect_location(const struct journal *j, const char *expected)
{
	char *found XB_CLEANUP(xb_free_ptr) = journal_read(j);

	if (!found || !expected)
		assert_true(!found == !expected);
	else
		assert_string_equal(found, expected);
}

static void put(const struct journal *j, const char *text, size_t len)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	assert_int_equal(xb_atomic_file_write(j->path, text, len, 0600, 0, &err), 0);
}

static void test_kept(void **state)
{
	struct journal j, other;
	struct stat st;

	(void)state;
	open_of(&j, dir, "h.example/a/b", "1");
	assert_non_null(j.path);
	expect_location(&j, NULL);
	journal_write(&j, "https://h.example/u/1?_state=\"x\"");
	assert_int_equal(stat(j.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	journal_close(&j);
	/* another blob, another repository, another registry */
	open_of(&other, dir, "h.example/a/b", "2");
	expect_location(&other, NULL);
	journal_close(&other);
	open_of(&other, dir, "h.example/a/c", "1");
	expect_location(&other, NULL);
	journal_close(&other);
	open_of(&other, dir, "g.example/a/b", "1");
	expect_location(&other, NULL);
	journal_close(&other);
	/* the tag does not matter */
	open_of(&j, dir, "h.example/a/b:v2", "1");
	expect_location(&j, "https://h.example/u/1?_state=\"x\"");
	journal_forget(&j);
	expect_location(&j, NULL);
	journal_close(&j);
}

/* Whoever comes second works without; so does who has no directory. */
static void test_one_holder(void **state)
{
	struct journal first, second, none;

	(void)state;
	open_of(&first, dir, "h.example/a/b", "1");
	open_of(&second, dir, "h.example/a/b", "1");
	assert_non_null(first.path);
	assert_null(second.path);
	journal_write(&first, "https://h.example/1");
	journal_write(&second, "https://h.example/2");
	journal_forget(&second);
	expect_location(&second, NULL);
	journal_close(&second);
	expect_location(&first, "https://h.example/1");
	journal_forget(&first);
	journal_close(&first);
	open_of(&none, NULL, "h.example/a/b", "1");
	journal_write(&none, "https://h.example/3");
	expect_location(&none, NULL);
	journal_close(&none);
}

static void test_damaged(void **state)
{
	static const char *const damaged[] = {"", "{", "[]", "{\"location\":1}", "{\"place\":\"x\"}"};
	char *large XB_CLEANUP(xb_free_ptr) = xb_alloc(70000);
	struct journal j;

	(void)state;
	open_of(&j, dir, "h.example/a/b", "1");
	for (size_t i = 0; i < XB_COUNT(damaged); i++) {
		put(&j, damaged[i], strlen(damaged[i]));
		expect_location(&j, NULL);
	}
	memset(large, ' ', 70000);
	memcpy(large, "{\"location\":\"https://h.example/1\"}", 34);
	put(&j, large, 1000);
	expect_location(&j, "https://h.example/1");
	put(&j, large, 70000);
	expect_location(&j, NULL);
	journal_forget(&j);
	journal_close(&j);
}

/* After seven days no registry knows an upload. */
static void test_sweep(void **state)
{
	const int64_t week_sec = INT64_C(7) * 24 * 3600;
	struct journal old, young;

	(void)state;
	open_of(&old, dir, "h.example/a/b", "1");
	open_of(&young, dir, "h.example/a/b", "2");
	for (int i = 0; i < 2; i++) {
		const time_t at = (time_t)(xb_host_now() - week_sec + (i ? 600 : -600));
		const struct timespec times[2] = {{.tv_sec = at}, {.tv_sec = at}};

		journal_write(i ? &young : &old, "https://h.example/1");
		assert_int_equal(utimensat(AT_FDCWD, (i ? &young : &old)->path, times, 0), 0);
	}
	journal_sweep(NULL);
	journal_sweep(dir);
	expect_location(&old, NULL);
	expect_location(&young, "https://h.example/1");
	journal_forget(&young);
	journal_close(&old);
	journal_close(&young);
	/* nothing is left of them, locks included */
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};

	(void)state;
	return xb_fs_remove(dir, &ignored);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_kept), cmocka_unit_test(test_one_holder),
					   cmocka_unit_test(test_damaged), cmocka_unit_test(test_sweep)};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
