/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks what was really built, and runs the tests of the project file. Builds first.
 *
 * Guarantee: what cannot be run on this host is reported as skipped with the reason, never as passed. Rows come in the
 *            order of targets, then units and tests of the project file.
 */
#ifndef XBUILD_APP_OP_TEST_H
#define XBUILD_APP_OP_TEST_H

#include "xbuild/app/op_build.h"

enum xb_verdict { XB_VERDICT_PASSED, XB_VERDICT_FAILED, XB_VERDICT_SKIPPED };

struct xb_test_row {
	const char *kind;   /* "elf", "run", or the driver's key of a unit whose own tests were run ("cargo") */
	const char *name;   /* unit or test */
	const char *target; /* canonical */
	enum xb_verdict verdict;
	const char
		*detail; /* passed: "aarch64, GLIBC_2.34, PIE, RELRO, NX"; run: "native", "qemu-aarch64"; else NULL */
	const char **problems; /* failed: "expected ..., found ..." one per line; skipped: the reason */
	size_t n_problems;
	const char *output; /* of a failed run, or NULL */
	int64_t elapsed_ms;
};

struct xb_test_result {
	struct xb_build_result build;
	struct xb_arena arena;
	struct xb_test_row *rows;
	size_t n_rows, n_passed, n_failed, n_skipped;
};
void xb_test_result_release(struct xb_test_result *result);

/* A wrong binary or a failed run is XB_E_JOB after all rows were made. */
int xb_op_test(struct xb_app *app, const struct xb_build_opts *opts, struct xb_test_result *out,
	       struct xb_err *err) XB_MUST_CHECK;

#endif
