/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brings an image to one or several repositories.
 *
 * Guarantee: blobs before the manifests that name them, manifests before indexes, tags last: at any moment a tag names an
 *            image that is there as a whole. What a repository has is not sent to it again. A manifest that is there stands
 *            for the manifests below it, but not for blobs, which a registry may have lost since: each is asked for (HEAD).
 *            Tags that name the image already are left alone.
 * Mounts:    a blob that was sent to an earlier target of the same registry, or is of the image's base there (annotation
 *            org.opencontainers.image.base.name), is asked for by mount before it is sent.
 * Foreign layers are not sent (image-spec manifest.md "Non-Distributable Layers").
 * Failure:   as in registry.h. What was sent before stays and need not be sent again.
 * Observer:  a phase "push" for each target, with bytes.
 * Threads:   opts.parallel threads of its own.
 */
#ifndef XBUILD_REGISTRY_PUSH_H
#define XBUILD_REGISTRY_PUSH_H

#include "xbuild/registry/content.h"
#include "xbuild/registry/registry.h"

#define XB_PUSH_PARALLEL 6

struct xb_push_source {
	/* A descriptor that is positioned anywhere, to be closed by the caller. Called from several threads. */
	int (*open)(void *ctx, const struct xb_digest *digest, int *out_fd, struct xb_err *err);
	void *ctx;
};

struct xb_push_target {
	struct xb_reference ref; /* its tag and digest are not looked at; borrowed */
	const char *const *tags;
	size_t n_tags;
};

enum xb_push_way {
	XB_PUSH_THERE,	 /* the repository has it */
	XB_PUSH_SENT,	 /* or would be */
	XB_PUSH_MOUNTED, /* or may be */
	XB_PUSH_FOREIGN	 /* stays away */
};
const char *xb_push_way_name(enum xb_push_way way); /* static */

struct xb_push_item {
	size_t target;
	struct xb_digest digest;
	int64_t size_bytes;
	enum xb_push_way way;
};

struct xb_push_opts {
	const struct xb_content *graph;
	const struct xb_push_source *source;
	const struct xb_push_target *targets;
	size_t n_targets;
	int parallel;		 /* blobs at once; 0 = XB_PUSH_PARALLEL */
	bool dry_run;		 /* only asks what is there: HEAD, nothing that writes */
	const char *journal_dir; /* xbuild/registry/blob.h; NULL: none */
};

struct xb_push_result {
	XB_VEC(struct xb_push_item) items; /* documents and blobs of all targets */
	int64_t sent_bytes;		   /* of blobs and documents; with dry_run: to send */
};
void xb_push_result_release(struct xb_push_result *result); /* NULL-safe */

int xb_push(struct xb_registry *registry, const struct xb_push_opts *opts, struct xb_push_result *out,
	    struct xb_err *err) XB_MUST_CHECK;

#endif
