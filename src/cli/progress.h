/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shows what an operation tells (base/observer). On a terminal: finished lines with a green verb in a column of 12, and one
 * live line below them, redrawn at most ten times a second and cut to the width of the terminal. Elsewhere: plain finished
 * lines, and a sign of life every 30 seconds. Quiet: output of failed jobs and warnings only. Everything goes to stderr.
 *
 * Threads: events may come from any thread.
 */
#ifndef XBUILD_CLI_PROGRESS_H
#define XBUILD_CLI_PROGRESS_H

#include <stdbool.h>

#include "xbuild/base/observer.h"

struct progress;

struct progress_options {
	bool live; /* draw the live line */
	bool color;
	bool quiet;
	bool verbose; /* a line for each job */
};

struct progress *progress_new(const struct progress_options *options);
void progress_free(struct progress *progress); /* clears the live line; NULL-safe */
const struct xb_observer *progress_observer(struct progress *progress);
/* Takes the live line away, so that something else can be printed. */
void progress_clear(struct progress *progress);

/* Columns of the terminal behind stderr; 0 when there is none. */
int progress_width(void);

#endif
