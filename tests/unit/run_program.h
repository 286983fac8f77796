/* SPDX-License-Identifier: Apache-2.0 */
/* For tests that look at what other programs make of ours. */
#ifndef XBUILD_TESTS_RUN_PROGRAM_H
#define XBUILD_TESTS_RUN_PROGRAM_H

#include "xbuild/sys/proc.h"

/* Runs one child to its end. A child that ran and failed is success here: look at the result. */
static inline int run_program(const struct xb_proc_spec *spec, struct xb_proc_result *out, struct xb_err *err)
{
	struct xb_procs *procs = xb_procs_new();
	int rc = xb_procs_start(procs, spec, NULL, err);

	if (rc == 0)
		rc = xb_procs_wait(procs, -1, NULL, NULL, out, err);
	xb_procs_free(procs);
	return rc < 0 ? rc : 0;
}

#endif
