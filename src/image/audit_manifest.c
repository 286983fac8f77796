/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests, configurations and manifest.json. OCI image-spec v1.1 manifest.md, config.md; Docker image spec v1.2. */
#include <string.h>

#include "audit_parts.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/hex.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/image/document.h"
#include "xbuild/sys/json.h"

#define MEDIA_DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define MEDIA_EMPTY	    "application/vnd.oci.empty.v1+json"
#define MAX_LAYERS	    4096 /* of one image; kernels mount no more than 500 */

/* Layers that a runtime unpacks, and how they have to be packed (manifest.md "Image Manifest Property Descriptions"). */
static const struct layer_type {
	const char *media_type, *packing;
	bool is_docker;
} layer_types[] = {
	{"application/vnd.oci.image.layer.v1.tar", "tar", false},
	{XB_MEDIA_LAYER, "tar+gzip", false},
	{"application/vnd.oci.image.layer.v1.tar+zstd", "tar+zstd", false},
	{"application/vnd.oci.image.layer.nondistributable.v1.tar", "tar", false},
	{"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "tar+gzip", false},
	{"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", "tar+zstd", false},
	{"application/vnd.docker.image.rootfs.diff.tar", "tar", true},
	{"application/vnd.docker.image.rootfs.diff.tar.gzip", "tar+gzip", true},
	{"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "tar+gzip", true},
};

static const struct layer_type *find_type(const char *media_type)
{
	for (size_t i = 0; media_type && i < XB_COUNT(layer_types); i++) {
		if (strcmp(layer_types[i].media_type, media_type) == 0)
			return &layer_types[i];
	}
	return NULL;
}

const char *audit_layer_packing(const char *media_type)
{
	const struct layer_type *type = find_type(media_type);

	return type ? type->packing : NULL;
}

/* The layers of an image as its documents name them; NULL for one that is missing or damaged. */
struct layers {
	struct audit_file **files; /* owned */
	size_t len;
	bool are_known; /* all of them are file systems */
};

/* ---- the configuration ---- */

static void check_diff_ids(struct audit_run *run, const json_t *rootfs, const struct layers *layers, const char *where)
{
	const json_t *ids = json_object_get(rootfs, "diff_ids");
	const char *type = audit_text(run, rootfs, "type", where);

	if (!type || strcmp(type, "layers") != 0)
		audit_problem(run, "%s: expected rootfs.type 'layers', found '%s'", where, type ? type : "");
	if (json_array_size(ids) != layers->len || (layers->len && !json_is_array(ids))) {
		audit_problem(run, "%s: expected %zu diff_ids, one per layer, found %zu", where, layers->len,
			      json_array_size(ids));
		return;
	}
	for (size_t i = 0; i < layers->len; i++) {
		const char *text = json_string_value(json_array_get(ids, i));
		const struct audit_file *file = layers->files[i];
		char found[XB_DIGEST_OCI];
		struct xb_digest expected;

		if (!text || strncmp(text, "sha256:", 7) != 0 || !xb_digest_parse(xb_sv(text), &expected))
			audit_problem(run, "%s: diff_ids[%zu]: '%s' is no sha256 digest", where, i, text ? text : "");
		else if (file && file->layer.whole && !xb_digest_eq(&file->layer.diff_id, &expected))
			audit_problem(run, "%s: diff_ids[%zu]: expected %s, but '%s' unpacks to %s", where, i, text,
				      file->name, xb_digest_oci(&file->layer.diff_id, found));
	}
}

/* config.md "history": entries without empty_layer are as many as there are layers. */
static void check_history(struct audit_run *run, const json_t *history, size_t n_layers, const char *where)
{
	size_t n = 0;

	if (!history)
		return;
	for (size_t i = 0; i < json_array_size(history); i++)
		n += !json_is_true(json_object_get(json_array_get(history, i), "empty_layer"));
	if (!json_is_array(history) || n != n_layers)
		audit_problem(run, "%s: history has %zu entries with a layer, the image has %zu layers", where, n,
			      n_layers);
}

static void remember_layers(struct audit_run *run, struct audit_file *config, const struct layers *layers)
{
	struct audit_file **copy = xb_arena_array(&run->out->arena, layers->len + 1, sizeof(*copy));

	for (size_t i = 0; i < layers->len; i++)
		copy[i] = layers->files[i];
	config->layers = copy;
	config->n_layers = layers->len;
}

/* The manifest has led to the same configuration and layers as manifest.json: nothing has to be told twice. */
static bool was_checked(const struct audit_file *config, const struct layers *layers)
{
	if (!config->layers || config->n_layers != layers->len)
		return false;
	for (size_t i = 0; i < layers->len; i++) {
		if (config->layers[i] != layers->files[i])
			return false;
	}
	return true;
}

/* Everything that a configuration says about layers that were read. *out: the platform, or NULL. */
static int check_config(struct audit_run *run, const json_t *config, const struct layers *layers, const char *where,
			const char **out, struct xb_err *err)
{
	const char *platform = audit_platform(run, config, where);
	const char *architecture = json_string_value(json_object_get(config, "architecture"));

	audit_check_config(run, config, where);
	*out = platform;
	if (!layers->are_known)
		return 0;
	check_diff_ids(run, json_object_get(config, "rootfs"), layers, where);
	check_history(run, json_object_get(config, "history"), layers->len, where);
	for (size_t i = 0; architecture && i < layers->len; i++) {
		if (layers->files[i])
			audit_check_machines(run, &layers->files[i]->layer, architecture, where);
	}
	return audit_check_start(run, config, layers->files, layers->len, where, err);
}

/* ---- manifests ---- */

static int audit_one_layer(struct audit_run *run, const json_t *descriptor, bool is_docker, const char *where,
			   struct audit_file **out, bool *known, struct xb_err *err)
{
	const struct layer_type *type;
	struct audit_descriptor d;
	const int r = audit_descriptor(run, descriptor, where, &d, err);

	*out = NULL;
	if (r < 0)
		return r;
	type = find_type(d.media_type);
	if (!type) {
		*known = false;
		if (d.media_type)
			audit_warning(run, "%s: not looked into the unknown media type '%s'", where, d.media_type);
		return 0;
	}
	if (type->is_docker != is_docker)
		audit_problem(run, "%s: media type '%s' does not belong into %s manifest", where, d.media_type,
			      is_docker ? "a Docker" : "an OCI");
	if (r == 0)
		return 0;
	if (audit_layer(run, d.file, err) < 0)
		return err->code;
	if (d.file->layer.packing && strcmp(d.file->layer.packing, type->packing) != 0)
		audit_problem(run, "%s: media type '%s' promises %s, found %s", where, d.media_type, type->packing,
			      d.file->layer.packing);
	*out = d.file;
	return 0;
}

static int audit_layers(struct audit_run *run, const json_t *list, bool is_image, bool is_docker, const char *where,
			struct layers *out, struct xb_err *err)
{
	out->are_known = is_image;
	out->len = json_array_size(list);
	if (!json_is_array(list) || out->len > MAX_LAYERS) {
		audit_problem(run, "%s: expected a list of at most %d 'layers'", where, MAX_LAYERS);
		run->is_incomplete = true;
		out->len = 0;
		out->are_known = false;
		return 0;
	}
	if (!out->len)
		audit_warning(run, "%s: it has no layers", where);
	out->files = xb_alloc(out->len * sizeof(struct audit_file *));
	for (size_t i = 0; i < out->len; i++) {
		char *what XB_CLEANUP(xb_free_ptr) = xb_printf("%s: layers[%zu]", where, i);
		const json_t *descriptor = json_array_get(list, i);
		struct audit_descriptor d;
		int r;

		if (audit_check_interrupted(run, err) < 0)
			return err->code;
		/* what an artifact holds is its own affair, but it has to be there */
		r = is_image ? audit_one_layer(run, descriptor, is_docker, what, &out->files[i], &out->are_known, err)
			     : audit_descriptor(run, descriptor, what, &d, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Whether the manifest is of an image; others are artifacts, which carry anything (manifest.md "Guidelines for Artifact Usage"). */
static bool is_image_config(struct audit_run *run, const json_t *manifest, const char *media_type, bool is_docker,
			    const char *where)
{
	const bool is_oci_config = media_type && strcmp(media_type, XB_MEDIA_CONFIG) == 0;
	const bool is_docker_config = media_type && strcmp(media_type, MEDIA_DOCKER_CONFIG) == 0;

	if (media_type && strcmp(media_type, MEDIA_EMPTY) == 0 && !json_object_get(manifest, "artifactType"))
		audit_problem(run, "%s: without a configuration it must have an artifactType", where);
	if ((is_oci_config && is_docker) || (is_docker_config && !is_docker))
		audit_problem(run, "%s: a configuration of media type '%s' does not belong into it", where, media_type);
	return is_oci_config || is_docker_config;
}

static int walk_manifest(struct audit_run *run, const struct audit_descriptor *d, const char *where, struct xb_err *err)
{
	const bool is_docker = strcmp(d->media_type, XB_MEDIA_MANIFEST) != 0;
	json_t *manifest XB_CLEANUP(xb_json_release) = NULL, *config XB_CLEANUP(xb_json_release) = NULL;
	char *what XB_CLEANUP(xb_free_ptr) = xb_printf("%s: config", where);
	struct audit_file **files XB_CLEANUP(xb_free_ptr) = NULL;
	struct audit_descriptor config_descriptor;
	struct layers layers = {0};
	bool is_image;
	int found, r = audit_document(run, d->file, where, &manifest, err);

	if (r <= 0)
		return r;
	audit_check_header(run, manifest, d->media_type, where);
	found = audit_descriptor(run, json_object_get(manifest, "config"), what, &config_descriptor, err);
	if (found < 0)
		return found;
	is_image = is_image_config(run, manifest, config_descriptor.media_type, is_docker, where);
	r = audit_layers(run, json_object_get(manifest, "layers"), is_image, is_docker, where, &layers, err);
	files = layers.files;
	if (r < 0 || !found || !is_image)
		return r < 0 ? r : 0;
	char *of XB_CLEANUP(xb_free_ptr) = xb_printf("config %s", config_descriptor.digest);

	r = audit_document(run, config_descriptor.file, of, &config, err);
	if (r > 0) {
		r = check_config(run, config, &layers, of, &d->file->platform, err);
		remember_layers(run, config_descriptor.file, &layers);
	}
	return r < 0 ? r : 0;
}

static bool begins_like(const char *longer, const char *shorter)
{
	const size_t len = strlen(shorter);

	return strncmp(longer, shorter, len) == 0 && (!longer[len] || longer[len] == '/');
}

/* image-index.md "platform": the variant is optional on both sides, and should be the same. */
static void compare_platforms(struct audit_run *run, const char *said, const char *found, const char *where)
{
	if (begins_like(found, said))
		return;
	if (begins_like(said, found))
		audit_warning(run, "%s: the index says that it is for %s, its configuration only %s", where, said,
			      found);
	else
		audit_problem(run, "%s: the index says that it is for %s, its configuration says %s", where, said,
			      found);
}

int audit_manifest(struct audit_run *run, const struct audit_descriptor *d, const char *platform, struct xb_err *err)
{
	char *where XB_CLEANUP(xb_free_ptr) = xb_printf("manifest %s", d->digest);

	if (!d->file->walked) {
		d->file->walked = true;
		if (walk_manifest(run, d, where, err) < 0)
			return err->code;
	}
	if (platform && d->file->platform)
		compare_platforms(run, platform, d->file->platform, where);
	return 0;
}

/* ---- manifest.json ---- */

static struct audit_file *find_part(struct audit_run *run, const json_t *name, const char *where, const char *what)
{
	const char *text = json_string_value(name);
	struct audit_file *file = text ? audit_source_find(run, text) : NULL;

	if (!file)
		audit_problem(run, "%s: %s '%s' is missing", where, what, text ? text : "");
	else
		file->referenced = true;
	return file;
}

/* docker save names a configuration by its digest: "<hex>.json", since version 25 "blobs/sha256/<hex>". */
static int check_config_name(struct audit_run *run, struct audit_file *file, const char *where, struct xb_digest *out,
			     struct xb_err *err)
{
	const struct xb_sv base = xb_path_base(xb_sv(file->name));
	struct xb_digest named;

	if (audit_hash(run, file, out, err) < 0)
		return audit_absorb(run, where, err);
	if (file->content == AUDIT_UNREAD && base.len >= 2 * XB_DIGEST_BYTES &&
	    xb_hex_decode(xb_sv_n(base.ptr, 2 * XB_DIGEST_BYTES), named.bytes, sizeof(named.bytes)) &&
	    !xb_digest_eq(&named, out))
		audit_problem(run, "%s: the content of '%s' has another digest than its name", where, file->name);
	return 0;
}

static int docker_layers(struct audit_run *run, const json_t *list, const char *where, struct layers *out,
			 struct xb_err *err)
{
	out->are_known = true;
	out->len = json_array_size(list);
	if (out->len > MAX_LAYERS || (list && !json_is_array(list) && !json_is_null(list))) {
		audit_problem(run, "%s: expected a list of at most %d 'Layers'", where, MAX_LAYERS);
		out->len = 0;
		out->are_known = false;
	}
	out->files = xb_alloc(out->len * sizeof(struct audit_file *));
	for (size_t i = 0; i < out->len; i++) {
		out->files[i] = find_part(run, json_array_get(list, i), where, "layer");
		if (out->files[i] && audit_layer(run, out->files[i], err) < 0)
			return err->code;
	}
	return 0;
}

static int docker_image(struct audit_run *run, const json_t *entry, const char *where, bool is_layout,
			struct xb_err *err)
{
	struct audit_file *file = find_part(run, json_object_get(entry, "Config"), where, "configuration");
	const char *tag = json_string_value(json_array_get(json_object_get(entry, "RepoTags"), 0));
	struct audit_file **files XB_CLEANUP(xb_free_ptr) = NULL;
	json_t *config XB_CLEANUP(xb_json_release) = NULL;
	struct layers layers = {0};
	struct xb_audit_image image = {.platforms = ""};
	struct xb_digest digest;
	char text[XB_DIGEST_OCI];
	int r = docker_layers(run, json_object_get(entry, "Layers"), where, &layers, err);

	files = layers.files;
	if (r < 0 || !file || was_checked(file, &layers))
		return r;
	if (check_config_name(run, file, where, &digest, err) < 0)
		return err->code;
	r = audit_document(run, file, where, &config, err);
	if (r <= 0)
		return r;
	if (check_config(run, config, &layers, where, &image.platforms, err) < 0)
		return err->code;
	if (is_layout || run->out->images.len >= XB_MAX_DIAGS)
		return 0; /* index.json has named it */
	image.digest = xb_arena_strdup(&run->out->arena, xb_digest_oci(&digest, text));
	image.ref = tag && xb_path_is_safe(xb_sv(tag)) ? xb_arena_strdup(&run->out->arena, tag) : "";
	image.platforms = image.platforms && xb_path_is_safe(xb_sv(image.platforms)) ? image.platforms : "";
	XB_VEC_PUSH(&run->out->images, image);
	return 0;
}

int audit_docker(struct audit_run *run, struct audit_file *file, struct xb_err *err)
{
	const bool is_layout = audit_source_find(run, "index.json") != NULL;
	json_t *root XB_CLEANUP(xb_json_release) = NULL;
	int r = audit_document(run, file, "manifest.json", &root, err);

	run->out->has_docker = true;
	if (r <= 0)
		return r;
	if (!json_is_array(root)) {
		audit_problem(run, "manifest.json: expected a list of images");
		return 0;
	}
	for (size_t i = 0; i < json_array_size(root); i++) {
		char *where XB_CLEANUP(xb_free_ptr) = xb_printf("manifest.json: [%zu]", i);

		if (audit_check_interrupted(run, err) < 0 ||
		    docker_image(run, json_array_get(root, i), where, is_layout, err) < 0)
			return err->code;
	}
	return 0;
}
