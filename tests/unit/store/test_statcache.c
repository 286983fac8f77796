/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <fcntl.h>
#include <time.h>

#include "xbuild/store/statcache.h"

struct project {
	char *file; /* of the cache */
	char *a;    /* a source */
};

static void project_init(struct project *p, const struct fixture *f)
{
	p->file = xb_printf("%s/stat", f->dir);
	p->a = xb_printf("%s/a.c", f->dir);
	write_text(p->a, "int a;");
}

static void project_release(struct project *p)
{
	free(p->file);
	free(p->a);
}

/* Gives the file a time that lies `seconds` back, so that nothing is racy; ctime cannot be set: callers mind it. */
static void set_age(const char *path, time_t seconds)
{
	const struct timespec times[2] = {{time(NULL) - seconds, 5}, {time(NULL) - seconds, 5}};

	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static struct xb_file_state get(struct xb_statcache *cache, const char *path)
{
	struct xb_err err = {0};
	struct xb_file_state state = {0};

	assert_ok(xb_statcache_get(cache, path, &state, &err), &err);
	return state;
}

static bool has_content(const struct xb_file_state *state, const char *text)
{
	struct xb_digest digest;

	xb_digest_bytes(text, strlen(text), &digest);
	return xb_digest_eq(&digest, &state->digest) && state->size_bytes == strlen(text);
}

static void hashes_and_remembers(void **state)
{
	struct fixture *f = *state;
	struct project p XB_CLEANUP(project_release) = {0};
	struct xb_statcache *cache;
	struct xb_file_state got;

	project_init(&p, f);
	for (int run = 0; run < 3; run++) {
		cache = xb_statcache_open(p.file, f->dir);
		got = get(cache, "a.c");
		assert_true(has_content(&got, "int a;"));
		assert_false(got.executable);
		assert_ok(xb_statcache_save(cache, &f->err), &f->err);
		xb_statcache_free(cache);
		assert_true(xb_fs_exists(p.file));
	}
	assert_int_equal(chmod(p.a, 0755), 0);
	cache = xb_statcache_open(p.file, f->dir);
	got = get(cache, p.a); /* absolute */
	assert_true(got.executable);
	xb_statcache_free(cache);
}

/* The same stat, another content: only a cache that trusts the stat can be fooled. Shows that entries are really used. */
static void a_trusted_entry_is_not_read_again(void **state)
{
	struct fixture *f = *state;
	struct project p XB_CLEANUP(project_release) = {0};
	struct xb_statcache *cache;
	struct xb_file_state got;
	char *text;
	size_t at = 0;
	struct xb_digest digest;

	project_init(&p, f);
	set_age(p.a, 100);
	do { /* until ctime is old enough to be trusted: two ticks */
		cache = xb_statcache_open(p.file, f->dir);
		get(cache, "a.c");
		assert_ok(xb_statcache_save(cache, &f->err), &f->err);
		xb_statcache_free(cache);
		cache = xb_statcache_open(p.file, f->dir);
		get(cache, "a.c");
		/* A save that writes nothing tells that nothing was hashed. */
		assert_int_equal(unlink(p.file), 0);
		assert_ok(xb_statcache_save(cache, &f->err), &f->err);
		xb_statcache_free(cache);
		at++;
	} while (xb_fs_exists(p.file) && at < 100000);
	assert_false(xb_fs_exists(p.file));
	/* And a change is seen at once. */
	write_text(p.a, "int b;");
	cache = xb_statcache_open(p.file, f->dir);
	got = get(cache, "a.c");
	assert_true(has_content(&got, "int b;"));
	xb_statcache_free(cache);
	text = read_text(p.a);
	xb_digest_bytes(text, strlen(text), &digest);
	assert_true(xb_digest_eq(&digest, &got.digest));
	free(text);
}

/* Written and hashed within one tick, then changed within the same tick to the same size: never believed. */
static void racy_changes_are_seen(void **state)
{
	struct fixture *f = *state;
	struct project p XB_CLEANUP(project_release) = {0};

	project_init(&p, f);
	for (int i = 0; i < 200; i++) {
		struct xb_statcache *cache;
		struct xb_file_state got;
		char text[] = "int ?;";
		int fd = open(p.a, O_WRONLY);

		text[4] = (char)('a' + i % 26);
		assert_int_equal(pwrite(fd, text, 6, 0), 6);
		cache = xb_statcache_open(p.file, f->dir);
		got = get(cache, "a.c");
		assert_true(has_content(&got, text));
		text[4] = (char)('A' + i % 26);
		assert_int_equal(pwrite(fd, text, 6, 0), 6);
		close(fd);
		assert_true(xb_statcache_changed(cache, "a.c"));
		assert_ok(xb_statcache_save(cache, &f->err), &f->err);
		xb_statcache_free(cache);
		cache = xb_statcache_open(p.file, f->dir);
		got = get(cache, "a.c");
		assert_true(has_content(&got, text));
		assert_false(xb_statcache_changed(cache, "a.c"));
		xb_statcache_free(cache);
	}
}

static void asks_once_until_it_is_told_to_forget(void **state)
{
	struct fixture *f = *state;
	struct project p XB_CLEANUP(project_release) = {0};
	struct xb_statcache *cache;
	struct xb_file_state got;

	project_init(&p, f);
	cache = xb_statcache_open(p.file, f->dir);
	assert_true(xb_statcache_changed(cache, "a.c")); /* never asked */
	get(cache, "a.c");
	assert_false(xb_statcache_changed(cache, "a.c"));
	write_text(p.a, "longer than before");
	got = get(cache, "a.c");
	assert_true(has_content(&got, "int a;"));
	assert_true(xb_statcache_changed(cache, "a.c"));
	xb_statcache_forget(cache, "a.c");
	xb_statcache_forget(cache, "never seen");
	got = get(cache, "a.c");
	assert_true(has_content(&got, "longer than before"));
	assert_int_equal(unlink(p.a), 0);
	assert_true(xb_statcache_changed(cache, "a.c"));
	xb_statcache_free(cache);
}

static void what_is_no_file(void **state)
{
	struct fixture *f = *state;
	struct project p XB_CLEANUP(project_release) = {0};
	char *fifo XB_CLEANUP(xb_free_ptr) = xb_printf("%s/fifo", f->dir);
	struct xb_statcache *cache;
	struct xb_file_state got;

	project_init(&p, f);
	cache = xb_statcache_open(p.file, f->dir);
	assert_failed(xb_statcache_get(cache, "none.c", &got, &f->err), &f->err, XB_E_NOT_FOUND, "none.c");
	assert_failed(xb_statcache_get(cache, f->dir, &got, &f->err), &f->err, XB_E_INPUT, "a directory");
	assert_int_equal(mkfifo(fifo, 0644), 0);
	assert_failed(xb_statcache_get(cache, "fifo", &got, &f->err), &f->err, XB_E_INPUT, "something else");
	write_text(fifo, "a file now");
	got = get(cache, "fifo");
	assert_true(has_content(&got, "a file now"));
	xb_statcache_free(cache);
}

static void a_damaged_cache_is_an_empty_one(void **state)
{
	struct fixture *f = *state;
	struct project p XB_CLEANUP(project_release) = {0};
	struct xb_str good XB_CLEANUP(xb_str_release) = {0};
	struct xb_statcache *cache;

	project_init(&p, f);
	cache = xb_statcache_open(p.file, f->dir);
	get(cache, "a.c");
	assert_ok(xb_statcache_save(cache, &f->err), &f->err);
	xb_statcache_free(cache);
	assert_ok(xb_fs_read(p.file, 1 << 20, &good, &f->err), &f->err);
	for (size_t i = 0; i < good.len; i++) {
		struct xb_file_state got;

		good.data[i] ^= 0x40;
		assert_ok(xb_atomic_file_write(p.file, good.data, good.len, 0644, 0, &f->err), &f->err);
		cache = xb_statcache_open(p.file, f->dir);
		got = get(cache, "a.c");
		assert_true(has_content(&got, "int a;"));
		assert_int_equal(unlink(p.file), 0);
		assert_ok(xb_statcache_save(cache, &f->err), &f->err);
		assert_true(xb_fs_exists(p.file)); /* it had to hash: the entry was not believed */
		xb_statcache_free(cache);
		good.data[i] ^= 0x40;
	}
	for (size_t len = 0; len < good.len; len += 3) {
		assert_ok(xb_atomic_file_write(p.file, good.data, len, 0644, 0, &f->err), &f->err);
		cache = xb_statcache_open(p.file, f->dir);
		get(cache, "a.c");
		xb_statcache_free(cache);
	}
}

static void vanished_files_are_forgotten(void **state)
{
	struct fixture *f = *state;
	struct project p XB_CLEANUP(project_release) = {0};
	struct xb_file_state got;
	struct xb_statcache *cache;
	struct stat with, without;

	project_init(&p, f);
	cache = xb_statcache_open(p.file, f->dir);
	get(cache, "a.c");
	assert_ok(xb_statcache_save(cache, &f->err), &f->err);
	xb_statcache_free(cache);
	assert_int_equal(stat(p.file, &with), 0);
	assert_int_equal(unlink(p.a), 0);
	cache = xb_statcache_open(p.file, f->dir);
	assert_failed(xb_statcache_get(cache, "a.c", &got, &f->err), &f->err, XB_E_NOT_FOUND, "a.c");
	assert_ok(xb_statcache_save(cache, &f->err), &f->err);
	xb_statcache_free(cache);
	assert_int_equal(stat(p.file, &without), 0);
	assert_true(without.st_size < with.st_size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hashes_and_remembers),
		TEST(a_trusted_entry_is_not_read_again),
		TEST(racy_changes_are_seen),
		TEST(asks_once_until_it_is_told_to_forget),
		TEST(what_is_no_file),
		TEST(a_damaged_cache_is_an_empty_one),
		TEST(vanished_files_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
