/* SPDX-License-Identifier: Apache-2.0 */
/* Private to sys/proc: what a child gets from us, and what it must not get. */
#ifndef XBUILD_SYS_PROC_SPAWN_H
#define XBUILD_SYS_PROC_SPAWN_H

#include <sys/types.h>

#include "xbuild/sys/proc.h"

/*
 * Starts the program of `spec` in a process group of its own, with the signals as a new session has them. out_fd: the
 * write ends for stdout and stderr, -1 where the child has ours; they stay the caller's.
 */
int proc_spawn(const struct xb_proc_spec *spec, const int out_fd[2], pid_t *out_pid, struct xb_err *err) XB_MUST_CHECK;

#endif
