/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the build system of one unit for one target: what the process behind an XB_ACTION_FOREIGN does.
 *
 * Sequence: wrappers and a prefix for each unit that it needs, the driver's files, its steps, checks of what was installed, then
 *           all of that goes to the store and its manifest (build/stage) to the file that was asked for.
 * Build directory: .xbuild/foreign/<target>/<profile>/<unit>-<digest>, where the digest covers everything but the sources: what
 *           was configured for something else is never met. It stays for the next run while nothing is another that the
 *           build system would not see (build/drive_kept.c); else that run begins with a new one, as it does behind one
 *           that was killed. Those of other digests are removed.
 * Environment: made from nothing (build/driver.h). No network is blocked, but switches that keep tools from it are set.
 * Failure:  XB_E_JOB when a step failed, with its last lines in *shown; XB_E_VERIFY when what it made is not for the target, or
 *           was made from files of this host; others as they come. Nothing is published then.
 */
#ifndef XBUILD_BUILD_DRIVE_H
#define XBUILD_BUILD_DRIVE_H

#include "xbuild/base/observer.h"
#include "xbuild/build/compile.h"
#include "xbuild/store/store.h"

struct xb_drive_spec {
	const struct xb_setup *setup;
	const struct xb_unit *unit;
	const struct xb_target *tools_target; /* host tools of the unit are at their places for it; or NULL */
	struct xb_store *store;
	const char *wrap, *xbuild; /* absolute paths of the programs */
	const char *manifest;	   /* absolute path of the file to write; NULL: the unit's own tests are run */
	const char *
		jobserver; /* absolute path of a FIFO with a byte for each job that may run beside the first; or NULL */
	int jobs;	   /* at most, with or without a jobserver */
	bool verbose;	   /* all that the steps print goes to *shown */
	const volatile int *interrupted;
};

int xb_drive_run(const struct xb_drive_spec *spec, struct xb_str *shown, struct xb_err *err) XB_MUST_CHECK;

#endif
