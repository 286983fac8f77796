/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that a lock names in one file, or in an OCI layout, for a machine without a network. Part of xbuild-supply.
 *
 * Format:    an OCI image layout (image-layout.md), as a tar or as a directory: index.json leads to one artifact whose layers
 *            are xbuild.lock and the blobs. In the tar oci-layout comes first, then index.json, the artifact's documents, the
 *            lock, the documents of base images, and all else by digest.
 * Guarantee: the bytes depend on the lock, and on the hosts and targets that are asked for, alone.
 * Reading:   option --bundle (struct xb_app_options.bundle): what the store lacks is taken from the bundle, hashed on the way,
 *            and becomes visible only under the digest that it has. What the lock does not name is passed over.
 */
#ifndef XBUILD_APP_OP_BUNDLE_H
#define XBUILD_APP_OP_BUNDLE_H

#include "xbuild/app/app.h"

struct xb_bundle_opts {
	const char *output; /* file or directory; NULL: <name of the project>.bundle.tar, or .bundle for a directory */
	bool is_layout;	    /* a directory */
	const char *const *hosts; /* whose toolchains; none: all that are locked */
	size_t n_hosts;
	const char *const *targets; /* none: all of the project */
	size_t n_targets;
};

struct xb_bundle_result {
	char *path; /* owned */
	size_t n_blobs;
	uint64_t bytes;
};

int xb_op_bundle(struct xb_app *app, const struct xb_bundle_opts *opts, struct xb_bundle_result *out,
		 struct xb_err *err) XB_MUST_CHECK;

#endif
