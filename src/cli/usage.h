/* SPDX-License-Identifier: Apache-2.0 */
/* Help texts, made from the tables of opt.h. */
#ifndef XBUILD_CLI_USAGE_H
#define XBUILD_CLI_USAGE_H

#include "opt.h"

#include "xbuild/base/str.h"

/* The overview: every command with its summary, the options of all commands. */
void usage_program(const struct command *const *commands, struct xb_str *out);
/* One command: synopsis, details, its options with defaults and environment variables. */
void usage_command(const struct command *command, struct xb_str *out);

/* Appends a text in lines of at most `width` columns where its words allow that; 0: as it is. Columns stay columns. */
void usage_fit(const char *text, size_t width, struct xb_str *out);

#endif
