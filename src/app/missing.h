/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what a failed compile, link or configure step could not find to the package that has it, and to the line that
 * adds it. Any tool's output will do (build/missing.h says which are understood): native steps and foreign build
 * systems come in by the observer alike.
 *
 * Sequence:  missing_log_init; hand &log.observer to what runs the steps; when it has failed missing_explain.
 * Failure:   none. What cannot be told is not told; err keeps its code and its message.
 * Network:   the first time, the index of files is fetched (app->supply), unless the run is offline: then the hint
 *            says how to get it.
 */
#ifndef XBUILD_SRC_APP_MISSING_H
#define XBUILD_SRC_APP_MISSING_H

#include "xbuild/app/app.h"
#include "xbuild/build/missing.h"

/* What one target lacks. */
struct missing_of {
	const char *target; /* canonical name */
	struct xb_missing_list found;
};

struct missing_log {
	struct xb_observer observer;	/* passes all on, and reads outputs on the way */
	const struct xb_observer *next; /* may be NULL */
	struct xb_arena arena;
	XB_VEC(struct missing_of) targets;
	bool by_option; /* the packages are the caller's own words, --with, and not in a project file */
};

void missing_log_init(struct missing_log *log, const struct xb_observer *next);
void missing_log_release(struct missing_log *log);

/* Takes down what a tool's output (ANSI sequences allowed) says is missing for a target; the observer does it by itself. */
void missing_log_add(struct missing_log *log, const char *target, struct xb_sv output);

/* Looks up what was taken down. One finding becomes err's hint; several become notes, and the hint adds all packages. */
void missing_explain(struct xb_app *app, struct missing_log *log, struct xb_err *err);
/* The same for the problems of app->diags, whose modules a target's sysroot does not have: the help of each. */
void missing_explain_diags(struct xb_app *app, const char *target, struct missing_log *log);

#endif
