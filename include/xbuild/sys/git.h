/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What git says about the work tree of the project, asked with the git program (no shell, no configuration that runs
 * code: fsmonitor, hooks and pagers are switched off; the clean filters of the repository are not, as
 * without them every file that has one would look changed). Nothing is read unless asked for.
 */
#ifndef XBUILD_SYS_GIT_H
#define XBUILD_SYS_GIT_H

#include <stdbool.h>
#include <stdint.h>

#include "xbuild/base/err.h"

struct xb_git {
	bool present;	     /* false: no git program or no repository; all else is empty then */
	char *commit;	     /* 40 (or 64) hex digits; "" before the first commit */
	char *branch;	     /* "main"; "" when detached */
	char *tag;	     /* a tag that names HEAD, or "" */
	char *describe;	     /* git describe --tags --always, without a dirty mark */
	char *origin;	     /* URL of remote "origin", credentials taken out, or "" */
	int64_t commit_time; /* committer time, seconds since the epoch; 0 before the first commit */
	/* Tracked files changed, or untracked files that are not ignored; compile_commands.json in `dir` does not count. */
	bool dirty;
};

void xb_git_release(struct xb_git *git);
/* XB_E_INTERRUPTED when *interrupted (may be NULL) becomes non-zero; git is ended then. */
int xb_git_read(const char *dir, const volatile int *interrupted, struct xb_git *out, struct xb_err *err) XB_MUST_CHECK;

#endif
