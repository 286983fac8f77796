/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Child processes: argv arrays to posix_spawn, never a shell; the environment is what the caller lists and nothing else;
 * stdin is /dev/null or the text that the caller gives; all other descriptors are closed in the child. Each child leads a
 * process group of its own, so that it can be ended with its descendants.
 *
 * A child counts as ended when it has ended itself: what descendants of it write later is not waited for. They live on, but for
 * those in the group of a child that was started with ends_group.
 *
 * struct xb_procs runs several at once in one poll loop: start, wait, start ... from one thread.
 */
#ifndef XBUILD_SYS_PROC_H
#define XBUILD_SYS_PROC_H

#include <stdbool.h>
#include <stdint.h>

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"

#define XB_PROC_PASSED 3

struct xb_proc_spec {
	const char *const *argv; /* argv[0] is the path of the executable; ends with NULL */
	const char *const *env;	 /* "NAME=value", ends with NULL; NULL means empty */
	const char *cwd;	 /* NULL: the current directory */
	const char *input;	 /* what it finds on stdin, at most 4096 bytes; NULL: nothing */
	bool share_group;	 /* it stays in our process group: who ends ours ends it, with its descendants */
	bool ends_group;	 /* what it leaves in its own group is killed when it has ended */
	int pass_fd;		 /* 0, or a descriptor that it finds as its descriptor XB_PROC_PASSED */
	bool inherit_output;	 /* stdout and stderr are ours instead of being captured */
	bool split_output;	 /* capture stderr apart from stdout (else both into `output`, in order) */
	int64_t max_output;	 /* 0 = XB_MAX_CHILD_OUTPUT_BYTES; more is cut and marked */
	int64_t timeout_ms;	 /* 0 = none; after it the group is killed and timed_out is set */
};

struct xb_proc_result {
	int exit_code; /* 0..255, or -1 when a signal ended it */
	int signal;    /* 0 or its number */
	bool timed_out, cut;
	struct xb_str output; /* stdout, or stdout and stderr together */
	struct xb_str errors; /* stderr when split */
	int64_t elapsed_ms;
	int64_t peak_rss_kib; /* on Linux at least what this process had in memory at the start */
};

void xb_proc_result_release(struct xb_proc_result *r);

/* Ends with the words "exit status 1" or "killed by signal 11 (Segmentation fault)". Returns buf. */
const char *xb_proc_describe(const struct xb_proc_result *r, char *buf, size_t size);

struct xb_procs;

struct xb_procs *xb_procs_new(void);
/* Kills what still runs (SIGKILL to the groups), reaps it, frees. NULL-safe. */
void xb_procs_free(struct xb_procs *p);
/* Starts a child; `user` comes back from wait. */
int xb_procs_start(struct xb_procs *p, const struct xb_proc_spec *spec, void *user, struct xb_err *err) XB_MUST_CHECK;
size_t xb_procs_running(const struct xb_procs *p);
/* Sends a signal to all that run and their descendants; wait for them afterwards. */
void xb_procs_signal(struct xb_procs *p, int signal);
/*
 * Waits until a child has ended and its output is complete, or timeout_ms passed (negative: no limit), or *interrupted
 * becomes non-zero (may be NULL; signals wake the wait). 1: *out_user and *out are set (release it); 0: time is up or
 * interrupted; negative: error.
 */
int xb_procs_wait(struct xb_procs *p, int64_t timeout_ms, const volatile int *interrupted, void **out_user,
		  struct xb_proc_result *out, struct xb_err *err) XB_MUST_CHECK;

/*
 * Owned path of the executable file `name` in the PATH of this process, or NULL. Empty and relative entries of PATH are
 * passed over; a name with a slash is looked at as it is.
 */
char *xb_proc_find(const char *name);

/*
 * XBUILD_EMULATOR, a name in PATH or a path: *out is the owned path of what runs programs that are of this xbuild's kind
 * but not of this machine's, NULL where it is not set. Fails where it names nothing that can be executed.
 */
int xb_proc_emulator(char **out, struct xb_err *err) XB_MUST_CHECK;

#endif
