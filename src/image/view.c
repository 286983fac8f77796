/* SPDX-License-Identifier: Apache-2.0 */
/* What layers have, while the audit reads them, and then what the documents say, which the audit has found to be sound. */
#include "xbuild/image/view.h"

#include <stdlib.h>
#include <string.h>

#include "audit_parts.h"
#include "view_parts.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/image/document.h"
#include "xbuild/sys/archive.h"

#define MEDIA_DOCKER_LIST  "application/vnd.docker.distribution.manifest.list.v2+json"
#define REF_NAME	   "org.opencontainers.image.ref.name"
#define MAX_KEPT_BYTES	   (32 * XB_MIB) /* of all documents of one view */
#define MAX_DATABASE_BYTES (32 * XB_MIB) /* of one list of packages: a Debian desktop has 5 MB */
#define MAX_SHOWN_BYTES	   1000

struct viewing {
	struct audit_run run;
	struct xb_view *out;
	bool with_entries;
	struct xb_map layers;	 /* name of a file -> struct xb_view_layer */
	struct xb_map platforms; /* name of a manifest's file -> struct xb_view_platform */
	XB_VEC(struct view_database) databases;
	int64_t kept_bytes;
	size_t n_entries, n_packages_left;
	/* the file that passes by */
	struct xb_view_layer *layer;
	const char *database_path; /* NULL: it is none */
	struct xb_hasher hasher;   /* of its content, with entries */
	struct xb_str text;	   /* of a database */
};

static void end_viewing(struct viewing *v)
{
	audit_end(&v->run);
	xb_map_release(&v->layers);
	xb_map_release(&v->platforms);
	XB_VEC_RELEASE(&v->databases);
	xb_hasher_release(&v->hasher);
	xb_str_release(&v->text);
}

void xb_view_release(struct xb_view *view)
{
	if (!view)
		return;
	for (size_t i = 0; i < view->documents.len; i++)
		json_decref(view->documents.items[i]);
	for (size_t i = 0; i < view->layers.len; i++)
		free(view->layers.items[i]->entries);
	XB_VEC_RELEASE(&view->documents);
	XB_VEC_RELEASE(&view->layers);
	XB_VEC_RELEASE(&view->platforms);
	XB_VEC_RELEASE(&view->images);
	xb_arena_release(&view->arena);
	*view = (struct xb_view){0};
}

const char *xb_view_clean(struct xb_arena *arena, const char *text)
{
	char *copy = text ? xb_arena_strdup(arena, text) : NULL;

	if (copy)
		audit_clean_text(copy, MAX_SHOWN_BYTES);
	return copy;
}

static const char *keep(struct viewing *v, const char *text)
{
	return xb_arena_strdup(&v->out->arena, text ? text : "");
}

/* ---- layers ---- */

static struct xb_view_layer *layer_of(struct viewing *v, const struct audit_file *file)
{
	struct xb_view_layer *layer = xb_map_get_str(&v->layers, file->name);

	if (layer)
		return layer;
	layer = xb_arena_alloc(&v->out->arena, sizeof(*layer));
	layer->name = keep(v, file->name);
	XB_VEC_PUSH(&v->out->layers, layer);
	xb_map_put_str(&v->layers, file->name, layer);
	return layer;
}

static enum xb_view_type type_of(const struct xb_archive_entry *e)
{
	static const enum xb_view_type types[] = {[XB_ARCHIVE_FILE] = XB_VIEW_FILE,
						  [XB_ARCHIVE_DIR] = XB_VIEW_DIR,
						  [XB_ARCHIVE_SYMLINK] = XB_VIEW_SYMLINK,
						  [XB_ARCHIVE_HARDLINK] = XB_VIEW_HARDLINK,
						  [XB_ARCHIVE_OTHER] = XB_VIEW_OTHER};

	return types[e->type];
}

static int see_entry(void *ctx, struct audit_file *file, const struct xb_archive_entry *e, const char *path,
		     bool *out_content, struct xb_err *err)
{
	struct viewing *v = ctx;
	struct xb_view_layer *l = v->layer = layer_of(v, file);
	const bool is_file = e->type == XB_ARCHIVE_FILE;

	v->database_path = NULL;
	if (is_file && view_is_database(path) && e->size_bytes <= MAX_DATABASE_BYTES &&
	    v->databases.len < VIEW_MAX_LISTS) {
		v->database_path = keep(v, path);
		xb_str_reset(&v->text);
	}
	*out_content = is_file && (v->with_entries || v->database_path);
	if (!v->with_entries)
		return 0;
	if (++v->n_entries > XB_MAX_TREE_ENTRIES)
		return xb_fail(err, XB_E_VERIFY, "the layers have more than %d entries together", XB_MAX_TREE_ENTRIES);
	if (l->n_entries == l->cap)
		l->entries = xb_vec_grow(l->entries, &l->cap, sizeof(*l->entries));
	l->entries[l->n_entries++] = (struct xb_view_entry){.path = keep(v, path),
							    .target = e->link_target ? keep(v, e->link_target) : NULL,
							    .type = type_of(e),
							    .mode = e->mode,
							    .uid = e->uid,
							    .gid = e->gid,
							    .size_bytes = is_file ? e->size_bytes : 0};
	if (is_file) {
		xb_hasher_release(&v->hasher);
		xb_hasher_init(&v->hasher);
	}
	return 0;
}

static void see_content(void *ctx, const void *bytes, size_t len)
{
	struct viewing *v = ctx;

	if (len && v->with_entries)
		xb_hasher_update(&v->hasher, bytes, len);
	if (len && v->database_path)
		xb_str_append_n(&v->text, bytes, len);
	if (len)
		return;
	if (v->with_entries)
		xb_hasher_final(&v->hasher, &v->layer->entries[v->layer->n_entries - 1].digest);
	if (v->database_path) {
		struct view_database *db = XB_VEC_ADD(&v->databases);

		v->layer->first_list = v->layer->n_lists++ ? v->layer->first_list : v->databases.len - 1;
		db->path = v->database_path;
		view_read_database(xb_str_sv(&v->text), db, &v->out->arena);
	}
}

/* ---- documents ---- */

/* NULL: not there, or not sound; the audit has said so. Borrowed from the view. */
static json_t *load(struct viewing *v, struct audit_file *file)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	json_t *document = NULL;

	if (!file || v->kept_bytes + file->size_bytes > MAX_KEPT_BYTES ||
	    audit_document(&v->run, file, "", &document, &ignored) <= 0)
		return NULL;
	v->kept_bytes += file->size_bytes;
	XB_VEC_PUSH(&v->out->documents, document);
	return document;
}

static struct audit_file *file_of(struct viewing *v, const json_t *descriptor)
{
	const char *digest = json_string_value(json_object_get(descriptor, "digest"));
	struct xb_str name XB_CLEANUP(xb_str_release) = {0};
	struct audit_file *file;
	struct xb_digest ignored;

	if (!digest || strncmp(digest, "sha256:", 7) != 0 || !xb_digest_parse(xb_sv(digest), &ignored))
		return NULL;
	xb_str_printf(&name, "blobs/sha256/%s", digest + 7);
	file = audit_source_find(&v->run, name.data);
	return file && file->content == AUDIT_GOOD ? file : NULL;
}

/* The layer as what the audit found out; the digest where the name of the file is one. */
static struct xb_view_layer *finish_layer(struct viewing *v, const struct audit_file *file)
{
	struct xb_view_layer *layer = layer_of(v, file);

	layer->size_bytes = file->size_bytes;
	layer->unpacked_bytes = file->layer.unpacked_bytes;
	layer->packing = file->layer.packing;
	layer->diff_id = file->layer.diff_id;
	if (file->content == AUDIT_GOOD)
		(void)xb_digest_parse(xb_sv(strrchr(file->name, '/') + 1), &layer->digest);
	return layer;
}

static void add_layer(struct viewing *v, struct xb_view_platform *p, const struct audit_file *file, const char *type)
{
	if (!file || !file->layer.whole)
		return;
	p->layer_types[p->n_layers] = type;
	p->layers[p->n_layers++] = finish_layer(v, file);
}

static struct xb_view_platform *new_platform(struct viewing *v, size_t n_layers)
{
	struct xb_view_platform *p = xb_arena_alloc(&v->out->arena, sizeof(*p));

	*p = (struct xb_view_platform){.name = "", .digest = "", .media_type = "", .config_digest = ""};
	p->layers = xb_arena_array(&v->out->arena, n_layers + 1, sizeof(struct xb_view_layer *));
	p->layer_types = xb_arena_array(&v->out->arena, n_layers + 1, sizeof(*p->layer_types));
	XB_VEC_PUSH(&v->out->platforms, p);
	return p;
}

static void end_platform(struct viewing *v, struct xb_view_platform *p)
{
	const char *name = p->config ? audit_platform(&v->run, p->config, "") : NULL;

	p->name = keep(v, name);
	view_join_packages(v->databases.items, p, &v->n_packages_left, &v->out->arena);
}

/* NULL for what is no image. */
static struct xb_view_platform *view_manifest(struct viewing *v, struct audit_file *file, const json_t *descriptor)
{
	struct xb_view_platform *p = xb_map_get_str(&v->platforms, file->name);
	const json_t *manifest, *config, *layers;

	if (p)
		return p;
	manifest = load(v, file);
	config = json_object_get(manifest, "config");
	layers = json_object_get(manifest, "layers");
	struct audit_file *config_file = file_of(v, config);

	if (!manifest || !config_file || !config_file->layers)
		return NULL;
	p = new_platform(v, json_array_size(layers));
	p->digest = json_string_value(json_object_get(descriptor, "digest"));
	p->media_type = keep(v, json_string_value(json_object_get(descriptor, "mediaType")));
	p->config_digest = json_string_value(json_object_get(config, "digest"));
	p->annotations = json_object_get(manifest, "annotations");
	p->config = load(v, config_file);
	for (size_t i = 0; i < json_array_size(layers); i++) {
		const json_t *layer = json_array_get(layers, i);

		add_layer(v, p, file_of(v, layer), json_string_value(json_object_get(layer, "mediaType")));
	}
	end_platform(v, p);
	xb_map_put_str(&v->platforms, file->name, p);
	return p;
}

/* ---- indexes ---- */

/* An image in the making: its platforms, and the indexes that were entered for it. */
struct found {
	XB_VEC(struct xb_view_platform *) platforms;
	struct xb_map entered;
};

static void add_platform(struct found *found, struct xb_view_platform *p)
{
	for (size_t i = 0; i < found->platforms.len; i++) {
		if (found->platforms.items[i] == p)
			return;
	}
	if (p && found->platforms.len < VIEW_MAX_PLATFORMS)
		XB_VEC_PUSH(&found->platforms, p);
}

static bool is_index(const char *media_type)
{
	return media_type && (strcmp(media_type, XB_MEDIA_INDEX) == 0 || strcmp(media_type, MEDIA_DOCKER_LIST) == 0);
}

/* Returns the annotations of the document, or NULL. Each index is entered once, so a bomb of indexes does not go off. */
static const json_t *view_entry(struct viewing *v, const json_t *entry, int depth, struct found *found)
{
	struct audit_file *file = file_of(v, entry);
	const char *media_type = json_string_value(json_object_get(entry, "mediaType"));
	const json_t *index, *list;

	if (!file || !file->walked || depth > XB_MAX_OCI_DEPTH || xb_map_has(&found->entered, xb_sv(file->name)))
		return NULL;
	xb_map_put_str(&found->entered, file->name, file);
	if (!is_index(media_type)) {
		add_platform(found, view_manifest(v, file, entry));
		return NULL;
	}
	index = load(v, file);
	list = json_object_get(index, "manifests");
	for (size_t i = 0; i < json_array_size(list); i++)
		(void)view_entry(v, json_array_get(list, i), depth + 1, found);
	return json_object_get(index, "annotations");
}

static void add_image(struct viewing *v, const char *ref, const char *digest, const char *media_type,
		      const json_t *annotations, const struct found *found)
{
	struct xb_view_image *image = XB_VEC_ADD(&v->out->images);

	image->ref = keep(v, ref);
	image->digest = keep(v, digest);
	image->media_type = keep(v, media_type);
	image->annotations = annotations;
	image->platforms = xb_arena_array(&v->out->arena, found->platforms.len + 1, sizeof(struct xb_view_platform *));
	for (size_t i = 0; i < found->platforms.len; i++)
		image->platforms[image->n_platforms++] = found->platforms.items[i];
}

static void view_index(struct viewing *v)
{
	const json_t *list = json_object_get(load(v, audit_source_find(&v->run, "index.json")), "manifests");

	for (size_t i = 0; i < json_array_size(list) && i < XB_MAX_DIAGS; i++) {
		const json_t *entry = json_array_get(list, i);
		struct found found = {0};
		const json_t *annotations = view_entry(v, entry, 0, &found);

		add_image(v, json_string_value(json_object_get(json_object_get(entry, "annotations"), REF_NAME)),
			  json_string_value(json_object_get(entry, "digest")),
			  json_string_value(json_object_get(entry, "mediaType")), annotations, &found);
		XB_VEC_RELEASE(&found.platforms);
		xb_map_release(&found.entered);
	}
}

/* ---- manifest.json ---- */

static void view_docker_image(struct viewing *v, const json_t *entry)
{
	const char *name = json_string_value(json_object_get(entry, "Config"));
	struct audit_file *file = name ? audit_source_find(&v->run, name) : NULL;
	const json_t *layers = json_object_get(entry, "Layers");
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct xb_view_platform *p;
	struct found found = {0};
	char text[XB_DIGEST_OCI];
	struct xb_digest digest;

	if (!file || audit_hash(&v->run, file, &digest, &ignored) < 0)
		return;
	p = new_platform(v, json_array_size(layers));
	p->config_digest = keep(v, xb_digest_oci(&digest, text));
	p->config = load(v, file);
	for (size_t i = 0; i < json_array_size(layers); i++) {
		const char *layer = json_string_value(json_array_get(layers, i));

		add_layer(v, p, layer ? audit_source_find(&v->run, layer) : NULL, NULL);
	}
	end_platform(v, p);
	add_platform(&found, p);
	add_image(v, json_string_value(json_array_get(json_object_get(entry, "RepoTags"), 0)), p->config_digest, "",
		  NULL, &found);
	XB_VEC_RELEASE(&found.platforms);
}

static void view_docker(struct viewing *v)
{
	const json_t *list = load(v, audit_source_find(&v->run, "manifest.json"));

	for (size_t i = 0; i < json_array_size(list) && i < XB_MAX_DIAGS; i++)
		view_docker_image(v, json_array_get(list, i));
}

int xb_view_read(const char *path, bool with_entries, const volatile int *interrupted, struct xb_audit *audit,
		 struct xb_view *out, struct xb_err *err)
{
	struct viewing v XB_CLEANUP(end_viewing) = {
		.out = out, .with_entries = with_entries, .n_packages_left = VIEW_MAX_PACKAGES};
	const struct audit_watch watch = {&v, see_entry, see_content};
	struct xb_audit repeated XB_CLEANUP(xb_audit_release) = {0};

	v.run = (struct audit_run){.src.fd = -1, .interrupted = interrupted, .out = audit, .watch = &watch};
	if (audit_all(&v.run, path, err) < 0)
		return err->code;
	/* what documents are read for once more has been told */
	v.run.out = &repeated;
	if (audit_source_find(&v.run, "index.json"))
		view_index(&v);
	else
		view_docker(&v);
	return 0;
}
