/* SPDX-License-Identifier: Apache-2.0 */
/* Private to op_push.c, push_targets.c and push_companions.c: one run of `xbuild push`. */
#ifndef XBUILD_APP_OP_PUSH_PARTS_H
#define XBUILD_APP_OP_PUSH_PARTS_H

#include "xbuild/app/op_push.h"
#include "xbuild/image/referrer.h"
#include "xbuild/registry/push.h"

/* One run of the command. */
struct push_run {
	struct xb_app *app;
	const struct xb_op_push_opts *opts;
	struct xb_op_push_result *result;
	struct xb_registry_opts how;
	const char *layout; /* absolute */
	struct xb_content graph;
	XB_VEC(struct xb_push_target) targets;
};

/* Where blobs are read. */
struct push_source {
	struct xb_app *app;
	const char *dir; /* of a layout */
};

/* What is the same for all parts of the push. */
struct push_sending {
	struct push_run *run;
	struct xb_registry *registry;
	const char *journals;
	const struct xb_companion *companions;
	size_t n_companions;
};

/* ---- push_targets.c: where to ---- */

/* The repositories and tags of the command line, or those that the project file names. */
int push_find_targets(struct push_run *run, struct xb_err *err);
/*
 * That the new tags sort behind those that are there; before anything is sent. A list that cannot be had is no reason not to
 * push, unless the order was asked for.
 */
int push_check_tags(struct push_run *run, struct xb_registry *registry, struct xb_err *err);

/* ---- push_companions.c: signatures and referrers ---- */

int push_send_companion(const struct push_sending *s, const struct xb_companion *c, struct xb_err *err);

/* ---- op_push.c ---- */

/* Of xb_content_reader; ctx is a struct push_source. */
int push_read_document(void *ctx, const struct xb_digest *digest, struct xb_str *out, struct xb_err *err);
/* The image or a companion, from the layout in dir, to all targets, under their tags; those without one by digest alone. */
int push_send(const struct push_sending *s, const struct xb_content *graph, const char *dir,
	      const struct xb_push_target *targets, struct xb_push_result *result, struct xb_err *err);
/* The targets with one tag instead of their own, or with none. */
const struct xb_push_target *push_retagged(const struct push_run *run, const char *const *tag);

#endif
