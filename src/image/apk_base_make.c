/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "apk_layers.h"
#include "xbuild/base/alloc.h"
#include "xbuild/store/action_cache.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/json.h"

#define MAX_LAYERS 128

struct making {
	struct xb_store *store;
	const struct xb_apk_image_spec *spec;
	const struct xb_layer_options *options;
	struct xb_apk_image image;
	struct xb_arena arena;
	struct xb_layer layers[MAX_LAYERS];
	size_t n_layers;
	json_t *entries;
};

static void release(struct making *m)
{
	xb_apk_image_release(&m->image);
	xb_arena_release(&m->arena);
	json_decref(m->entries);
}

static void put_digest(json_t *object, const char *key, const struct xb_digest *digest)
{
	char hex[XB_DIGEST_HEX];

	json_object_set_new(object, key, json_string(xb_digest_hex(digest, hex)));
}

static void put_text(json_t *object, const char *key, const char *text)
{
	json_t *value = json_string(text ? text : "");

	/* What is not UTF-8 in a package's description is not worth an image. */
	json_object_set_new(object, key, value ? value : json_string(""));
}

static int make_layer(struct making *m, const struct apk_groups *groups, size_t group, struct xb_err *err)
{
	struct xb_cas_writer writer XB_CLEANUP(xb_cas_discard) = {.fd = -1};
	struct xb_layer *layer = &m->layers[m->n_layers];

	if (xb_cas_begin(m->store, &writer, err) < 0 ||
	    apk_layer_write(writer.fd, &m->image, groups, group, m->options, layer, err) < 0 ||
	    xb_cas_commit(&writer, &layer->blob, err) < 0)
		return xb_wrap(err, "write layer %zu of the base", m->n_layers + 1);
	m->n_layers++;
	return 0;
}

/* `layering: {}` is as good as none (apko, pkg/build/build.go "BuildLayers"). */
static int make_layers(struct making *m, struct xb_err *err)
{
	const struct xb_apko *config = m->spec->config;
	struct apk_groups groups = {0};

	if (config->layering_strategy || config->layering_budget)
		apk_group_packages(&m->arena, m->image.packages, m->image.n_packages, (size_t)config->layering_budget,
				   &groups);
	if (groups.len >= MAX_LAYERS)
		return xb_fail(err, XB_E_INPUT, "%s: more than %d layers", config->path, MAX_LAYERS - 1);
	for (size_t i = 0; i <= groups.len; i++) {
		if (make_layer(m, &groups, i, err) < 0)
			return err->code;
	}
	return 0;
}

/* Content of a file that was made here: as a blob, others can read it by its path. */
static int digest_of(struct making *m, const struct xb_apk_node *node, struct xb_digest *out, struct xb_err *err)
{
	*out = node->digest;
	return node->in_memory ? xb_cas_put_bytes(m->store, xb_str_get(&node->text), node->text.len, out, err) : 0;
}

static int list_entry(void *self, const char *path, struct xb_apk_node *node, struct xb_err *err)
{
	struct making *m = self;
	struct xb_digest digest;
	json_t *entry;

	if (node->type == XB_APK_DEVICE)
		return 0;
	entry = json_object();
	put_text(entry, "type", node->type == XB_APK_DIR ? "d" : node->type == XB_APK_SYMLINK ? "l" : "f");
	put_text(entry, "path", path);
	json_object_set_new(entry, "mode", json_integer(node->mode));
	json_object_set_new(entry, "uid", json_integer(node->uid));
	json_object_set_new(entry, "gid", json_integer(node->gid));
	put_text(entry, "origin",
		 node->package == XB_APK_NOBODY
			 ? m->spec->config->path
			 : xb_arena_printf(&m->arena, "package %s", m->image.packages[node->package]->info.name));
	if (node->type == XB_APK_SYMLINK)
		put_text(entry, "target", node->target);
	json_array_append_new(m->entries, entry);
	if (node->type != XB_APK_FILE)
		return 0;
	if (digest_of(m, node, &digest, err) < 0)
		return err->code;
	put_digest(entry, "sha256", &digest);
	json_object_set_new(entry, "size", json_integer(node->size_bytes));
	return 0;
}

static json_t *layers_json(const struct making *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->n_layers; i++) {
		json_t *layer = json_object();

		put_digest(layer, "blob", &m->layers[i].blob);
		put_digest(layer, "diff-id", &m->layers[i].diff_id);
		json_object_set_new(layer, "size", json_integer((json_int_t)m->layers[i].size_bytes));
		json_object_set_new(layer, "tar", json_integer((json_int_t)m->layers[i].tar_bytes));
		json_array_append_new(list, layer);
	}
	return list;
}

static json_t *packages_json(const struct making *m)
{
	json_t *list = json_array();
	size_t n = 0;

	for (size_t i = 0; i < m->spec->locked->n_packages; i++) {
		const struct xb_lock_apk *locked = &m->spec->locked->packages[i];
		const struct xb_apk_info *info;
		json_t *package;

		if (strcmp(locked->arch, m->spec->arch) != 0)
			continue;
		info = &m->image.packages[n++]->info;
		package = json_object();
		put_text(package, "name", info->name);
		put_text(package, "version", info->version);
		put_text(package, "arch", info->arch);
		put_text(package, "license", info->license);
		put_text(package, "origin", info->origin);
		put_text(package, "description", info->description);
		put_text(package, "maintainer", info->maintainer);
		put_text(package, "checksum", locked->checksum);
		put_text(package, "url", locked->url);
		put_digest(package, "sha256", &locked->sha256);
		json_array_append_new(list, package);
	}
	return list;
}

static int remember(struct making *m, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_reapi_output outputs[MAX_LAYERS + 1] = {{.path = APK_BASE_DOCUMENT}};
	struct xb_reapi_result result = {.outputs = outputs, .n_outputs = m->n_layers + 1};
	json_t *root = json_object();
	struct xb_digest key;

	if (m->image.run_as)
		put_text(root, "user", m->image.run_as);
	json_object_set_new(root, "build-date", json_integer(m->image.build_date));
	json_object_set_new(root, "layers", layers_json(m));
	json_object_set_new(root, "packages", packages_json(m));
	json_object_set(root, "entries", m->entries);
	xb_json_write(root, 0, false, &text);
	json_decref(root);
	if (xb_cas_put_bytes(m->store, text.data, text.len, &outputs[0].digest.hash, err) < 0)
		return err->code;
	outputs[0].digest.size_bytes = text.len;
	for (size_t i = 0; i < m->n_layers; i++)
		outputs[i + 1] = (struct xb_reapi_output){.path = xb_arena_printf(&m->arena, "layer-%03zu.tar.gz", i),
							  .digest = {m->layers[i].blob, m->layers[i].size_bytes}};
	xb_apk_base_key(m->spec, &key);
	return xb_action_put(m->store, &key, &result, err);
}

int xb_apk_base_make(struct xb_store *store, const struct xb_apk_image_spec *spec,
		     const struct xb_layer_options *options, struct xb_err *err)
{
	struct making *m = xb_alloc(sizeof(*m));

	*m = (struct making){.store = store, .spec = spec, .options = options, .entries = json_array()};
	if (xb_apk_image_make(store, spec, &m->image, err) == 0 && make_layers(m, err) == 0 &&
	    xb_apk_root_walk(&m->image.root, "", list_entry, m, err) == 0)
		(void)!remember(m, err);
	release(m);
	free(m);
	return err->code;
}
