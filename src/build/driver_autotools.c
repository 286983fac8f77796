/* SPDX-License-Identifier: Apache-2.0 */
/*
 * configure scripts of Autoconf 2.5 and newer, with or without Automake and libtool: "Specifying Target Triplets", "Setting Site
 * Defaults". They build in a copy of the sources: many cannot build elsewhere, and autoreconf writes beside configure.ac.
 */
#include <string.h>

#include "driver.h"
#include "xbuild/base/str.h"

static const char *const programs[] = {"make", NULL};

/*
 * What a configure script asks by running a program, and cannot be told otherwise: answers that hold for every libc that there is
 * a target for. The unit's own `cache:` comes behind them.
 */
static const char *const known_answers[][2] = {
	{"ac_cv_func_malloc_0_nonnull", "yes"},
	{"ac_cv_func_realloc_0_nonnull", "yes"},
	{"ac_cv_func_calloc_0_nonnull", "yes"},
	{"ac_cv_func_mmap_fixed_mapped", "yes"},
	{"ac_cv_func_strtod", "yes"},
	{"ac_cv_func_memcmp_working", "yes"},
	{"ac_cv_func_fork_works", "yes"},
	{"ac_cv_func_vfork_works", "yes"},
	{"ac_cv_func_chown_works", "yes"},
	{"ac_cv_func_lstat_dereferences_slashed_symlink", "yes"},
	{"ac_cv_func_stat_empty_string_bug", "no"},
	{"ac_cv_file__dev_zero", "yes"},
};

/*
 * Answers go by the environment, where the configure scripts of subdirectories find them too: the name of a site file is split
 * at blanks. The site file that this machine may have for the prefix is not read.
 */
static void add_answers(const struct xb_drive *drive, struct xb_step *step, struct xb_arena *arena)
{
	const struct xb_pairs *cache = &drive->foreign->settings.cache;

	xb_step_env(step, arena, "CONFIG_SITE", "/dev/null");
	for (size_t i = 0; i < XB_COUNT(known_answers); i++)
		xb_step_env(step, arena, known_answers[i][0], known_answers[i][1]);
	for (size_t i = 0; i < cache->len; i++)
		xb_step_env(step, arena, cache->names[i], cache->values[i]);
}

/* "--NAME=VALUE", or "--NAME" alone. */
static void add_options(struct xb_argv *argv, const struct xb_pairs *options)
{
	for (size_t i = 0; i < options->len; i++)
		xb_argv_push(argv, xb_arena_printf(argv->arena, "--%s%s%s", options->names[i],
						   *options->values[i] ? "=" : "", options->values[i]));
}

static void add_configure(const struct xb_drive *drive, struct xb_arena *arena, struct xb_steps *out)
{
	const struct xb_foreign_settings *settings = &drive->foreign->settings;
	struct xb_step *step = xb_steps_add(out, arena, "configure");
	struct xb_argv argv = {.arena = arena};

	xb_argv_push(&argv, xb_arena_printf(arena, "%s/configure", drive->source_dir));
	/* not the same word as the host's: also between equal machines, no program of the target is run by itself */
	xb_argv_push(&argv, xb_arena_printf(arena, "--build=%s", drive->build_machine));
	xb_argv_push(&argv, xb_arena_printf(arena, "--host=%s", drive->cross.target->triple));
	xb_argv_push(&argv, "--prefix=/usr");
	xb_argv_push(&argv, "--sysconfdir=/etc");
	xb_argv_push(&argv, "--localstatedir=/var");
	add_options(&argv, &settings->options);
	for (size_t i = 0; i < settings->args.len; i++)
		xb_argv_push(&argv, settings->args.items[i]);
	xb_argv_push(&argv, NULL);
	step->argv = argv.items;
	step->cwd = drive->source_dir;
	step->once = true;
	add_answers(drive, step, arena);
	driver_flags_env(drive, step, arena);
}

static void add_reconf(const struct xb_drive *drive, struct xb_arena *arena, struct xb_steps *out)
{
	struct xb_step *step = xb_steps_add(out, arena, "autoreconf");
	struct xb_argv argv = {.arena = arena};

	xb_argv_push(&argv, "autoreconf");
	xb_argv_push(&argv, "--force");
	xb_argv_push(&argv, "--install");
	xb_argv_push(&argv, NULL);
	step->argv = argv.items;
	step->cwd = drive->source_dir;
	step->once = true;
}

static void add_make(const struct xb_drive *drive, const char *what, struct xb_arena *arena, struct xb_steps *out)
{
	const struct xb_words *args = &drive->foreign->make_args;
	const bool looks = strcmp(what, DRIVER_LOOK) == 0, installs = looks || strcmp(what, "install") == 0;
	struct xb_step *step = xb_steps_add(out, arena, what);
	struct xb_argv argv = {.arena = arena};

	xb_argv_push(&argv, drive->programs[0]);
	if (looks)
		xb_argv_push(&argv, "-n");
	for (size_t i = 0; i < args->len; i++)
		if (!installs || strchr(args->items[i], '='))
			xb_argv_push(&argv, args->items[i]);
	if (installs) {
		xb_argv_push(&argv, "install");
		xb_argv_push(&argv, xb_arena_printf(arena, "DESTDIR=%s", drive->stage_dir));
	}
	xb_argv_push(&argv, NULL);
	step->argv = argv.items;
	step->cwd = drive->source_dir;
	step->pool = XB_POOL_MAKE;
	/* of all that people write, some cannot tell before it is done */
	step->looks = step->may_fail = looks;
}

static int steps(const struct xb_drive *drive, struct xb_arena *arena, struct xb_steps *out, struct xb_err *err)
{
	(void)err;
	if (drive->foreign->autoreconf)
		add_reconf(drive, arena, out);
	add_configure(drive, arena, out);
	add_make(drive, "build", arena, out);
	add_make(drive, DRIVER_LOOK, arena, out);
	add_make(drive, "install", arena, out);
	return 0;
}

static const char *explain(const struct xb_drive *drive, const struct xb_step *step, struct xb_sv output,
			   struct xb_arena *arena)
{
	static const char cannot_run[] = "cannot run test program while cross compiling";
	static const char no_sub[] = "config.sub";
	static const char unknown[] = "not recognized";

	if (strcmp(step->what, "configure") != 0 || !output.len)
		return NULL;
	if (memmem(output.ptr, output.len, cannot_run, strlen(cannot_run)))
		return "it wants to run a program of the target, which no configure script does when it "
		       "cross-compiles: "
		       "give the answer in 'cache: { ac_cv_...: value }', by the name that config.log shows, or leave "
		       "the check out by an option";
	if (memmem(output.ptr, output.len, no_sub, strlen(no_sub)) &&
	    memmem(output.ptr, output.len, unknown, strlen(unknown)))
		return xb_arena_printf(arena, "its config.sub is older than %s: 'autoreconf: true' writes a new one",
				       drive->cross.target->triple);
	return NULL;
}

const struct xb_driver xb_driver_autotools = {
	.kind = XB_DRIVER_AUTOTOOLS,
	.flags = XB_DRIVER_IN_SOURCE | XB_DRIVER_CROSS_ENV | XB_DRIVER_STRIP,
	.programs = programs,
	.steps = steps,
	.explain = explain,
};
