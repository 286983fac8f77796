/* SPDX-License-Identifier: Apache-2.0 */
/* What the names of base images lead to, into the lock. */
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "base_image.h"
#include "lock_plan.h"
#include "xbuild/base/alloc.h"

static bool is_named(const struct xb_lock_opts *opts, const char *ref)
{
	for (size_t i = 0; i < opts->n_names; i++) {
		if (strcmp(opts->names[i], ref) == 0)
			return true;
	}
	return false;
}

static bool has_all(const struct xb_lock_base *base, const struct xb_target *const *targets, size_t n_targets)
{
	for (size_t i = 0; i < n_targets; i++) {
		size_t k = 0;

		while (k < base->n_platforms && strcmp(base->platforms[k].target, targets[i]->name) != 0)
			k++;
		if (k == base->n_platforms)
			return false;
	}
	return base->n_platforms == n_targets;
}

/* A pinned base stays until an update is asked for, of everything or of it. */
static bool is_pinned(const struct lock_plan *plan, const struct xb_lock_base *old)
{
	return old && (!plan->opts->update || (plan->opts->n_names && !is_named(plan->opts, old->ref)));
}

/* Targets of all images that stand on this base. */
static size_t targets_of(const struct xb_project *p, const char *ref, const struct xb_target **out)
{
	size_t n = 0;

	for (size_t t = 0; t < p->n_targets; t++) {
		bool wanted = false;

		for (size_t i = 0; i < p->n_images && !wanted; i++)
			wanted = p->images[i].base_ref && strcmp(p->images[i].base_ref, ref) == 0 &&
				 base_covers(&p->images[i], p->targets[t].target);
		if (wanted)
			out[n++] = p->targets[t].target;
	}
	return n;
}

static int blame(struct xb_app *app, const struct xb_image *image, struct xb_err *err)
{
	xb_wrap(err, "base '%s' of image '%s'", image->base_ref, image->name);
	if (err->code == XB_E_INPUT || err->code == XB_E_USAGE || err->code == XB_E_NOT_FOUND) {
		xb_diags_help(&app->diags,
			      xb_diags_add(&app->diags, image->at_base, app->project->source, "%s", err->msg), "%s",
			      err->hint ? err->hint : "is the name right, and may you read it?");
		err->code = XB_E_INPUT;
	}
	return err->code;
}

static int add_base(struct lock_plan *plan, const struct xb_image *image, struct xb_lock *lock, struct xb_err *err)
{
	struct xb_app *app = plan->app;
	const struct xb_target **targets = xb_arena_array(&lock->arena, app->project->n_targets, sizeof(*targets));
	const size_t n_targets = targets_of(app->project, image->base_ref, targets);
	const struct xb_lock_base *old = plan->before ? xb_lock_base(plan->before, image->base_ref) : NULL;
	struct xb_lock_base *base = &lock->bases[lock->n_bases];
	struct base_origin *origin = NULL;
	int r;

	if (xb_lock_base(lock, image->base_ref))
		return 0;
	if (is_pinned(plan, old) && has_all(old, targets, n_targets)) {
		*base = *old;
		lock->n_bases++;
		return 0;
	}
	r = base_origin_open(app, image->base_ref, &origin, err);
	if (r == 0)
		r = base_origin_resolve(origin, is_pinned(plan, old) ? &old->index : NULL, targets, n_targets,
					&lock->arena, base, err);
	base_origin_close(origin);
	if (r < 0)
		return blame(app, image, err);
	lock->n_bases++;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct xb_lock_base *)a)->ref, ((const struct xb_lock_base *)b)->ref);
}

int lock_bases(struct lock_plan *plan, struct xb_lock *lock, struct xb_err *err)
{
	const struct xb_project *p = plan->app->project;

	lock->bases = xb_arena_array(&lock->arena, p->n_images, sizeof(*lock->bases));
	for (size_t i = 0; i < p->n_images; i++) {
		if (p->images[i].base_ref && add_base(plan, &p->images[i], lock, err) < 0)
			return err->code;
	}
	if (lock->n_bases)
		qsort(lock->bases, lock->n_bases, sizeof(*lock->bases), compare);
	return 0;
}
