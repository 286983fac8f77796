/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bases of apk packages (base: { apko: FILE }): what is locked, is it made, and how it is made. Paths in an apko.yaml are
 * below the project directory, which is what the working directory is to apko.
 */
#ifndef XBUILD_APP_BASE_APKO_H
#define XBUILD_APP_BASE_APKO_H

#include "xbuild/app/app.h"
#include "xbuild/image/apk_base.h"
#include "xbuild/pkg/apk_index.h"
#include "xbuild/sys/fetch.h"

/* An apko.yaml with its place in the lock. */
struct base_apko {
	struct xb_apko *config; /* owned */
	struct xb_apk_image_spec spec;
};
void base_apko_release(struct base_apko *apko); /* all-zero is fine */

/*
 * The apko.yaml of an image, and what the lock has of it for the target. Problems of the file are added to `diags`. XB_E_LOCK
 * when the lock has nothing for this target.
 */
int base_apko_open(struct xb_app *app, const struct xb_image *image, const struct xb_target *target,
		   struct xb_diags *diags, struct base_apko *out, struct xb_err *err);

/* Why the lock does not fit the apko.yaml of an image, or its apko.lock.json; NULL when it fits. */
const char *base_apko_stale(struct xb_app *app, const struct xb_lock *lock, const struct xb_image *image);

int base_apko_is_there(struct xb_app *app, const struct xb_image *image, const struct xb_target *target, bool *out,
		       struct xb_err *err);

/* ---- xbuild-supply ---- */

int base_apko_supply(struct xb_app *app, const struct xb_image *image, const struct xb_target *target,
		     struct xb_err *err);

/* A file that an apko.yaml names: a URL, or a path below the project directory. */
struct apko_file {
	const char *place;
	const char *label;		/* for people; NULL: the last part of place */
	int64_t size_bytes;		/* expected, or -1 */
	const struct xb_digest *sha256; /* expected, or NULL */
	struct xb_digest got;		/* its blob in the store */
	bool is_missing;		/* after a failure: it is not where it was looked for */
};
/* Brings files into the store, in parallel; those whose expected blob is there are left alone. At most max_bytes each. */
int apko_fetch_files(struct xb_app *app, struct apko_file *files, size_t n_files, int64_t max_bytes, const char *phase,
		     struct xb_err *err);

/*
 * Resolves an apko.yaml: keys, signed indexes, packages; everything is fetched into the store and verified. With `lock_file`
 * (a path below the project directory) nothing is resolved: what that apko.lock.json says is fetched and verified. *out is
 * in arena, which must live as long as it.
 */
int apko_resolve(struct xb_app *app, const struct xb_apko *config, const char *lock_file, struct xb_arena *arena,
		 struct xb_lock_apko *out, struct xb_err *err);

/* What a package of a set says of others, by its index or by itself. */
struct apko_said {
	const char *name;
	struct xb_apk_relations depends, provides, install_if;
	bool is_added; /* install_if is why it is in the set */
};
/* From lines of .PKGINFO: one relation each, or several with blanks between them (abuild writes install_if so). In arena. */
struct xb_apk_relations apko_relations(const struct xb_list *texts, struct xb_arena *arena);
/*
 * Fills depends and install_if of the packages of one architecture with names of the set; said[i] is of packages[i]. With
 * `wishes` (NULL: is_added is known) a package is taken as added when its install_if is met, nothing in the set needs it
 * and no wish asks for it. In arena.
 */
void apko_link(struct apko_said *said, struct xb_lock_apk *packages, size_t n, const struct xb_words *wishes,
	       struct xb_arena *arena);

/* Architectures that an apko.yaml is resolved for, in apk's words and its order: its own, else those of the project. */
struct xb_words apko_archs(const struct xb_app *app, const struct xb_apko *config, struct xb_arena *arena);

#endif
