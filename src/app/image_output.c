/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "image_plan.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/image/layout.h"
#include "xbuild/image/seen.h"
#include "xbuild/image/tarball.h"
#include "xbuild/model/names.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"

#define OUT_DIR "out/images"

/* Part of the key of every remembered archive: change it whenever the bytes made of the same image change. */
#define ARCHIVE_VERSION "xbuild archive 1"
#define ROOTFS_VERSION	"xbuild rootfs 1: ustar+pax, mtime 1"

static const char *const form_names[] = {[XB_IMAGE_OCI] = "oci",
					 [XB_IMAGE_OCI_ARCHIVE] = "oci-archive",
					 [XB_IMAGE_DOCKER_ARCHIVE] = "docker-archive",
					 [XB_IMAGE_ROOTFS] = "rootfs",
					 NULL};

const char *xb_image_form_name(enum xb_image_form form)
{
	return form_names[form];
}

int xb_image_output_parse(const char *text, struct xb_image_output *out, struct xb_err *err)
{
	struct xb_sv path = xb_sv(text);
	const struct xb_sv name = xb_sv_cut(&path, '=');
	int form = 0;

	while (form_names[form] && !xb_sv_eq_str(name, form_names[form]))
		form++;
	if (!form_names[form]) {
		const char *near = xb_sv_suggest(name, form_names);

		xb_fail(err, XB_E_USAGE, "--output '%s': expected oci, oci-archive, docker-archive or rootfs", text);
		return near ? xb_hint(err, "did you mean '%s'?", near) : err->code;
	}
	if (path.ptr && !path.len)
		return xb_fail(err, XB_E_USAGE, "--output '%s': expected a path after '='", text);
	*out = (struct xb_image_output){(enum xb_image_form)form, path.ptr};
	return 0;
}

/* ---- where ---- */

static const char *default_path(const struct image_whole *whole, enum xb_image_form form,
				const struct xb_target *target, struct xb_arena *arena)
{
	const char *name = whole->image->name;

	switch (form) {
	case XB_IMAGE_OCI_ARCHIVE:
		return xb_arena_printf(arena, OUT_DIR "/%s.oci.tar", name);
	case XB_IMAGE_DOCKER_ARCHIVE:
		return xb_arena_printf(arena, OUT_DIR "/%s.docker.tar", name);
	case XB_IMAGE_ROOTFS:
		return xb_arena_printf(arena, OUT_DIR "/%s-%s.tar", name, target->name);
	case XB_IMAGE_OCI:
		break;
	}
	return xb_arena_printf(arena, OUT_DIR "/%s", name);
}

enum xb_compression image_compression(const struct image_run *run, const struct xb_image *image)
{
	return run->compression ? *run->compression : image->compression;
}

/* Docker 20.10 says "invalid tar header" of them; skopeo does not write such an archive either. */
static int refuse_zstd(bool own, struct xb_err *err)
{
	xb_fail(err, XB_E_USAGE,
		"--output docker-archive: 'docker load' cannot read layers that are compressed by zstd");
	return xb_hint(err, own ? "take '--compression gzip', or 'none'; or the form oci-archive"
				: "they are the base's, and stay as they are: take the form oci-archive");
}

static int check_output(const struct xb_image_output *o, size_t n_images, const struct image_whole *whole,
			struct xb_err *err)
{
	const char *form = form_names[o->form];

	if (o->path && n_images > 1) {
		xb_fail(err, XB_E_USAGE, "--output %s=%s: a path is for one image, found %zu", form, o->path, n_images);
		return xb_hint(err, "name the image: 'xbuild image %s --output ...'", whole->image->name);
	}
	if (o->form == XB_IMAGE_ROOTFS && o->path && whole->n_parts > 1) {
		xb_fail(err, XB_E_USAGE, "--output %s=%s: a path is for one platform, found %zu", form, o->path,
			whole->n_parts);
		return xb_hint(err, "name one with --target, or leave the path out");
	}
	if (o->form == XB_IMAGE_DOCKER_ARCHIVE && !xb_name_is_repository(xb_sv(whole->image->name)))
		return xb_fail(err, XB_E_INPUT, "--output %s: no repository can be called '%s'", form,
			       whole->image->name);
	return 0;
}

static int place(struct image_run *run, struct xb_arena *arena, struct xb_image_built *built,
		 struct xb_image_written written, bool given, struct xb_err *err)
{
	char *start XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_str clean XB_CLEANUP(xb_str_release) = {0};
	char *joined XB_CLEANUP(xb_free_ptr) = NULL;

	if (given && xb_app_start_dir(run->app, &start, err) < 0)
		return err->code;
	joined = xb_path_join(given ? start : run->app->project->dir, written.path);
	xb_path_clean(xb_sv(joined), &clean);
	written.full_path = xb_arena_strdup(arena, clean.data);
	for (size_t i = 0; i < built->n_outputs; i++) {
		if (strcmp(built->outputs[i].full_path, written.full_path) == 0)
			return xb_fail(err, XB_E_USAGE, "--output: %s and %s would both be written to '%s'",
				       form_names[built->outputs[i].form], form_names[written.form], written.path);
	}
	built->outputs[built->n_outputs++] = written;
	return 0;
}

int image_place_outputs(struct image_run *run, const struct xb_image_opts *opts, size_t n_images,
			const struct image_whole *whole, struct xb_arena *arena, struct xb_image_built *built,
			struct xb_err *err)
{
	static const struct xb_image_output layout = {XB_IMAGE_OCI, NULL};
	const struct xb_image_output *outputs = opts->n_outputs ? opts->outputs : &layout;
	const size_t n = opts->n_outputs ? opts->n_outputs : 1;

	built->outputs = xb_arena_array(arena, n * whole->n_parts, sizeof(*built->outputs));
	for (size_t i = 0; i < n; i++) {
		const bool per_platform = outputs[i].form == XB_IMAGE_ROOTFS;

		if (check_output(&outputs[i], n_images, whole, err) < 0)
			return err->code;
		if (outputs[i].form == XB_IMAGE_DOCKER_ARCHIVE &&
		    image_compression(run, whole->image) == XB_COMPRESSION_ZSTD)
			return refuse_zstd(true, err);
		for (size_t k = 0; k < (per_platform ? whole->n_parts : 1); k++) {
			struct xb_image_written written = {.form = outputs[i].form,
							   .target = per_platform ? whole->parts[k].target : NULL};

			written.path = outputs[i].path ? outputs[i].path
						       : default_path(whole, written.form, written.target, arena);
			if (place(run, arena, built, written, outputs[i].path != NULL, err) < 0)
				return err->code;
		}
	}
	return 0;
}

/* ---- what ---- */

/* The blobs of an image, each digest once, in the order in which a reader needs them. */
struct blobs {
	struct xb_descriptor *items; /* owned */
	size_t len, cap;
};

static void release_blobs(struct blobs *b)
{
	XB_VEC_RELEASE(b);
}

static void add_blob(struct blobs *b, const struct xb_digest *digest, uint64_t size_bytes)
{
	for (size_t i = 0; i < b->len; i++) {
		if (xb_digest_eq(&b->items[i].digest, digest))
			return;
	}
	XB_VEC_PUSH(b, ((struct xb_descriptor){*digest, size_bytes}));
}

static void collect_blobs(const struct image_whole *whole, struct blobs *out)
{
	add_blob(out, &whole->index.digest, whole->index.size_bytes);
	for (size_t i = 0; i < whole->n_parts; i++) {
		const struct image_part *p = &whole->parts[i];

		add_blob(out, &p->manifest.digest, p->manifest.size_bytes);
		add_blob(out, &p->config.digest, p->config.size_bytes);
		for (size_t k = 0; k < p->n_layers; k++)
			add_blob(out, &p->layers[k].blob, p->layers[k].size_bytes);
	}
}

static int ask_interrupted(void *ctx, struct xb_err *err)
{
	const struct xb_app *app = ctx;

	if (app->interrupted && *app->interrupted)
		return xb_fail(err, XB_E_INTERRUPTED, "interrupted");
	return 0;
}

/* What is remembered about one output: the default layout by the image's name, all others by their path too. */
static char *state_path(const struct image_run *run, const struct image_whole *whole, const struct xb_image_written *w)
{
	char *standard XB_CLEANUP(xb_free_ptr) =
		xb_printf("%s/" OUT_DIR "/%s", run->app->project->dir, whole->image->name);
	struct xb_digest digest;
	char hex[XB_DIGEST_HEX];

	if (strcmp(standard, w->full_path) == 0)
		return xb_printf("%s/.xbuild/image-%s", run->app->project->dir, whole->image->name);
	xb_digest_bytes(w->full_path, strlen(w->full_path), &digest);
	return xb_printf("%s/.xbuild/image-%s-%.16s", run->app->project->dir, whole->image->name,
			 xb_digest_hex(&digest, hex));
}

/*
 * A layout is swept of what does not belong to it, so a directory of the user's choice must be one that xbuild wrote, or
 * hold nothing.
 */
static int check_own(const struct image_run *run, const struct xb_image_written *w, const char *state,
		     struct xb_err *err)
{
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};
	const char *own = run->app->project->dir;

	if (xb_path_is_below(xb_sv(w->full_path), xb_sv(own)) &&
	    xb_sv_starts(xb_sv(w->full_path + strlen(own)), "/" OUT_DIR "/"))
		return 0;
	if (xb_fs_exists(state))
		return 0;
	if (xb_fs_exists(w->full_path) && xb_fs_list(w->full_path, &list, err) < 0)
		return err->code;
	/* before the first blob, so that a run that was killed can be repeated */
	if (!list.len)
		return xb_atomic_file_write(state, "", 0, 0644, 0, err);
	xb_fail(err, XB_E_VERIFY, "write the layout: '%s' holds other things", w->path);
	return xb_hint(err, "name a directory that is empty or not there yet");
}

static int write_layout(struct image_run *run, const struct image_whole *whole, struct xb_image_written *w,
			const char *state, struct xb_err *err)
{
	struct blobs blobs XB_CLEANUP(release_blobs) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	collect_blobs(whole, &blobs);
	if (check_own(run, w, state, err) < 0 || xb_document_layout(&whole->index, whole->ref, &text, err) < 0)
		return err->code;
	return xb_layout_write(run->app->store,
			       &(struct xb_layout){.dir = w->full_path,
						   .state_file = state,
						   .blobs = blobs.items,
						   .n_blobs = blobs.len,
						   .index_json = xb_str_sv(&text),
						   .before_change = ask_interrupted,
						   .ctx = run->app},
			       &w->changed, err);
}

/* manifest.json: one platform has the image's tag, several have each its own. */
static int docker_manifest(const struct image_whole *whole, struct xb_str *out, struct xb_err *err)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_document_docker *images = xb_arena_array(&arena, whole->n_parts, sizeof(*images));

	for (size_t i = 0; i < whole->n_parts; i++) {
		const struct image_part *p = &whole->parts[i];
		struct xb_str ref XB_CLEANUP(xb_str_release) = {0};

		if (whole->n_parts > 1)
			xb_document_platform_ref(whole->ref, p->target, &ref);
		else
			xb_str_append(&ref, whole->ref);
		images[i] = (struct xb_document_docker){
			.repo_tag = xb_arena_printf(&arena, "%s:%s", whole->image->name, ref.data),
			.config = p->config,
			.layers = p->layers,
			.n_layers = p->n_layers};
	}
	return xb_document_docker(images, whole->n_parts, out, err);
}

static int load_index(const struct image_whole *whole, struct xb_str *out, struct xb_err *err)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_document_platform *platforms = xb_arena_array(&arena, whole->n_parts, sizeof(*platforms));

	for (size_t i = 0; i < whole->n_parts; i++)
		platforms[i] = (struct xb_document_platform){whole->parts[i].target, whole->parts[i].manifest};
	return xb_document_load(&whole->index, platforms, whole->n_parts, whole->image->name, whole->ref, out, err);
}

static int fill_archive(struct image_run *run, const struct blobs *blobs, const struct xb_str *index_json,
			const struct xb_str *manifest_json, struct xb_tarball *t, struct xb_err *err)
{
	/* what a reader looks for first comes first */
	if (xb_tarball_add_text(t, "oci-layout", xb_sv(XB_LAYOUT_VERSION_JSON), err) < 0 ||
	    xb_tarball_add_text(t, "index.json", xb_str_sv(index_json), err) < 0 ||
	    (manifest_json->len && xb_tarball_add_text(t, "manifest.json", xb_str_sv(manifest_json), err) < 0) ||
	    xb_tarball_add_dir(t, "blobs", err) < 0 || xb_tarball_add_dir(t, "blobs/sha256", err) < 0)
		return err->code;
	for (size_t i = 0; i < blobs->len; i++) {
		if (xb_tarball_add_blob(t, run->app->store, &blobs->items[i], err) < 0)
			return err->code;
	}
	return 0;
}

static int write_archive(struct image_run *run, const struct image_whole *whole, struct xb_image_written *w,
			 const char *state, struct xb_err *err)
{
	struct xb_tarball t XB_CLEANUP(xb_tarball_release) = {.file = {.fd = -1}};
	struct blobs blobs XB_CLEANUP(release_blobs) = {0};
	struct xb_str index_json XB_CLEANUP(xb_str_release) = {0}, manifest_json XB_CLEANUP(xb_str_release) = {0},
				 key_text XB_CLEANUP(xb_str_release) = {0};
	struct xb_digest key;
	int r = w->form == XB_IMAGE_DOCKER_ARCHIVE ? load_index(whole, &index_json, err)
						   : xb_document_layout(&whole->index, whole->ref, &index_json, err);

	if (r < 0 || (w->form == XB_IMAGE_DOCKER_ARCHIVE && docker_manifest(whole, &manifest_json, err) < 0))
		return err->code;
	xb_str_printf(&key_text, ARCHIVE_VERSION "\n%s\n%s\n", index_json.data, xb_str_get(&manifest_json));
	xb_digest_bytes(key_text.data, key_text.len, &key);
	if (xb_seen_is_current(state, w->full_path, &key))
		return 0;
	collect_blobs(whole, &blobs);
	if (xb_tarball_open(&t, w->full_path, run->app->interrupted, err) < 0 ||
	    fill_archive(run, &blobs, &index_json, &manifest_json, &t, err) < 0 || xb_tarball_finish(&t, err) < 0)
		return err->code;
	w->changed = true;
	return xb_seen_remember(state, w->full_path, &key, err);
}

/* A list of names and contents, which is all that is known of the layers of others, has no place for these. */
static void tell_left_out(struct image_run *run, const struct xb_image *image, const struct xb_image_written *w)
{
	char *text XB_CLEANUP(xb_free_ptr) =
		xb_printf("'%s' is without device nodes, named pipes and extended attributes, which layers of the base "
			  "may have",
			  w->path);

	if (image->base == XB_BASE_APKO || image->base == XB_BASE_IMAGE)
		xb_observe(run->app->observer, &(struct xb_event){.kind = XB_EVENT_NOTE, .text = text});
}

/* The list is what all layers together give, each path once: nothing has to be unpacked for it. */
static int write_rootfs(struct image_run *run, const struct image_whole *whole, struct xb_image_written *w,
			const char *state, struct xb_err *err)
{
	struct xb_tarball t XB_CLEANUP(xb_tarball_release) = {.file = {.fd = -1}};
	struct image_part *part = &whole->parts[0];
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	const struct xb_rootfs_entry **entries;
	struct xb_digest key;

	for (size_t i = 0; i < whole->n_parts; i++) {
		if (whole->parts[i].target == w->target)
			part = &whole->parts[i];
	}
	const struct xb_rootfs *rootfs = &part->rootfs;

	entries = xb_arena_array(&arena, rootfs->len, sizeof(*entries));
	for (size_t i = 0; i < rootfs->len; i++)
		entries[i] = &rootfs->items[i];
	xb_rootfs_digest(ROOTFS_VERSION, entries, rootfs->len, &key);
	if (xb_seen_is_current(state, w->full_path, &key))
		return 0;
	if (image_need_files(run, whole->image, part, err) < 0)
		return err->code;
	if (xb_tarball_open(&t, w->full_path, run->app->interrupted, err) < 0)
		return err->code;
	for (size_t i = 0; i < rootfs->len; i++) {
		if (xb_tarball_add_entry(&t, entries[i], err) < 0)
			return err->code;
	}
	if (xb_tarball_finish(&t, err) < 0)
		return err->code;
	w->changed = true;
	tell_left_out(run, whole->image, w);
	return xb_seen_remember(state, w->full_path, &key, err);
}

static int write_output(struct image_run *run, const struct image_whole *whole, struct xb_image_written *w,
			struct xb_err *err)
{
	char *state XB_CLEANUP(xb_free_ptr) = state_path(run, whole, w);
	struct xb_filelock lock XB_CLEANUP(xb_filelock_release) = {.fd = -1};
	struct xb_digest digest;
	char hex[XB_DIGEST_HEX];

	xb_digest_bytes(w->full_path, strlen(w->full_path), &digest);
	char *key XB_CLEANUP(xb_free_ptr) = xb_printf("image-%s", xb_digest_hex(&digest, hex));

	if (xb_store_lock(run->app->store, key, &lock, err) < 0)
		return err->code;
	switch (w->form) {
	case XB_IMAGE_OCI:
		return write_layout(run, whole, w, state, err);
	case XB_IMAGE_OCI_ARCHIVE:
	case XB_IMAGE_DOCKER_ARCHIVE:
		return write_archive(run, whole, w, state, err);
	case XB_IMAGE_ROOTFS:
		return write_rootfs(run, whole, w, state, err);
	}
	return 0;
}

/* A base may have such layers whatever the image's own are. */
static bool has_zstd(const struct image_whole *whole)
{
	for (size_t i = 0; i < whole->n_parts; i++) {
		for (size_t k = 0; k < whole->parts[i].n_layers; k++) {
			const char *type = whole->parts[i].layers[k].media_type;

			if (type && strcmp(type, XB_MEDIA_LAYER_ZSTD) == 0)
				return true;
		}
	}
	return false;
}

int image_write_outputs(struct image_run *run, const struct image_whole *whole, struct xb_image_built *built,
			struct xb_err *err)
{
	char *dir XB_CLEANUP(xb_free_ptr) = xb_printf("%s/" OUT_DIR, run->app->project->dir);

	if (xb_fs_mkdirs(dir, 0755, err) < 0)
		return err->code;
	for (size_t i = 0; i < built->n_outputs; i++) {
		struct xb_image_written *w = &built->outputs[i];

		if (w->form == XB_IMAGE_DOCKER_ARCHIVE && has_zstd(whole))
			return refuse_zstd(false, err);
		if (write_output(run, whole, w, err) < 0)
			return w->form == XB_IMAGE_OCI ? err->code : xb_wrap(err, "write '%s'", w->path);
	}
	return 0;
}
