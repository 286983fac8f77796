/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/op_outdated.h"

#include <stdlib.h>
#include <string.h>

#include "lock_plan.h"

void xb_outdated_release(struct xb_outdated *result)
{
	if (!result)
		return;
	free(result->items);
	xb_arena_release(&result->arena);
	*result = (struct xb_outdated){0};
}

static const char *copy(struct xb_outdated *out, const char *text)
{
	return text ? xb_arena_strdup(&out->arena, text) : NULL;
}

/* Copies all but `where`, which is the result's. */
static void add(struct xb_outdated *out, const struct xb_outdated_item *item)
{
	if (out->n_items == out->cap)
		out->items = xb_vec_grow(out->items, &out->cap, sizeof(*out->items));
	out->items[out->n_items++] = (struct xb_outdated_item){.where = item->where,
							       .name = copy(out, item->name),
							       .before = copy(out, item->before),
							       .after = copy(out, item->after),
							       .suite = copy(out, item->suite)};
}

/* Both lists are sorted by name, so one walk over the two finds every difference. */
static void compare_packages(const struct xb_lock_packages *before, const struct xb_lock_packages *after,
			     const char *where, struct xb_outdated *out)
{
	size_t i = 0, k = 0;

	while (i < before->len || k < after->len) {
		const struct xb_lock_package *old = i < before->len ? &before->items[i] : NULL;
		const struct xb_lock_package *new = k < after->len ? &after->items[k] : NULL;
		const int order = !old ? 1 : !new ? -1 : strcmp(old->name, new->name);

		if (order != 0 || strcmp(old->version, new->version) != 0 || !xb_digest_eq(&old->sha256, &new->sha256))
			add(out, &(struct xb_outdated_item){.where = where,
							    .name = order <= 0 ? old->name : new->name,
							    .before = order <= 0 ? old->version : NULL,
							    .after = order >= 0 ? new->version : NULL,
							    .suite = order >= 0 ? new->suite : NULL});
		i += order <= 0;
		k += order >= 0;
	}
}

/* What the lock has no list of any more, or not yet, is compared with nothing. */
static void compare_debian(const struct xb_lock *before, const struct xb_lock *after, struct xb_outdated *out)
{
	static const struct xb_lock_packages none;

	for (size_t i = 0; i < after->n_toolchains; i++) {
		const struct xb_lock_toolchain *new = &after->toolchains[i],
					       *old = xb_lock_toolchain(before, new->host);
		const char *where = xb_arena_printf(&out->arena, "toolchain of %s", new->host);

		compare_packages(old ? &old->packages : &none, &new->packages, where, out);
		compare_packages(old ? &old->tools : &none, &new->tools, where, out);
	}
	for (size_t i = 0; i < after->n_sysroots; i++) {
		const struct xb_lock_sysroot *new = &after->sysroots[i], *old = xb_lock_sysroot(before, new->target);

		compare_packages(old ? &old->packages : &none, &new->packages,
				 xb_arena_printf(&out->arena, "sysroot of %s", new->target), out);
	}
	for (size_t i = 0; after->rust && i < after->rust->n_hosts; i++) {
		const struct xb_lock_rust_list *new = &after->rust->hosts[i];
		const struct xb_lock_packages *old = xb_lock_rust_host(before, new->name);

		compare_packages(old ? old : &none, &new->packages,
				 xb_arena_printf(&out->arena, "rust of %s", new->name), out);
	}
	if (after->rust)
		compare_packages(before->rust ? &before->rust->crates.packages : &none, &after->rust->crates.packages,
				 "crates", out);
	for (size_t i = 0; i < after->n_images; i++) {
		const struct xb_lock_image *new = &after->images[i];
		const struct xb_lock_image *old = xb_lock_image(before, new->image, new->target);

		compare_packages(old ? &old->packages : &none, &new->packages,
				 xb_arena_printf(&out->arena, "image %s, %s", new->image, new->target), out);
	}
}

static const struct xb_lock_apk *find_apk(const struct xb_lock_apko *apko, const struct xb_lock_apk *like)
{
	for (size_t i = 0; apko && i < apko->n_packages; i++) {
		if (strcmp(apko->packages[i].name, like->name) == 0 && strcmp(apko->packages[i].arch, like->arch) == 0)
			return &apko->packages[i];
	}
	return NULL;
}

/* Installation order is not sorted, so each is looked for in the other list. */
static void compare_apko(const struct xb_lock_apko *before, const struct xb_lock_apko *after, struct xb_outdated *out)
{
	for (size_t i = 0; i < after->n_packages; i++) {
		const struct xb_lock_apk *new = &after->packages[i], *old = find_apk(before, new);

		if (!old || strcmp(old->version, new->version) != 0 || !xb_digest_eq(&old->sha256, &new->sha256))
			add(out, &(struct xb_outdated_item){
					 .where = xb_arena_printf(&out->arena, "%s, %s", after->path, new->arch),
					 .name = new->name,
					 .before = old ? old->version : NULL,
					 .after = new->version});
	}
	for (size_t i = 0; before && i < before->n_packages; i++) {
		const struct xb_lock_apk *old = &before->packages[i];

		if (!find_apk(after, old))
			add(out, &(struct xb_outdated_item){
					 .where = xb_arena_printf(&out->arena, "%s, %s", after->path, old->arch),
					 .name = old->name,
					 .before = old->version});
	}
}

static void compare_bases(const struct xb_lock *before, const struct xb_lock *after, struct xb_outdated *out)
{
	char was[XB_DIGEST_OCI], is[XB_DIGEST_OCI];

	for (size_t i = 0; i < after->n_bases; i++) {
		const struct xb_lock_base *new = &after->bases[i], *old = xb_lock_base(before, new->ref);

		if (!old || !xb_digest_eq(&old->index, &new->index))
			add(out, &(struct xb_outdated_item){.where = "base image",
							    .name = new->ref,
							    .before = old ? xb_digest_oci(&old->index, was) : NULL,
							    .after = xb_digest_oci(&new->index, is)});
	}
}

static int solve_and_compare(struct xb_app *app, const struct xb_lock_opts *opts, const struct xb_lock *before,
			     struct xb_outdated *out, struct xb_err *err)
{
	struct lock_plan plan XB_CLEANUP(lock_plan_release) = {.app = app, .opts = opts, .before = before};
	struct xb_lock after = {0};

	const int rc = lock_resolve(&plan, &after, err);

	if (rc == 0) {
		compare_debian(before, &after, out);
		for (size_t i = 0; i < after.n_apkos; i++)
			compare_apko(xb_lock_apko(before, after.apkos[i].path), &after.apkos[i], out);
		compare_bases(before, &after, out);
	}
	xb_arena_release(&after.arena);
	return rc;
}

int xb_op_outdated(struct xb_app *app, bool allow_rollback, struct xb_outdated *out, struct xb_err *err)
{
	const struct xb_lock_opts opts = {.update = true, .allow_rollback = allow_rollback};
	struct xb_outdated result = {0};
	struct xb_lock *before = NULL;
	int r;

	if (lock_need_all(app, err) < 0 || lock_read_before(app, &before, err) < 0)
		return err->code;
	r = lock_check(app, before, err);
	if (r == 0 && app->options.offline) {
		r = xb_fail(err, XB_E_NETWORK, "look for newer packages: the package indexes cannot be read offline");
		xb_hint(err, "run 'xbuild outdated' without --offline");
	}
	if (r == 0)
		r = solve_and_compare(app, &opts, before, &result, err);
	xb_lock_free(before);
	if (r < 0) {
		xb_outdated_release(&result);
		return r;
	}
	*out = result;
	return 0;
}
