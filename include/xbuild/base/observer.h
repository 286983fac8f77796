/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a long operation tells about itself while it runs. Library code calls xb_observe(); src/cli/progress shows it.
 * No I/O here. An observer may be NULL: then nobody listens. Events may come from worker threads: the receiver locks.
 */
#ifndef XBUILD_BASE_OBSERVER_H
#define XBUILD_BASE_OBSERVER_H

#include <stdint.h>

enum xb_event_kind {
	XB_EVENT_PHASE,	   /* a phase begins: label "fetch", total items and bytes if known */
	XB_EVENT_PROGRESS, /* counters of the current phase moved: done, total, done_bytes, total_bytes */
	XB_EVENT_JOB,	   /* a job starts: label "CC src/a.c", target */
	XB_EVENT_DONE,	   /* a job or phase ended: label is its result, e.g. "Fetched" / "17.4 MB in 12 files" */
	XB_EVENT_OUTPUT,   /* output of a child, whole: text (may hold ANSI colour), label says whose */
	XB_EVENT_NOTE,	   /* something to know: text */
	XB_EVENT_WARNING   /* something to mend: text */
};

struct xb_event {
	enum xb_event_kind kind;
	const char *verb;   /* past tense for DONE ("Fetched"), gerund-free short word for JOB ("CC"); may be NULL */
	const char *label;  /* may be NULL */
	const char *target; /* canonical target or host name, or NULL */
	const char *text;   /* for OUTPUT, NOTE, WARNING */
	uint64_t done, total;
	uint64_t done_bytes, total_bytes;
	int64_t elapsed_ms; /* of the job or phase, for DONE; 0 unknown */
};

struct xb_observer {
	void (*event)(void *self, const struct xb_event *event); /* strings are borrowed for the call */
	void *self;
};

void xb_observe(const struct xb_observer *observer, const struct xb_event *event);

#endif
