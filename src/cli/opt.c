/* SPDX-License-Identifier: Apache-2.0 */
#include "opt.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xbuild/base/num.h"
#include "xbuild/base/sv.h"

static const char *const color_choices[] = {"auto", "always", "never", NULL};
static const char *const progress_choices[] = {"auto", "tty", "plain", NULL};

#define AT(member) offsetof(struct values, member)

const struct opt opt_global[] = {
	{"help", 'h', OPT_FLAG, NULL, NULL, "show this help", AT(help), NULL},
	{"version", 'V', OPT_FLAG, NULL, NULL, "show the version", AT(version), NULL},
	{"quiet", 'q', OPT_FLAG, NULL, NULL, "only errors", AT(quiet), NULL},
	{"verbose", 'v', OPT_COUNT, NULL, NULL, "show each job", AT(verbose), NULL},
	{"color", 0, OPT_TEXT, "WHEN", NULL, "auto, always or never (NO_COLOR is honoured)", AT(color), color_choices},
	{"progress", 0, OPT_TEXT, "HOW", "XBUILD_PROGRESS", "auto, tty or plain", AT(progress), progress_choices},
	{NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, NULL},
};

const struct opt opt_project[] = {
	{"dir", 'C', OPT_TEXT, "DIR", NULL, "work in DIR", AT(dir), NULL},
	{"file", 'f', OPT_TEXT, "FILE", NULL, "project file instead of the xbuild.yaml found by walking up", AT(file),
	 NULL},
	{"jobs", 'j', OPT_INT, "N", "XBUILD_JOBS", "jobs at once (default: the number of cpus)", AT(jobs), NULL},
	{"mirror", 0, OPT_TEXT, "URL", "XBUILD_DEBIAN_MIRROR", "Debian mirror to use first", AT(mirror), NULL},
	{"bundle", 0, OPT_TEXT, "FILE", "XBUILD_BUNDLE", "take what is missing from what 'xbuild bundle' made; offline",
	 AT(bundle), NULL},
	{"locked", 0, OPT_FLAG, NULL, "XBUILD_LOCKED", "fail if the lock is missing or stale (implied by CI)",
	 AT(locked), NULL},
	{"offline", 0, OPT_FLAG, NULL, "XBUILD_OFFLINE", "never touch the network", AT(offline), NULL},
	{"frozen", 0, OPT_FLAG, NULL, NULL, "--locked and --offline", AT(frozen), NULL},
	{NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, NULL},
};

void values_release(struct values *values)
{
	XB_VEC_RELEASE(&values->targets);
	XB_VEC_RELEASE(&values->hosts);
	XB_VEC_RELEASE(&values->wants);
	XB_VEC_RELEASE(&values->outputs);
	XB_VEC_RELEASE(&values->with);
	XB_VEC_RELEASE(&values->prefixes);
	XB_VEC_RELEASE(&values->args);
}

/* The tables that hold for a command (NULL: none named yet, so all that may come before it). */
struct tables {
	const struct opt *list[3];
};

static struct tables tables_of(const struct command *command)
{
	struct tables t = {{opt_global, NULL, NULL}};
	if (!command || command->project)
		t.list[1] = opt_project;
	if (command)
		t.list[2] = command->options;
	return t;
}

static const struct opt *find(const struct command *command, struct xb_sv name, char letter)
{
	struct tables t = tables_of(command);
	for (size_t i = 0; i < XB_COUNT(t.list); i++)
		for (const struct opt *o = t.list[i]; o && o->name; o++)
			if (letter ? o->letter == letter : xb_sv_eq_str(name, o->name))
				return o;
	return NULL;
}

static int unknown_option(const struct command *command, const char *word, struct xb_sv name, struct xb_err *err)
{
	const char *names[64];
	size_t n = 0;
	struct tables t = tables_of(command);
	for (size_t i = 0; i < XB_COUNT(t.list); i++)
		for (const struct opt *o = t.list[i]; o && o->name && n + 1 < XB_COUNT(names); o++)
			names[n++] = o->name;
	names[n] = NULL;
	xb_fail(err, XB_E_USAGE, "unknown option '%s'%s%s", word, command ? " of " : "", command ? command->name : "");
	const char *near = xb_sv_suggest(name, names);
	if (near)
		return xb_hint(err, "did you mean '--%s'?", near);
	return xb_hint(err, "'xbuild %s%s--help' lists the options", command ? command->name : "", command ? " " : "");
}

static int set_value(const struct opt *o, const char *spelling, const char *text, struct values *values,
		     struct xb_err *err)
{
	void *at = (char *)values + o->offset;
	if (o->choices) {
		const char *const *c = o->choices;
		while (*c && strcmp(*c, text) != 0)
			c++;
		if (!*c)
			return xb_fail(err, XB_E_USAGE, "%s cannot be '%s': expected %s", spelling, text, o->help);
	}
	switch (o->kind) {
	case OPT_FLAG:
		*(bool *)at = true;
		break;
	case OPT_COUNT:
		(*(int *)at)++;
		break;
	case OPT_TEXT:
		*(const char **)at = text;
		break;
	case OPT_INT: {
		uint64_t n = 0;
		if (!xb_num_u64(xb_sv(text), 4096, &n) || n < 1)
			return xb_fail(err, XB_E_USAGE, "%s needs a whole number from 1 to 4096, not '%s'", spelling,
				       text);
		*(int *)at = (int)n;
		break;
	}
	case OPT_LIST: {
		struct words *words = at;
		XB_VEC_PUSH(words, text);
		break;
	}
	}
	return 0;
}

static bool takes_value(const struct opt *o)
{
	return o->kind == OPT_TEXT || o->kind == OPT_INT || o->kind == OPT_LIST;
}

/* What the parser stands on: argv and the position of the next word. */
struct cursor {
	int argc, next;
	char **argv;
};

static int parse_long(struct cursor *c, const char *word, const struct command *command, struct values *values,
		      struct xb_err *err)
{
	struct xb_sv rest = xb_sv(word + 2);
	struct xb_sv name = xb_sv_cut(&rest, '=');
	const struct opt *o = find(command, name, 0);
	if (!o)
		return unknown_option(command, word, name, err);
	const char *value = rest.ptr;
	if (!takes_value(o) && value)
		return xb_fail(err, XB_E_USAGE, "--%s takes no value", o->name);
	if (takes_value(o) && !value) {
		if (c->next >= c->argc)
			return xb_fail(err, XB_E_USAGE, "--%s needs a value: --%s %s", o->name, o->name, o->argument);
		value = c->argv[c->next++];
	}
	char spelling[64];
	snprintf(spelling, sizeof(spelling), "--%s", o->name);
	return set_value(o, spelling, value, values, err);
}

static int parse_short(struct cursor *c, const char *word, const struct command *command, struct values *values,
		       struct xb_err *err)
{
	for (const char *p = word + 1; *p; p++) {
		char spelling[3] = {'-', *p, 0};
		const struct opt *o = find(command, xb_sv(""), *p);
		if (!o)
			return unknown_option(command, spelling, xb_sv(""), err);
		if (!takes_value(o)) {
			if (set_value(o, spelling, NULL, values, err) < 0)
				return err->code;
			continue;
		}
		const char *value = p + 1;
		if (!*value) {
			if (c->next >= c->argc)
				return xb_fail(err, XB_E_USAGE, "%s needs a value: %s %s", spelling, spelling,
					       o->argument);
			value = c->argv[c->next++];
		}
		return set_value(o, spelling, value, values, err);
	}
	return 0;
}

/* What has no command of its own under the name that other toolchains give it. */
static const struct {
	const char *name, *hint;
} compiler_names[] = {
	{"gcc", "did you mean 'xbuild cc'?"},
	{"clang", "did you mean 'xbuild cc'?"},
	{"g++", "did you mean 'xbuild c++'?"},
	{"clang++", "did you mean 'xbuild c++'?"},
	{"cpp", "'xbuild cc -E' writes what the preprocessor makes"},
	{"as", "'xbuild cc -c FILE.s' assembles"},
	{"lld", "did you mean 'xbuild ld'?"},
	{"objdump", "'xbuild env' puts <triple>-objdump into PATH where the toolchain has one"},
	{"readelf", "'xbuild env' puts <triple>-readelf into PATH"},
	{"size", "'xbuild env' puts <triple>-size into PATH where the toolchain has one"},
	{"strings", "'xbuild env' puts <triple>-strings into PATH where the toolchain has one"},
};

static int find_command(const char *word, const struct command *const *commands, const struct command **out,
			struct xb_err *err)
{
	const char *names[32];
	size_t n = 0;
	for (const struct command *const *c = commands; *c; c++) {
		if (strcmp((*c)->name, word) == 0) {
			*out = *c;
			return 0;
		}
		if (n + 1 < XB_COUNT(names))
			names[n++] = (*c)->name;
	}
	names[n] = NULL;
	xb_fail(err, XB_E_USAGE, "unknown command '%s'", word);
	for (size_t i = 0; i < XB_COUNT(compiler_names); i++)
		if (strcmp(compiler_names[i].name, word) == 0)
			return xb_hint(err, "%s", compiler_names[i].hint);
	const char *near = xb_sv_suggest(xb_sv(word), names);
	return near ? xb_hint(err, "did you mean 'xbuild %s'?", near)
		    : xb_hint(err, "'xbuild --help' lists the commands");
}

/* True when the row's value was not given on the command line. */
static bool is_unset(const struct opt *o, const struct values *values)
{
	const void *at = (const char *)values + o->offset;
	switch (o->kind) {
	case OPT_FLAG:
		return !*(const bool *)at;
	case OPT_COUNT:
	case OPT_INT:
		return *(const int *)at == 0;
	case OPT_TEXT:
		return *(const char *const *)at == NULL;
	case OPT_LIST:
		return ((const struct words *)at)->len == 0;
	}
	return false;
}

static int fill_from_environment(const struct command *command, struct values *values, struct xb_err *err)
{
	struct tables t = tables_of(command);
	for (size_t i = 0; i < XB_COUNT(t.list); i++) {
		for (const struct opt *o = t.list[i]; o && o->name; o++) {
			const char *text = o->env ? getenv(o->env) : NULL;
			if (!text || !*text || !is_unset(o, values))
				continue;
			if (o->kind == OPT_FLAG && strcmp(text, "0") == 0)
				continue;
			if (set_value(o, o->env, text, values, err) < 0)
				return err->code;
		}
	}
	return 0;
}

/* Of a command that passes words on: is this one for xbuild itself? */
static bool is_own(const struct command *command, const char *word)
{
	struct xb_sv rest = xb_sv(word + 2);
	struct xb_sv name = xb_sv_cut(&rest, '=');
	if (strncmp(word, "--", 2) != 0)
		return false;
	for (const struct opt *o = command->options; o && o->name; o++)
		if (xb_sv_eq_str(name, o->name))
			return true;
	return strcmp(word, "--help") == 0 || strcmp(word, "--") == 0;
}

int opt_parse(int argc, char **argv, const struct command *const *commands, struct values *values,
	      const struct command **out_command, struct xb_err *err)
{
	struct cursor c = {argc, 0, argv};
	const struct command *command = NULL;
	bool only_arguments = false;
	while (c.next < c.argc) {
		const char *word = c.argv[c.next++];
		int result = 0;
		if (command && command->passes_words && !only_arguments && !is_own(command, word))
			only_arguments = true;
		if (!only_arguments && strcmp(word, "--") == 0)
			only_arguments = true;
		else if (!only_arguments && strncmp(word, "--", 2) == 0)
			result = parse_long(&c, word, command, values, err);
		else if (!only_arguments && word[0] == '-' && word[1])
			result = parse_short(&c, word, command, values, err);
		else if (!command)
			result = find_command(word, commands, &command, err);
		else
			XB_VEC_PUSH(&values->args, word);
		if (result < 0)
			return result;
	}
	if (command && command->max_args >= 0 && values->args.len > (size_t)command->max_args && !values->help)
		return xb_fail(err, XB_E_USAGE, "%s does not take the argument '%s'", command->name,
			       values->args.items[command->max_args]);
	*out_command = command;
	return fill_from_environment(command, values, err);
}
