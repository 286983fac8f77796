/* SPDX-License-Identifier: Apache-2.0 */
/* /etc/apko.json: apko, pkg/build/types/types.go "ImageConfiguration" and the structs in it, with their omitempty. */
#include <stdlib.h>
#include <string.h>

#include "xbuild/base/vec.h"
#include "xbuild/model/apko.h"
#include "xbuild/sys/json.h"

static void put_text(json_t *object, const char *key, const char *text)
{
	if (text && *text)
		json_object_set_new(object, key, json_string(text));
}

static void put_number(json_t *object, const char *key, int64_t number)
{
	if (number)
		json_object_set_new(object, key, json_integer(number));
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* `as_set`: sorted and each once, as apko's locking leaves what it puts together from several places. */
static void put_words(json_t *object, const char *key, const struct xb_words *words, bool as_set)
{
	XB_VEC(const char *) list = {0};
	json_t *array;

	for (size_t i = 0; i < words->len; i++)
		XB_VEC_PUSH(&list, words->items[i]);
	if (as_set && list.len)
		qsort(list.items, list.len, sizeof(*list.items), compare_texts);
	array = json_array();
	for (size_t i = 0; i < list.len; i++) {
		if (!as_set || !i || strcmp(list.items[i], list.items[i - 1]) != 0)
			json_array_append_new(array, json_string(list.items[i]));
	}
	if (list.len)
		json_object_set(object, key, array);
	json_decref(array);
	XB_VEC_RELEASE(&list);
}

/* Go writes maps sorted by key. */
static void put_pairs(json_t *object, const char *key, const struct xb_pairs *pairs)
{
	XB_VEC(const char *) names = {0};
	json_t *map;

	if (!pairs->len)
		return;
	for (size_t i = 0; i < pairs->len; i++)
		XB_VEC_PUSH(&names, pairs->names[i]);
	qsort(names.items, names.len, sizeof(*names.items), compare_texts);
	map = json_object();
	for (size_t i = 0; i < names.len; i++) {
		for (size_t k = 0; k < pairs->len; k++) {
			if (strcmp(pairs->names[k], names.items[i]) == 0)
				json_object_set_new(map, names.items[i], json_string(pairs->values[k]));
		}
	}
	json_object_set_new(object, key, map);
	XB_VEC_RELEASE(&names);
}

static void put_texts(json_t *object, const char *key, const struct xb_apko_texts *texts)
{
	json_t *array;

	if (!texts->len)
		return;
	array = json_array();
	for (size_t i = 0; i < texts->len; i++) {
		json_t *item = json_object();

		put_text(item, "name", texts->items[i].name);
		put_text(item, "content", texts->items[i].content);
		json_array_append_new(array, item);
	}
	json_object_set_new(object, key, array);
}

static json_t *contents_json(const struct xb_apko *apko, const struct xb_words *packages)
{
	json_t *contents = json_object();

	put_words(contents, "build_repositories", &apko->build_repositories, true);
	put_words(contents, "runtime_repositories", &apko->runtime_repositories, false);
	put_words(contents, "repositories", &apko->repositories, true);
	put_words(contents, "keyring", &apko->keyring, true);
	put_texts(contents, "runtime_keyring", &apko->runtime_keyring);
	put_words(contents, "packages", packages, true);
	return contents;
}

static json_t *accounts_json(const struct xb_apko *apko)
{
	json_t *accounts = json_object(), *list = json_array();

	put_text(accounts, "run-as", apko->run_as);
	for (size_t i = 0; i < apko->n_users; i++) {
		const struct xb_apko_user *user = &apko->users[i];
		json_t *item = json_object();

		put_text(item, "username", user->name);
		put_number(item, "uid", user->uid);
		if (user->gid >= 0) /* a pointer in Go: 0 is not left out */
			json_object_set_new(item, "gid", json_integer(user->gid));
		put_text(item, "shell", user->shell);
		put_text(item, "homedir", user->home);
		json_array_append_new(list, item);
	}
	if (apko->n_users)
		json_object_set(accounts, "users", list);
	json_decref(list);
	list = json_array();
	for (size_t i = 0; i < apko->n_groups; i++) {
		json_t *item = json_object();

		put_text(item, "groupname", apko->groups[i].name);
		put_number(item, "gid", apko->groups[i].gid);
		put_words(item, "members", &apko->groups[i].members, false);
		json_array_append_new(list, item);
	}
	if (apko->n_groups)
		json_object_set(accounts, "groups", list);
	json_decref(list);
	return accounts;
}

static void put_paths(json_t *object, const struct xb_apko *apko)
{
	static const char *const types[] = {"directory", "empty-file", "hardlink", "symlink", "permissions"};
	json_t *list;

	if (!apko->n_paths)
		return;
	list = json_array();
	for (size_t i = 0; i < apko->n_paths; i++) {
		const struct xb_apko_path *path = &apko->paths[i];
		json_t *item = json_object();

		put_text(item, "path", path->path);
		put_text(item, "type", types[path->type]);
		if (path->uid >= 0)
			json_object_set_new(item, "uid", json_integer(path->uid));
		if (path->gid >= 0)
			json_object_set_new(item, "gid", json_integer(path->gid));
		put_number(item, "permissions", path->permissions);
		put_text(item, "source", path->source);
		if (path->recursive)
			json_object_set_new(item, "recursive", json_true());
		json_array_append_new(list, item);
	}
	json_object_set_new(object, "paths", list);
}

static void put_layering(json_t *object, const struct xb_apko *apko)
{
	json_t *layering;

	if (!apko->has_layering)
		return;
	layering = json_object();
	put_text(layering, "strategy", apko->layering_strategy);
	put_number(layering, "budget", apko->layering_budget);
	json_object_set_new(object, "layering", layering);
}

static void put_certificates(json_t *object, const struct xb_apko *apko)
{
	json_t *certificates;

	if (!apko->has_certificates)
		return;
	certificates = json_object();
	put_texts(certificates, "additional", &apko->certificates);
	put_words(certificates, "providers", &apko->certificate_providers, false);
	json_object_set_new(object, "certificates", certificates);
}

void xb_apko_json(const struct xb_apko *apko, const char *arch, const struct xb_words *packages,
		  const struct xb_pairs *annotations, struct xb_str *out)
{
	const struct xb_words archs = {.items = &arch, .len = 1};
	json_t *root = json_object(), *entrypoint = json_object();

	json_object_set_new(root, "contents", contents_json(apko, packages));
	put_text(entrypoint, "command", apko->command);
	put_text(entrypoint, "shell-fragment", apko->shell_fragment);
	json_object_set_new(root, "entrypoint", entrypoint);
	put_text(root, "cmd", apko->cmd_text);
	put_text(root, "stop-signal", apko->stop_signal);
	put_text(root, "work-dir", apko->workdir);
	json_object_set_new(root, "accounts", accounts_json(apko));
	put_words(root, "archs", &archs, false);
	put_pairs(root, "environment", &apko->environment);
	put_paths(root, apko);
	put_pairs(root, "annotations", annotations);
	put_words(root, "volumes", &apko->volumes, false);
	put_layering(root, apko);
	put_text(root, "format", apko->format);
	put_certificates(root, apko);
	xb_json_write_go(root, false, out);
	xb_str_append_char(out, '\n');
	json_decref(root);
}
