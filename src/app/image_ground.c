/* SPDX-License-Identifier: Apache-2.0 */
/* What an image stands on when that comes in layers, and who runs in it. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "base_image.h"
#include "image_plan.h"
#include "xbuild/app/provision.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/image/accounts.h"
#include "xbuild/image/config_types.h"
#include "xbuild/sys/fs.h"

/* ---- base: { image: ... } ---- */

static const char *text_of(struct image_run *run, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_string_length(value) ? xb_arena_strdup(&run->app->arena, json_string_value(value)) : NULL;
}

/* A list of texts; null and other things are none. */
static struct xb_words words_of(struct image_run *run, const json_t *list)
{
	struct xb_words words = {.items =
					 xb_arena_array(&run->app->arena, json_array_size(list), sizeof(*words.items))};

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (text)
			words.items[words.len++] = xb_arena_strdup(&run->app->arena, text);
	}
	return words;
}

/* Sets are objects with empty members (config.md "ExposedPorts", "Volumes"); sorted, for there is no order in them. */
static int compare_words(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct xb_words names_of(struct image_run *run, json_t *object)
{
	struct xb_words words = {
		.items = xb_arena_array(&run->app->arena, json_object_size(object), sizeof(*words.items))};

	for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at))
		words.items[words.len++] = xb_arena_strdup(&run->app->arena, json_object_iter_key(at));
	if (words.len)
		qsort(words.items, words.len, sizeof(*words.items), compare_words);
	return words;
}

static void add_pair(struct image_run *run, struct xb_pairs *pairs, struct xb_sv name, const char *value)
{
	pairs->names[pairs->len] = xb_arena_sv(&run->app->arena, name);
	pairs->values[pairs->len++] = xb_arena_strdup(&run->app->arena, value);
}

static struct xb_pairs pairs_for(struct image_run *run, size_t n)
{
	return (struct xb_pairs){.names = xb_arena_array(&run->app->arena, n, sizeof(char *)),
				 .values = xb_arena_array(&run->app->arena, n, sizeof(char *))};
}

static struct xb_pairs env_of(struct image_run *run, const json_t *list)
{
	struct xb_pairs env = pairs_for(run, json_array_size(list));

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i)),
			   *equals = text ? strchr(text, '=') : NULL;

		if (equals)
			add_pair(run, &env, xb_sv_n(text, (size_t)(equals - text)), equals + 1);
	}
	return env;
}

static struct xb_pairs labels_of(struct image_run *run, json_t *object)
{
	const struct xb_words names = names_of(run, object);
	struct xb_pairs labels = pairs_for(run, names.len);

	for (size_t i = 0; i < names.len; i++) {
		const char *value = json_string_value(json_object_get(object, names.items[i]));

		if (value)
			add_pair(run, &labels, xb_sv(names.items[i]), value);
	}
	return labels;
}

/* How containers of the base run (config.md "config"). */
static void read_run(struct image_run *run, struct image_ground *ground)
{
	json_t *config = json_object_get(ground->config, "config");

	ground->entrypoint = words_of(run, json_object_get(config, "Entrypoint"));
	ground->cmd = words_of(run, json_object_get(config, "Cmd"));
	ground->ports = names_of(run, json_object_get(config, "ExposedPorts"));
	ground->volumes = names_of(run, json_object_get(config, "Volumes"));
	ground->env = env_of(run, json_object_get(config, "Env"));
	ground->labels = labels_of(run, json_object_get(config, "Labels"));
	ground->user = text_of(run, config, "User");
	ground->workdir = text_of(run, config, "WorkingDir");
	ground->stop_signal = text_of(run, config, "StopSignal");
}

static void keep_first(void *ctx, bool is_problem, const char *text)
{
	char **first = ctx;

	if (is_problem && !*first)
		*first = xb_strdup(text);
}

/* What cannot be taken over must not get lost without a word. */
static int check_config(const json_t *config, const char *origin, struct xb_err *err)
{
	char *problem XB_CLEANUP(xb_free_ptr) = NULL;

	xb_config_types_check(config, keep_first, &problem);
	if (!problem)
		return 0;
	xb_fail(err, XB_E_VERIFY, "%s: its configuration: %s", origin, problem);
	return xb_hint(err, "'xbuild verify' tells all that is wrong with an image");
}

/* What the layers give together. */
static int read_layers(struct image_run *run, const struct base_image *base, bool all_files, const char *origin,
		       struct xb_rootfs *out, struct xb_err *err)
{
	struct xb_str listing XB_CLEANUP(xb_str_release) = {0};

	for (size_t i = 0; i < base->manifest->n_layers; i++) {
		base->layers[i].all_files = all_files;
		if (xb_listing_find(run->app->store, &base->layers[i], &listing, err) < 0 ||
		    xb_listing_apply(run->app->store, xb_str_sv(&listing), origin, out, err) < 0)
			return err->code;
	}
	return 0;
}

static int lay_image(struct image_run *run, const struct xb_image *image, struct image_part *part,
		     struct xb_rootfs *out, struct xb_err *err)
{
	const struct xb_want want = {.kind = XB_WANT_BASE, .name = part->target->name, .image = image->name};
	struct base_image base XB_CLEANUP(base_image_release) = {0};
	struct xb_rootfs files XB_CLEANUP(xb_rootfs_release) = {0};
	char *origin XB_CLEANUP(xb_free_ptr) = xb_printf("base %s", image->base_ref);
	struct image_ground *ground = &part->ground;
	int found;

	if (xb_provision(run->app, &want, 1, err) < 0)
		return err->code;
	found = base_image_find(run->app, image, part->target, &base, err);
	if (found <= 0)
		return found < 0 ? found : xb_fail(err, XB_E_SYSTEM, "%s went out of the store", origin);
	ground->n_layers = base.manifest->n_layers;
	ground->layers = xb_arena_array(&run->app->arena, ground->n_layers, sizeof(*ground->layers));
	for (size_t i = 0; i < ground->n_layers; i++)
		ground->layers[i] = (struct xb_layer){.kind = XB_LAYER_BASE,
						      .media_type = base.media_types[i],
						      .diff_id = base.layers[i].diff_id,
						      .blob = base.layers[i].blob,
						      .size_bytes = (uint64_t)base.layers[i].size_bytes,
						      .cached = true};
	ground->digest = base.manifest->digest;
	ground->name = base_ref_name(image->base_ref);
	ground->config = json_incref(base.config);
	if (check_config(ground->config, origin, err) < 0)
		return err->code;
	read_run(run, ground);
	if (read_layers(run, &base, false, origin, &files, err) < 0)
		return err->code;
	for (size_t i = 0; i < files.len; i++)
		xb_rootfs_add(out, &files.items[i]);
	return 0;
}

int image_need_files(struct image_run *run, const struct xb_image *image, struct image_part *part, struct xb_err *err)
{
	const struct xb_want want = {
		.kind = XB_WANT_BASE, .name = part->target->name, .image = image->name, .package = "files"};
	struct base_image base XB_CLEANUP(base_image_release) = {0};
	struct xb_rootfs files XB_CLEANUP(xb_rootfs_release) = {0};
	int found;

	if (image->base != XB_BASE_IMAGE)
		return 0;
	if (xb_provision(run->app, &want, 1, err) < 0)
		return err->code;
	found = base_image_find(run->app, image, part->target, &base, err);
	if (found <= 0)
		return found < 0 ? found : xb_fail(err, XB_E_SYSTEM, "base %s went out of the store", image->base_ref);
	if (read_layers(run, &base, true, image->base_ref, &files, err) < 0)
		return err->code;
	for (size_t i = 0; i < part->rootfs.len; i++) {
		struct xb_rootfs_entry *e = &part->rootfs.items[i];
		const struct xb_rootfs_entry *file = e->source ? NULL : xb_rootfs_find(&files, e->path);

		if (file && file->source)
			e->source = xb_arena_strdup(&part->rootfs.arena, file->source);
	}
	return 0;
}

int image_lay_ground(struct image_run *run, const struct xb_image *image, struct image_part *part,
		     struct xb_rootfs *out, struct xb_err *err)
{
	switch (image->base) {
	case XB_BASE_SCRATCH:
		return 0;
	case XB_BASE_AUTO:
	case XB_BASE_DEBIAN:
		return image_lay_list(run, image, part->target, out, err);
	case XB_BASE_IMAGE:
		return lay_image(run, image, part, out, err);
	case XB_BASE_APKO:
		return image_lay_apko(run, image, part, out, err);
	}
	assert(false);
	return 0;
}

void image_ground_release(struct image_ground *ground)
{
	json_decref(ground->config);
	ground->config = NULL;
}

/* The text of a file of the base; empty where there is none. */
static int read_base(const struct xb_rootfs *base, const char *path, struct xb_str *out, struct xb_err *err)
{
	for (size_t i = 0; i < base->len; i++) {
		const struct xb_rootfs_entry *e = &base->items[i];

		if (e->layer > XB_LAYER_PACKAGES || e->type != XB_TREE_FILE || strcmp(e->path, path) != 0)
			continue;
		if (!e->source)
			return xb_fail(err, XB_E_VERIFY,
				       "'/%s' of %s is a hard link to another file, and cannot be read", path,
				       e->origin);
		return xb_fs_read(e->source, XB_MIB, out, err) < 0 ? xb_wrap(err, "read '/%s' of %s", path, e->origin)
								   : 0;
	}
	return 0;
}

static int find_base_user(const char *text, struct xb_sv passwd, struct xb_sv group, struct image_user *out,
			  struct xb_err *err)
{
	struct xb_account account;

	if (xb_account_find(text, passwd, group, &account, err) < 0)
		return xb_wrap(err, "the base's user");
	*out = (struct image_user){.given = true, .uid = account.uid, .gid = account.gid};
	return 0;
}

/* Debian's, and the one of the bases that xbuild makes of its packages: the same everywhere. */
static const struct reserved_user {
	const char *name;
	uint32_t id;
} reserved_users[] = {{"nobody", 65534}, {"nonroot", 65532}};

/* A name alone that the base does not know: made with the number that it has elsewhere, or told. */
static void make_user(struct image_run *run, const struct xb_image *image, struct xb_sv passwd, struct image_user *out)
{
	struct xb_arena *arena = &run->app->arena;
	const bool has_users = passwd.len > 0;
	XB_VEC(const char *) known = {0};
	const char *near;

	for (size_t i = 0; i < XB_COUNT(reserved_users); i++) {
		XB_VEC_PUSH(&known, reserved_users[i].name);
		if (strcmp(image->user_name, reserved_users[i].name) == 0)
			out->uid = out->gid = reserved_users[i].id;
	}
	while (passwd.len && known.len < 1000) {
		struct xb_sv line = xb_sv_cut(&passwd, '\n');
		const char *name = xb_arena_sv(arena, xb_sv_cut(&line, ':'));

		if (*name)
			XB_VEC_PUSH(&known, name);
	}
	XB_VEC_PUSH(&known, NULL);
	near = xb_sv_suggest(xb_sv(image->user_name), known.items);
	if ((has_users || near) && out->uid == image->uid)
		out->note = xb_arena_printf(
			arena, "user '%s' is not in the base's /etc/passwd, and is made with uid %u%s%s%s",
			image->user_name, out->uid, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	XB_VEC_RELEASE(&known);
}

int image_find_user(struct image_run *run, const struct xb_image *image, const struct image_ground *ground,
		    const struct xb_rootfs *base, struct image_user *out, struct xb_err *err)
{
	struct xb_str passwd XB_CLEANUP(xb_str_release) = {0}, group XB_CLEANUP(xb_str_release) = {0};
	uint64_t uid, gid;

	if (read_base(base, "etc/passwd", &passwd, err) < 0 || read_base(base, "etc/group", &group, err) < 0)
		return err->code;
	if (image->uid < 0 && ground->user)
		return find_base_user(ground->user, xb_str_sv(&passwd), xb_str_sv(&group), out, err);
	*out = (struct image_user){
		.name = image->user_name,
		.given = image->uid >= 0,
		.uid = image->uid >= 0 ? (uint32_t)image->uid : 0,
		.gid = image->gid >= 0 ? (uint32_t)image->gid : 0,
	};
	if (!image->uid_is_default)
		return 0;
	if (!xb_account_field(xb_str_sv(&passwd), image->user_name, 2, &uid) ||
	    !xb_account_field(xb_str_sv(&passwd), image->user_name, 3, &gid)) {
		make_user(run, image, xb_str_sv(&passwd), out);
		return 0;
	}
	out->uid = (uint32_t)uid;
	out->gid = (uint32_t)gid;
	return 0;
}
