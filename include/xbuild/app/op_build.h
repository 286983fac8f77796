/* SPDX-License-Identifier: Apache-2.0 */
/* Compiles and links units for targets: out/<target>/<output name>. */
#ifndef XBUILD_APP_OP_BUILD_H
#define XBUILD_APP_OP_BUILD_H

#include "xbuild/app/app.h"

struct xb_build_opts {
	const char *const *units; /* names; none: all */
	size_t n_units;
	const char *const *targets; /* names or aliases; none or "all": all of the project */
	size_t n_targets;
	const char *profile; /* NULL: release */
	bool keep_going;     /* -k */
	bool dry_run;	     /* -n: plan only; result lists what would run, or what would have to be fetched first */
	bool color;	     /* ask the compiler for coloured diagnostics */
	bool evidence;	     /* the result tells what each unit was made from */
	bool verbose;	     /* observer gets the command of each job */
};

/* One finished output. Strings borrowed from result->arena. */
struct xb_built {
	const struct xb_unit *unit;
	const char *output; /* which of unit->outputs, or NULL */
	const struct xb_target *target;
	const char *path;	/* absolute */
	const char *rel_path;	/* "out/linux-aarch64/server" */
	const char *debug_path; /* separate debug file, absolute, or NULL */
	struct xb_digest digest;
	uint64_t size_bytes;
	bool is_directory; /* a tree of an output; digest and size are those of its manifest (build/stage) */
	bool executable;   /* known of outputs only */
};

/* How a unit was made for a target: the outputs of its actions (build/state) and what its link gave, before it was stripped. */
struct xb_built_unit {
	const struct xb_unit *unit;
	const struct xb_target *target;
	const char **steps;
	size_t n_steps;
	bool is_linked;
	struct xb_digest linked; /* of the program, for build/linked */
};

struct xb_build_result {
	struct xb_arena arena;
	struct xb_built *items; /* in the order of targets, then units of the file */
	size_t n_items;
	struct xb_built_unit *units; /* with evidence: all that were made, also for others; as in items */
	size_t n_units;
	size_t n_actions; /* in the plan */
	size_t n_run;	  /* commands that ran */
	size_t n_cached;  /* taken from the store */
	size_t n_failed;
	const char **would_run; /* dry_run: one line per action that is not up to date */
	size_t n_would_run;
};
void xb_build_result_release(struct xb_build_result *result);

/* XB_E_JOB when a command failed (its output went to the observer); results of the others stand with keep_going. */
int xb_op_build(struct xb_app *app, const struct xb_build_opts *opts, struct xb_build_result *out,
		struct xb_err *err) XB_MUST_CHECK;

#endif
