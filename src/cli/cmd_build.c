/* SPDX-License-Identifier: Apache-2.0 */
#include "build_options.h"

#include "xbuild/base/str.h"

static const struct opt options[] = {
	OPTION_TARGET,
	OPTION_PROFILE,
	OPTION_KEEP_GOING,
	{"dry-run", 'n', OPT_FLAG, NULL, NULL, "show what would run; nothing is run, fetched or locked",
	 offsetof(struct values, dry_run), NULL},
	OPTION_END,
};

struct xb_build_opts build_options(const struct cli *cli, bool units)
{
	const struct values *v = &cli->values;
	return (struct xb_build_opts){
		.units = units ? v->args.items : NULL,
		.n_units = units ? v->args.len : 0,
		.targets = v->targets.items,
		.n_targets = v->targets.len,
		.profile = v->profile,
		.keep_going = v->keep_going,
		.dry_run = v->dry_run,
		.color = cli->color_err,
		.verbose = v->verbose > 0,
	};
}

static int run(struct cli *cli, struct xb_err *err)
{
	struct xb_build_opts opts = build_options(cli, true);
	struct xb_build_result result = {0};
	struct xb_str out = {0};
	int code = xb_op_build(&cli->app, &opts, &result, err);
	progress_clear(cli->progress);
	for (size_t i = 0; i < result.n_would_run; i++)
		xb_str_printf(&out, "%s\n", result.would_run[i]);
	for (size_t i = 0; !opts.dry_run && i < result.n_items; i++)
		xb_str_printf(&out, "%s\n", result.items[i].rel_path);
	if (code == 0 && out.len && !cli->values.quiet)
		code = cli_print(xb_str_get(&out), err);
	xb_str_release(&out);
	xb_build_result_release(&result);
	return code;
}

const struct command cmd_build = {
	.name = "build",
	.synopsis = "[UNIT...]",
	.summary = "compile and link units for every target",
	.details = "Results are out/<target>/<unit>; their paths are printed. What has been compiled once on this "
		   "machine,\n"
		   "in any directory, is not compiled again. compile_commands.json is kept up to date.",
	.options = options,
	.project = true,
	.max_args = -1,
	.run = run,
};
