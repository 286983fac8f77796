/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/op_add.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lock_plan.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/model/names.h"
#include "xbuild/model/project_edit.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"

struct add {
	struct xb_app *app;
	const struct xb_add_opts *opts;
	struct xb_lock *before; /* NULL: none */
	struct xb_project *was; /* the project of the file as it is */
	struct xb_str text;	/* of the file as it will be */
	struct xb_str lock;	/* of xbuild.lock as it will be */
	struct xb_add_result result;
};

static void add_release(struct add *a)
{
	xb_lock_free(a->before);
	xb_project_free(a->was);
	xb_str_release(&a->text);
	xb_str_release(&a->lock);
	xb_str_release(&a->result.diff);
}

static bool has(const struct xb_words *words, const char *name)
{
	for (size_t i = 0; i < words->len; i++)
		if (strcmp(words->items[i], name) == 0)
			return true;
	return false;
}

/* The list that is changed. */
static int find_list(const struct add *a, const struct xb_project *project, const struct xb_words **out,
		     struct xb_err *err)
{
	struct xb_str all XB_CLEANUP(xb_str_release) = {0};
	const struct xb_image *image;

	*out = &project->packages;
	if (!a->opts->image)
		return 0;
	image = xb_project_image(project, xb_sv(a->opts->image));
	if (image) {
		*out = &image->packages;
		return 0;
	}
	for (size_t i = 0; i < project->n_images; i++)
		xb_str_printf(&all, "%s%s", i ? ", " : "", project->images[i].name);
	xb_fail(err, XB_E_USAGE, "no image '%s' in '%s'", a->opts->image, project->file);
	return all.len ? xb_hint(err, "it has: %s", xb_str_get(&all)) : err->code;
}

static void note(const struct add *a, const char *name, const char *what)
{
	char *text XB_CLEANUP(xb_free_ptr) = xb_printf("'%s' %s in %s", name, what, a->app->project->file);

	xb_observe(a->app->observer, &(struct xb_event){.kind = XB_EVENT_NOTE, .text = text});
}

static int not_there(const struct add *a, const char *name, const struct xb_words *list, struct xb_err *err)
{
	const char **names = xb_arena_array(&a->app->arena, list->len + 1, sizeof(*names));
	const char *like;

	for (size_t i = 0; i < list->len; i++)
		names[i] = list->items[i];
	like = xb_sv_suggest(xb_sv(name), names);
	xb_fail(err, XB_E_USAGE, "'%s' is not among the packages of %s in '%s'", name,
		a->opts->image ? "the image" : "the sysroot", a->app->project->file);
	return like ? xb_hint(err, "did you mean '%s'?", like) : err->code;
}

/* Which of the names change something. */
static int choose(struct add *a, struct xb_err *err)
{
	const struct xb_add_opts *opts = a->opts;
	struct xb_add_result *r = &a->result;
	const struct xb_words *list;

	if (find_list(a, a->app->project, &list, err) < 0)
		return err->code;
	r->changed = xb_arena_array(&a->app->arena, opts->n_names + 1, sizeof(*r->changed));
	for (size_t i = 0; i < opts->n_names; i++) {
		const char *name = opts->names[i];
		bool twice = false;

		for (size_t k = 0; k < r->n_changed; k++)
			twice |= strcmp(r->changed[k], name) == 0;
		if (!xb_name_is_debian_package(xb_sv(name)))
			return xb_fail(err, XB_E_USAGE, "'%s' is no name of a Debian package", name);
		if (opts->remove && !has(list, name))
			return not_there(a, name, list, err);
		if (!opts->remove && has(list, name))
			note(a, name, "is already");
		else if (!twice)
			r->changed[r->n_changed++] = name;
	}
	return 0;
}

/* The project as it will be takes the place of the one that is. */
static int edit(struct add *a, struct xb_err *err)
{
	const char *const sysroot[] = {"sysroot", "packages", NULL};
	const char *const image[] = {"image", a->opts->image, "packages", NULL};
	const struct xb_project_edit e = {.path = a->opts->image ? image : sysroot,
					  .words = a->result.changed,
					  .n_words = a->result.n_changed,
					  .remove = a->opts->remove};
	struct xb_project *project = NULL;
	struct xb_app *app = a->app;

	if (xb_project_edit(app->project->source, app->project->file, &e, &a->text, err) < 0 ||
	    xb_project_parse(app->project->dir, app->project->file, xb_str_sv(&a->text), &project, &app->diags, err) <
		    0)
		return err->code;
	a->was = app->project;
	app->project = project;
	/* an image may only now have a list of packages */
	for (size_t i = 0; i < app->n_images; i++)
		xb_image_desc_free(app->images[i]);
	app->images = NULL;
	app->n_images = 0;
	return xb_app_need_descs(app, err);
}

/* What the targets can have, or why not. */
static int resolve(struct add *a, struct xb_err *err)
{
	static const struct xb_lock nothing = {0};
	struct xb_app *app = a->app;
	const struct xb_lock_opts opts = {.allow_rollback = a->opts->allow_rollback};
	struct lock_plan plan XB_CLEANUP(lock_plan_release) = {.app = app, .opts = &opts, .before = a->before};
	struct xb_lock after = {0};
	int rc;

	if (app->options.offline) {
		xb_fail(err, XB_E_NETWORK, "%s packages: the package indexes cannot be read offline",
			a->opts->remove ? "remove" : "add");
		return xb_hint(err, "run it without --offline");
	}
	rc = lock_resolve(&plan, &after, err);
	/* a place in a text that is in no file helps nobody: the message has the name */
	if (rc < 0)
		xb_diags_release(&app->diags);
	if (rc == 0) {
		xb_lock_write(&after, &a->lock);
		xb_lock_diff(a->before ? a->before : &nothing, &after, &a->result.diff);
	}
	xb_arena_release(&after.arena);
	return rc;
}

/* Is the file still what was read? */
static int check_unchanged(const struct add *a, const char *path, struct xb_err *err)
{
	struct xb_str now XB_CLEANUP(xb_str_release) = {0};

	if (xb_fs_read(path, XB_MAX_YAML_BYTES, &now, err) < 0)
		return err->code;
	if (xb_sv_eq(xb_str_sv(&now), a->was->source))
		return 0;
	xb_fail(err, XB_E_INPUT, "'%s' was changed meanwhile", a->was->file);
	return xb_hint(err, "nothing was written; run it again");
}

static int write_lock(const struct add *a, struct xb_err *err)
{
	return xb_atomic_file_write(a->app->lock_path, xb_str_get(&a->lock), a->lock.len, 0644, XB_ATOMIC_SYNC, err);
}

/* First the file, then the lock; if that fails, the file as it was. */
static int write_both(struct add *a, struct xb_err *err)
{
	char *named XB_CLEANUP(xb_free_ptr) = xb_path_join(a->was->dir, a->was->file);
	char *path XB_CLEANUP(xb_free_ptr) = NULL; /* behind a link */
	struct xb_err late XB_CLEANUP(xb_err_release) = {0};
	struct stat st;

	if (xb_fs_realpath(named, &path, err) < 0 || check_unchanged(a, path, err) < 0)
		return err->code;
	if (stat(path, &st) < 0)
		return xb_fail_errno(err, "read '%s'", path);
	if (xb_atomic_file_write(path, xb_str_get(&a->text), a->text.len, st.st_mode & 0777, XB_ATOMIC_SYNC, err) < 0)
		return err->code;
	if (write_lock(a, err) == 0)
		return 0;
	if (xb_atomic_file_write(path, a->was->source.ptr, a->was->source.len, st.st_mode & 0777, XB_ATOMIC_SYNC,
				 &late) < 0)
		xb_hint(err, "'%s' was changed already, and could not be changed back", a->was->file);
	return err->code;
}

static int prepare(struct add *a, struct xb_err *err)
{
	struct xb_app *app = a->app;

	if (app->options.locked_asked)
		return xb_fail(err, XB_E_USAGE, "this writes %s, and --locked forbids it", XB_LOCK_NAME);
	if (lock_need_all(app, err) < 0 || lock_read_before(app, &a->before, err) < 0)
		return err->code;
	return choose(a, err);
}

int xb_op_add(struct xb_app *app, const struct xb_add_opts *opts, struct xb_add_result *out, struct xb_err *err)
{
	struct add a XB_CLEANUP(add_release) = {.app = app, .opts = opts};

	if (prepare(&a, err) < 0)
		return err->code;
	if (a.result.n_changed) {
		if (edit(&a, err) < 0 || resolve(&a, err) < 0 || (!app->options.dry_run && write_both(&a, err) < 0))
			return err->code;
	}
	*out = a.result;
	a.result = (struct xb_add_result){0};
	return 0;
}
