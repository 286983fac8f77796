/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options and commands as tables. A row says everything about an option once: its spelling, argument, environment variable,
 * help line and where its value goes; parsing and --help are made from it.
 *
 * Parsing: options may stand before or after the command and between its arguments; "--" ends them; "--name=value" and
 *          "--name value", "-xVALUE" and "-x VALUE"; flags may be bundled ("-kn"). No abbreviations of long names.
 * Failure: XB_E_USAGE naming the word, with the closest spelling as a hint.
 */
#ifndef XBUILD_CLI_OPT_H
#define XBUILD_CLI_OPT_H

#include <stdbool.h>
#include <stddef.h>

#include "xbuild/base/err.h"
#include "xbuild/base/vec.h"

enum opt_kind {
	OPT_FLAG,  /* bool: set to true */
	OPT_COUNT, /* int: counted */
	OPT_TEXT,  /* const char *: the last one wins */
	OPT_INT,   /* int: at least 1 */
	OPT_LIST   /* struct words: appended */
};

/* A list of words, borrowed from argv. */
struct words {
	const char **items;
	size_t len, cap;
};

/* Every option's value, of all commands. All-zero is "nothing given". */
struct values {
	const char *bundle, *out_path, *format;
	struct words hosts;
	const char *dir, *file, *mirror, *profile, *color, *progress;
	const char *llvm, *debian, *shell, *sysroot, *stdlib;
	const char *manifest, *jobserver;
	const char *key, *repository, *signatures, *why, *compression, *apko, *from, *image, *ca_file;
	bool quiet, offline, locked, frozen, json, help, version;
	bool keep_going, dry_run, check, update, allow_rollback, verify, recursive, insecure, strict_tags, alone,
		no_evidence, no_project;
	int verbose, jobs;
	struct words targets, wants, outputs, with, prefixes;
	struct words args; /* what is no option */
};

struct opt {
	const char *name; /* without "--" */
	char letter;	  /* 0: none */
	enum opt_kind kind;
	const char *argument;	    /* "DIR"; NULL for flags */
	const char *env;	    /* variable that gives the value when the option does not; NULL: none */
	const char *help;	    /* one line */
	size_t offset;		    /* of the value in struct values */
	const char *const *choices; /* allowed values, ends with NULL; NULL: any */
};

struct cli;

struct command {
	const char *name;
	const char *synopsis;	   /* arguments in usage: "[UNIT...]" */
	const char *summary;	   /* one line for the list of commands */
	const char *details;	   /* paragraphs for --help; may be NULL */
	const struct opt *options; /* its own; ends with name == NULL; may be NULL */
	bool project;		   /* takes the options of opt_project too */
	bool passes_words;	   /* its own rows and --help, up to the first other word; the rest is arguments */
	int max_args;		   /* -1: any number */
	int (*run)(struct cli *cli, struct xb_err *err);
};

extern const struct opt opt_global[];  /* every command */
extern const struct opt opt_project[]; /* commands that work on a project */

void values_release(struct values *values);

/*
 * Parses argv (without the program's name) against opt_global, opt_project and the command's own rows. `commands` ends
 * with NULL. *out_command is NULL when no command was named. Environment variables fill what was not given.
 */
int opt_parse(int argc, char **argv, const struct command *const *commands, struct values *values,
	      const struct command **out_command, struct xb_err *err) XB_MUST_CHECK;

#endif
