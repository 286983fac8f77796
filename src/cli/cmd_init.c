/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli.h"

#include "xbuild/app/op_init.h"

static int run(struct cli *cli, struct xb_err *err)
{
	struct xb_init_result result = {0};
	const char *name = cli->values.args.len ? cli->values.args.items[0] : NULL;
	if (xb_op_init(&cli->app, name, &result, err) < 0)
		return err->code;
	progress_clear(cli->progress);
	if (!cli->values.quiet) {
		fprintf(stderr, "%12s %s %s %s%s\n", "Wrote", result.path, result.found_sources ? "for" : "and",
			result.sources, result.found_sources ? "" : ", as there were no sources");
		fputs("next: xbuild build, then xbuild image\n", stderr);
	}
	return 0;
}

const struct command cmd_init = {
	.name = "init",
	.synopsis = "[NAME]",
	.summary = "write a commented xbuild.yaml for the build system or the sources here",
	.details = NULL,
	.options = NULL,
	.project = true,
	.max_args = 1,
	.run = run,
};
