/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/op_image.h"

#include <stdlib.h>
#include <string.h>

#include "image_plan.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/map.h"
#include "xbuild/base/num.h"
#include "xbuild/image/layer.h"
#include "xbuild/image/tag.h"
#include "xbuild/model/timestamp.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/zstd.h"

void xb_image_result_release(struct xb_image_result *result)
{
	if (!result)
		return;
	xb_arena_release(&result->arena);
	*result = (struct xb_image_result){0};
}

/* The images that are asked for, in the order of the file. */
static int select_images(struct xb_app *app, const struct xb_image_opts *opts, const struct xb_image ***out,
			 size_t *out_len, struct xb_err *err)
{
	const struct xb_project *project = app->project;
	size_t n = 0;

	*out = xb_arena_array(&app->arena, project->n_images, sizeof(**out));
	for (size_t i = 0; i < opts->n_images; i++) {
		if (!xb_project_image(project, xb_sv(opts->images[i])))
			return xb_app_refuse_image(app, opts->images[i], err);
	}
	for (size_t i = 0; i < project->n_images; i++) {
		bool wanted = opts->n_images == 0;

		for (size_t k = 0; k < opts->n_images; k++)
			wanted = wanted || strcmp(opts->images[k], project->images[i].name) == 0;
		if (wanted)
			(*out)[n++] = &project->images[i];
	}
	*out_len = n;
	if (n)
		return 0;
	xb_fail(err, XB_E_INPUT, "%s has no images", project->file);
	return xb_hint(err, "add 'image:' with a name below it");
}

/* A platform of an index says nothing of the C library: whoever pulls takes the first manifest that fits (image-index.md). */
static int check_platforms(const struct xb_image *image, const struct xb_target *const *targets, size_t n,
			   struct xb_err *err)
{
	for (size_t i = 1; i < n; i++) {
		for (size_t k = 0; k < i; k++) {
			if (strcmp(targets[i]->oci_arch, targets[k]->oci_arch) != 0)
				continue;
			xb_fail(err, XB_E_INPUT, "image '%s': targets '%s' and '%s' are both the platform linux/%s",
				image->name, targets[k]->name, targets[i]->name, targets[k]->oci_arch);
			return xb_hint(err,
				       "list one of them under the image's 'targets:', or ask for it with --target");
		}
	}
	return 0;
}

/* Targets of one image: those asked for that it is made for, in the order of the project. */
static int select_targets(struct image_run *run, const struct xb_image_opts *opts, const struct xb_image *image,
			  const struct xb_target ***out, size_t *out_len, struct xb_err *err)
{
	const struct xb_project_target **asked;
	size_t n_asked, n = 0;

	if (xb_app_targets(run->app, opts->targets, opts->n_targets, &asked, &n_asked, err) < 0)
		return err->code;
	*out = xb_arena_array(&run->app->arena, n_asked, sizeof(**out));
	for (size_t i = 0; i < n_asked; i++) {
		bool made = image->targets.len == 0;

		for (size_t k = 0; k < image->targets.len; k++)
			made = made || strcmp(image->targets.items[k], asked[i]->target->name) == 0;
		if (made)
			(*out)[n++] = asked[i]->target;
	}
	*out_len = n;
	if (n)
		return check_platforms(image, *out, n, err);
	return xb_fail(err, XB_E_USAGE, "the image is made for none of the targets asked for");
}

static int build_units(struct image_run *run, const struct xb_image_opts *opts, const struct xb_image *image,
		       const struct image_whole *whole, struct xb_err *err)
{
	struct xb_map units XB_CLEANUP(xb_map_release) = {0};
	struct xb_build_opts build = {.profile = opts->profile,
				      .keep_going = opts->keep_going,
				      .color = opts->color,
				      .evidence = !opts->no_evidence,
				      .verbose = opts->verbose};
	const char **names = xb_arena_array(&run->app->arena, whole->n_parts, sizeof(*names));
	const char **unit_names = xb_arena_array(&run->app->arena, image->n_files, sizeof(*unit_names));

	for (size_t i = 0; i < image->n_files; i++) {
		if (image->files[i].unit)
			xb_map_put_str(&units, image->files[i].unit->name, image->files[i].unit);
	}
	xb_build_result_release(&run->build);
	/* No names would mean all units. */
	if (!units.len)
		return 0;
	for (size_t i = 0; i < units.len; i++)
		unit_names[i] = units.entries[i].key;
	for (size_t i = 0; i < whole->n_parts; i++)
		names[i] = whole->parts[i].target->name;
	build.units = unit_names;
	build.n_units = units.len;
	build.targets = names;
	build.n_targets = whole->n_parts;
	return xb_op_build(run->app, &build, &run->build, err);
}

/*
 * The file system of one platform. The image's own files are put together first and alone: what they lack decides
 * about the packages.
 */
static int make_rootfs(struct image_run *run, const struct xb_image *image, struct xb_image_platform *platform,
		       struct xb_arena *arena, struct image_part *part, struct xb_err *err)
{
	struct xb_rootfs own XB_CLEANUP(xb_rootfs_release) = {0};
	struct xb_rootfs *out = &part->rootfs;
	const bool is_debian = image->base == XB_BASE_AUTO || image->base == XB_BASE_DEBIAN;

	if (image_lay_ground(run, image, part, out, err) < 0 ||
	    image_find_user(run, image, &part->ground, out, &part->user, err) < 0)
		return err->code;
	if (image->base == XB_BASE_AUTO) {
		if (image_lay_list(run, image, part->target, &own, err) < 0 ||
		    image_add_files(run, image, part, &own, err) < 0)
			return err->code;
		xb_rootfs_merge_usr(&own);
		if (xb_rootfs_finish(&own, err) < 0)
			return err->code;
	}
	if ((is_debian && image_add_packages(run, image, &own, out, platform, arena, err) < 0) ||
	    image_add_files(run, image, part, out, err) < 0 || (is_debian && image_add_certificates(run, out, err) < 0))
		return err->code;
	if (is_debian)
		xb_rootfs_merge_usr(out);
	if (xb_rootfs_finish(out, err) < 0 || image_settle(run, image, part, err) < 0)
		return err->code;
	return image_check(run, image, part, err);
}

/* The base's layers, then those of the image. */
static int make_layers(struct image_run *run, const struct xb_image *image, struct xb_arena *arena,
		       struct image_part *part, struct xb_err *err)
{
	const struct xb_layer_options options = {xb_app_jobs(run->app), run->app->interrupted,
						 image_compression(run, image)};
	const struct image_ground *ground = &part->ground;

	part->layers = xb_arena_array(arena, ground->n_layers + XB_LAYER_KINDS, sizeof(*part->layers));
	for (part->n_layers = 0; part->n_layers < ground->n_layers; part->n_layers++)
		part->layers[part->n_layers] = ground->layers[part->n_layers];
	return xb_layer_make_all(run->app->store, &part->rootfs, &options, part->layers, &part->n_layers, err);
}

static int put_document(struct image_run *run, const struct xb_str *text, struct xb_descriptor *out, struct xb_err *err)
{
	out->size_bytes = text->len;
	return xb_cas_put_bytes(run->app->store, text->data, text->len, &out->digest, err);
}

/*
 * A file that is not there, or not what it was, may be one of an unpacked tree: then that is the error. Which file made
 * the trouble is known, but not whose it is.
 */
static int blame_trees(const struct image_run *run, struct xb_err *err)
{
	const enum xb_tree_look look = err->code == XB_E_DIGEST ? XB_TREE_LOOK_WHOLE : XB_TREE_LOOK_QUICK;
	struct xb_err damage XB_CLEANUP(xb_err_release) = {0};

	if (err->code != XB_E_NOT_FOUND && err->code != XB_E_DIGEST)
		return err->code;
	for (size_t i = 0; i < run->trees.len; i++) {
		if (xb_tree_blame(run->trees.items[i].dir, &run->trees.items[i].digest, look, &damage) == 0)
			continue;
		xb_err_clear(err);
		xb_err_move(err, &damage);
		break;
	}
	return err->code;
}

static int make_platform(struct image_run *run, const struct xb_image *image, struct xb_arena *arena,
			 struct image_part *part, struct xb_image_platform *platform, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_pairs annotations = {0};

	if (make_rootfs(run, image, platform, arena, part, err) < 0 || make_layers(run, image, arena, part, err) < 0 ||
	    image_put_config(run, part, err) < 0 ||
	    image_annotations(run, image, &part->ground, &annotations, err) < 0 ||
	    xb_document_manifest(&part->config, part->layers, part->n_layers, &annotations, &text, err) < 0 ||
	    put_document(run, &text, &part->manifest, err) < 0) {
		blame_trees(run, err);
		return image_wrap(err, "target", part->target->name);
	}
	for (size_t i = 0; i < part->n_layers; i++)
		platform->layer_bytes += part->layers[i].size_bytes;
	platform->manifest = part->manifest.digest;
	return 0;
}

/* Once per image: the only digest that is not the same everywhere says what it depends on. */
static void note_zstd(const struct image_run *run, const struct xb_image *image)
{
	char *text XB_CLEANUP(xb_free_ptr) = NULL;

	if (image_compression(run, image) != XB_COMPRESSION_ZSTD)
		return;
	text = xb_printf("image '%s': layers of zstd %s; another release may give another digest", image->name,
			 xb_zstd_version());
	xb_observe(run->app->observer, &(struct xb_event){.kind = XB_EVENT_NOTE, .text = text});
}

static void tell(const struct image_run *run, enum xb_event_kind kind, const struct xb_image *image, const char *what)
{
	char *text XB_CLEANUP(xb_free_ptr) = xb_printf("image '%s': %s", image->name, what);

	xb_observe(run->app->observer, &(struct xb_event){.kind = kind, .text = text});
}

/* What is the same on every platform, once per image. */
static void tell_habits(const struct image_run *run, const struct xb_image *image, const struct image_part *part)
{
	const char *program = "/usr/bin/hello";
	char *text XB_CLEANUP(xb_free_ptr) = NULL;

	if (part->user.note)
		tell(run, XB_EVENT_NOTE, image, part->user.note);
	if (part->run.entrypoint.len || part->run.cmd.len)
		return;
	for (size_t i = image->n_files; i-- > 0;)
		program = image->files[i].unit && image->files[i].unit->kind == XB_UNIT_EXECUTABLE
				  ? image->files[i].dest
				  : program;
	text = xb_printf("neither entrypoint nor cmd: a container has to be told what to run; as in 'entrypoint: [%s]'",
			 program);
	tell(run, XB_EVENT_WARNING, image, text);
}

static int make_index(struct image_run *run, const struct xb_pairs *annotations, struct image_whole *whole,
		      struct xb_err *err)
{
	struct xb_document_platform *platforms = xb_arena_array(&run->app->arena, whole->n_parts, sizeof(*platforms));
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	for (size_t i = 0; i < whole->n_parts; i++)
		platforms[i] = (struct xb_document_platform){whole->parts[i].target, whole->parts[i].manifest};
	if (xb_document_index(platforms, whole->n_parts, annotations, &text, err) < 0)
		return err->code;
	return put_document(run, &text, &whole->index, err);
}

/* The default tag where it may stand there; without a commit, or with a tag that may not, "latest". */
static const char *ref_name(const struct image_run *run)
{
	struct xb_str slug XB_CLEANUP(xb_str_release) = {0}, tag XB_CLEANUP(xb_str_release) = {0},
			   legal XB_CLEANUP(xb_str_release) = {0};
	const struct xb_git *git = run->app->git;
	char time[XB_TIMESTAMP_SIZE];

	if (!git->present || !git->commit[0])
		return "latest";
	xb_tag_slug(git->branch, XB_TAG_MAX_BYTES - 32, &slug);
	xb_str_printf(&tag, "%s-%s-%.7s", slug.data, xb_timestamp_compact(git->commit_time, true, time), git->commit);
	xb_tag_legal(tag.data, git->dirty, &legal);
	return xb_tag_is_ref(legal.data) ? xb_arena_strdup(&run->app->arena, legal.data) : "latest";
}

static void release_whole(struct image_whole *whole)
{
	for (size_t i = 0; whole->parts && i < whole->n_parts; i++) {
		xb_rootfs_release(&whole->parts[i].rootfs);
		image_ground_release(&whole->parts[i].ground);
	}
}

/* Targets, and where everything goes: all that can be refused before the build. */
static int start_image(struct image_run *run, const struct xb_image_opts *opts, size_t n_images, struct xb_arena *arena,
		       struct image_whole *whole, struct xb_image_built *built, struct xb_err *err)
{
	const struct xb_target **targets = NULL;

	if (select_targets(run, opts, whole->image, &targets, &whole->n_parts, err) < 0)
		return err->code;
	whole->parts = xb_arena_array(arena, whole->n_parts, sizeof(*whole->parts));
	built->n_platforms = whole->n_parts;
	built->platforms = xb_arena_array(arena, whole->n_parts, sizeof(*built->platforms));
	for (size_t i = 0; i < whole->n_parts; i++)
		built->platforms[i].target = whole->parts[i].target = targets[i];
	return image_place_outputs(run, opts, n_images, whole, arena, built, err);
}

static int make_image(struct image_run *run, const struct xb_image_opts *opts, size_t n_images,
		      struct xb_image_built *built, struct xb_arena *arena, struct xb_err *err)
{
	struct image_whole whole XB_CLEANUP(release_whole) = {.image = built->image, .ref = ref_name(run)};
	struct xb_pairs annotations = {0};

	if (start_image(run, opts, n_images, arena, &whole, built, err) < 0 ||
	    build_units(run, opts, built->image, &whole, err) < 0 ||
	    image_annotations(run, built->image, NULL, &annotations, err) < 0)
		return err->code;
	for (size_t i = 0; i < whole.n_parts; i++) {
		struct image_part *part = &whole.parts[i];
		const struct xb_event event = {.kind = XB_EVENT_JOB,
					       .verb = "IMAGE",
					       .label = built->image->name,
					       .target = part->target->name};

		xb_observe(run->app->observer, &event);
		if (make_platform(run, built->image, arena, part, &built->platforms[i], err) < 0)
			return err->code;
	}
	if (make_index(run, &annotations, &whole, err) < 0)
		return err->code;
	note_zstd(run, built->image);
	if (whole.n_parts)
		tell_habits(run, built->image, &whole.parts[0]);
	built->index = whole.index.digest;
	/* the files of a layer that was made before are first read here, for a rootfs */
	if (image_write_outputs(run, &whole, built, err) < 0)
		return blame_trees(run, err);
	return opts->no_evidence ? 0 : image_write_evidence(run, &whole, built, err);
}

/* SOURCE_DATE_EPOCH (reproducible-builds.org), else the commit's time, else the epoch: never the clock. */
static int find_created(struct image_run *run, struct xb_err *err)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	uint64_t sec =
		run->app->git->present && run->app->git->commit_time > 0 ? (uint64_t)run->app->git->commit_time : 0;
	char text[XB_TIMESTAMP_SIZE];

	if (epoch && epoch[0] && !xb_num_u64(xb_sv(epoch), 253402300799ULL, &sec)) {
		xb_fail(err, XB_E_USAGE, "read SOURCE_DATE_EPOCH: expected seconds since 1970, found '%s'", epoch);
		return xb_hint(err, "unset it, or set it to a number");
	}
	run->created = xb_arena_strdup(&run->app->arena, xb_timestamp_format((int64_t)sec, text));
	return 0;
}

static int open_run(struct image_run *run, struct xb_err *err)
{
	const char *dir = run->app->project->dir;
	char *own XB_CLEANUP(xb_free_ptr) = xb_printf("%s/.xbuild", dir);
	char *files XB_CLEANUP(xb_free_ptr) = xb_printf("%s/image-files", own);
	char *out XB_CLEANUP(xb_free_ptr) = xb_printf("%s/out", dir);

	if (xb_fs_mkdirs(own, 0755, err) < 0 || xb_fs_mkdirs(out, 0755, err) < 0 ||
	    xb_app_need_git(run->app, err) < 0 || find_created(run, err) < 0)
		return err->code;
	run->files = xb_statcache_open(files, dir);
	return 0;
}

static void close_run(struct image_run *run)
{
	xb_statcache_free(run->files);
	XB_VEC_RELEASE(&run->trees);
	xb_build_result_release(&run->build);
}

static bool needs_lock(const struct xb_image *const *images, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (images[i]->base != XB_BASE_SCRATCH)
			return true;
	}
	return false;
}

int xb_op_image(struct xb_app *app, const struct xb_image_opts *opts, struct xb_image_result *out, struct xb_err *err)
{
	struct image_run run XB_CLEANUP(close_run) = {
		.app = app, .profile = opts->profile, .compression = opts->compression};
	struct xb_image_result result XB_CLEANUP(xb_image_result_release) = {0};
	const struct xb_image **images;

	if (xb_app_need_descs(app, err) < 0 || select_images(app, opts, &images, &result.n_items, err) < 0 ||
	    (needs_lock(images, result.n_items) && xb_app_need_lock(app, err) < 0) || xb_app_need_store(app, err) < 0 ||
	    open_run(&run, err) < 0)
		return err->code;
	result.items = xb_arena_array(&result.arena, result.n_items, sizeof(*result.items));
	for (size_t i = 0; i < result.n_items; i++) {
		result.items[i].image = images[i];
		if (make_image(&run, opts, result.n_items, &result.items[i], &result.arena, err) < 0)
			return image_wrap(err, "image", images[i]->name);
	}
	if (xb_statcache_save(run.files, err) < 0)
		return err->code;
	*out = result;
	result = (struct xb_image_result){0};
	return 0;
}
