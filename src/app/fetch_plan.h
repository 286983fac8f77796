/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What op_fetch has to do: which trees are missing, which blobs they are made of, and where those come from. A blob that
 * several trees need is in the plan once.
 */
#ifndef XBUILD_SRC_APP_FETCH_PLAN_H
#define XBUILD_SRC_APP_FETCH_PLAN_H

#include "xbuild/app/app.h"
#include "xbuild/app/provision.h"
#include "xbuild/base/map.h"
#include "xbuild/base/vec.h"

struct fetch_blob {
	const char *label; /* file name, for people */
	struct xb_digest sha256;
	int64_t size_bytes;  /* -1 unknown */
	struct xb_list urls; /* only set when it is missing */
	bool is_missing;
	XB_VEC(size_t) trees; /* indices of the trees that need it */
};

/* A tree to be made. Which of the pointers is set depends on the want. */
struct fetch_tree {
	struct xb_want want;
	struct xb_digest recipe;
	const struct xb_lock_toolchain *toolchain;
	const struct xb_lock_sysroot *sysroot;
	const struct xb_lock_package *package;
	const char *label; /* "sysroot debian-bookworm" */
	size_t n_missing;  /* blobs that have not arrived yet */
};

struct fetch_plan {
	struct xb_app *app;
	struct xb_arena arena;
	XB_VEC(struct fetch_tree) trees;
	XB_VEC(struct fetch_blob) blobs;
	struct xb_map by_digest; /* hex -> index of the blob + 1 */
	struct xb_map mirrors;	 /* "toolchain/trixie" -> struct xb_list of base URLs */
	XB_VEC(struct xb_filelock) locks;
	struct xb_filelock downloads; /* held while something is downloaded; taken last */
	char *config_dir;
	bool only_blobs; /* trees are not made: all of them are in the plan, with what they are made of */
};

void fetch_plan_release(struct fetch_plan *plan);

/* Name of the lock (xb_store_lock) of who makes this tree or takes it out of the store. May be in `hex`. */
const char *fetch_lock_key(const struct xb_want *want, const struct xb_digest *recipe, char hex[XB_DIGEST_HEX]);

/* The packages of all lists of images into wants, which has room for them; returns how many. */
size_t fetch_image_wants(const struct xb_lock *lock, struct xb_want *wants);

/*
 * Fills the plan with what the store lacks of `wants`. When something is missing, the locks of those trees are taken
 * first and the store is looked at again, so that several processes make each tree once. When blobs are missing, one more
 * lock is taken, for all downloads, and the store is looked at again: release it when they are done.
 */
int fetch_plan_make(struct fetch_plan *plan, const struct xb_want *wants, size_t n_wants,
		    struct xb_err *err) XB_MUST_CHECK;

/* ---- fetch_wants.c ---- */

/* The toolchain of this host, the sysroots of all targets, the packages that images list, and what images stand on. */
size_t fetch_default_wants(struct xb_app *app, const struct xb_want **out);

/* What to have of all that is locked. */
struct fetch_scope {
	const char *const *hosts; /* whose toolchains, with all tools; none: those of the lock */
	size_t n_hosts;
	const char *const *targets; /* none: those of the project */
	size_t n_targets;
};
/* Everything in the scope, in app->arena. XB_E_USAGE for names that the project does not have. Needs lock, store. */
int fetch_scope_wants(struct xb_app *app, const struct fetch_scope *scope, const struct xb_want **out,
		      size_t *out_count, struct xb_err *err) XB_MUST_CHECK;

/* ---- op_fetch.c ---- */

/* Downloads the blobs of all trees that are wanted, also of those that are there, and unpacks none. The plan is all-zero but for app. */
int fetch_all_blobs(struct fetch_plan *plan, const struct xb_want *wants, size_t n_wants,
		    struct xb_err *err) XB_MUST_CHECK;

#endif
