/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine that xbuild runs on. What differs between systems is here, but for copies of files (sys/fs).
 */
#ifndef XBUILD_SYS_HOST_H
#define XBUILD_SYS_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "xbuild/base/err.h"

struct xb_host {
	const char *name; /* "linux-x86_64", "linux-aarch64", "darwin-aarch64", "darwin-x86_64" or "unknown"; static */
	const char *os;	  /* "linux", "darwin"; static */
	const char *arch; /* "x86_64", "aarch64"; static */
	int cpus;	  /* that this process may use, at least 1 */
};

void xb_host_detect(struct xb_host *out);

/* Owned absolute path of the running executable. Under an emulator it is the emulated program's path. */
int xb_host_self(char **out, struct xb_err *err) XB_MUST_CHECK;

/*
 * $XDG_CACHE_HOME/xbuild or ~/.cache/xbuild (on macOS too), or XBUILD_CACHE_DIR; $XDG_CONFIG_HOME/xbuild or
 * ~/.config/xbuild. Owned. XB_E_USAGE with a hint when no home is known.
 */
int xb_host_cache_dir(char **out, struct xb_err *err) XB_MUST_CHECK;
int xb_host_config_dir(char **out, struct xb_err *err) XB_MUST_CHECK;

/*
 * Seconds since the epoch. XBUILD_TEST_NOW=<seconds>, meant for tests of expiry, replaces the clock; its use is shown
 * by `xbuild doctor`.
 */
int64_t xb_host_now(void);

/*
 * Whether the disk below a directory takes "a" and "A" for one name, as macOS's usually does: tried with a file there, which goes
 * again. XBUILD_TEST_FOLDS_CASE, meant for tests on other disks, says yes without looking.
 */
int xb_host_folds_case(const char *dir, bool *out, struct xb_err *err) XB_MUST_CHECK;
int64_t xb_host_monotonic_ms(void);

/*
 * For sys/proc, where the systems differ. xb_host_pipe: a pipe that children do not inherit, with both ends above 2.
 * xb_host_watch_exit: a descriptor that poll(2) finds readable once our child `pid` has ended, or -1 where that cannot
 * be had (an old kernel, or the child has already ended): then ask wait4(2) from time to time. The caller closes it.
 * xb_host_rss_kib: ru_maxrss of getrusage(2), which is KiB on Linux and bytes on macOS.
 */
int xb_host_pipe(int out_fds[2], struct xb_err *err) XB_MUST_CHECK;
int xb_host_watch_exit(int64_t pid);
int64_t xb_host_rss_kib(long ru_maxrss);

/*
 * First call of a program. Where it was started without descriptor 0, 1 or 2, that number is taken by one that cannot be
 * used: else the next file that is opened (a download, a lock) would get it, and be written to as if it were stderr.
 * Writing to a missing stdout still fails.
 */
void xb_host_hold_standard(void);

/*
 * Installs handlers for SIGINT, SIGTERM and SIGHUP that set the flag to the signal's number. SIGPIPE and SIGXFSZ are
 * ignored: writing to a closed pipe, or beyond the limit for files, fails like any other write.
 * A signal that is ignored on entry (nohup) stays so, and an inherited "ignore SIGCHLD", with which no child could be
 * waited for, is undone. Calls that wait end with EINTR.
 */
const volatile int *xb_host_catch_signals(void);
/*
 * Before this process becomes another program: that one is not to inherit what is ignored here, and a signal that was caught but
 * that nobody has looked at yet ends this process now: the flag would be gone with it.
 */
void xb_host_release_signals(void);

#endif
