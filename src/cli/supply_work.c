/* SPDX-License-Identifier: Apache-2.0 */
/* lock and fetch as xbuild-supply does them. */
#include "cli.h"

#include "xbuild/app/op_fetch.h"
#include "xbuild/app/op_lock.h"

static int supply_here(struct xb_app *app, const struct xb_want *wants, size_t n_wants, struct xb_err *err)
{
	struct xb_fetch_summary summary = {0};
	return xb_op_fetch(app, wants, n_wants, &summary, err);
}

static int lock_here(struct xb_app *app, struct xb_err *err)
{
	struct xb_lock_opts opts = {0};
	struct xb_lock_result result = {0};
	int code = xb_op_lock(app, &opts, &result, err);
	xb_str_release(&result.diff);
	return code;
}

void supply_connect(struct cli *cli)
{
	cli->app.supply = supply_here;
	cli->app.make_lock = lock_here;
}

int cmd_lock_run(struct cli *cli, struct xb_err *err)
{
	const struct values *v = &cli->values;
	if (v->args.len && !v->update)
		return xb_fail(err, XB_E_USAGE, "lock takes package names only with --update");
	if (v->check && v->update)
		return xb_fail(err, XB_E_USAGE, "--check and --update exclude each other");
	struct xb_lock_opts opts = {
		.check = v->check,
		.update = v->update,
		.names = v->args.items,
		.n_names = v->args.len,
		.allow_rollback = v->allow_rollback,
	};
	struct xb_lock_result result = {0};
	int code = xb_op_lock(&cli->app, &opts, &result, err);
	progress_clear(cli->progress);
	/* what a first lock brings is the file itself */
	if (code == 0 && result.diff.len && !result.is_new && !v->quiet)
		code = cli_print(xb_str_get(&result.diff), err);
	xb_str_release(&result.diff);
	return code;
}

int cmd_fetch_run(struct cli *cli, struct xb_err *err)
{
	size_t n = cli->values.wants.len;
	struct xb_want *wants = xb_arena_array(&cli->app.arena, n, sizeof(*wants));
	for (size_t i = 0; i < n; i++)
		if (xb_want_parse(cli->values.wants.items[i], &cli->app.arena, &wants[i], err) < 0)
			return err->code;
	struct xb_fetch_summary summary = {0};
	if (cli->values.verify)
		return xb_op_fetch_verify(&cli->app, wants, n, &summary, err);
	return xb_op_fetch(&cli->app, wants, n, &summary, err);
}
