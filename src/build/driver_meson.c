/* SPDX-License-Identifier: Apache-2.0 */
/* Meson 0.56 and newer: meson setup, ninja, meson install; "Cross compilation", "Built-in options". */
#include <string.h>

#include "driver.h"
#include "xbuild/base/str.h"

static const char *const programs[] = {"meson", "ninja|ninja-build", NULL};
enum { MESON, NINJA };

static void prepare(const struct xb_drive *drive, struct xb_arena *arena, struct xb_drive_files *out)
{
	struct xb_str cross XB_CLEANUP(xb_str_release) = {0}, cmake XB_CLEANUP(xb_str_release) = {0};

	xb_cross_meson(&drive->cross, &cross);
	xb_drive_files_add(out, arena, "cross.ini", xb_arena_sv(arena, xb_str_sv(&cross)));
	/* dependency(method: 'cmake'), which the cross file points to */
	xb_cross_cmake(&drive->cross, &cmake);
	xb_drive_files_add(out, arena, "toolchain.cmake", xb_arena_sv(arena, xb_str_sv(&cmake)));
}

static const char *build_type(const struct xb_profile *profile)
{
	if (profile->optimize == XB_OPTIMIZE_NONE)
		return "debug";
	if (profile->optimize == XB_OPTIMIZE_SIZE)
		return "minsize";
	return profile->debug == XB_DEBUG_NONE ? "release" : "debugoptimized";
}

/* A directory of its own: beside our files, Meson would find a build directory that it does not know. */
static const char *meson_dir(const struct xb_drive *drive, struct xb_arena *arena)
{
	return xb_arena_printf(arena, "%s/meson", drive->build_dir);
}

static void add_configure(const struct xb_drive *drive, struct xb_arena *arena, struct xb_steps *out)
{
	const struct xb_foreign_settings *settings = &drive->foreign->settings;
	struct xb_step *step = xb_steps_add(out, arena, "configure");
	struct xb_argv argv = {.arena = arena};

	xb_argv_push(&argv, drive->programs[MESON]);
	xb_argv_push(&argv, "setup");
	xb_argv_push(&argv, meson_dir(drive, arena));
	xb_argv_push(&argv, driver_source(drive, arena));
	xb_argv_push(&argv, "--cross-file");
	xb_argv_push(&argv, xb_arena_printf(arena, "%s/cross.ini", drive->build_dir));
	xb_argv_push(&argv, "--wrap-mode=nodownload"); /* all sources are in the project */
	xb_argv_push(&argv, "--prefix=/usr");
	xb_argv_push(&argv, "--libdir=lib");
	xb_argv_push(&argv, xb_arena_printf(arena, "--buildtype=%s", build_type(drive->profile)));
	if (drive->profile->strip)
		xb_argv_push(&argv, "--strip");
	for (size_t i = 0; i < settings->options.len; i++)
		xb_argv_push(&argv, xb_arena_printf(arena, "-D%s=%s", settings->options.names[i],
						    settings->options.values[i]));
	for (size_t i = 0; i < settings->args.len; i++)
		xb_argv_push(&argv, settings->args.items[i]);
	xb_argv_push(&argv, NULL);
	step->argv = argv.items;
	step->once = true;
}

static void add_rest(const struct xb_drive *drive, struct xb_arena *arena, struct xb_steps *out)
{
	struct xb_argv build = {.arena = arena}, install = {.arena = arena};
	struct xb_step *step = xb_steps_add(out, arena, "build");

	xb_argv_push(&build, drive->programs[NINJA]);
	xb_argv_push(&build, "-C");
	xb_argv_push(&build, meson_dir(drive, arena));
	xb_argv_push(&build, NULL);
	step->argv = build.items;
	step->pool = XB_POOL_NINJA;

	step = xb_steps_add(out, arena, "install");
	xb_argv_push(&install, drive->programs[MESON]);
	xb_argv_push(&install, "install");
	xb_argv_push(&install, "-C");
	xb_argv_push(&install, meson_dir(drive, arena));
	xb_argv_push(&install, "--no-rebuild");
	xb_argv_push(&install, NULL);
	step->argv = install.items;
	xb_step_env(step, arena, "DESTDIR", drive->stage_dir);
}

static int steps(const struct xb_drive *drive, struct xb_arena *arena, struct xb_steps *out, struct xb_err *err)
{
	(void)err;
	add_configure(drive, arena, out);
	add_rest(drive, arena, out);
	return 0;
}

static const char *explain(const struct xb_drive *drive, const struct xb_step *step, struct xb_sv output,
			   struct xb_arena *arena)
{
	static const char no_run[] = "Can not run test applications in this cross environment";
	static const char not_found[] = " not found, tried ";

	if (strcmp(step->what, "configure") != 0 || !output.len)
		return NULL;
	if (!drive->cross.emulator && memmem(output.ptr, output.len, no_run, strlen(no_run)))
		return xb_arena_printf(
			arena,
			"it wants to run programs of %s, and this machine has nothing that runs them: "
			"install qemu-user, or give the option of the project that answers without a run",
			drive->cross.target->name);
	if (memmem(output.ptr, output.len, not_found, strlen(not_found)))
		return "dependencies are looked for in the sysroot and in the units under 'deps': add the Debian "
		       "package that has it to sysroot.packages";
	return NULL;
}

static bool runs_own(const char *build_dir)
{
	return driver_ninja_runs_own(build_dir, "meson/build.ninja");
}

const struct xb_driver xb_driver_meson = {
	.kind = XB_DRIVER_MESON,
	.programs = programs,
	.tracks = driver_tracks_c,
	.runs_own = runs_own,
	.commands = "meson/compile_commands.json",
	.prepare = prepare,
	.steps = steps,
	.explain = explain,
};
