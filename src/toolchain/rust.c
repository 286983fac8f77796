/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/toolchain/rust.h"

#include "spec.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/model/target.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/proc.h"

static void add_packages(struct xb_lock_packages *all, const struct xb_lock_packages *more)
{
	for (size_t i = 0; i < more->len; i++) {
		size_t k = 0;

		/* the host's own standard library is in its list and in that of a target of this architecture */
		while (k < all->len && !xb_digest_eq(&all->items[k].sha256, &more->items[i].sha256))
			k++;
		if (k == all->len)
			all->items[all->len++] = more->items[i];
	}
}

struct xb_deb_tree rust_spec(const struct xb_rust_desc *desc, const struct xb_lock *lock, const char *host,
			     struct xb_arena *arena)
{
	const struct xb_lock_packages *programs = xb_lock_rust_host(lock, host);
	struct xb_lock_packages *all = xb_arena_alloc(arena, sizeof(*all));
	size_t max = programs->len;

	for (size_t i = 0; i < lock->rust->n_std; i++)
		max += lock->rust->std[i].packages.len;
	all->items = xb_arena_array(arena, max, sizeof(*all->items));
	add_packages(all, programs);
	for (size_t i = 0; i < lock->rust->n_std; i++)
		add_packages(all, &lock->rust->std[i].packages);
	return (struct xb_deb_tree){.kind = "rust",
				    .name = desc->name,
				    .variant = "",
				    .packages = all,
				    .drop = &desc->drop,
				    .dangling = XB_DANGLING_REMOVE};
}

struct xb_deb_tree crates_spec(const struct xb_rust_desc *desc, const struct xb_lock *lock)
{
	return (struct xb_deb_tree){.kind = "crates",
				    .name = desc->name,
				    .variant = "",
				    .packages = &lock->rust->crates.packages,
				    .drop = &desc->crates_drop,
				    .dangling = XB_DANGLING_REMOVE};
}

void xb_rust_recipe(const struct xb_rust_desc *desc, const struct xb_lock *lock, const char *host,
		    struct xb_digest *out)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	const struct xb_deb_tree spec = rust_spec(desc, lock, host, &arena);

	xb_deb_tree_recipe(&spec, out);
}

void xb_crates_recipe(const struct xb_rust_desc *desc, const struct xb_lock *lock, struct xb_digest *out)
{
	const struct xb_deb_tree spec = crates_spec(desc, lock);

	xb_deb_tree_recipe(&spec, out);
}

static int fill_tools(const struct xb_rust_desc *desc, const struct xb_lock *lock, const char *host_name,
		      const struct xb_tree *tree, struct xb_arena *arena, struct xb_tools *out, struct xb_err *err)
{
	/* Hosts are named as targets are. */
	const struct xb_target *host = xb_target_find(xb_sv(host_name));
	char *emulator XB_CLEANUP(xb_free_ptr) = NULL;

	if (!host)
		return xb_fail(err, XB_E_INPUT, "Rust '%s': packages for host '%s' are not known to work", desc->name,
			       host_name);
	if (xb_proc_emulator(&emulator, err) < 0)
		return err->code;
	*out = (struct xb_tools){
		.dir = xb_arena_strdup(arena, tree->dir),
		.digest = tree->digest,
		.digest_size = tree->digest_size,
		.bin_dir = xb_arena_strdup(arena, desc->bin_dir),
		.loader = xb_arena_printf(arena, "usr/lib/%s/%.*s", host->multiarch,
					  XB_SV_ARG(xb_path_base(xb_sv(host->interpreter)))),
		.library_path = xb_arena_printf(arena, "usr/lib/%s", host->multiarch),
		.emulator = emulator ? xb_arena_strdup(arena, emulator) : NULL,
		.version = xb_arena_strdup(arena, lock->rust->version),
	};
	return 0;
}

int xb_rust_find(const struct xb_store *store, const struct xb_rust_desc *desc, const struct xb_lock *lock,
		 const char *host, struct xb_arena *arena, struct xb_rust_tools *out, struct xb_err *err)
{
	struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0}, crates XB_CLEANUP(xb_tree_release) = {0};
	struct xb_rust_tools tools = {0};
	struct xb_digest recipe;
	int found;

	xb_rust_recipe(desc, lock, host, &recipe);
	found = xb_tree_find(store, &recipe, &tree, err);
	if (found <= 0)
		return found;
	if (fill_tools(desc, lock, host, &tree, arena, &tools.tools, err) < 0)
		return err->code;
	if (lock->rust->crates.name) {
		xb_crates_recipe(desc, lock, &recipe);
		found = xb_tree_find(store, &recipe, &crates, err);
		if (found <= 0)
			return found;
		tools.crates_dir = xb_arena_printf(arena, "%s/%s", crates.dir, desc->crates_dir);
		tools.crates_digest = crates.digest;
	}
	*out = tools;
	return 1;
}
