/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli.h"
#include "usage.h"

static int run(struct cli *cli, struct xb_err *err)
{
	struct xb_str out = {0};
	const char *topic = cli->values.args.len ? cli->values.args.items[0] : NULL;
	const struct command *const *c = cli_commands;
	while (topic && *c && strcmp((*c)->name, topic) != 0)
		c++;
	if (topic && !*c) {
		xb_fail(err, XB_E_USAGE, "there is no command '%s'", topic);
		return xb_hint(err, "'xbuild --help' lists the commands");
	}
	if (topic)
		usage_command(*c, &out);
	else
		usage_program(cli_commands, &out);
	int code = cli_print_help(xb_str_get(&out), err);
	xb_str_release(&out);
	return code;
}

const struct command cmd_help = {
	.name = "help",
	.synopsis = "[COMMAND]",
	.summary = "this list, or the help of a command",
	.details = NULL,
	.options = NULL,
	.project = false,
	.max_args = 1,
	.run = run,
};
