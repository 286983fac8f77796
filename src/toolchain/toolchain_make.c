/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "spec.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/pkg/deb_archive.h"

/* The patterns, and the same below one top directory: some archives have one, some have not. */
static struct xb_list keep_patterns(struct xb_arena *arena)
{
	struct xb_list list = {0};
	size_t n = 0;

	while (toolchain_archive_files[n])
		n++;
	list.items = xb_arena_array(arena, 2 * n, sizeof(*list.items));
	for (size_t i = 0; i < n; i++) {
		list.items[list.len++] = toolchain_archive_files[i];
		list.items[list.len++] = xb_arena_printf(arena, "*/%s", toolchain_archive_files[i]);
	}
	return list;
}

/* Cuts the one top directory off, unless bin/ is at the top already. */
static int strip_top(struct xb_tree_entries *entries, struct xb_err *err)
{
	const struct xb_tree_entry *bin = xb_tree_entries_find(entries, "bin");
	struct xb_sv top = {0};
	size_t len = 0;

	if (bin && bin->type == XB_TREE_DIR)
		return 0;
	for (size_t i = 0; i < entries->len; i++) {
		struct xb_sv rest = xb_sv(entries->items[i].path);
		const struct xb_sv first = xb_sv_cut(&rest, '/');

		if (top.ptr && !xb_sv_eq(top, first))
			return xb_fail(err, XB_E_VERIFY, "the archive has neither bin/ nor one top directory");
		top = first;
		if (!rest.ptr)
			continue;
		entries->items[len] = entries->items[i];
		entries->items[len++].path = rest.ptr;
	}
	entries->len = len;
	xb_tree_entries_sort(entries);
	return 0;
}

struct archive_unpacking {
	struct xb_arena arena;
	struct xb_tree_stage *stage;
	struct xb_tree_part *part;
	struct xb_tree_entries entries;
};

static void archive_unpacking_release(struct archive_unpacking *u)
{
	xb_tree_entries_release(&u->entries);
	xb_tree_part_free(u->part);
	xb_tree_stage_close(u->stage);
	xb_arena_release(&u->arena);
}

static int make_from_archive(struct xb_store *store, const struct xb_toolchain_desc *desc,
			     const struct xb_lock_toolchain *lock, struct xb_tree *out, struct xb_err *err)
{
	struct archive_unpacking u XB_CLEANUP(archive_unpacking_release) = {0};
	const struct xb_list keep = keep_patterns(&u.arena);
	const struct xb_sv file = xb_path_base(xb_sv(lock->archive_url));
	const char *name = xb_arena_sv(&u.arena, file);
	struct xb_digest recipe;

	xb_toolchain_recipe(desc, lock, XB_TOOLCHAIN_BASE, &recipe);
	if (xb_tree_stage_open(store, &u.stage, err) < 0)
		return err->code;
	u.part = xb_tree_part_new(u.stage, desc->name);
	if (xb_tar_unpack(store, &lock->archive_sha256, name, 0, &keep, u.part, err) < 0 ||
	    xb_tree_merge(&u.part, 1, &u.entries, err) < 0 || strip_top(&u.entries, err) < 0 ||
	    xb_fixup_links(&u.entries, XB_DANGLING_REMOVE, NULL, err) < 0)
		return xb_wrap(err, "make toolchain '%s'", desc->name);
	if (!xb_tree_entries_find(&u.entries, "bin/clang"))
		return xb_fail(err, XB_E_VERIFY, "make toolchain '%s': the archive '%s' has no bin/clang", desc->name,
			       name);
	return xb_tree_commit(u.stage, &u.entries, &recipe, out, err);
}

int xb_toolchain_make(struct xb_store *store, const struct xb_toolchain_desc *desc,
		      const struct xb_lock_toolchain *lock, enum xb_toolchain_part part, int n_threads,
		      struct xb_tree *out, struct xb_err *err)
{
	struct xb_deb_tree spec;

	if (lock->archive_url)
		return make_from_archive(store, desc, lock, out, err);
	spec = toolchain_spec(desc, lock, part);
	return xb_deb_tree_make(store, &spec, n_threads, out, err);
}
