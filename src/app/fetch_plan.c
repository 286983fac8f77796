/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch_plan.h"

#include "archives.h"

#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/model/timestamp.h"
#include "xbuild/pkg/mirror.h"
#include "xbuild/store/cas.h"
#include "xbuild/toolchain/rust.h"

#define APT_DIR "/etc/apt"

/*
 * The snapshot archive shows the state at a moment. A Release file is published some time after its Date, so the moment
 * has to lie later; and not much later, or packages may have been replaced.
 */
#define PUBLISHED_AFTER_SEC (12 * 60 * 60)

void fetch_plan_release(struct fetch_plan *plan)
{
	for (size_t i = 0; i < plan->locks.len; i++)
		xb_filelock_release(&plan->locks.items[i]);
	xb_filelock_release(&plan->downloads);
	for (size_t i = 0; i < plan->blobs.len; i++)
		XB_VEC_RELEASE(&plan->blobs.items[i].trees);
	XB_VEC_RELEASE(&plan->locks);
	XB_VEC_RELEASE(&plan->trees);
	XB_VEC_RELEASE(&plan->blobs);
	xb_map_release(&plan->by_digest);
	xb_map_release(&plan->mirrors);
	free(plan->config_dir);
	xb_arena_release(&plan->arena);
}

/* ---- trees ---- */

static int describe(struct fetch_plan *plan, struct fetch_tree *tree, struct xb_err *err)
{
	const struct xb_app *app = plan->app;
	const struct xb_want *want = &tree->want;

	switch (want->kind) {
	case XB_WANT_TOOLCHAIN:
	case XB_WANT_TOOLS:
		tree->toolchain = xb_lock_toolchain(app->lock, want->name);
		tree->label =
			xb_arena_printf(&plan->arena, "%s%s %s", want->kind == XB_WANT_TOOLS ? "further tools of " : "",
					tree->toolchain->name, tree->toolchain->version);
		break;
	case XB_WANT_SYSROOT:
		tree->sysroot = xb_lock_sysroot(app->lock, want->name);
		tree->label = xb_arena_printf(&plan->arena, "sysroot %s", tree->sysroot->name);
		break;
	case XB_WANT_PACKAGE:
		tree->label = xb_arena_printf(&plan->arena, "package %s", want->package);
		return xb_want_package(app, want, &tree->package, err);
	case XB_WANT_RUST:
		tree->label = xb_arena_printf(&plan->arena, "%s %s", app->lock->rust->name, app->lock->rust->version);
		break;
	case XB_WANT_CRATES:
		tree->label =
			xb_arena_printf(&plan->arena, "%zu packages of crates", app->lock->rust->crates.packages.len);
		break;
	case XB_WANT_BASE:
	case XB_WANT_CONTENTS:
		break;
	}
	return 0;
}

/* The trees of `wants` that the store lacks, each once. */
static int find_missing(struct fetch_plan *plan, const struct xb_want *wants, size_t n_wants, struct xb_err *err)
{
	plan->trees.len = 0;
	for (size_t i = 0; i < n_wants; i++) {
		struct fetch_tree tree = {.want = wants[i]};
		bool there, none, twice = false;

		if (!xb_want_is_tree(&wants[i]))
			continue;
		if (xb_want_recipe(plan->app, &wants[i], &tree.recipe, &none, err) < 0 ||
		    xb_want_is_there(plan->app, &wants[i], &there, err) < 0)
			return err->code;
		for (size_t k = 0; k < plan->trees.len; k++)
			twice |= xb_digest_eq(&plan->trees.items[k].recipe, &tree.recipe);
		if ((there && !plan->only_blobs) || none || twice)
			continue;
		if (describe(plan, &tree, err) < 0)
			return err->code;
		XB_VEC_PUSH(&plan->trees, tree);
	}
	return 0;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Packages share one lock: there may be hundreds, and each lock is an open file. */
const char *fetch_lock_key(const struct xb_want *want, const struct xb_digest *recipe, char hex[XB_DIGEST_HEX])
{
	return want->kind == XB_WANT_PACKAGE ? "packages" : xb_digest_hex(recipe, hex);
}

size_t fetch_image_wants(const struct xb_lock *lock, struct xb_want *wants)
{
	size_t n = 0;

	for (size_t i = 0; i < lock->n_images; i++) {
		const struct xb_lock_image *list = &lock->images[i];

		for (size_t k = 0; k < list->packages.len; k++)
			wants[n++] = (struct xb_want){.kind = XB_WANT_PACKAGE,
						      .name = list->target,
						      .package = list->packages.items[k].name,
						      .image = list->image};
	}
	return n;
}

/* All in one order, so that two processes never wait for each other. */
static int take_locks(struct fetch_plan *plan, struct xb_err *err)
{
	const char **keys = xb_arena_array(&plan->arena, plan->trees.len, sizeof(*keys));
	char hex[XB_DIGEST_HEX];

	for (size_t i = 0; i < plan->trees.len; i++) {
		const struct fetch_tree *tree = &plan->trees.items[i];

		keys[i] = xb_arena_strdup(&plan->arena, fetch_lock_key(&tree->want, &tree->recipe, hex));
	}
	qsort(keys, plan->trees.len, sizeof(*keys), compare_keys);
	for (size_t i = 0; i < plan->trees.len; i++) {
		struct xb_filelock lock = {.fd = -1};

		if (i && strcmp(keys[i], keys[i - 1]) == 0)
			continue;
		if (xb_store_lock(plan->app->store, keys[i], &lock, err) < 0)
			return err->code;
		XB_VEC_PUSH(&plan->locks, lock);
	}
	return 0;
}

/* ---- where blobs come from ---- */

static int list_mirrors(struct fetch_plan *plan, const struct xb_debian *debian, const struct xb_lock_suite *suite,
			struct xb_list *out, struct xb_err *err)
{
	const char *snapshot = plan->app->project->snapshot;
	const struct xb_archive_site *site = xb_debian_site(debian, suite->archive);
	struct xb_mirror_opts opts = {
		.flag = plan->app->options.mirror, .config_dir = plan->config_dir, .apt_dir = APT_DIR};
	char moment[XB_TIMESTAMP_SIZE];
	int64_t at = suite->date + PUBLISHED_AFTER_SEC;

	if (!site)
		return xb_fail(err, XB_E_LOCK, "suite '%s' of xbuild.lock is of an archive '%s' that no data file has",
			       suite->id, suite->archive);
	opts.snapshot_only = xb_timestamp_parse(xb_sv(snapshot), &at);
	opts.snapshot = xb_timestamp_compact(at, false, moment);
	return xb_mirror_list(site, &opts, &plan->arena, out, err);
}

/* Base URLs for packages of a locked suite; found once per suite. */
static int find_mirrors(struct fetch_plan *plan, const char *kind, const struct xb_debian *debian, const char *suite_id,
			const struct xb_list **out, struct xb_err *err)
{
	char *key XB_CLEANUP(xb_free_ptr) = xb_printf("%s/%s", kind, suite_id);
	const struct xb_lock_suite *suite = xb_lock_suite(plan->app->lock, suite_id);
	struct xb_list *list = xb_map_get_str(&plan->mirrors, key);

	if (!suite)
		return xb_fail(err, XB_E_LOCK, "xbuild.lock does not describe suite '%s'", suite_id);
	if (!list) {
		list = xb_arena_alloc(&plan->arena, sizeof(*list));
		if (list_mirrors(plan, debian, suite, list, err) < 0)
			return err->code;
		xb_map_put_str(&plan->mirrors, key, list);
	}
	*out = list;
	return 0;
}

/* ---- blobs ---- */

/* The blob of a digest: known or new. What the store has is read before it is unpacked: disks forget. */
static int add_blob(struct fetch_plan *plan, const struct xb_digest *sha256, int64_t size_bytes, const char *path,
		    size_t tree, struct fetch_blob **out, struct xb_err *err)
{
	char hex[XB_DIGEST_HEX];
	const uintptr_t known = (uintptr_t)xb_map_get_str(&plan->by_digest, xb_digest_hex(sha256, hex));
	struct fetch_blob *blob;
	bool there;

	if (known) {
		blob = &plan->blobs.items[known - 1];
	} else {
		if (xb_cas_has_whole(plan->app->store, sha256, size_bytes, &there, err) < 0) {
			if (err->code == XB_E_DIGEST)
				xb_hint(err, "restore xbuild.lock from version control, or remove it and run 'xbuild "
					     "lock'");
			return xb_wrap(err, "'%.*s' of xbuild.lock", XB_SV_ARG(xb_path_base(xb_sv(path))));
		}
		blob = XB_VEC_ADD(&plan->blobs);
		blob->label = xb_arena_sv(&plan->arena, xb_path_base(xb_sv(path)));
		blob->sha256 = *sha256;
		blob->size_bytes = size_bytes;
		blob->is_missing = !there;
		xb_map_put_str(&plan->by_digest, hex, (void *)plan->blobs.len);
	}
	XB_VEC_PUSH(&blob->trees, tree);
	plan->trees.items[tree].n_missing += blob->is_missing;
	*out = blob;
	return 0;
}

static int add_package(struct fetch_plan *plan, size_t tree, const struct xb_lock_package *package, struct xb_err *err)
{
	const enum xb_want_kind kind = plan->trees.items[tree].want.kind;
	const bool is_tool = plan->trees.items[tree].toolchain != NULL;
	const bool is_rust = kind == XB_WANT_RUST || kind == XB_WANT_CRATES;
	const struct xb_debian *debian = is_rust   ? &plan->app->rust->debian
					 : is_tool ? &plan->app->toolchain->debian
						   : &plan->app->sysroot->debian;
	const struct xb_list *mirrors = NULL;
	struct fetch_blob *blob;
	const char **urls;

	if (add_blob(plan, &package->sha256, package->size_bytes, package->path, tree, &blob, err) < 0)
		return err->code;
	if (!blob->is_missing || blob->urls.len)
		return 0;
	if (find_mirrors(plan,
			 is_rust   ? "rust"
			 : is_tool ? "toolchain"
				   : "sysroot",
			 debian, package->suite, &mirrors, err) < 0)
		return err->code;
	urls = xb_arena_array(&plan->arena, mirrors->len, sizeof(*urls));
	for (size_t i = 0; i < mirrors->len; i++)
		urls[i] = xb_arena_printf(&plan->arena, "%s/%s", mirrors->items[i], package->path);
	blob->urls = (struct xb_list){urls, mirrors->len};
	return 0;
}

static int add_packages(struct fetch_plan *plan, size_t tree, const struct xb_lock_packages *packages,
			struct xb_err *err)
{
	for (size_t i = 0; i < packages->len; i++)
		if (add_package(plan, tree, &packages->items[i], err) < 0)
			return err->code;
	return 0;
}

/* A file of the project needs no download: it is copied right away. */
static int add_file(struct fetch_plan *plan, size_t tree, const char *url, const struct xb_digest *sha256,
		    int64_t size_bytes, struct xb_err *err)
{
	const char **urls = xb_arena_array(&plan->arena, 1, sizeof(*urls));
	struct fetch_blob *blob;

	if (archive_import(plan->app, url, sha256, err) < 0 ||
	    add_blob(plan, sha256, size_bytes, xb_archive_name(url), tree, &blob, err) < 0)
		return err->code;
	urls[0] = url;
	blob->urls = (struct xb_list){urls, 1};
	return 0;
}

static int add_archive(struct fetch_plan *plan, size_t tree, const struct xb_lock_archive *lock, struct xb_err *err)
{
	const struct xb_lock_signature *signature = &lock->signature;

	if (add_file(plan, tree, lock->url, &lock->sha256, lock->size_bytes, err) < 0)
		return err->code;
	return signature->url ? add_file(plan, tree, signature->url, &signature->sha256, signature->size_bytes, err)
			      : 0;
}

/* A tree of Rust has the packages of its host and of all targets. */
static int add_rust(struct fetch_plan *plan, size_t tree, const char *host, struct xb_err *err)
{
	const struct xb_lock *lock = plan->app->lock;
	int rc = add_packages(plan, tree, xb_lock_rust_host(lock, host), err);

	for (size_t i = 0; rc == 0 && i < lock->rust->n_std; i++)
		rc = add_packages(plan, tree, &lock->rust->std[i].packages, err);
	return rc;
}

static int add_blobs(struct fetch_plan *plan, size_t tree, struct xb_err *err)
{
	const struct fetch_tree *t = &plan->trees.items[tree];

	switch (t->want.kind) {
	case XB_WANT_TOOLCHAIN:
	case XB_WANT_TOOLS:
		if (t->toolchain->archive.url)
			return add_archive(plan, tree, &t->toolchain->archive, err);
		return add_packages(plan, tree,
				    t->want.kind == XB_WANT_TOOLS ? &t->toolchain->tools : &t->toolchain->packages,
				    err);
	case XB_WANT_SYSROOT:
		if (t->sysroot->is_directory)
			return 0;
		if (t->sysroot->archive.url)
			return add_archive(plan, tree, &t->sysroot->archive, err);
		return add_packages(plan, tree, &t->sysroot->packages, err);
	case XB_WANT_PACKAGE:
		return add_package(plan, tree, t->package, err);
	case XB_WANT_RUST:
		return add_rust(plan, tree, t->want.name, err);
	case XB_WANT_CRATES:
		return add_packages(plan, tree, &plan->app->lock->rust->crates.packages, err);
	case XB_WANT_BASE:
	case XB_WANT_CONTENTS:
		break;
	}
	return 0;
}

/* Other trees, of another project say, may be made of the same blobs: who holds the lock before may have loaded them. */
static int take_downloads(struct fetch_plan *plan, struct xb_err *err)
{
	size_t n_missing = 0;

	for (size_t i = 0; i < plan->blobs.len; i++)
		n_missing += plan->blobs.items[i].is_missing;
	if (!n_missing || plan->app->options.offline)
		return 0;
	if (xb_store_lock(plan->app->store, "downloads", &plan->downloads, err) < 0)
		return err->code;
	for (size_t i = 0; i < plan->blobs.len; i++) {
		struct fetch_blob *blob = &plan->blobs.items[i];
		bool there = false;

		if (!blob->is_missing)
			continue;
		if (xb_cas_has_whole(plan->app->store, &blob->sha256, blob->size_bytes, &there, err) < 0)
			return xb_wrap(err, "'%s' of xbuild.lock", blob->label);
		blob->is_missing = !there;
		for (size_t k = 0; there && k < blob->trees.len; k++)
			plan->trees.items[blob->trees.items[k]].n_missing--;
	}
	return 0;
}

int fetch_plan_make(struct fetch_plan *plan, const struct xb_want *wants, size_t n_wants, struct xb_err *err)
{
	struct xb_err no_home XB_CLEANUP(xb_err_release) = {0};

	if (find_missing(plan, wants, n_wants, err) < 0)
		return err->code;
	if (!plan->trees.len)
		return 0;
	if (take_locks(plan, err) < 0 || find_missing(plan, wants, n_wants, err) < 0)
		return err->code;
	(void)!xb_host_config_dir(&plan->config_dir, &no_home); /* no home directory is no configuration */
	for (size_t i = 0; i < plan->trees.len; i++)
		if (add_blobs(plan, i, err) < 0)
			return err->code;
	return take_downloads(plan, err);
}
