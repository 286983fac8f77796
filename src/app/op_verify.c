/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/op_fetch.h"

#include "fetch_plan.h"
#include "rust.h"
#include "xbuild/base/alloc.h"

/* All that the lock has for this host and the project's targets, whether the store has it or not. */
static size_t all_wants(struct xb_app *app, struct xb_want **out)
{
	const struct xb_project *project = app->project;
	struct xb_want *wants;
	size_t max = 4, n = 0;

	for (size_t i = 0; i < app->lock->n_sysroots; i++)
		max += 1 + app->lock->sysroots[i].packages.len;
	for (size_t i = 0; i < app->lock->n_images; i++)
		max += app->lock->images[i].packages.len;
	wants = xb_arena_array(&app->arena, max, sizeof(*wants));
	wants[n++] = (struct xb_want){.kind = XB_WANT_TOOLCHAIN, .name = app->host.name};
	wants[n++] = (struct xb_want){.kind = XB_WANT_TOOLS, .name = app->host.name};
	n += rust_wants(app, wants + n);
	for (size_t t = 0; t < project->n_targets; t++) {
		const char *name = project->targets[t].target->name;
		const struct xb_lock_sysroot *sysroot = xb_lock_sysroot(app->lock, name);

		if (!sysroot)
			continue;
		wants[n++] = (struct xb_want){.kind = XB_WANT_SYSROOT, .name = name};
		for (size_t i = 0; i < sysroot->packages.len; i++)
			wants[n++] = (struct xb_want){
				.kind = XB_WANT_PACKAGE, .name = name, .package = sysroot->packages.items[i].name};
	}
	n += fetch_image_wants(app->lock, wants + n);
	*out = wants;
	return n;
}

/*
 * What was built with a damaged tree may be wrong without a word: a header that is gone changes what __has_include says.
 * Before the tree goes, so that a crash in between leaves no such result beside a sound tree; and after it, because of who
 * opened the store and found the tree in between.
 */
static int discard(struct xb_app *app, const struct xb_digest *recipe, struct xb_err *err)
{
	if (xb_store_renew(app->store, err) < 0 || xb_tree_discard(app->store, recipe, err) < 0)
		return err->code;
	return xb_store_renew(app->store, err);
}

/* 1: looked at, and sound; 0: not in the store; XB_E_DIGEST: damaged. */
static int look(struct xb_app *app, const struct xb_digest *recipe, struct xb_err *err)
{
	struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0};
	const int rc = xb_tree_find(app->store, recipe, &tree, err);

	if (rc > 0 && xb_tree_check(tree.dir, &tree.digest, XB_TREE_LOOK_WHOLE, err) < 0)
		return err->code;
	return rc;
}

/* As look; a damaged tree is gone by now. */
static int verify(struct xb_app *app, const struct xb_want *want, struct xb_err *err)
{
	struct xb_filelock lock XB_CLEANUP(xb_filelock_release) = {.fd = -1};
	struct xb_err damage XB_CLEANUP(xb_err_release) = {0};
	struct xb_digest recipe;
	char hex[XB_DIGEST_HEX];
	bool none;
	int rc;

	if (app->interrupted && *app->interrupted)
		return xb_fail(err, XB_E_INTERRUPTED, "interrupted");
	if (!xb_want_is_tree(want))
		return 0;
	if (xb_want_recipe(app, want, &recipe, &none, err) < 0)
		return err->code;
	rc = none ? 0 : look(app, &recipe, err);
	if (rc != XB_E_DIGEST)
		return rc;
	/* Another process may just be taking it out or have mended it: what counts is how it is under its lock. */
	xb_err_clear(err);
	if (xb_store_lock(app->store, fetch_lock_key(want, &recipe, hex), &lock, err) < 0)
		return err->code;
	rc = look(app, &recipe, &damage);
	if (rc == XB_E_DIGEST && discard(app, &recipe, err) < 0)
		return err->code;
	if (rc < 0)
		xb_err_move(err, &damage);
	return rc;
}

static void tell_verified(const struct xb_app *app, size_t n_sound, size_t n_damaged, int64_t began_ms)
{
	char *label XB_CLEANUP(xb_free_ptr) =
		xb_printf("%zu unpacked %s%s", n_sound + n_damaged, n_sound + n_damaged == 1 ? "tree" : "trees",
			  n_damaged ? "" : ", all sound");

	xb_observe(app->observer, &(struct xb_event){.kind = XB_EVENT_DONE,
						     .verb = "Verified",
						     .label = label,
						     .elapsed_ms = xb_host_monotonic_ms() - began_ms});
}

/* The damaged ones of wants come first afterwards; *out_damaged is their number. */
static int verify_all(struct xb_app *app, struct xb_want *wants, size_t n_wants, size_t *out_damaged,
		      struct xb_err *err)
{
	const int64_t began_ms = xb_host_monotonic_ms();
	size_t n_sound = 0, n_damaged = 0;

	for (size_t i = 0; i < n_wants; i++) {
		const int rc = verify(app, &wants[i], err);

		n_sound += rc == 1;
		if (rc >= 0)
			continue;
		if (rc != XB_E_DIGEST)
			return rc;
		xb_observe(app->observer, &(struct xb_event){.kind = XB_EVENT_WARNING, .text = err->msg});
		xb_err_clear(err);
		wants[n_damaged++] = wants[i];
	}
	tell_verified(app, n_sound, n_damaged, began_ms);
	if (n_damaged)
		xb_observe(app->observer, &(struct xb_event){.kind = XB_EVENT_NOTE,
							     .text = "what was built before is built again: it may "
								     "have been made with what was damaged"});
	*out_damaged = n_damaged;
	return 0;
}

int xb_op_fetch_verify(struct xb_app *app, const struct xb_want *wants, size_t n_wants, struct xb_fetch_summary *out,
		       struct xb_err *err)
{
	struct xb_fetch_summary mended = {0};
	struct xb_want *looked_at;
	size_t n_damaged = 0, n = n_wants;

	if (xb_app_need_lock(app, err) < 0 || xb_app_need_store(app, err) < 0)
		return err->code;
	if (n_wants) {
		looked_at = xb_arena_array(&app->arena, n_wants, sizeof(*looked_at));
		for (size_t i = 0; i < n_wants; i++)
			looked_at[i] = wants[i];
	} else {
		n = all_wants(app, &looked_at);
	}
	if (verify_all(app, looked_at, n, &n_damaged, err) < 0)
		return err->code;
	/* Packages of images are not among what a fetch loads on its own. */
	if (n_damaged && xb_op_fetch(app, looked_at, n_damaged, &mended, err) < 0)
		return err->code;
	if (xb_op_fetch(app, wants, n_wants, out, err) < 0)
		return err->code;
	out->n_files += mended.n_files;
	out->bytes += mended.bytes;
	out->n_cached += mended.n_cached;
	out->n_trees += mended.n_trees;
	return 0;
}
