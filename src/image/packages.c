/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/image/packages.h"

#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/store/tree.h"

int xb_packages_index(const struct xb_tree_entries *entries, struct xb_rootfs *out, struct xb_err *err)
{
	for (size_t i = 0; i < entries->len; i++) {
		const struct xb_tree_entry *e = &entries->items[i];

		/* Sources are never read here: a package is found by names. */
		xb_rootfs_add(out, &(struct xb_rootfs_entry){.path = e->path,
							     .type = e->type,
							     .mode = e->mode,
							     .target = e->target,
							     .size_bytes = e->size_bytes,
							     .digest = e->digest,
							     .origin = e->origin});
	}
	return xb_rootfs_finish(out, err);
}

/* Marks a package and what it depends on. `wanted` has the indices of locked->items. */
static void want(const struct xb_lock_packages *locked, const struct xb_lock_package *package, bool *wanted)
{
	bool *mark = &wanted[package - locked->items];

	if (*mark)
		return;
	*mark = true;
	for (size_t i = 0; i < package->n_depends; i++) {
		const struct xb_lock_package *next = xb_lock_package(locked, package->depends[i]);

		if (next)
			want(locked, next, wanted);
	}
}

/* The first of the loader's default directories that has the library. */
static const char *library_path(const struct xb_rootfs *sysroot, const struct xb_target *target, const char *name,
				struct xb_arena *arena)
{
	static const char *const dirs[] = {"/lib/", "/usr/lib/", "/lib", "/usr/lib"};

	for (size_t i = 0; i < XB_COUNT(dirs); i++) {
		const char *path = xb_arena_printf(arena, "%s%s/%s", dirs[i], i < 2 ? target->multiarch : "", name);

		if (xb_rootfs_resolve(sysroot, path))
			return path;
	}
	return "/";
}

const struct xb_lock_package *xb_packages_owner(const struct xb_rootfs *sysroot, const struct xb_lock_packages *locked,
						const struct xb_target *target, const struct xb_lack *lack)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	const struct xb_rootfs_entry *file;

	if (lack->kind != XB_LACK_INTERPRETER && lack->kind != XB_LACK_LIBRARY)
		return NULL;
	file = xb_rootfs_resolve(sysroot, lack->kind == XB_LACK_LIBRARY
						  ? library_path(sysroot, target, lack->name, &arena)
						  : lack->name);
	return file && file->type == XB_TREE_FILE ? xb_lock_package(locked, file->origin) : NULL;
}

void xb_packages_choose(const struct xb_rootfs *sysroot, const struct xb_lock_packages *locked,
			const struct xb_target *target, const struct xb_lacks *lacks, struct xb_arena *arena,
			const struct xb_lock_package ***out, size_t *out_len)
{
	bool *wanted = xb_arena_array(arena, locked->len, sizeof(*wanted));
	const struct xb_lock_package **list = xb_arena_array(arena, locked->len, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < lacks->len; i++) {
		const struct xb_lock_package *owner = xb_packages_owner(sysroot, locked, target, &lacks->items[i]);

		if (owner)
			want(locked, owner, wanted);
	}
	for (size_t i = 0; i < locked->len; i++) {
		if (wanted[i])
			list[n++] = &locked->items[i];
	}
	*out = list;
	*out_len = n;
}
