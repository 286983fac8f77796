/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/op_pull.h"

#include "registry_how.h"

#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/num.h"
#include "xbuild/base/path.h"
#include "xbuild/image/layout.h"
#include "xbuild/image/tarball.h"
#include "xbuild/model/target.h"
#include "xbuild/registry/pull.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/json.h"

/* One run of the command. */
struct pull_run {
	struct xb_app *app;
	const struct xb_op_pull_opts *opts;
	struct xb_registry_opts how;
	struct xb_reference ref;
	const struct xb_target **targets;
	struct xb_content graph;
	struct xb_descriptor root; /* of what is written */
	const char *root_type;
	XB_VEC(struct xb_descriptor) blobs; /* all that is below it, and itself */
};

static void release_run(struct pull_run *run)
{
	xb_reference_release(&run->ref);
	xb_content_release(&run->graph);
	XB_VEC_RELEASE(&run->blobs);
}

/* ---- platforms ---- */

static int find_targets(struct pull_run *run, struct xb_err *err)
{
	run->targets = xb_arena_array(&run->app->arena, run->opts->n_targets, sizeof(*run->targets));
	for (size_t i = 0; i < run->opts->n_targets; i++) {
		const char *near;

		run->targets[i] = xb_target_find(xb_sv(run->opts->targets[i]));
		if (run->targets[i])
			continue;
		xb_fail(err, XB_E_USAGE, "there is no target '%s'", run->opts->targets[i]);
		near = xb_target_suggest(xb_sv(run->opts->targets[i]));
		return near ? xb_hint(err, "did you mean '%s'?", near)
			    : xb_hint(err, "'xbuild targets' lists those that exist");
	}
	return 0;
}

/* Indexes below indexes may say no platform: what is in them is looked at then. A variant that is not said fits. */
static bool wants_platform(void *ctx, const char *platform)
{
	const struct pull_run *run = ctx;
	struct xb_sv rest = xb_sv(platform);
	const struct xb_sv os = xb_sv_cut(&rest, '/'), arch = xb_sv_cut(&rest, '/');

	if (!run->opts->n_targets || !*platform)
		return true;
	for (size_t i = 0; i < run->opts->n_targets; i++) {
		const struct xb_target *t = run->targets[i];

		if (xb_sv_eq_str(os, "linux") && xb_sv_eq_str(arch, t->oci_arch) &&
		    (!rest.ptr || !t->oci_variant || xb_sv_eq_str(rest, t->oci_variant)))
			return true;
	}
	return false;
}

/* ---- what is written ---- */

static bool is_in_graph(const struct xb_content *graph, const json_t *descriptor)
{
	const char *text = json_string_value(json_object_get(descriptor, "digest"));
	struct xb_digest digest;

	if (!text || !xb_digest_parse(xb_sv(text), &digest))
		return false;
	for (size_t i = 0; i < graph->documents.len; i++)
		if (xb_digest_eq(&graph->documents.items[i].digest, &digest))
			return true;
	return false;
}

/* The root as it is, but with those of its entries alone that were chosen. */
static int make_smaller_index(struct pull_run *run, const struct xb_content_document *root, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	json_t *index XB_CLEANUP(xb_json_release) = NULL;
	json_t *list;

	if (xb_json_parse(root->bytes, "index", &index, err) < 0)
		return err->code;
	list = json_object_get(index, "manifests");
	const size_t n_all = json_array_size(list);

	for (size_t i = n_all; i > 0; i--)
		if (!is_in_graph(&run->graph, json_array_get(list, i - 1)))
			json_array_remove(list, i - 1);
	/* all were asked for: it stays what it is, with its digest and what is signed under it */
	if (json_array_size(list) == n_all)
		return 0;
	if (xb_json_has_real(index)) {
		xb_fail(err, XB_E_VERIFY,
			"the image's index has a number that is not whole, and cannot be made smaller");
		return xb_hint(err, "pull all platforms, or one");
	}
	xb_json_write(index, 0, false, &text);
	run->root.size_bytes = text.len;
	return xb_cas_put_bytes(run->app->store, text.data, text.len, &run->root.digest, err);
}

static void take_root(struct pull_run *run, const struct xb_content_document *d)
{
	run->root = (struct xb_descriptor){d->digest, d->bytes.len};
	run->root_type = d->media_type;
}

static int choose_root(struct pull_run *run, struct xb_err *err)
{
	const struct xb_content *g = &run->graph;
	const struct xb_content_document *root = &g->documents.items[g->documents.len - 1];

	take_root(run, root);
	if (!run->opts->n_targets || !root->is_index)
		return 0;
	if (g->documents.len == 2) {
		take_root(run, &g->documents.items[0]);
		return 0;
	}
	return make_smaller_index(run, root, err);
}

static void collect_blobs(struct pull_run *run)
{
	const struct xb_content *g = &run->graph;
	const size_t n = g->documents.len;

	XB_VEC_PUSH(&run->blobs, run->root);
	for (size_t i = 0; i < n; i++) {
		const struct xb_content_document *d = &g->documents.items[i];

		/* the last one is the root, whole or not */
		if (i + 1 < n && !xb_digest_eq(&d->digest, &run->root.digest))
			XB_VEC_PUSH(&run->blobs, ((struct xb_descriptor){d->digest, d->bytes.len}));
	}
	for (size_t i = 0; i < g->blobs.len; i++)
		if (!g->blobs.items[i].is_foreign)
			XB_VEC_PUSH(&run->blobs, ((struct xb_descriptor){g->blobs.items[i].digest,
									 (uint64_t)g->blobs.items[i].size_bytes}));
}

/* index.json: image-spec image-layout.md. containerd takes the full name. */
static void make_index_json(const struct pull_run *run, struct xb_str *out)
{
	char digest[XB_DIGEST_OCI];
	struct xb_str name XB_CLEANUP(xb_str_release) = {0};
	json_t *index XB_CLEANUP(xb_json_release) = json_object();
	json_t *list = json_array(), *entry = json_object(), *annotations = json_object();

	xb_reference_name(&run->ref, &name);
	if (run->ref.tag || !run->ref.has_digest) {
		const char *tag = run->ref.tag ? run->ref.tag : "latest";

		xb_str_printf(&name, ":%s", tag);
		json_object_set_new(annotations, "io.containerd.image.name", json_string(name.data));
		json_object_set_new(annotations, "org.opencontainers.image.ref.name", json_string(tag));
	}
	json_object_set_new(entry, "mediaType", json_string(run->root_type));
	json_object_set_new(entry, "digest", json_string(xb_digest_oci(&run->root.digest, digest)));
	json_object_set_new(entry, "size", json_integer((json_int_t)run->root.size_bytes));
	if (json_object_size(annotations))
		json_object_set(entry, "annotations", annotations);
	json_decref(annotations);
	json_array_append_new(list, entry);
	json_object_set_new(index, "schemaVersion", json_integer(2));
	json_object_set_new(index, "mediaType", json_string(XB_MEDIA_INDEX));
	json_object_set_new(index, "manifests", list);
	xb_json_write(index, 0, false, out);
}

static json_t *blob_name(const struct xb_digest *digest)
{
	char hex[XB_DIGEST_HEX], name[80];

	snprintf(name, sizeof(name), "blobs/sha256/%s", xb_digest_hex(digest, hex));
	return json_string(name);
}

/* manifest.json of `docker save`: several platforms have each a tag of their own. */
static void make_docker_json(const struct pull_run *run, struct xb_str *out)
{
	const struct xb_content *g = &run->graph;
	json_t *images XB_CLEANUP(xb_json_release) = json_array();
	size_t n_manifests = 0;

	for (size_t i = 0; i < g->documents.len; i++)
		n_manifests += !g->documents.items[i].is_index;
	for (size_t i = 0; i < g->documents.len; i++) {
		const struct xb_content_document *d = &g->documents.items[i];
		struct xb_str tag XB_CLEANUP(xb_str_release) = {0};
		json_t *image, *layers, *tags;
		struct xb_sv platform = xb_sv(d->platform), arch;

		if (d->is_index)
			continue;
		xb_reference_name(&run->ref, &tag);
		xb_str_printf(&tag, ":%s", run->ref.tag ? run->ref.tag : "latest");
		(void)xb_sv_cut(&platform, '/');
		arch = xb_sv_cut(&platform, '/');
		if (n_manifests > 1)
			xb_str_printf(&tag, "-%.*s", XB_SV_ARG(arch));
		image = json_object();
		layers = json_array();
		tags = json_array();
		for (size_t k = 0; k < d->n_layers; k++)
			json_array_append_new(layers, blob_name(&g->blobs.items[d->layers[k]].digest));
		json_array_append_new(tags, json_string(tag.data));
		json_object_set_new(image, "Config", blob_name(&g->blobs.items[d->config].digest));
		json_object_set_new(image, "RepoTags", tags);
		json_object_set_new(image, "Layers", layers);
		json_array_append_new(images, image);
	}
	xb_json_write(images, 0, false, out);
}

/* ---- writing ---- */

/* The directory is swept of what does not belong to it, so it has to be a layout or empty. */
static int check_directory(const char *path, const char *shown, struct xb_err *err)
{
	static const char *const own[] = {"blobs", "index.json", "oci-layout", NULL};
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};

	if (!xb_fs_exists(path))
		return 0;
	if (xb_fs_list(path, &list, err) < 0)
		return err->code;
	for (size_t i = 0; i < list.len; i++) {
		size_t k = 0;

		while (own[k] && strcmp(own[k], list.items[i].name) != 0)
			k++;
		if (own[k])
			continue;
		xb_fail(err, XB_E_VERIFY, "write the layout: '%s' holds other things", shown);
		return xb_hint(err, "name a directory that is empty or not there yet");
	}
	return 0;
}

static int ask_interrupted(void *ctx, struct xb_err *err)
{
	const struct xb_app *app = ctx;

	if (app->interrupted && *app->interrupted)
		return xb_fail(err, XB_E_INTERRUPTED, "interrupted");
	return 0;
}

static int write_layout(struct pull_run *run, const char *path, const char *shown, struct xb_sv index_json,
			struct xb_err *err)
{
	bool changed;

	if (check_directory(path, shown, err) < 0)
		return err->code;
	return xb_layout_write(run->app->store,
			       &(struct xb_layout){.dir = path,
						   .blobs = run->blobs.items,
						   .n_blobs = run->blobs.len,
						   .index_json = index_json,
						   .before_change = ask_interrupted,
						   .ctx = run->app},
			       &changed, err);
}

static int write_archive(struct pull_run *run, const char *path, bool docker, struct xb_sv index_json,
			 struct xb_err *err)
{
	struct xb_tarball t XB_CLEANUP(xb_tarball_release) = {.file = {.fd = -1}};
	struct xb_str docker_json XB_CLEANUP(xb_str_release) = {0};

	if (docker)
		make_docker_json(run, &docker_json);
	if (xb_tarball_open(&t, path, run->app->interrupted, err) < 0 ||
	    xb_tarball_add_text(&t, "oci-layout", xb_sv(XB_LAYOUT_VERSION_JSON), err) < 0 ||
	    xb_tarball_add_text(&t, "index.json", index_json, err) < 0 ||
	    (docker && xb_tarball_add_text(&t, "manifest.json", xb_str_sv(&docker_json), err) < 0) ||
	    xb_tarball_add_dir(&t, "blobs", err) < 0 || xb_tarball_add_dir(&t, "blobs/sha256", err) < 0)
		return err->code;
	for (size_t i = 0; i < run->blobs.len; i++)
		if (xb_tarball_add_blob(&t, run->app->store, &run->blobs.items[i], err) < 0)
			return err->code;
	return xb_tarball_finish(&t, err);
}

static int write_outputs(struct pull_run *run, struct xb_err *err)
{
	struct xb_str index_json XB_CLEANUP(xb_str_release) = {0};
	char *start XB_CLEANUP(xb_free_ptr) = NULL;

	if (xb_app_start_dir(run->app, &start, err) < 0)
		return err->code;
	make_index_json(run, &index_json);
	for (size_t i = 0; i < run->opts->n_outputs; i++) {
		const struct xb_image_output *o = &run->opts->outputs[i];
		char *joined XB_CLEANUP(xb_free_ptr) = xb_path_join(start, o->path);
		struct xb_str path XB_CLEANUP(xb_str_release) = {0};
		int rc;

		xb_path_clean(xb_sv(joined), &path);
		rc = o->form == XB_IMAGE_OCI ? write_layout(run, path.data, o->path, xb_str_sv(&index_json), err)
					     : write_archive(run, path.data, o->form == XB_IMAGE_DOCKER_ARCHIVE,
							     xb_str_sv(&index_json), err);
		if (rc < 0)
			return xb_wrap(err, "write '%s'", o->path);
	}
	return 0;
}

/* ---- the command ---- */

static int check_options(const struct xb_app *app, const struct xb_op_pull_opts *opts, struct xb_err *err)
{
	if (app->options.offline)
		return xb_fail(err, XB_E_USAGE, "pull needs the network, and --offline was given");
	for (size_t i = 0; i < opts->n_outputs; i++) {
		const char *form = xb_image_form_name(opts->outputs[i].form);

		if (opts->outputs[i].form == XB_IMAGE_ROOTFS)
			return xb_fail(err, XB_E_USAGE,
				       "--output rootfs: pull writes oci, oci-archive or docker-archive");
		if (!opts->outputs[i].path)
			return xb_fail(err, XB_E_USAGE, "--output %s: pull needs a path, as in --output %s=PATH", form,
				       form);
	}
	return 0;
}

static int pull(struct pull_run *run, struct xb_err *err)
{
	const struct xb_pull_opts opts = {.ref = &run->ref,
					  .store = run->app->store,
					  .parallel = run->opts->parallel,
					  .wants = wants_platform,
					  .ctx = run};
	struct xb_registry *registry = xb_registry_open(&run->how);
	int rc = xb_pull(registry, &opts, &run->graph, err);

	xb_registry_close(registry);
	return rc;
}

int xb_op_pull(struct xb_app *app, const struct xb_op_pull_opts *opts, struct xb_digest *out_digest,
	       const char **out_name, struct xb_err *err)
{
	struct pull_run run XB_CLEANUP(release_run) = {.app = app, .opts = opts};
	struct xb_str name XB_CLEANUP(xb_str_release) = {0};
	const int64_t start_ms = xb_host_monotonic_ms();

	if (check_options(app, opts, err) < 0 || registry_how(app, &opts->how, &run.how, err) < 0 ||
	    xb_reference_parse(opts->ref, &run.ref, err) < 0 || find_targets(&run, err) < 0 ||
	    xb_app_need_store(app, err) < 0 || pull(&run, err) < 0 || choose_root(&run, err) < 0)
		return err->code;
	collect_blobs(&run);
	if (write_outputs(&run, err) < 0)
		return err->code;
	xb_reference_name(&run.ref, &name);
	*out_name = xb_arena_strdup(&app->arena, name.data);
	*out_digest = run.root.digest;
	xb_observe(app->observer, &(struct xb_event){.kind = XB_EVENT_DONE,
						     .verb = "Pulled",
						     .label = opts->label ? opts->label : *out_name,
						     .elapsed_ms = xb_host_monotonic_ms() - start_ms});
	return 0;
}
