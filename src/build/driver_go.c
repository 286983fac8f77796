/* SPDX-License-Identifier: Apache-2.0 */
/* Go, with or without cgo: cmd/go "Environment variables", cmd/cgo; go.dev/ref/mod "Vendoring". */
#include <string.h>

#include "driver.h"
#include "xbuild/base/path.h"
#include "xbuild/base/str.h"

static const char *const programs[] = {"go", NULL};

static bool uses_cgo(const struct xb_drive *drive)
{
	const struct xb_pairs *env = &drive->foreign->settings.env;
	bool uses = true;

	for (size_t i = 0; i < env->len; i++)
		if (strcmp(env->names[i], "CGO_ENABLED") == 0)
			uses = strcmp(env->values[i], "0") != 0;
	return uses;
}

/*
 * What the linker of Go is told. Its own id of the build names inputs by their place; the GNU one is made of the content. By
 * itself it binds functions of the C library, which net and os/user call, at their first call; ours does not.
 */
static const char *link_flags(const struct xb_drive *drive, struct xb_arena *arena)
{
	const struct xb_words *own = &drive->foreign->ldflags;
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	xb_str_printf(&text, "-ldflags=-buildid=%s%s", uses_cgo(drive) ? " -linkmode=external" : "",
		      drive->profile->strip ? " -s -w" : "");
	for (size_t i = 0; i < own->len; i++)
		xb_str_printf(&text, " %s", own->items[i]);
	return xb_arena_strdup(arena, xb_str_get(&text));
}

static const char *joined_tags(const struct xb_words *tags, struct xb_arena *arena)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	for (size_t i = 0; i < tags->len; i++)
		xb_str_printf(&text, "%s%s", i ? "," : "-tags=", tags->items[i]);
	return text.len ? xb_arena_strdup(arena, xb_str_get(&text)) : NULL;
}

static void set_env(const struct xb_drive *drive, struct xb_step *step, struct xb_arena *arena)
{
	static const char *const fixed[][2] = {
		{"GOFLAGS", "-buildvcs=false"}, {"GOPROXY", "off"}, {"GOSUMDB", "off"},
		{"GOTOOLCHAIN", "local"},	{"GOENV", "off"},   {"GOWORK", "off"},
		{"GO111MODULE", "on"},
	};
	static const char *const places[][2] = {{"GOCACHE", "go-cache"}, {"GOPATH", "go-path"}};

	for (size_t i = 0; i < XB_COUNT(fixed); i++)
		xb_step_env(step, arena, fixed[i][0], fixed[i][1]);
	for (size_t i = 0; i < XB_COUNT(places); i++)
		xb_step_env(step, arena, places[i][0], xb_arena_printf(arena, "%s/%s", drive->build_dir, places[i][1]));
}

/* One step: go build puts the programs where they are installed. */
static int steps(const struct xb_drive *drive, struct xb_arena *arena, struct xb_steps *out, struct xb_err *err)
{
	const struct xb_foreign *f = drive->foreign;
	struct xb_step *step = xb_steps_add(out, arena, "build");
	struct xb_argv argv = {.arena = arena};
	const char *tags = joined_tags(&f->tags, arena);

	(void)err;
	xb_argv_push(&argv, drive->programs[0]);
	xb_argv_push(&argv, "build");
	xb_argv_push(&argv, "-trimpath");
	xb_argv_push(&argv, "-buildmode=pie"); /* the unit's own words come later */
	if (tags)
		xb_argv_push(&argv, tags);
	xb_argv_push(&argv, link_flags(drive, arena));
	for (size_t i = 0; i < f->settings.args.len; i++)
		xb_argv_push(&argv, f->settings.args.items[i]);
	xb_argv_push(&argv, "-o");
	xb_argv_push(&argv, xb_arena_printf(arena, "%s/usr/bin/", drive->stage_dir));
	for (size_t i = 0; i < f->packages.len; i++)
		xb_argv_push(&argv, f->packages.items[i]);
	if (!f->packages.len)
		xb_argv_push(&argv, "./...");
	xb_argv_push(&argv, NULL);
	step->argv = argv.items;
	step->cwd = drive->source_dir;
	set_env(drive, step, arena);
	return 0;
}

static const char *explain(const struct xb_drive *drive, const struct xb_step *step, struct xb_sv output,
			   struct xb_arena *arena)
{
	static const char no_proxy[] = "module lookup disabled by GOPROXY=off";
	static const char not_vendored[] = "cannot find module providing package";

	(void)drive;
	(void)step;
	(void)arena;
	if (output.len && (memmem(output.ptr, output.len, no_proxy, strlen(no_proxy)) ||
			   memmem(output.ptr, output.len, not_vendored, strlen(not_vendored))))
		return "a build fetches nothing: run 'go mod vendor' and keep its directory 'vendor' with the project";
	return NULL;
}

/* Not headers: those of C that lie beside the package's directory it does not see. */
static bool tracks(const char *path)
{
	return xb_sv_eq_str(xb_path_ext(xb_sv(path)), ".go");
}

const struct xb_driver xb_driver_go = {
	.kind = XB_DRIVER_GO,
	/* -trimpath knows the directory of temporary files by a name that it has not if that is below the module's */
	.flags = XB_DRIVER_CROSS_ENV | XB_DRIVER_IN_SOURCE,
	.programs = programs,
	.tracks = tracks,
	.steps = steps,
	.explain = explain,
};
