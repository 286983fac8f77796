/* SPDX-License-Identifier: Apache-2.0 */
/* Base images from registries and layouts, into the store: part of xbuild-supply. */
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "base_apko.h"
#include "base_image.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/registry/blob.h"
#include "xbuild/registry/manifest.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fs.h"

#define LAYOUT	 "oci:"
#define REF_NAME "org.opencontainers.image.ref.name"

struct base_origin {
	struct xb_app *app;
	const char *ref; /* as the project has it */
	char *dir;	 /* of a layout, absolute; or NULL */
	char *name;	 /* in the layout; NULL: its only image */
	struct xb_reference reference;
	struct xb_registry *registry;
	struct xb_repository *repository;
	const struct xb_target *const *targets; /* that documents are read for */
	size_t n_targets;
};

/* "oci:DIR" or "oci:DIR:NAME"; a directory whose own name has a colon needs a NAME. */
static int open_layout(struct base_origin *o, struct xb_err *err)
{
	const char *path = o->ref + strlen(LAYOUT), *colon = strrchr(path, ':');
	char *dir XB_CLEANUP(xb_free_ptr) = colon ? xb_sv_dup(xb_sv_n(path, (size_t)(colon - path))) : xb_strdup(path);
	char *index XB_CLEANUP(xb_free_ptr) = NULL;

	o->name = colon ? xb_strdup(colon + 1) : NULL;
	o->dir = dir[0] == '/' ? xb_strdup(dir) : xb_path_join(o->app->project->dir, dir);
	index = xb_path_join(o->dir, "index.json");
	if (xb_fs_exists(index))
		return 0;
	xb_fail(err, XB_E_INPUT, "'%s' is no OCI layout: it has no index.json", dir);
	return xb_hint(err, "'oci:' names a directory relative to %s", o->app->project->file);
}

static int open_registry(struct base_origin *o, struct xb_err *err)
{
	const struct xb_registry_opts opts = {.observer = o->app->observer, .interrupted = o->app->interrupted};

	if (xb_reference_parse(o->ref, &o->reference, err) < 0)
		return err->code;
	o->registry = xb_registry_open(&opts);
	o->repository = xb_repository_open(o->registry, &o->reference, false);
	return 0;
}

int base_origin_open(struct xb_app *app, const char *ref, struct base_origin **out, struct xb_err *err)
{
	struct base_origin *o = xb_alloc(sizeof(*o));
	int r;

	o->app = app;
	o->ref = ref;
	r = xb_sv_starts(xb_sv(ref), LAYOUT) ? open_layout(o, err) : open_registry(o, err);
	if (r < 0) {
		base_origin_close(o);
		return r;
	}
	*out = o;
	return 0;
}

void base_origin_close(struct base_origin *o)
{
	if (!o)
		return;
	xb_repository_close(o->repository);
	xb_registry_close(o->registry);
	xb_reference_release(&o->reference);
	free(o->dir);
	free(o->name);
	free(o);
}

/* ---- reading ---- */

static char *layout_blob(const struct base_origin *o, const struct xb_digest *digest)
{
	char hex[XB_DIGEST_HEX];

	return xb_printf("%s/blobs/sha256/%s", o->dir, xb_digest_hex(digest, hex));
}

/* A file of the layout into the store; what it holds is judged by its digest alone. */
static int copy_blob(const struct base_origin *o, const struct xb_digest *digest, int64_t size_bytes,
		     struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = layout_blob(o, digest);
	char text[XB_DIGEST_OCI];
	char *copy XB_CLEANUP(xb_free_ptr) = xb_store_tmp(o->app->store);
	struct xb_digest got;
	uint64_t size;

	if (xb_fs_copy(path, copy, 0644, err) < 0 || xb_cas_adopt(o->app->store, copy, false, &got, &size, err) < 0)
		return err->code;
	if (!xb_digest_eq(&got, digest))
		return xb_fail(err, XB_E_DIGEST, "'%s' has the digest %s", path, xb_digest_oci(&got, text));
	if ((int64_t)size != size_bytes)
		return xb_fail(err, XB_E_DIGEST, "'%s' has %llu bytes, its descriptor says %lld", path,
			       (unsigned long long)size, (long long)size_bytes);
	return 0;
}

int base_origin_fetch(struct base_origin *o, const struct xb_digest *digest, int64_t size_bytes, struct xb_err *err)
{
	const struct xb_blob blob = {.digest = *digest, .size_bytes = size_bytes};

	if (xb_cas_has(o->app->store, digest, size_bytes))
		return 0;
	if (o->dir)
		return copy_blob(o, digest, size_bytes, err);
	return xb_blob_fetch(o->repository, o->app->store, &blob, err);
}

static int read_document(void *ctx, const struct xb_digest *digest, struct xb_str *out, struct xb_err *err)
{
	struct base_origin *o = ctx;
	struct xb_manifest manifest XB_CLEANUP(xb_manifest_release) = {0};
	char *path XB_CLEANUP(xb_free_ptr) = NULL;

	xb_str_reset(out);
	if (o->dir) {
		path = layout_blob(o, digest);
		return xb_fs_read(path, XB_MAX_OCI_DOCUMENT_BYTES, out, err);
	}
	if (xb_manifest_get(o->repository, digest, &manifest, err) < 0)
		return err->code;
	xb_str_append_sv(out, xb_str_sv(&manifest.bytes));
	return 0;
}

/* ---- what a name leads to ---- */

/* Of the entries of index.json, the one of the name; without a name, the only one. */
static int find_in_layout(const struct base_origin *o, struct xb_digest *out, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(o->dir, "index.json");
	json_t *index XB_CLEANUP(xb_json_release) = NULL;
	const json_t *entries, *found = NULL;
	const char *digest;

	if (xb_json_read(path, XB_MAX_OCI_DOCUMENT_BYTES, &index, err) < 0)
		return err->code;
	entries = json_object_get(index, "manifests");
	for (size_t i = 0; i < json_array_size(entries); i++) {
		const json_t *entry = json_array_get(entries, i);
		const char *name = json_string_value(json_object_get(json_object_get(entry, "annotations"), REF_NAME));

		if (o->name ? name && strcmp(name, o->name) == 0 : json_array_size(entries) == 1)
			found = found ? found : entry;
	}
	digest = json_string_value(json_object_get(found, "digest"));
	if (digest && xb_digest_parse(xb_sv(digest), out))
		return 0;
	if (o->name)
		return xb_fail(err, XB_E_INPUT, "'%s' has no image of the name '%s'", path, o->name);
	xb_fail(err, XB_E_INPUT, "'%s' names %zu images, expected one", path, json_array_size(entries));
	return xb_hint(err, "say which: oci:DIR:NAME");
}

static int find_root(struct base_origin *o, struct xb_digest *out, struct xb_err *err)
{
	struct xb_manifest manifest XB_CLEANUP(xb_manifest_release) = {0};

	if (o->dir)
		return find_in_layout(o, out, err);
	if (xb_manifest_resolve(o->repository, &manifest, err) < 0)
		return err->code;
	*out = manifest.digest;
	return 0;
}

/* "linux/arm64", or with the target's variant. */
static bool is_platform(const struct xb_target *target, const char *platform)
{
	char *plain XB_CLEANUP(xb_free_ptr) = xb_printf("linux/%s", target->oci_arch);
	char *full XB_CLEANUP(xb_free_ptr) =
		target->oci_variant ? xb_printf("%s/%s", plain, target->oci_variant) : xb_strdup(plain);

	return strcmp(platform, plain) == 0 || strcmp(platform, full) == 0;
}

static bool wants(void *ctx, const char *platform)
{
	const struct base_origin *o = ctx;

	for (size_t i = 0; i < o->n_targets; i++) {
		if (is_platform(o->targets[i], platform))
			return true;
	}
	return platform[0] == '\0'; /* an index in the index may hold it */
}

/* Of an index the first manifest of the platform (image-index.md); an image without index is for the one that it says. */
static const struct xb_content_document *find_platform(const struct xb_content *graph, const struct xb_target *target)
{
	const struct xb_content_document *root = &graph->documents.items[graph->documents.len - 1];

	if (!root->is_index)
		return root;
	for (size_t i = 0; i < graph->documents.len; i++) {
		const struct xb_content_document *d = &graph->documents.items[i];

		if (!d->is_index && is_platform(target, d->platform))
			return d;
	}
	return NULL;
}

static int compare_platforms(const void *a, const void *b)
{
	return strcmp(((const struct xb_lock_base_platform *)a)->target,
		      ((const struct xb_lock_base_platform *)b)->target);
}

int base_origin_resolve(struct base_origin *o, const struct xb_digest *pinned, const struct xb_target *const *targets,
			size_t n_targets, struct xb_arena *arena, struct xb_lock_base *out, struct xb_err *err)
{
	const struct xb_content_reader reader = {.read = read_document, .wants = wants, .ctx = o};
	struct xb_content graph XB_CLEANUP(xb_content_release) = {0};

	o->targets = targets;
	o->n_targets = n_targets;
	*out = (struct xb_lock_base){.ref = o->ref, .n_platforms = n_targets};
	if (pinned)
		out->index = *pinned;
	else if (find_root(o, &out->index, err) < 0)
		return err->code;
	if (xb_content_read(&reader, NULL, &out->index, &graph, err) < 0)
		return err->code;
	out->platforms = xb_arena_array(arena, n_targets, sizeof(*out->platforms));
	for (size_t i = 0; i < n_targets; i++) {
		const struct xb_content_document *d = find_platform(&graph, targets[i]);

		if (!d)
			return xb_fail(err, XB_E_INPUT, "it is not made for linux/%s", targets[i]->oci_arch);
		out->platforms[i] = (struct xb_lock_base_platform){
			.target = targets[i]->name, .manifest = d->digest, .size_bytes = (int64_t)d->bytes.len};
	}
	qsort(out->platforms, n_targets, sizeof(*out->platforms), compare_platforms);
	return 0;
}

/* ---- into the store ---- */

static int fetch_documents(struct xb_app *app, struct base_origin *o, const struct xb_image *image,
			   const struct xb_target *target, struct base_image *base, struct xb_err *err)
{
	const struct xb_lock_base *lock = xb_lock_base(app->lock, image->base_ref);
	const struct xb_content_reader reader = {.read = read_document, .ctx = o};
	struct xb_content graph XB_CLEANUP(xb_content_release) = {0};
	const struct xb_content_document *manifest;
	struct xb_digest stored;
	int found = base_image_find(app, image, target, base, err);

	if (found != 0)
		return found < 0 ? found : 0;
	for (size_t i = 0; i < lock->n_platforms; i++) {
		if (strcmp(lock->platforms[i].target, target->name) != 0)
			continue;
		if (xb_content_read(&reader, NULL, &lock->platforms[i].manifest, &graph, err) < 0)
			return err->code;
		manifest = &graph.documents.items[graph.documents.len - 1];
		if (manifest->is_index)
			return xb_fail(err, XB_E_VERIFY, "expected a manifest, found an index");
		if (xb_cas_put_bytes(app->store, manifest->bytes.ptr, manifest->bytes.len, &stored, err) < 0 ||
		    base_origin_fetch(o, &graph.blobs.items[manifest->config].digest,
				      graph.blobs.items[manifest->config].size_bytes, err) < 0)
			return err->code;
	}
	found = base_image_find(app, image, target, base, err);
	return found > 0   ? 0
	       : found < 0 ? found
			   : xb_fail(err, XB_E_SYSTEM, "it is not in the store after it was put there");
}

/* Documents, then each layer, then what is in it. */
static int supply_image(struct xb_app *app, struct base_origin *o, const struct xb_image *image,
			const struct xb_target *target, bool all_files, struct xb_err *err)
{
	struct base_image base XB_CLEANUP(base_image_release) = {0};

	if (fetch_documents(app, o, image, target, &base, err) < 0)
		return err->code;
	for (size_t i = 0; i < base.manifest->n_layers; i++) {
		base.layers[i].all_files = all_files;
		if (base_origin_fetch(o, &base.layers[i].blob, base.layers[i].size_bytes, err) < 0 ||
		    xb_listing_make(app->store, &base.layers[i], app->interrupted, err) < 0)
			return err->code;
	}
	return xb_cas_sync(app->store, err);
}

/* Then nothing has to be asked for: a bundle brought it, and the layers were not looked into yet. */
static int has_all_blobs(struct xb_app *app, const struct xb_image *image, const struct xb_target *target,
			 struct xb_err *err)
{
	struct base_image base XB_CLEANUP(base_image_release) = {0};
	int found = base_image_find(app, image, target, &base, err);

	for (size_t i = 0; found > 0 && i < base.manifest->n_layers; i++)
		found = xb_cas_has(app->store, &base.layers[i].blob, base.layers[i].size_bytes);
	return found;
}

static int supply_origin(struct xb_app *app, const struct xb_image *image, const struct xb_target *target,
			 bool all_files, struct xb_err *err)
{
	struct base_origin *o = NULL;
	char *label XB_CLEANUP(xb_free_ptr) = xb_printf("base %s", image->base_ref);
	const int64_t began_ms = xb_host_monotonic_ms();
	int r;

	if (app->options.offline && !xb_sv_starts(xb_sv(image->base_ref), LAYOUT)) {
		r = has_all_blobs(app, image, target, err);
		if (r < 0)
			return r;
	} else {
		r = 0;
	}
	if (app->options.offline && !xb_sv_starts(xb_sv(image->base_ref), LAYOUT) && r == 0) {
		xb_fail(err, XB_E_NETWORK, "base '%s' is not in the store, and nothing is downloaded offline",
			image->base_ref);
		return xb_hint(err, "run 'xbuild fetch' once without --offline");
	}
	if (base_origin_open(app, image->base_ref, &o, err) < 0)
		return err->code;
	r = supply_image(app, o, image, target, all_files, err);
	base_origin_close(o);
	if (r < 0)
		return xb_wrap(err, "base '%s' for %s", image->base_ref, target->name);
	xb_observe(app->observer, &(struct xb_event){.kind = XB_EVENT_DONE,
						     .verb = "Fetched",
						     .label = label,
						     .target = target->name,
						     .elapsed_ms = xb_host_monotonic_ms() - began_ms});
	return 0;
}

int base_supply(struct xb_app *app, const struct xb_image *image, const struct xb_target *target, bool all_files,
		struct xb_err *err)
{
	return image->base == XB_BASE_APKO ? base_apko_supply(app, image, target, err)
					   : supply_origin(app, image, target, all_files, err);
}
