/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CMake 3.16 and newer: cmake(1), cmake-toolchains(7). The tools behind it are started directly, not by `cmake --build`: on
 * macOS that closes the descriptors of a jobserver.
 */
#include <string.h>

#include "driver.h"
#include "xbuild/base/str.h"

static const char *const programs[] = {"cmake", "ninja|ninja-build|make", NULL};
enum { CMAKE, BUILDER };

static bool uses_ninja(const struct xb_drive *drive)
{
	const char *slash = strrchr(drive->programs[BUILDER], '/');

	return strncmp(slash ? slash + 1 : drive->programs[BUILDER], "ninja", strlen("ninja")) == 0;
}

static void prepare(const struct xb_drive *drive, struct xb_arena *arena, struct xb_drive_files *out)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	xb_cross_cmake(&drive->cross, &text);
	xb_drive_files_add(out, arena, "toolchain.cmake", xb_arena_sv(arena, xb_str_sv(&text)));
}

static const char *build_type(const struct xb_drive *drive)
{
	const struct xb_profile *p = drive->profile;

	if (drive->foreign->build_type)
		return drive->foreign->build_type;
	if (p->optimize == XB_OPTIMIZE_NONE)
		return "Debug";
	if (p->optimize == XB_OPTIMIZE_SIZE)
		return "MinSizeRel";
	return p->debug == XB_DEBUG_NONE ? "Release" : "RelWithDebInfo";
}

static void define(struct xb_argv *argv, const char *name, const char *value)
{
	xb_argv_push(argv, xb_arena_printf(argv->arena, "-D%s=%s", name, value));
}

static void define_all(struct xb_argv *argv, const struct xb_pairs *pairs)
{
	for (size_t i = 0; i < pairs->len; i++)
		define(argv, pairs->names[i], pairs->values[i]);
}

static void add_configure(const struct xb_drive *drive, struct xb_arena *arena, struct xb_steps *out)
{
	const struct xb_foreign *f = drive->foreign;
	struct xb_step *step = xb_steps_add(out, arena, "configure");
	struct xb_argv argv = {.arena = arena};

	xb_argv_push(&argv, drive->programs[CMAKE]);
	if (f->preset)
		xb_argv_push(&argv, xb_arena_printf(arena, "--preset=%s", f->preset));
	xb_argv_push(&argv, "-S");
	xb_argv_push(&argv, driver_source(drive, arena));
	xb_argv_push(&argv, "-B");
	xb_argv_push(&argv, drive->build_dir);
	xb_argv_push(&argv, "-G");
	xb_argv_push(&argv, uses_ninja(drive) ? "Ninja" : "Unix Makefiles");
	define(&argv, "CMAKE_MAKE_PROGRAM", drive->programs[BUILDER]);
	define(&argv, "CMAKE_TOOLCHAIN_FILE", drive->cross.cmake_file);
	define(&argv, "CMAKE_BUILD_TYPE", build_type(drive));
	define(&argv, "CMAKE_INSTALL_PREFIX", "/usr");
	define(&argv, "CMAKE_EXPORT_COMPILE_COMMANDS", "ON");
	xb_argv_push(&argv, "--no-warn-unused-cli");
	/* neither the user's registries nor a download: all sources are in the project */
	define(&argv, "CMAKE_FIND_USE_PACKAGE_REGISTRY", "OFF");
	define(&argv, "CMAKE_EXPORT_NO_PACKAGE_REGISTRY", "ON");
	define(&argv, "FETCHCONTENT_FULLY_DISCONNECTED", "ON");
	define_all(&argv, &f->settings.options);
	define_all(&argv, &f->settings.cache);
	for (size_t i = 0; i < f->settings.args.len; i++)
		xb_argv_push(&argv, f->settings.args.items[i]);
	xb_argv_push(&argv, NULL);
	step->argv = argv.items;
	step->cwd = driver_source(drive, arena); /* where presets are looked for */
	step->once = true;
}

static void add_build(const struct xb_drive *drive, struct xb_arena *arena, struct xb_steps *out)
{
	const struct xb_words *targets = &drive->foreign->targets;
	struct xb_step *step = xb_steps_add(out, arena, "build");
	struct xb_argv argv = {.arena = arena};

	xb_argv_push(&argv, drive->programs[BUILDER]);
	for (size_t i = 0; i < targets->len; i++)
		xb_argv_push(&argv, targets->items[i]);
	xb_argv_push(&argv, NULL);
	step->argv = argv.items;
	step->pool = uses_ninja(drive) ? XB_POOL_NINJA : XB_POOL_MAKE;
}

static int steps(const struct xb_drive *drive, struct xb_arena *arena, struct xb_steps *out, struct xb_err *err)
{
	struct xb_argv argv = {.arena = arena};
	struct xb_step *step;

	(void)err;
	add_configure(drive, arena, out);
	add_build(drive, arena, out);
	step = xb_steps_add(out, arena, "install");
	xb_argv_push(&argv, drive->programs[CMAKE]);
	xb_argv_push(&argv, "--install");
	xb_argv_push(&argv, drive->build_dir);
	if (drive->profile->strip)
		xb_argv_push(&argv, "--strip");
	xb_argv_push(&argv, NULL);
	step->argv = argv.items;
	xb_step_env(step, arena, "DESTDIR", drive->stage_dir);
	return 0;
}

static bool has(struct xb_sv text, const char *words)
{
	return memmem(text.ptr, text.len, words, strlen(words)) != NULL;
}

/*
 * NAME where "-- Performing Test NAME" is the last that CMake said; NULL otherwise. Without an emulator CMake 3.25 crashes in
 * check_c_source_runs() instead of saying what it wants.
 */
static const char *unfinished_test(struct xb_sv output, struct xb_arena *arena)
{
	static const char said[] = "-- Performing Test ";
	const char *end = output.ptr + output.len, *line;

	while (end > output.ptr && end[-1] == '\n')
		end--;
	line = end;
	while (line > output.ptr && line[-1] != '\n')
		line--;
	if ((size_t)(end - line) <= strlen(said) || strncmp(line, said, strlen(said)) != 0)
		return NULL;
	line += strlen(said);
	return memchr(line, ' ', (size_t)(end - line)) ? NULL : xb_arena_sv(arena, xb_sv_n(line, (size_t)(end - line)));
}

static const char *explain(const struct xb_drive *drive, const struct xb_step *step, struct xb_sv output,
			   struct xb_arena *arena)
{
	const char *test = NULL;

	if (strcmp(step->what, "configure") != 0 || !output.len)
		return NULL;
	if (!drive->cross.emulator)
		test = unfinished_test(output, arena);
	if (test)
		return xb_arena_printf(arena,
				       "it wants to run a program of %s, and this machine has nothing that runs one: "
				       "install qemu-user, or give the answer in 'cache: { %s: 1 }' (0 for no)",
				       drive->cross.target->name, test);
	if (!drive->cross.emulator && (has(output, "try_run() invoked in cross-compiling mode") ||
				       has(output, "TryRunResults.cmake") || has(output, "__TRYRUN_OUTPUT")))
		return xb_arena_printf(
			arena,
			"it wants to run programs of %s, and this machine has nothing that runs them: "
			"install qemu-user, or give the answers in 'cache: { NAME: value }', by the names that "
			"CMake lists above",
			drive->cross.target->name);
	if (has(output, "Could NOT find") || has(output, "Could not find a package configuration file"))
		return "packages are looked for in the sysroot and in the units under 'deps': add the Debian package "
		       "that "
		       "has it to sysroot.packages";
	return NULL;
}

static bool runs_own(const char *build_dir)
{
	return driver_ninja_runs_own(build_dir, "build.ninja");
}

const struct xb_driver xb_driver_cmake = {
	.kind = XB_DRIVER_CMAKE,
	.programs = programs,
	.tracks = driver_tracks_c,
	.runs_own = runs_own,
	.commands = "compile_commands.json",
	.prepare = prepare,
	.steps = steps,
	.explain = explain,
};
