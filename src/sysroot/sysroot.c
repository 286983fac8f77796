/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sysroot/sysroot.h"

#include "spec.h"

/* What no program in a container reads. Copyright files are kept: licenses ask for it. */
static const char *image_drop_items[] = {
	"usr/share/bug/**", "usr/share/doc-base/**", "usr/share/info/**", "usr/share/lintian/**", "usr/share/man/**",
};
static const struct xb_list image_drop = {image_drop_items, XB_COUNT(image_drop_items)};

struct xb_deb_tree sysroot_spec(const struct xb_sysroot_desc *desc, const struct xb_lock_sysroot *lock)
{
	return (struct xb_deb_tree){.kind = "sysroot",
				    .name = desc->name,
				    .variant = desc->gcc,
				    .packages = &lock->packages,
				    .drop = &desc->drop,
				    .exclude = &desc->exclude,
				    .dangling = XB_DANGLING_REFUSE_LIBRARIES};
}

struct xb_deb_tree package_spec(const struct xb_lock_package *package, struct xb_lock_packages *one)
{
	/* Read only through the const pointer of the spec. */
	*one = (struct xb_lock_packages){.items = (struct xb_lock_package *)(uintptr_t)package, .len = 1};
	return (struct xb_deb_tree){.kind = "package",
				    .name = package->name,
				    .variant = "",
				    .packages = one,
				    .drop = &image_drop,
				    .dangling = XB_DANGLING_KEEP,
				    .for_image = true};
}

void xb_sysroot_recipe(const struct xb_sysroot_desc *desc, const struct xb_lock_sysroot *lock, struct xb_digest *out)
{
	const struct xb_deb_tree spec = sysroot_spec(desc, lock);

	xb_deb_tree_recipe(&spec, out);
}

void xb_package_tree_recipe(const struct xb_lock_package *package, struct xb_digest *out)
{
	struct xb_lock_packages one;
	const struct xb_deb_tree spec = package_spec(package, &one);

	xb_deb_tree_recipe(&spec, out);
}

int xb_sysroot_find(const struct xb_store *store, const struct xb_sysroot_desc *desc,
		    const struct xb_lock_sysroot *lock, const struct xb_target *target, struct xb_arena *arena,
		    struct xb_sysroot_paths *out, struct xb_err *err)
{
	struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0};
	struct xb_digest recipe;
	int found;

	xb_sysroot_recipe(desc, lock, &recipe);
	found = xb_tree_find(store, &recipe, &tree, err);
	if (found <= 0)
		return found;
	*out = (struct xb_sysroot_paths){
		.target = target,
		.dir = xb_arena_strdup(arena, tree.dir),
		.manifest = xb_arena_strdup(arena, tree.manifest),
		.digest = tree.digest,
		.digest_size = tree.digest_size,
		.gcc_dir = xb_arena_printf(arena, "usr/lib/gcc/%s/%s", target->gcc_triple, desc->gcc),
		.gcc_version = xb_arena_strdup(arena, desc->gcc),
	};
	return 1;
}
