/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Symbols of what was installed go where the profile says so, for build systems that have no word for it which all projects know
 * (install-strip is Automake's): programs and shared libraries; no objects, no archives, which are linked with.
 */
#include <string.h>

#include "drive.h"
#include "xbuild/base/path.h"
#include "xbuild/model/elf.h"

#define MAX_FILES 200 /* of one command */
#define ET_EXEC	  2
#define ET_DYN	  3

static bool has_symbols_to_go(const char *path)
{
	struct xb_err unreadable XB_CLEANUP(xb_err_release) = {0};
	struct xb_elf *elf = NULL;
	bool linked;

	/* an odd one is told by drive_check */
	if (xb_elf_read(path, path, 0, &elf, &unreadable) <= 0)
		return false;
	linked = elf->type == ET_EXEC || elf->type == ET_DYN;
	xb_elf_free(elf);
	return linked;
}

static int strip(struct run *r, struct xb_argv *files, struct xb_err *err)
{
	struct xb_argv argv = {.arena = &r->arena};
	struct xb_step step = {.what = "strip"};

	if (!files->len)
		return 0;
	xb_argv_push(&argv, xb_cross_tool(&r->drive.cross, "strip", &r->arena));
	for (size_t i = 0; i < files->len; i++)
		xb_argv_push(&argv, files->items[i]);
	xb_argv_push(&argv, NULL);
	step.argv = argv.items;
	files->len = 0;
	return drive_run_step(r, &step, err);
}

int drive_strip(struct run *r, struct xb_err *err)
{
	struct xb_argv files = {.arena = &r->arena};
	struct xb_stage stage = {0};

	if (!(r->driver->flags & XB_DRIVER_STRIP) || !r->drive.profile->strip)
		return 0;
	if (xb_stage_list(r->drive.stage_dir, &r->arena, &stage, err) < 0)
		return err->code;
	for (size_t i = 0; i < stage.len; i++) {
		const struct xb_stage_entry *e = &stage.items[i];
		const char *path = xb_arena_printf(&r->arena, "%s/%s", r->drive.stage_dir, e->path);

		if (e->type == XB_STAGE_FILE && has_symbols_to_go(path))
			xb_argv_push(&files, path);
		if (files.len == MAX_FILES && strip(r, &files, err) < 0)
			return err->code;
	}
	return strip(r, &files, err);
}
