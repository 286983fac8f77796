/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/pkg/deb_tree.h"

#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/pkg/deb_archive.h"
#include "xbuild/sys/pool.h"

#define DOC_DIR "usr/share/doc/"

struct unpacking {
	struct xb_store *store;
	const struct xb_deb_tree *spec;
	struct xb_tree_stage *stage;
	struct xb_tree_part **parts; /* same index as the packages */
	size_t *order;		     /* the largest package first */
	int n_threads;
};

static void unpacking_release(struct unpacking *u)
{
	for (size_t i = 0; u->parts && i < u->spec->packages->len; i++)
		xb_tree_part_free(u->parts[i]);
	free(u->parts);
	free(u->order);
	xb_tree_stage_close(u->stage);
}

/*
 * All wait for the largest package in the end, so it begins first and its blocks are decoded side by side, by what is
 * not needed for the other packages. That one alone: such a decoder takes as much memory as all the others together.
 */
static int unpack_one(void *ctx, size_t position, struct xb_err *err)
{
	struct unpacking *u = ctx;
	const size_t i = u->order[position];
	const struct xb_lock_package *package = &u->spec->packages->items[i];

	u->parts[i] = xb_tree_part_new(u->stage, package->name);
	return xb_deb_unpack(u->store, package, u->spec->drop,
			     u->spec->for_image ? XB_DEB_RECORDS_STATUS : XB_DEB_RECORDS_NONE,
			     position == 0 && u->n_threads > 2 ? u->n_threads - 1 : 1, u->parts[i], err);
}

static size_t *largest_first(const struct xb_lock_packages *packages)
{
	size_t *order = xb_alloc((packages->len + 1) * sizeof(*order));

	for (size_t i = 0; i < packages->len; i++) {
		size_t at = i;

		for (; at > 0 && packages->items[order[at - 1]].size_bytes < packages->items[i].size_bytes; at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
	return order;
}

/* True for "usr/share/doc/<package>/copyright", "usr/share/doc/<package>" and what is not below usr/share/doc. */
static bool is_kept(const struct xb_tree_entry *entry)
{
	struct xb_sv rest;

	if (!xb_sv_starts(xb_sv(entry->path), DOC_DIR))
		return true;
	rest = xb_sv(entry->path + strlen(DOC_DIR));
	xb_sv_cut(&rest, '/');
	return !rest.ptr || (entry->type != XB_TREE_DIR && xb_sv_eq_str(rest, "copyright"));
}

static void drop_docs(struct xb_tree_entries *entries)
{
	size_t len = 0;

	for (size_t i = 0; i < entries->len; i++)
		if (is_kept(&entries->items[i]))
			entries->items[len++] = entries->items[i];
	entries->len = len;
}

int xb_deb_tree_prepare(struct xb_store *store, const struct xb_deb_tree *spec, int n_threads,
			struct xb_tree_prepared *out, struct xb_err *err)
{
	struct unpacking u XB_CLEANUP(unpacking_release) = {.store = store, .spec = spec, .n_threads = n_threads};
	struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
	const struct xb_fixup_known known = {.drop = spec->drop, .exclude = spec->exclude};
	struct xb_digest recipe;

	if (xb_tree_stage_open(store, &u.stage, err) < 0)
		return err->code;
	if (spec->for_image)
		xb_tree_stage_for_image(u.stage);
	u.parts = xb_alloc((spec->packages->len + 1) * sizeof(struct xb_tree_part *));
	u.order = largest_first(spec->packages);
	if (xb_parallel(spec->packages->len, n_threads, unpack_one, &u, err) < 0 ||
	    xb_tree_merge(u.parts, spec->packages->len, &entries, err) < 0 || xb_fixup_merge_usr(&entries, err) < 0)
		return xb_wrap(err, "make %s '%s'", spec->kind, spec->name);
	if (spec->for_image)
		drop_docs(&entries);
	xb_deb_tree_recipe(spec, &recipe);
	if (xb_fixup_links(&entries, spec->dangling, &known, err) < 0 ||
	    xb_tree_prepare(u.stage, &entries, &recipe, out, err) < 0)
		return xb_wrap(err, "make %s '%s'", spec->kind, spec->name);
	return 0;
}

int xb_deb_tree_make(struct xb_store *store, const struct xb_deb_tree *spec, int n_threads, struct xb_tree *out,
		     struct xb_err *err)
{
	struct xb_tree_prepared prepared XB_CLEANUP(xb_tree_prepared_release) = {0};

	if (xb_deb_tree_prepare(store, spec, n_threads, &prepared, err) < 0)
		return err->code;
	if (xb_tree_flush(store, err) < 0 || xb_tree_publish(&prepared, out, err) < 0)
		return xb_wrap(err, "make %s '%s'", spec->kind, spec->name);
	return 0;
}
