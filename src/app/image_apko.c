/* SPDX-License-Identifier: Apache-2.0 */
/* Images on a base of apk packages. */
#include <stdlib.h>
#include <string.h>

#include "base_apko.h"
#include "image_plan.h"
#include "xbuild/app/provision.h"

/* What apko sets where the configuration does not (apko, pkg/build/oci/image.go). */
static const char *const default_env[][2] = {
	{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/bin:/usr/sbin:/sbin:/bin"},
	{"SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt"},
};

static bool has_name(const struct xb_pairs *pairs, const char *name)
{
	for (size_t i = 0; i < pairs->len; i++) {
		if (strcmp(pairs->names[i], name) == 0)
			return true;
	}
	return false;
}

static void put_pair(struct xb_arena *arena, struct xb_pairs *pairs, const char *name, const char *value)
{
	size_t at = pairs->len++;

	/* Sorted, as apko has them. */
	for (; at > 0 && strcmp(pairs->names[at - 1], name) > 0; at--) {
		pairs->names[at] = pairs->names[at - 1];
		pairs->values[at] = pairs->values[at - 1];
	}
	pairs->names[at] = xb_arena_strdup(arena, name);
	pairs->values[at] = xb_arena_strdup(arena, value);
}

static struct xb_pairs copy_pairs(struct xb_arena *arena, const struct xb_pairs *from, size_t more)
{
	struct xb_pairs pairs = {.names = xb_arena_array(arena, from->len + more, sizeof(*pairs.names)),
				 .values = xb_arena_array(arena, from->len + more, sizeof(*pairs.values))};

	for (size_t i = 0; i < from->len; i++)
		put_pair(arena, &pairs, from->names[i], from->values[i]);
	return pairs;
}

static struct xb_words copy_words(struct xb_arena *arena, const struct xb_words *from)
{
	struct xb_words words = {.items = xb_arena_array(arena, from->len, sizeof(*words.items))};

	for (; words.len < from->len; words.len++)
		words.items[words.len] = xb_arena_strdup(arena, from->items[words.len]);
	return words;
}

static const char *copy_text(struct xb_arena *arena, const char *text)
{
	return text ? xb_arena_strdup(arena, text) : NULL;
}

static void fill_run(struct xb_arena *arena, const struct xb_apko *config, struct image_ground *ground)
{
	ground->entrypoint = copy_words(arena, &config->entrypoint);
	ground->cmd = copy_words(arena, &config->cmd);
	ground->volumes = copy_words(arena, &config->volumes);
	ground->env = copy_pairs(arena, &config->environment, XB_COUNT(default_env));
	for (size_t i = 0; i < XB_COUNT(default_env); i++) {
		if (!has_name(&ground->env, default_env[i][0]))
			put_pair(arena, &ground->env, default_env[i][0], default_env[i][1]);
	}
	ground->labels = copy_pairs(arena, &config->annotations, 0);
	ground->workdir = copy_text(arena, config->workdir);
	ground->stop_signal = copy_text(arena, config->stop_signal);
}

/* For bills of materials. */
static const struct xb_apk_base_package *copy_packages(struct xb_arena *arena, const struct xb_apk_base *base)
{
	struct xb_apk_base_package *all = xb_arena_array(arena, base->n_packages, sizeof(*all));

	for (size_t i = 0; i < base->n_packages; i++) {
		const struct xb_apk_base_package *p = &base->packages[i];

		all[i] = (struct xb_apk_base_package){.name = copy_text(arena, p->name),
						      .version = copy_text(arena, p->version),
						      .arch = copy_text(arena, p->arch),
						      .license = copy_text(arena, p->license),
						      .origin = copy_text(arena, p->origin),
						      .description = copy_text(arena, p->description),
						      .maintainer = copy_text(arena, p->maintainer),
						      .checksum = copy_text(arena, p->checksum),
						      .url = copy_text(arena, p->url),
						      .sha256 = p->sha256};
	}
	return all;
}

static void fill_layers(struct xb_arena *arena, const struct xb_apk_base *base, struct image_ground *ground)
{
	ground->layers = xb_arena_array(arena, base->n_layers, sizeof(*ground->layers));
	for (; ground->n_layers < base->n_layers; ground->n_layers++)
		ground->layers[ground->n_layers] = base->layers[ground->n_layers];
	ground->user = copy_text(arena, base->user);
	ground->n_apks = base->n_packages;
	ground->apks = copy_packages(arena, base);
}

int image_lay_apko(struct image_run *run, const struct xb_image *image, struct image_part *part, struct xb_rootfs *out,
		   struct xb_err *err)
{
	const struct xb_want want = {.kind = XB_WANT_BASE, .name = part->target->name, .image = image->name};
	struct base_apko apko XB_CLEANUP(base_apko_release) = {0};
	struct xb_apk_base base XB_CLEANUP(xb_apk_base_release) = {0};
	struct xb_digest key;

	if (xb_provision(run->app, &want, 1, err) < 0 ||
	    base_apko_open(run->app, image, part->target, &run->app->diags, &apko, err) < 0)
		return err->code;
	xb_apk_base_key(&apko.spec, &key);
	if (xb_apk_base_find(run->app->store, &key, &base) != 1)
		return xb_fail(err, XB_E_SYSTEM, "base '%s' went out of the store", image->apko);
	fill_run(&run->app->arena, apko.config, &part->ground);
	fill_layers(&run->app->arena, &base, &part->ground);
	for (size_t i = 0; i < base.n_entries; i++)
		xb_rootfs_add(out, &base.entries[i]);
	return 0;
}
