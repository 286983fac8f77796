/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Not for people: what 'xbuild build' starts for each unit of another build system, and 'xbuild test' for its tests. Its talk is
 * that of the step.
 */
#include <stdio.h>

#include "build_options.h"

#include "xbuild/app/op_drive.h"
#include "xbuild/base/str.h"

static const struct opt options[] = {
	OPTION_TARGET,
	OPTION_PROFILE,
	{"manifest", 0, OPT_TEXT, "FILE", NULL, "where the list of what was installed goes",
	 offsetof(struct values, manifest), NULL},
	{"jobserver", 0, OPT_TEXT, "FIFO", NULL, "pool of jobs that is shared", offsetof(struct values, jobserver),
	 NULL},
	OPTION_END,
};

static int run(struct cli *cli, struct xb_err *err)
{
	const struct values *v = &cli->values;
	struct xb_str shown = {0};
	const struct xb_drive_opts opts = {
		.unit = v->args.len ? v->args.items[0] : "",
		.target = v->targets.len ? v->targets.items[0] : "",
		.profile = v->profile ? v->profile : "",
		.manifest = v->manifest,
		.jobserver = v->jobserver,
		.verbose = v->verbose > 0,
	};
	if (!opts.unit[0])
		return xb_fail(err, XB_E_USAGE, "drive is started by 'xbuild build' and 'xbuild test'");
	int code = xb_op_drive(&cli->app, &opts, &shown, err);
	progress_clear(cli->progress);
	fputs(xb_str_get(&shown), stderr);
	xb_str_release(&shown);
	return code;
}

const struct command cmd_drive = {
	.name = "drive",
	.synopsis = "UNIT",
	.options = options,
	.project = true,
	.max_args = 1,
	.run = run,
};
