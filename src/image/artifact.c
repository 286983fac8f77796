/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/image/artifact.h"
#include "xbuild/base/vec.h"
#include "xbuild/store/cas.h"

#include <assert.h>

#include "xbuild/base/alloc.h"
#include "xbuild/sys/json.h"

static void set_text(json_t *object, const char *key, const char *text)
{
	json_t *value = text ? json_string(text) : NULL;

	assert(!text || value);
	if (value)
		json_object_set_new(object, key, value);
}

static json_t *descriptor(const char *media_type, const struct xb_descriptor *d)
{
	json_t *object = json_object();
	char digest[XB_DIGEST_OCI];

	set_text(object, "mediaType", media_type);
	set_text(object, "digest", xb_digest_oci(&d->digest, digest));
	json_object_set_new(object, "size", json_integer((json_int_t)d->size_bytes));
	return object;
}

static void annotate(json_t *object, const char *name, const char *value)
{
	json_t *annotations;

	if (!value)
		return;
	annotations = json_object();
	set_text(annotations, name, value);
	json_object_set_new(object, "annotations", annotations);
}

static json_t *start(const char *media_type)
{
	json_t *root = json_object();

	json_object_set_new(root, "schemaVersion", json_integer(2));
	set_text(root, "mediaType", media_type);
	return root;
}

void xb_artifact_manifest(const struct xb_artifact *artifact, struct xb_str *out)
{
	json_t *root XB_CLEANUP(xb_json_release) = start(XB_MEDIA_MANIFEST);
	json_t *layers = json_array();

	set_text(root, "artifactType", artifact->artifact_type);
	json_object_set_new(root, "config", descriptor(artifact->config_type, &artifact->config));
	json_object_set_new(root, "layers", layers);
	for (size_t i = 0; i < artifact->n_layers; i++) {
		const struct xb_artifact_layer *l = &artifact->layers[i];
		json_t *layer = descriptor(l->media_type, &l->blob);

		annotate(layer, l->annotation, l->value);
		json_array_append_new(layers, layer);
	}
	if (artifact->subject)
		json_object_set_new(root, "subject",
				    descriptor(artifact->subject->media_type, &artifact->subject->manifest));
	xb_json_write(root, 0, false, out);
}

void xb_artifact_index(const struct xb_artifact_entry *entries, size_t n_entries, struct xb_str *out)
{
	json_t *root XB_CLEANUP(xb_json_release) = start(XB_MEDIA_INDEX);
	json_t *list = json_array();

	json_object_set_new(root, "manifests", list);
	for (size_t i = 0; i < n_entries; i++) {
		json_t *entry = descriptor(XB_MEDIA_MANIFEST, &entries[i].manifest);

		set_text(entry, "artifactType", entries[i].artifact_type);
		annotate(entry, "org.opencontainers.image.ref.name", entries[i].ref);
		json_array_append_new(list, entry);
	}
	xb_json_write(root, 0, false, out);
}

void xb_artifact_blobs_release(struct xb_artifact_blobs *blobs)
{
	XB_VEC_RELEASE(blobs);
}

int xb_artifact_put(struct xb_store *store, struct xb_sv text, struct xb_artifact_blobs *blobs,
		    struct xb_descriptor *out, struct xb_err *err)
{
	out->size_bytes = text.len;
	if (xb_cas_put_bytes(store, text.ptr, text.len, &out->digest, err) < 0)
		return err->code;
	for (size_t i = 0; i < blobs->len; i++) {
		if (xb_digest_eq(&blobs->items[i].digest, &out->digest))
			return 0;
	}
	XB_VEC_PUSH(blobs, *out);
	return 0;
}
