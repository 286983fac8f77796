/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "diag.h"
#include "table.h"
#include "usage.h"

#include "xbuild/base/num.h"
#include "xbuild/base/str.h"
#include "xbuild/sys/host.h"
#include "xbuild/sys/json.h"

#define LOG_COLUMNS 240
#define MAX_COLUMNS 9999

int cli_print(const char *text, struct xb_err *err)
{
	if (fputs(text, stdout) != EOF && fflush(stdout) != EOF)
		return 0;
	/* who reads has seen enough, 'xbuild help | head': no reason to talk */
	if (errno == EPIPE)
		return xb_fail(err, XB_E_SYSTEM, "%s", "");
	return xb_fail_errno(err, "write to stdout");
}

int cli_print_help(const char *text, struct xb_err *err)
{
	struct xb_str fitted XB_CLEANUP(xb_str_release) = {0};
	const char *columns = getenv("COLUMNS");
	uint64_t width;

	if (!columns || !xb_num_u64(xb_sv(columns), MAX_COLUMNS, &width))
		width = (uint64_t)table_width();
	usage_fit(text, (size_t)width, &fitted);
	return cli_print(xb_str_get(&fitted), err);
}

int cli_print_json(struct json_t *document, struct xb_err *err)
{
	struct xb_str text = {0};
	xb_json_write(document, 8, false, &text);
	xb_str_append_char(&text, '\n');
	json_decref(document);
	int result = cli_print(xb_str_get(&text), err);
	xb_str_release(&text);
	return result;
}

/* --color beats NO_COLOR (no-color.org) beats CLICOLOR_FORCE and FORCE_COLOR beats TERM=dumb beats the terminal. */
static bool wants_color(const char *option, int fd)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	const char *force = getenv("CLICOLOR_FORCE") ? getenv("CLICOLOR_FORCE") : getenv("FORCE_COLOR");
	if (option && strcmp(option, "auto") != 0)
		return strcmp(option, "always") == 0;
	if (no_color && *no_color)
		return false;
	if (force && *force && strcmp(force, "0") != 0)
		return true;
	if (term && strcmp(term, "dumb") == 0)
		return false;
	return isatty(fd) == 1;
}

static bool wants_live(const struct values *values)
{
	const char *term = getenv("TERM");
	if (values->progress && strcmp(values->progress, "auto") != 0)
		return strcmp(values->progress, "tty") == 0;
	return isatty(STDERR_FILENO) == 1 && !getenv("CI") && !(term && strcmp(term, "dumb") == 0);
}

static void fill_app_options(const struct values *values, struct xb_app_options *out)
{
	const char *ci = getenv("CI");
	out->dir = values->dir;
	out->file = values->file;
	out->mirror = values->mirror;
	out->bundle = values->bundle;
	out->locked_asked = values->locked || values->frozen;
	out->locked = out->locked_asked || (ci && *ci && strcmp(ci, "false") != 0 && strcmp(ci, "0") != 0);
	out->offline = values->offline || values->frozen || values->bundle;
	out->dry_run = values->dry_run;
	out->jobs = values->jobs;
}

static void report(struct cli *cli, const struct xb_err *err)
{
	struct xb_str text = {0};
	bool color = cli->progress ? cli->color_err : wants_color(cli->values.color, STDERR_FILENO);
	int width = progress_width();
	/* A log has no width, but a line of a hostile file may have a megabyte. */
	if (cli->app.diags.list.len)
		diag_render(&cli->app.diags, color, width ? width : LOG_COLUMNS, &text);
	else
		diag_render_err(err, color, &text);
	fputs(xb_str_get(&text), stderr);
	xb_str_release(&text);
}

static int show_help(const struct cli *cli, struct xb_err *err)
{
	struct xb_str text = {0};
	if (cli->command)
		usage_command(cli->command, &text);
	else
		usage_program(cli_commands, &text);
	int result = cli_print_help(xb_str_get(&text), err);
	xb_str_release(&text);
	return result;
}

static int run_command(struct cli *cli, const volatile int *interrupted, struct xb_err *err)
{
	struct xb_app_options options = {0};
	struct progress_options how = {
		.live = wants_live(&cli->values),
		.quiet = cli->values.quiet,
		.verbose = cli->values.verbose > 0,
	};
	fill_app_options(&cli->values, &options);
	cli->color_out = wants_color(cli->values.color, STDOUT_FILENO);
	cli->color_err = how.color = wants_color(cli->values.color, STDERR_FILENO);
	cli->progress = progress_new(&how);
	xb_app_init(&cli->app, &options, progress_observer(cli->progress), interrupted);
	supply_connect(cli);
	int result = cli->command->run(cli, err);
	progress_clear(cli->progress);
	return result;
}

static int dispatch(struct cli *cli, const volatile int *interrupted, struct xb_err *err)
{
	if (opt_parse(cli->argc - 1, cli->argv + 1, cli_commands, &cli->values, &cli->command, err) < 0)
		return err->code;
	if (cli->values.version && !cli->command) {
		cli->command = &cmd_version;
		cli->values.help = false;
	}
	if (cli->values.help)
		return show_help(cli, err);
	if (!cli->command) {
		struct xb_str text = {0};
		usage_program(cli_commands, &text);
		fputs(xb_str_get(&text), stderr);
		xb_str_release(&text);
		return xb_fail(err, XB_E_USAGE, "no command was given");
	}
	return run_command(cli, interrupted, err);
}

/* An assert, or no memory: told by then. A shell would show 134, which says nothing of whose fault it is. */
static void end_as_bug(int signal)
{
	(void)signal;
	_exit(DIAG_STATUS_BUG);
}

int main(int argc, char **argv)
{
	struct cli cli = {.argc = argc, .argv = argv};
	struct xb_err err = {0};
	signal(SIGABRT, end_as_bug);
	xb_host_hold_standard();
	const volatile int *interrupted = xb_host_catch_signals();
	int result = dispatch(&cli, interrupted, &err);
	if (result < 0)
		report(&cli, &err);
	int status = diag_exit_status(result < 0 ? err.code : XB_OK, *interrupted);
	if (cli.progress) {
		xb_app_release(&cli.app);
		progress_free(cli.progress);
	}
	values_release(&cli.values);
	xb_err_release(&err);
	return status;
}
