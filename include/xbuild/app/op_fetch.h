/* SPDX-License-Identifier: Apache-2.0 */
/* Downloads and unpacks what is wanted. Part of xbuild-supply. */
#ifndef XBUILD_APP_OP_FETCH_H
#define XBUILD_APP_OP_FETCH_H

#include "xbuild/app/app.h"
#include "xbuild/app/provision.h"

struct xb_fetch_summary {
	size_t n_files;	 /* downloaded */
	uint64_t bytes;	 /* downloaded */
	size_t n_cached; /* files that the store had */
	size_t n_trees;	 /* unpacked */
};

/* n_wants == 0: the toolchain of this host (with tools if the project's profile is full) and the sysroots of all
 * targets. Blobs are fetched in parallel while trees whose blobs are complete unpack. */
int xb_op_fetch(struct xb_app *app, const struct xb_want *wants, size_t n_wants, struct xb_fetch_summary *out,
		struct xb_err *err) XB_MUST_CHECK;

/*
 * Compares the unpacked trees that the store has, of `wants` or else of all that is locked for this host and the project's
 * targets, with their manifests, file by file. A damaged one is told as a warning, taken out and unpacked again; then the
 * results of all actions are given up (xb_store_renew), because some may have been made with it. Then does what xb_op_fetch does.
 */
int xb_op_fetch_verify(struct xb_app *app, const struct xb_want *wants, size_t n_wants, struct xb_fetch_summary *out,
		       struct xb_err *err) XB_MUST_CHECK;

#endif
