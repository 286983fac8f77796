/* SPDX-License-Identifier: Apache-2.0 */
#include "../store/fixture.h"
#include "xbuild/image/layout.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/json.h"

/* One version of an image: three blobs, of which the first is the "index", and what index.json says. */
struct version {
	struct xb_descriptor blobs[3];
	struct xb_str index_json;
};

/* Versions share the blob "shared". */
static struct version make_version(struct fixture *f, const char *name)
{
	struct version v = {0};
	const char *const texts[] = {name, "shared", "a blob of"};

	for (size_t i = 0; i < 3; i++) {
		char *text = i == 1 ? xb_strdup(texts[i]) : xb_printf("%s %s", texts[i], name);

		assert_ok(xb_cas_put_bytes(f->store, text, strlen(text), &v.blobs[i].digest, &f->err), &f->err);
		v.blobs[i].size_bytes = strlen(text);
		free(text);
	}
	assert_ok(xb_document_layout(&v.blobs[0], "latest", &v.index_json, &f->err), &f->err);
	return v;
}

/* Counts changes; the one after `allowed` of them is a crash. */
struct fuse {
	int allowed, asked;
};

static int burn(void *ctx, struct xb_err *err)
{
	struct fuse *fuse = ctx;

	if (fuse->asked++ >= fuse->allowed)
		return xb_fail(err, XB_E_INTERRUPTED, "killed");
	return 0;
}

static int write_version(struct fixture *f, const struct version *v, struct fuse *fuse, bool *changed)
{
	char *dir = xb_printf("%s/images/parcel", f->dir), *state = xb_printf("%s/state", f->dir);
	const struct xb_layout layout = {.dir = dir,
					 .state_file = state,
					 .blobs = v->blobs,
					 .n_blobs = 3,
					 .index_json = xb_str_sv(&v->index_json),
					 .before_change = fuse ? burn : NULL,
					 .ctx = fuse};
	const int r = xb_layout_write(f->store, &layout, changed, &f->err);

	free(dir);
	free(state);
	return r;
}

static void assert_written(struct fixture *f, const struct version *v, bool expect_changed)
{
	bool changed = !expect_changed;

	assert_ok(write_version(f, v, NULL, &changed), &f->err);
	assert_int_equal(changed, expect_changed);
}

static char *path_of(struct fixture *f, const struct version *v, size_t i)
{
	char hex[XB_DIGEST_HEX];

	return xb_printf("%s/images/parcel/blobs/sha256/%s", f->dir, xb_digest_hex(&v->blobs[i].digest, hex));
}

/* All blobs of the version are there with the bytes of their names. */
static void assert_whole(struct fixture *f, const struct version *v)
{
	for (size_t i = 0; i < 3; i++) {
		char *path = path_of(f, v, i);
		struct xb_digest found;

		assert_ok(xb_digest_file(path, &found, NULL, &f->err), &f->err);
		assert_true(xb_digest_eq(&found, &v->blobs[i].digest));
		free(path);
	}
}

static void assert_reads(struct fixture *f, const struct version *v)
{
	char *dir = xb_printf("%s/images/parcel", f->dir);
	struct xb_digest index;

	assert_ok(xb_layout_read(dir, &index, &f->err), &f->err);
	assert_true(xb_digest_eq(&index, &v->blobs[0].digest));
	free(dir);
}

static void test_write_and_again(void **state)
{
	struct fixture *f = *state;
	struct version v1 = make_version(f, "one"), v2 = make_version(f, "two");
	char *dir = xb_printf("%s/images/parcel/blobs/sha256", f->dir);
	char *layout = xb_printf("%s/images/parcel/oci-layout", f->dir), *text;

	assert_written(f, &v1, true);
	assert_whole(f, &v1);
	assert_reads(f, &v1);
	text = read_text(layout);
	assert_string_equal(text, "{\"imageLayoutVersion\":\"1.0.0\"}");
	assert_written(f, &v1, false);
	assert_written(f, &v2, true);
	assert_whole(f, &v2);
	assert_reads(f, &v2);
	assert_int_equal(count_files(dir), 3);
	free(text);
	free(layout);
	free(dir);
	xb_str_release(&v1.index_json);
	xb_str_release(&v2.index_json);
}

/* Whatever moment the work ends at: the index that is named has all its blobs, and the next run completes. */
static void test_killed_anywhere(void **state)
{
	struct fixture *f = *state;
	struct version v1 = make_version(f, "one"), v2 = make_version(f, "two");
	char *dir = xb_printf("%s/images/parcel", f->dir), *state_file = xb_printf("%s/state", f->dir);
	int steps = 0;

	for (bool done = false; !done; steps++) {
		struct fuse fuse = {.allowed = steps};
		struct xb_digest index;
		bool changed;

		assert_true(steps < 50);
		(void)!xb_fs_remove(dir, &f->err);
		(void)!xb_fs_remove(state_file, &f->err);
		assert_written(f, &v1, true);
		const int r = write_version(f, &v2, &fuse, &changed);

		done = r == 0;
		if (!done)
			assert_failed(r, &f->err, XB_E_INTERRUPTED, "killed");
		assert_ok(xb_layout_read(dir, &index, &f->err), &f->err);
		assert_whole(f, xb_digest_eq(&index, &v1.blobs[0].digest) ? &v1 : &v2);
		if (!done)
			assert_written(f, &v2, true);
		assert_whole(f, &v2);
		assert_reads(f, &v2);
	}
	/* two blobs, index.json, two blobs to remove: five changes at least */
	assert_true(steps > 5);
	free(dir);
	free(state_file);
	xb_str_release(&v1.index_json);
	xb_str_release(&v2.index_json);
}

static void test_mends_what_was_touched(void **state)
{
	struct fixture *f = *state;
	struct version v = make_version(f, "one");
	char *blob, *index = xb_printf("%s/images/parcel/index.json", f->dir);
	char *stray = xb_printf("%s/images/parcel/blobs/sha256/stray", f->dir);

	assert_written(f, &v, true);
	blob = path_of(f, &v, 1);
	write_text(blob, "SHARED"); /* same size */
	assert_written(f, &v, true);
	assert_whole(f, &v);
	assert_int_equal(unlink(blob), 0);
	assert_written(f, &v, true);
	assert_whole(f, &v);
	write_text(index, "{}");
	write_text(stray, "x");
	assert_written(f, &v, true);
	assert_reads(f, &v);
	assert_false(xb_fs_exists(stray));
	assert_written(f, &v, false);
	free(blob);
	free(index);
	free(stray);
	xb_str_release(&v.index_json);
}

/* Links in the place of files are replaced, never written through; in the place of directories they are refused. */
static void test_links(void **state)
{
	struct fixture *f = *state;
	struct version v = make_version(f, "one");
	char *victim = xb_printf("%s/victim", f->dir), *index = xb_printf("%s/images/parcel/index.json", f->dir);
	char *blobs = xb_printf("%s/images/parcel/blobs", f->dir), *elsewhere = xb_printf("%s/elsewhere", f->dir);
	char *dir = xb_printf("%s/images/parcel", f->dir), *images = xb_printf("%s/images", f->dir), *blob, *text;
	const char *const dirs[] = {blobs, dir, images};
	bool changed;

	assert_written(f, &v, true);
	blob = path_of(f, &v, 1);
	write_text(victim, "shared");
	assert_int_equal(unlink(index), 0);
	assert_int_equal(symlink(victim, index), 0);
	assert_int_equal(unlink(blob), 0);
	assert_int_equal(symlink(victim, blob), 0);
	assert_written(f, &v, true);
	text = read_text(victim);
	assert_string_equal(text, "shared");
	assert_whole(f, &v);
	assert_reads(f, &v);
	assert_ok(xb_fs_mkdirs(elsewhere, 0755, &f->err), &f->err);
	for (size_t i = 0; i < XB_COUNT(dirs); i++) {
		assert_ok(xb_fs_remove(dirs[i], &f->err), &f->err);
		assert_int_equal(symlink(elsewhere, dirs[i]), 0);
		assert_failed(write_version(f, &v, NULL, &changed), &f->err, XB_E_VERIFY, "is a link");
		assert_int_equal(count_files(elsewhere), 0);
	}
	free(text);
	free(blob);
	free(victim);
	free(index);
	free(blobs);
	free(elsewhere);
	free(dir);
	free(images);
	xb_str_release(&v.index_json);
}

static void test_missing_blob_keeps_the_old(void **state)
{
	struct fixture *f = *state;
	struct version v1 = make_version(f, "one"), v2 = make_version(f, "two");
	bool changed;

	assert_written(f, &v1, true);
	v2.blobs[2].digest.bytes[0] ^= 1;
	assert_failed(write_version(f, &v2, NULL, &changed), &f->err, XB_E_NOT_FOUND, "images/parcel");
	assert_reads(f, &v1);
	assert_whole(f, &v1);
	xb_str_release(&v1.index_json);
	xb_str_release(&v2.index_json);
}

static void test_read_refuses(void **state)
{
	static const char *const texts[] = {"{}", "{\"manifests\":[]}", "{\"manifests\":[{\"digest\":\"sha256:12\"}]}",
					    "{\"manifests\":[{}]}", "[1]"};
	struct fixture *f = *state;
	char *index = xb_printf("%s/index.json", f->dir);
	struct xb_digest digest;

	assert_failed(xb_layout_read(f->dir, &digest, &f->err), &f->err, XB_E_NOT_FOUND, "index.json");
	for (size_t i = 0; i < XB_COUNT(texts); i++) {
		write_text(index, texts[i]);
		assert_failed(xb_layout_read(f->dir, &digest, &f->err), &f->err, XB_E_INPUT, "index.json");
	}
	free(index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_write_and_again),
		TEST(test_killed_anywhere),
		TEST(test_mends_what_was_touched),
		TEST(test_links),
		TEST(test_missing_blob_keeps_the_old),
		TEST(test_read_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
