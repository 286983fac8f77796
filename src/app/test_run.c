/* SPDX-License-Identifier: Apache-2.0 */
#include "test_run.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "xbuild/app/op_doctor.h"
#include "xbuild/app/op_drive.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/map.h"
#include "xbuild/base/vec.h"
#include "xbuild/build/command.h"
#include "xbuild/build/loader.h"
#include "xbuild/sys/fs.h"

#define OWN_TIMEOUT_MS (2 * 3600 * 1000)

extern char **environ;

const char *const *xb_app_runner_words(struct xb_app *app, const struct xb_target *target, const char *sysroot)
{
	const char *name = xb_app_runner_name(app, target);
	const char **words = xb_arena_array(&app->arena, 4, sizeof(*words));

	if (!name)
		return NULL;
	if (xb_host_runs(app->host.name, target)) {
		words[0] = xb_loader_find(&app->arena, sysroot, target);
		words[1] = "--library-path";
		words[2] = xb_loader_library_path(&app->arena, sysroot, target, NULL);
	} else {
		char *path XB_CLEANUP(xb_free_ptr) = xb_proc_find(name);

		words[0] = path ? xb_arena_strdup(&app->arena, path) : NULL;
		words[1] = "-L";
		words[2] = sysroot;
	}
	return words[0] ? words : NULL;
}

const char *const *test_argv(struct xb_arena *arena, const struct test_runner *runner, const char *program,
			     bool is_static, const struct xb_words *args)
{
	const char **argv = xb_arena_array(arena, args->len + 8, sizeof(*argv));
	size_t n = 0;

	if (runner->emulator) {
		argv[n++] = runner->emulator;
		argv[n++] = "-L";
		argv[n++] = runner->sysroot;
		if (!is_static) {
			argv[n++] = "-E";
			argv[n++] = xb_arena_printf(arena, "LD_LIBRARY_PATH=%s", runner->library_path);
		}
	} else if (!is_static) {
		argv[n++] = runner->loader;
		argv[n++] = "--library-path";
		argv[n++] = runner->library_path;
	}
	argv[n++] = program;
	for (size_t i = 0; i < args->len; i++)
		argv[n++] = args->items[i];
	return argv;
}

static bool is_set(const struct xb_pairs *env, const char *name)
{
	for (size_t i = 0; i < env->len; i++) {
		if (strcmp(env->names[i], name) == 0)
			return true;
	}
	return false;
}

const char *const *test_env(struct xb_arena *arena, const char *tmpdir, const struct xb_pairs *env)
{
	const char *const fixed[][2] = {{"LC_ALL", "C"}, {"PATH", "/usr/bin:/bin"}, {"TMPDIR", tmpdir}};
	const char **out = xb_arena_array(arena, env->len + XB_COUNT(fixed) + 1, sizeof(*out));
	size_t n = 0;

	for (size_t i = 0; i < XB_COUNT(fixed); i++) {
		if (!is_set(env, fixed[i][0]))
			out[n++] = xb_arena_printf(arena, "%s=%s", fixed[i][0], fixed[i][1]);
	}
	for (size_t i = 0; i < env->len; i++)
		out[n++] = xb_arena_printf(arena, "%s=%s", env->names[i], env->values[i]);
	return out;
}

void test_row_reason(struct xb_arena *arena, struct xb_test_row *row, enum xb_verdict verdict, const char *fmt, ...)
{
	char *text XB_CLEANUP(xb_free_ptr) = NULL;
	va_list args;

	va_start(args, fmt);
	text = xb_vprintf(fmt, args);
	va_end(args);
	row->verdict = verdict;
	row->problems = xb_arena_array(arena, 1, sizeof(*row->problems));
	row->problems[0] = xb_arena_strdup(arena, text);
	row->n_problems = 1;
}

void test_judge(struct xb_arena *arena, const struct xb_test *test, const struct xb_proc_result *result,
		struct xb_test_row *row)
{
	char words[128];

	row->elapsed_ms = result->elapsed_ms;
	row->verdict = XB_VERDICT_PASSED;
	if (result->timed_out)
		test_row_reason(arena, row, XB_VERDICT_FAILED,
				"expected its end within %" PRId64 " s, found it still running",
				(test->timeout_ms + 999) / 1000);
	else if (result->exit_code != test->expect_exit)
		test_row_reason(arena, row, XB_VERDICT_FAILED, "expected exit status %d, found %s", test->expect_exit,
				xb_proc_describe(result, words, sizeof(words)));
	if (row->verdict == XB_VERDICT_FAILED)
		row->output = xb_arena_strdup(arena, xb_str_get(&result->output));
}

struct xb_unit *test_word_unit(const struct xb_project *project, const char *word)
{
	static const char prefix[] = "build:";

	if (strncmp(word, prefix, strlen(prefix)) != 0)
		return NULL;
	return xb_project_unit(project, xb_sv(word + strlen(prefix)));
}

/* They are compiled first: the time is that of a build. */
const struct xb_test *test_own(struct xb_arena *arena, const struct xb_unit *unit)
{
	struct xb_test *test = xb_arena_alloc(arena, sizeof(*test));

	*test = (struct xb_test){.name = unit->name, .timeout_ms = OWN_TIMEOUT_MS};
	return test;
}

int test_own_start(struct xb_app *app, const struct xb_unit *unit, const struct xb_target *target, const char *profile,
		   struct xb_procs *procs, void *user, struct xb_err *err)
{
	const char *const own[] = {"--target", target->name, "--profile", profile, unit->name};
	struct xb_argv argv = {.arena = &app->arena};
	struct xb_proc_spec spec = {.env = (const char *const *)(void *)environ,
				    .cwd = app->project->dir,
				    .ends_group = true,
				    .timeout_ms = OWN_TIMEOUT_MS};
	const char *const *words;

	if (xb_drive_words(app, false, &words, err) < 0)
		return err->code;
	for (; *words; words++)
		xb_argv_push(&argv, *words);
	for (size_t i = 0; i < XB_COUNT(own); i++)
		xb_argv_push(&argv, own[i]);
	xb_argv_push(&argv, NULL);
	spec.argv = argv.items;
	return xb_procs_start(procs, &spec, user, err);
}

static void add_unit(struct xb_map *map, struct xb_unit *unit)
{
	if (!xb_map_has(map, xb_sv(unit->name)))
		xb_map_put_str(map, unit->name, unit);
}

void test_close_units(struct xb_arena *arena, const struct xb_project *project, const char *const *names, size_t n,
		      const char *const **out, size_t *out_n)
{
	struct xb_map map XB_CLEANUP(xb_map_release) = {0};
	const char **list;

	/* A name that is no unit stays: the build refuses it with its own words. */
	for (size_t i = 0; i < n; i++)
		xb_map_put_str(&map, names[i], xb_project_unit(project, xb_sv(names[i])));
	for (size_t i = 0; i < project->n_tests; i++) {
		const struct xb_test *test = &project->tests[i];

		for (size_t k = 0; xb_map_has(&map, xb_sv(test->unit->name)) && k < test->args.len; k++) {
			struct xb_unit *unit = test_word_unit(project, test->args.items[k]);

			if (unit)
				add_unit(&map, unit);
		}
	}
	/* The map grows while it is walked, so deps of deps are reached. */
	for (size_t i = 0; i < map.len; i++) {
		const struct xb_unit *unit = map.entries[i].value;

		for (size_t k = 0; unit && k < unit->n_deps; k++)
			add_unit(&map, unit->deps[k]);
	}
	list = xb_arena_array(arena, map.len + 1, sizeof(*list));
	for (size_t i = 0; i < map.len; i++)
		list[i] = xb_arena_strdup(arena, map.entries[i].key);
	*out = list;
	*out_n = map.len;
}
