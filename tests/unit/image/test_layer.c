/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>

#include "../run_program.h"
#include "../skip.h"
#include "../store/fixture.h"
#include "xbuild/image/layer.h"
#include "xbuild/store/action_cache.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/deflate.h"
#include "xbuild/sys/proc.h"
#include "xbuild/sys/zstd.h"

static const struct xb_layer_options one = {.threads = 1};

/* Writes a file of `len` bytes into the test's directory and adds it. */
static void add_content(struct fixture *f, struct xb_rootfs *r, const char *path, size_t len, enum xb_layer_kind layer)
{
	char *bytes = xb_alloc(len + 1);
	char *source = xb_printf("%s/%s", f->dir, strrchr(path, '/') + 1);
	struct xb_rootfs_entry e = {.path = path,
				    .type = XB_TREE_FILE,
				    .mode = 0755,
				    .uid = 7,
				    .source = source,
				    .size_bytes = (int64_t)len,
				    .origin = "test",
				    .layer = layer};

	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i * i >> 7);
	assert_ok(xb_atomic_file_write(source, bytes, len, 0600, 0, &f->err), &f->err);
	xb_digest_bytes(bytes, len, &e.digest);
	xb_rootfs_add(r, &e);
	free(bytes);
	free(source);
}

static void make_sample(struct fixture *f, struct xb_rootfs *r)
{
	add_content(f, r, "usr/bin/app", (3 << 20) + 17, XB_LAYER_APPLICATION);
	add_content(f, r, "usr/bin/empty", 0, XB_LAYER_APPLICATION);
	add_content(f, r, "usr/lib/libx.so", 1000, XB_LAYER_PACKAGES);
	assert_ok(xb_rootfs_finish(r, &f->err), &f->err);
}

static void test_threads_do_not_matter(void **state)
{
	struct fixture *f = *state;
	struct xb_rootfs r = {0};
	const struct xb_rootfs_entry **entries;
	struct xb_layer first, next;
	size_t n;

	make_sample(f, &r);
	xb_rootfs_layer(&r, XB_LAYER_APPLICATION, &entries, &n);
	for (int threads = 1; threads <= 9; threads += 4) {
		char *path = xb_printf("%s/layer", f->dir);
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		const struct xb_layer_options options = {.threads = threads};

		assert_ok(xb_layer_write(fd, entries, n, &options, threads == 1 ? &first : &next, &f->err), &f->err);
		close(fd);
		free(path);
		if (threads == 1)
			continue;
		assert_true(xb_digest_eq(&first.blob, &next.blob));
		assert_true(xb_digest_eq(&first.diff_id, &next.diff_id));
	}
	/* two directories, a file of 3 MiB and 17 bytes, an empty one, the end */
	assert_int_equal(first.tar_bytes, 4 * 512 + (3 << 20) + 512 + 1024);
	free(entries);
	xb_rootfs_release(&r);
}

static void test_remembered(void **state)
{
	struct fixture *f = *state;
	struct xb_rootfs r = {0};
	struct xb_layer before[XB_LAYER_KINDS], after[XB_LAYER_KINDS];
	size_t n;

	make_sample(f, &r);
	n = 0;
	assert_ok(xb_layer_make_all(f->store, &r, &one, before, &n, &f->err), &f->err);
	assert_int_equal(n, 2);
	assert_int_equal(before[0].kind, XB_LAYER_PACKAGES);
	assert_int_equal(before[1].kind, XB_LAYER_APPLICATION);
	assert_false(before[1].cached);
	assert_true(xb_cas_has(f->store, &before[1].blob, (int64_t)before[1].size_bytes));
	n = 0;
	assert_ok(xb_layer_make_all(f->store, &r, &one, after, &n, &f->err), &f->err);
	for (size_t i = 0; i < n; i++) {
		assert_true(after[i].cached);
		assert_true(xb_digest_eq(&before[i].blob, &after[i].blob));
		assert_true(xb_digest_eq(&before[i].diff_id, &after[i].diff_id));
		assert_int_equal(before[i].size_bytes, after[i].size_bytes);
		assert_int_equal(before[i].tar_bytes, after[i].tar_bytes);
	}
	xb_rootfs_release(&r);
}

/* Another encoder makes other bytes of the same entries: its version is part of the name that a layer is remembered by. */
static void check_key(struct fixture *f, enum xb_compression compression, const char *version, const char *media_type)
{
	const struct xb_layer_options options = {.threads = 1, .compression = compression};
	struct xb_rootfs r = {0};
	const struct xb_rootfs_entry **entries;
	struct xb_layer layers[XB_LAYER_KINDS];
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_reapi_result result = {0};
	struct xb_digest key;
	size_t n;

	make_sample(f, &r);
	n = 0;
	assert_ok(xb_layer_make_all(f->store, &r, &options, layers, &n, &f->err), &f->err);
	xb_rootfs_layer(&r, XB_LAYER_APPLICATION, &entries, &n);
	xb_rootfs_digest(version, entries, n, &key);
	assert_int_equal(xb_action_get(f->store, &key, &arena, &result), 1);
	assert_true(xb_digest_eq(&result.outputs[0].digest.hash, &layers[1].blob));
	if (media_type)
		assert_string_equal(layers[1].media_type, media_type);
	else
		assert_null(layers[1].media_type);
	assert_int_equal(layers[1].size_bytes == layers[1].tar_bytes, compression == XB_COMPRESSION_NONE);
	free(entries);
	xb_rootfs_release(&r);
}

static void test_key_names_the_encoder(void **state)
{
	char *zstd XB_CLEANUP(xb_free_ptr) =
		xb_printf("xbuild layer 1: ustar+pax, mtime 1, zstd frames of 1 MiB, libzstd %s", xb_zstd_version());

	check_key(*state, XB_COMPRESSION_GZIP,
		  "xbuild layer 1: ustar+pax, mtime 1, gzip members of 1 MiB, encoder " XB_DEFLATE_VERSION, NULL);
	check_key(*state, XB_COMPRESSION_ZSTD, zstd, "application/vnd.oci.image.layer.v1.tar+zstd");
	check_key(*state, XB_COMPRESSION_NONE, "xbuild layer 1: ustar+pax, mtime 1, plain",
		  "application/vnd.oci.image.layer.v1.tar");
}

/* A file whose bytes are not what the list says fails, at its size or at its digest, and nothing is remembered. */
static void test_changed_file(void **state)
{
	static const char *const texts[] = {"short", "other bytes, same size!!", "longer than it should be by some"};
	struct fixture *f = *state;
	char *path = xb_printf("%s/changing", f->dir);
	struct xb_rootfs r = {0};
	struct xb_layer layers[XB_LAYER_KINDS];
	size_t n;

	add_content(f, &r, "etc/changing", strlen(texts[1]), XB_LAYER_APPLICATION);
	assert_ok(xb_rootfs_finish(&r, &f->err), &f->err);
	for (size_t i = 0; i < XB_COUNT(texts); i++) {
		write_text(path, texts[i]);
		n = 0;
		assert_failed(xb_layer_make_all(f->store, &r, &one, layers, &n, &f->err), &f->err, XB_E_DIGEST,
			      "changing");
	}
	assert_int_equal(unlink(path), 0);
	n = 0;
	assert_failed(xb_layer_make_all(f->store, &r, &one, layers, &n, &f->err), &f->err, XB_E_NOT_FOUND, "changing");
	xb_rootfs_release(&r);
	free(path);
}

static void test_empty_image_has_a_layer(void **state)
{
	struct fixture *f = *state;
	struct xb_rootfs r = {0};
	struct xb_layer layers[XB_LAYER_KINDS];
	size_t n;

	assert_ok(xb_rootfs_finish(&r, &f->err), &f->err);
	n = 0;
	assert_ok(xb_layer_make_all(f->store, &r, &one, layers, &n, &f->err), &f->err);
	assert_int_equal(n, 1);
	assert_int_equal(layers[0].tar_bytes, 1024);
	xb_rootfs_release(&r);
}

static void test_interrupted(void **state)
{
	struct fixture *f = *state;
	static const int signal = 2;
	const struct xb_layer_options options = {.threads = 2, .interrupted = &signal};
	struct xb_rootfs r = {0};
	struct xb_layer layers[XB_LAYER_KINDS];
	size_t n;

	make_sample(f, &r);
	n = 0;
	assert_failed(xb_layer_make_all(f->store, &r, &options, layers, &n, &f->err), &f->err, XB_E_INTERRUPTED,
		      "layer");
	xb_rootfs_release(&r);
}

/* tar(1) unpacks what it names: content and mode come back. */
static void test_tar_unpacks_it(void **state)
{
	struct fixture *f = *state;
	char *tar = xb_proc_find("tar");
	struct xb_rootfs r = {0};
	struct xb_layer layers[XB_LAYER_KINDS];
	struct xb_proc_result result = {0};
	struct xb_digest before, after;
	struct stat st;
	size_t n;

	if (!tar)
		skip_without("tar");
	make_sample(f, &r);
	n = 0;
	assert_ok(xb_layer_make_all(f->store, &r, &one, layers, &n, &f->err), &f->err);
	char *blob = xb_cas_path(f->store, &layers[1].blob), *to = xb_printf("%s/to", f->dir);
	char *app = xb_printf("%s/usr/bin/app", to), *source = xb_printf("%s/app", f->dir);
	const char *const argv[] = {tar, "-xzf", blob, "-C", to, "--no-same-owner", "-p", NULL};
	char *path = xb_printf("PATH=%s", getenv("PATH"));
	const char *const env[] = {path, NULL};

	assert_ok(xb_fs_mkdirs(to, 0755, &f->err), &f->err);
	assert_ok(run_program(&(struct xb_proc_spec){.argv = argv, .env = env}, &result, &f->err), &f->err);
	assert_string_equal(xb_str_get(&result.output), "");
	assert_int_equal(result.exit_code, 0);
	assert_ok(xb_digest_file(source, &before, NULL, &f->err), &f->err);
	assert_ok(xb_digest_file(app, &after, NULL, &f->err), &f->err);
	assert_true(xb_digest_eq(&before, &after));
	assert_int_equal(stat(app, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(st.st_mtime, 1);
	xb_proc_result_release(&result);
	xb_rootfs_release(&r);
	free(tar);
	free(blob);
	free(to);
	free(app);
	free(source);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_threads_do_not_matter),   TEST(test_remembered),
		TEST(test_key_names_the_encoder),   TEST(test_changed_file),
		TEST(test_empty_image_has_a_layer), TEST(test_interrupted),
		TEST(test_tar_unpacks_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
