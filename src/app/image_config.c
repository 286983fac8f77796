/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "image_plan.h"
#include "xbuild/base/alloc.h"
#include "xbuild/store/cas.h"

#define DEFAULT_PATH   "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define OCI_ANNOTATION "org.opencontainers.image."
#define BASE_VALUE     "${base."

int image_subst(struct image_run *run, const char *text, const struct xb_target *target, const struct xb_image *image,
		const char **out, struct xb_err *err)
{
	struct xb_str expanded XB_CLEANUP(xb_str_release) = {0};

	if (xb_app_subst(run->app, text, target, image->name, run->profile, &expanded, err) < 0)
		return err->code;
	*out = xb_arena_strdup(&run->app->arena, xb_str_get(&expanded));
	return 0;
}

/* Room for n pairs; len counts what was put. */
static void pairs_init(struct image_run *run, size_t n, struct xb_pairs *out)
{
	out->names = xb_arena_array(&run->app->arena, n, sizeof(*out->names));
	out->values = xb_arena_array(&run->app->arena, n, sizeof(*out->values));
	out->at = NULL;
	out->len = 0;
}

/* Sets a name; one that is there keeps its place. */
static void pairs_put(struct xb_pairs *pairs, const char *name, const char *value)
{
	size_t i = 0;

	while (i < pairs->len && strcmp(pairs->names[i], name) != 0)
		i++;
	pairs->names[i] = name;
	pairs->values[i] = value;
	if (i == pairs->len)
		pairs->len++;
}

static int pairs_put_all(struct image_run *run, const struct xb_pairs *from, const struct xb_target *target,
			 const struct xb_image *image, struct xb_pairs *out, struct xb_err *err)
{
	for (size_t i = 0; i < from->len; i++) {
		const char *value;

		if (image_subst(run, from->values[i], target, image, &value, err) < 0)
			return xb_wrap(err, "'%s'", from->names[i]);
		pairs_put(out, from->names[i], value);
	}
	return 0;
}

/* "${base.PATH}" is what the base's environment says: replaced here, because only here it is known. */
static const char *put_base_values(struct image_run *run, const struct xb_pairs *base, const char *text)
{
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	struct xb_sv rest = xb_sv(text);

	while (rest.len) {
		const char *start = strstr(rest.ptr, BASE_VALUE), *end = start ? strchr(start, '}') : NULL;
		const struct xb_sv name =
			end ? xb_sv_n(start + strlen(BASE_VALUE), (size_t)(end - start) - strlen(BASE_VALUE))
			    : xb_sv("");

		if (!end)
			break;
		xb_str_append_n(&out, rest.ptr, (size_t)(start - rest.ptr));
		for (size_t i = 0; i < base->len; i++) {
			if (xb_sv_eq_str(name, base->names[i]))
				xb_str_append(&out, base->values[i]);
		}
		rest = xb_sv(end + 1);
	}
	xb_str_append_sv(&out, rest);
	return xb_arena_strdup(&run->app->arena, xb_str_get(&out));
}

static bool is_debian(enum xb_image_base base)
{
	return base == XB_BASE_AUTO || base == XB_BASE_DEBIAN;
}

static int settle_env(struct image_run *run, const struct xb_image *image, const struct image_part *part,
		      struct xb_pairs *out, struct xb_err *err)
{
	const struct xb_pairs *base = &part->ground.env;
	struct xb_pairs own = image->env;

	pairs_init(run, base->len + own.len + 2, out);
	if (is_debian(image->base))
		pairs_put(out, "PATH", DEFAULT_PATH);
	/* Debian's OpenSSL looks into a directory of links by hash, which a script would have made. */
	if (is_debian(image->base) && image_has_certificates(&part->rootfs))
		pairs_put(out, "SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt");
	for (size_t i = 0; i < base->len; i++)
		pairs_put(out, base->names[i], base->values[i]);
	own.values = xb_arena_array(&run->app->arena, own.len, sizeof(*own.values));
	for (size_t i = 0; i < own.len; i++)
		own.values[i] = put_base_values(run, out, image->env.values[i]);
	return pairs_put_all(run, &own, part->target, image, out, err);
}

/* The words of both, each once. */
static struct xb_words join_words(struct image_run *run, const struct xb_words *base, const struct xb_words *own)
{
	struct xb_words all = {.items = xb_arena_array(&run->app->arena, base->len + own->len, sizeof(*all.items))};

	for (size_t i = 0; i < base->len; i++)
		all.items[all.len++] = base->items[i];
	for (size_t i = 0; i < own->len; i++) {
		size_t k = 0;

		while (k < base->len && strcmp(base->items[k], own->items[i]) != 0)
			k++;
		if (k == base->len)
			all.items[all.len++] = own->items[i];
	}
	return all;
}

/* Numbers, because Kubernetes' runAsNonRoot cannot judge a name. */
static const char *user_text(struct image_run *run, const struct image_user *user)
{
	return user->given ? xb_arena_printf(&run->app->arena, "%u:%u", user->uid, user->gid) : NULL;
}

int image_settle(struct image_run *run, const struct xb_image *image, struct image_part *part, struct xb_err *err)
{
	const struct image_ground *ground = &part->ground;
	const bool own_entrypoint = image->entrypoint.len > 0;

	part->run = (struct xb_document_config){
		.target = part->target,
		.created = run->created,
		.base = ground->config,
		.user = user_text(run, &part->user),
		.ports = join_words(run, &ground->ports, &image->ports),
		.volumes = join_words(run, &ground->volumes, &image->volumes),
		.entrypoint = own_entrypoint ? image->entrypoint : ground->entrypoint,
		.cmd = own_entrypoint || image->cmd.len ? image->cmd : ground->cmd,
		.workdir = image->workdir ? image->workdir : ground->workdir,
		.stop_signal = image->stop_signal ? image->stop_signal : ground->stop_signal,
	};
	pairs_init(run, ground->labels.len + image->labels.len, &part->run.labels);
	for (size_t i = 0; i < ground->labels.len; i++)
		pairs_put(&part->run.labels, ground->labels.names[i], ground->labels.values[i]);
	if (settle_env(run, image, part, &part->run.env, err) < 0)
		return err->code;
	return pairs_put_all(run, &image->labels, part->target, image, &part->run.labels, err);
}

int image_annotations(struct image_run *run, const struct xb_image *image, const struct image_ground *ground,
		      struct xb_pairs *out, struct xb_err *err)
{
	const struct xb_git *git = run->app->git;
	const bool has_commit = git->present && git->commit[0];
	const char *version;

	pairs_init(run, image->annotations.len + 8, out);
	pairs_put(out, OCI_ANNOTATION "created", run->created);
	if (has_commit)
		pairs_put(out, OCI_ANNOTATION "revision",
			  xb_arena_printf(&run->app->arena, "%s%s", git->commit, git->dirty ? "-dirty" : ""));
	if (git->present && git->origin[0])
		pairs_put(out, OCI_ANNOTATION "source", xb_arena_strdup(&run->app->arena, git->origin));
	if (run->app->project->version_kind != XB_VERSION_GIT || has_commit) {
		if (image_subst(run, "${version}", NULL, image, &version, err) < 0)
			return err->code;
		pairs_put(out, OCI_ANNOTATION "version", version);
	}
	if (run->app->project->license)
		pairs_put(out, OCI_ANNOTATION "licenses", run->app->project->license);
	pairs_put(out, OCI_ANNOTATION "title", image->name);
	if (ground && ground->name)
		pairs_put(out, OCI_ANNOTATION "base.name", ground->name);
	if (ground && !xb_digest_is_zero(&ground->digest)) {
		char digest[XB_DIGEST_OCI];

		pairs_put(out, OCI_ANNOTATION "base.digest",
			  xb_arena_strdup(&run->app->arena, xb_digest_oci(&ground->digest, digest)));
	}
	return pairs_put_all(run, &image->annotations, NULL, image, out, err);
}

int image_put_config(struct image_run *run, struct image_part *part, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_document_config config = part->run;

	config.layers = part->layers;
	config.n_layers = part->n_layers;
	if (xb_document_config(&config, &text, err) < 0)
		return err->code;
	part->config.size_bytes = text.len;
	return xb_cas_put_bytes(run->app->store, text.data, text.len, &part->config.digest, err);
}
