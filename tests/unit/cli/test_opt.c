/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "opt.h"
#include "usage.h"

static const struct opt build_rows[] = {
	{"target", 't', OPT_LIST, "NAME", NULL, "a target", offsetof(struct values, targets), NULL},
	{"keep-going", 'k', OPT_FLAG, NULL, NULL, "go on", offsetof(struct values, keep_going), NULL},
	{"dry-run", 'n', OPT_FLAG, NULL, NULL, "plan", offsetof(struct values, dry_run), NULL},
	{NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, NULL},
};
static const struct command build = {
	.name = "build", .summary = "build", .options = build_rows, .project = true, .max_args = -1};
static const struct command doctor = {.name = "doctor", .summary = "look", .max_args = 0};
static const struct command *const commands[] = {&build, &doctor, NULL};

struct parsed {
	struct values values;
	const struct command *command;
	struct xb_err err;
	int code;
};

/* Parses up to eight words; NULL ends them. */
static void parse(struct parsed *p, const char *const *words)
{
	char *argv[16] = {NULL};
	int argc = 0;
	memset(p, 0, sizeof(*p));
	while (words[argc]) {
		argv[argc] = (char *)(uintptr_t)words[argc];
		argc++;
	}
	p->code = opt_parse(argc, argv, commands, &p->values, &p->command, &p->err);
}

static void release(struct parsed *p)
{
	values_release(&p->values);
	xb_err_release(&p->err);
}

#define PARSE(p, ...) parse(p, (const char *const[]){__VA_ARGS__, NULL})

static void options_stand_anywhere(void **state)
{
	struct parsed p;
	(void)state;
	PARSE(&p, "-C", "dir", "build", "one", "--target=a", "-t", "b", "two", "-kn", "-j3");
	assert_int_equal(p.code, 0);
	assert_ptr_equal(p.command, &build);
	assert_string_equal(p.values.dir, "dir");
	assert_int_equal(p.values.jobs, 3);
	assert_true(p.values.keep_going && p.values.dry_run);
	assert_int_equal(p.values.targets.len, 2);
	assert_string_equal(p.values.targets.items[0], "a");
	assert_string_equal(p.values.targets.items[1], "b");
	assert_int_equal(p.values.args.len, 2);
	assert_string_equal(p.values.args.items[1], "two");
	release(&p);
}

static void two_dashes_end_options(void **state)
{
	struct parsed p;
	(void)state;
	PARSE(&p, "build", "--", "--target", "-k");
	assert_int_equal(p.code, 0);
	assert_int_equal(p.values.args.len, 2);
	assert_string_equal(p.values.args.items[0], "--target");
	assert_false(p.values.keep_going);
	release(&p);
}

static void refused(const char *const *words, const char *message, const char *hint)
{
	struct parsed p;
	parse(&p, words);
	assert_int_equal(p.code, XB_E_USAGE);
	assert_non_null(strstr(p.err.msg, message));
	if (hint)
		assert_non_null(strstr(p.err.hint, hint));
	release(&p);
}

#define REFUSED(message, hint, ...) refused((const char *const[]){__VA_ARGS__, NULL}, message, hint)

static void mistakes_are_told(void **state)
{
	(void)state;
	REFUSED("unknown command 'biuld'", "xbuild build", "biuld");
	REFUSED("unknown option '--taget'", "--target", "build", "--taget", "x");
	REFUSED("unknown option '-z' of build", NULL, "build", "-z");
	REFUSED("--target needs a value", NULL, "build", "--target");
	REFUSED("--keep-going takes no value", NULL, "build", "--keep-going=yes");
	REFUSED("whole number", NULL, "build", "-j", "0");
	REFUSED("whole number", NULL, "build", "-j", "4x");
	REFUSED("whole number", NULL, "build", "-j", "-1");
	REFUSED("expected auto, always or never", NULL, "build", "--color", "red");
	REFUSED("doctor does not take the argument 'x'", NULL, "doctor", "x");
	REFUSED("unknown option '--locked' of doctor", NULL, "doctor", "--locked");
	REFUSED("unknown option '--targe'", NULL, "build", "--targe", "x"); /* no abbreviations */
}

static void environment_fills_what_was_not_given(void **state)
{
	struct parsed p;
	(void)state;
	setenv("XBUILD_JOBS", "7", 1);
	setenv("XBUILD_OFFLINE", "1", 1);
	setenv("XBUILD_LOCKED", "0", 1);
	PARSE(&p, "build");
	assert_int_equal(p.values.jobs, 7);
	assert_true(p.values.offline);
	assert_false(p.values.locked);
	release(&p);
	PARSE(&p, "build", "-j", "2");
	assert_int_equal(p.values.jobs, 2);
	release(&p);
	setenv("XBUILD_JOBS", "lots", 1);
	REFUSED("XBUILD_JOBS needs a whole number", NULL, "build");
	unsetenv("XBUILD_JOBS");
	unsetenv("XBUILD_OFFLINE");
	unsetenv("XBUILD_LOCKED");
}

static void help_is_made_from_the_rows(void **state)
{
	struct xb_str out = {0};
	(void)state;
	usage_command(&build, &out);
	assert_non_null(strstr(xb_str_get(&out), "Usage: xbuild build [OPTION...]\n"));
	assert_non_null(strstr(xb_str_get(&out), "  -t, --target NAME      a target\n"));
	assert_non_null(strstr(xb_str_get(&out), "[XBUILD_JOBS]"));
	xb_str_reset(&out);
	usage_command(&doctor, &out);
	assert_null(strstr(xb_str_get(&out), "--jobs"));
	xb_str_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_stand_anywhere),     cmocka_unit_test(two_dashes_end_options),
		cmocka_unit_test(mistakes_are_told),	      cmocka_unit_test(environment_fills_what_was_not_given),
		cmocka_unit_test(help_is_made_from_the_rows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
