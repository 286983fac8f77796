/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/image/apk_base.h"

#include <stdlib.h>
#include <string.h>

#include "apk_layers.h"
#include "xbuild/base/limits.h"
#include "xbuild/store/action_cache.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/deflate.h"
#include "xbuild/sys/json.h"

/* Part of every key: change it whenever the bytes made of the same packages change, or base.json does. */
#define BASE_VERSION "xbuild apk base 1, encoder " XB_DEFLATE_VERSION

void xb_apk_base_release(struct xb_apk_base *base)
{
	if (!base)
		return;
	xb_arena_release(&base->arena);
	*base = (struct xb_apk_base){0};
}

void xb_apk_base_key(const struct xb_apk_image_spec *spec, struct xb_digest *out)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	char hex[XB_DIGEST_HEX];
	const struct xb_words none = {0};

	xb_str_printf(&text, "%s\n%s\n", BASE_VERSION, spec->arch);
	xb_apko_json(spec->config, xb_apko_arch(xb_sv(spec->arch)), &none, spec->annotations, &text);
	for (size_t i = 0; i < spec->locked->n_keys; i++) {
		const struct xb_lock_apk_key *key = &spec->locked->keys[i];

		xb_str_printf(&text, "key %s %zu\n%s\n", key->url, strlen(key->content ? key->content : ""),
			      key->content ? key->content : "");
	}
	for (size_t i = 0; i < spec->locked->n_packages; i++) {
		const struct xb_lock_apk *p = &spec->locked->packages[i];

		if (strcmp(p->arch, spec->arch) == 0)
			xb_str_printf(&text, "package %s %s %s %s\n", p->name, p->version,
				      xb_digest_hex(&p->sha256, hex), p->checksum);
	}
	xb_digest_bytes(text.data, text.len, out);
}

static const char *text_of(struct xb_arena *arena, const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? xb_arena_strdup(arena, text) : NULL;
}

static bool digest_of(const json_t *object, const char *key, struct xb_digest *out)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text && xb_digest_parse(xb_sv(text), out);
}

static uint64_t number_of(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

static bool read_layer(const json_t *object, struct xb_layer *out)
{
	out->kind = XB_LAYER_BASE;
	out->cached = true;
	out->size_bytes = number_of(object, "size");
	out->tar_bytes = number_of(object, "tar");
	return digest_of(object, "diff-id", &out->diff_id) && digest_of(object, "blob", &out->blob);
}

/* "d" and "l" and "f" as in the manifest of a tree (store/tree). */
static bool read_entry(struct xb_store *store, struct xb_arena *arena, const json_t *object,
		       struct xb_rootfs_entry *out)
{
	const char *type = json_string_value(json_object_get(object, "type"));
	char *source;

	out->path = text_of(arena, object, "path");
	out->mode = (uint32_t)number_of(object, "mode");
	out->uid = (uint32_t)number_of(object, "uid");
	out->gid = (uint32_t)number_of(object, "gid");
	out->origin = text_of(arena, object, "origin");
	out->layer = XB_LAYER_BASE;
	if (!type || !out->path || !out->origin)
		return false;
	out->type = *type == 'd' ? XB_TREE_DIR : *type == 'l' ? XB_TREE_SYMLINK : XB_TREE_FILE;
	if (out->type == XB_TREE_SYMLINK)
		return (out->target = text_of(arena, object, "target")) != NULL;
	if (out->type == XB_TREE_DIR)
		return true;
	out->size_bytes = (int64_t)number_of(object, "size");
	if (!digest_of(object, "sha256", &out->digest))
		return false;
	source = xb_cas_path(store, &out->digest);
	out->source = xb_arena_strdup(arena, source);
	free(source);
	return true;
}

static bool read_package(struct xb_arena *arena, const json_t *object, struct xb_apk_base_package *out)
{
	out->name = text_of(arena, object, "name");
	out->version = text_of(arena, object, "version");
	out->arch = text_of(arena, object, "arch");
	out->license = text_of(arena, object, "license");
	out->origin = text_of(arena, object, "origin");
	out->description = text_of(arena, object, "description");
	out->maintainer = text_of(arena, object, "maintainer");
	out->checksum = text_of(arena, object, "checksum");
	out->url = text_of(arena, object, "url");
	return out->name && out->version && out->arch && out->license && out->origin && out->description &&
	       out->maintainer && out->checksum && out->url && digest_of(object, "sha256", &out->sha256);
}

static bool read_lists(struct xb_store *store, const json_t *root, struct xb_apk_base *base)
{
	const json_t *layers = json_object_get(root, "layers"), *entries = json_object_get(root, "entries");
	const json_t *packages = json_object_get(root, "packages");
	const size_t n_layers = json_array_size(layers), n_entries = json_array_size(entries);
	const size_t n_packages = json_array_size(packages);

	base->layers = xb_arena_array(&base->arena, n_layers, sizeof(*base->layers));
	base->entries = xb_arena_array(&base->arena, n_entries, sizeof(*base->entries));
	base->packages = xb_arena_array(&base->arena, n_packages, sizeof(*base->packages));
	for (size_t *i = &base->n_layers; *i < n_layers; (*i)++) {
		if (!read_layer(json_array_get(layers, *i), &base->layers[*i]))
			return false;
	}
	for (size_t *i = &base->n_entries; *i < n_entries; (*i)++) {
		if (!read_entry(store, &base->arena, json_array_get(entries, *i), &base->entries[*i]))
			return false;
	}
	for (size_t *i = &base->n_packages; *i < n_packages; (*i)++) {
		if (!read_package(&base->arena, json_array_get(packages, *i), &base->packages[*i]))
			return false;
	}
	base->user = text_of(&base->arena, root, "user");
	base->build_date = (int64_t)number_of(root, "build-date");
	return n_layers > 0;
}

int xb_apk_base_find(struct xb_store *store, const struct xb_digest *key, struct xb_apk_base *out)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	json_t *root XB_CLEANUP(xb_json_release) = NULL;
	struct xb_reapi_result result = {0};
	char *path;
	int r;

	*out = (struct xb_apk_base){0};
	if (xb_action_get(store, key, &arena, &result) != 1 || !result.n_outputs ||
	    strcmp(result.outputs[0].path, APK_BASE_DOCUMENT) != 0)
		return 0;
	path = xb_cas_path(store, &result.outputs[0].digest.hash);
	r = xb_json_read(path, XB_MAX_JSON_BYTES, &root, &ignored);
	free(path);
	if (r < 0 || !read_lists(store, root, out) || out->n_layers + 1 != result.n_outputs) {
		xb_apk_base_release(out);
		return 0;
	}
	return 1;
}
