/* SPDX-License-Identifier: Apache-2.0 */
#include "spec.h"

#include "xbuild/pkg/deb_archive.h"
#include "xbuild/pkg/fixup.h"

struct unpacking {
	struct xb_arena arena;
	struct xb_tree_stage *stage;
	struct xb_tree_part *part;
	struct xb_tree_entries entries;
};

static void unpacking_release(struct unpacking *u)
{
	xb_tree_entries_release(&u->entries);
	xb_tree_part_free(u->part);
	xb_tree_stage_close(u->stage);
	xb_arena_release(&u->arena);
}

/* Below the root, and below one top directory. */
static struct xb_list machine_drops(struct xb_arena *arena)
{
	struct xb_list list = {0};
	size_t n = 0;

	while (sysroot_foreign_drops[n])
		n++;
	list.items = xb_arena_array(arena, 2 * n, sizeof(*list.items));
	for (size_t i = 0; i < n; i++) {
		list.items[list.len++] = sysroot_foreign_drops[i];
		list.items[list.len++] = xb_arena_printf(arena, "*/%s", sysroot_foreign_drops[i]);
	}
	return list;
}

static int make_from_archive(struct xb_store *store, const struct xb_sysroot_desc *desc,
			     const struct xb_lock_sysroot *lock, int n_threads, struct xb_tree *out, struct xb_err *err)
{
	struct unpacking u XB_CLEANUP(unpacking_release) = {0};
	const struct xb_list drop = machine_drops(&u.arena);
	const char *name = xb_archive_name(lock->archive.url);
	struct xb_digest recipe;

	xb_sysroot_recipe(desc, lock, &recipe);
	if (xb_tree_stage_open(store, &u.stage, err) < 0)
		return err->code;
	u.part = xb_tree_part_new(u.stage, desc->name);
	if (xb_tar_unpack(store, &lock->archive.sha256, name, &(struct xb_tar_choice){.drop = &drop}, n_threads, u.part,
			  err) < 0 ||
	    xb_tree_merge(&u.part, 1, &u.entries, err) < 0 || sysroot_put_right(&u.entries, &desc->drop, err) < 0)
		return xb_wrap(err, "make sysroot '%s'", desc->name);
	return xb_tree_commit(u.stage, &u.entries, &recipe, out, err);
}

int xb_sysroot_make(struct xb_store *store, const struct xb_sysroot_desc *desc, const struct xb_lock_sysroot *lock,
		    int n_threads, struct xb_tree *out, struct xb_err *err)
{
	const struct xb_deb_tree spec = sysroot_spec(desc, lock);

	if (lock->archive.url)
		return make_from_archive(store, desc, lock, n_threads, out, err);
	return xb_deb_tree_make(store, &spec, n_threads, out, err);
}

int xb_package_tree_prepare(struct xb_store *store, const struct xb_lock_package *package, struct xb_tree_prepared *out,
			    struct xb_err *err)
{
	struct xb_lock_packages one;
	const struct xb_deb_tree spec = package_spec(package, &one);

	return xb_deb_tree_prepare(store, &spec, 1, out, err);
}
