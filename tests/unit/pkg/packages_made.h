/* SPDX-License-Identifier: Apache-2.0 */
/* A store with packages made by hand in it, for the tests of trees. */
#ifndef TEST_PKG_PACKAGES_MADE_H
#define TEST_PKG_PACKAGES_MADE_H

#include "deb_made.h"
#include "sample.h"

#include "xbuild/model/lockfile.h"
#include "xbuild/store/cas.h"
#include "xbuild/store/store.h"

struct made {
	char *dir;
	struct xb_store *store;
	struct xb_err err;
};

static inline int made_setup(void **state)
{
	struct made *m = xb_alloc(sizeof(*m));

	m->dir = scratch_dir();
	expect_ok(xb_store_open(m->dir, NULL, &m->store, &m->err), &m->err);
	*state = m;
	return 0;
}

static inline int made_teardown(void **state)
{
	struct made *m = *state;

	xb_store_close(m->store);
	scratch_remove(&m->dir);
	xb_err_release(&m->err);
	free(m);
	return 0;
}

/* A package of version 1 for amd64 with these files. */
static inline struct xb_lock_package made_package(struct xb_store *store, const char *name, const struct item *data)
{
	struct xb_lock_package package = {
		.name = name, .version = "1", .arch = "amd64", .suite = "s", .path = "pool/package.deb"};
	char *control XB_CLEANUP(xb_free_ptr) = xb_printf("Package: %s\nVersion: 1\nArchitecture: amd64\n", name);
	struct xb_str deb XB_CLEANUP(xb_str_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	make_deb(&deb, control, data);
	expect_ok(xb_cas_put_bytes(store, deb.data, deb.len, &package.sha256, &err), &err);
	package.size_bytes = (int64_t)deb.len;
	return package;
}

static inline bool made_has(const char *dir, const char *path)
{
	char *full XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, path);

	return xb_fs_exists(full);
}

#endif
