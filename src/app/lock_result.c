/* SPDX-License-Identifier: Apache-2.0 */
#include "lock_plan.h"

#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/sys/json.h"

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

struct xb_lock_packages lock_part_of(struct xb_arena *arena, const struct xb_lock_packages *all, const bool *marks,
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
	out->packages = lock_part_of(arena, all, marks, true);
	out->tools = lock_part_of(arena, all, marks, false);
	free(marks);
}

const char *lock_upstream_version(struct xb_arena *arena, const char *version)
{
	const char *colon = strchr(version, ':'), *start = colon ? colon + 1 : version;

	return xb_arena_sv(arena, xb_sv_n(start, strspn(start, "0123456789.")));
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static const struct lock_want *find_want(const struct lock_plan *plan, const char *host, const char *target,
					 const char *image)
{
	for (size_t i = 0; i < plan->wants.len; i++) {
		const struct lock_want *w = &plan->wants.items[i];

		if (!w->rust && is_same(w->host, host) && is_same(w->target, target) && is_same(w->image, image))
			return w;
	}
	return NULL;
}

static void add_toolchain(struct lock_plan *plan, struct xb_lock *lock, const char *host)
{
	const struct xb_toolchain_desc *desc = plan->app->toolchain;
	struct xb_lock_toolchain *t = &lock->toolchains[lock->n_toolchains++];
	const struct lock_want *want = find_want(plan, host, NULL, NULL);
	const struct xb_archive_ref *archive = xb_archive_ref_find(&desc->archives, host);
	const struct xb_lock_package *compiler;

	*t = (struct xb_lock_toolchain){
		.host = host, .name = desc->name, .version = desc->version, .archive.size_bytes = -1};
	if (!want) {
		t->archive.url = archive->url;
		t->archive.sha256 = archive->sha256;
		t->archive.size_bytes = archive->size_bytes;
		return;
	}
	split_tools(&lock->arena, &desc->packages, &want->result, t);
	/* The first package of the description is the compiler. */
	compiler = desc->packages.len ? xb_lock_package(&want->result, desc->packages.items[0]) : NULL;
	if (compiler)
		t->version = lock_upstream_version(&lock->arena, compiler->version);
}

/* All hosts must write the same bytes, so all must have the same compiler. */
int lock_check_versions(struct xb_app *app, const struct xb_lock *lock, struct xb_err *err)
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

static int compare_images(const void *a, const void *b)
{
	const struct xb_lock_image *x = a, *y = b;
	const int by_image = strcmp(x->image, y->image);

	return by_image ? by_image : strcmp(x->target, y->target);
}

static void add_images(const struct lock_plan *plan, struct xb_lock *lock)
{
	lock->images = xb_arena_array(&lock->arena, plan->wants.len + 1, sizeof(*lock->images));
	for (size_t i = 0; i < plan->wants.len; i++) {
		const struct lock_want *w = &plan->wants.items[i];

		if (w->image)
			lock->images[lock->n_images++] =
				(struct xb_lock_image){.image = w->image, .target = w->target, .packages = w->result};
	}
	qsort(lock->images, lock->n_images, sizeof(*lock->images), compare_images);
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

static void add_wishes(const struct xb_project *project, struct xb_lock *lock)
{
	json_t *wishes XB_CLEANUP(xb_json_release) = xb_project_lock_wishes(project);
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	xb_json_write(wishes, 0, true, &text);
	lock->wishes = xb_arena_strdup(&lock->arena, xb_str_get(&text));
	xb_project_lock_inputs(project, &lock->inputs);
}

void lock_assemble(struct lock_plan *plan, struct xb_lock *lock)
{
	const struct xb_project *p = plan->app->project;

	add_wishes(p, lock);
	lock->toolchains = xb_arena_array(&lock->arena, p->hosts.len + 1, sizeof(*lock->toolchains));
	for (size_t i = 0; i < p->hosts.len; i++)
		add_toolchain(plan, lock, p->hosts.items[i]);
	qsort(lock->toolchains, lock->n_toolchains, sizeof(*lock->toolchains), compare_toolchains);
	lock->sysroots = xb_arena_array(&lock->arena, p->n_targets + 1, sizeof(*lock->sysroots));
	for (size_t i = 0; i < p->n_targets; i++) {
		const char *target = p->targets[i].target->name;

		lock->sysroots[lock->n_sysroots++] = (struct xb_lock_sysroot){
			.target = target, .name = plan->app->sysroot->name, .archive.size_bytes = -1};
		if (!plan->app->sysroot->archives.len)
			lock->sysroots[i].packages = find_want(plan, NULL, target, NULL)->result;
	}
	qsort(lock->sysroots, lock->n_sysroots, sizeof(*lock->sysroots), compare_sysroots);
	lock_add_rust(plan, lock);
	add_images(plan, lock);
	add_suites(plan, lock);
}
