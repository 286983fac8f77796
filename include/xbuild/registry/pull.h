/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brings an image from a repository into the store: its documents and blobs, each under its digest. What the store has is
 * not fetched again; layers that are not distributed stay away.
 *
 * Guarantee: when it succeeds the store has all that the graph names (foreign layers excepted), each with the content of its
 *            name. A tag is looked up once: what was found then is what is fetched.
 * Failure:   as in registry.h and graph.h; XB_E_NOT_FOUND where `wants` leaves nothing of an index.
 * Observer:  a phase "pull" with bytes.
 * Threads:   threads of its own.
 */
#ifndef XBUILD_REGISTRY_PULL_H
#define XBUILD_REGISTRY_PULL_H

#include "xbuild/registry/content.h"
#include "xbuild/registry/registry.h"
#include "xbuild/store/store.h"

#define XB_PULL_PARALLEL 6

struct xb_pull_opts {
	const struct xb_reference *ref;
	struct xb_store *store;
	int parallel; /* blobs at once; 0 = XB_PULL_PARALLEL */
	/* Which platforms, as in xb_content_reader; NULL: all. */
	bool (*wants)(void *ctx, const char *platform);
	void *ctx;
};

/* *out: release it with xb_content_release; its last document is what the reference names. */
int xb_pull(struct xb_registry *registry, const struct xb_pull_opts *opts, struct xb_content *out,
	    struct xb_err *err) XB_MUST_CHECK;

#endif
