/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "xbuild/store/cas.h"

static struct xb_digest put(struct fixture *f, const char *text)
{
	struct xb_digest digest;

	assert_ok(xb_cas_put_bytes(f->store, text, strlen(text), &digest, &f->err), &f->err);
	return digest;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static void bytes_come_back(void **state)
{
	struct fixture *f = *state;
	const mode_t old = umask(077);
	const struct xb_digest digest = put(f, "hello");
	char *path XB_CLEANUP(xb_free_ptr) = xb_cas_path(f->store, &digest);
	char *text XB_CLEANUP(xb_free_ptr) = read_text(path);

	umask(old);
	assert_non_null(strstr(path, "/blobs/2c/f24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"));
	assert_string_equal(text, "hello");
	assert_int_equal(mode_of(path), 0444);
	assert_true(xb_cas_has(f->store, &digest, 5));
	assert_true(xb_cas_has(f->store, &digest, -1));
	assert_ok(xb_cas_check(f->store, &digest, &f->err), &f->err);
}

static void a_wrong_size_is_a_miss_and_goes(void **state)
{
	struct fixture *f = *state;
	const struct xb_digest digest = put(f, "hello");
	char *path XB_CLEANUP(xb_free_ptr) = xb_cas_path(f->store, &digest);

	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(truncate(path, 0), 0);
	assert_true(xb_cas_has(f->store, &digest, -1));
	put(f, "hello"); /* knows its size and mends it */
	assert_true(xb_cas_has(f->store, &digest, 5));
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(truncate(path, 9), 0);
	assert_false(xb_cas_has(f->store, &digest, 5));
	assert_false(xb_fs_exists(path));
}

/* A document that names a wrong size must not cost the store what is right. */
static void a_wrong_question_costs_nothing(void **state)
{
	struct fixture *f = *state;
	const struct xb_digest digest = put(f, "hello");
	bool there = true;

	assert_false(xb_cas_has(f->store, &digest, 6));
	assert_true(xb_cas_has(f->store, &digest, 5));
	assert_int_equal(xb_cas_has_whole(f->store, &digest, 6, &there, &f->err), XB_E_DIGEST);
	assert_non_null(strstr(f->err.msg, "has 5 bytes, expected 6"));
	assert_true(there);
	assert_true(xb_cas_has(f->store, &digest, 5));
}

static void what_is_no_file_is_no_blob(void **state)
{
	struct fixture *f = *state;
	const struct xb_digest digest = put(f, "hello");
	char *path XB_CLEANUP(xb_free_ptr) = xb_cas_path(f->store, &digest);
	int fd = -1;

	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_true(xb_cas_open(f->store, &digest, &fd, &f->err) < 0);
	xb_err_clear(&f->err);
	assert_false(xb_cas_has(f->store, &digest, -1));
	assert_int_equal(mkdir(path, 0755), 0);
	assert_false(xb_cas_has(f->store, &digest, -1));
	put(f, "hello");
	assert_true(xb_cas_has(f->store, &digest, 5));
}

static void changed_content_is_found_by_check(void **state)
{
	struct fixture *f = *state;
	const struct xb_digest digest = put(f, "hello");
	char *path XB_CLEANUP(xb_free_ptr) = xb_cas_path(f->store, &digest);

	assert_int_equal(unlink(path), 0);
	write_text(path, "hellO");
	assert_failed(xb_cas_check(f->store, &digest, &f->err), &f->err, XB_E_DIGEST, "its content has the digest");
	assert_false(xb_fs_exists(path));
	assert_failed(xb_cas_check(f->store, &digest, &f->err), &f->err, XB_E_NOT_FOUND, "open blob");
}

static void a_writer_that_is_given_up_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct xb_cas_writer w;
	char *path XB_CLEANUP(xb_free_ptr) = NULL;

	assert_ok(xb_cas_begin(f->store, &w, &f->err), &f->err);
	path = xb_strdup(w.path);
	assert_int_equal(write(w.fd, "abc", 3), 3);
	xb_cas_discard(&w);
	xb_cas_discard(&w);
	assert_false(xb_fs_exists(path));
	xb_cas_discard(NULL);
}

static void commit_publishes_once(void **state)
{
	struct fixture *f = *state;
	struct xb_digest digest;
	char *path XB_CLEANUP(xb_free_ptr) = NULL;
	struct stat first, second;

	xb_digest_bytes("abc", 3, &digest);
	path = xb_cas_path(f->store, &digest);
	for (int i = 0; i < 2; i++) {
		struct xb_cas_writer w;
		char *tmp XB_CLEANUP(xb_free_ptr) = NULL;

		assert_ok(xb_cas_begin(f->store, &w, &f->err), &f->err);
		tmp = xb_strdup(w.path);
		assert_int_equal(write(w.fd, "abc", 3), 3);
		assert_ok(xb_cas_commit(&w, &digest, &f->err), &f->err);
		assert_int_equal(w.fd, -1);
		assert_null(w.path);
		assert_false(xb_fs_exists(tmp));
		assert_int_equal(stat(path, i ? &second : &first), 0);
	}
	assert_int_equal(first.st_ino, second.st_ino); /* the blob that was there is kept */
	assert_ok(xb_cas_check(f->store, &digest, &f->err), &f->err);
}

/* Content as a file of this process becomes a blob, with the mode that it then has. */
static mode_t adopted(struct fixture *f, bool executable, struct xb_digest *out, uint64_t *out_size)
{
	char *from XB_CLEANUP(xb_free_ptr) = xb_store_tmp(f->store);
	char *blob XB_CLEANUP(xb_free_ptr) = NULL;

	write_text(from, "program");
	assert_ok(xb_cas_adopt(f->store, from, executable, out, out_size, &f->err), &f->err);
	assert_false(xb_fs_exists(from));
	blob = xb_cas_path(f->store, out);
	return mode_of(blob);
}

static void copies_are_apart(void **state)
{
	struct fixture *f = *state;
	char *to XB_CLEANUP(xb_free_ptr) = xb_printf("%s/to", f->dir);
	char *blob XB_CLEANUP(xb_free_ptr) = NULL, *text XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_digest digest;
	uint64_t size_bytes = 0;

	write_text(to, "old");
	assert_int_equal(adopted(f, false, &digest, &size_bytes), 0444);
	assert_int_equal(adopted(f, true, &digest, NULL), 0555);
	assert_int_equal(adopted(f, false, &digest, NULL), 0555);
	assert_int_equal(size_bytes, 7);
	assert_ok(xb_cas_place(f->store, &digest, to, 0754, &f->err), &f->err);
	assert_int_equal(mode_of(to), 0754);
	/* What the user does to the copy does not reach the blob. */
	assert_int_equal(truncate(to, 1), 0);
	blob = xb_cas_path(f->store, &digest);
	text = read_text(blob);
	assert_string_equal(text, "program");
}

static void damaged_blobs_do_not_leave(void **state)
{
	struct fixture *f = *state;
	char *to XB_CLEANUP(xb_free_ptr) = xb_printf("%s/to", f->dir);
	char *blob XB_CLEANUP(xb_free_ptr) = NULL, *text XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_digest digest;

	write_text(to, "old");
	adopted(f, false, &digest, NULL);
	blob = xb_cas_path(f->store, &digest);
	assert_int_equal(chmod(blob, 0644), 0);
	write_text(blob, "pr0gram");
	assert_failed(xb_cas_place(f->store, &digest, to, 0644, &f->err), &f->err, XB_E_DIGEST, "removed");
	text = read_text(to);
	assert_string_equal(text, "old");
	assert_false(xb_cas_has(f->store, &digest, -1));
}

static void absent_blobs(void **state)
{
	struct fixture *f = *state;
	const struct xb_digest digest = {.bytes = {1}};
	char *to XB_CLEANUP(xb_free_ptr) = xb_printf("%s/to", f->dir);
	int fd = -1;

	write_text(to, "old");
	assert_false(xb_cas_has(f->store, &digest, -1));
	assert_failed(xb_cas_open(f->store, &digest, &fd, &f->err), &f->err, XB_E_NOT_FOUND, "open blob");
	assert_failed(xb_cas_place(f->store, &digest, to, 0644, &f->err), &f->err, XB_E_NOT_FOUND, "open");
	assert_true(xb_fs_exists(to));
	assert_ok(xb_cas_sync(f->store, &f->err), &f->err);
}

struct other {
	const char *blob, *kept;
	atomic_bool stop;
};

static void *comes_and_goes(void *arg)
{
	struct other *other = arg;

	while (!atomic_load(&other->stop)) {
		(void)!link(other->kept, other->blob);
		unlink(other->blob);
	}
	return NULL;
}

/* Another process publishes the blob between two looks, or takes it away: it is there or it is not, but never wrong. */
static void a_blob_that_appears_meanwhile(void **state)
{
	struct fixture *f = *state;
	const struct xb_digest digest = put(f, "hello");
	char *blob XB_CLEANUP(xb_free_ptr) = xb_cas_path(f->store, &digest);
	char *kept XB_CLEANUP(xb_free_ptr) = xb_printf("%s/kept", f->dir);
	struct other other = {.blob = blob, .kept = kept};
	pthread_t thread;

	assert_int_equal(link(blob, kept), 0);
	assert_int_equal(pthread_create(&thread, NULL, comes_and_goes, &other), 0);
	for (int i = 0; i < 50000; i++) {
		bool there;

		if (xb_cas_has_whole(f->store, &digest, i % 2 ? 5 : -1, &there, &f->err) < 0)
			break;
	}
	atomic_store(&other.stop, true);
	pthread_join(thread, NULL);
	assert_ok(f->err.code, &f->err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_come_back),
		TEST(a_wrong_size_is_a_miss_and_goes),
		TEST(a_wrong_question_costs_nothing),
		TEST(what_is_no_file_is_no_blob),
		TEST(changed_content_is_found_by_check),
		TEST(a_writer_that_is_given_up_leaves_nothing),
		TEST(commit_publishes_once),
		TEST(copies_are_apart),
		TEST(damaged_blobs_do_not_leave),
		TEST(absent_blobs),
		TEST(a_blob_that_appears_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
