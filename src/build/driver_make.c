/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makefiles that people wrote: GNU make, "Overriding Variables", "Makefile Conventions". Compilers are given as words, because a
 * Makefile that says `CC = gcc` goes before the environment; flags in the environment, because a word would end every `+=`.
 */
#include <string.h>

#include "driver.h"

static const char *const programs[] = {"make", NULL};

/* No LD: where a Makefile says `LD = $(CC)`, ours would be another kind of program. */
static void add_tools(const struct xb_drive *drive, struct xb_argv *argv)
{
	static const char *const tools[][2] = {
		{"CC", "clang"}, {"CXX", "clang++"}, {"AR", "ar"},	     {"RANLIB", "ranlib"},
		{"NM", "nm"},	 {"STRIP", "strip"}, {"OBJCOPY", "objcopy"}, {"PKG_CONFIG", "pkg-config"},
	};

	const char *const triple = drive->cross.target->triple;

	for (size_t i = 0; i < XB_COUNT(tools); i++)
		xb_argv_push(argv, xb_arena_printf(argv->arena, "%s=%s-%s", tools[i][0], triple, tools[i][1]));
	xb_argv_push(argv, xb_arena_printf(argv->arena, "CROSS_COMPILE=%s-", triple));
	xb_argv_push(argv, "PREFIX=/usr");
	xb_argv_push(argv, "prefix=/usr");
}

/* The unit's words: what sets a variable holds for installing too, goals are those of the build. */
static void add_args(const struct xb_words *args, bool variables_only, struct xb_argv *argv)
{
	for (size_t i = 0; i < args->len; i++)
		if (!variables_only || strchr(args->items[i], '='))
			xb_argv_push(argv, args->items[i]);
}

static struct xb_step *add_step(const struct xb_drive *drive, const char *what, struct xb_argv *argv,
				struct xb_steps *out)
{
	struct xb_step *step = xb_steps_add(out, argv->arena, what);

	xb_argv_push(argv, NULL);
	step->argv = argv->items;
	step->cwd = drive->source_dir;
	step->pool = XB_POOL_MAKE;
	driver_flags_env(drive, step, argv->arena);
	return step;
}

/* try: tells the commands and runs none. */
static void install_words(const struct xb_drive *drive, bool try, struct xb_argv *argv)
{
	const struct xb_words *goals = &drive->foreign->install;

	xb_argv_push(argv, drive->programs[0]);
	if (try)
		xb_argv_push(argv, "-n");
	add_tools(drive, argv);
	add_args(&drive->foreign->settings.args, true, argv);
	xb_argv_push(argv, xb_arena_printf(argv->arena, "DESTDIR=%s", drive->stage_dir));
	for (size_t i = 0; i < goals->len; i++)
		xb_argv_push(argv, goals->items[i]);
	if (!goals->len)
		xb_argv_push(argv, "install");
}

static int steps(const struct xb_drive *drive, struct xb_arena *arena, struct xb_steps *out, struct xb_err *err)
{
	struct xb_argv build = {.arena = arena}, look = {.arena = arena}, install = {.arena = arena};
	struct xb_step *step;

	(void)err;
	xb_argv_push(&build, drive->programs[0]);
	add_tools(drive, &build);
	add_args(&drive->foreign->settings.args, false, &build);
	add_step(drive, "build", &build, out);
	/* a Makefile that knows no DESTDIR would install to this machine's /usr, and root's build could */
	install_words(drive, true, &look);
	step = add_step(drive, DRIVER_LOOK, &look, out);
	step->must_print = drive->stage_dir;
	step->looks = true;
	install_words(drive, false, &install);
	add_step(drive, "install", &install, out);
	return 0;
}

static const char *explain(const struct xb_drive *drive, const struct xb_step *step, struct xb_sv output,
			   struct xb_arena *arena)
{
	static const char no_rule[] = "No rule to make target 'install'";

	(void)drive;
	(void)arena;
	if (strcmp(step->what, DRIVER_LOOK) != 0)
		return NULL;
	if (output.len && memmem(output.ptr, output.len, no_rule, strlen(no_rule)))
		return "name the goals that install with 'install: GOAL', or build it by 'command', whose steps are "
		       "yours";
	return "it would install to this machine: does it know DESTDIR? If it has another word for the place, say it "
	       "with "
	       "'args: [\"PREFIX=${dir.stage}/usr\"]'";
}

const struct xb_driver xb_driver_make = {
	.kind = XB_DRIVER_MAKE,
	.flags = XB_DRIVER_IN_SOURCE | XB_DRIVER_CROSS_ENV | XB_DRIVER_STRIP,
	.programs = programs,
	.steps = steps,
	.explain = explain,
};
