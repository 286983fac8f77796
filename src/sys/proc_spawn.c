/* SPDX-License-Identifier: Apache-2.0 */
#include "proc_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <unistd.h>

#include "xbuild/base/vec.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/host.h"

/* posix_spawn(3) takes pointers to what is not const, and does not write there. */
static char *const *as_spawn_list(const char *const *list)
{
	static char *const empty[] = {NULL};

	return list ? (char *const *)(uintptr_t)list : empty;
}

/* The read end of a pipe that holds the whole text: so small a one (PIPE_BUF) is written without waiting for a reader. */
static int open_input(const char *text, int *out_fd, struct xb_err *err)
{
	int fds[2];

	if (xb_host_pipe(fds, err) < 0)
		return err->code;
	if (xb_fs_write_all(fds[1], text, strlen(text), "input of a program", err) < 0)
		xb_fs_close(&fds[0]);
	xb_fs_close(&fds[1]);
	*out_fd = fds[0];
	return err->code;
}

/* 0 or an errno. out_fd are the write ends, -1 where the child has ours; in_fd: -1 for /dev/null. */
static int fill_actions(posix_spawn_file_actions_t *actions, const struct xb_proc_spec *spec, int in_fd,
			const int out_fd[2])
{
	int rc = in_fd >= 0 ? posix_spawn_file_actions_adddup2(actions, in_fd, STDIN_FILENO)
			    : posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

	if (!rc && !spec->inherit_output)
		rc = posix_spawn_file_actions_adddup2(actions, out_fd[0], STDOUT_FILENO);
	if (!rc && !spec->inherit_output)
		rc = posix_spawn_file_actions_adddup2(actions, spec->split_output ? out_fd[1] : out_fd[0],
						      STDERR_FILENO);
	if (!rc && spec->pass_fd)
		rc = posix_spawn_file_actions_adddup2(actions, spec->pass_fd, XB_PROC_PASSED);
	if (!rc && spec->cwd)
		rc = posix_spawn_file_actions_addchdir_np(actions, spec->cwd);
#ifdef POSIX_SPAWN_CLOEXEC_DEFAULT
	/* Closes all but those named in the actions. */
	if (!rc && spec->inherit_output)
		rc = posix_spawn_file_actions_addinherit_np(actions, STDOUT_FILENO);
	if (!rc && spec->inherit_output)
		rc = posix_spawn_file_actions_addinherit_np(actions, STDERR_FILENO);
#elif defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
	/* Ours are all close-on-exec; this is for those that we inherited without knowing. */
	if (!rc)
		rc = posix_spawn_file_actions_addclosefrom_np(actions,
							      (spec->pass_fd ? XB_PROC_PASSED : STDERR_FILENO) + 1);
#endif
	return rc;
}

static int fill_attributes(posix_spawnattr_t *attr, bool share_group)
{
	/* What a caller of ours may have ignored; exec resets caught signals by itself, but not ignored ones. */
	static const int numbers[] = {SIGPIPE, SIGXFSZ, SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGCHLD};
	short flags = (share_group ? 0 : POSIX_SPAWN_SETPGROUP) | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	sigset_t set;
	int rc;

#ifdef POSIX_SPAWN_CLOEXEC_DEFAULT
	flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#endif
	sigemptyset(&set);
	rc = posix_spawnattr_setsigmask(attr, &set);
	for (size_t i = 0; i < XB_COUNT(numbers); i++)
		sigaddset(&set, numbers[i]);
	if (!rc)
		rc = posix_spawnattr_setsigdefault(attr, &set);
	if (!rc)
		rc = posix_spawnattr_setpgroup(attr, 0);
	return rc ? rc : posix_spawnattr_setflags(attr, flags);
}

int proc_spawn(const struct xb_proc_spec *spec, const int out_fd[2], pid_t *out_pid, struct xb_err *err)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int in_fd XB_CLEANUP(xb_fs_close) = -1;
	int rc;

	if (spec->input && open_input(spec->input, &in_fd, err) < 0)
		return err->code;
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	rc = fill_actions(&actions, spec, in_fd, out_fd);
	if (!rc)
		rc = fill_attributes(&attr, spec->share_group);
	if (!rc)
		rc = posix_spawn(out_pid, spec->argv[0], &actions, &attr, as_spawn_list(spec->argv),
				 as_spawn_list(spec->env));
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	if (!rc)
		return 0;
	errno = rc;
	if (spec->cwd)
		return xb_fail_errno(err, "run '%s' in '%s'", spec->argv[0], spec->cwd);
	return xb_fail_errno(err, "run '%s'", spec->argv[0]);
}
