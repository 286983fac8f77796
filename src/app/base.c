/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "base_apko.h"
#include "base_image.h"

#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/image/document.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fs.h"

bool base_is_wanted(const struct xb_image *image)
{
	return image->base == XB_BASE_IMAGE || image->base == XB_BASE_APKO;
}

bool base_covers(const struct xb_image *image, const struct xb_target *target)
{
	for (size_t i = 0; i < image->targets.len; i++) {
		if (strcmp(image->targets.items[i], target->name) == 0)
			return true;
	}
	return image->targets.len == 0;
}

/* ---- base: { image: ... } ---- */

/* Docker's layers are the same bytes under another name (image-spec "media-types.md"). */
static const struct {
	const char *found, *written;
} layer_types[] = {
	{XB_MEDIA_LAYER, XB_MEDIA_LAYER},
	{"application/vnd.docker.image.rootfs.diff.tar.gzip", XB_MEDIA_LAYER},
	{"application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar"},
	{"application/vnd.docker.image.rootfs.diff.tar", "application/vnd.oci.image.layer.v1.tar"},
	{"application/vnd.oci.image.layer.v1.tar+zstd", "application/vnd.oci.image.layer.v1.tar+zstd"},
};

const char *base_ref_name(const char *ref)
{
	return xb_sv_starts(xb_sv(ref), "oci:") ? NULL : ref;
}

void base_image_release(struct base_image *base)
{
	if (!base)
		return;
	xb_content_release(&base->graph);
	json_decref(base->config);
	*base = (struct base_image){0};
}

static int read_blob(struct xb_store *store, const struct xb_digest *digest, struct xb_str *out, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_cas_path(store, digest);

	xb_str_reset(out);
	return xb_fs_read(path, XB_MAX_OCI_DOCUMENT_BYTES, out, err);
}

static int read_document(void *ctx, const struct xb_digest *digest, struct xb_str *out, struct xb_err *err)
{
	const struct xb_app *app = ctx;

	return read_blob(app->store, digest, out, err);
}

static int find_lock(const struct xb_app *app, const struct xb_image *image, const struct xb_target *target,
		     const struct xb_lock_base **out, const struct xb_lock_base_platform **out_platform,
		     struct xb_err *err)
{
	const struct xb_lock_base *base = xb_lock_base(app->lock, image->base_ref);

	for (size_t i = 0; base && i < base->n_platforms; i++) {
		if (strcmp(base->platforms[i].target, target->name) != 0)
			continue;
		*out = base;
		*out_platform = &base->platforms[i];
		return 0;
	}
	xb_fail(err, XB_E_LOCK, "%s has no base '%s' for %s", XB_LOCK_NAME, image->base_ref, target->name);
	return xb_hint(err, "run 'xbuild lock'");
}

static const char *layer_type(const char *media_type)
{
	for (size_t i = 0; i < XB_COUNT(layer_types); i++) {
		if (strcmp(layer_types[i].found, media_type) == 0)
			return layer_types[i].written;
	}
	return NULL;
}

static int check_platform(const struct base_image *base, const struct xb_target *target, struct xb_err *err)
{
	const char *os = json_string_value(json_object_get(base->config, "os"));
	const char *arch = json_string_value(json_object_get(base->config, "architecture"));

	if (os && arch && strcmp(os, "linux") == 0 && strcmp(arch, target->oci_arch) == 0)
		return 0;
	return xb_fail(err, XB_E_VERIFY, "the base is for %s/%s, expected linux/%s", os ? os : "?", arch ? arch : "?",
		       target->oci_arch);
}

/* Layers of the manifest with the diffIDs of the configuration. */
static int find_layers(struct base_image *base, struct xb_err *err)
{
	const json_t *ids = json_object_get(json_object_get(base->config, "rootfs"), "diff_ids");
	const struct xb_content_document *m = base->manifest;

	if (json_array_size(ids) != m->n_layers)
		return xb_fail(err, XB_E_VERIFY, "the base has %zu layers and %zu diffIDs", m->n_layers,
			       json_array_size(ids));
	base->layers = xb_arena_array(&base->graph.arena, m->n_layers, sizeof(*base->layers));
	base->media_types = xb_arena_array(&base->graph.arena, m->n_layers, sizeof(*base->media_types));
	for (size_t i = 0; i < m->n_layers; i++) {
		const struct xb_content_blob *blob = &base->graph.blobs.items[m->layers[i]];
		const char *id = json_string_value(json_array_get(ids, i));

		base->layers[i].blob = blob->digest;
		base->layers[i].size_bytes = blob->size_bytes;
		base->media_types[i] = layer_type(blob->media_type);
		if (!base->media_types[i])
			return xb_fail(err, XB_E_VERIFY, "the base has a layer of the type '%.100s'", blob->media_type);
		if (!id || !xb_digest_parse(xb_sv(id), &base->layers[i].diff_id))
			return xb_fail(err, XB_E_VERIFY, "diffID %zu of the base is no sha256 digest", i + 1);
	}
	return 0;
}

/* 0 for what is not there. */
static int absent(struct xb_err *err)
{
	if (err->code != XB_E_NOT_FOUND)
		return err->code;
	xb_err_clear(err);
	return 0;
}

static int read_config(struct xb_app *app, struct base_image *base, struct xb_err *err)
{
	const struct xb_content_blob *blob = &base->graph.blobs.items[base->manifest->config];
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	char name[XB_DIGEST_OCI];

	if (!xb_cas_has(app->store, &blob->digest, blob->size_bytes))
		return xb_fail(err, XB_E_NOT_FOUND, "the base's configuration is not in the store");
	if (read_blob(app->store, &blob->digest, &text, err) < 0)
		return err->code;
	if (xb_json_parse(xb_str_sv(&text), xb_digest_oci(&blob->digest, name), &base->config, err) < 0)
		return err->code;
	if (xb_json_has_real(base->config))
		return xb_fail(err, XB_E_VERIFY, "%s: a configuration has no numbers that are not whole", name);
	return 0;
}

int base_image_find(struct xb_app *app, const struct xb_image *image, const struct xb_target *target,
		    struct base_image *out, struct xb_err *err)
{
	const struct xb_content_reader reader = {.read = read_document, .ctx = app};
	struct base_image base XB_CLEANUP(base_image_release) = {0};
	const struct xb_lock_base_platform *platform = NULL;

	if (find_lock(app, image, target, &base.lock, &platform, err) < 0)
		return err->code;
	if (!xb_cas_has(app->store, &platform->manifest, platform->size_bytes))
		return 0;
	if (xb_content_read(&reader, NULL, &platform->manifest, &base.graph, err) < 0)
		return absent(err);
	base.manifest = &base.graph.documents.items[base.graph.documents.len - 1];
	if (base.manifest->is_index)
		return xb_fail(err, XB_E_VERIFY, "the locked base of %s is an index", target->name);
	if (read_config(app, &base, err) < 0)
		return absent(err);
	if (check_platform(&base, target, err) < 0 || find_layers(&base, err) < 0)
		return err->code;
	*out = base;
	base = (struct base_image){0};
	return 1;
}

static int image_is_there(struct xb_app *app, const struct xb_image *image, const struct xb_target *target,
			  bool all_files, bool *out, struct xb_err *err)
{
	struct base_image base XB_CLEANUP(base_image_release) = {0};
	struct xb_str listing XB_CLEANUP(xb_str_release) = {0};
	int found = base_image_find(app, image, target, &base, err);

	for (size_t i = 0; found > 0 && i < base.manifest->n_layers; i++) {
		base.layers[i].all_files = all_files;
		found = xb_cas_has(app->store, &base.layers[i].blob, base.layers[i].size_bytes);
		if (found)
			found = xb_listing_find(app->store, &base.layers[i], &listing, err);
	}
	*out = found > 0;
	return found < 0 ? found : 0;
}

int base_is_there(struct xb_app *app, const struct xb_image *image, const struct xb_target *target, bool all_files,
		  bool *out, struct xb_err *err)
{
	if (image->base == XB_BASE_APKO)
		return base_apko_is_there(app, image, target, out, err);
	if (image_is_there(app, image, target, all_files, out, err) < 0)
		return xb_wrap(err, "image '%s', base '%s'", image->name, image->base_ref);
	return 0;
}
