/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this host lacks, and the command that mends it. Looks only: nothing is changed, nothing is downloaded.
 *
 * Failure: findings are results, not errors; an error means that looking itself was impossible.
 */
#ifndef XBUILD_APP_OP_DOCTOR_H
#define XBUILD_APP_OP_DOCTOR_H

#include "xbuild/app/app.h"

enum xb_finding_level {
	XB_FINDING_OK,
	XB_FINDING_NOTE, /* something works less well: foreign tests are skipped, say */
	XB_FINDING_BAD	 /* something will not work */
};

struct xb_finding {
	enum xb_finding_level level;
	const char *what;  /* "emulator for linux-aarch64" */
	const char *found; /* "qemu-aarch64", "none" */
	const char *mend;  /* a command or a sentence, NULL when there is nothing to do */
};

struct xb_doctor_result {
	struct xb_finding *items; /* in app->arena */
	size_t len;
	size_t n_bad;
};

int xb_op_doctor(struct xb_app *app, struct xb_doctor_result *out, struct xb_err *err) XB_MUST_CHECK;

/* How programs of a target run on this host: "native", the name of the emulator on PATH, or NULL. In app->arena. */
const char *xb_app_runner_name(struct xb_app *app, const struct xb_target *target);
/*
 * The words in front of a program of the target that `xbuild test` would start ("/usr/bin/qemu-aarch64", "-L", "<sysroot>"), ends
 * with NULL; NULL where nothing here runs one. In app->arena. Natively they are the sysroot's own loader, which takes no static
 * program.
 */
const char *const *xb_app_runner_words(struct xb_app *app, const struct xb_target *target, const char *sysroot);

#endif
