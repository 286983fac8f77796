/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/image/referrer.h"

#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/image/layout.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/json.h"

#define TITLE	 "org.opencontainers.image.title"
#define REF_NAME "org.opencontainers.image.ref.name"

static int put_referrer(struct xb_store *store, const struct xb_referrer *r, struct xb_artifact_blobs *blobs,
			struct xb_artifact_entry *out, struct xb_err *err)
{
	struct xb_artifact_layer layer = {.media_type = r->media_type, .annotation = TITLE, .value = r->title};
	struct xb_artifact manifest = {.artifact_type = r->media_type,
				       .config_type = XB_MEDIA_EMPTY,
				       .layers = &layer,
				       .n_layers = 1,
				       .subject = &r->subject};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	if (xb_artifact_put(store, r->text, blobs, &layer.blob, err) < 0 ||
	    xb_artifact_put(store, xb_sv(XB_EMPTY_JSON), blobs, &manifest.config, err) < 0)
		return err->code;
	xb_artifact_manifest(&manifest, &text);
	out->artifact_type = r->media_type;
	return xb_artifact_put(store, xb_str_sv(&text), blobs, &out->manifest, err);
}

int xb_referrers_write(const struct xb_referrer *referrers, size_t n, struct xb_store *store, const char *dir,
		       const char *state_file, bool *out_changed, struct xb_err *err)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_artifact_blobs blobs XB_CLEANUP(xb_artifact_blobs_release) = {0};
	struct xb_str index_json XB_CLEANUP(xb_str_release) = {0};
	struct xb_artifact_entry *entries = xb_arena_array(&arena, n, sizeof(*entries));

	for (size_t i = 0; i < n; i++) {
		if (put_referrer(store, &referrers[i], &blobs, &entries[i], err) < 0)
			return err->code;
	}
	xb_artifact_index(entries, n, &index_json);
	return xb_layout_write(store,
			       &(struct xb_layout){.dir = dir,
						   .state_file = state_file,
						   .blobs = blobs.items,
						   .n_blobs = blobs.len,
						   .index_json = xb_str_sv(&index_json)},
			       out_changed, err);
}

/* ---- what accompanies an image ---- */

#define MAX_COMPANIONS 1024
#define MAX_PLATFORMS  256
#define MAX_SUBJECTS   (MAX_PLATFORMS + 1)

/* The digests that are an image: of its index and its platforms. */
struct family {
	struct xb_digest items[MAX_SUBJECTS];
	size_t len;
};

static bool is_of(const struct family *family, const struct xb_digest *digest)
{
	for (size_t i = 0; i < family->len; i++) {
		if (xb_digest_eq(&family->items[i], digest))
			return true;
	}
	return false;
}

/* A document of a layout by its digest. */
static int read_document(const char *dir, const struct xb_digest *digest, json_t **out, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	if (xb_layout_blob(dir, digest, -1, XB_MAX_OCI_DOCUMENT_BYTES, &text, err) < 0)
		return err->code;
	return xb_json_parse(xb_str_sv(&text), dir, out, err);
}

static bool digest_of(const json_t *descriptor, struct xb_digest *out)
{
	const char *text = json_string_value(json_object_get(descriptor, "digest"));

	return text && xb_digest_parse(xb_sv(text), out);
}

static int read_family(const char *dir, const struct xb_digest *index, struct family *out, struct xb_err *err)
{
	json_t *root XB_CLEANUP(xb_json_release) = NULL;
	const json_t *list;

	if (read_document(dir, index, &root, err) < 0)
		return err->code;
	list = json_object_get(root, "manifests");
	if (json_array_size(list) > MAX_PLATFORMS)
		return xb_fail(err, XB_E_INPUT, "read '%s': %zu platforms, at most %d are looked at", dir,
			       json_array_size(list), MAX_PLATFORMS);
	out->items[out->len++] = *index;
	for (size_t i = 0; i < json_array_size(list); i++)
		out->len += digest_of(json_array_get(list, i), &out->items[out->len]);
	return 0;
}

/* cosign's tag of a signature, "sha256-<hex>.sig", tells whose it is. */
static bool subject_of_tag(const char *tag, struct xb_digest *out)
{
	const struct xb_sv text = xb_sv(tag);
	const size_t len = strlen("sha256-") + XB_DIGEST_HEX - 1;

	return xb_sv_starts(text, "sha256-") && text.len == len + strlen(".sig") && xb_sv_ends(text, ".sig") &&
	       xb_digest_parse(xb_sv_n(text.ptr + strlen("sha256-"), XB_DIGEST_HEX - 1), out);
}

static int read_entry(const char *dir, const json_t *entry, struct xb_arena *arena, struct xb_companion *out,
		      struct xb_err *err)
{
	const json_t *size = json_object_get(entry, "size");
	const char *tag = json_string_value(json_object_get(json_object_get(entry, "annotations"), REF_NAME));
	const char *type = json_string_value(json_object_get(entry, "artifactType"));
	json_t *manifest XB_CLEANUP(xb_json_release) = NULL;

	if (!digest_of(entry, &out->manifest.digest) || !json_is_integer(size) || json_integer_value(size) < 0)
		return xb_fail(err, XB_E_INPUT, "expected descriptors with a sha256 digest and a size");
	out->dir = dir;
	out->manifest.size_bytes = (uint64_t)json_integer_value(size);
	out->tag = tag ? xb_arena_strdup(arena, tag) : NULL;
	out->artifact_type = type ? xb_arena_strdup(arena, type) : NULL;
	if (read_document(dir, &out->manifest.digest, &manifest, err) < 0)
		return err->code;
	if (tag ? !subject_of_tag(tag, &out->subject) : !digest_of(json_object_get(manifest, "subject"), &out->subject))
		return xb_fail(err, XB_E_INPUT, "expected a tag 'sha256-<digest>.sig', or a manifest with a subject");
	return 0;
}

static int read_layout(const char *dir, const struct family *family, struct xb_arena *arena, struct xb_companion *out,
		       size_t *len, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/index.json", dir);
	json_t *root XB_CLEANUP(xb_json_release) = NULL;
	const json_t *list;

	if (!xb_fs_exists(dir))
		return 0;
	if (xb_json_read(path, XB_MAX_OCI_DOCUMENT_BYTES, &root, err) < 0)
		return err->code;
	list = json_object_get(root, "manifests");
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct xb_companion companion = {0};

		if (read_entry(dir, json_array_get(list, i), arena, &companion, err) < 0)
			return xb_wrap(err, "read '%s'", dir);
		if (!is_of(family, &companion.subject))
			continue;
		if (*len >= MAX_COMPANIONS)
			return xb_fail(err, XB_E_INPUT, "read '%s': more than %d entries", dir, MAX_COMPANIONS);
		out[(*len)++] = companion;
	}
	return 0;
}

int xb_companions_find(const char *image_dir, const struct xb_digest *index, struct xb_arena *arena,
		       struct xb_companion **out, size_t *out_len, struct xb_err *err)
{
	static const char *const endings[] = {".referrers", ".sig"};
	struct family family = {0};

	*out = xb_arena_array(arena, MAX_COMPANIONS, sizeof(**out));
	*out_len = 0;
	if (read_family(image_dir, index, &family, err) < 0)
		return err->code;
	for (size_t i = 0; i < XB_COUNT(endings); i++) {
		if (read_layout(xb_arena_printf(arena, "%s%s", image_dir, endings[i]), &family, arena, *out, out_len,
				err) < 0)
			return err->code;
	}
	return 0;
}
