/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#ifdef __linux__
#include <sched.h>
#endif

#include "sample.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/host.h"

static const char *argv0;

/* uname(2) calls the same things by other names. */
static void the_host_is_this_one(void **state)
{
	struct utsname uts;
	struct xb_host host;

	(void)state;
	xb_host_detect(&host);
	assert_int_equal(uname(&uts), 0);
	assert_string_equal(host.os, strcmp(uts.sysname, "Darwin") == 0 ? "darwin" : "linux");
	assert_string_equal(host.arch, strcmp(uts.machine, "arm64") == 0 ? "aarch64" : uts.machine);
	assert_int_equal(strncmp(host.name, host.os, strlen(host.os)), 0);
	assert_int_equal(host.name[strlen(host.os)], '-');
	assert_string_equal(host.name + strlen(host.os) + 1, host.arch);
	assert_in_range(host.cpus, 1, sysconf(_SC_NPROCESSORS_CONF));
}

#ifdef __linux__
static void cpus_follow_the_affinity(void **state)
{
	struct xb_host host;
	cpu_set_t old, one;
	int first = 0;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(old), &old), 0);
	while (!CPU_ISSET(first, &old))
		first++;
	CPU_ZERO(&one);
	CPU_SET(first, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	xb_host_detect(&host);
	assert_int_equal(sched_setaffinity(0, sizeof(old), &old), 0);
	assert_int_equal(host.cpus, 1);
}
#endif

static void self_is_this_program(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	char *self XB_CLEANUP(xb_free_ptr) = NULL;
	char *real XB_CLEANUP(xb_free_ptr) = NULL;

	(void)state;
	assert_int_equal(xb_host_self(&self, &err), 0);
	assert_int_equal(xb_fs_realpath(argv0, &real, &err), 0);
	assert_string_equal(self, real);
}

static void set_or_unset(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

static void directories_follow_the_environment(void **state)
{
	static const struct {
		const char *own, *xdg, *home, *cache, *config;
	} cases[] = {
		{NULL, NULL, "/h", "/h/.cache/xbuild", "/h/.config/xbuild"},
		{NULL, NULL, "/", "/.cache/xbuild", "/.config/xbuild"},
		{NULL, "/x", "/h", "/x/xbuild", "/x/xbuild"},
		{NULL, "/x", NULL, "/x/xbuild", "/x/xbuild"},
		{NULL, "relative", "/h", "/h/.cache/xbuild", "/h/.config/xbuild"},
		{NULL, "", "/h", "/h/.cache/xbuild", "/h/.config/xbuild"},
		{"/own", "/x", "/h", "/own", "/x/xbuild"},
		{"", "/x", "/h", "/x/xbuild", "/x/xbuild"},
		{"/own", NULL, NULL, "/own", NULL},
		{NULL, NULL, "relative", NULL, NULL},
		{NULL, NULL, "", NULL, NULL},
		{NULL, NULL, NULL, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		char *cache XB_CLEANUP(xb_free_ptr) = NULL;
		char *config XB_CLEANUP(xb_free_ptr) = NULL;

		set_or_unset("XBUILD_CACHE_DIR", cases[i].own);
		set_or_unset("XDG_CACHE_HOME", cases[i].xdg);
		set_or_unset("XDG_CONFIG_HOME", cases[i].xdg);
		set_or_unset("HOME", cases[i].home);
		if (cases[i].cache) {
			assert_int_equal(xb_host_cache_dir(&cache, &err), 0);
			assert_string_equal(cache, cases[i].cache);
		} else {
			assert_int_equal(xb_host_cache_dir(&cache, &err), XB_E_USAGE);
			assert_non_null(strstr(err.hint, "XBUILD_CACHE_DIR"));
			xb_err_clear(&err);
		}
		if (cases[i].config) {
			assert_int_equal(xb_host_config_dir(&config, &err), 0);
			assert_string_equal(config, cases[i].config);
		} else {
			assert_int_equal(xb_host_config_dir(&config, &err), XB_E_USAGE);
			assert_non_null(strstr(err.hint, "XDG_CONFIG_HOME"));
		}
	}
}

static void a_relative_cache_is_below_the_current_directory(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	char *cwd XB_CLEANUP(xb_free_ptr) = NULL;
	char *expected XB_CLEANUP(xb_free_ptr) = NULL;
	char *cache XB_CLEANUP(xb_free_ptr) = NULL;

	(void)state;
	setenv("XBUILD_CACHE_DIR", "c/d", 1);
	assert_int_equal(xb_fs_cwd(&cwd, &err), 0);
	expected = xb_path_join(cwd, "c/d");
	assert_int_equal(xb_host_cache_dir(&cache, &err), 0);
	assert_string_equal(cache, expected);
	unsetenv("XBUILD_CACHE_DIR");
}

static void the_clock_can_be_set_for_tests(void **state)
{
	static const char *const wrong[] = {"", "x", "-1", "12 ", "99999999999999999999"};
	const int64_t before = time(NULL);
	int64_t first, second;

	(void)state;
	setenv("XBUILD_TEST_NOW", "1234567890", 1);
	assert_int_equal(xb_host_now(), 1234567890);
	for (size_t i = 0; i < XB_COUNT(wrong); i++) {
		setenv("XBUILD_TEST_NOW", wrong[i], 1);
		assert_true(xb_host_now() >= before);
		assert_true(xb_host_now() < before + 3600);
	}
	unsetenv("XBUILD_TEST_NOW");
	assert_true(xb_host_now() >= before && xb_host_now() < before + 3600);
	first = xb_host_monotonic_ms();
	do
		second = xb_host_monotonic_ms();
	while (second == first); /* it moves, in this direction, in small steps */
	assert_true(second > first && second < first + 1000);
}

static void a_pipe_stays_ours(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	int saved = fcntl(0, F_DUPFD_CLOEXEC, 10);
	int fds[2];
	char byte;

	(void)state;
	close(0);
	assert_int_equal(xb_host_pipe(fds, &err), 0);
	dup2(saved, 0);
	close(saved);
	for (int i = 0; i < 2; i++) {
		assert_true(fds[i] > 2);
		assert_int_equal(fcntl(fds[i], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	}
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	xb_fs_close(&fds[0]);
	xb_fs_close(&fds[1]);
}

static void a_lack_of_descriptors_is_an_error(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct rlimit old, none;
	int fds[2] = {7, 8}, rc;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	rc = xb_host_pipe(fds, &err);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(rc, XB_E_SYSTEM);
	assert_int_equal(fds[0], 7);
	assert_int_equal(fds[1], 8);
}

static void the_end_of_a_child_can_be_watched(void **state)
{
	int gate[2], fd;
	struct pollfd poll_fd = {.events = POLLIN};
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(gate), 0);
	pid = fork();
	if (pid == 0) {
		char byte;

		close(gate[1]);
		_exit(read(gate[0], &byte, 1) == 0 ? 0 : 1);
	}
	fd = xb_host_watch_exit(pid);
	if (fd >= 0) { /* some kernels cannot */
		poll_fd.fd = fd;
		assert_int_equal(poll(&poll_fd, 1, 0), 0);
		assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	}
	close(gate[1]);
	if (fd >= 0)
		assert_int_equal(poll(&poll_fd, 1, 60000), 1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(gate[0]);
	xb_fs_close(&fd);
}

static void signals_are_remembered(void **state)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	const volatile int *caught = xb_host_catch_signals();

	(void)state;
	for (size_t i = 0; i < XB_COUNT(numbers); i++) {
		raise(numbers[i]);
		assert_int_equal(*caught, numbers[i]);
	}
	raise(SIGPIPE); /* or this ends the test */
	for (size_t i = 0; i < XB_COUNT(numbers); i++)
		signal(numbers[i], SIG_DFL);
	*(volatile int *)(uintptr_t)caught = 0;
}

/* How a child ends that caught `before`, if any, released its signals and then got `after`, if any. */
static int end_of_released(int before, int after)
{
	const pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		signal(SIGHUP, SIG_IGN);
		xb_host_catch_signals();
		if (before)
			raise(before);
		xb_host_release_signals();
		if (after)
			raise(after);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* Between the release and another program's own handler nothing is lost: an ignored signal stays so, any other ends. */
static void released_signals_end(void **state)
{
	(void)state;
	assert_int_equal(end_of_released(0, 0), 0);
	assert_int_equal(end_of_released(SIGINT, 0), SIGINT);
	assert_int_equal(end_of_released(SIGTERM, 0), SIGTERM);
	assert_int_equal(end_of_released(0, SIGINT), SIGINT);
	assert_int_equal(end_of_released(SIGHUP, SIGHUP), 0);
	assert_int_equal(end_of_released(0, SIGPIPE), SIGPIPE);
}

static void what_nohup_ignores_stays_ignored(void **state)
{
	const volatile int *caught;
	struct sigaction now;

	(void)state;
	signal(SIGHUP, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	caught = xb_host_catch_signals();
	raise(SIGHUP);
	assert_int_equal(*caught, 0);
	assert_int_equal(sigaction(SIGCHLD, NULL, &now), 0);
	assert_true(now.sa_handler == SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
}

static void too_large_a_file_is_an_error(void **state)
{
	const pid_t pid = fork();
	int status = -1;

	(void)state;
	if (pid == 0) {
		const struct rlimit limit = {.rlim_cur = 1, .rlim_max = RLIM_INFINITY};
		char path[] = "/tmp/xb-host-XXXXXX";
		const int fd = mkstemp(path);

		unlink(path);
		xb_host_catch_signals();
		setrlimit(RLIMIT_FSIZE, &limit);
		_exit(write(fd, "a", 1) == 1 && write(fd, "b", 1) < 0 && errno == EFBIG ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Exit status of a child that lacks the descriptors of `missing` (a set of bits): 0 when no file can get their numbers. */
static int run_without(int missing)
{
	const pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		for (int fd = 0; fd < 3; fd++)
			if (missing & 1 << fd)
				close(fd);
		xb_host_hold_standard();
		for (int fd = 1; fd < 3; fd++)
			if (missing & 1 << fd && write(fd, "x", 1) >= 0)
				_exit(1);
		_exit(open("/dev/null", O_RDWR) > 2 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void no_file_becomes_stderr(void **state)
{
	(void)state;
	for (int missing = 0; missing < 8; missing++)
		assert_int_equal(run_without(missing), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_host_is_this_one),
#ifdef __linux__
		cmocka_unit_test(cpus_follow_the_affinity),
#endif
		cmocka_unit_test(self_is_this_program),
		cmocka_unit_test(directories_follow_the_environment),
		cmocka_unit_test(a_relative_cache_is_below_the_current_directory),
		cmocka_unit_test(the_clock_can_be_set_for_tests),
		cmocka_unit_test(a_pipe_stays_ours),
		cmocka_unit_test(no_file_becomes_stderr),
		cmocka_unit_test(too_large_a_file_is_an_error),
		cmocka_unit_test(a_lack_of_descriptors_is_an_error),
		cmocka_unit_test(the_end_of_a_child_can_be_watched),
		cmocka_unit_test(signals_are_remembered),
		cmocka_unit_test(released_signals_end),
		cmocka_unit_test(what_nohup_ignores_stays_ignored),
	};

	(void)argc;
	argv0 = argv[0];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
