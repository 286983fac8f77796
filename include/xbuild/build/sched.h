/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a graph: what is up to date is left alone, what the store knows is taken from there, the rest is run in parallel.
 *
 * Decided by content: an action is up to date when its command and the content of everything that it read are what they
 * were (build/state), and known when the store has a result for the REAPI Action that these make (build/key). Times of
 * files are never compared.
 * Hermetic:  every file that a tool reports as read must lie in the project, the sysroot or the toolchain; files below out/ and
 *            .xbuild/ must be inputs of the action. Otherwise the result is thrown away: XB_E_VERIFY. So it is when
 *            an input changed while the tool ran.
 * Outputs:   appear whole at their place or not at all; a failed or interrupted action leaves nothing.
 * Events:    JOB for each command that starts (text: the command line, when verbose), OUTPUT with what a tool printed, whole;
 *            warnings of results from the store are shown again.
 * Failure:   XB_E_JOB when commands failed, XB_E_VERIFY as above, XB_E_INTERRUPTED; others as they come. What was done is kept.
 * Threads:   one; children run in parallel.
 */
#ifndef XBUILD_BUILD_SCHED_H
#define XBUILD_BUILD_SCHED_H

#include "xbuild/base/observer.h"
#include "xbuild/build/graph.h"
#include "xbuild/store/store.h"

struct xb_sched_options {
	struct xb_store *store;
	const char *project_dir;
	const struct xb_setup *setups; /* those that the graph was planned with */
	size_t n_setups;
	int jobs; /* children at once, at least 1 */
	bool keep_going, dry_run, color, verbose;
	const struct xb_observer *observer;
	const volatile int *interrupted; /* may be NULL */
	bool need_linked;		 /* a link of which build/linked knows nothing runs again */
	/* What runs a unit of another build system: the words in front of "--target T --profile P --manifest FILE UNIT", and its
	 * environment; both end with NULL. Needed where the graph has such a unit and no dry_run is asked for. */
	const char *const *drive, *const *drive_env;
	bool compdb; /* keep compile_commands.json of the first setup up to date */
};

struct xb_sched_result {
	size_t n_run, n_cached, n_current, n_failed, n_skipped;
	const char **would_run; /* dry run: labels with the target, in the order of the graph; in `arena` given */
	size_t n_would_run;
};

int xb_sched_run(struct xb_graph *graph, const struct xb_sched_options *options, struct xb_arena *arena,
		 struct xb_sched_result *out, struct xb_err *err) XB_MUST_CHECK;

#endif
