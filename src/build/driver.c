/* SPDX-License-Identifier: Apache-2.0 */
#include "driver.h"

#include <string.h>

#include "xbuild/build/compile.h"

static const struct xb_driver *const drivers[] = {
	&xb_driver_cmake, &xb_driver_meson, &xb_driver_autotools, &xb_driver_make,
	&xb_driver_cargo, &xb_driver_go,    &xb_driver_command,
};

const struct xb_driver *xb_driver_find(enum xb_driver_kind kind)
{
	for (size_t i = 0; i < XB_COUNT(drivers); i++) {
		if (drivers[i]->kind == kind)
			return drivers[i];
	}
	return NULL;
}

/* Lists live in an arena: what is outgrown stays there. */
static void *grow(struct xb_arena *arena, void *items, size_t len, size_t *cap, size_t size)
{
	void *more;

	if (len < *cap)
		return items;
	*cap = *cap ? 2 * *cap : 4;
	more = xb_arena_array(arena, *cap, size);
	if (len)
		memcpy(more, items, len * size);
	return more;
}

struct xb_step *xb_steps_add(struct xb_steps *steps, struct xb_arena *arena, const char *what)
{
	steps->items = grow(arena, steps->items, steps->len, &steps->cap, sizeof(*steps->items));
	steps->items[steps->len] = (struct xb_step){.what = what};
	return &steps->items[steps->len++];
}

void xb_step_env(struct xb_step *step, struct xb_arena *arena, const char *name, const char *value)
{
	struct xb_cross_var *more = xb_arena_array(arena, step->n_env + 1, sizeof(*more));

	if (step->n_env)
		memcpy(more, step->env, step->n_env * sizeof(*more));
	more[step->n_env++] = (struct xb_cross_var){name, value};
	step->env = more;
}

void xb_drive_files_add(struct xb_drive_files *files, struct xb_arena *arena, const char *name, const char *text)
{
	files->items = grow(arena, files->items, files->len, &files->cap, sizeof(*files->items));
	files->items[files->len++] = (struct xb_drive_file){name, text};
}

bool driver_tracks_c(const char *path)
{
	enum xb_language language;

	return xb_language_of(path, &language);
}

const char *driver_source(const struct xb_drive *drive, struct xb_arena *arena)
{
	const char *below = drive->foreign->source;

	return below ? xb_arena_printf(arena, "%s/%s", drive->source_dir, below) : drive->source_dir;
}

void driver_flags_env(const struct xb_drive *drive, struct xb_step *step, struct xb_arena *arena)
{
	static const char *const optimize[] = {
		[XB_OPTIMIZE_NONE] = "-O0", [XB_OPTIMIZE_SPEED] = "-O2", [XB_OPTIMIZE_SIZE] = "-Os"};
	const char *debug = drive->profile->debug == XB_DEBUG_NONE ? "" : " -g";
	const char *flags = xb_arena_printf(arena, "%s%s", optimize[drive->profile->optimize], debug);

	xb_step_env(step, arena, "CFLAGS", flags);
	xb_step_env(step, arena, "CXXFLAGS", flags);
}
