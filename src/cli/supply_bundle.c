/* SPDX-License-Identifier: Apache-2.0 */
/* bundle as xbuild-supply does it. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#include "xbuild/app/op_bundle.h"

int cmd_bundle_run(struct cli *cli, struct xb_err *err)
{
	const struct values *v = &cli->values;
	const struct xb_bundle_opts opts = {
		.output = v->out_path,
		.is_layout = v->format && strcmp(v->format, "oci") == 0,
		.hosts = v->hosts.items,
		.n_hosts = v->hosts.len,
		.targets = v->targets.items,
		.n_targets = v->targets.len,
	};
	struct xb_bundle_result result = {0};
	struct xb_str text = {0};
	int code = xb_op_bundle(&cli->app, &opts, &result, err);
	progress_clear(cli->progress);
	if (code == 0 && !v->quiet) {
		xb_str_printf(&text, "%s\n", result.path);
		code = cli_print(xb_str_get(&text), err);
	}
	xb_str_release(&text);
	free(result.path);
	return code;
}
