/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/image/document.h"

#include <stdbool.h>
#include <string.h>

#include "xbuild/base/attr.h"
#include "xbuild/sys/json.h"

#define REF_NAME  "org.opencontainers.image.ref.name"
#define FULL_NAME "io.containerd.image.name" /* wins over REF_NAME where containerd imports */

/* A document in the making; the first text that is not UTF-8 spoils it, and finish() tells. */
struct builder {
	json_t *root;
	const char *bad_key; /* member whose text is no UTF-8; borrowed */
};

static void set(struct builder *b, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) < 0 && !b->bad_key)
		b->bad_key = key;
}

static void set_text(struct builder *b, json_t *object, const char *key, const char *text)
{
	if (text)
		set(b, object, key, json_string(text));
}

static json_t *add_object(struct builder *b, json_t *object, const char *key)
{
	json_t *child = json_object();

	set(b, object, key, child);
	return child;
}

static json_t *add_list(struct builder *b, json_t *object, const char *key)
{
	json_t *child = json_array();

	set(b, object, key, child);
	return child;
}

static void append_text(struct builder *b, json_t *list, const char *key, const char *text)
{
	if (json_array_append_new(list, json_string(text)) < 0 && !b->bad_key)
		b->bad_key = key;
}

static void set_words(struct builder *b, json_t *object, const char *key, const struct xb_words *words)
{
	json_t *list;

	if (!words->len)
		return;
	list = add_list(b, object, key);
	for (size_t i = 0; i < words->len; i++)
		append_text(b, list, key, words->items[i]);
}

/* Sets of names are objects with empty members: {"8080/tcp":{}} (config.md "ExposedPorts"). */
static void set_names(struct builder *b, json_t *object, const char *key, const struct xb_words *words)
{
	json_t *names;

	if (!words->len)
		return;
	names = add_object(b, object, key);
	for (size_t i = 0; i < words->len; i++)
		set(b, names, words->items[i], json_object());
}

static void set_pairs(struct builder *b, json_t *object, const char *key, const struct xb_pairs *pairs)
{
	json_t *members;

	if (!pairs->len)
		return;
	members = add_object(b, object, key);
	for (size_t i = 0; i < pairs->len; i++)
		set_text(b, members, pairs->names[i], pairs->values[i]);
}

static void set_env(struct builder *b, json_t *object, const struct xb_pairs *env)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	json_t *list;

	if (!env->len)
		return;
	list = add_list(b, object, "Env");
	for (size_t i = 0; i < env->len; i++) {
		xb_str_reset(&text);
		xb_str_printf(&text, "%s=%s", env->names[i], env->values[i]);
		append_text(b, list, "Env", text.data);
	}
}

static void fill_descriptor(struct builder *b, json_t *object, const char *media_type, const struct xb_digest *digest,
			    uint64_t size_bytes)
{
	char text[XB_DIGEST_OCI];

	set_text(b, object, "mediaType", media_type);
	set_text(b, object, "digest", xb_digest_oci(digest, text));
	set(b, object, "size", json_integer((json_int_t)size_bytes));
}

static json_t *append_object(json_t *list)
{
	json_t *object = json_object();

	json_array_append_new(list, object);
	return object;
}

static void start(struct builder *b, const char *media_type)
{
	b->root = json_object();
	b->bad_key = NULL;
	set(b, b->root, "schemaVersion", json_integer(2));
	set_text(b, b->root, "mediaType", media_type);
}

static int finish(struct builder *b, const char *what, struct xb_str *out, struct xb_err *err)
{
	int r = 0;

	if (b->bad_key)
		r = xb_fail(err, XB_E_INPUT, "write the image's %s: the text of '%s' is not UTF-8", what, b->bad_key);
	else
		xb_json_write(b->root, 0, false, out);
	json_decref(b->root);
	return r;
}

static void fill_run(struct builder *b, json_t *run, const struct xb_document_config *config)
{
	set_text(b, run, "User", config->user);
	set_names(b, run, "ExposedPorts", &config->ports);
	set_env(b, run, &config->env);
	set_words(b, run, "Entrypoint", &config->entrypoint);
	set_words(b, run, "Cmd", &config->cmd);
	set_names(b, run, "Volumes", &config->volumes);
	set_text(b, run, "WorkingDir", config->workdir);
	set_pairs(b, run, "Labels", &config->labels);
	set_text(b, run, "StopSignal", config->stop_signal);
}

/* Layers of the base lie lowest. */
static size_t base_layers(const struct xb_document_config *config)
{
	size_t n = 0;

	while (config->base && n < config->n_layers && config->layers[n].kind == XB_LAYER_BASE)
		n++;
	return n;
}

/* What images of Docker say beside config.md ("Healthcheck", "OnBuild", "Shell") goes on to hold. */
static void keep_run(struct builder *b, const struct xb_document_config *config)
{
	static const char *const kept[] = {"Healthcheck", "OnBuild", "Shell"};
	const json_t *from = json_object_get(config->base, "config");
	json_t *run = json_object_get(b->root, "config");

	for (size_t i = 0; i < XB_COUNT(kept); i++) {
		const json_t *value = json_object_get(from, kept[i]);

		if (value)
			set(b, run, kept[i], json_deep_copy(value));
	}
}

static bool has_layer(const json_t *entry)
{
	return !json_is_true(json_object_get(entry, "empty_layer"));
}

/*
 * The base's history, made fit for its layers: tools count the entries with a layer (config.md "history"), and images
 * exist that have fewer, more, or none.
 */
static void keep_history(json_t *list, const struct xb_document_config *config)
{
	const json_t *history = json_object_get(config->base, "history");
	const size_t wanted = base_layers(config);
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(history); i++) {
		const json_t *entry = json_array_get(history, i);

		if (!json_is_object(entry) || (has_layer(entry) && n == wanted))
			continue;
		n += has_layer(entry);
		json_array_append_new(list, json_deep_copy(entry));
	}
	for (; n < wanted; n++)
		json_object_set_new(append_object(list), "comment", json_string("base"));
}

int xb_document_config(const struct xb_document_config *config, struct xb_str *out, struct xb_err *err)
{
	struct builder b = {.root = json_object()};
	json_t *rootfs, *list;

	set_text(&b, b.root, "created", config->created);
	set_text(&b, b.root, "architecture", config->target->oci_arch);
	set_text(&b, b.root, "variant", config->target->oci_variant);
	set_text(&b, b.root, "os", "linux");
	fill_run(&b, add_object(&b, b.root, "config"), config);
	keep_run(&b, config);

	rootfs = add_object(&b, b.root, "rootfs");
	set_text(&b, rootfs, "type", "layers");
	list = add_list(&b, rootfs, "diff_ids");
	for (size_t i = 0; i < config->n_layers; i++) {
		char text[XB_DIGEST_OCI];

		append_text(&b, list, "diff_ids", xb_digest_oci(&config->layers[i].diff_id, text));
	}
	list = add_list(&b, b.root, "history");
	keep_history(list, config);
	for (size_t i = base_layers(config); i < config->n_layers; i++) {
		json_t *entry = append_object(list);

		set_text(&b, entry, "created", config->created);
		set_text(&b, entry, "created_by", "xbuild");
		set_text(&b, entry, "comment", xb_layer_kind_name(config->layers[i].kind));
	}
	return finish(&b, "configuration", out, err);
}

int xb_document_manifest(const struct xb_descriptor *config, const struct xb_layer *layers, size_t n_layers,
			 const struct xb_pairs *annotations, struct xb_str *out, struct xb_err *err)
{
	struct builder b;
	json_t *list;

	start(&b, XB_MEDIA_MANIFEST);
	fill_descriptor(&b, add_object(&b, b.root, "config"), XB_MEDIA_CONFIG, &config->digest, config->size_bytes);
	list = add_list(&b, b.root, "layers");
	for (size_t i = 0; i < n_layers; i++)
		fill_descriptor(&b, append_object(list), layers[i].media_type ? layers[i].media_type : XB_MEDIA_LAYER,
				&layers[i].blob, layers[i].size_bytes);
	set_pairs(&b, b.root, "annotations", annotations);
	return finish(&b, "manifest", out, err);
}

static void fill_platform(struct builder *b, json_t *entry, const struct xb_document_platform *p)
{
	json_t *platform;

	fill_descriptor(b, entry, XB_MEDIA_MANIFEST, &p->manifest.digest, p->manifest.size_bytes);
	platform = add_object(b, entry, "platform");
	set_text(b, platform, "architecture", p->target->oci_arch);
	set_text(b, platform, "os", "linux");
	set_text(b, platform, "variant", p->target->oci_variant);
}

int xb_document_index(const struct xb_document_platform *platforms, size_t n_platforms,
		      const struct xb_pairs *annotations, struct xb_str *out, struct xb_err *err)
{
	struct builder b;
	json_t *list;

	start(&b, XB_MEDIA_INDEX);
	list = add_list(&b, b.root, "manifests");
	for (size_t i = 0; i < n_platforms; i++)
		fill_platform(&b, append_object(list), &platforms[i]);
	set_pairs(&b, b.root, "annotations", annotations);
	return finish(&b, "index", out, err);
}

int xb_document_layout(const struct xb_descriptor *index, const char *ref, struct xb_str *out, struct xb_err *err)
{
	struct builder b;
	json_t *entry;

	start(&b, XB_MEDIA_INDEX);
	entry = append_object(add_list(&b, b.root, "manifests"));
	fill_descriptor(&b, entry, XB_MEDIA_INDEX, &index->digest, index->size_bytes);
	set_text(&b, add_object(&b, entry, "annotations"), REF_NAME, ref);
	return finish(&b, "layout", out, err);
}

void xb_document_platform_ref(const char *ref, const struct xb_target *target, struct xb_str *out)
{
	xb_str_printf(out, "%s-%s", ref, target->oci_arch);
}

static void set_names_of(struct builder *b, json_t *entry, const char *name, const char *ref)
{
	struct xb_str full XB_CLEANUP(xb_str_release) = {0};
	json_t *annotations = add_object(b, entry, "annotations");

	xb_str_printf(&full, "docker.io/library/%s:%s", name, ref);
	set_text(b, annotations, FULL_NAME, full.data);
	set_text(b, annotations, REF_NAME, ref);
}

int xb_document_load(const struct xb_descriptor *index, const struct xb_document_platform *platforms,
		     size_t n_platforms, const char *name, const char *ref, struct xb_str *out, struct xb_err *err)
{
	struct xb_str own XB_CLEANUP(xb_str_release) = {0};
	struct builder b;
	json_t *list, *entry;

	start(&b, XB_MEDIA_INDEX);
	list = add_list(&b, b.root, "manifests");
	entry = append_object(list);
	fill_descriptor(&b, entry, XB_MEDIA_INDEX, &index->digest, index->size_bytes);
	set_names_of(&b, entry, name, ref);
	for (size_t i = 0; i < n_platforms; i++) {
		xb_str_reset(&own);
		xb_document_platform_ref(ref, platforms[i].target, &own);
		entry = append_object(list);
		fill_platform(&b, entry, &platforms[i]);
		set_names_of(&b, entry, name, own.data);
	}
	return finish(&b, "layout", out, err);
}

static void blob_name(const struct xb_digest *digest, struct xb_str *out)
{
	char hex[XB_DIGEST_HEX];

	xb_str_reset(out);
	xb_str_printf(out, "blobs/sha256/%s", xb_digest_hex(digest, hex));
}

int xb_document_docker(const struct xb_document_docker *images, size_t n_images, struct xb_str *out, struct xb_err *err)
{
	struct xb_str path XB_CLEANUP(xb_str_release) = {0};
	struct builder b = {.root = json_array()};

	for (size_t i = 0; i < n_images; i++) {
		json_t *entry = append_object(b.root), *list;

		blob_name(&images[i].config.digest, &path);
		set_text(&b, entry, "Config", path.data);
		append_text(&b, add_list(&b, entry, "RepoTags"), "RepoTags", images[i].repo_tag);
		list = add_list(&b, entry, "Layers");
		for (size_t k = 0; k < images[i].n_layers; k++) {
			blob_name(&images[i].layers[k].blob, &path);
			append_text(&b, list, "Layers", path.data);
		}
	}
	return finish(&b, "manifest.json", out, err);
}
