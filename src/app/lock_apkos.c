/* SPDX-License-Identifier: Apache-2.0 */
/* What the apko.yaml files of images are resolved to, into the lock; and apko.lock.json from it. */
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "base_apko.h"
#include "lock_plan.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/model/apko_lock.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"

static void free_config(struct xb_apko **config)
{
	xb_apko_free(*config);
}

/* An update of everything, or of a package that it has. */
static bool is_freed(const struct xb_lock_opts *opts, const struct xb_lock_apko *old)
{
	if (!opts->update || !opts->n_names)
		return opts->update;
	for (size_t i = 0; i < opts->n_names; i++) {
		for (size_t k = 0; k < old->n_packages; k++) {
			if (strcmp(opts->names[i], old->packages[k].name) == 0)
				return true;
		}
	}
	return false;
}

/* The lock has one set of packages for an apko.yaml. */
static int check_same(struct xb_app *app, const struct xb_image *image, struct xb_err *err)
{
	const struct xb_project *p = app->project;

	for (size_t i = 0; i < p->n_images; i++) {
		const struct xb_image *other = &p->images[i];
		const char *a = image->apko_lock ? image->apko_lock : "", *b = other->apko_lock ? other->apko_lock : "";

		if (!other->apko || strcmp(other->apko, image->apko) != 0 || strcmp(a, b) == 0)
			continue;
		xb_diags_add(&app->diags, image->at_base, p->source, "'%s' has another 'lock' in image '%s'",
			     image->apko, other->name);
		return xb_fail(err, XB_E_INPUT, "'%s' is used with two locks", image->apko);
	}
	return 0;
}

static int add_apko(struct lock_plan *plan, const struct xb_image *image, struct xb_lock *lock, struct xb_err *err)
{
	struct xb_app *app = plan->app;
	const struct xb_lock_apko *old = plan->before ? xb_lock_apko(plan->before, image->apko) : NULL;
	struct xb_apko *config XB_CLEANUP(free_config) = NULL;
	struct xb_lock_apko *apko = &lock->apkos[lock->n_apkos];

	if (xb_lock_apko(lock, image->apko))
		return check_same(app, image, err);
	if (old && !is_freed(plan->opts, old) && !base_apko_stale(app, plan->before, image)) {
		*apko = *old;
		lock->n_apkos++;
		return 0;
	}
	if (xb_apko_load(app->project->dir, image->apko, &config, &app->diags, err) < 0 ||
	    apko_resolve(app, config, image->apko_lock, &plan->arena, apko, err) < 0)
		return err->code;
	lock->n_apkos++;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct xb_lock_apko *)a)->path, ((const struct xb_lock_apko *)b)->path);
}

int lock_apkos(struct lock_plan *plan, struct xb_lock *lock, struct xb_err *err)
{
	const struct xb_project *p = plan->app->project;

	lock->apkos = xb_arena_array(&lock->arena, p->n_images, sizeof(*lock->apkos));
	for (size_t i = 0; i < p->n_images; i++) {
		if (p->images[i].base == XB_BASE_APKO && add_apko(plan, &p->images[i], lock, err) < 0)
			return xb_wrap(err, "image '%s'", p->images[i].name);
	}
	if (lock->n_apkos)
		qsort(lock->apkos, lock->n_apkos, sizeof(*lock->apkos), compare);
	return 0;
}

/* The path below the project directory of a file named on the command line. */
static int find_below(struct xb_app *app, const char *file, char **out, struct xb_err *err)
{
	char *start XB_CLEANUP(xb_free_ptr) = NULL, *joined XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_str clean XB_CLEANUP(xb_str_release) = {0};

	if (xb_app_start_dir(app, &start, err) < 0)
		return err->code;
	joined = xb_path_join(start, file);
	xb_path_clean(xb_sv(joined), &clean);
	if (!xb_path_is_below(xb_str_sv(&clean), xb_sv(app->project->dir)) || clean.len == strlen(app->project->dir))
		return xb_fail(err, XB_E_USAGE, "'%s' is not below the project directory '%s'", file,
			       app->project->dir);
	*out = xb_strdup(xb_str_get(&clean) + strlen(app->project->dir) + 1);
	return 0;
}

static int write_lock(struct xb_app *app, const struct xb_apko *config, const struct xb_lock_apko *locked,
		      struct xb_arena *arena, char **out_path, struct xb_err *err)
{
	const struct xb_words archs = apko_archs(app, config, arena);
	const struct xb_sv ext = xb_path_ext(xb_sv(config->path));
	char *name XB_CLEANUP(xb_free_ptr) =
		xb_printf("%.*s.lock.json", (int)(strlen(config->path) - ext.len), config->path);
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(app->project->dir, name);
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_apko_lock *lock;

	xb_apko_lock_from(config, locked, &archs, &lock);
	xb_apko_lock_write(lock, &text);
	xb_apko_lock_free(lock);
	if (xb_atomic_file_write(path, xb_str_get(&text), text.len, 0644, XB_ATOMIC_SYNC, err) < 0)
		return err->code;
	*out_path = path;
	path = NULL;
	return 0;
}

/* Of a project only its directory is needed; without one it is where the command runs. *out is owned. */
static int find_directory(struct xb_app *app, char **out, struct xb_err *err)
{
	char *start XB_CLEANUP(xb_free_ptr) = NULL;

	if (app->options.file && xb_app_need_project(app, err) < 0)
		return err->code;
	if (app->project) {
		*out = xb_strdup(app->project->dir);
		return 0;
	}
	if (xb_app_start_dir(app, &start, err) < 0)
		return err->code;
	if (xb_project_find(start, out, err) == 0 || err->code != XB_E_NOT_FOUND)
		return err->code;
	xb_err_clear(err);
	*out = start;
	start = NULL;
	return 0;
}

/* The architectures are those of the file, else those of the project's targets. */
static int need_archs(struct xb_app *app, const struct xb_apko *config, struct xb_err *err)
{
	if (config->archs.len || app->project->n_targets)
		return 0;
	app->project = NULL; /* the bare one of xb_op_lock_apko: every project that was read has targets */
	if (xb_app_need_project(app, err) == 0)
		return 0;
	if (err->code != XB_E_NOT_FOUND)
		return err->code;
	return xb_hint_instead(err, "name the architectures in %s: 'archs: [x86_64, aarch64]'", config->path);
}

static int resolve_alone(struct xb_app *app, const char *file, char **out_path, struct xb_err *err)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_apko *config XB_CLEANUP(free_config) = NULL;
	char *below XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_lock_apko locked = {0};

	if (xb_app_need_store(app, err) < 0 || find_below(app, file, &below, err) < 0 ||
	    xb_apko_load(app->project->dir, below, &config, &app->diags, err) < 0 || need_archs(app, config, err) < 0)
		return err->code;
	if (app->options.offline) {
		xb_fail(err, XB_E_NETWORK, "lock '%s': the package indexes cannot be read offline", below);
		return xb_hint(err, "run it once without --offline");
	}
	if (apko_resolve(app, config, NULL, &arena, &locked, err) < 0)
		return err->code;
	return write_lock(app, config, &locked, &arena, out_path, err);
}

int xb_op_lock_apko(struct xb_app *app, const char *file, char **out_path, struct xb_err *err)
{
	char *dir XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_project bare = {.file = "xbuild.yaml"};
	int rc;

	if (find_directory(app, &dir, err) < 0)
		return err->code;
	bare.dir = dir;
	if (!app->project)
		app->project = &bare;
	rc = resolve_alone(app, file, out_path, err);
	if (app->project == &bare)
		app->project = NULL;
	return rc;
}
