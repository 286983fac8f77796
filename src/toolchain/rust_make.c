/* SPDX-License-Identifier: Apache-2.0 */
#include "spec.h"
#include "xbuild/base/alloc.h"
#include "xbuild/toolchain/rust.h"

int xb_rust_make(struct xb_store *store, const struct xb_rust_desc *desc, const struct xb_lock *lock, const char *host,
		 int n_threads, struct xb_tree *out, struct xb_err *err)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	const struct xb_deb_tree spec = rust_spec(desc, lock, host, &arena);

	return xb_deb_tree_make(store, &spec, n_threads, out, err);
}

int xb_crates_make(struct xb_store *store, const struct xb_rust_desc *desc, const struct xb_lock *lock, int n_threads,
		   struct xb_tree *out, struct xb_err *err)
{
	const struct xb_deb_tree spec = crates_spec(desc, lock);

	return xb_deb_tree_make(store, &spec, n_threads, out, err);
}
