/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>

#include "build_options.h"

#include "xbuild/model/lockfile.h"

static const struct opt options[] = {OPTION_JSON, OPTION_END};

static int run(struct cli *cli, struct xb_err *err)
{
	if (cli->values.json) {
		json_t *document = json_object();
		json_object_set_new(document, "version", json_string(XBUILD_VERSION));
		json_object_set_new(document, "commit", json_string(XBUILD_COMMIT));
		json_object_set_new(document, "lock_format", json_integer(XB_LOCK_FORMAT));
		json_object_set_new(document, "host", json_string(cli->app.host.name));
		return cli_print_json(document, err);
	}
	struct xb_str out = {0};
	xb_str_printf(&out, "%s %s%s%s%s\n", cli_program, XBUILD_VERSION, *XBUILD_COMMIT ? " (" : "", XBUILD_COMMIT,
		      *XBUILD_COMMIT ? ")" : "");
	if (cli->values.verbose)
		xb_str_printf(&out, "host: %s\nlock format: %d\n", cli->app.host.name, XB_LOCK_FORMAT);
	int code = cli_print(xb_str_get(&out), err);
	xb_str_release(&out);
	return code;
}

const struct command cmd_version = {
	.name = "version",
	.synopsis = NULL,
	.summary = "the version; with -v also host and lock format",
	.details = NULL,
	.options = options,
	.project = false,
	.max_args = 0,
	.run = run,
};
