/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/op_lock.h"

#include <stdlib.h>
#include <string.h>

#include "lock_plan.h"

#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/model/timestamp.h"
#include "xbuild/sys/atomic_file.h"

#define LOCK_NAME "xbuild.lock"

/* ---- what the project asks for, and what the lock has ---- */

static int need_all(struct xb_app *app, struct xb_err *err)
{
	if (xb_app_need_project(app, err) < 0 || xb_app_need_descs(app, err) < 0)
		return err->code;
	if (!app->lock_path)
		app->lock_path = xb_path_join(app->project->dir, LOCK_NAME);
	return 0;
}

/* *out stays NULL when there is no lock. */
static int read_before(const struct xb_app *app, struct xb_lock **out, struct xb_err *err)
{
	if (xb_lock_read(app->lock_path, out, err) == 0)
		return 0;
	if (err->code != XB_E_NOT_FOUND)
		return xb_hint(err, "mend it, or remove it and run 'xbuild lock'");
	xb_err_clear(err);
	return 0;
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
	return false;
}

/* Why the lock does not fit the project any more, in the arena; NULL when it fits. */
static const char *stale_reason(struct xb_app *app, const struct xb_lock *lock)
{
	const struct xb_project *p = app->project;
	struct xb_digest inputs;

	for (size_t i = 0; i < p->hosts.len; i++) {
		const struct xb_lock_toolchain *t = xb_lock_toolchain(lock, p->hosts.items[i]);

		if (!t)
			return xb_arena_printf(&app->arena, "it has no toolchain for host '%s'", p->hosts.items[i]);
		if (strcmp(t->name, app->toolchain->name) != 0)
			return xb_arena_printf(&app->arena, "it has toolchain '%s' and the project wants '%s'", t->name,
					       app->toolchain->name);
	}
	for (size_t i = 0; i < p->n_targets; i++) {
		const struct xb_lock_sysroot *s = xb_lock_sysroot(lock, p->targets[i].target->name);

		if (!s)
			return xb_arena_printf(&app->arena, "it has no sysroot for target '%s'",
					       p->targets[i].target->name);
		if (strcmp(s->name, app->sysroot->name) != 0)
			return xb_arena_printf(&app->arena, "it has sysroot '%s' and the project wants '%s'", s->name,
					       app->sysroot->name);
		for (size_t k = 0; k < p->packages.len; k++)
			if (!xb_lock_package(&s->packages, p->packages.items[k]))
				return xb_arena_printf(&app->arena, "it has no package '%s' for target '%s'",
						       p->packages.items[k], s->target);
	}
	xb_project_lock_inputs(p, &inputs);
	if (!xb_digest_eq(&inputs, &lock->inputs))
		return "the toolchain, sysroot, snapshot, packages, hosts or targets of the project file have changed";
	return NULL;
}

static int check_lock(struct xb_app *app, const struct xb_lock *before, struct xb_err *err)
{
	const char *reason;

	if (!before) {
		xb_fail(err, XB_E_LOCK, "there is no %s", LOCK_NAME);
		return xb_hint(err, "make it with 'xbuild lock'");
	}
	reason = stale_reason(app, before);
	if (!reason)
		return 0;
	xb_fail(err, XB_E_LOCK, "%s does not fit the project: %s", LOCK_NAME, reason);
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
	names = xb_alloc((count + 1) * sizeof(*names));
	for (size_t i = 0; i < lock->n_toolchains; i++) {
		push_names(&lock->toolchains[i].packages, names, &n);
		push_names(&lock->toolchains[i].tools, names, &n);
	}
	for (size_t i = 0; i < lock->n_sysroots; i++)
		push_names(&lock->sysroots[i].packages, names, &n);
	like = xb_sv_suggest(xb_sv(name), names);
	free(names);
	return like;
}

static int check_names(const struct xb_lock *before, const struct xb_lock_opts *opts, struct xb_err *err)
{
	if (opts->n_names && !before)
		return xb_fail(err, XB_E_LOCK, "there is no %s whose packages could be updated", LOCK_NAME);
	for (size_t i = 0; i < opts->n_names; i++) {
		const char *like;

		if (has_package(before, opts->names[i]))
			continue;
		like = suggest_locked(before, opts->names[i]);
		xb_fail(err, XB_E_USAGE, "package '%s' is not in %s", opts->names[i], LOCK_NAME);
		return like ? xb_hint(err, "did you mean '%s'?", like) : err->code;
	}
	return 0;
}

/* ---- the plan ---- */

/* Base and tools of a locked toolchain as one list; items are borrowed, the array is the arena's. */
static struct xb_lock_packages join_packages(struct xb_arena *arena, const struct xb_lock_packages *a,
					     const struct xb_lock_packages *b)
{
	struct xb_lock_packages all = {xb_arena_array(arena, a->len + b->len + 1, sizeof(*all.items)), 0};

	for (size_t i = 0; i < a->len; i++)
		all.items[all.len++] = a->items[i];
	for (size_t i = 0; i < b->len; i++)
		if (!xb_lock_package(a, b->items[i].name))
			all.items[all.len++] = b->items[i];
	return all;
}

static struct xb_list join_lists(struct xb_arena *arena, const struct xb_list *a, const char *const *b, size_t n)
{
	struct xb_list all = {xb_arena_array(arena, a->len + n + 1, sizeof(*all.items)), 0};

	for (size_t i = 0; i < a->len; i++)
		all.items[all.len++] = a->items[i];
	for (size_t i = 0; i < n; i++)
		all.items[all.len++] = b[i];
	return all;
}

/* What the project asks for by name is not left out, whatever the data file says. */
static struct xb_list exclude_but(struct xb_arena *arena, const struct xb_list *exclude, const struct xb_words *but)
{
	struct xb_list left = {xb_arena_array(arena, exclude->len + 1, sizeof(*left.items)), 0};

	for (size_t i = 0; i < exclude->len; i++) {
		size_t k = 0;

		while (k < but->len && strcmp(but->items[k], exclude->items[i]) != 0)
			k++;
		if (k == but->len)
			left.items[left.len++] = exclude->items[i];
	}
	return left;
}

/* Are locked versions kept? A snapshot says what there is; --update without names lets go of all. */
static bool keeps(const struct lock_plan *plan)
{
	return plan->before && !plan->snapshot && !(plan->opts->update && plan->opts->n_names == 0);
}

static bool is_debian_host(const struct xb_toolchain_desc *desc, const char *host)
{
	for (size_t i = 0; i < desc->debian_hosts.len; i++)
		if (strcmp(desc->debian_hosts.items[i], host) == 0)
			return true;
	return false;
}

static const struct xb_toolchain_archive *find_archive(const struct xb_toolchain_desc *desc, const char *host)
{
	for (size_t i = 0; i < desc->n_archives; i++)
		if (strcmp(desc->archives[i].host, host) == 0)
			return &desc->archives[i];
	return NULL;
}

static bool serves_all(const struct xb_toolchain_desc *desc, const struct xb_words *hosts)
{
	for (size_t i = 0; i < hosts->len; i++)
		if (!is_debian_host(desc, hosts->items[i]) && !find_archive(desc, hosts->items[i]))
			return false;
	return true;
}

/* How far apart two versions are: by the first number that differs, earlier numbers count more. */
static uint64_t version_distance(const char *a, const char *b)
{
	uint64_t distance = 0;

	for (int part = 0; part < 3; part++) {
		char *end_a, *end_b;
		unsigned long na = strtoul(a, &end_a, 10), nb = strtoul(b, &end_b, 10);

		distance = distance * 1000 + (na > nb ? na - nb : nb - na) % 1000;
		a = *end_a ? end_a + 1 : end_a;
		b = *end_b ? end_b + 1 : end_b;
	}
	return distance;
}

/* The toolchain whose version is nearest among those that serve all hosts of the project, or NULL; in the arena. */
static const char *nearest_toolchain(struct xb_app *app)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	const char **names, *best = NULL;
	uint64_t best_distance = UINT64_MAX;

	if (xb_data_names(app->data_dir, "toolchains", &app->arena, &names, &ignored) < 0)
		return NULL;
	for (; *names; names++) {
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
		struct xb_toolchain_desc *desc = NULL;
		uint64_t distance;

		if (xb_toolchain_desc_load(app->data_dir, *names, &desc, &diags, &err) < 0)
			continue;
		distance = version_distance(desc->version, app->toolchain->version);
		if (serves_all(desc, &app->project->hosts) && distance < best_distance) {
			best_distance = distance;
			best = *names;
		}
		xb_toolchain_desc_free(desc);
	}
	return best;
}

static int hint_nearest(struct xb_app *app, struct xb_err *err)
{
	const char *nearest = nearest_toolchain(app);

	if (nearest)
		return xb_hint(err, "the nearest toolchain that all hosts of the project have is '%s'", nearest);
	return xb_hint(err, "no toolchain has all hosts of the project; list fewer under 'hosts:'");
}

static int plan_toolchain(struct lock_plan *plan, const char *host, const struct xb_list *free_names,
			  struct xb_err *err)
{
	const struct xb_toolchain_desc *desc = plan->app->toolchain;
	const struct xb_lock_toolchain *old = keeps(plan) ? xb_lock_toolchain(plan->before, host) : NULL;
	const struct xb_list *tools = &desc->tools_packages;
	struct lock_want want = {.host = host, .exclude = desc->exclude, .free_names = free_names};

	if (!is_debian_host(desc, host)) {
		if (find_archive(desc, host))
			return 0;
		xb_fail(err, XB_E_INPUT, "toolchain '%s' %s has nothing for host '%s'", desc->name, desc->version,
			host);
		return hint_nearest(plan->app, err);
	}
	want.packages = join_lists(&plan->arena, &desc->packages, tools->items,
				   plan->app->project->toolchain_full ? tools->len : 0);
	if (old && strcmp(old->name, desc->name) == 0)
		want.keep = join_packages(&plan->arena, &old->packages, &old->tools);
	return lock_plan_add(plan, &desc->debian, xb_host_debian_arch(host), want, err);
}

static int plan_sysroot(struct lock_plan *plan, const struct xb_target *target, const struct xb_list *free_names,
			struct xb_err *err)
{
	const struct xb_sysroot_desc *desc = plan->app->sysroot;
	const struct xb_words *packages = &plan->app->project->packages;
	const struct xb_lock_sysroot *old = keeps(plan) ? xb_lock_sysroot(plan->before, target->name) : NULL;
	struct lock_want want = {.target = target->name, .free_names = free_names};

	want.packages = join_lists(&plan->arena, &desc->packages, packages->items, packages->len);
	want.exclude = exclude_but(&plan->arena, &desc->exclude, packages);
	/* Another sysroot is another release of Debian: nothing of the old one fits. */
	if (old && strcmp(old->name, desc->name) == 0)
		want.keep = old->packages;
	return lock_plan_add(plan, &desc->debian, target->debian_arch, want, err);
}

static int plan_all(struct lock_plan *plan, struct xb_err *err)
{
	const struct xb_project *p = plan->app->project;
	struct xb_list *free_names = xb_arena_alloc(&plan->arena, sizeof(*free_names));
	int64_t when;

	if (strcmp(p->snapshot, "latest") != 0) {
		char *compact = xb_arena_alloc(&plan->arena, XB_TIMESTAMP_SIZE);

		if (!xb_timestamp_parse(xb_sv(p->snapshot), &when))
			return xb_fail(err, XB_E_INPUT, "snapshot '%s' is no time", p->snapshot);
		plan->snapshot = xb_timestamp_compact(when, false, compact);
	}
	*free_names = join_lists(&plan->arena, free_names, plan->opts->names, plan->opts->n_names);
	for (size_t i = 0; i < p->hosts.len; i++)
		if (plan_toolchain(plan, p->hosts.items[i], free_names, err) < 0)
			return err->code;
	for (size_t i = 0; i < p->n_targets; i++)
		if (plan_sysroot(plan, p->targets[i].target, free_names, err) < 0)
			return err->code;
	return 0;
}

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
	return lock_jobs_run(plan, err);
}

/* ---- the new lock; its strings are borrowed from the plan and the documents ---- */

/* Marks what `name` needs, itself included. */
static void mark(const struct xb_lock_packages *all, const char *name, bool *marks)
{
	const struct xb_lock_package *p = xb_lock_package(all, name);

	if (!p || marks[p - all->items])
		return;
	marks[p - all->items] = true;
	for (size_t i = 0; i < p->n_depends; i++)
		mark(all, p->depends[i], marks);
}

/* The packages whose mark is `which`; their depends name packages of the same part only. */
static struct xb_lock_packages part_of(struct xb_arena *arena, const struct xb_lock_packages *all, const bool *marks,
				       bool which)
{
	struct xb_lock_packages part = {xb_arena_array(arena, all->len + 1, sizeof(*part.items)), 0};

	for (size_t i = 0; i < all->len; i++) {
		struct xb_lock_package *p = &part.items[part.len];
		const char **depends;

		if (marks[i] != which)
			continue;
		*p = all->items[i];
		depends = xb_arena_array(arena, p->n_depends + 1, sizeof(*depends));
		p->n_depends = 0;
		for (size_t k = 0; k < all->items[i].n_depends; k++) {
			const struct xb_lock_package *d = xb_lock_package(all, all->items[i].depends[k]);

			if (d && marks[d - all->items] == which)
				depends[p->n_depends++] = d->name;
		}
		p->depends = depends;
		part.len++;
	}
	return part;
}

static void split_tools(struct xb_arena *arena, const struct xb_list *base, const struct xb_lock_packages *all,
			struct xb_lock_toolchain *out)
{
	bool *marks = xb_alloc(all->len + 1);

	for (size_t i = 0; i < base->len; i++)
		mark(all, base->items[i], marks);
	out->packages = part_of(arena, all, marks, true);
	out->tools = part_of(arena, all, marks, false);
	free(marks);
}

/* "1:22.1.8-1~deb13u4" is "22.1.8": without epoch, revision, and what Debian adds to the upstream version. */
static const char *upstream_version(struct xb_arena *arena, const char *version)
{
	const char *colon = strchr(version, ':'), *start = colon ? colon + 1 : version;

	return xb_arena_sv(arena, xb_sv_n(start, strspn(start, "0123456789.")));
}

static const struct lock_want *find_want(const struct lock_plan *plan, const char *host, const char *target)
{
	for (size_t i = 0; i < plan->wants.len; i++) {
		const struct lock_want *w = &plan->wants.items[i];

		if ((host && w->host && strcmp(w->host, host) == 0) ||
		    (target && w->target && strcmp(w->target, target) == 0))
			return w;
	}
	return NULL;
}

static void add_toolchain(struct lock_plan *plan, struct xb_lock *lock, const char *host)
{
	const struct xb_toolchain_desc *desc = plan->app->toolchain;
	struct xb_lock_toolchain *t = &lock->toolchains[lock->n_toolchains++];
	const struct lock_want *want = find_want(plan, host, NULL);
	const struct xb_toolchain_archive *archive = find_archive(desc, host);
	const struct xb_lock_package *compiler;

	*t = (struct xb_lock_toolchain){
		.host = host, .name = desc->name, .version = desc->version, .archive_size_bytes = -1};
	if (!want) {
		t->archive_url = archive->url;
		t->archive_sha256 = archive->sha256;
		t->archive_size_bytes = archive->size_bytes;
		return;
	}
	split_tools(&lock->arena, &desc->packages, &want->result, t);
	/* The first package of the description is the compiler. */
	compiler = desc->packages.len ? xb_lock_package(&want->result, desc->packages.items[0]) : NULL;
	if (compiler)
		t->version = upstream_version(&lock->arena, compiler->version);
}

/* All hosts must write the same bytes, so all must have the same compiler. */
static int check_versions(struct xb_app *app, const struct xb_lock *lock, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	bool differ = false;

	for (size_t i = 0; i < lock->n_toolchains; i++) {
		const struct xb_lock_toolchain *t = &lock->toolchains[i];

		differ |= strcmp(t->version, lock->toolchains[0].version) != 0;
		xb_str_printf(&text, "%s%s has %s", i ? ", " : "", t->host, t->version);
	}
	if (!differ)
		return 0;
	xb_fail(err, XB_E_INPUT, "toolchain '%s' has not the same version for every host: %s", app->toolchain->name,
		xb_str_get(&text));
	return xb_hint(err,
		       "all hosts have %s as long as the lock keeps it, or with a 'snapshot:' of the time when the "
		       "packages had it; else list only hosts of one version under 'hosts:'",
		       app->toolchain->version);
}

static int compare_toolchains(const void *a, const void *b)
{
	return strcmp(((const struct xb_lock_toolchain *)a)->host, ((const struct xb_lock_toolchain *)b)->host);
}

static int compare_sysroots(const void *a, const void *b)
{
	return strcmp(((const struct xb_lock_sysroot *)a)->target, ((const struct xb_lock_sysroot *)b)->target);
}

static int compare_suites(const void *a, const void *b)
{
	return strcmp(((const struct xb_lock_suite *)a)->id, ((const struct xb_lock_suite *)b)->id);
}

/* Packages that only the lock has may be of a suite that is read no more: its line stays as long as they do. */
static void keep_suites(const struct lock_plan *plan, const struct xb_lock_packages *packages, struct xb_lock *lock)
{
	for (size_t i = 0; i < packages->len; i++) {
		const char *id = packages->items[i].suite;
		const struct xb_lock_suite *old = plan->before ? xb_lock_suite(plan->before, id) : NULL;
		size_t k = 0;

		while (k < lock->n_suites && strcmp(lock->suites[k].id, id) != 0)
			k++;
		if (k == lock->n_suites && old)
			lock->suites[lock->n_suites++] = *old;
	}
}

static void add_suites(const struct lock_plan *plan, struct xb_lock *lock)
{
	size_t n_before = plan->before ? plan->before->n_suites : 0;

	lock->suites = xb_arena_array(&lock->arena, plan->suites.len + n_before + 1, sizeof(*lock->suites));
	for (size_t i = 0; i < plan->suites.len; i++) {
		const struct lock_suite *s = &plan->suites.items[i];

		if (s->release)
			lock->suites[lock->n_suites++] = (struct xb_lock_suite){
				.id = s->suite->id,
				.archive = s->suite->archive,
				.path = s->suite->path,
				.date = s->release->date,
				.in_release = s->in_release,
				.signed_by = s->signed_by,
			};
	}
	for (size_t i = 0; i < plan->wants.len; i++)
		keep_suites(plan, &plan->wants.items[i].result, lock);
	qsort(lock->suites, lock->n_suites, sizeof(*lock->suites), compare_suites);
}

static void assemble(struct lock_plan *plan, struct xb_lock *lock)
{
	const struct xb_project *p = plan->app->project;

	xb_project_lock_inputs(p, &lock->inputs);
	lock->toolchains = xb_arena_array(&lock->arena, p->hosts.len + 1, sizeof(*lock->toolchains));
	for (size_t i = 0; i < p->hosts.len; i++)
		add_toolchain(plan, lock, p->hosts.items[i]);
	qsort(lock->toolchains, lock->n_toolchains, sizeof(*lock->toolchains), compare_toolchains);
	lock->sysroots = xb_arena_array(&lock->arena, p->n_targets + 1, sizeof(*lock->sysroots));
	for (size_t i = 0; i < p->n_targets; i++) {
		const char *target = p->targets[i].target->name;

		lock->sysroots[lock->n_sysroots++] =
			(struct xb_lock_sysroot){.target = target,
						 .name = plan->app->sysroot->name,
						 .packages = find_want(plan, NULL, target)->result};
	}
	qsort(lock->sysroots, lock->n_sysroots, sizeof(*lock->sysroots), compare_sysroots);
	add_suites(plan, lock);
}

static size_t count_packages(const struct xb_lock *lock)
{
	size_t n = 0;

	for (size_t i = 0; i < lock->n_toolchains; i++)
		n += lock->toolchains[i].packages.len + lock->toolchains[i].tools.len;
	for (size_t i = 0; i < lock->n_sysroots; i++)
		n += lock->sysroots[i].packages.len;
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
static void blame_project(struct xb_app *app, struct xb_err *err)
{
	const struct xb_words *packages = &app->project->packages;

	if (err->code != XB_E_INPUT)
		return;
	for (size_t i = 0; i < packages->len; i++) {
		char *quoted XB_CLEANUP(xb_free_ptr) = xb_printf("package '%s'", packages->items[i]);
		struct xb_diag *diag;

		if (!strstr(err->msg, quoted))
			continue;
		diag = xb_diags_add(&app->diags, packages->at[i], app->project->source, "%s", err->msg);
		if (err->hint)
			xb_diags_help(&app->diags, diag, "%s", err->hint);
		return;
	}
}

static int make_lock(struct xb_app *app, const struct xb_lock_opts *opts, const struct xb_lock *before,
		     struct xb_lock_result *out, struct xb_err *err)
{
	struct lock_plan plan XB_CLEANUP(lock_plan_release) = {.app = app, .opts = opts, .before = before};
	struct xb_lock after = {0};
	int rc;

	if (xb_app_need_store(app, err) < 0 || plan_all(&plan, err) < 0)
		return err->code;
	if (solve_all(&plan, err) < 0) {
		blame_project(app, err);
		return err->code;
	}
	assemble(&plan, &after);
	rc = check_versions(app, &after, err);
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

int xb_op_lock(struct xb_app *app, const struct xb_lock_opts *opts, struct xb_lock_result *out, struct xb_err *err)
{
	struct xb_lock *before = NULL;
	struct xb_lock_result result = {0};
	int rc;

	if (need_all(app, err) < 0 || read_before(app, &before, err) < 0)
		return err->code;
	if (opts->check)
		rc = check_lock(app, before, err);
	else
		rc = check_names(before, opts, err);
	if (rc == 0 && before)
		result.n_packages = count_packages(before);
	if (rc == 0 && !opts->check && (opts->update || !before || stale_reason(app, before))) {
		warn_about_support(app);
		if (app->options.offline) {
			rc = xb_fail(err, XB_E_NETWORK, "make %s: the package indexes cannot be read offline",
				     LOCK_NAME);
			xb_hint(err, "run 'xbuild lock' once without --offline");
		} else {
			rc = make_lock(app, opts, before, &result, err);
		}
	}
	xb_lock_free(before);
	if (rc < 0)
		xb_str_release(&result.diff);
	else
		*out = result;
	return rc;
}
