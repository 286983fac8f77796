/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/build: one call of xb_plan, shared by plan.c (units of sources) and plan_foreign.c (the others). */
#ifndef XBUILD_BUILD_PLANNER_H
#define XBUILD_BUILD_PLANNER_H

#include "xbuild/base/vec.h"
#include "xbuild/build/foreign.h"
#include "xbuild/build/plan.h"
#include "xbuild/build/sources.h"

/* What a unit of another build system is made from: the same for all targets. */
struct plan_listing {
	bool known;
	struct xb_foreign_files inputs;
};

struct planner {
	const struct xb_plan_request *request;
	struct xb_graph *graph;
	struct xb_arena *arena; /* of the graph */
	struct xb_sources *sources;
	struct xb_diags *diags;
	const struct xb_project *project;
	XB_VEC(struct xb_action *) actions;
	XB_VEC(struct xb_product) products;
	struct plan_listing *listings; /* by unit index of the project; in arena */

	/* of the setup that is being planned */
	const struct xb_setup *setup;
	struct xb_pkgconfig *pkgconfig;
	size_t *product_of; /* by unit index of the project: index in products + 1, 0 not planned, SIZE_MAX in progress */
};

size_t plan_unit_index(const struct xb_project *project, const struct xb_unit *unit);
/* A problem of the project file at `at`. */
int plan_report(struct planner *p, const struct xb_place *at, struct xb_err *err, const char *message);

struct xb_variant *plan_variant(struct planner *p, const struct xb_unit *unit, enum xb_action_kind kind,
				const char *tool);
/* The command is complete: what every action of the variant has in common gets its name. */
void plan_seal(struct xb_variant *variant);
struct xb_action *plan_action(struct planner *p, const struct xb_variant *variant, const char *source,
			      const char *output);
void plan_inputs(struct planner *p, struct xb_action *action, struct xb_action *const *inputs, size_t n);

/* The sources of a unit here; what else it names (directories of headers, pkg-config modules) is there, or it is told. */
int plan_find_sources(struct planner *p, const struct xb_unit *unit, struct xb_source_list *out, struct xb_err *err);

/* What a unit of sources gets of units of other build systems, which were planned before. */
struct plan_needs {
	struct xb_action **stages; /* their staging trees */
	size_t n_stages;
	struct xb_action *
		*libraries; /* those of their outputs that can be linked; who needs another stands before it */
	size_t n_libraries;
};
void plan_gather_needs(struct planner *p, const struct xb_unit *unit, struct plan_needs *out);
/* `first` may be NULL. */
void plan_compile_inputs(struct planner *p, struct xb_action *action, struct xb_action *first,
			 const struct plan_needs *needs);

/* The C++ library of a unit of sources whose deps were planned, against theirs and the sysroot. */
int plan_stdlib(struct planner *p, const struct xb_unit *unit, bool cxx, struct xb_err *err);

/* A unit of another build system; its deps were planned. */
int plan_foreign(struct planner *p, const struct xb_unit *unit, size_t index, struct xb_err *err);
/* The units that are to be built for this host, by plan_unit. */
int plan_host_tools(struct planner *p, int (*plan_unit)(struct planner *p, struct xb_unit *unit, struct xb_err *err),
		    struct xb_err *err);

#endif
