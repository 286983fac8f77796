/* SPDX-License-Identifier: Apache-2.0 */
#include "../store/fixture.h"
#include "xbuild/image/layout.h"
#include "xbuild/image/referrer.h"
#include "xbuild/store/cas.h"

/* An image layout with one platform, in a directory of the test. */
struct image {
	char *dir;
	struct xb_descriptor index, manifest;
};

static struct xb_descriptor put(struct fixture *f, const char *text)
{
	struct xb_descriptor d = {.size_bytes = strlen(text)};

	assert_ok(xb_cas_put_bytes(f->store, text, strlen(text), &d.digest, &f->err), &f->err);
	return d;
}

static struct image make_image(struct fixture *f, const char *name)
{
	struct image image = {.dir = xb_printf("%s/parcel", f->dir)};
	const struct xb_document_platform platform = {xb_target_find(xb_sv("amd64")), put(f, name)};
	struct xb_str index XB_CLEANUP(xb_str_release) = {0}, layout XB_CLEANUP(xb_str_release) = {0};
	struct xb_descriptor blobs[2];
	bool changed;

	assert_ok(xb_document_index(&platform, 1, &(struct xb_pairs){0}, &index, &f->err), &f->err);
	image.manifest = platform.manifest;
	image.index = put(f, index.data);
	assert_ok(xb_document_layout(&image.index, "latest", &layout, &f->err), &f->err);
	blobs[0] = image.index;
	blobs[1] = image.manifest;
	assert_ok(xb_layout_write(
			  f->store,
			  &(struct xb_layout){
				  .dir = image.dir, .blobs = blobs, .n_blobs = 2, .index_json = xb_str_sv(&layout)},
			  &changed, &f->err),
		  &f->err);
	return image;
}

static void write_referrers(struct fixture *f, const struct image *image, bool expected_changed)
{
	const struct xb_referrer list[] = {
		{"application/spdx+json", "a.spdx.json", xb_sv("{\"a\":1}\n"), {XB_MEDIA_MANIFEST, image->manifest}},
		{"application/vnd.in-toto+json", "p.json", xb_sv("{\"p\":1}\n"), {XB_MEDIA_INDEX, image->index}},
	};
	char *dir XB_CLEANUP(xb_free_ptr) = xb_printf("%s.referrers", image->dir);
	bool changed = !expected_changed;

	assert_ok(xb_referrers_write(list, 2, f->store, dir, NULL, &changed, &f->err), &f->err);
	assert_int_equal(changed, expected_changed);
}

static void write_index(const struct image *image, const char *ending, const char *text)
{
	char *dir XB_CLEANUP(xb_free_ptr) = xb_printf("%s%s", image->dir, ending);
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/index.json", dir);
	struct xb_err err = {0};

	assert_ok(xb_fs_mkdirs(dir, 0755, &err), &err);
	write_text(path, text);
}

static void what_was_written_is_found(void **state)
{
	struct fixture *f = *state;
	struct image image = make_image(f, "{\"first\":1}"), later;
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_companion *found;
	size_t n;

	assert_ok(xb_companions_find(image.dir, &image.index.digest, &arena, &found, &n, &f->err), &f->err);
	assert_int_equal(n, 0);
	write_referrers(f, &image, true);
	write_referrers(f, &image, false);
	assert_ok(xb_companions_find(image.dir, &image.index.digest, &arena, &found, &n, &f->err), &f->err);
	assert_int_equal(n, 2);
	assert_string_equal(found[0].artifact_type, "application/spdx+json");
	assert_true(xb_digest_eq(&found[0].subject, &image.manifest.digest));
	assert_true(xb_digest_eq(&found[1].subject, &image.index.digest));
	for (size_t i = 0; i < n; i++) {
		struct xb_str text XB_CLEANUP(xb_str_release) = {0};

		assert_null(found[i].tag);
		assert_ok(xb_layout_blob(found[i].dir, &found[i].manifest.digest, (int64_t)found[i].manifest.size_bytes,
					 10000, &text, &f->err),
			  &f->err);
		assert_non_null(strstr(text.data, "\"subject\":{"));
		assert_non_null(strstr(text.data,
				       "\"config\":{\"mediaType\":\"application/vnd.oci.empty.v1+json\","
				       "\"digest\":\"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c"
				       "060f61caaff8a\",\"size\":2}"));
	}
	free(image.dir);

	/* of an image that is another one by now there is nothing */
	later = make_image(f, "{\"second\":1}");
	assert_ok(xb_companions_find(later.dir, &later.index.digest, &arena, &found, &n, &f->err), &f->err);
	assert_int_equal(n, 0);
	free(later.dir);
}

static void what_is_no_companion_is_refused(void **state)
{
	static const char *const bad[] = {
		"[",
		"{\"manifests\":[{}]}",
		"{\"manifests\":[{\"digest\":\"sha256:x\",\"size\":1}]}",
		"{\"manifests\":[{\"digest\":\"sha256:"
		"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\",\"size\":-1}]}",
		"{\"manifests\":[{\"digest\":\"sha256:"
		"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8b\",\"size\":2}]}",
		/* a manifest that names no subject, without and with a tag that is none of a signature */
		"{\"manifests\":[{\"digest\":\"sha256:"
		"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\",\"size\":2}]}",
		"{\"manifests\":[{\"digest\":\"sha256:"
		"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\",\"size\":2,"
		"\"annotations\":{\"org.opencontainers.image.ref.name\":\"latest\"}}]}",
	};
	struct fixture *f = *state;
	struct image image = make_image(f, "{\"first\":1}");
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_companion *found;
	size_t n;

	write_referrers(f, &image, true);
	for (size_t i = 0; i < XB_COUNT(bad); i++) {
		write_index(&image, ".referrers", bad[i]);
		if (xb_companions_find(image.dir, &image.index.digest, &arena, &found, &n, &f->err) == 0)
			fail_msg("%s was taken", bad[i]);
		xb_err_clear(&f->err);
	}
	free(image.dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_written_is_found),
		TEST(what_is_no_companion_is_refused),
	};

	return cmocka_run_group_tests_name("image/referrer", tests, NULL, NULL);
}
