/* SPDX-License-Identifier: Apache-2.0 */
/* A name on the command line that the project does not have: the hint says which ones it has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xbuild/app/app.h"
#include "xbuild/app/op_build.h"
#include "xbuild/app/op_image.h"
#include "xbuild/sys/git.h"

static struct xb_profile profiles[] = {{.name = "dev"}, {.name = "release"}};
static struct xb_unit server = {.name = "server"}, client = {.name = "client"};
static struct xb_unit *units[] = {&server, &client};
static struct xb_project project = {
	.file = "xbuild.yaml", .profiles = profiles, .n_profiles = 2, .units = units, .n_units = 2};

static void assert_hint(const char *unit, const char *profile, const char *hint)
{
	const struct xb_build_opts opts = {.units = &unit, .n_units = unit != NULL, .profile = profile};
	struct xb_app app = {.project = &project};
	struct xb_build_result result = {0};
	struct xb_err err = {0};

	assert_int_equal(xb_op_build(&app, &opts, &result, &err), XB_E_USAGE);
	assert_string_equal(err.hint, hint);
	xb_err_release(&err);
	xb_arena_release(&app.arena);
}

static void hints_name_what_there_is(void **state)
{
	struct xb_app app = {.project = &project};
	struct xb_err err = {0};
	const char **tags;
	size_t n;

	(void)state;
	assert_hint("nope", NULL, "it has: server, client");
	assert_hint("sever", NULL, "did you mean 'server'?");
	assert_hint(NULL, "nope", "it has: dev, release");
	assert_int_equal(xb_op_tag(&app, "nope", &tags, &n, &err), XB_E_USAGE);
	assert_string_equal(err.hint, "'image:' in xbuild.yaml names the images");
	xb_err_release(&err);
	if (app.git)
		xb_git_release(app.git);
	free(app.git);
	xb_arena_release(&app.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(hints_name_what_there_is)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
