/* SPDX-License-Identifier: Apache-2.0 */
#include "../store/fixture.h"
#include "xbuild/image/tar.h"
#include "xbuild/image/tarball.h"
#include "xbuild/store/cas.h"

/* A blob of `len` bytes in the store. */
static struct xb_descriptor put_blob(struct fixture *f, size_t len)
{
	char *bytes = xb_alloc(len + 1);
	struct xb_descriptor d = {.size_bytes = len};

	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i * 7 + i / 251);
	assert_ok(xb_cas_put_bytes(f->store, bytes, len, &d.digest, &f->err), &f->err);
	free(bytes);
	return d;
}

static struct xb_rootfs_entry entry_of(struct fixture *f, const char *source, const char *text)
{
	struct xb_rootfs_entry e = {.path = "etc/file",
				    .type = XB_TREE_FILE,
				    .mode = 04755,
				    .uid = 7,
				    .gid = 8,
				    .source = source,
				    .size_bytes = (int64_t)strlen(text)};

	(void)f;
	xb_digest_bytes(text, strlen(text), &e.digest);
	return e;
}

/* What a reader that is not ours would see is checked end to end; here: the blocks and where they lie. */
static void test_layout_of_bytes(void **state)
{
	struct fixture *f = *state;
	char *path = xb_printf("%s/a.tar", f->dir), *source = xb_printf("%s/source", f->dir);
	const struct xb_descriptor blob = put_blob(f, 3 * XB_TARBALL_BUFFER_BYTES + 5);
	struct xb_rootfs_entry e = entry_of(f, source, "hello");
	struct xb_str header = {0}, text = {0};
	struct xb_tarball t;
	char hex[XB_DIGEST_HEX];

	write_text(source, "hello");
	assert_ok(xb_tarball_open(&t, path, NULL, &f->err), &f->err);
	assert_ok(xb_tarball_add_text(&t, "index.json", xb_sv("{}"), &f->err), &f->err);
	assert_ok(xb_tarball_add_dir(&t, "blobs", &f->err), &f->err);
	assert_ok(xb_tarball_add_blob(&t, f->store, &blob, &f->err), &f->err);
	assert_ok(xb_tarball_add_entry(&t, &e, &f->err), &f->err);
	assert_false(xb_fs_exists(path));
	assert_ok(xb_tarball_finish(&t, &f->err), &f->err);
	xb_tarball_release(&t);
	assert_ok(xb_fs_read(path, 1 << 30, &text, &f->err), &f->err);

	assert_string_equal(text.data, "index.json");
	assert_memory_equal(text.data + 512, "{}\0", 3);
	assert_string_equal(text.data + 1024, "blobs/");
	assert_memory_equal(text.data + 1536, "blobs/sha256/", 13);
	assert_memory_equal(text.data + 1549, xb_digest_hex(&blob.digest, hex), 64);
	struct xb_digest found;

	xb_digest_bytes(text.data + 2048, blob.size_bytes, &found);
	assert_true(xb_digest_eq(&found, &blob.digest));
	const size_t at = 2048 + 3 * XB_TARBALL_BUFFER_BYTES + 512;

	assert_ok(xb_tar_header(&(struct xb_tar_entry){.path = "etc/file",
						       .type = XB_TAR_FILE,
						       .mode = 04755,
						       .uid = 7,
						       .gid = 8,
						       .size_bytes = 5},
				&header, &f->err),
		  &f->err);
	assert_memory_equal(text.data + at, header.data, 512);
	assert_string_equal(text.data + at + 512, "hello");
	assert_int_equal(text.len, at + 1024 + XB_TAR_END_BYTES);
	for (size_t i = at + 1024; i < text.len; i++)
		assert_int_equal(text.data[i], 0);
	xb_str_release(&header);
	xb_str_release(&text);
	free(source);
	free(path);
}

/* What goes wrong half-way leaves the old file, and nothing beside it. */
static void test_old_file_stays(void **state)
{
	struct fixture *f = *state;
	char *dir = xb_printf("%s/out", f->dir), *path = xb_printf("%s/out/a.tar", f->dir);
	char *source = xb_printf("%s/source", f->dir), *text;
	static const char *const changed[] = {"hellO", "hell", "hello!"};
	const struct xb_rootfs_entry e = entry_of(f, source, "hello");
	struct xb_descriptor blob = put_blob(f, 100);
	volatile int interrupted = 0;
	struct xb_tarball t;

	assert_ok(xb_fs_mkdirs(dir, 0755, &f->err), &f->err);
	write_text(path, "old");
	for (size_t i = 0; i < XB_COUNT(changed); i++) {
		write_text(source, changed[i]);
		assert_ok(xb_tarball_open(&t, path, NULL, &f->err), &f->err);
		assert_failed(xb_tarball_add_entry(&t, &e, &f->err), &f->err, XB_E_DIGEST, "source");
		xb_tarball_release(&t);
	}
	assert_ok(xb_tarball_open(&t, path, &interrupted, &f->err), &f->err);
	interrupted = 15;
	assert_failed(xb_tarball_add_blob(&t, f->store, &blob, &f->err), &f->err, XB_E_INTERRUPTED, "interrupted");
	assert_failed(xb_tarball_finish(&t, &f->err), &f->err, XB_E_INTERRUPTED, "interrupted");
	xb_tarball_release(&t);
	assert_ok(xb_tarball_open(&t, path, NULL, &f->err), &f->err);
	assert_failed(xb_tarball_add_text(&t, "../index.json", xb_sv("{}"), &f->err), &f->err, XB_E_INPUT, "../");
	xb_tarball_release(&t);
	xb_tarball_release(&t);
	text = read_text(path);
	assert_string_equal(text, "old");
	assert_int_equal(count_files(dir), 1);
	free(text);
	free(source);
	free(path);
	free(dir);
}

static void test_damaged_blob_leaves_the_store(void **state)
{
	struct fixture *f = *state;
	char *path = xb_printf("%s/a.tar", f->dir), *blob_path;
	const struct xb_descriptor blob = put_blob(f, 5);
	struct xb_descriptor other = put_blob(f, 4);
	struct xb_tarball t;

	blob_path = xb_cas_path(f->store, &blob.digest);
	write_text(blob_path, "wrong");
	assert_ok(xb_tarball_open(&t, path, NULL, &f->err), &f->err);
	assert_failed(xb_tarball_add_blob(&t, f->store, &blob, &f->err), &f->err, XB_E_DIGEST, "sha256");
	assert_false(xb_cas_has(f->store, &blob.digest, -1));
	/* not the blob is wrong but the size that is asked for */
	other.size_bytes = 3;
	assert_failed(xb_tarball_add_blob(&t, f->store, &other, &f->err), &f->err, XB_E_DIGEST, "more");
	assert_true(xb_cas_has(f->store, &other.digest, -1));
	assert_failed(xb_tarball_add_blob(&t, f->store, &blob, &f->err), &f->err, XB_E_NOT_FOUND, "blob");
	xb_tarball_release(&t);
	free(blob_path);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_layout_of_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_old_file_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_blob_leaves_the_store, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
