/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How two images differ: per platform what the configuration, annotations, layers, packages and files say. Files are those
 * that a container sees: what an upper layer has hides what is below it, whiteouts take away (layer.md "Whiteouts").
 *
 * Guarantee: nothing for two images whose platforms have equal manifests. The order depends on the two alone.
 * Memory:    as the two views, and a name for each path.
 * Threads:   no state.
 */
#ifndef XBUILD_IMAGE_VIEW_DIFF_H
#define XBUILD_IMAGE_VIEW_DIFF_H

#include "xbuild/image/view.h"

/* One thing that differs. `before` is NULL where only the second image has it, `after` where only the first has it. */
struct xb_view_change {
	const char *platform; /* "linux/amd64", or "" for what is about the index */
	const char *kind;     /* "platform", "config", "annotation", "layer", "package", "file" */
	const char *name;     /* "Env PATH", "libc6", "/usr/bin/server" */
	const char *what;     /* of a file or layer that both have: "size", "mode", "owner", "content" ...; else NULL */
	const char *before, *after;
};

struct xb_view_diff {
	struct xb_arena arena;
	XB_VEC(struct xb_view_change) changes; /* strings have no control bytes */
};
void xb_view_diff_release(struct xb_view_diff *diff);

/* Both views with their entries. */
void xb_view_compare(const struct xb_view *before, const struct xb_view *after, struct xb_view_diff *out);

#endif
