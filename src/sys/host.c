/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sys/host.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef __APPLE__
#include <mach-o/dyld.h>
#include <sys/event.h>
#endif
#ifdef __linux__
#include <sched.h>
#include <sys/syscall.h>
#endif

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/base/path.h"
#include "xbuild/base/str.h"
#include "xbuild/sys/fs.h"

#if defined(__linux__)
#define OS "linux"
#elif defined(__APPLE__)
#define OS "darwin"
#endif
#if defined(__x86_64__)
#define ARCH "x86_64"
#elif defined(__aarch64__)
#define ARCH "aarch64"
#endif
#if defined(OS) && defined(ARCH)
#define NAME OS "-" ARCH
#else
#define NAME "unknown"
#endif
#ifndef OS
#define OS "unknown"
#endif
#ifndef ARCH
#define ARCH "unknown"
#endif

#define MAX_CPUS	 (1 << 16)
#define MAX_CGROUP_BYTES (64 * 1024)

#ifdef __linux__
static int allowed_cpus(void)
{
	/* The kernel refuses a set that is smaller than its own (EINVAL). */
	for (int n = CPU_SETSIZE; n <= MAX_CPUS; n *= 2) {
		const size_t size = CPU_ALLOC_SIZE((size_t)n);
		cpu_set_t *set = CPU_ALLOC((size_t)n);
		int count = 0;

		if (!set)
			return 0;
		if (sched_getaffinity(0, size, set) == 0)
			count = CPU_COUNT_S(size, set);
		CPU_FREE(set);
		if (count || errno != EINVAL)
			return count;
	}
	return 0;
}

/* False when the file does not exist or cannot be read: then there is no limit that we could know. */
static bool read_text(const char *dir, const char *name, struct xb_str *out)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, name);

	return xb_fs_read(path, MAX_CGROUP_BYTES, out, &err) == 0;
}

static int quota_to_cpus(struct xb_sv quota, struct xb_sv period)
{
	uint64_t quota_us, period_us;

	/* No limit is "max" in version 2 and -1 in version 1: no numbers here. */
	if (!xb_num_u64(xb_sv_trim(quota), INT64_MAX / 2, &quota_us) ||
	    !xb_num_u64(xb_sv_trim(period), INT64_MAX / 2, &period_us) || !quota_us || !period_us)
		return MAX_CPUS;
	quota_us = (quota_us + period_us - 1) / period_us;
	return quota_us < MAX_CPUS ? (int)quota_us : MAX_CPUS;
}

/* Limit of one control group, MAX_CPUS when it has none. Linux: Documentation/admin-guide/cgroup-v2.rst, "cpu.max". */
static int group_limit(const char *dir, bool v2)
{
	struct xb_str quota XB_CLEANUP(xb_str_release) = {0};
	struct xb_str period XB_CLEANUP(xb_str_release) = {0};
	struct xb_sv rest;

	if (v2) {
		if (!read_text(dir, "cpu.max", &quota))
			return MAX_CPUS;
		rest = xb_str_sv(&quota);
		return quota_to_cpus(xb_sv_cut(&rest, ' '), rest);
	}
	if (!read_text(dir, "cpu.cfs_quota_us", &quota) || !read_text(dir, "cpu.cfs_period_us", &period))
		return MAX_CPUS;
	return quota_to_cpus(xb_str_sv(&quota), xb_str_sv(&period));
}

/* The least limit of a group and of those around it. In a container the path may start outside what is mounted. */
static int chain_limit(const char *mount, struct xb_sv group, bool v2)
{
	int least = MAX_CPUS;

	while (group.len && group.ptr[0] == '/')
		group = xb_sv_n(group.ptr + 1, group.len - 1);
	for (;;) {
		char *dir XB_CLEANUP(xb_free_ptr) = xb_printf("%s/%.*s", mount, XB_SV_ARG(group));
		const int limit = group_limit(dir, v2);

		if (limit < least)
			least = limit;
		if (!group.len)
			return least;
		while (group.len && group.ptr[group.len - 1] != '/')
			group.len--;
		while (group.len && group.ptr[group.len - 1] == '/')
			group.len--;
	}
}

static bool has_cpu_controller(struct xb_sv names)
{
	while (names.ptr) {
		if (xb_sv_eq_str(xb_sv_cut(&names, ','), "cpu"))
			return true;
	}
	return false;
}

/* cgroups(7), "/proc/[pid]/cgroup": lines of hierarchy-ID:controllers:path; "0::path" is version 2. */
static int cgroup_cpus(void)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_sv rest;
	int least = MAX_CPUS;

	if (!read_text("/proc/self", "cgroup", &text))
		return least;
	rest = xb_str_sv(&text);
	while (rest.ptr) {
		struct xb_sv group = xb_sv_cut(&rest, '\n');
		const struct xb_sv id = xb_sv_cut(&group, ':');
		const struct xb_sv controllers = xb_sv_cut(&group, ':');
		const bool v2 = xb_sv_eq_str(id, "0") && !controllers.len;
		int limit;

		if (!group.ptr || (!v2 && !has_cpu_controller(controllers)))
			continue;
		limit = chain_limit(v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu", group, v2);
		if (limit < least)
			least = limit;
	}
	return least;
}

static int count_cpus(void)
{
	const int allowed = allowed_cpus(), quota = cgroup_cpus();

	return allowed < quota ? allowed : quota;
}
#else
static int count_cpus(void)
{
	const long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < MAX_CPUS ? (int)n : MAX_CPUS;
}
#endif

void xb_host_detect(struct xb_host *out)
{
	const int cpus = count_cpus();

	*out = (struct xb_host){.name = NAME, .os = OS, .arch = ARCH, .cpus = cpus > 0 ? cpus : 1};
}

#ifdef __APPLE__
int xb_host_self(char **out, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = NULL;
	uint32_t size = 0;

	_NSGetExecutablePath(NULL, &size); /* fails, and tells the size */
	path = xb_alloc(size);
	if (_NSGetExecutablePath(path, &size) != 0)
		return xb_fail(err, XB_E_SYSTEM, "find the running executable");
	return xb_fs_realpath(path, out, err);
}

#else
/* qemu-user answers this very name with the path of the emulated program. */
int xb_host_self(char **out, struct xb_err *err)
{
	char path[PATH_MAX];
	const ssize_t len = readlink("/proc/self/exe", path, sizeof(path));

	if (len < 0)
		return xb_fail_errno(err, "find the running executable: read the link '/proc/self/exe'");
	if ((size_t)len == sizeof(path))
		return xb_fail(err, XB_E_SYSTEM, "find the running executable: its path is longer than %d bytes",
			       PATH_MAX);
	*out = xb_strndup(path, (size_t)len);
	return 0;
}
#endif

static const char *env_or_null(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* `names` are the variables that would help, for the hint. */
static int home_dir(const char *xdg_name, const char *below_home, const char *names, char **out, struct xb_err *err)
{
	const char *xdg = env_or_null(xdg_name), *home = env_or_null("HOME");

	/* XDG Base Directory Specification: "all paths must be absolute", a relative one is to be ignored. */
	if (xdg && xdg[0] == '/') {
		*out = xb_path_join(xdg, "xbuild");
		return 0;
	}
	if (home && home[0] == '/') {
		*out = xb_printf("%s%s%s/xbuild", home, home[strlen(home) - 1] == '/' ? "" : "/", below_home);
		return 0;
	}
	xb_fail(err, XB_E_USAGE, "find the directory '%s/xbuild': expected an absolute path in HOME, found '%s'",
		below_home, home ? home : "");
	return xb_hint(err, "set one of %s", names);
}

int xb_host_cache_dir(char **out, struct xb_err *err)
{
	const char *own = env_or_null("XBUILD_CACHE_DIR");
	char *cwd XB_CLEANUP(xb_free_ptr) = NULL;

	if (!own)
		return home_dir("XDG_CACHE_HOME", ".cache", "XBUILD_CACHE_DIR, XDG_CACHE_HOME and HOME", out, err);
	if (own[0] == '/') {
		*out = xb_strdup(own);
		return 0;
	}
	if (xb_fs_cwd(&cwd, err) < 0)
		return err->code;
	*out = xb_path_join(cwd, own);
	return 0;
}

int xb_host_config_dir(char **out, struct xb_err *err)
{
	return home_dir("XDG_CONFIG_HOME", ".config", "XDG_CONFIG_HOME and HOME", out, err);
}

int64_t xb_host_now(void)
{
	const char *fixed = env_or_null("XBUILD_TEST_NOW");
	uint64_t seconds;

	if (fixed && xb_num_u64(xb_sv(fixed), INT64_MAX, &seconds))
		return (int64_t)seconds;
	return (int64_t)time(NULL);
}

int xb_host_folds_case(const char *dir, bool *out, struct xb_err *err)
{
	char *lower XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, ".xb-case");
	char *upper XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, ".XB-CASE");
	struct stat st;
	int fd XB_CLEANUP(xb_fs_close) = -1;

	*out = env_or_null("XBUILD_TEST_FOLDS_CASE") != NULL;
	if (*out)
		return 0;
	fd = open(lower, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return xb_fail_errno(err, "create '%s'", lower);
	*out = lstat(upper, &st) == 0;
	unlink(lower);
	return 0;
}

int64_t xb_host_monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Descriptors 0 to 2 may be free when we were started without them; the child needs those numbers for other things. */
static int above_standard(int fd)
{
	int moved;

	if (fd > 2 || fd < 0)
		return fd;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	close(fd);
	return moved;
}

static int open_pipe(int fds[2])
{
#ifdef __linux__
	return pipe2(fds, O_CLOEXEC);
#else
	/* A child that another thread starts between the two calls inherits the pipe; sys/proc closes it there. */
	if (pipe(fds) < 0)
		return -1;
	fcntl(fds[0], F_SETFD, FD_CLOEXEC);
	fcntl(fds[1], F_SETFD, FD_CLOEXEC);
	return 0;
#endif
}

int xb_host_pipe(int out_fds[2], struct xb_err *err)
{
	int fds[2];

	if (open_pipe(fds) < 0)
		return xb_fail_errno(err, "create a pipe");
	fds[0] = above_standard(fds[0]);
	fds[1] = above_standard(fds[1]);
	if (fds[0] < 0 || fds[1] < 0) {
		xb_fail_errno(err, "create a pipe");
		xb_fs_close(&fds[0]);
		xb_fs_close(&fds[1]);
		return err->code;
	}
	out_fds[0] = fds[0];
	out_fds[1] = fds[1];
	return 0;
}

int xb_host_watch_exit(int64_t pid)
{
#if defined(__linux__) && defined(SYS_pidfd_open)
	return (int)syscall(SYS_pidfd_open, (pid_t)pid, 0); /* close-on-exec by itself */
#elif defined(__APPLE__)
	struct kevent change;
	int queue = kqueue();

	if (queue < 0)
		return -1;
	fcntl(queue, F_SETFD, FD_CLOEXEC);
	EV_SET(&change, (uintptr_t)pid, EVFILT_PROC, EV_ADD | EV_ONESHOT, NOTE_EXIT, 0, NULL);
	if (kevent(queue, &change, 1, NULL, 0, NULL) < 0)
		xb_fs_close(&queue); /* ESRCH: it has ended */
	return queue;
#else
	(void)pid;
	return -1;
#endif
}

int64_t xb_host_rss_kib(long ru_maxrss)
{
#ifdef __APPLE__
	return (int64_t)ru_maxrss / 1024;
#else
	return (int64_t)ru_maxrss;
#endif
}

void xb_host_hold_standard(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		/* The lowest free number is this one. Opened the wrong way round, so that its use fails as it did before. */
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", fd ? O_RDONLY : O_WRONLY) < 0)
			return;
	}
}

/* A handler can reach nothing but a global; this is the only one of its kind. */
static volatile int caught_signal;

static void remember_signal(int number)
{
	caught_signal = number;
}

static const int ending[] = {SIGINT, SIGTERM, SIGHUP};

void xb_host_release_signals(void)
{
	const struct sigaction normal = {.sa_handler = SIG_DFL};
	struct sigaction old;

	sigaction(SIGPIPE, &normal, NULL);
	sigaction(SIGXFSZ, &normal, NULL);
	for (size_t i = 0; i < XB_COUNT(ending); i++) {
		if (sigaction(ending[i], NULL, &old) == 0 && old.sa_handler == remember_signal)
			sigaction(ending[i], &normal, NULL);
	}
	if (caught_signal)
		raise(caught_signal);
}

const volatile int *xb_host_catch_signals(void)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction normal = {.sa_handler = SIG_DFL};
	struct sigaction remember = {.sa_handler = remember_signal};
	struct sigaction old;

	sigemptyset(&remember.sa_mask); /* and no SA_RESTART: waiting calls must come back */
	for (size_t i = 0; i < XB_COUNT(ending); i++) {
		if (sigaction(ending[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(ending[i], &remember, NULL);
	}
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGXFSZ, &ignore, NULL);
	if (sigaction(SIGCHLD, NULL, &old) == 0 && old.sa_handler == SIG_IGN)
		sigaction(SIGCHLD, &normal, NULL);
	return &caught_signal;
}
