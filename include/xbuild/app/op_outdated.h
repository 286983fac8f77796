/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `xbuild lock --update` would change, without changing it: the signed suites are read, everything is solved anew, and
 * the result is compared with xbuild.lock. Part of xbuild-supply; for a nightly job.
 *
 * Failure: XB_E_LOCK when there is no lock, or one that does not fit the project; as xb_op_lock otherwise.
 */
#ifndef XBUILD_APP_OP_OUTDATED_H
#define XBUILD_APP_OP_OUTDATED_H

#include "xbuild/app/app.h"

/* One package (or base image) of one list of the lock that would be another one. Strings are in the result's arena. */
struct xb_outdated_item {
	const char *where; /* "sysroot of linux-aarch64", "toolchain of linux-x86_64", "image api, linux-x86_64" */
	const char *name;  /* of the package; of a base image: its reference */
	const char *before, *after; /* versions; NULL: would be new, would be gone. Of a base image: digests */
	const char *suite;	    /* that has the newer one; NULL: none of Debian, or it would be gone */
};

struct xb_outdated {
	struct xb_arena arena;
	struct xb_outdated_item
		*items; /* in the order of the lock: toolchains, sysroots, images, apko files, base images */
	size_t n_items, cap;
};
void xb_outdated_release(struct xb_outdated *result);

int xb_op_outdated(struct xb_app *app, bool allow_rollback, struct xb_outdated *out, struct xb_err *err) XB_MUST_CHECK;

#endif
