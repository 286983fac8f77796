/* SPDX-License-Identifier: Apache-2.0 */
/* Writing of apko.lock.json: apko, internal/cli/lock.go "LockCmd" and pkg/lock/lock.go. */
#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/base64.h"
#include "xbuild/base/hex.h"
#include "xbuild/model/apko_lock.h"
#include "xbuild/sys/json.h"

#define SHA1_BYTES 20

static json_t *text_of(const char *text)
{
	return json_string(text ? text : "");
}

static void put_checksum(json_t *object, const char *prefix, const uint8_t *bytes, size_t len)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	xb_str_append(&text, prefix);
	xb_base64_encode(bytes, len, &text);
	json_object_set_new(object, "checksum", text_of(xb_str_get(&text)));
}

static json_t *range_of(int64_t from, int64_t len)
{
	char *text XB_CLEANUP(xb_free_ptr) = xb_printf("bytes=%lld-%lld", (long long)from, (long long)(from + len - 1));
	json_t *part = json_object();

	json_object_set_new(part, "range", json_string(text));
	return part;
}

static json_t *package_json(const struct xb_lock_apk *p)
{
	const int64_t data_at = p->signature_bytes + p->control_bytes;
	json_t *object = json_object(), *part;
	uint8_t sum[SHA1_BYTES] = {0};

	json_object_set_new(object, "name", text_of(p->name));
	json_object_set_new(object, "url", text_of(p->url));
	json_object_set_new(object, "version", text_of(p->version));
	json_object_set_new(object, "architecture", text_of(p->arch));
	if (p->signature_sha1 && xb_hex_decode(xb_sv(p->signature_sha1), sum, sizeof(sum))) {
		part = range_of(0, p->signature_bytes);
		put_checksum(part, "sha1-", sum, sizeof(sum));
	} else {
		part = json_object();
		json_object_set_new(part, "range", json_string(""));
		json_object_set_new(part, "checksum", json_string(""));
	}
	json_object_set_new(object, "signature", part);
	part = range_of(p->signature_bytes, p->control_bytes);
	/* The same SHA-1 as the checksum "Q1...". */
	char *control XB_CLEANUP(xb_free_ptr) = xb_printf("sha1-%s", p->checksum + strlen("Q1"));

	json_object_set_new(part, "checksum", json_string(control));
	json_object_set_new(object, "control", part);
	part = range_of(data_at, p->size_bytes - data_at);
	put_checksum(part, "sha256-", p->data.bytes, sizeof(p->data.bytes));
	json_object_set_new(object, "data", part);
	json_object_set_new(object, "checksum", text_of(p->checksum));
	return object;
}

static json_t *repositories_json(const struct xb_apko_lock_repositories *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->len; i++) {
		json_t *item = json_object();

		json_object_set_new(item, "name", text_of(list->items[i].name));
		json_object_set_new(item, "url", text_of(list->items[i].url));
		json_object_set_new(item, "architecture", text_of(list->items[i].arch));
		json_array_append_new(array, item);
	}
	return array;
}

static json_t *contents_json(const struct xb_apko_lock *lock)
{
	json_t *contents = json_object(), *array = json_array();

	for (size_t i = 0; i < lock->n_keys; i++) {
		json_t *key = json_object();

		json_object_set_new(key, "name", text_of(lock->keys[i].name));
		json_object_set_new(key, "url", text_of(lock->keys[i].url));
		if (lock->keys[i].content)
			json_object_set_new(key, "content", text_of(lock->keys[i].content));
		json_array_append_new(array, key);
	}
	json_object_set_new(contents, "keyring", array);
	json_object_set_new(contents, "build_repositories", repositories_json(&lock->build));
	json_object_set_new(contents, "runtime_repositories", repositories_json(&lock->runtime));
	json_object_set_new(contents, "repositories", repositories_json(&lock->repositories));
	array = json_array();
	for (size_t i = 0; i < lock->n_packages; i++)
		json_array_append_new(array, package_json(&lock->packages[i]));
	json_object_set_new(contents, "packages", array);
	return contents;
}

void xb_apko_lock_write(const struct xb_apko_lock *lock, struct xb_str *out)
{
	json_t *root = json_object();

	json_object_set_new(root, "version", json_string("v1"));
	if (lock->config_name) {
		json_t *config = json_object();

		json_object_set_new(config, "name", text_of(lock->config_name));
		put_checksum(config, "sha256-", lock->config.bytes, sizeof(lock->config.bytes));
		json_object_set_new(root, "config", config);
	}
	json_object_set_new(root, "contents", contents_json(lock));
	xb_json_write_go(root, true, out);
	xb_str_append_char(out, '\n');
	json_decref(root);
}

/* Appends what one architecture adds to a list of repositories. */
static void add_repositories(struct xb_apko_lock *lock, const struct xb_words *words, const char *arch,
			     struct xb_apko_lock_repositories *list)
{
	for (size_t i = 0; i < words->len; i++) {
		struct xb_apko_lock_repository *item = &list->items[list->len++];
		struct xb_sv tag;
		const char *url = xb_apko_url(words->items[i], &tag);

		item->name = xb_arena_printf(&lock->arena, "%s/%s", xb_apko_strip(url), arch);
		item->url = xb_arena_printf(&lock->arena, "%s/%s/APKINDEX.tar.gz", url, arch);
		item->arch = arch;
	}
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(((const struct xb_lock_apk_key *)a)->name, ((const struct xb_lock_apk_key *)b)->name);
}

static struct xb_apko_lock_repositories room_for(struct xb_apko_lock *lock, size_t len)
{
	return (struct xb_apko_lock_repositories){
		.items = xb_arena_array(&lock->arena, len, sizeof(struct xb_apko_lock_repository))};
}

void xb_apko_lock_from(const struct xb_apko *config, const struct xb_lock_apko *locked, const struct xb_words *archs,
		       struct xb_apko_lock **out)
{
	struct xb_apko_lock *lock = xb_alloc(sizeof(*lock));

	lock->config_name = config->path;
	lock->config = config->digest;
	lock->keys = xb_arena_array(&lock->arena, locked->n_keys, sizeof(*lock->keys));
	for (; lock->n_keys < locked->n_keys; lock->n_keys++)
		lock->keys[lock->n_keys] = locked->keys[lock->n_keys];
	if (lock->n_keys)
		qsort(lock->keys, lock->n_keys, sizeof(*lock->keys), compare_keys);
	lock->build = room_for(lock, config->build_repositories.len * archs->len);
	lock->runtime = room_for(lock, config->runtime_repositories.len * archs->len);
	lock->repositories = room_for(lock, config->repositories.len * archs->len);
	lock->packages = xb_arena_array(&lock->arena, locked->n_packages, sizeof(*lock->packages));
	for (size_t i = 0; i < archs->len; i++) {
		add_repositories(lock, &config->build_repositories, archs->items[i], &lock->build);
		add_repositories(lock, &config->runtime_repositories, archs->items[i], &lock->runtime);
		add_repositories(lock, &config->repositories, archs->items[i], &lock->repositories);
		for (size_t k = 0; k < locked->n_packages; k++) {
			if (strcmp(locked->packages[k].arch, archs->items[i]) == 0)
				lock->packages[lock->n_packages++] = locked->packages[k];
		}
	}
	*out = lock;
}
