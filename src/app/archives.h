/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives that toolchains and sysroots are made of: local files brought into the store, signatures verified. For
 * xbuild-supply.
 */
#ifndef XBUILD_APP_ARCHIVES_H
#define XBUILD_APP_ARCHIVES_H

#include "xbuild/app/app.h"

/* True for "file:PATH": it is a file of the project, and nothing is downloaded. */
bool archive_is_local(const char *url);

/* Digest and size of a local file. `at` (may be NULL): its place in the project file, for a problem there. */
int archive_measure(struct xb_app *app, const char *url, const struct xb_place *at, struct xb_digest *out,
		    int64_t *out_size, struct xb_err *err) XB_MUST_CHECK;

/* Has a local file in the store, with this digest: XB_E_LOCK when the file has another one. Nothing for URLs. */
int archive_import(struct xb_app *app, const char *url, const struct xb_digest *sha256,
		   struct xb_err *err) XB_MUST_CHECK;

/*
 * The archive and its signature are in the store: the signature must be good, and by one of the certificates in the
 * project's file `key`, which must be the one that was locked. An archive without a signature passes.
 */
int archive_verify(struct xb_app *app, const struct xb_lock_archive *archive, const struct xb_archive_ref *ref,
		   struct xb_err *err) XB_MUST_CHECK;

#endif
