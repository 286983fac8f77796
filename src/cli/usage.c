/* SPDX-License-Identifier: Apache-2.0 */
#include "usage.h"

#include <string.h>

#include "table.h"

#include "xbuild/base/alloc.h"
#include "xbuild/base/sv.h"

#define MIN_ROOM 30 /* columns that are worth to stand beside another */
#define INDENT	 4

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

static size_t first_column(struct xb_sv line)
{
	size_t n = 0;

	while (n < line.len && line.ptr[n] == ' ')
		n++;
	return n;
}

/* Where the second column of an indented line begins: behind the first two blanks after its begin. 0: there is none. */
static size_t second_column(struct xb_sv line)
{
	const size_t first = first_column(line);

	for (size_t i = first; first && i + 1 < line.len; i++)
		if (line.ptr[i] == ' ' && line.ptr[i + 1] == ' ')
			return i + first_column(xb_sv_n(line.ptr + i, line.len - i));
	return 0;
}

/* A part of a line, behind what stands before it: further lines begin with `indent` blanks. */
static void fit_part(struct xb_sv part, size_t indent, size_t width, struct xb_str *out)
{
	char *text XB_CLEANUP(xb_free_ptr) = xb_sv_dup(part);

	table_wrap(text, indent, width > indent ? width - indent : 1, out);
}

static void fit_line(struct xb_sv line, size_t width, struct xb_str *out)
{
	const size_t first = first_column(line), deeper = first + INDENT;
	size_t column = second_column(line), end = column;

	if (line.len <= width || first >= width / 2) {
		xb_str_printf(out, "%.*s\n", XB_SV_ARG(line));
		return;
	}
	if (column && column + MIN_ROOM <= width) {
		xb_str_append_n(out, line.ptr, column);
		fit_part(xb_sv_n(line.ptr + column, line.len - column), column, width, out);
		return;
	}
	xb_str_append_n(out, line.ptr, first);
	if (column) { /* the second column goes below the first */
		while (line.ptr[end - 1] == ' ')
			end--;
		fit_part(xb_sv_n(line.ptr + first, end - first), deeper + INDENT, width, out);
		xb_str_printf(out, "%*s", (int)deeper, "");
		fit_part(xb_sv_n(line.ptr + column, line.len - column), deeper, width, out);
	} else {
		fit_part(xb_sv_n(line.ptr + first, line.len - first), first ? deeper : 0, width, out);
	}
}

void usage_fit(const char *text, size_t width, struct xb_str *out)
{
	struct xb_sv rest = xb_sv(text);

	if (!width)
		xb_str_append(out, text);
	while (width && rest.len)
		fit_line(xb_sv_cut(&rest, '\n'), width, out);
}
