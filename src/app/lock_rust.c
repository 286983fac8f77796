/* SPDX-License-Identifier: Apache-2.0 */
/* Which Rust builds, with which crates. */
#include <stdlib.h>
#include <string.h>

#include "lock_plan.h"
#include "rust.h"
#include "xbuild/base/alloc.h"

static const struct xb_lock_packages nothing = {0};

/* What the lock has for it now, where that is of the same Rust. */
static struct xb_lock_packages kept(const struct lock_plan *plan, enum lock_rust rust, const char *name)
{
	const struct xb_lock *before = lock_keeps(plan) ? plan->before : NULL;
	const struct xb_lock_packages *old = NULL;

	if (!before || !before->rust || strcmp(before->rust->name, plan->app->rust->name) != 0)
		return nothing;
	if (rust == LOCK_RUST_HOST)
		old = xb_lock_rust_host(before, name);
	else if (rust == LOCK_RUST_STD)
		old = xb_lock_rust_std(before, name);
	else
		old = &before->rust->crates.packages;
	return old ? *old : nothing;
}

static int plan_host(struct lock_plan *plan, const char *host, const struct xb_list *free_names, struct xb_err *err)
{
	const struct xb_rust_desc *desc = plan->app->rust;
	struct lock_want want = {.rust = LOCK_RUST_HOST,
				 .host = host,
				 .packages = desc->packages,
				 .exclude = desc->exclude,
				 .keep = kept(plan, LOCK_RUST_HOST, host),
				 .free_names = free_names};

	for (size_t i = 0; i < desc->debian_hosts.len; i++)
		if (strcmp(desc->debian_hosts.items[i], host) == 0)
			return lock_plan_add(plan, &desc->debian, xb_host_debian_arch(host), want, err);
	return 0; /* told when somebody builds there: rust_want_recipe() */
}

static int plan_std(struct lock_plan *plan, const struct xb_target *target, const struct xb_list *free_names,
		    struct xb_err *err)
{
	const struct xb_rust_desc *desc = plan->app->rust;
	struct lock_want want = {.rust = LOCK_RUST_STD,
				 .target = target->name,
				 .packages = desc->std_packages,
				 .keep = kept(plan, LOCK_RUST_STD, target->name),
				 .free_names = free_names};

	want.exclude = lock_join_lists(&plan->arena, &desc->exclude, desc->std_exclude.items, desc->std_exclude.len);
	return lock_plan_add(plan, &desc->debian, target->debian_arch, want, err);
}

static int plan_crates(struct lock_plan *plan, const struct xb_list *free_names, struct xb_err *err)
{
	const struct xb_rust_desc *desc = plan->app->rust;
	const struct xb_words *crates = &plan->app->project->crates;
	struct lock_want want = {.rust = LOCK_RUST_CRATES,
				 .exclude = desc->exclude,
				 .keep = kept(plan, LOCK_RUST_CRATES, NULL),
				 .free_names = free_names};

	if (!crates->len)
		return 0;
	want.packages = (struct xb_list){crates->items, crates->len};
	return lock_plan_add(plan, &desc->debian, desc->crates_arch, want, err);
}

int lock_plan_rust(struct lock_plan *plan, const struct xb_list *free_names, struct xb_err *err)
{
	const struct xb_project *p = plan->app->project;

	if (!rust_is_locked(plan->app))
		return 0;
	if (rust_check_units(plan->app, err) < 0)
		return err->code;
	for (size_t i = 0; i < p->hosts.len; i++)
		if (plan_host(plan, p->hosts.items[i], free_names, err) < 0)
			return err->code;
	for (size_t i = 0; i < p->n_targets; i++)
		if (rust_has_std(p->targets[i].target) && plan_std(plan, p->targets[i].target, free_names, err) < 0)
			return err->code;
	return plan_crates(plan, free_names, err);
}

static int compare_lists(const void *a, const void *b)
{
	return strcmp(((const struct xb_lock_rust_list *)a)->name, ((const struct xb_lock_rust_list *)b)->name);
}

/* Crates depend on C libraries too, which come from the sysroots. */
static struct xb_lock_packages only_crates(struct xb_arena *arena, const char *prefix,
					   const struct xb_lock_packages *all)
{
	bool *marks = xb_alloc(all->len + 1);
	struct xb_lock_packages crates;

	for (size_t i = 0; i < all->len; i++)
		marks[i] = xb_sv_starts(xb_sv(all->items[i].name), prefix);
	crates = lock_part_of(arena, all, marks, true);
	free(marks);
	return crates;
}

void lock_add_rust(const struct lock_plan *plan, struct xb_lock *lock)
{
	const struct xb_rust_desc *desc = plan->app->rust;
	const size_t max = plan->wants.len + 1;
	struct xb_lock_rust *rust;

	if (!rust_is_locked(plan->app))
		return;
	rust = lock->rust = xb_arena_alloc(&lock->arena, sizeof(*rust));
	rust->name = desc->name;
	rust->version = desc->version;
	rust->hosts = xb_arena_array(&lock->arena, max, sizeof(*rust->hosts));
	rust->std = xb_arena_array(&lock->arena, max, sizeof(*rust->std));
	for (size_t i = 0; i < plan->wants.len; i++) {
		const struct lock_want *w = &plan->wants.items[i];
		const struct xb_lock_package *compiler = xb_lock_package(&w->result, desc->packages.items[0]);

		if (w->rust == LOCK_RUST_HOST)
			rust->hosts[rust->n_hosts++] = (struct xb_lock_rust_list){w->host, w->result};
		else if (w->rust == LOCK_RUST_STD)
			rust->std[rust->n_std++] = (struct xb_lock_rust_list){w->target, w->result};
		else if (w->rust == LOCK_RUST_CRATES)
			rust->crates = (struct xb_lock_rust_list){
				desc->crates_arch, only_crates(&lock->arena, desc->crates_prefix, &w->result)};
		if (w->rust == LOCK_RUST_HOST && compiler)
			rust->version = lock_upstream_version(&lock->arena, compiler->version);
	}
	qsort(rust->hosts, rust->n_hosts, sizeof(*rust->hosts), compare_lists);
	qsort(rust->std, rust->n_std, sizeof(*rust->std), compare_lists);
}

/* A standard library is of one compiler, and crates may need the newer one: all must have the same version. */
int lock_check_rust(const struct xb_app *app, const struct xb_lock *lock, struct xb_err *err)
{
	const struct xb_lock_rust *rust = lock->rust;
	const struct xb_lock_package *first = NULL;

	for (size_t i = 0; rust && i < rust->n_hosts + rust->n_std; i++) {
		const struct xb_lock_rust_list *list =
			i < rust->n_hosts ? &rust->hosts[i] : &rust->std[i - rust->n_hosts];
		/* the standard library's package is among those of a compiler */
		const struct xb_lock_package *std = xb_lock_package(&list->packages, app->rust->std_packages.items[0]);

		if (first && std && strcmp(first->version, std->version) != 0) {
			xb_fail(err, XB_E_UNSAT, "Rust is %s for one architecture and %s for '%s'", first->version,
				std->version, list->name);
			return xb_hint(err, "let all move: 'xbuild lock --update'");
		}
		first = first ? first : std;
	}
	return 0;
}
