/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of a command: what was asked, how to talk. stdout is the result and nothing else; stderr is the talk.
 */
#ifndef XBUILD_CLI_CLI_H
#define XBUILD_CLI_CLI_H

#include "opt.h"
#include "progress.h"

#include "xbuild/app/app.h"

struct cli {
	int argc;
	char **argv; /* of main, whole */
	const struct command *command;
	struct values values;
	struct xb_app app;
	struct progress *progress;
	bool color_out, color_err;
};

/* The commands of this program; ends with NULL. xbuild has all, xbuild-supply those that lock, fetch, read images, sign, push and pull. */
extern const struct command *const cli_commands[];

/* Name of this program for messages of usage. */
extern const char *const cli_program;

extern const struct command cmd_cc, cmd_cxx, cmd_ar, cmd_ranlib, cmd_nm, cmd_strip, cmd_objcopy, cmd_ld, cmd_pkg_config,
	cmd_cargo, cmd_env;
extern const struct command cmd_add, cmd_remove, cmd_bundle, cmd_drive;
extern const struct command cmd_init, cmd_lock, cmd_outdated, cmd_inspect, cmd_diff, cmd_fetch, cmd_build, cmd_test,
	cmd_image, cmd_verify, cmd_sign, cmd_push, cmd_pull, cmd_tag, cmd_sysroot, cmd_targets, cmd_doctor, cmd_version,
	cmd_help;

/* Defined twice: they do the work in xbuild-supply, and start xbuild-supply in xbuild. */
int cmd_lock_run(struct cli *cli, struct xb_err *err);
int cmd_add_run(struct cli *cli, struct xb_err *err);
int cmd_bundle_run(struct cli *cli, struct xb_err *err);
int cmd_outdated_run(struct cli *cli, struct xb_err *err);
int cmd_fetch_run(struct cli *cli, struct xb_err *err);
int cmd_verify_run(struct cli *cli, struct xb_err *err);
int cmd_inspect_run(struct cli *cli, struct xb_err *err);
int cmd_diff_run(struct cli *cli, struct xb_err *err);
int cmd_sign_run(struct cli *cli, struct xb_err *err);
int cmd_push_run(struct cli *cli, struct xb_err *err);
int cmd_pull_run(struct cli *cli, struct xb_err *err);
/* How a run gets what is missing; same split. */
void supply_connect(struct cli *cli);

/* Writes text to stdout; a full disk or closed pipe is XB_E_SYSTEM. */
int cli_print(const char *text, struct xb_err *err) XB_MUST_CHECK;
/* Writes a JSON document and a newline to stdout; takes the reference. */
struct json_t;
/* Help: in lines that fit COLUMNS or the terminal. */
int cli_print_help(const char *text, struct xb_err *err) XB_MUST_CHECK;
int cli_print_json(struct json_t *document, struct xb_err *err) XB_MUST_CHECK;

#endif
