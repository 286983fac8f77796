/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What builds have put into out/<target>/, remembered in .xbuild/outputs, so that what is made no longer can go: the
 * program of a unit that was renamed or removed, a debug file of another profile.
 *
 * Guarantee: a file goes only when xbuild made it and it still has the content that xbuild gave it. A build of some units
 *            or targets says nothing about the others. What nobody remembers (.xbuild/ was removed) stays.
 * Format:    one line per file: "<sha256> <target> <unit> <path>", sorted by path. What cannot be read counts as nothing.
 */
#ifndef XBUILD_APP_OUTPUTS_H
#define XBUILD_APP_OUTPUTS_H

#include "xbuild/app/app.h"
#include "xbuild/build/graph.h"

struct outputs_build {
	const struct xb_graph *graph;		  /* after the run */
	const struct xb_project_target **targets; /* that were built */
	size_t n_targets;
	bool all_units;	    /* of the project, for these targets */
	bool is_successful; /* only then something is removed */
};

/* Removes what the build makes no longer, and remembers what it made. */
int outputs_update(const struct xb_app *app, const struct outputs_build *build, struct xb_err *err) XB_MUST_CHECK;

#endif
