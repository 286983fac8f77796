/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From project, targets and profile to the graph of actions.
 *
 * Paths:    objects at .xbuild/obj/<target>/<profile>/<unit>/<source>.o, results at out/<target>/<output name>, separate
 *           debug information at out/<target>/<output name>.debug.
 * Others:   a unit of another build system is one action, whose output is the manifest of what it installed (build/foreign), and
 *           one more for each of its `outputs`, which takes that to out/<target>/. Native units get its headers, and its
 *           outputs that are libraries.
 * Linking:  objects of the unit, then the static libraries behind it, each once and before those that it needs itself,
 *           then shared libraries.
 * Failure:  XB_E_INPUT; what concerns a line of the project file is also in diags. The graph borrows the setups, the
 *           project, the tools and the sysroots.
 */
#ifndef XBUILD_BUILD_PLAN_H
#define XBUILD_BUILD_PLAN_H

#include "xbuild/base/diag.h"
#include "xbuild/build/graph.h"

struct xb_plan_request {
	const struct xb_setup *setups; /* one per target; the same project and profile in all */
	size_t n_setups;
	struct xb_unit *const *units; /* wanted; what they depend on is added */
	size_t n_units;
	/* The setup of this host, for units under `host-tools`; the first of setups, or NULL when none is wanted. */
	const struct xb_setup *tools_setup;
};

int xb_plan(const struct xb_plan_request *request, struct xb_graph **out, struct xb_diags *diags,
	    struct xb_err *err) XB_MUST_CHECK;

/* True when one of the units, or one that it needs, has host tools. */
bool xb_plan_has_host_tools(struct xb_unit *const *units, size_t n_units);

/* True when building these units with this profile needs llvm-ar or llvm-objcopy. */
bool xb_plan_needs_tools(const struct xb_profile *profile, struct xb_unit *const *units, size_t n_units);

#endif
