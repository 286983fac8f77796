/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wiring of one run: options, project, lock, store, data files, and the way missing things are supplied. Use cases
 * (op_*.h) take it as their first parameter. Fields are filled on demand by the xb_app_need_* functions, once.
 *
 * Two programs share this code. `xbuild` loads quickly and cannot download or unpack; `xbuild-supply` can (libcurl,
 * libarchive, libsolv, librnp) and is started by xbuild when something is missing (docs/architecture.md).
 */
#ifndef XBUILD_APP_APP_H
#define XBUILD_APP_APP_H

#include <stdbool.h>

#include "xbuild/base/arena.h"
#include "xbuild/base/diag.h"
#include "xbuild/base/err.h"
#include "xbuild/base/observer.h"
#include "xbuild/model/data.h"
#include "xbuild/model/lockfile.h"
#include "xbuild/model/project.h"
#include "xbuild/model/tools.h"
#include "xbuild/store/store.h"
#include "xbuild/sys/host.h"

struct xb_git;	/* sys/git.h */
struct xb_want; /* app/provision.h */
struct xb_app;

struct xb_app_options {
	const char *dir;    /* -C DIR, or NULL */
	const char *file;   /* -f FILE, or NULL: xbuild.yaml found by walking up */
	const char *mirror; /* --mirror, or NULL */
	const char
		*bundle; /* --bundle, or NULL: file or directory to take from what the store lacks; goes with offline */
	bool locked;	 /* --locked, or CI is set: a missing lock is an error */
	bool locked_asked; /* --locked: 'xbuild lock' does not write it either; CI alone does not keep it from that */
	bool offline;	   /* never touch the network */
	bool update;	   /* make_lock takes newer versions than those that are locked */
	bool dry_run;	   /* -n: nothing is made or fetched; a missing lock is an error */
	int jobs;	   /* -j; 0: as many as the host has cpus */
};

struct xb_app {
	struct xb_app_options options;
	struct xb_host host;
	struct xb_arena arena; /* strings of this run */
	const struct xb_observer *observer;
	const volatile int *interrupted;
	struct xb_diags diags; /* problems of the project file, filled when XB_E_INPUT came from it */

	bool bundle_is_read;  /* options.bundle: all that it has is in the store */
	bool bundle_is_other; /* it was made of another lock */

	/* filled on demand */
	char *data_dir;
	struct xb_project *project;
	char *lock_path;
	struct xb_lock *lock;
	struct xb_store *store;
	struct xb_toolchain_desc *toolchain;
	struct xb_sysroot_desc *sysroot;
	struct xb_rust_desc *rust;     /* NULL: the project locks none */
	struct xb_image_desc **images; /* same index as the project's images; NULL where one has no list of packages */
	size_t n_images;
	struct xb_git *git; /* of the project's directory */

	/*
	 * Supplies what provision found missing. In xbuild it starts xbuild-supply, in xbuild-supply it does the work.
	 */
	int (*supply)(struct xb_app *app, const struct xb_want *wants, size_t n_wants, struct xb_err *err);
	/* Creates the lock (a missing one, for build and friends); same split. */
	int (*make_lock)(struct xb_app *app, struct xb_err *err);
};

/* options: strings must outlive the app. Detects the host. */
void xb_app_init(struct xb_app *app, const struct xb_app_options *options, const struct xb_observer *observer,
		 const volatile int *interrupted);
void xb_app_release(struct xb_app *app);

/* Owned absolute path of the directory to start from: -C DIR or the current one. Paths on the command line are relative to it. */
int xb_app_start_dir(const struct xb_app *app, char **out, struct xb_err *err) XB_MUST_CHECK;

int xb_app_need_data(struct xb_app *app, struct xb_err *err) XB_MUST_CHECK;
int xb_app_need_project(struct xb_app *app, struct xb_err *err) XB_MUST_CHECK;
/* Project, data files (descriptions of toolchain, sysroot and images). */
int xb_app_need_descs(struct xb_app *app, struct xb_err *err) XB_MUST_CHECK;
int xb_app_need_store(struct xb_app *app, struct xb_err *err) XB_MUST_CHECK;
/*
 * The lock, fit for this project: a missing one is made (unless options.locked: XB_E_LOCK), a stale one is refused with
 * what changed and `hint: run 'xbuild lock'` (XB_E_LOCK).
 */
int xb_app_need_lock(struct xb_app *app, struct xb_err *err) XB_MUST_CHECK;
/* Why a lock does not fit the project (needs project and descs): "it has no package 'x' ..."; NULL when it fits. */
const char *xb_app_lock_stale(struct xb_app *app, const struct xb_lock *lock);
/* What git says about the project; read once. */
int xb_app_need_git(struct xb_app *app, struct xb_err *err) XB_MUST_CHECK;

/* The next step after a failed download: is the network there, is there room in the store? Returns err's code. */
int xb_app_hint_fetch(const struct xb_app *app, struct xb_err *err);

int xb_app_jobs(const struct xb_app *app);

/* XB_E_USAGE for an image that the project has not, with the name that may be meant. */
int xb_app_refuse_image(struct xb_app *app, const char *name, struct xb_err *err);

/* Targets named on the command line ("all" or none: those of the project); canonical, no duplicates; in app->arena. */
int xb_app_targets(struct xb_app *app, const char *const *names, size_t n_names, const struct xb_project_target ***out,
		   size_t *out_count, struct xb_err *err) XB_MUST_CHECK;

/* Values for ${...}: name -> text, for one target (or NULL) and image (or NULL). Git is asked only if `text` needs it. */
int xb_app_subst(struct xb_app *app, const char *text, const struct xb_target *target, const char *image,
		 const char *profile, struct xb_str *out, struct xb_err *err) XB_MUST_CHECK;

#endif
