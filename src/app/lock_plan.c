/* SPDX-License-Identifier: Apache-2.0 */
#include "lock_plan.h"

#include <stdlib.h>
#include <string.h>

#include "image_lists.h"
#include "sources.h"
#include "xbuild/base/alloc.h"
#include "xbuild/model/stdlib.h"
#include "xbuild/model/timestamp.h"

struct xb_lock_packages lock_join_packages(struct xb_arena *arena, const struct xb_lock_packages *a,
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

struct xb_list lock_join_lists(struct xb_arena *arena, const struct xb_list *a, const char *const *b, size_t n)
{
	struct xb_list all = {xb_arena_array(arena, a->len + n + 1, sizeof(*all.items)), 0};

	for (size_t i = 0; i < a->len; i++)
		all.items[all.len++] = a->items[i];
	for (size_t i = 0; i < n; i++)
		all.items[all.len++] = b[i];
	return all;
}

/* What the project asks for by name is not left out, whatever the data file says. */
static struct xb_list exclude_but(struct xb_arena *arena, const struct xb_list *exclude, const struct xb_list *but)
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

bool lock_keeps(const struct lock_plan *plan)
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

static bool serves_all(const struct xb_toolchain_desc *desc, const struct xb_words *hosts)
{
	for (size_t i = 0; i < hosts->len; i++)
		if (!is_debian_host(desc, hosts->items[i]) && !xb_archive_ref_find(&desc->archives, hosts->items[i]))
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
		sources_choose(desc, app->project->toolchain_source);
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
	const char *nearest = app->project->toolchain_source == XB_TOOLCHAIN_OWN ? NULL : nearest_toolchain(app);

	if (app->project->toolchain_source == XB_TOOLCHAIN_OWN)
		return xb_hint(err, "add an archive for it to 'toolchain:', or list fewer hosts under 'hosts:'");
	if (nearest)
		return xb_hint(err, "the nearest toolchain that all hosts of the project have is '%s'", nearest);
	return xb_hint(err, "no toolchain has all hosts of the project; list fewer under 'hosts:'");
}

/* The host at its place in the project file; a default has none. */
static int blame_host(struct xb_app *app, const char *host, const struct xb_err *err)
{
	const struct xb_words *hosts = &app->project->hosts;

	for (size_t i = 0; i < hosts->len; i++)
		if (strcmp(hosts->items[i], host) == 0 && hosts->at[i].line)
			xb_diags_help(&app->diags,
				      xb_diags_add(&app->diags, hosts->at[i], app->project->source, "%s", err->msg),
				      "%s", err->hint);
	return err->code;
}

static int plan_toolchain(struct lock_plan *plan, const char *host, const struct xb_list *free_names,
			  struct xb_err *err)
{
	const struct xb_toolchain_desc *desc = plan->app->toolchain;
	const struct xb_lock_toolchain *old = lock_keeps(plan) ? xb_lock_toolchain(plan->before, host) : NULL;
	const struct xb_list *tools = &desc->tools_packages;
	struct lock_want want = {.host = host, .exclude = desc->exclude, .free_names = free_names};

	if (!is_debian_host(desc, host)) {
		if (xb_archive_ref_find(&desc->archives, host))
			return 0;
		xb_fail(err, XB_E_INPUT, "toolchain '%s' %s has nothing for host '%s'", desc->name, desc->version,
			host);
		hint_nearest(plan->app, err);
		return blame_host(plan->app, host, err);
	}
	/* always: which unit needs the further tools is known only to build */
	want.packages = lock_join_lists(&plan->arena, &desc->packages, tools->items, tools->len);
	if (old && strcmp(old->name, desc->name) == 0)
		want.keep = lock_join_packages(&plan->arena, &old->packages, &old->tools);
	return lock_plan_add(plan, &desc->debian, xb_host_debian_arch(host), want, err);
}

/* Of the old list, without what may move: where the sysroot has a package, that one's version counts (lock_jobs.c). */
static struct xb_lock_packages kept_packages(struct xb_arena *arena, const struct xb_lock_packages *old,
					     const struct xb_list *free_names)
{
	struct xb_lock_packages kept = {xb_arena_array(arena, old->len + 1, sizeof(*kept.items)), 0};

	for (size_t i = 0; i < old->len; i++) {
		size_t k = 0;

		while (k < free_names->len && strcmp(free_names->items[k], old->items[i].name) != 0)
			k++;
		if (k == free_names->len)
			kept.items[kept.len++] = old->items[i];
	}
	return kept;
}

/* What images of the target have now: the image's own list first, then others', so that a new image takes nothing newer. */
static struct xb_lock_packages kept_of_images(struct lock_plan *plan, const char *image, const char *target,
					      const struct xb_list *free_names)
{
	const struct xb_lock_sysroot *sysroot = lock_keeps(plan) ? xb_lock_sysroot(plan->before, target) : NULL;
	struct xb_lock_packages all = {0};

	/* Another sysroot is another release of Debian: nothing of the old one fits. */
	if (!sysroot || strcmp(sysroot->name, plan->app->sysroot->name) != 0)
		return all;
	for (int others = 0; others <= 1; others++) {
		for (size_t i = 0; i < plan->before->n_images; i++) {
			const struct xb_lock_image *list = &plan->before->images[i];
			struct xb_lock_packages kept;

			if (strcmp(list->target, target) != 0 || (strcmp(list->image, image) != 0) != (others != 0))
				continue;
			kept = kept_packages(&plan->arena, &list->packages, free_names);
			all = lock_join_packages(&plan->arena, &all, &kept);
		}
	}
	return all;
}

static bool same_list(const struct xb_list *a, const struct xb_list *b)
{
	size_t i = 0;

	while (i < a->len && i < b->len && strcmp(a->items[i], b->items[i]) == 0)
		i++;
	return i == a->len && i == b->len;
}

static bool same_packages(const struct xb_lock_packages *a, const struct xb_lock_packages *b)
{
	size_t i = 0;

	while (i < a->len && i < b->len && strcmp(a->items[i].name, b->items[i].name) == 0 &&
	       xb_digest_eq(&a->items[i].sha256, &b->items[i].sha256))
		i++;
	return i == a->len && i == b->len;
}

/* Images of one project mostly stand on the same: each list is solved once. */
static size_t find_twin(const struct lock_plan *plan, const struct lock_want *want)
{
	for (size_t i = 0; i < plan->wants.len; i++) {
		const struct lock_want *w = &plan->wants.items[i];

		if (w->image && !w->twin && strcmp(w->target, want->target) == 0 &&
		    same_list(&w->packages, &want->packages) && same_list(&w->exclude, &want->exclude) &&
		    same_list(&w->data_only, &want->data_only) && same_packages(&w->keep, &want->keep))
			return i + 1;
	}
	return 0;
}

static int plan_image(struct lock_plan *plan, const struct xb_image *image, const struct xb_target *target,
		      const struct xb_list *free_names, struct xb_err *err)
{
	const struct xb_image_desc *desc = image_list_desc(plan->app, image);
	struct lock_want want = {.target = target->name, .image = image->name, .free_names = free_names};

	want.packages = image_list_wishes(plan->app, image, &plan->arena);
	if (!want.packages.len)
		return 0;
	if (!plan->app->sysroot->debian.n_suites) {
		xb_fail(err, XB_E_INPUT,
			"image '%s': its packages come from the suites of the sysroot, and '%s' has none", image->name,
			plan->app->sysroot->name);
		return xb_hint(err,
			       "use a sysroot of Debian packages, an image of a registry as the base, or 'scratch'");
	}
	want.exclude = exclude_but(&plan->arena, &desc->exclude, &want.packages);
	want.data_only = desc->data_only;
	want.keep = kept_of_images(plan, image->name, target->name, free_names);
	want.twin = find_twin(plan, &want);
	return lock_plan_add(plan, &plan->app->sysroot->debian, target->debian_arch, want, err);
}

static int plan_images(struct lock_plan *plan, const struct xb_list *free_names, struct xb_err *err)
{
	const struct xb_project *p = plan->app->project;

	for (size_t i = 0; i < p->n_images; i++) {
		for (size_t k = 0; k < p->n_targets; k++) {
			const struct xb_target *target = p->targets[k].target;

			if (image_is_for(&p->images[i], target) &&
			    plan_image(plan, &p->images[i], target, free_names, err) < 0)
				return err->code;
		}
	}
	return 0;
}

/* Is the release made for the target's machine, and does it have the target's C library? */
static bool serves_target(const struct xb_sysroot_desc *desc, const struct xb_target *target)
{
	size_t i = 0;

	if (!desc->packages.len && desc->archives.len)
		return xb_archive_ref_find(&desc->archives, target->name) != NULL;
	if (target->libc == XB_LIBC_MUSL && !desc->musl_packages.len)
		return false;
	while (i < desc->architectures.len && strcmp(desc->architectures.items[i], target->debian_arch) != 0)
		i++;
	return !desc->architectures.len || i < desc->architectures.len;
}

/* The sysroots that serve the target, joined by ", ". */
static void sysroots_for(struct xb_app *app, const struct xb_target *target, struct xb_str *out)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	const char **names;

	if (xb_data_names(app->data_dir, "sysroots", &app->arena, &names, &ignored) < 0)
		return;
	for (; *names; names++) {
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
		struct xb_sysroot_desc *desc = NULL;

		if (xb_sysroot_desc_load(app->data_dir, *names, &desc, &diags, &err) < 0)
			continue;
		if (serves_target(desc, target))
			xb_str_printf(out, "%s%s", out->len ? ", " : "", *names);
		xb_sysroot_desc_free(desc);
	}
}

static int refuse_target(struct xb_app *app, const struct xb_project_target *t, struct xb_err *err)
{
	struct xb_str others XB_CLEANUP(xb_str_release) = {0};

	sysroots_for(app, t->target, &others);
	if (t->target->libc == XB_LIBC_MUSL && !app->sysroot->musl_packages.len)
		xb_fail(err, XB_E_INPUT, "sysroot '%s' has no musl for target '%s'", app->sysroot->name,
			t->target->name);
	else
		xb_fail(err, XB_E_INPUT, "sysroot '%s' has nothing for target '%s' (Debian's '%s')", app->sysroot->name,
			t->target->name, t->target->debian_arch);
	if (others.len)
		xb_hint(err, "sysroots that have it: %s", xb_str_get(&others));
	if (t->at.line)
		xb_diags_help(&app->diags, xb_diags_add(&app->diags, t->at, app->project->source, "%s", err->msg), "%s",
			      err->hint ? err->hint : "no sysroot has it");
	return err->code;
}

static int refuse_libcxx(struct xb_app *app, const struct xb_project_target *t, struct xb_err *err)
{
	const bool is_musl = t->target->libc == XB_LIBC_MUSL;

	xb_fail(err, XB_E_INPUT, "sysroot '%s' has no libc++ for target '%s', which 'cxx: { stdlib: libc++ }' asks for",
		app->sysroot->name, t->target->name);
	if (is_musl)
		xb_hint(err, "Debian builds it for glibc alone: leave this target out of the unit's 'targets:'");
	else
		xb_hint(err, "use a sysroot that has it, as debian-bookworm and debian-trixie do, or the release's own "
			     "packages with 'stdlib: libstdc++'");
	if (t->at.line)
		xb_diags_help(&app->diags, xb_diags_add(&app->diags, t->at, app->project->source, "%s", err->msg), "%s",
			      err->hint);
	return err->code;
}

static void tell_left_out(const struct lock_plan *plan, const struct xb_target *target)
{
	char *text XB_CLEANUP(xb_free_ptr) =
		xb_printf("target '%s': the sysroot's 'packages:' are left out, since Debian builds them for glibc",
			  target->name);

	xb_observe(plan->app->observer, &(struct xb_event){.kind = XB_EVENT_NOTE, .text = text});
}

static int plan_sysroot(struct lock_plan *plan, const struct xb_project_target *t, const struct xb_list *free_names,
			struct xb_err *err)
{
	static const struct xb_words none = {0};
	const struct xb_sysroot_desc *desc = plan->app->sysroot;
	const struct xb_target *target = t->target;
	const bool is_musl = target->libc == XB_LIBC_MUSL;
	/* what Debian has for programs was linked with glibc */
	const struct xb_words *packages = is_musl ? &none : &plan->app->project->packages;
	const struct xb_lock_sysroot *old = lock_keeps(plan) ? xb_lock_sysroot(plan->before, target->name) : NULL;
	struct lock_want want = {.target = target->name, .free_names = free_names};

	if (!serves_target(desc, target))
		return refuse_target(plan->app, t, err);
	want.packages = lock_join_lists(&plan->arena, is_musl ? &desc->musl_packages : &desc->packages, packages->items,
					packages->len);
	if (xb_stdlib_needs_libcxx(plan->app->project, t)) {
		if (is_musl || !desc->libcxx_packages.len)
			return refuse_libcxx(plan->app, t, err);
		want.packages = lock_join_lists(&plan->arena, &want.packages, desc->libcxx_packages.items,
						desc->libcxx_packages.len);
	}
	want.exclude = exclude_but(&plan->arena, &desc->exclude, &(struct xb_list){packages->items, packages->len});
	if (is_musl)
		want.exclude =
			lock_join_lists(&plan->arena, &want.exclude, desc->musl_exclude.items, desc->musl_exclude.len);
	if (is_musl && plan->app->project->packages.len)
		tell_left_out(plan, target);
	/* Another sysroot is another release of Debian: nothing of the old one fits. */
	if (old && strcmp(old->name, desc->name) == 0)
		want.keep = old->packages;
	return lock_plan_add(plan, &desc->debian, target->debian_arch, want, err);
}

int lock_plan_snapshot(struct lock_plan *plan, struct xb_err *err)
{
	const char *snapshot = plan->app->project->snapshot;
	char *compact = xb_arena_alloc(&plan->arena, XB_TIMESTAMP_SIZE);
	int64_t when;

	if (strcmp(snapshot, "latest") == 0)
		return 0;
	if (!xb_timestamp_parse(xb_sv(snapshot), &when))
		return xb_fail(err, XB_E_INPUT, "snapshot '%s' is no time", snapshot);
	plan->snapshot = xb_timestamp_compact(when, false, compact);
	return 0;
}

int lock_plan_all(struct lock_plan *plan, struct xb_err *err)
{
	const struct xb_project *p = plan->app->project;
	struct xb_list *free_names = xb_arena_alloc(&plan->arena, sizeof(*free_names));

	if (lock_plan_snapshot(plan, err) < 0)
		return err->code;
	*free_names = lock_join_lists(&plan->arena, free_names, plan->opts->names, plan->opts->n_names);
	for (size_t i = 0; i < p->hosts.len; i++)
		if (plan_toolchain(plan, p->hosts.items[i], free_names, err) < 0)
			return err->code;
	for (size_t i = 0; !plan->app->sysroot->archives.len && i < p->n_targets; i++)
		if (plan_sysroot(plan, &p->targets[i], free_names, err) < 0)
			return err->code;
	return plan_images(plan, free_names, err) < 0 ? err->code : lock_plan_rust(plan, free_names, err);
}
