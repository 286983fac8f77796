/* SPDX-License-Identifier: Apache-2.0 */
#include "spec.h"

int xb_sysroot_make(struct xb_store *store, const struct xb_sysroot_desc *desc, const struct xb_lock_sysroot *lock,
		    int n_threads, struct xb_tree *out, struct xb_err *err)
{
	const struct xb_deb_tree spec = sysroot_spec(desc, lock);

	return xb_deb_tree_make(store, &spec, n_threads, out, err);
}

int xb_package_tree_prepare(struct xb_store *store, const struct xb_lock_package *package, struct xb_tree_prepared *out,
			    struct xb_err *err)
{
	struct xb_lock_packages one;
	const struct xb_deb_tree spec = package_spec(package, &one);

	return xb_deb_tree_prepare(store, &spec, 1, out, err);
}
