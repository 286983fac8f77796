/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole of op_test but for what comes before it: this file defines the functions that build and provision, and hands
 * out programs that gcc makes here, with this machine as the sysroot. Programs for aarch64 run under qemu where clang, the
 * cross libraries and qemu are installed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "../../../src/app/test_run.h"
#include "../host_dir.h"
#include "../run_program.h"
#include "../skip.h"
#include "xbuild/app/op_doctor.h"
#include "xbuild/app/op_drive.h"
#include "xbuild/app/provision.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/build/loader.h"
#include "xbuild/sys/fs.h"

static char *dir, *gcc;
static const struct xb_target *native, *foreign;

/* What the fakes below hand out. */
static struct {
	struct xb_built items[8];
	size_t n_items;
	const struct xb_project_target *targets[2];
	size_t n_targets;
	const char *sysroot;
	const char *runner; /* NULL: ask the host */
	bool no_runner, build_fails;
	char built_units[256];
} fake;

int xb_op_build(struct xb_app *app, const struct xb_build_opts *opts, struct xb_build_result *out, struct xb_err *err)
{
	(void)app;
	fake.built_units[0] = '\0';
	for (size_t i = 0; i < opts->n_units; i++)
		snprintf(fake.built_units + strlen(fake.built_units), 32, "%s ", opts->units[i]);
	*out = (struct xb_build_result){.items = fake.items, .n_items = fake.n_items};
	return fake.build_fails ? xb_fail(err, XB_E_JOB, "1 of 2 jobs failed") : 0;
}

void xb_build_result_release(struct xb_build_result *result)
{
	xb_arena_release(&result->arena);
}

int xb_app_need_project(struct xb_app *app, struct xb_err *err)
{
	(void)err;
	assert_non_null(app->project);
	return 0;
}

int xb_app_targets(struct xb_app *app, const char *const *names, size_t n_names, const struct xb_project_target ***out,
		   size_t *out_count, struct xb_err *err)
{
	(void)app;
	(void)names;
	(void)n_names;
	(void)err;
	*out = fake.targets;
	*out_count = fake.n_targets;
	return 0;
}

int xb_app_jobs(const struct xb_app *app)
{
	return app->options.jobs;
}

int xb_provision_sysroot(struct xb_app *app, const struct xb_target *target, struct xb_sysroot_paths *out,
			 struct xb_err *err)
{
	(void)app;
	(void)err;
	*out = (struct xb_sysroot_paths){.target = target, .dir = fake.sysroot};
	return 0;
}

const char *xb_app_runner_name(struct xb_app *app, const struct xb_target *target)
{
	if (fake.no_runner)
		return NULL;
	return xb_host_runs(app->host.name, target) ? "native" : fake.runner;
}

/* A shell in the place of `xbuild drive`: what it is asked follows, its script decides how it ends. */
int xb_drive_words(struct xb_app *app, bool verbose, const char *const **out, struct xb_err *err)
{
	static const char *const words[] = {"/bin/sh", "-c", "echo \"$@\"; exit ${XB_TEST_ENDS:-0}", "drive", NULL};

	(void)app;
	(void)verbose;
	(void)err;
	*out = words;
	return 0;
}

static char *at(const char *name)
{
	return xb_path_join(dir, name);
}

/* Runs `compiler` with the words of `options` on a source; false when it fails. */
static bool compile(const char *compiler, const char *name, const char *source, const char *options)
{
	const char *const env[] = {"LC_ALL=C", "PATH=/usr/bin:/bin", NULL};
	const char *argv[24] = {compiler, "-o", name, "source.c", NULL};
	char *words XB_CLEANUP(xb_free_ptr) = xb_strdup(options), *path XB_CLEANUP(xb_free_ptr) = at("source.c");
	struct xb_proc_result result XB_CLEANUP(xb_proc_result_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	FILE *f = fopen(path, "w");
	size_t n = 4;

	assert_non_null(f);
	fputs(source, f);
	assert_int_equal(fclose(f), 0);
	for (char *word = words; word && n < XB_COUNT(argv) - 1;) {
		char *end = strchr(word, ' ');

		if (end)
			*end++ = '\0';
		argv[n++] = word;
		word = end;
	}
	assert_int_equal(run_program(&(struct xb_proc_spec){.argv = argv, .env = env, .cwd = dir}, &result, &err), 0);
	return result.exit_code == 0;
}

#define GOOD "-pie -fPIE -Wl,-z,relro,-z,now -Wl,-z,noexecstack"

/* A project with a program "main", a library "own" that it is linked with, and an unrelated "extra". */
struct world {
	struct xb_app app;
	struct xb_project project;
	struct xb_project_target target;
	struct xb_unit main, own, extra, *units[3], *deps[1];
	struct xb_test tests[8];
	char *paths[3];
};

static void release_world(struct world *w)
{
	for (size_t i = 0; i < XB_COUNT(w->paths); i++)
		free(w->paths[i]);
	xb_arena_release(&w->app.arena);
}

static void add_item(struct world *w, size_t i, struct xb_unit *unit, const char *file)
{
	w->paths[i] = at(file);
	fake.items[fake.n_items++] = (struct xb_built){.unit = unit, .target = w->target.target, .path = w->paths[i]};
}

static void make_world(struct world *w, const struct xb_target *target)
{
	memset(&fake, 0, sizeof(fake));
	fake.sysroot = "/";
	*w = (struct world){.target = {.target = target}};
	w->main = (struct xb_unit){.name = "main", .kind = XB_UNIT_EXECUTABLE, .deps = w->deps, .n_deps = 1};
	w->own = (struct xb_unit){
		.name = "own", .kind = XB_UNIT_SHARED, .soname = "libown.so.1", .output_name = "libown.so"};
	w->extra = (struct xb_unit){.name = "extra", .kind = XB_UNIT_EXECUTABLE};
	w->deps[0] = &w->own;
	w->units[0] = &w->main;
	w->units[1] = &w->own;
	w->units[2] = &w->extra;
	w->project = (struct xb_project){.dir = dir, .units = w->units, .n_units = 3, .tests = w->tests};
	w->app.project = &w->project;
	w->app.options.jobs = 2;
	xb_host_detect(&w->app.host);
	fake.targets[0] = &w->target;
	fake.n_targets = 1;
}

/*
 * main: exits with the library's number plus argc. Words: "-s" sleeps, "-k" aborts, "-p" tells the working directory, "-dX"
 * opens library X, "-rX" and "-wX" meet at the pipe X; any other word is a variable to print.
 */
static const char main_source[] =
	"#include <dlfcn.h>\n#include <fcntl.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include "
	"<string.h>\n#include <unistd.h>\nint own(void);\n"
	"int main(int argc, char **argv) {\n"
	"	for (int i = 1; i < argc; i++) {\n"
	"		if (!strcmp(argv[i], \"-s\")) sleep(600);\n"
	"		if (!strcmp(argv[i], \"-k\")) abort();\n"
	"		if (!strcmp(argv[i], \"-p\")) { char b[4096]; puts(getcwd(b, sizeof b)); continue; }\n"
	"		if (!strncmp(argv[i], \"-d\", 2)) { puts(dlopen(argv[i] + 2, RTLD_NOW) ? \"found\" : "
	"dlerror()); continue; }\n"
	"		if (!strncmp(argv[i], \"-r\", 2)) { open(argv[i] + 2, O_RDONLY); continue; }\n"
	"		if (!strncmp(argv[i], \"-w\", 2)) { open(argv[i] + 2, O_WRONLY); continue; }\n"
	"		printf(\"%s=%s\\n\", argv[i], getenv(argv[i]) ? getenv(argv[i]) : \"(unset)\");\n"
	"	}\n"
	"	return own() + argc;\n}\n";
static const char own_source[] = "int own(void) { return 40; }\n";

static bool build_world(struct world *w, const char *compiler, const char *extra_options)
{
	char *library XB_CLEANUP(xb_free_ptr) =
		xb_printf("-shared -fPIC -Wl,-z,relro,-z,now -Wl,-soname,libown.so.1%s", extra_options);
	char *program XB_CLEANUP(xb_free_ptr) = xb_printf(GOOD " -L. -lown -ldl%s", extra_options);

	if (!compile(compiler, "libown.so", own_source, library) || !compile(compiler, "main", main_source, program))
		return false;
	add_item(w, 0, &w->main, "main");
	add_item(w, 1, &w->own, "libown.so");
	return true;
}

static struct xb_test *add_test(struct world *w, const char *name, const char **args, size_t n, int expect_exit)
{
	struct xb_test *test = &w->tests[w->project.n_tests++];

	*test = (struct xb_test){.name = name,
				 .unit = &w->main,
				 .args = {.items = args, .len = n},
				 .timeout_ms = 60000,
				 .expect_exit = expect_exit};
	return test;
}

static bool is_scratch_left(void)
{
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	bool found = false;

	assert_int_equal(xb_fs_list(dir, &list, &err), 0);
	for (size_t i = 0; i < list.len; i++)
		found |= strncmp(list.items[i].name, "xbuild-test-", 12) == 0;
	return found;
}

static void native_or_skip(void)
{
	if (!gcc || !native)
		skip_without("gcc, or a target that is this host");
}

static void programs_are_verified_and_run(void **state)
{
	static const char *word[] = {"a"}, *none[] = {NULL}, *kill_word[] = {"-k"};
	struct xb_test_result result XB_CLEANUP(xb_test_result_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct world w XB_CLEANUP(release_world) = {0};

	(void)state;
	native_or_skip();
	make_world(&w, native);
	assert_true(build_world(&w, gcc, ""));
	add_test(&w, "plain", none, 0, 41);
	add_test(&w, "wrong", word, 1, 0);
	add_test(&w, "killed", kill_word, 1, 0);
	assert_int_equal(xb_op_test(&w.app, &(struct xb_build_opts){0}, &result, &err), XB_E_JOB);
	assert_string_equal(err.msg, "2 of 5 checks failed");
	assert_int_equal(result.n_rows, 5);
	assert_int_equal(result.n_passed, 3);
	assert_string_equal(result.rows[0].kind, "elf");
	assert_string_equal(result.rows[0].name, "main");
	assert_non_null(strstr(result.rows[0].detail, ", PIE, RELRO, NX"));
	assert_string_equal(result.rows[1].name, "own");
	assert_non_null(strstr(result.rows[1].detail, ", shared"));
	assert_string_equal(result.rows[2].kind, "run");
	assert_string_equal(result.rows[2].detail, "native");
	assert_int_equal(result.rows[2].verdict, XB_VERDICT_PASSED);
	assert_null(result.rows[2].output);
	assert_int_equal(result.rows[3].verdict, XB_VERDICT_FAILED);
	assert_string_equal(result.rows[3].problems[0], "expected exit status 0, found exit status 42");
	assert_string_equal(result.rows[3].output, "a=(unset)\n");
	assert_non_null(strstr(result.rows[4].problems[0], "expected exit status 0, found killed by signal 6"));
	assert_false(is_scratch_left());
}

/* A unit that has tests for its own build system: in a row of its driver, by a process that is asked for no manifest. */
static void units_run_their_own_tests(void **state)
{
	static struct xb_foreign quiet, tested = {.test = true};
	struct world w XB_CLEANUP(release_world) = {0};

	(void)state;
	native_or_skip();
	make_world(&w, native);
	assert_true(build_world(&w, gcc, ""));
	w.main.driver = w.own.driver = XB_DRIVER_CARGO;
	w.main.foreign = &tested;
	w.own.foreign = &quiet;
	for (int ends = 0; ends < 2; ends++) {
		struct xb_test_result result XB_CLEANUP(xb_test_result_release) = {0};
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		char *asked XB_CLEANUP(xb_free_ptr) = xb_printf("--target %s --profile dev main\n", native->name);

		setenv("XB_TEST_ENDS", ends ? "1" : "0", 1);
		assert_int_equal(xb_op_test(&w.app, &(struct xb_build_opts){.profile = "dev"}, &result, &err),
				 ends ? XB_E_JOB : 0);
		assert_int_equal(result.n_rows, 3);
		assert_string_equal(result.rows[2].kind, "cargo");
		assert_string_equal(result.rows[2].name, "main");
		assert_string_equal(result.rows[2].detail, "native");
		assert_int_equal(result.rows[2].verdict, ends ? XB_VERDICT_FAILED : XB_VERDICT_PASSED);
		if (ends)
			assert_string_equal(result.rows[2].output, asked);
	}
	unsetenv("XB_TEST_ENDS");
	fake.no_runner = true;
	struct xb_test_result skipped XB_CLEANUP(xb_test_result_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	assert_int_equal(xb_op_test(&w.app, &(struct xb_build_opts){0}, &skipped, &err), 0);
	assert_int_equal(skipped.rows[2].verdict, XB_VERDICT_SKIPPED);
}

/* Nothing of our own environment comes through, and the test's own entries win. */
static void the_environment_is_built(void **state)
{
	static const char *names[] = {"LC_ALL", "PATH", "TMPDIR", "HOME", "LD_LIBRARY_PATH", "MODE"};
	static const char *env_names[] = {"MODE", "PATH"}, *env_values[] = {"a b", "/x"};
	struct xb_test_result result XB_CLEANUP(xb_test_result_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct world w XB_CLEANUP(release_world) = {0};
	char *expected XB_CLEANUP(xb_free_ptr) =
		xb_printf("LC_ALL=C\nPATH=/x\nTMPDIR=%s\nHOME=(unset)\nLD_LIBRARY_PATH=(unset)\nMODE=a b\n", dir);

	(void)state;
	native_or_skip();
	make_world(&w, native);
	assert_true(build_world(&w, gcc, ""));
	add_test(&w, "env", names, XB_COUNT(names), 0)->env =
		(struct xb_pairs){.names = env_names, .values = env_values, .len = 2};
	assert_int_equal(xb_op_test(&w.app, &(struct xb_build_opts){0}, &result, &err), XB_E_JOB);
	assert_string_equal(result.rows[2].output, expected);
}

static void a_test_that_hangs_is_ended(void **state)
{
	static const char *sleep_word[] = {"-s"};
	struct xb_test_result result XB_CLEANUP(xb_test_result_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct world w XB_CLEANUP(release_world) = {0};

	(void)state;
	native_or_skip();
	make_world(&w, native);
	assert_true(build_world(&w, gcc, ""));
	add_test(&w, "hangs", sleep_word, 1, 41)->timeout_ms = 200;
	assert_int_equal(xb_op_test(&w.app, &(struct xb_build_opts){0}, &result, &err), XB_E_JOB);
	assert_string_equal(result.rows[2].problems[0], "expected its end within 1 s, found it still running");
	assert_true(result.rows[2].elapsed_ms >= 200);
}

/* Each waits for the other at a pipe: one after the other they would both run out of time. */
static void tests_run_side_by_side(void **state)
{
	struct xb_test_result result XB_CLEANUP(xb_test_result_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct world w XB_CLEANUP(release_world) = {0};
	char *pipe_path XB_CLEANUP(xb_free_ptr) = at("pipe"), *reads XB_CLEANUP(xb_free_ptr) = NULL,
			*writes XB_CLEANUP(xb_free_ptr) = NULL;
	const char *read_words[1], *write_words[1];

	(void)state;
	native_or_skip();
	assert_int_equal(mkfifo(pipe_path, 0600), 0);
	read_words[0] = reads = xb_printf("-r%s", pipe_path);
	write_words[0] = writes = xb_printf("-w%s", pipe_path);
	make_world(&w, native);
	assert_true(build_world(&w, gcc, ""));
	add_test(&w, "reads", read_words, 1, 42);
	add_test(&w, "writes", write_words, 1, 42);
	assert_int_equal(xb_op_test(&w.app, &(struct xb_build_opts){0}, &result, &err), 0);
	assert_string_equal(result.rows[2].name, "reads");
	assert_string_equal(result.rows[3].name, "writes");
}

static void tests_run_in_the_project_with_its_libraries(void **state)
{
	static const char *words[] = {"-p", "-dlibown.so", "-dlibown.so.1", "-dlibelse.so"};
	struct xb_test_result result XB_CLEANUP(xb_test_result_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct world w XB_CLEANUP(release_world) = {0};
	char *expected XB_CLEANUP(xb_free_ptr) = NULL, *real XB_CLEANUP(xb_free_ptr) = NULL;

	(void)state;
	native_or_skip();
	make_world(&w, native);
	assert_true(build_world(&w, gcc, ""));
	add_test(&w, "where", words, XB_COUNT(words), 0);
	assert_int_equal(xb_op_test(&w.app, &(struct xb_build_opts){0}, &result, &err), XB_E_JOB);
	assert_int_equal(xb_fs_realpath(dir, &real, &err), 0);
	expected = xb_printf("%s\nfound\nfound\nlibelse.so: cannot open", real);
	assert_ptr_equal(strstr(result.rows[2].output, expected), result.rows[2].output);
}

static void a_dry_run_tests_nothing(void **state)
{
	static const char *none[] = {NULL};
	struct xb_test_result result XB_CLEANUP(xb_test_result_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct world w XB_CLEANUP(release_world) = {0};

	(void)state;
	make_world(&w, foreign);
	add_test(&w, "plain", none, 0, 0);
	assert_int_equal(xb_op_test(&w.app, &(struct xb_build_opts){.dry_run = true}, &result, &err), 0);
	assert_int_equal(result.n_rows, 0);
	assert_null(result.rows);
}

static volatile int interrupt_flag;

static void on_alarm(int number)
{
	interrupt_flag = number;
}

/* Before the first test starts, and while one runs that would take ten minutes. */
static void an_interrupt_ends_the_run(void **state)
{
	static const char *sleep_word[] = {"-s"};
	struct sigaction action = {.sa_handler = on_alarm}, old;

	(void)state;
	native_or_skip();
	assert_int_equal(sigaction(SIGALRM, &action, &old), 0);
	for (int running = 0; running < 2; running++) {
		struct xb_test_result result XB_CLEANUP(xb_test_result_release) = {0};
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct world w XB_CLEANUP(release_world) = {0};
		const struct itimerval timer = {.it_value = {.tv_usec = 300000}};

		make_world(&w, native);
		assert_true(build_world(&w, gcc, ""));
		add_test(&w, "hangs", sleep_word, 1, 0);
		w.app.interrupted = &interrupt_flag;
		interrupt_flag = running ? 0 : SIGINT;
		if (running)
			assert_int_equal(setitimer(ITIMER_REAL, &timer, NULL), 0);
		assert_int_equal(xb_op_test(&w.app, &(struct xb_build_opts){0}, &result, &err), XB_E_INTERRUPTED);
		assert_int_equal(result.n_rows, 0);
		assert_false(is_scratch_left());
	}
	sigaction(SIGALRM, &old, NULL);
}

static void without_a_runner_tests_are_skipped(void **state)
{
	static const char *none[] = {NULL};
	struct xb_test_result result XB_CLEANUP(xb_test_result_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct world w XB_CLEANUP(release_world) = {0};
	char *expected XB_CLEANUP(xb_free_ptr) = NULL;

	(void)state;
	native_or_skip();
	expected = xb_printf("%s is not on PATH; install qemu-user", native->qemu);
	make_world(&w, native);
	assert_true(build_world(&w, gcc, ""));
	add_test(&w, "skipped", none, 0, 0);
	fake.no_runner = true;
	assert_int_equal(xb_op_test(&w.app, &(struct xb_build_opts){0}, &result, &err), 0);
	assert_int_equal(result.n_passed, 2);
	assert_int_equal(result.n_skipped, 1);
	assert_int_equal(result.rows[2].verdict, XB_VERDICT_SKIPPED);
	assert_string_equal(result.rows[2].problems[0], expected);
	assert_null(result.rows[2].detail);
}

static void a_sysroot_without_a_loader_fails_the_test(void **state)
{
	static const char *none[] = {NULL};
	struct xb_test_result result XB_CLEANUP(xb_test_result_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct world w XB_CLEANUP(release_world) = {0};

	(void)state;
	native_or_skip();
	make_world(&w, native);
	assert_true(build_world(&w, gcc, ""));
	add_test(&w, "lost", none, 0, 0);
	fake.sysroot = dir;
	assert_int_equal(xb_op_test(&w.app, &(struct xb_build_opts){0}, &result, &err), XB_E_JOB);
	assert_int_equal(result.n_failed, 2); /* main needs libc.so.6, which is not there either */
	assert_non_null(strstr(result.rows[0].problems[0], "expected needed library libc.so.6 in the sysroot"));
	assert_non_null(strstr(result.rows[2].problems[0], "in the sysroot, found none"));
}

static void the_results_of_a_failed_build_count_only_when_asked(void **state)
{
	static const char *none[] = {NULL};
	struct world w XB_CLEANUP(release_world) = {0};

	(void)state;
	native_or_skip();
	make_world(&w, native);
	assert_true(build_world(&w, gcc, ""));
	add_test(&w, "plain", none, 0, 41);
	fake.build_fails = true;
	for (int keep_going = 0; keep_going < 2; keep_going++) {
		struct xb_test_result result XB_CLEANUP(xb_test_result_release) = {0};
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		const struct xb_build_opts opts = {.keep_going = keep_going};

		assert_int_equal(xb_op_test(&w.app, &opts, &result, &err), XB_E_JOB);
		assert_string_equal(err.msg, "1 of 2 jobs failed");
		assert_int_equal(result.n_rows, keep_going ? 3 : 0);
	}
}

static void no_pie_is_accepted_where_it_was_asked_for(void **state)
{
	static const char *no_pie[] = {"-no-pie"};
	struct world w XB_CLEANUP(release_world) = {0};
	struct xb_override over = {.profile = "dev", .settings = {.ldflags = {.items = no_pie, .len = 1}}};

	(void)state;
	native_or_skip();
	make_world(&w, native);
	assert_true(compile(gcc, "main", "int main(void) { return 0; }\n", "-no-pie -fno-pie -Wl,-z,now"));
	add_item(&w, 0, &w.main, "main");
	for (int i = 0; i < 4; i++) {
		struct xb_test_result result XB_CLEANUP(xb_test_result_release) = {0};
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		const struct xb_build_opts opts = {.profile = i == 3 ? "dev" : NULL};

		w.main.settings.ldflags.len = 0;
		if (i == 1)
			w.main.settings.ldflags = (struct xb_words){.items = no_pie, .len = 1};
		w.main.overrides = &over;
		w.main.n_overrides = i >= 2;
		assert_int_equal(xb_op_test(&w.app, &opts, &result, &err), i == 1 || i == 3 ? 0 : XB_E_JOB);
	}
}

/* Tests of units that were left out do not run; what a test names is built with it. */
static void named_units_bring_what_they_need(void **state)
{
	static const char *args[] = {"build:extra", "build:nothing", "x"};
	static const char *const names[] = {"main"};
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct world w XB_CLEANUP(release_world) = {0};
	const char *const *out;
	size_t n;

	(void)state;
	make_world(&w, foreign);
	add_test(&w, "refers", args, 3, 0);
	test_close_units(&arena, &w.project, names, 1, &out, &n);
	assert_int_equal(n, 3);
	assert_string_equal(out[0], "main");
	assert_string_equal(out[1], "extra");
	assert_string_equal(out[2], "own");
	test_close_units(&arena, &w.project, (const char *const[]){"own", "typo"}, 2, &out, &n);
	assert_int_equal(n, 2);
	assert_string_equal(out[1], "typo");
}

static void arguments_name_other_units(void **state)
{
	static const char *args[] = {"build:own", "build:nothing"}, *lost[] = {"build:extra"};
	static const char *const names[] = {"main"};
	struct xb_test_result result XB_CLEANUP(xb_test_result_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct world w XB_CLEANUP(release_world) = {0};
	char *expected XB_CLEANUP(xb_free_ptr) = NULL;

	(void)state;
	native_or_skip();
	make_world(&w, native);
	assert_true(build_world(&w, gcc, ""));
	add_test(&w, "refers", args, 2, 0);
	add_test(&w, "lost", lost, 1, 0);
	expected = xb_printf("%s=(unset)\nbuild:nothing=(unset)\n", w.paths[1]);
	assert_int_equal(xb_op_test(&w.app, &(struct xb_build_opts){.units = names, .n_units = 1}, &result, &err),
			 XB_E_JOB);
	assert_string_equal(fake.built_units, "main own extra ");
	assert_string_equal(result.rows[2].output, expected);
	assert_non_null(strstr(result.rows[3].problems[0], "expected unit 'extra' for "));
}

static void the_loader_and_its_directories_are_the_sysroot_s(void **state)
{
	static const char *words[] = {"a", "b c"};
	const struct xb_words args = {.items = words, .len = 2};
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct test_runner r = {.name = "native", .sysroot = "/s", .loader = "/s/ld.so", .library_path = "/s/lib"};
	const struct xb_target *arm = xb_target_find(xb_sv("linux-aarch64"));
	const char *const *argv = test_argv(&arena, &r, "/out/p", false, &args);

	(void)state;
	assert_string_equal(argv[0], "/s/ld.so");
	assert_string_equal(argv[1], "--library-path");
	assert_string_equal(argv[2], "/s/lib");
	assert_string_equal(argv[3], "/out/p");
	assert_string_equal(argv[4], "a");
	assert_string_equal(argv[5], "b c");
	assert_null(argv[6]);
	argv = test_argv(&arena, &r, "/out/p", true, &args);
	assert_string_equal(argv[0], "/out/p");
	assert_string_equal(argv[2], "b c");
	assert_null(argv[3]);
	r = (struct test_runner){
		.name = "qemu-aarch64", .emulator = "/bin/q", .sysroot = "/s", .library_path = "/t:/s/lib"};
	argv = test_argv(&arena, &r, "/out/p", false, &args);
	assert_string_equal(argv[0], "/bin/q");
	assert_string_equal(argv[1], "-L");
	assert_string_equal(argv[2], "/s");
	assert_string_equal(argv[3], "-E");
	assert_string_equal(argv[4], "LD_LIBRARY_PATH=/t:/s/lib");
	assert_string_equal(argv[5], "/out/p");
	assert_string_equal(argv[7], "b c");
	assert_null(argv[8]);
	argv = test_argv(&arena, &r, "/out/p", true, &args);
	assert_string_equal(argv[2], "/s");
	assert_string_equal(argv[3], "/out/p");
	assert_string_equal(xb_loader_library_path(&arena, "/s", arm, NULL),
			    "/s/usr/lib/aarch64-linux-gnu:/s/lib/aarch64-linux-gnu:/s/usr/lib:/s/lib");
	assert_string_equal(xb_loader_library_path(&arena, "/s", arm, "/t"),
			    "/t:/s/usr/lib/aarch64-linux-gnu:/s/lib/aarch64-linux-gnu:/s/usr/lib:/s/lib");
	assert_null(xb_loader_find(&arena, dir, arm));
}

static char *find_clang(void)
{
	char *clang = xb_proc_find("clang-19");

	return clang ? clang : xb_proc_find("clang");
}

static void another_architecture_runs_under_qemu(void **state)
{
	static const char *names[] = {"LD_LIBRARY_PATH", "TMPDIR", "HOME"};
	struct xb_test_result result XB_CLEANUP(xb_test_result_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct world w XB_CLEANUP(release_world) = {0};
	const struct xb_target *arm = xb_target_find(xb_sv("linux-aarch64"));
	char *clang XB_CLEANUP(xb_free_ptr) = find_clang();
	char *qemu XB_CLEANUP(xb_free_ptr) = xb_proc_find(arm->qemu);

	(void)state;
	if (!clang || !qemu || arm == native || !xb_fs_exists("/usr/aarch64-linux-gnu/lib/crt1.o"))
		skip_without("clang, qemu-aarch64 or /usr/aarch64-linux-gnu, or no other architecture");
	make_world(&w, arm);
	if (!build_world(&w, clang, " --target=aarch64-linux-gnu -fuse-ld=lld"))
		skip_without("lld");
	add_test(&w, "foreign", names, XB_COUNT(names), 44);
	fake.sysroot = "/usr/aarch64-linux-gnu";
	fake.runner = arm->qemu;
	assert_int_equal(xb_op_test(&w.app, &(struct xb_build_opts){0}, &result, &err), 0);
	assert_int_equal(result.n_passed, 3);
	assert_non_null(strstr(result.rows[0].detail, "aarch64, GLIBC_2."));
	assert_string_equal(result.rows[2].detail, "qemu-aarch64");
}

static int set_up(void **state)
{
	struct host_dir host;

	(void)state;
	if (host_dir_open(&host, "optest") < 0)
		return -1;
	native = host.native;
	foreign = host.foreign;
	dir = host.dir;
	gcc = host.gcc;
	return setenv("TMPDIR", dir, 1);
}

static int tear_down(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	int rc = xb_fs_remove(dir, &err);

	(void)state;
	free(dir);
	free(gcc);
	return rc;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_are_verified_and_run),
		cmocka_unit_test(units_run_their_own_tests),
		cmocka_unit_test(the_environment_is_built),
		cmocka_unit_test(tests_run_side_by_side),
		cmocka_unit_test(tests_run_in_the_project_with_its_libraries),
		cmocka_unit_test(a_dry_run_tests_nothing),
		cmocka_unit_test(a_test_that_hangs_is_ended),
		cmocka_unit_test(an_interrupt_ends_the_run),
		cmocka_unit_test(without_a_runner_tests_are_skipped),
		cmocka_unit_test(a_sysroot_without_a_loader_fails_the_test),
		cmocka_unit_test(the_results_of_a_failed_build_count_only_when_asked),
		cmocka_unit_test(no_pie_is_accepted_where_it_was_asked_for),
		cmocka_unit_test(named_units_bring_what_they_need),
		cmocka_unit_test(arguments_name_other_units),
		cmocka_unit_test(the_loader_and_its_directories_are_the_sysroot_s),
		cmocka_unit_test(another_architecture_runs_under_qemu),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
