/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/app.h"

#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "base_apko.h"
#include "image_lists.h"
#include "lock_wishes.h"
#include "rust.h"
#include "sources.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/git.h"

#define FILE_NAME "xbuild.yaml"

void xb_app_init(struct xb_app *app, const struct xb_app_options *options, const struct xb_observer *observer,
		 const volatile int *interrupted)
{
	*app = (struct xb_app){.options = *options, .observer = observer, .interrupted = interrupted};
	xb_host_detect(&app->host);
}

void xb_app_release(struct xb_app *app)
{
	xb_store_close(app->store);
	xb_toolchain_desc_free(app->toolchain);
	xb_sysroot_desc_free(app->sysroot);
	xb_rust_desc_free(app->rust);
	for (size_t i = 0; i < app->n_images; i++)
		xb_image_desc_free(app->images[i]);
	xb_lock_free(app->lock);
	xb_project_free(app->project);
	if (app->git)
		xb_git_release(app->git);
	free(app->git);
	free(app->lock_path);
	free(app->data_dir);
	xb_diags_release(&app->diags);
	xb_arena_release(&app->arena);
	*app = (struct xb_app){0};
}

int xb_app_need_data(struct xb_app *app, struct xb_err *err)
{
	char *self XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_err unknown XB_CLEANUP(xb_err_release) = {0};

	if (app->data_dir)
		return 0;
	(void)!xb_host_self(&self, &unknown); /* then only what XBUILD_DATA_DIR names is found */
	return xb_data_dir(self, &app->data_dir, err);
}

int xb_app_start_dir(const struct xb_app *app, char **out, struct xb_err *err)
{
	if (!app->options.dir)
		return xb_fs_cwd(out, err);
	if (xb_fs_realpath(app->options.dir, out, err) < 0)
		return xb_wrap(err, "-C %s", app->options.dir);
	return 0;
}

/* -f FILE: below the start directory, whatever its name is. */
static int load_named(struct xb_app *app, const char *start, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(start, app->options.file);
	char *real XB_CLEANUP(xb_free_ptr) = NULL, *dir XB_CLEANUP(xb_free_ptr) = NULL;

	if (xb_fs_realpath(path, &real, err) < 0)
		return xb_wrap(err, "-f %s", app->options.file);
	dir = xb_sv_dup(xb_path_dir(xb_sv(real)));
	return xb_project_load(dir, xb_path_base(xb_sv(real)).ptr, &app->project, &app->diags, err);
}

int xb_app_need_project(struct xb_app *app, struct xb_err *err)
{
	char *start XB_CLEANUP(xb_free_ptr) = NULL, *dir XB_CLEANUP(xb_free_ptr) = NULL;

	if (app->project)
		return 0;
	if (xb_app_start_dir(app, &start, err) < 0)
		return err->code;
	if (app->options.file)
		return load_named(app, start, err);
	if (xb_project_find(start, &dir, err) < 0)
		return err->code;
	return xb_project_load(dir, FILE_NAME, &app->project, &app->diags, err);
}

/* What a value of the project file chooses: a data file called <prefix><value>. */
struct choice {
	const char *kind;   /* directory of the data files */
	const char *prefix; /* "debian-" */
	const char *name;   /* of the data file */
	struct xb_place at;
	const char *problem; /* message before the value */
	bool is_whole;	     /* the value is the whole name, the prefix included */
	bool is_own;	     /* the project describes it itself */
};

/* Part of a name that a value of the project file does not have. */
static size_t hidden(const struct choice *choice)
{
	return choice->is_whole ? 0 : strlen(choice->prefix);
}

static void suggest_choice(struct xb_app *app, const struct choice *choice, struct xb_diag *diag,
			   const char *const *names)
{
	const size_t skip = hidden(choice);
	struct xb_str all XB_CLEANUP(xb_str_release) = {0};
	XB_VEC(const char *) values = {0};
	const char *meant;

	for (; *names; names++)
		if (xb_sv_starts(xb_sv(*names), choice->prefix)) {
			xb_str_printf(&all, "%s%s", values.len ? ", " : "", *names + skip);
			XB_VEC_PUSH(&values, *names + skip);
		}
	XB_VEC_PUSH(&values, NULL);
	meant = xb_sv_suggest(xb_sv(choice->name + skip), values.items);
	if (meant)
		xb_diags_help(&app->diags, diag, "did you mean '%s'?", meant);
	else
		xb_diags_help(&app->diags, diag, "known here: %s", xb_str_get(&all));
	XB_VEC_RELEASE(&values);
}

/* A name that no data file has is a problem of the project file, at its place; the defaults have none. */
static int check_choice(struct xb_app *app, const struct choice *choice, struct xb_err *err)
{
	const char **names;
	struct xb_diag *diag;

	if (!choice->at.line || choice->is_own)
		return 0;
	if (xb_data_names(app->data_dir, choice->kind, &app->arena, &names, err) < 0)
		return err->code;
	for (size_t i = 0; names[i]; i++)
		if (strcmp(names[i], choice->name) == 0)
			return 0;
	diag = xb_diags_add(&app->diags, choice->at, app->project->source, "%s '%s'", choice->problem,
			    choice->name + hidden(choice));
	suggest_choice(app, choice, diag, names);
	return 0;
}

static int check_images(struct xb_app *app, struct xb_err *err)
{
	const struct xb_project *p = app->project;

	for (size_t i = 0; i < p->n_images; i++) {
		const struct xb_image *image = &p->images[i];
		const struct choice base = {
			"images", "debian-", image->base_name, image->at_base, "base: there is no base", true, false};

		if (image->base_name && check_choice(app, &base, err) < 0)
			return err->code;
	}
	return 0;
}

static int check_choices(struct xb_app *app, struct xb_err *err)
{
	const struct xb_project *p = app->project;
	const bool is_chromium = xb_sv_starts(xb_sv(p->sysroot), "chromium-");
	const struct choice toolchain = {"toolchains",
					 "llvm-",
					 p->toolchain,
					 p->at_toolchain,
					 "llvm: there is no toolchain",
					 false,
					 p->toolchain_source == XB_TOOLCHAIN_OWN};
	const struct choice sysroot = {"sysroots",
				       is_chromium ? "chromium-" : "debian-",
				       p->sysroot,
				       p->at_sysroot,
				       is_chromium ? "chromium: there is no sysroot of release"
						   : "debian: there is no sysroot of release",
				       false,
				       p->sysroot_source != XB_SYSROOT_DATA};
	const struct choice rust = {"toolchains", "rust-", p->rust, p->at_rust, "rust: there is no version",
				    false,	  false};
	const size_t before = app->diags.list.len;

	if (check_choice(app, p->at_toolchain.line < p->at_sysroot.line ? &toolchain : &sysroot, err) < 0 ||
	    check_choice(app, p->at_toolchain.line < p->at_sysroot.line ? &sysroot : &toolchain, err) < 0 ||
	    (rust_is_locked(app) && check_choice(app, &rust, err) < 0) || check_images(app, err) < 0)
		return err->code;
	if (app->diags.list.len > before)
		return xb_fail(err, XB_E_INPUT, "%s is not valid", p->file);
	return 0;
}

int xb_app_need_descs(struct xb_app *app, struct xb_err *err)
{
	if (xb_app_need_project(app, err) < 0 || xb_app_need_data(app, err) < 0)
		return err->code;
	if ((!app->toolchain || !app->sysroot) && check_choices(app, err) < 0)
		return err->code;
	if (sources_load(app, err) < 0)
		return err->code;
	if (!app->rust && rust_is_locked(app) &&
	    xb_rust_desc_load(app->data_dir, app->project->rust, &app->rust, &app->diags, err) < 0)
		return err->code;
	return image_lists_load(app, err);
}

int xb_app_need_store(struct xb_app *app, struct xb_err *err)
{
	char *dir XB_CLEANUP(xb_free_ptr) = NULL;

	if (app->store)
		return 0;
	if (xb_host_cache_dir(&dir, err) < 0)
		return err->code;
	if (xb_store_open(dir, app->observer, &app->store, err) < 0) {
		/* A place where no directory can be made is trouble with the disk, not with what the user has written. */
		if (err->code == XB_E_NOT_FOUND)
			err->code = XB_E_SYSTEM;
		return err->code;
	}
	xb_store_set_interrupted(app->store, app->interrupted);
	return 0;
}

int xb_app_need_git(struct xb_app *app, struct xb_err *err)
{
	struct xb_git *git;

	if (app->git)
		return 0;
	if (xb_app_need_project(app, err) < 0)
		return err->code;
	git = xb_alloc(sizeof(*git));
	if (xb_git_read(app->project->dir, app->interrupted, git, err) < 0) {
		free(git);
		return err->code;
	}
	app->git = git;
	return 0;
}

static const char *stale_host(struct xb_app *app, const struct xb_lock *lock, const char *host)
{
	const struct xb_lock_toolchain *t = xb_lock_toolchain(lock, host);

	if (!t)
		return xb_arena_printf(&app->arena, "it has no toolchain for host '%s'", host);
	if (strcmp(t->name, app->toolchain->name) != 0)
		return xb_arena_printf(&app->arena, "it has toolchain '%s' where the project wants '%s'", t->name,
				       app->toolchain->name);
	return NULL;
}

static const char *stale_target(struct xb_app *app, const struct xb_lock *lock, const struct xb_target *row)
{
	const char *target = row->name;
	const struct xb_lock_sysroot *s = xb_lock_sysroot(lock, target);
	const struct xb_words *packages = &app->project->packages;

	if (!s)
		return xb_arena_printf(&app->arena, "it has no sysroot for target '%s'", target);
	if (app->sysroot->archives.len && !s->archive.url)
		return xb_arena_printf(&app->arena,
				       "it has packages for target '%s' where the project wants an archive", target);
	if (strcmp(s->name, app->sysroot->name) != 0)
		return xb_arena_printf(&app->arena, "it has sysroot '%s' where the project wants '%s'", s->name,
				       app->sysroot->name);
	for (size_t i = 0; i < packages->len && row->libc == XB_LIBC_GLIBC; i++)
		if (!xb_lock_package(&s->packages, packages->items[i]))
			return xb_arena_printf(&app->arena, "it has no package '%s' for target '%s'",
					       packages->items[i], target);
	return NULL;
}

static const char *stale_base(struct xb_app *app, const struct xb_lock *lock, const struct xb_image *image)
{
	const struct xb_lock_base *base = image->base_ref ? xb_lock_base(lock, image->base_ref) : NULL;

	if (image->base == XB_BASE_APKO)
		return base_apko_stale(app, lock, image);
	if (image->base_ref && !base)
		return xb_arena_printf(&app->arena, "it has no base '%s'", image->base_ref);
	for (size_t i = 0; base && i < app->project->n_targets; i++) {
		const char *target = app->project->targets[i].target->name;
		size_t k = 0;

		while (k < base->n_platforms && strcmp(base->platforms[k].target, target) != 0)
			k++;
		if (k == base->n_platforms && base_covers(image, app->project->targets[i].target))
			return xb_arena_printf(&app->arena, "it has no base '%s' for target '%s'", image->base_ref,
					       target);
	}
	return NULL;
}

const char *xb_app_lock_stale(struct xb_app *app, const struct xb_lock *lock)
{
	const struct xb_project *p = app->project;
	const char *reason = lock_wishes_changed(app, lock);
	struct xb_digest inputs;

	/*
	 * A lock that tells no wishes is looked through for what is missing; and also with equal inputs: a lock that was
	 * merged by hand may lack a host or target.
	 */
	for (size_t i = 0; i < p->hosts.len && !reason; i++)
		reason = stale_host(app, lock, p->hosts.items[i]);
	for (size_t i = 0; i < p->n_targets && !reason; i++)
		reason = stale_target(app, lock, p->targets[i].target);
	if (!reason)
		reason = rust_stale(app, lock);
	if (!reason)
		reason = image_lists_stale(app, lock);
	for (size_t i = 0; i < p->n_images && !reason; i++)
		reason = stale_base(app, lock, &p->images[i]);
	xb_project_lock_inputs(p, &inputs);
	if (!reason && !xb_digest_eq(&inputs, &lock->inputs))
		reason = "toolchain, sysroot, snapshot, packages, hosts, targets or bases of images of the project "
			 "file changed";
	return reason;
}

static int lock_missing(struct xb_app *app, struct xb_err *err)
{
	if (app->options.dry_run) {
		xb_fail(err, XB_E_LOCK, "there is no %s, and a dry run makes none", XB_LOCK_NAME);
		return xb_hint(err, "run 'xbuild lock', which says what to build with");
	}
	if (app->options.locked || !app->make_lock) {
		xb_fail(err, XB_E_LOCK, "there is no %s, and none may be made here (--locked, or CI is set)",
			XB_LOCK_NAME);
		return xb_hint(err, "run 'xbuild lock' and commit the file");
	}
	return app->make_lock(app, err);
}

int xb_app_need_lock(struct xb_app *app, struct xb_err *err)
{
	struct xb_lock *lock = NULL;
	const char *reason;
	int rc;

	if (app->lock)
		return 0;
	if (xb_app_need_descs(app, err) < 0)
		return err->code;
	if (!app->lock_path)
		app->lock_path = xb_path_join(app->project->dir, XB_LOCK_NAME);
	rc = xb_lock_read(app->lock_path, &lock, err);
	if (rc == XB_E_NOT_FOUND) {
		xb_err_clear(err);
		if (lock_missing(app, err) < 0)
			return err->code;
		rc = xb_lock_read(app->lock_path, &lock, err);
	}
	if (rc < 0)
		return xb_hint(err, "mend it, or remove it and run 'xbuild lock'");
	reason = xb_app_lock_stale(app, lock);
	if (reason) {
		xb_fail(err, XB_E_LOCK, "%s does not fit the project: %s", XB_LOCK_NAME, reason);
		xb_lock_free(lock);
		return xb_hint(err, "run 'xbuild lock'");
	}
	app->lock = lock;
	return 0;
}

int xb_app_jobs(const struct xb_app *app)
{
	return app->options.jobs > 0 ? app->options.jobs : app->host.cpus;
}

int xb_app_hint_fetch(const struct xb_app *app, struct xb_err *err)
{
	if (err->code == XB_E_NOT_FOUND) { /* of the servers, so nothing that the user has written */
		err->code = XB_E_NETWORK;
		return xb_hint(err, "no mirror has it; another one can be named with --mirror URL");
	}
	if (err->code == XB_E_NETWORK)
		return xb_hint(err, "is this machine online? another mirror can be named with --mirror URL");
	if (err->code == XB_E_SYSTEM && app->store)
		return xb_hint(err, "the store is '%s'; XBUILD_CACHE_DIR names another directory for it",
			       xb_store_dir(app->store));
	return err->code;
}

static int add_target(struct xb_app *app, const char *name, const struct xb_project_target **list, size_t *len,
		      struct xb_err *err)
{
	const struct xb_target *target = xb_target_find(xb_sv(name));
	const struct xb_project_target *found;
	const char *like;

	if (!target) {
		xb_fail(err, XB_E_USAGE, "there is no target '%s'", name);
		like = xb_target_suggest(xb_sv(name));
		return like ? xb_hint(err, "did you mean '%s'?", like)
			    : xb_hint(err, "'xbuild targets' lists those that exist");
	}
	found = xb_project_target(app->project, target);
	if (!found) {
		xb_fail(err, XB_E_USAGE, "target '%s' is not one of the project's", target->name);
		return xb_hint(err, "add it to 'targets:' in %s", app->project->file);
	}
	for (size_t i = 0; i < *len; i++)
		if (list[i] == found)
			return 0;
	list[(*len)++] = found;
	return 0;
}

int xb_app_targets(struct xb_app *app, const char *const *names, size_t n_names, const struct xb_project_target ***out,
		   size_t *out_count, struct xb_err *err)
{
	const struct xb_project_target **list;
	size_t len = 0;
	bool all = n_names == 0;

	if (xb_app_need_project(app, err) < 0)
		return err->code;
	list = xb_arena_array(&app->arena, app->project->n_targets + 1, sizeof(*list));
	for (size_t i = 0; i < n_names; i++) {
		if (strcmp(names[i], "all") == 0)
			all = true;
		else if (add_target(app, names[i], list, &len, err) < 0)
			return err->code;
	}
	if (all) {
		len = 0;
		for (size_t i = 0; i < app->project->n_targets; i++)
			list[len++] = &app->project->targets[i];
	}
	*out = list;
	*out_count = len;
	return 0;
}

int xb_app_refuse_image(struct xb_app *app, const char *name, struct xb_err *err)
{
	const struct xb_project *project = app->project;
	const char **names = xb_arena_array(&app->arena, project->n_images + 1, sizeof(*names)), *like;

	for (size_t i = 0; i < project->n_images; i++)
		names[i] = project->images[i].name;
	like = xb_sv_suggest(xb_sv(name), names);
	xb_fail(err, XB_E_USAGE, "the project has no image '%s'", name);
	return like ? xb_hint(err, "did you mean '%s'?", like)
		    : xb_hint(err, "'image:' in %s names the images", project->file);
}
