/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sys/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc_spawn.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/host.h"

#define READ_BYTES	(64 * 1024)
#define MAX_DRAIN_READS 32  /* more than a pipe can hold: a living descendant must not keep us reading */
#define MAX_SLEEP_MS	100 /* a signal that another thread takes, or that comes just before poll, does not wake it */
#define MAX_ASK_MS	20  /* between two questions for the end of a child that cannot be watched */
#define POLLS_PER_CHILD 3

struct child {
	pid_t pid;
	bool in_our_group;
	bool ends_group;
	int out_fd[2]; /* read ends: stdout (or both), stderr; -1 once at their end */
	int exit_fd;   /* readable when the child has ended, or -1: ask */
	bool ended;    /* and reaped: pid is nobody's now */
	int ask_ms;    /* until the next question, where exit_fd is -1 */
	int64_t start_ms;
	int64_t deadline_ms; /* 0 = none */
	int64_t left_bytes;  /* of output that is still kept */
	void *user;
	struct xb_proc_result result;
};

struct xb_procs {
	XB_VEC(struct child *) children;
	XB_VEC(struct pollfd) polls; /* POLLS_PER_CHILD for each child, made anew for each poll */
};

void xb_proc_result_release(struct xb_proc_result *r)
{
	if (!r)
		return;
	xb_str_release(&r->output);
	xb_str_release(&r->errors);
	*r = (struct xb_proc_result){0};
}

static void free_child(struct child *c)
{
	xb_fs_close(&c->out_fd[0]);
	xb_fs_close(&c->out_fd[1]);
	xb_fs_close(&c->exit_fd);
	xb_proc_result_release(&c->result);
	free(c);
}

/* With its descendants, as far as it leads a group of its own. */
static void kill_child(const struct child *c, int signal)
{
	kill(c->in_our_group ? c->pid : -c->pid, signal);
}

struct xb_procs *xb_procs_new(void)
{
	return xb_alloc(sizeof(struct xb_procs));
}

void xb_procs_free(struct xb_procs *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->children.len; i++) {
		if (!p->children.items[i]->ended)
			kill_child(p->children.items[i], SIGKILL);
	}
	for (size_t i = 0; i < p->children.len; i++) {
		struct child *c = p->children.items[i];

		while (!c->ended && waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
			;
		free_child(c);
	}
	XB_VEC_RELEASE(&p->children);
	XB_VEC_RELEASE(&p->polls);
	free(p);
}

size_t xb_procs_running(const struct xb_procs *p)
{
	return p->children.len;
}

void xb_procs_signal(struct xb_procs *p, int signal)
{
	for (size_t i = 0; i < p->children.len; i++)
		if (!p->children.items[i]->ended)
			kill_child(p->children.items[i], signal);
}

static int open_outputs(struct child *c, const struct xb_proc_spec *spec, int write_fd[2], struct xb_err *err)
{
	const int n = spec->inherit_output ? 0 : spec->split_output ? 2 : 1;

	for (int i = 0; i < n; i++) {
		int fds[2];

		if (xb_host_pipe(fds, err) < 0)
			return err->code;
		c->out_fd[i] = fds[0];
		write_fd[i] = fds[1];
		if (fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0)
			return xb_fail_errno(err, "set up a pipe");
	}
	return 0;
}

int xb_procs_start(struct xb_procs *p, const struct xb_proc_spec *spec, void *user, struct xb_err *err)
{
	int write_fd[2] = {-1, -1};
	struct child *c = xb_alloc(sizeof(*c));
	int failed;

	c->out_fd[0] = c->out_fd[1] = c->exit_fd = -1;
	failed = open_outputs(c, spec, write_fd, err);
	c->start_ms = xb_host_monotonic_ms();
	if (!failed)
		c->in_our_group = spec->share_group;
	c->ends_group = spec->ends_group;
	failed = proc_spawn(spec, write_fd, &c->pid, err);
	/* Our copies must go at once: while one is open, the output has no end. */
	xb_fs_close(&write_fd[0]);
	xb_fs_close(&write_fd[1]);
	if (failed) {
		free_child(c);
		return failed;
	}
	c->exit_fd = xb_host_watch_exit(c->pid);
	c->deadline_ms = spec->timeout_ms > 0 ? c->start_ms + spec->timeout_ms : 0;
	c->left_bytes = spec->max_output > 0 ? spec->max_output : XB_MAX_CHILD_OUTPUT_BYTES;
	c->user = user;
	XB_VEC_PUSH(&p->children, c);
	return 0;
}

/* Reads once. False when there is nothing more now, or ever: then the descriptor is closed. */
static bool read_output(struct child *c, int which)
{
	struct xb_str *kept = which == 0 ? &c->result.output : &c->result.errors;
	char buf[READ_BYTES];
	int64_t keep;
	ssize_t n;

	if (c->out_fd[which] < 0)
		return false;
	do
		n = read(c->out_fd[which], buf, sizeof(buf));
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return false;
	if (n <= 0) {
		xb_fs_close(&c->out_fd[which]);
		return false;
	}
	keep = n < c->left_bytes ? n : c->left_bytes;
	if (keep < n)
		c->result.cut = true; /* the rest is read all the same, so that the child does not block */
	c->left_bytes -= keep;
	xb_str_append_n(kept, buf, (size_t)keep);
	return true;
}

static void set_status(struct child *c, int status, const struct rusage *usage)
{
	c->ended = true;
	c->result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	c->result.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	c->result.elapsed_ms = xb_host_monotonic_ms() - c->start_ms;
	c->result.peak_rss_kib = xb_host_rss_kib(usage->ru_maxrss);
	/*
	 * All that the child wrote is in the pipe by now. It may stay open for ever where a daemon inherited it, so this
	 * takes what is there and does not wait for the end.
	 */
	for (int which = 0; which < 2; which++) {
		for (int i = 0; i < MAX_DRAIN_READS && read_output(c, which); i++)
			;
		xb_fs_close(&c->out_fd[which]);
	}
	xb_fs_close(&c->exit_fd);
}

/* As long as its leader is not reaped, the number of the group is nobody else's. */
static void end_group(const struct child *c)
{
	siginfo_t ended = {0};

	if (c->ends_group && !c->in_our_group &&
	    waitid(P_PID, (id_t)c->pid, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid == c->pid)
		kill_child(c, SIGKILL);
}

static int reap_if_ended(struct child *c, struct xb_err *err)
{
	struct rusage usage;
	pid_t got;
	int status;

	end_group(c);
	do
		got = wait4(c->pid, &status, WNOHANG, &usage);
	while (got < 0 && errno == EINTR);
	if (got < 0) {
		c->ended = true; /* nothing is left to wait for or to kill */
		return xb_fail_errno(err, "wait for process %ld", (long)c->pid);
	}
	if (got == c->pid)
		set_status(c, status, &usage);
	return 0;
}

/* Hands the first ended child out, in the order of their start. */
static bool take_ended(struct xb_procs *p, void **out_user, struct xb_proc_result *out)
{
	for (size_t i = 0; i < p->children.len; i++) {
		struct child *c = p->children.items[i];

		if (!c->ended)
			continue;
		*out = c->result;
		c->result = (struct xb_proc_result){0};
		if (out_user)
			*out_user = c->user;
		free_child(c);
		p->children.len--;
		memmove(&p->children.items[i], &p->children.items[i + 1],
			(p->children.len - i) * sizeof(*p->children.items));
		return true;
	}
	return false;
}

/* Kills what is over its time. */
static void kill_late(struct child *c, int64_t now_ms)
{
	if (!c->deadline_ms || now_ms < c->deadline_ms)
		return;
	kill_child(c, SIGKILL);
	c->result.timed_out = true;
	c->deadline_ms = 0;
}

static int64_t at_most(int64_t limit, int64_t ms)
{
	return limit < 0 || ms < limit ? ms : limit;
}

/*
 * How long to sleep for c at most; limit < 0 is without limit. A child without exit_fd is asked when its output is at
 * its end, soon at first (most are just about to end then), and seldom as long as it is not.
 */
static int64_t sleep_for(struct child *c, int64_t now_ms, int64_t limit)
{
	if (c->deadline_ms)
		limit = at_most(limit, c->deadline_ms > now_ms ? c->deadline_ms - now_ms : 0);
	if (c->exit_fd >= 0)
		return limit;
	if (c->out_fd[0] >= 0 || c->out_fd[1] >= 0) {
		c->ask_ms = 0;
		return at_most(limit, MAX_ASK_MS);
	}
	c->ask_ms = c->ask_ms < MAX_ASK_MS ? c->ask_ms + 1 : MAX_ASK_MS;
	return at_most(limit, c->ask_ms);
}

static void add_poll(struct xb_procs *p, int fd)
{
	struct pollfd *slot = XB_VEC_ADD(&p->polls);

	slot->fd = fd; /* poll skips negative ones */
	slot->events = POLLIN;
}

/* Sleeps until something happens, at most for limit_ms (negative: no limit), and takes care of what did. */
static int run_once(struct xb_procs *p, int64_t limit_ms, struct xb_err *err)
{
	const int64_t now_ms = xb_host_monotonic_ms();
	int ready;

	p->polls.len = 0;
	for (size_t i = 0; i < p->children.len; i++) {
		struct child *c = p->children.items[i];

		kill_late(c, now_ms);
		limit_ms = sleep_for(c, now_ms, limit_ms);
		add_poll(p, c->out_fd[0]);
		add_poll(p, c->out_fd[1]);
		add_poll(p, c->exit_fd);
	}
	ready = poll(p->polls.items, (nfds_t)p->polls.len, limit_ms < INT_MAX ? (int)limit_ms : INT_MAX);
	if (ready < 0 && errno != EINTR && errno != EAGAIN)
		return xb_fail_errno(err, "wait for processes");

	for (size_t i = 0; i < p->children.len; i++) {
		const struct pollfd *polls = &p->polls.items[i * POLLS_PER_CHILD];
		struct child *c = p->children.items[i];

		if (ready > 0 && polls[0].revents)
			read_output(c, 0);
		if (ready > 0 && polls[1].revents)
			read_output(c, 1);
		if (c->exit_fd < 0 || (ready > 0 && polls[2].revents)) {
			if (reap_if_ended(c, err) < 0)
				return err->code;
		}
	}
	return 0;
}

int xb_procs_wait(struct xb_procs *p, int64_t timeout_ms, const volatile int *interrupted, void **out_user,
		  struct xb_proc_result *out, struct xb_err *err)
{
	const int64_t end_ms = timeout_ms < 0 ? -1 : xb_host_monotonic_ms() + timeout_ms;

	for (bool last = false;;) {
		int64_t limit_ms = -1;

		if (take_ended(p, out_user, out))
			return 1;
		if (last || !p->children.len || (interrupted && *interrupted))
			return 0;
		if (end_ms >= 0) {
			const int64_t now_ms = xb_host_monotonic_ms();

			/* One look even when there is no time at all: a timeout of 0 asks what has ended. */
			last = now_ms >= end_ms;
			limit_ms = last ? 0 : end_ms - now_ms;
		}
		if (interrupted)
			limit_ms = at_most(limit_ms, MAX_SLEEP_MS);
		if (run_once(p, limit_ms, err) < 0)
			return err->code;
	}
}

/* strsignal(3) follows the locale and may share one buffer among threads. Numbers differ between systems. */
static const char *signal_text(int number)
{
	static const struct {
		int number;
		const char *text;
	} names[] = {
		{SIGHUP, "Hangup"},
		{SIGINT, "Interrupt"},
		{SIGQUIT, "Quit"},
		{SIGILL, "Illegal instruction"},
		{SIGTRAP, "Trace/breakpoint trap"},
		{SIGABRT, "Aborted"},
		{SIGBUS, "Bus error"},
		{SIGFPE, "Arithmetic exception"},
		{SIGKILL, "Killed"},
		{SIGUSR1, "User signal 1"},
		{SIGSEGV, "Segmentation fault"},
		{SIGUSR2, "User signal 2"},
		{SIGPIPE, "Broken pipe"},
		{SIGALRM, "Alarm clock"},
		{SIGTERM, "Terminated"},
		{SIGXCPU, "CPU time limit exceeded"},
		{SIGXFSZ, "File size limit exceeded"},
		{SIGSYS, "Bad system call"},
	};

	for (size_t i = 0; i < XB_COUNT(names); i++) {
		if (names[i].number == number)
			return names[i].text;
	}
	return "Unknown signal";
}

const char *xb_proc_describe(const struct xb_proc_result *r, char *buf, size_t size)
{
	if (r->signal)
		snprintf(buf, size, "%skilled by signal %d (%s)", r->timed_out ? "time is up: " : "", r->signal,
			 signal_text(r->signal));
	else
		snprintf(buf, size, "%sexit status %d", r->timed_out ? "time is up: " : "", r->exit_code);
	return buf;
}

static bool is_executable(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

char *xb_proc_find(const char *name)
{
	struct xb_sv rest = xb_sv(getenv("PATH"));

	if (strchr(name, '/'))
		return is_executable(name) ? xb_strdup(name) : NULL;
	while (rest.ptr) {
		const struct xb_sv part = xb_sv_cut(&rest, ':');
		char *path XB_CLEANUP(xb_free_ptr) = NULL;

		/* An empty or relative entry means whatever directory we are in: nobody wants that found. */
		if (!part.len || part.ptr[0] != '/')
			continue;
		path = xb_printf("%.*s/%s", XB_SV_ARG(part), name);
		if (is_executable(path)) {
			char *found = path;

			path = NULL;
			return found;
		}
	}
	return NULL;
}

int xb_proc_emulator(char **out, struct xb_err *err)
{
	const char *name = getenv("XBUILD_EMULATOR");
	char *path = name && *name ? xb_proc_find(name) : NULL;

	if (name && *name && !path)
		return xb_fail(err, XB_E_SYSTEM, "find '%s', which XBUILD_EMULATOR names: no such program in PATH",
			       name);
	*out = path;
	return 0;
}
