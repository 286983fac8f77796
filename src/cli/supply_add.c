/* SPDX-License-Identifier: Apache-2.0 */
/* add and remove as xbuild-supply does them. */
#include "cli.h"

#include "xbuild/app/op_add.h"

static void tell(struct cli *cli, const struct xb_add_opts *opts, const struct xb_add_result *result)
{
	struct xb_str label = {0};
	for (size_t i = 0; i < result->n_changed; i++)
		xb_str_printf(&label, "%s%s", i ? ", " : "", result->changed[i]);
	if (result->n_changed && !cli->values.dry_run)
		xb_observe(cli->app.observer, &(struct xb_event){.kind = XB_EVENT_DONE,
								 .verb = opts->remove ? "Removed" : "Added",
								 .label = xb_str_get(&label)});
	xb_str_release(&label);
}

int cmd_add_run(struct cli *cli, struct xb_err *err)
{
	const struct values *v = &cli->values;
	const struct xb_add_opts opts = {
		.names = v->args.items,
		.n_names = v->args.len,
		.image = v->image,
		.remove = cli->command == &cmd_remove,
		.allow_rollback = v->allow_rollback,
	};
	struct xb_add_result result = {0};
	if (!opts.n_names) {
		xb_fail(err, XB_E_USAGE, "%s needs the name of a package", cli->command->name);
		return xb_hint(err, "xbuild %s libssl-dev", cli->command->name);
	}
	int code = xb_op_add(&cli->app, &opts, &result, err);
	if (code == 0)
		tell(cli, &opts, &result);
	progress_clear(cli->progress);
	if (code == 0 && result.diff.len && !v->quiet)
		code = cli_print(xb_str_get(&result.diff), err);
	xb_str_release(&result.diff);
	return code;
}
