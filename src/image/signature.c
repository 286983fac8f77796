/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/image/signature.h"

#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/base64.h"
#include "xbuild/base/limits.h"
#include "xbuild/image/artifact.h"
#include "xbuild/image/layout.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/json.h"

#define MEDIA_PAYLOAD	  "application/vnd.dev.cosign.simplesigning.v1+json"
#define SIGNATURE	  "dev.cosignproject.cosign/signature"
#define REF_NAME	  "org.opencontainers.image.ref.name"
#define PAYLOAD_TYPE	  "cosign container image signature"
#define MAX_IMAGES	  256
#define MAX_SIGNATURES	  64 /* of one image */
#define MAX_PAYLOAD_BYTES (64 * 1024)
#define MAX_TEXT_BYTES	  1024 /* of a signature in base64 */

void xb_signatures_release(struct xb_signatures *signatures)
{
	for (size_t i = 0; i < signatures->images.len; i++)
		XB_VEC_RELEASE(&signatures->images.items[i]);
	XB_VEC_RELEASE(&signatures->images);
	xb_arena_release(&signatures->arena);
}

/* cosign: "sha256:<hex>" becomes "sha256-<hex>.sig", because a tag has no colon. */
static void tag_of(const struct xb_digest *image, struct xb_str *out)
{
	char hex[XB_DIGEST_HEX];

	xb_str_printf(out, "sha256-%s.sig", xb_digest_hex(image, hex));
}

static bool parse_tag(struct xb_sv tag, struct xb_digest *out)
{
	if (!xb_sv_starts(tag, "sha256-") || !xb_sv_ends(tag, ".sig") || tag.len != XB_DIGEST_OCI - 1 + strlen(".sig"))
		return false;
	return xb_digest_parse(xb_sv_n(tag.ptr + strlen("sha256-"), XB_DIGEST_HEX - 1), out);
}

static struct xb_signed *find(const struct xb_signatures *signatures, const struct xb_digest *image)
{
	for (size_t i = 0; i < signatures->images.len; i++) {
		if (xb_digest_eq(&signatures->images.items[i].image, image))
			return &signatures->images.items[i];
	}
	return NULL;
}

static struct xb_signed *find_or_add(struct xb_signatures *signatures, const struct xb_digest *image)
{
	struct xb_signed *found = find(signatures, image);

	if (!found) {
		found = XB_VEC_ADD(&signatures->images);
		found->image = *image;
	}
	return found;
}

/* ---- reading ---- */

/* The blob that a descriptor leads to. */
static int read_blob(const char *dir, const json_t *descriptor, int64_t max_bytes, struct xb_str *out,
		     struct xb_err *err)
{
	const json_t *size = json_object_get(descriptor, "size");
	const char *text = json_string_value(json_object_get(descriptor, "digest"));
	struct xb_digest digest;

	if (!text || !xb_digest_parse(xb_sv(text), &digest) || !json_is_integer(size) || json_integer_value(size) < 0)
		return xb_fail(err, XB_E_SIGNATURE, "expected a descriptor with a sha256 digest and a size");
	return xb_layout_blob(dir, &digest, json_integer_value(size), max_bytes, out, err);
}

static int read_signature(const char *dir, const json_t *layer, struct xb_signatures *out, struct xb_signed *image,
			  struct xb_err *err)
{
	const char *type = json_string_value(json_object_get(layer, "mediaType"));
	const char *text = json_string_value(json_object_get(json_object_get(layer, "annotations"), SIGNATURE));
	struct xb_str payload XB_CLEANUP(xb_str_release) = {0};
	struct xb_sv view;

	/* what other tools attach there is theirs */
	if (!type || strcmp(type, MEDIA_PAYLOAD) != 0 || !text)
		return 0;
	if (strlen(text) > MAX_TEXT_BYTES)
		return xb_fail(err, XB_E_SIGNATURE, "a signature of %zu bytes, at most %d are looked at", strlen(text),
			       MAX_TEXT_BYTES);
	if (read_blob(dir, layer, MAX_PAYLOAD_BYTES, &payload, err) < 0)
		return err->code;
	view = xb_sv_n(xb_arena_sv(&out->arena, xb_str_sv(&payload)), payload.len);
	XB_VEC_PUSH(image, ((struct xb_signature){view, xb_arena_strdup(&out->arena, text)}));
	return 0;
}

static int read_entry(const char *dir, const json_t *entry, struct xb_signatures *out, struct xb_err *err)
{
	const char *tag = json_string_value(json_object_get(json_object_get(entry, "annotations"), REF_NAME));
	json_t *manifest XB_CLEANUP(xb_json_release) = NULL;
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_signed *image;
	struct xb_digest digest;
	const json_t *layers;

	if (!tag || !parse_tag(xb_sv(tag), &digest)) {
		out->has_others = true;
		return 0;
	}
	if (read_blob(dir, entry, XB_MAX_OCI_DOCUMENT_BYTES, &text, err) < 0 ||
	    xb_json_parse(xb_str_sv(&text), tag, &manifest, err) < 0)
		return err->code;
	layers = json_object_get(manifest, "layers");
	if (json_array_size(layers) > MAX_SIGNATURES)
		return xb_fail(err, XB_E_SIGNATURE, "%zu signatures of one image, at most %d are looked at",
			       json_array_size(layers), MAX_SIGNATURES);
	image = find_or_add(out, &digest);
	for (size_t i = 0; i < json_array_size(layers); i++) {
		if (read_signature(dir, json_array_get(layers, i), out, image, err) < 0)
			return err->code;
	}
	return 0;
}

/* Whatever is wrong with signatures, it is the signature that is wrong; but not when the disk is. */
static int blame_signature(const char *dir, struct xb_err *err)
{
	if (err->code != XB_E_SYSTEM && err->code != XB_E_INTERRUPTED)
		err->code = XB_E_SIGNATURE;
	return xb_wrap(err, "read the signatures '%s'", dir);
}

int xb_signatures_read(const char *dir, struct xb_signatures *out, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/index.json", dir);
	json_t *root XB_CLEANUP(xb_json_release) = NULL;
	const json_t *list;

	if (!xb_fs_exists(dir))
		return 0;
	if (xb_json_read(path, XB_MAX_OCI_DOCUMENT_BYTES, &root, err) < 0)
		return blame_signature(dir, err);
	list = json_object_get(root, "manifests");
	if (json_array_size(list) > MAX_IMAGES) {
		xb_fail(err, XB_E_SIGNATURE, "%zu images are signed there, at most %d are looked at",
			json_array_size(list), MAX_IMAGES);
		return blame_signature(dir, err);
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (read_entry(dir, json_array_get(list, i), out, err) < 0)
			return blame_signature(dir, err);
	}
	return 0;
}

/* ---- checking ---- */

static json_t *pack_payload(const struct xb_digest *image, const char *repository)
{
	char digest[XB_DIGEST_OCI];

	return json_pack("{s:{s:{s:s},s:{s:s},s:s},s:n}", "critical", "identity", "docker-reference", repository,
			 "image", "docker-manifest-digest", xb_digest_oci(image, digest), "type", PAYLOAD_TYPE,
			 "optional");
}

/* What a payload that a key has signed says of the image; NULL when it is about another one. */
static const char *judge_payload(struct xb_signatures *signatures, const struct xb_signature *s,
				 const struct xb_digest *image)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	json_t *root XB_CLEANUP(xb_json_release) = NULL;
	const json_t *critical;
	const char *type, *digest, *repository;
	char expected[XB_DIGEST_OCI];

	if (xb_json_parse(s->payload, "payload", &root, &ignored) < 0)
		return NULL;
	critical = json_object_get(root, "critical");
	type = json_string_value(json_object_get(critical, "type"));
	digest = json_string_value(json_object_get(json_object_get(critical, "image"), "docker-manifest-digest"));
	repository = json_string_value(json_object_get(json_object_get(critical, "identity"), "docker-reference"));
	if (!type || strcmp(type, PAYLOAD_TYPE) != 0 || !digest || strcmp(digest, xb_digest_oci(image, expected)) != 0)
		return NULL;
	return xb_arena_strdup(&signatures->arena, repository ? repository : "");
}

static bool is_by(const struct xb_signature *s, const struct xb_key *key)
{
	struct xb_str bytes XB_CLEANUP(xb_str_release) = {0};

	return xb_base64_decode(xb_sv(s->text), &bytes) && xb_key_verify(key, s->payload, xb_str_sv(&bytes));
}

int xb_signatures_check(struct xb_signatures *signatures, const struct xb_digest *image, const struct xb_key *key,
			const char **out_repository, struct xb_err *err)
{
	const struct xb_signed *found = find(signatures, image);
	char digest[XB_DIGEST_OCI];

	for (size_t i = 0; found && i < found->len; i++) {
		const char *repository =
			is_by(&found->items[i], key) ? judge_payload(signatures, &found->items[i], image) : NULL;

		if (!repository)
			continue;
		*out_repository = repository;
		return 0;
	}
	if (found && found->len)
		return xb_fail(err, XB_E_SIGNATURE, "%s: none of its %zu signature%s is a good one by this key",
			       xb_digest_oci(image, digest), found->len, found->len == 1 ? "" : "s");
	return xb_fail(err, XB_E_SIGNATURE, "%s: there is no signature of it", xb_digest_oci(image, digest));
}

/* ---- making ---- */

int xb_signatures_add(struct xb_signatures *signatures, const struct xb_digest *image, const char *repository,
		      const struct xb_key *key, bool *out_added, struct xb_err *err)
{
	struct xb_str payload XB_CLEANUP(xb_str_release) = {0}, bytes XB_CLEANUP(xb_str_release) = {0},
			      text XB_CLEANUP(xb_str_release) = {0};
	json_t *root XB_CLEANUP(xb_json_release) = pack_payload(image, repository);
	struct xb_signed *found = find_or_add(signatures, image);
	struct xb_sv view;

	xb_json_write(root, 0, false, &payload);
	*out_added = false;
	for (size_t i = 0; i < found->len; i++) {
		if (xb_sv_eq(found->items[i].payload, xb_str_sv(&payload)) && is_by(&found->items[i], key))
			return 0;
	}
	if (found->len >= MAX_SIGNATURES)
		return xb_fail(err, XB_E_SIGNATURE, "%d signatures of one image are enough", MAX_SIGNATURES);
	if (xb_key_sign(key, xb_str_sv(&payload), &bytes, err) < 0)
		return err->code;
	xb_base64_encode(bytes.data, bytes.len, &text);
	view = xb_sv_n(xb_arena_sv(&signatures->arena, xb_str_sv(&payload)), payload.len);
	XB_VEC_PUSH(found, ((struct xb_signature){view, xb_arena_strdup(&signatures->arena, text.data)}));
	*out_added = true;
	return 0;
}

/* ---- writing ---- */

/* A configuration as an image has it, of no platform: registries and tools that know nothing of signatures take it. */
static int put_config(struct xb_store *store, const struct xb_artifact_layer *layers, size_t n_layers,
		      struct xb_artifact_blobs *blobs, struct xb_descriptor *out, struct xb_err *err)
{
	json_t *ids = json_array();
	json_t *root XB_CLEANUP(xb_json_release) = json_pack("{s:s,s:s,s:{},s:{s:s,s:o}}", "architecture", "", "os", "",
							     "config", "rootfs", "type", "layers", "diff_ids", ids);
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	char digest[XB_DIGEST_OCI];

	for (size_t i = 0; i < n_layers; i++)
		json_array_append_new(ids, json_string(xb_digest_oci(&layers[i].blob.digest, digest)));
	xb_json_write(root, 0, false, &text);
	return xb_artifact_put(store, xb_str_sv(&text), blobs, out, err);
}

static int put_signed(struct xb_store *store, const struct xb_signed *image, struct xb_artifact_blobs *blobs,
		      struct xb_descriptor *out, struct xb_err *err)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_artifact_layer *layers = xb_arena_array(&arena, image->len, sizeof(*layers));
	struct xb_artifact manifest = {.config_type = XB_MEDIA_CONFIG, .layers = layers, .n_layers = image->len};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	for (size_t i = 0; i < image->len; i++) {
		layers[i] = (struct xb_artifact_layer){
			.media_type = MEDIA_PAYLOAD, .annotation = SIGNATURE, .value = image->items[i].text};
		if (xb_artifact_put(store, image->items[i].payload, blobs, &layers[i].blob, err) < 0)
			return err->code;
	}
	if (put_config(store, layers, image->len, blobs, &manifest.config, err) < 0)
		return err->code;
	xb_artifact_manifest(&manifest, &text);
	return xb_artifact_put(store, xb_str_sv(&text), blobs, out, err);
}

int xb_signatures_write(const struct xb_signatures *signatures, struct xb_store *store, const char *dir,
			bool *out_changed, struct xb_err *err)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_artifact_blobs blobs XB_CLEANUP(xb_artifact_blobs_release) = {0};
	struct xb_str index_json XB_CLEANUP(xb_str_release) = {0};
	struct xb_artifact_entry *entries = xb_arena_array(&arena, signatures->images.len, sizeof(*entries));

	for (size_t i = 0; i < signatures->images.len; i++) {
		const struct xb_signed *image = &signatures->images.items[i];
		struct xb_str tag XB_CLEANUP(xb_str_release) = {0};

		tag_of(&image->image, &tag);
		entries[i].ref = xb_arena_strdup(&arena, tag.data);
		if (put_signed(store, image, &blobs, &entries[i].manifest, err) < 0)
			return err->code;
	}
	xb_artifact_index(entries, signatures->images.len, &index_json);
	return xb_layout_write(
		store,
		&(struct xb_layout){
			.dir = dir, .blobs = blobs.items, .n_blobs = blobs.len, .index_json = xb_str_sv(&index_json)},
		out_changed, err);
}
