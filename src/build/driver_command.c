/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of the project file, each an argv; no shell. They find the compilers in CC and the like. */
#include "driver.h"

static const char *const no_programs[] = {NULL};

static void add(const struct xb_drive *drive, const char *what, const struct xb_words *words, struct xb_arena *arena,
		struct xb_steps *out)
{
	struct xb_argv argv = {.arena = arena};
	struct xb_step *step;

	if (!words->len)
		return;
	for (size_t i = 0; i < words->len; i++)
		xb_argv_push(&argv, words->items[i]);
	xb_argv_push(&argv, NULL);
	step = xb_steps_add(out, arena, what);
	step->argv = argv.items;
	step->cwd = drive->source_dir;
	step->pool = XB_POOL_MAKE;
	xb_step_env(step, arena, "DESTDIR", drive->stage_dir);
	xb_step_env(step, arena, "PREFIX", "/usr");
}

static int steps(const struct xb_drive *drive, struct xb_arena *arena, struct xb_steps *out, struct xb_err *err)
{
	const struct xb_foreign *f = drive->foreign;

	(void)err;
	add(drive, "configure", &f->configure, arena, out);
	add(drive, "build", &f->build, arena, out);
	add(drive, "install", &f->install, arena, out);
	for (size_t i = 0; i < f->run.len; i++)
		add(drive, "run", &f->run.items[i], arena, out);
	return 0;
}

const struct xb_driver xb_driver_command = {
	.kind = XB_DRIVER_COMMAND,
	.flags = XB_DRIVER_IN_SOURCE | XB_DRIVER_CROSS_ENV,
	.programs = no_programs,
	.steps = steps,
};
