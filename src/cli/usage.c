/* SPDX-License-Identifier: Apache-2.0 */
#include "usage.h"

#include <string.h>

static void option_lines(const struct opt *options, struct xb_str *out)
{
	for (const struct opt *o = options; o && o->name; o++) {
		struct xb_str left = {0};
		if (o->letter)
			xb_str_printf(&left, "-%c, ", o->letter);
		else
			xb_str_append(&left, "    ");
		xb_str_printf(&left, "--%s", o->name);
		if (o->argument)
			xb_str_printf(&left, " %s", o->argument);
		xb_str_printf(out, "  %-22s %s", xb_str_get(&left), o->help);
		if (o->env)
			xb_str_printf(out, " [%s]", o->env);
		xb_str_append(out, "\n");
		xb_str_release(&left);
	}
}

void usage_program(const struct command *const *commands, struct xb_str *out)
{
	xb_str_append(out, "xbuild: C and C++ for several machines at once, and the multi-arch OCI image of it\n\n"
			   "Usage: xbuild COMMAND [OPTION...] [ARGUMENT...]\n\nCommands:\n");
	for (const struct command *const *c = commands; *c; c++)
		if ((*c)->summary)
			xb_str_printf(out, "  %-10s %s\n", (*c)->name, (*c)->summary);
	xb_str_append(out, "\nOptions of every command:\n");
	option_lines(opt_global, out);
	xb_str_append(out, "\nOptions of commands that work on a project:\n");
	option_lines(opt_project, out);
	xb_str_append(out, "\n'xbuild COMMAND --help' tells more. Start with 'xbuild init'.\n"
			   "\nExit status: 0 done; 1 a build or test failed; 2 usage or project file; 3 lock;\n"
			   "4 network or disk; 5 verification failed; 70 a bug in xbuild; 130, 143 interrupted.\n");
}

void usage_command(const struct command *command, struct xb_str *out)
{
	if (command->summary)
		xb_str_printf(out, "%s\n\n", command->summary);
	xb_str_printf(out, "Usage: xbuild %s [OPTION...]%s%s\n", command->name, command->synopsis ? " " : "",
		      command->synopsis ? command->synopsis : "");
	if (command->details)
		xb_str_printf(out, "\n%s\n", command->details);
	if (command->options && command->options->name) {
		xb_str_append(out, "\nOptions:\n");
		option_lines(command->options, out);
	}
	if (command->project) {
		xb_str_append(out, "\nProject:\n");
		option_lines(opt_project, out);
	}
	if (command->passes_words) { /* letters are the tool's */
		xb_str_append(out, "      --help             show this help\n");
		return;
	}
	xb_str_append(out, "\nGeneral:\n");
	option_lines(opt_global, out);
}
