/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "image_plan.h"
#include "xbuild/base/alloc.h"
#include "xbuild/store/cas.h"

#define DEFAULT_PATH   "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define OCI_ANNOTATION "org.opencontainers.image."

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

int image_env(struct image_run *run, const struct xb_image *image, const struct xb_target *target, struct xb_pairs *out,
	      struct xb_err *err)
{
	pairs_init(run, image->env.len + 1, out);
	if (image->base == XB_BASE_AUTO)
		pairs_put(out, "PATH", DEFAULT_PATH);
	return pairs_put_all(run, &image->env, target, image, out, err);
}

int image_annotations(struct image_run *run, const struct xb_image *image, struct xb_pairs *out, struct xb_err *err)
{
	const struct xb_git *git = run->app->git;
	const bool has_commit = git->present && git->commit[0];
	const char *version;

	pairs_init(run, image->annotations.len + 6, out);
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
	return pairs_put_all(run, &image->annotations, NULL, image, out, err);
}

int image_config(struct image_run *run, const struct xb_image *image, const struct xb_target *target,
		 const struct xb_layer *layers, size_t n_layers, struct xb_descriptor *out, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_document_config config = {
		.target = target,
		.created = run->created,
		.ports = image->ports,
		.volumes = image->volumes,
		.entrypoint = image->entrypoint,
		.cmd = image->cmd,
		.workdir = image->workdir,
		.stop_signal = image->stop_signal,
		.layers = layers,
		.n_layers = n_layers,
	};
	struct image_user user;

	/* Numbers, because Kubernetes' runAsNonRoot cannot judge a name. */
	image_user_of(image, &user);
	if (user.given)
		config.user = xb_arena_printf(&run->app->arena, "%u:%u", user.uid, user.gid);
	pairs_init(run, image->labels.len, &config.labels);
	if (image_env(run, image, target, &config.env, err) < 0 ||
	    pairs_put_all(run, &image->labels, target, image, &config.labels, err) < 0 ||
	    xb_document_config(&config, &text, err) < 0)
		return err->code;
	out->size_bytes = text.len;
	return xb_cas_put_bytes(run->app->store, text.data, text.len, &out->digest, err);
}
