/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The children are this program itself with an argument that says what to do, so that nothing depends on what else is
 * installed. The tests run twice: as they are, and on Linux once more with pidfd_open(2) refused, which is how an old
 * kernel or an emulator looks. Where a test must know that a process is gone it reads a fifo that the process holds
 * open for writing: its end comes when the last holder has died.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#ifdef __linux__
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#include "../run_program.h"
#include "sample.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/host.h"
#include "xbuild/sys/proc.h"

static char *self;

/* What a child does. */

static void put(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		_exit(99);
}

static void wait_for_ever(void)
{
	for (;;)
		pause();
}

static int child_interleave(const char *arg)
{
	(void)arg;
	for (int i = 0; i < 50; i++)
		put(i % 2 ? STDERR_FILENO : STDOUT_FILENO, i % 2 ? "e\n" : "o\n");
	return 3;
}

static int child_flood(const char *arg)
{
	static char block[10000];
	uint64_t left = 0;

	xb_num_u64(xb_sv(arg), INT64_MAX, &left);
	memset(block, 'x', sizeof(block));
	while (left) {
		const size_t n = left < sizeof(block) ? (size_t)left : sizeof(block);

		if (write(STDOUT_FILENO, block, n) != (ssize_t)n)
			return 98;
		left -= n;
	}
	return 0;
}

static int child_exit(const char *arg)
{
	uint64_t status = 0;

	xb_num_u64(xb_sv(arg), 255, &status);
	put(STDOUT_FILENO, arg);
	return (int)status;
}

static int child_signal(const char *arg)
{
	uint64_t number = 0;

	xb_num_u64(xb_sv(arg), 64, &number);
	signal((int)number, SIG_DFL);
	raise((int)number);
	return 97;
}

static int child_env(const char *arg)
{
	(void)arg;
	for (char **e = environ; *e; e++) {
		put(STDOUT_FILENO, *e);
		put(STDOUT_FILENO, "\n");
	}
	return 0;
}

static int child_cwd(const char *arg)
{
	char path[4096];

	(void)arg;
	if (!getcwd(path, sizeof(path)))
		return 96;
	put(STDOUT_FILENO, path);
	return 0;
}

/* Tells the open descriptors, the blocked and ignored signals, and whether it leads its group. */
static int child_state(const char *arg)
{
	static const int numbers[] = {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD};
	struct sigaction action;
	sigset_t mask;
	char byte;

	(void)arg;
	for (int fd = 0; fd < 1000; fd++) {
		char text[16];

		snprintf(text, sizeof(text), "%d ", fd);
		if (fcntl(fd, F_GETFD) != -1)
			put(STDOUT_FILENO, text);
	}
	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (size_t i = 0; i < XB_COUNT(numbers); i++) {
		if (sigismember(&mask, numbers[i]) || sigaction(numbers[i], NULL, &action) < 0 ||
		    action.sa_handler != SIG_DFL)
			put(STDOUT_FILENO, "bad signal ");
	}
	put(STDOUT_FILENO, getpgrp() == getpid() ? "leader " : "follower ");
	put(STDOUT_FILENO, read(STDIN_FILENO, &byte, 1) == 0 ? "empty" : "input");
	return 0;
}

static void hold_fifo(const char *path)
{
	if (open(path, O_WRONLY) < 0)
		_exit(95);
}

/* Leaves a descendant behind that holds the output until somebody opens the fifo. */
static int child_daemon(const char *fifo)
{
	put(STDOUT_FILENO, "before ");
	if (fork() == 0)
		_exit(open(fifo, O_RDONLY) < 0);
	put(STDOUT_FILENO, "after");
	return 7;
}

static int child_family(const char *fifo)
{
	if (fork() == 0)
		hold_fifo(fifo);
	hold_fifo(fifo);
	put(STDOUT_FILENO, "ready");
	wait_for_ever();
	return 0;
}

/* Leaves a descendant behind that only SIGKILL keeps from writing to the fifo. */
static int child_leaver(const char *fifo)
{
	const int fd = open(fifo, O_WRONLY);

	if (fork() == 0) {
		signal(SIGTERM, SIG_IGN);
		sleep(20);
		put(fd, "x");
		_exit(0);
	}
	put(STDOUT_FILENO, "left");
	return fd < 0 ? 93 : 9;
}

/* Closes its output long before it ends, which is when somebody writes to the fifo. */
static int child_silent(const char *fifo)
{
	char byte;
	int fd = open(fifo, O_RDWR);

	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	return read(fd, &byte, 1) == 1 ? 5 : 94;
}

static int child_alarm_parent(const char *arg)
{
	(void)arg;
	kill(getppid(), SIGTERM);
	wait_for_ever();
	return 0;
}

static const struct {
	const char *name;
	int (*run)(const char *arg);
} children[] = {
	{"interleave", child_interleave}, {"flood", child_flood},   {"exit", child_exit},
	{"signal", child_signal},	  {"env", child_env},	    {"cwd", child_cwd},
	{"state", child_state},		  {"daemon", child_daemon}, {"leaver", child_leaver},
	{"family", child_family},	  {"silent", child_silent}, {"alarm", child_alarm_parent},
};

/* The tests. */

#define ARGV(...) ((const char *const[]){self, __VA_ARGS__, NULL})

static void run(const struct xb_proc_spec *spec, struct xb_proc_result *out)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	if (run_program(spec, out, &err) < 0)
		fail_msg("%s", err.msg);
}

static void start(struct xb_procs *p, const struct xb_proc_spec *spec, void *user)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	if (xb_procs_start(p, spec, user, &err) < 0)
		fail_msg("%s", err.msg);
}

static int wait_for(struct xb_procs *p, int64_t timeout_ms, const volatile int *interrupted, void **out_user,
		    struct xb_proc_result *out)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	const int got = xb_procs_wait(p, timeout_ms, interrupted, out_user, out, &err);

	if (got < 0)
		fail_msg("%s", err.msg);
	return got;
}

/* Owned path of a fifo that is open for reading as *out_fd. */
static char *make_fifo(const char *dir, int *out_fd)
{
	char *path = xb_path_join(dir, "fifo");

	assert_int_equal(mkfifo(path, 0600), 0);
	*out_fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(*out_fd >= 0);
	assert_int_equal(fcntl(*out_fd, F_SETFL, 0), 0);
	return path;
}

static int make_dir(void **state)
{
	*state = sample_dir();
	return 0;
}

static int drop_dir(void **state)
{
	sample_dir_remove(*state);
	return 0;
}

static void output_comes_in_order(void **state)
{
	struct xb_proc_result r XB_CLEANUP(xb_proc_result_release) = {0};

	(void)state;
	run(&(struct xb_proc_spec){.argv = ARGV("interleave")}, &r);
	assert_int_equal(r.exit_code, 3);
	assert_int_equal(r.signal, 0);
	assert_int_equal(r.output.len, 100);
	for (size_t i = 0; i < 25; i++)
		assert_memory_equal(r.output.data + 4 * i, "o\ne\n", 4);
	assert_int_equal(r.errors.len, 0);
	assert_true(r.peak_rss_kib > 100 && r.peak_rss_kib < 1024 * 1024);
}

static void output_can_be_split(void **state)
{
	struct xb_proc_result r XB_CLEANUP(xb_proc_result_release) = {0};

	(void)state;
	run(&(struct xb_proc_spec){.argv = ARGV("interleave"), .split_output = true}, &r);
	assert_int_equal(r.output.len, 50);
	assert_int_equal(r.errors.len, 50);
	assert_null(strchr(r.output.data, 'e'));
	assert_null(strchr(r.errors.data, 'o'));
}

static void output_is_cut_at_the_cap(void **state)
{
	static const struct {
		const char *amount;
		int64_t max_output, expected;
		bool cut;
	} cases[] = {
		{"16777216", 0, 16777216, false},
		{"40000000", 0, 16777216, true},
		{"100000", 99999, 99999, true},
		{"100000", 100000, 100000, false},
		{"0", 1, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		struct xb_proc_result r XB_CLEANUP(xb_proc_result_release) = {0};

		run(&(struct xb_proc_spec){.argv = ARGV("flood", cases[i].amount), .max_output = cases[i].max_output},
		    &r);
		assert_int_equal(r.exit_code, 0); /* it could write all */
		assert_int_equal(r.output.len, cases[i].expected);
		assert_int_equal(r.cut, cases[i].cut);
	}
}

static void the_end_is_described(void **state)
{
	static const struct {
		const char *what, *arg;
		int exit_code, signal;
		const char *text;
	} cases[] = {
		{"exit", "0", 0, 0, "exit status 0"},
		{"exit", "255", 255, 0, "exit status 255"},
		{"signal", "9", -1, 9, "killed by signal 9 (Killed)"},
		{"signal", "11", -1, 11, "killed by signal 11 (Segmentation fault)"},
		{"signal", "6", -1, 6, "killed by signal 6 (Aborted)"},
	};
	char buf[80], small[6];

	(void)state;
	for (size_t i = 0; i < XB_COUNT(cases); i++) {
		struct xb_proc_result r XB_CLEANUP(xb_proc_result_release) = {0};

		run(&(struct xb_proc_spec){.argv = ARGV(cases[i].what, cases[i].arg)}, &r);
		assert_int_equal(r.exit_code, cases[i].exit_code);
		assert_int_equal(r.signal, cases[i].signal);
		assert_string_equal(xb_proc_describe(&r, buf, sizeof(buf)), cases[i].text);
		xb_proc_describe(&r, small, sizeof(small));
		assert_memory_equal(small, cases[i].text, 5);
		assert_int_equal(small[5], 0);
	}
}

static void the_environment_is_what_is_given(void **state)
{
	static const char *const env[] = {"A=1", "PATH=/nowhere", NULL};
	struct xb_proc_result none XB_CLEANUP(xb_proc_result_release) = {0};
	struct xb_proc_result some XB_CLEANUP(xb_proc_result_release) = {0};

	(void)state;
	run(&(struct xb_proc_spec){.argv = ARGV("env")}, &none);
	assert_int_equal(none.exit_code, 0);
	assert_string_equal(xb_str_get(&none.output), "");
	run(&(struct xb_proc_spec){.argv = ARGV("env"), .env = env}, &some);
	assert_string_equal(xb_str_get(&some.output), "A=1\nPATH=/nowhere\n");
}

static void the_directory_is_the_one_given(void **state)
{
	char *real XB_CLEANUP(xb_free_ptr) = NULL;
	char *before XB_CLEANUP(xb_free_ptr) = NULL;
	char *after XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_proc_result there XB_CLEANUP(xb_proc_result_release) = {0};
	struct xb_proc_result here XB_CLEANUP(xb_proc_result_release) = {0};

	assert_int_equal(xb_fs_realpath(*state, &real, &err), 0);
	assert_int_equal(xb_fs_cwd(&before, &err), 0);
	run(&(struct xb_proc_spec){.argv = ARGV("cwd"), .cwd = *state}, &there);
	assert_string_equal(xb_str_get(&there.output), real);
	run(&(struct xb_proc_spec){.argv = ARGV("cwd")}, &here);
	assert_string_equal(xb_str_get(&here.output), before);
	assert_int_equal(xb_fs_cwd(&after, &err), 0);
	assert_string_equal(before, after);
}

/* Whatever state we are in: descriptors that lack close-on-exec, signals blocked and ignored. */
static void the_child_starts_clean(void **state)
{
	struct xb_proc_result r XB_CLEANUP(xb_proc_result_release) = {0};
	int low = open("/dev/null", O_RDONLY), high = fcntl(low, F_DUPFD, 700);
	void (*old)(int) = signal(SIGPIPE, SIG_IGN);
	sigset_t all, mask;

	(void)state;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);
	run(&(struct xb_proc_spec){.argv = ARGV("state")}, &r);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	signal(SIGPIPE, old);
	close(low);
	close(high);
	assert_string_equal(xb_str_get(&r.output), "0 1 2 leader empty");
}

/* A program started without the standard descriptors gets the pipe of its child as number 0, 1 or 2. */
static void missing_standard_descriptors_do_no_harm(void **state)
{
	struct xb_proc_result r XB_CLEANUP(xb_proc_result_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	int saved[3], rc;

	(void)state;
	for (int fd = 0; fd < 3; fd++) {
		saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
		close(fd);
	}
	rc = run_program(&(struct xb_proc_spec){.argv = ARGV("interleave"), .split_output = true}, &r, &err);
	for (int fd = 0; fd < 3; fd++) {
		dup2(saved[fd], fd);
		close(saved[fd]);
	}
	assert_int_equal(rc, 0);
	assert_int_equal(r.exit_code, 3);
	assert_int_equal(r.output.len, 50);
	assert_int_equal(r.errors.len, 50);
}

static void inherited_output_is_ours(void **state)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "out");
	struct xb_str got XB_CLEANUP(xb_str_release) = {0};
	struct xb_proc_result r XB_CLEANUP(xb_proc_result_release) = {0};
	int saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	run(&(struct xb_proc_spec){.argv = ARGV("exit", "4"), .inherit_output = true}, &r);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(fd);
	assert_int_equal(r.exit_code, 4);
	assert_int_equal(r.output.len, 0);
	sample_read(path, &got);
	assert_string_equal(xb_str_get(&got), "4");
}

static void what_cannot_start_is_named(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_proc_result r;

	assert_int_equal(
		run_program(&(struct xb_proc_spec){.argv = (const char *const[]){"/no/such/program", NULL}}, &r, &err),
		XB_E_NOT_FOUND);
	assert_non_null(strstr(err.msg, "/no/such/program"));
	xb_err_clear(&err);
	assert_int_equal(run_program(&(struct xb_proc_spec){.argv = (const char *const[]){*state, NULL}}, &r, &err),
			 XB_E_SYSTEM);
	xb_err_clear(&err);
	assert_int_equal(
		run_program(&(struct xb_proc_spec){.argv = ARGV("exit", "0"), .cwd = "/no/such/dir"}, &r, &err),
		XB_E_NOT_FOUND);
	assert_non_null(strstr(err.msg, "/no/such/dir"));
}

static void time_ends_the_whole_family(void **state)
{
	struct xb_proc_result r XB_CLEANUP(xb_proc_result_release) = {0};
	char buf[80], byte;
	int fd XB_CLEANUP(xb_fs_close) = -1;
	char *fifo XB_CLEANUP(xb_free_ptr) = make_fifo(*state, &fd);

	run(&(struct xb_proc_spec){.argv = ARGV("family", fifo), .timeout_ms = 300}, &r);
	assert_true(r.timed_out);
	assert_int_equal(r.signal, SIGKILL);
	assert_true(r.elapsed_ms >= 300);
	assert_string_equal(xb_proc_describe(&r, buf, sizeof(buf)), "time is up: killed by signal 9 (Killed)");
	assert_int_equal(read(fd, &byte, 1), 0); /* nobody holds it any more */
}

static void time_enough_changes_nothing(void **state)
{
	struct xb_proc_result r XB_CLEANUP(xb_proc_result_release) = {0};

	(void)state;
	run(&(struct xb_proc_spec){.argv = ARGV("exit", "9"), .timeout_ms = 100000}, &r);
	assert_false(r.timed_out);
	assert_int_equal(r.exit_code, 9);
	assert_true(r.elapsed_ms < 100000);
}

static void free_ends_the_whole_family(void **state)
{
	struct xb_procs *p = xb_procs_new();
	struct xb_proc_result r;
	char byte;
	int fd XB_CLEANUP(xb_fs_close) = -1;
	char *fifo XB_CLEANUP(xb_free_ptr) = make_fifo(*state, &fd);
	int hold XB_CLEANUP(xb_fs_close) = open(fifo, O_WRONLY | O_CLOEXEC);

	start(p, &(struct xb_proc_spec){.argv = ARGV("family", fifo)}, NULL);
	start(p, &(struct xb_proc_spec){.argv = ARGV("family", fifo)}, NULL);
	assert_int_equal(xb_procs_running(p), 2);
	assert_int_equal(wait_for(p, 200, NULL, NULL, &r), 0);
	xb_fs_close(&hold);
	xb_procs_free(p);
	xb_procs_free(NULL);
	assert_int_equal(read(fd, &byte, 1), 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* and none is left to reap */
	assert_int_equal(errno, ECHILD);
}

static void a_daemon_that_holds_the_output_does_not_hang_us(void **state)
{
	struct xb_proc_result r XB_CLEANUP(xb_proc_result_release) = {0};
	struct xb_procs *p = xb_procs_new();
	char *fifo XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "fifo");
	void *user = NULL;
	int tag = 0, fd;

	assert_int_equal(mkfifo(fifo, 0600), 0);
	start(p, &(struct xb_proc_spec){.argv = ARGV("daemon", fifo)}, &tag);
	assert_int_equal(wait_for(p, 60000, NULL, &user, &r), 1);
	assert_ptr_equal(user, &tag);
	assert_int_equal(r.exit_code, 7);
	assert_string_equal(xb_str_get(&r.output), "before after");
	xb_procs_free(p);
	fd = open(fifo, O_WRONLY | O_CLOEXEC); /* the daemon was still there, and goes now */
	assert_true(fd >= 0);
	close(fd);
}

static void what_a_child_left_in_its_group_is_killed(void **state)
{
	struct xb_proc_result r XB_CLEANUP(xb_proc_result_release) = {0};
	struct xb_procs *p = xb_procs_new();
	char *fifo XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "fifo");
	int fd XB_CLEANUP(xb_fs_close) = -1;
	char byte;

	assert_int_equal(mkfifo(fifo, 0600), 0);
	fd = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* so that the one left behind holds an end of it */
	assert_true(fd >= 0);
	start(p, &(struct xb_proc_spec){.argv = ARGV("leaver", fifo), .ends_group = true}, NULL);
	assert_int_equal(wait_for(p, 60000, NULL, NULL, &r), 1);
	assert_int_equal(r.exit_code, 9);
	assert_string_equal(xb_str_get(&r.output), "left");
	xb_procs_free(p);
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	assert_int_equal(read(fd, &byte, 1), 0); /* its end, when nobody has it open any more */
}

static void silence_is_not_the_end(void **state)
{
	struct xb_proc_result r XB_CLEANUP(xb_proc_result_release) = {0};
	struct xb_procs *p = xb_procs_new();
	char *fifo XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "fifo");
	int fd XB_CLEANUP(xb_fs_close) = -1;
	int silent = 0, loud = 0;
	void *user = NULL;

	assert_int_equal(mkfifo(fifo, 0600), 0);
	start(p, &(struct xb_proc_spec){.argv = ARGV("silent", fifo)}, &silent);
	assert_int_equal(wait_for(p, 100, NULL, &user, &r), 0);
	start(p, &(struct xb_proc_spec){.argv = ARGV("exit", "1")}, &loud);
	assert_int_equal(wait_for(p, -1, NULL, &user, &r), 1);
	assert_ptr_equal(user, &loud);
	xb_proc_result_release(&r);
	fd = open(fifo, O_WRONLY | O_CLOEXEC);
	put(fd, "x");
	assert_int_equal(wait_for(p, -1, NULL, &user, &r), 1);
	assert_ptr_equal(user, &silent);
	assert_int_equal(r.exit_code, 5);
	assert_int_equal(xb_procs_running(p), 0);
	assert_int_equal(wait_for(p, -1, NULL, &user, &r), 0);
	xb_procs_free(p);
}

static void many_short_children_all_come_back(void **state)
{
	enum { N = 200, AT_ONCE = 8 };
	struct xb_procs *p = xb_procs_new();
	bool seen[N] = {false};
	char text[12];
	int numbers[N], next = 0, ended = 0;

	(void)state;
	while (ended < N) {
		struct xb_proc_result r = {0};
		void *user;

		for (; next < N && xb_procs_running(p) < AT_ONCE; next++) {
			numbers[next] = next;
			snprintf(text, sizeof(text), "%d", next);
			start(p, &(struct xb_proc_spec){.argv = ARGV("exit", text), .timeout_ms = next % 2 ? 60000 : 0},
			      &numbers[next]);
		}
		assert_int_equal(wait_for(p, -1, NULL, &user, &r), 1);
		snprintf(text, sizeof(text), "%d", *(int *)user);
		assert_string_equal(xb_str_get(&r.output), text);
		assert_int_equal(r.exit_code, *(int *)user);
		assert_false(seen[*(int *)user]);
		seen[*(int *)user] = true;
		xb_proc_result_release(&r);
		ended++;
	}
	assert_int_equal(xb_procs_running(p), 0);
	xb_procs_free(p);
}

static void no_time_is_one_look(void **state)
{
	struct xb_procs *p = xb_procs_new();
	struct xb_proc_result r = {0};
	int64_t looks = 0;

	(void)state;
	assert_int_equal(wait_for(p, 0, NULL, NULL, &r), 0);
	start(p, &(struct xb_proc_spec){.argv = ARGV("exit", "2")}, NULL);
	while (wait_for(p, 0, NULL, NULL, &r) == 0)
		looks++;
	assert_true(looks >= 0);
	assert_int_equal(r.exit_code, 2);
	xb_proc_result_release(&r);
	xb_procs_free(p);
}

static void a_signal_wakes_the_wait(void **state)
{
	const volatile int *caught = xb_host_catch_signals();
	struct xb_procs *p = xb_procs_new();
	struct xb_proc_result r;
	const int64_t start_ms = xb_host_monotonic_ms();

	(void)state;
	start(p, &(struct xb_proc_spec){.argv = ARGV("alarm")}, NULL);
	assert_int_equal(wait_for(p, 60000, caught, NULL, &r), 0);
	assert_int_equal(*caught, SIGTERM);
	assert_true(xb_host_monotonic_ms() - start_ms < 30000);
	assert_int_equal(xb_procs_running(p), 1);
	xb_procs_free(p);
	signal(SIGTERM, SIG_DFL);
	*(volatile int *)(uintptr_t)caught = 0;
}

static void no_descriptor_is_lost(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_proc_result r;
	int before, after;

	(void)state;
	before = dup(STDIN_FILENO);
	close(before);
	for (int i = 0; i < 3; i++) {
		struct xb_proc_result kept XB_CLEANUP(xb_proc_result_release) = {0};

		run(&(struct xb_proc_spec){.argv = ARGV("exit", "1"), .split_output = true}, &kept);
		assert_int_equal(
			run_program(&(struct xb_proc_spec){.argv = (const char *const[]){"/no", NULL}}, &r, &err),
			XB_E_NOT_FOUND);
		xb_err_clear(&err);
	}
	after = dup(STDIN_FILENO);
	close(after);
	assert_int_equal(before, after);
}

static void programs_are_found_in_the_path(void **state)
{
	char *dir_entry XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "a");
	char *second XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "b");
	char *decoy XB_CLEANUP(xb_free_ptr) = xb_path_join(dir_entry, "prog");
	char *plain XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "prog");
	char *prog XB_CLEANUP(xb_free_ptr) = xb_path_join(second, "prog");
	char *old XB_CLEANUP(xb_free_ptr) = xb_strdup(getenv("PATH"));
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("::.:%s:%s:%s", (const char *)*state, dir_entry, second);
	char *before XB_CLEANUP(xb_free_ptr) = NULL;
	char *found XB_CLEANUP(xb_free_ptr) = NULL;
	char *direct XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	assert_int_equal(xb_fs_cwd(&before, &err), 0);
	assert_int_equal(xb_fs_mkdirs(decoy, 0755, &err), 0); /* a directory can be "executable" */
	assert_int_equal(xb_fs_mkdirs(second, 0755, &err), 0);
	sample_write(plain, "", 0); /* not executable */
	sample_write(prog, "", 0);
	assert_int_equal(chmod(prog, 0755), 0);
	assert_int_equal(chdir(second), 0); /* "" and "." would find it as well */
	setenv("PATH", path, 1);
	found = xb_proc_find("prog");
	direct = xb_proc_find(prog);
	assert_null(xb_proc_find("no-such-program"));
	assert_null(xb_proc_find(plain));
	setenv("PATH", ".:", 1);
	assert_null(xb_proc_find("prog"));
	unsetenv("PATH");
	assert_null(xb_proc_find("prog"));
	setenv("PATH", old, 1);
	assert_int_equal(chdir(before), 0);
	assert_string_equal(found, prog);
	assert_string_equal(direct, prog);
}

static void the_emulator_is_found_or_missed(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	char *named XB_CLEANUP(xb_free_ptr) = NULL;
	char *none = NULL;

	(void)state;
	unsetenv("XBUILD_EMULATOR");
	assert_int_equal(xb_proc_emulator(&none, &err), 0);
	assert_null(none);
	setenv("XBUILD_EMULATOR", "", 1);
	assert_int_equal(xb_proc_emulator(&none, &err), 0);
	assert_null(none);
	setenv("XBUILD_EMULATOR", "sh", 1);
	assert_int_equal(xb_proc_emulator(&named, &err), 0);
	assert_non_null(named);
	assert_int_equal(named[0], '/');
	setenv("XBUILD_EMULATOR", "no-such-program", 1);
	assert_int_equal(xb_proc_emulator(&none, &err), XB_E_SYSTEM);
	assert_non_null(strstr(err.msg, "no-such-program"));
	unsetenv("XBUILD_EMULATOR");
}

/* False where the kernel does not let us. */
static bool refuse_pidfd(void)
{
#ifdef __linux__
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = XB_COUNT(filter), .filter = filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0 && xb_host_watch_exit(getpid()) == -1;
#else
	return false;
#endif
}

int main(int argc, char **argv)
{
#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, drop_dir)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_comes_in_order),
		cmocka_unit_test(output_can_be_split),
		cmocka_unit_test(output_is_cut_at_the_cap),
		cmocka_unit_test(the_end_is_described),
		cmocka_unit_test(the_environment_is_what_is_given),
		IN_DIR(the_directory_is_the_one_given),
		cmocka_unit_test(the_child_starts_clean),
		cmocka_unit_test(missing_standard_descriptors_do_no_harm),
		IN_DIR(inherited_output_is_ours),
		IN_DIR(what_cannot_start_is_named),
		IN_DIR(time_ends_the_whole_family),
		cmocka_unit_test(time_enough_changes_nothing),
		IN_DIR(free_ends_the_whole_family),
		IN_DIR(a_daemon_that_holds_the_output_does_not_hang_us),
		IN_DIR(what_a_child_left_in_its_group_is_killed),
		IN_DIR(silence_is_not_the_end),
		cmocka_unit_test(many_short_children_all_come_back),
		cmocka_unit_test(no_time_is_one_look),
		cmocka_unit_test(a_signal_wakes_the_wait),
		cmocka_unit_test(no_descriptor_is_lost),
		IN_DIR(programs_are_found_in_the_path),
		cmocka_unit_test(the_emulator_is_found_or_missed),
	};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	int failed;

	if (argc > 1) {
		for (size_t i = 0; i < XB_COUNT(children); i++) {
			if (strcmp(children[i].name, argv[1]) == 0)
				return children[i].run(argc > 2 ? argv[2] : "");
		}
		return 93;
	}
	if (xb_host_self(&self, &err) < 0)
		return 1;
	failed = cmocka_run_group_tests_name("watched", tests, NULL, NULL);
	if (refuse_pidfd())
		failed += cmocka_run_group_tests_name("asked", tests, NULL, NULL);
	free(self);
	return failed;
}
