/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/op_lock.h"

#include <stdlib.h>
#include <string.h>

#include "image_lists.h"
#include "lock_plan.h"

#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/atomic_file.h"

/* ---- what the project asks for, and what the lock has ---- */

int lock_need_all(struct xb_app *app, struct xb_err *err)
{
	if (xb_app_need_project(app, err) < 0 || xb_app_need_descs(app, err) < 0)
		return err->code;
	if (!app->lock_path)
		app->lock_path = xb_path_join(app->project->dir, XB_LOCK_NAME);
	return 0;
}

int lock_read_before(const struct xb_app *app, struct xb_lock **out, struct xb_err *err)
{
	if (xb_lock_read(app->lock_path, out, err) == 0)
		return 0;
	if (err->code != XB_E_NOT_FOUND)
		return xb_hint(err, "mend it, or remove it and run 'xbuild lock'");
	xb_err_clear(err);
	return 0;
}

/* The lists of Rust one after the other; NULL behind the last. */
static const struct xb_lock_packages *rust_list(const struct xb_lock *lock, size_t i)
{
	const struct xb_lock_rust *rust = lock->rust;

	if (!rust || i > rust->n_hosts + rust->n_std)
		return NULL;
	if (i < rust->n_hosts)
		return &rust->hosts[i].packages;
	i -= rust->n_hosts;
	return i < rust->n_std ? &rust->std[i].packages : &rust->crates.packages;
}

static bool has_package(const struct xb_lock *lock, const char *name)
{
	for (size_t i = 0; i < lock->n_toolchains; i++)
		if (xb_lock_package(&lock->toolchains[i].packages, name) ||
		    xb_lock_package(&lock->toolchains[i].tools, name))
			return true;
	for (size_t i = 0; i < lock->n_sysroots; i++)
		if (xb_lock_package(&lock->sysroots[i].packages, name))
			return true;
	for (size_t i = 0; i < lock->n_images; i++)
		if (xb_lock_package(&lock->images[i].packages, name))
			return true;
	for (size_t i = 0; rust_list(lock, i); i++)
		if (xb_lock_package(rust_list(lock, i), name))
			return true;
	for (size_t i = 0; i < lock->n_apkos; i++)
		for (size_t k = 0; k < lock->apkos[i].n_packages; k++)
			if (strcmp(lock->apkos[i].packages[k].name, name) == 0)
				return true;
	return xb_lock_base(lock, name) != NULL;
}

int lock_check(struct xb_app *app, const struct xb_lock *before, struct xb_err *err)
{
	const char *reason;

	if (!before) {
		xb_fail(err, XB_E_LOCK, "there is no %s", XB_LOCK_NAME);
		return xb_hint(err, "make it with 'xbuild lock'");
	}
	reason = xb_app_lock_stale(app, before);
	if (!reason)
		return 0;
	xb_fail(err, XB_E_LOCK, "%s does not fit the project: %s", XB_LOCK_NAME, reason);
	return xb_hint(err, "bring it up to date with 'xbuild lock'");
}

/* ---- names that --update frees ---- */

static void push_names(const struct xb_lock_packages *packages, const char **names, size_t *n)
{
	for (size_t i = 0; i < packages->len; i++)
		names[(*n)++] = packages->items[i].name;
}

static const char *suggest_locked(const struct xb_lock *lock, const char *name)
{
	size_t count = 0, n = 0;
	const char **names, *like;

	for (size_t i = 0; i < lock->n_toolchains; i++)
		count += lock->toolchains[i].packages.len + lock->toolchains[i].tools.len;
	for (size_t i = 0; i < lock->n_sysroots; i++)
		count += lock->sysroots[i].packages.len;
	for (size_t i = 0; i < lock->n_images; i++)
		count += lock->images[i].packages.len;
	for (size_t i = 0; rust_list(lock, i); i++)
		count += rust_list(lock, i)->len;
	for (size_t i = 0; i < lock->n_apkos; i++)
		count += lock->apkos[i].n_packages;
	count += lock->n_bases;
	names = xb_alloc((count + 1) * sizeof(*names));
	for (size_t i = 0; i < lock->n_toolchains; i++) {
		push_names(&lock->toolchains[i].packages, names, &n);
		push_names(&lock->toolchains[i].tools, names, &n);
	}
	for (size_t i = 0; i < lock->n_sysroots; i++)
		push_names(&lock->sysroots[i].packages, names, &n);
	for (size_t i = 0; i < lock->n_images; i++)
		push_names(&lock->images[i].packages, names, &n);
	for (size_t i = 0; rust_list(lock, i); i++)
		push_names(rust_list(lock, i), names, &n);
	for (size_t i = 0; i < lock->n_apkos; i++)
		for (size_t k = 0; k < lock->apkos[i].n_packages; k++)
			names[n++] = lock->apkos[i].packages[k].name;
	for (size_t i = 0; i < lock->n_bases; i++)
		names[n++] = lock->bases[i].ref;
	like = xb_sv_suggest(xb_sv(name), names);
	free(names);
	return like;
}

static int check_names(const struct xb_lock *before, const struct xb_lock_opts *opts, struct xb_err *err)
{
	if (opts->n_names && !before)
		return xb_fail(err, XB_E_LOCK, "there is no %s whose packages could be updated", XB_LOCK_NAME);
	for (size_t i = 0; i < opts->n_names; i++) {
		const char *like;

		if (has_package(before, opts->names[i]))
			continue;
		like = suggest_locked(before, opts->names[i]);
		xb_fail(err, XB_E_USAGE, "'%s' is not in %s", opts->names[i], XB_LOCK_NAME);
		return like ? xb_hint(err, "did you mean '%s'?", like) : err->code;
	}
	return 0;
}

/* ---- making it ---- */

/* A mirror may change between its InRelease and its indexes: then everything is read once more. */
static int solve_all(struct lock_plan *plan, struct xb_err *err)
{
	if (lock_suites_fetch(plan, err) < 0)
		return err->code;
	if (lock_jobs_run(plan, err) == 0)
		return 0;
	if (!plan->index_failed)
		return err->code;
	plan->index_failed = false;
	xb_err_clear(err);
	if (lock_suites_fetch(plan, err) < 0)
		return err->code;
	if (lock_jobs_run(plan, err) == 0)
		return 0;
	return plan->index_failed ? xb_hint(err, "a mirror that is being updated has indexes that its InRelease does "
						 "not name: lock again later, or name another one with --mirror URL")
				  : err->code;
}

static size_t count_packages(const struct xb_lock *lock)
{
	size_t n = 0;

	for (size_t i = 0; i < lock->n_toolchains; i++)
		n += lock->toolchains[i].packages.len + lock->toolchains[i].tools.len;
	for (size_t i = 0; i < lock->n_sysroots; i++)
		n += lock->sysroots[i].packages.len;
	for (size_t i = 0; i < lock->n_images; i++)
		n += lock->images[i].packages.len;
	for (size_t i = 0; rust_list(lock, i); i++)
		n += rust_list(lock, i)->len;
	return n;
}

static int write_lock(struct lock_plan *plan, const struct xb_lock *lock, struct xb_lock_result *out,
		      struct xb_err *err)
{
	static const struct xb_lock nothing = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_str old XB_CLEANUP(xb_str_release) = {0};

	xb_lock_write(lock, &text);
	if (plan->before)
		xb_lock_write(plan->before, &old);
	out->n_packages = count_packages(lock);
	if (plan->before && xb_sv_eq(xb_str_sv(&text), xb_str_sv(&old)))
		return 0;
	if (xb_atomic_file_write(plan->app->lock_path, xb_str_get(&text), text.len, 0644, XB_ATOMIC_SYNC, err) < 0)
		return err->code;
	out->written = true;
	xb_lock_diff(plan->before ? plan->before : &nothing, lock, &out->diff);
	return 0;
}

/* A package that the project names and the archive does not have is a problem of the project file, at its place. */
static bool blame_words(struct xb_app *app, const struct xb_words *packages, const struct xb_err *err)
{
	for (size_t i = 0; i < packages->len; i++) {
		char *quoted XB_CLEANUP(xb_free_ptr) = xb_printf("package '%s'", packages->items[i]);
		struct xb_diag *diag;

		if (!strstr(err->msg, quoted))
			continue;
		diag = xb_diags_add(&app->diags, packages->at[i], app->project->source, "%s", err->msg);
		if (err->hint)
			xb_diags_help(&app->diags, diag, "%s", err->hint);
		return true;
	}
	return false;
}

static void blame_project(struct xb_app *app, const struct xb_err *err)
{
	const struct xb_project *p = app->project;
	bool is_told =
		err->code != XB_E_INPUT || blame_words(app, &p->packages, err) || blame_words(app, &p->crates, err);

	for (size_t i = 0; i < p->n_images && !is_told; i++)
		is_told = blame_words(app, &p->images[i].base_packages, err) ||
			  blame_words(app, &p->images[i].packages, err);
}

/* What the solver could not bring together, it has taken apart. */
static int check_images(struct xb_app *app, const struct xb_lock *lock, struct xb_err *err)
{
	const char *reason = image_lists_stale(app, lock);

	if (!reason)
		return 0;
	xb_fail(err, XB_E_UNSAT, "the packages of the images do not go with the sysroot: %s", reason);
	return xb_hint(err, "let both move: 'xbuild lock --update', with the name of the package");
}

int lock_resolve(struct lock_plan *plan, struct xb_lock *out, struct xb_err *err)
{
	int rc;

	if (xb_app_need_store(plan->app, err) < 0 || lock_plan_all(plan, err) < 0)
		return err->code;
	if (solve_all(plan, err) < 0) {
		blame_project(plan->app, err);
		return err->code;
	}
	lock_assemble(plan, out);
	rc = lock_check_versions(plan->app, out, err);
	if (rc == 0)
		rc = lock_check_rust(plan->app, out, err);
	if (rc == 0)
		rc = lock_archives(plan, out, err);
	if (rc == 0)
		rc = check_images(plan->app, out, err);
	if (rc == 0)
		rc = lock_bases(plan, out, err);
	return rc == 0 ? lock_apkos(plan, out, err) : rc;
}

static int make_lock(struct xb_app *app, const struct xb_lock_opts *opts, const struct xb_lock *before,
		     struct xb_lock_result *out, struct xb_err *err)
{
	struct lock_plan plan XB_CLEANUP(lock_plan_release) = {.app = app, .opts = opts, .before = before};
	struct xb_lock after = {0};
	int rc = lock_resolve(&plan, &after, err);

	if (rc == 0)
		rc = write_lock(&plan, &after, out, err);
	xb_arena_release(&after.arena);
	return rc;
}

static void warn_about_support(const struct xb_app *app)
{
	const char *support = app->sysroot->support;
	char *text XB_CLEANUP(xb_free_ptr) = NULL;

	if (!support || strcmp(support, "current") == 0)
		return;
	text = xb_printf("sysroot '%s': %s", app->sysroot->name, support);
	xb_observe(app->observer, &(struct xb_event){.kind = XB_EVENT_WARNING, .text = text});
}

static void tell(const struct xb_app *app, const struct xb_lock_result *result, int64_t began_ms)
{
	char *label XB_CLEANUP(xb_free_ptr) = xb_printf("%zu packages%s", result->n_packages,
							result->written ? " in " XB_LOCK_NAME : ": nothing new");

	xb_observe(app->observer, &(struct xb_event){.kind = XB_EVENT_DONE,
						     .verb = "Locked",
						     .label = label,
						     .elapsed_ms = xb_host_monotonic_ms() - began_ms});
}

int xb_op_lock(struct xb_app *app, const struct xb_lock_opts *opts, struct xb_lock_result *out, struct xb_err *err)
{
	struct xb_lock *before = NULL;
	struct xb_lock_result result = {0};
	const int64_t began_ms = xb_host_monotonic_ms();
	const bool check = opts->check || app->options.locked_asked;
	int rc;

	if (opts->update && app->options.locked_asked)
		return xb_fail(err, XB_E_USAGE, "--update writes %s, and --locked forbids it", XB_LOCK_NAME);
	if (lock_need_all(app, err) < 0 || lock_read_before(app, &before, err) < 0)
		return err->code;
	if (check)
		rc = lock_check(app, before, err);
	else
		rc = check_names(before, opts, err);
	if (rc == 0 && before)
		result.n_packages = count_packages(before);
	if (rc == 0 && !check && (opts->update || !before || xb_app_lock_stale(app, before))) {
		warn_about_support(app);
		if (app->options.offline) {
			rc = xb_fail(err, XB_E_NETWORK, "make %s: the package indexes cannot be read offline",
				     XB_LOCK_NAME);
			xb_hint(err, "run 'xbuild lock' once without --offline");
		} else {
			rc = make_lock(app, opts, before, &result, err);
		}
	}
	result.is_new = !before;
	xb_lock_free(before);
	if (rc < 0) {
		xb_str_release(&result.diff);
		return rc;
	}
	tell(app, &result, began_ms);
	*out = result;
	return 0;
}
