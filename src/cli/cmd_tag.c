/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include "xbuild/app/op_image.h"
#include "xbuild/base/str.h"

static int run(struct cli *cli, struct xb_err *err)
{
	const char **tags = NULL;
	size_t n = 0;
	if (xb_op_tag(&cli->app, cli->values.args.len ? cli->values.args.items[0] : NULL, &tags, &n, err) < 0)
		return err->code;
	struct xb_str out = {0};
	for (size_t i = 0; i < n; i++)
		xb_str_printf(&out, "%s\n", tags[i]);
	progress_clear(cli->progress);
	int code = cli_print(xb_str_get(&out), err);
	xb_str_release(&out);
	return code;
}

const struct command cmd_tag = {
	.name = "tag",
	.synopsis = "[IMAGE]",
	.summary = "print the tags of an image, as the project's templates make them",
	.details = "Without templates: <branch>-<YYYYMMDDhhmmss of the commit, UTC>-<sha7>, which sorts as text. A "
		   "changed work\n"
		   "tree adds -dirty. docs/images.md has the policy for Flux.",
	.options = NULL,
	.project = true,
	.max_args = 1,
	.run = run,
};
