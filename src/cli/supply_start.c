/* SPDX-License-Identifier: Apache-2.0 */
/* lock, fetch, verify, sign and push as xbuild does them: by the helper program xbuild-supply. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "diag.h"

#include "xbuild/app/program.h"
#include "xbuild/app/provision.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/host.h"
#include "xbuild/sys/proc.h"

#define HELPER_ENDS_MS 1500 /* an interrupted helper tidies up in the store; then it is killed */

extern char **environ;

/* argv: [emulator] helper. The emulator is for a program of another architecture (docs/other-hosts.md). */
static int start_of_argv(struct cli *cli, struct words *argv, struct xb_err *err)
{
	const char *helper;
	if (xb_program_find("xbuild-supply", &cli->app.arena, &helper, err) < 0)
		return err->code;
	char *emulator XB_CLEANUP(xb_free_ptr) = NULL;
	if (xb_proc_emulator(&emulator, err) < 0)
		return err->code;
	if (emulator)
		XB_VEC_PUSH(argv, xb_arena_strdup(&cli->app.arena, emulator));
	XB_VEC_PUSH(argv, helper);
	return 0;
}

/* lock, fetch and the like, asked for by name: this process becomes the helper. */
static int become_helper(struct cli *cli, struct xb_err *err)
{
	struct words argv = {0};
	if (start_of_argv(cli, &argv, err) < 0)
		return err->code;
	for (int i = 1; i < cli->argc; i++)
		XB_VEC_PUSH(&argv, cli->argv[i]);
	XB_VEC_PUSH(&argv, NULL);
	progress_clear(cli->progress);
	xb_host_release_signals();
	execv(argv.items[0], (char *const *)(void *)argv.items);
	xb_fail_errno(err, "start '%s'", argv.items[0]);
	XB_VEC_RELEASE(&argv);
	return err->code;
}

int cmd_lock_run(struct cli *cli, struct xb_err *err)
{
	return become_helper(cli, err);
}

int cmd_add_run(struct cli *cli, struct xb_err *err)
{
	return become_helper(cli, err);
}

int cmd_bundle_run(struct cli *cli, struct xb_err *err)
{
	return become_helper(cli, err);
}

int cmd_outdated_run(struct cli *cli, struct xb_err *err)
{
	return become_helper(cli, err);
}

int cmd_fetch_run(struct cli *cli, struct xb_err *err)
{
	return become_helper(cli, err);
}

int cmd_verify_run(struct cli *cli, struct xb_err *err)
{
	return become_helper(cli, err);
}

int cmd_inspect_run(struct cli *cli, struct xb_err *err)
{
	return become_helper(cli, err);
}

int cmd_diff_run(struct cli *cli, struct xb_err *err)
{
	return become_helper(cli, err);
}

int cmd_push_run(struct cli *cli, struct xb_err *err)
{
	return become_helper(cli, err);
}

int cmd_pull_run(struct cli *cli, struct xb_err *err)
{
	return become_helper(cli, err);
}

int cmd_sign_run(struct cli *cli, struct xb_err *err)
{
	return become_helper(cli, err);
}

static struct cli *cli_of(struct xb_app *app)
{
	return (struct cli *)(void *)((char *)app - offsetof(struct cli, app));
}

static void add_option(struct words *argv, const char *name, const char *value)
{
	if (value) {
		XB_VEC_PUSH(argv, name);
		XB_VEC_PUSH(argv, value);
	}
}

static void pass_options(const struct cli *cli, struct words *argv, struct xb_arena *arena)
{
	const struct values *v = &cli->values;
	/* not as they were given: a use case may have chosen a project of its own */
	add_option(argv, "--dir", cli->app.options.dir);
	add_option(argv, "--file", cli->app.options.file);
	add_option(argv, "--mirror", v->mirror);
	add_option(argv, "--bundle", v->bundle);
	add_option(argv, "--progress", v->progress);
	add_option(argv, "--color", cli->color_err ? "always" : "never");
	if (v->jobs)
		add_option(argv, "--jobs", xb_arena_printf(arena, "%d", v->jobs));
	if (v->quiet)
		XB_VEC_PUSH(argv, "--quiet");
	if (v->verbose)
		XB_VEC_PUSH(argv, "--verbose");
	if (cli->app.options.locked_asked) /* CI is seen by the helper itself */
		XB_VEC_PUSH(argv, "--locked");
	if (cli->app.options.offline)
		XB_VEC_PUSH(argv, "--offline");
}

/* The helper has told what is wrong on stderr: its exit status becomes an error without words. */
static int code_of_status(const struct xb_proc_result *result)
{
	switch (result->signal ? 128 + result->signal : result->exit_code) {
	case 0:
		return XB_OK;
	case 1:
		return XB_E_JOB;
	case 2:
		return XB_E_INPUT;
	case 3:
		return XB_E_LOCK;
	case 4:
		return XB_E_NETWORK;
	case 5:
		return XB_E_VERIFY;
	case 128 + SIGINT:
	case 128 + SIGTERM:
	case 128 + SIGHUP:
		return XB_E_INTERRUPTED;
	case DIAG_STATUS_BUG:
	case 128 + SIGABRT:
	case 128 + SIGBUS:
	case 128 + SIGFPE:
	case 128 + SIGILL:
	case 128 + SIGSEGV:
	case 128 + SIGSYS:
	case 128 + SIGTRAP:
		return DIAG_E_BUG;
	default:
		return XB_E_SYSTEM;
	}
}

static int run_helper(struct cli *cli, struct words *argv, struct xb_err *err)
{
	XB_VEC_PUSH(argv, NULL);
	struct xb_proc_spec spec = {
		.argv = argv->items,
		.env = (const char *const *)(void *)environ,
		.inherit_output = true,
	};
	struct xb_proc_result result = {0};
	struct xb_procs *procs = xb_procs_new();
	void *user = NULL;
	progress_clear(cli->progress);
	int got = xb_procs_start(procs, &spec, NULL, err);
	if (got >= 0)
		got = xb_procs_wait(procs, -1, cli->app.interrupted, &user, &result, err);
	if (got == 0) {
		/* It leads a group of its own, so a terminal's Ctrl-C has not reached it. */
		xb_procs_signal(procs, *cli->app.interrupted);
		got = xb_procs_wait(procs, HELPER_ENDS_MS, NULL, &user, &result, err);
	}
	xb_procs_free(procs);
	if (got < 0)
		return err->code;
	if (got == 0)
		return xb_fail(err, XB_E_INTERRUPTED, "%s", "");
	int code = code_of_status(&result);
	bool strange = code == XB_E_SYSTEM || code == DIAG_E_BUG;
	char how[96];
	xb_proc_describe(&result, how, sizeof(how));
	xb_proc_result_release(&result);
	if (code == XB_OK)
		return 0;
	return xb_fail(err, (enum xb_code)code, "%s%s", strange ? "xbuild-supply ended with " : "", strange ? how : "");
}

static int supply_by_helper(struct xb_app *app, const struct xb_want *wants, size_t n_wants, struct xb_err *err)
{
	struct cli *cli = cli_of(app);
	struct words argv = {0};
	if (start_of_argv(cli, &argv, err) < 0)
		return err->code;
	XB_VEC_PUSH(&argv, "fetch");
	pass_options(cli, &argv, &app->arena);
	for (size_t i = 0; i < n_wants; i++)
		add_option(&argv, "--want", xb_want_format(&wants[i], &app->arena));
	int code = run_helper(cli, &argv, err);
	XB_VEC_RELEASE(&argv);
	return code;
}

static int lock_by_helper(struct xb_app *app, struct xb_err *err)
{
	struct cli *cli = cli_of(app);
	struct words argv = {0};
	if (start_of_argv(cli, &argv, err) < 0)
		return err->code;
	XB_VEC_PUSH(&argv, "lock");
	pass_options(cli, &argv, &app->arena);
	if (app->options.update)
		XB_VEC_PUSH(&argv, "--update");
	int code = run_helper(cli, &argv, err);
	XB_VEC_RELEASE(&argv);
	return code;
}

void supply_connect(struct cli *cli)
{
	cli->app.supply = supply_by_helper;
	cli->app.make_lock = lock_by_helper;
}
