/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drive.h"
#include "xbuild/base/path.h"
#include "xbuild/base/str.h"
#include "xbuild/sys/fs.h"

static const char *const fixed[][2] = {
	{"LANG", "C.UTF-8"},
	{"LC_ALL", "C.UTF-8"},
	{"TZ", "UTC"},
	{"TERM", "dumb"},
	{"SOURCE_DATE_EPOCH", "1"},
	/* all sources are in the project: whoever would fetch some is told not to */
	{"CARGO_NET_OFFLINE", "true"},
	{"GOFLAGS", "-mod=vendor"},
	{"GOPROXY", "off"},
	{"PIP_NO_INDEX", "1"},
	/* a generator in Python leaves nothing beside its modules */
	{"PYTHONDONTWRITEBYTECODE", "1"},
	{"GIT_ALLOW_PROTOCOL", "file"},
	/* the history is no input: git finds none, not even that of the directory it is started in; nor can it begin one */
	{"GIT_DIR", "/dev/null"},
};

/* A later value of a name takes the place of an earlier one. */
static void set(struct run *r, struct xb_argv *env, const char *name, const char *value)
{
	const char *text = xb_arena_printf(&r->arena, "%s=%s", name, value);
	const size_t n = strlen(name) + 1;

	for (size_t i = 0; i < env->len; i++) {
		if (strncmp(env->items[i], text, n) == 0) {
			env->items[i] = text;
			return;
		}
	}
	xb_argv_push(env, text);
}

static void set_all(struct run *r, struct xb_argv *env, const struct xb_cross_var *vars, size_t n)
{
	for (size_t i = 0; i < n; i++)
		set(r, env, vars[i].name, vars[i].value);
}

static void set_cross(struct run *r, struct xb_argv *env)
{
	struct xb_cross_vars vars = {0};

	xb_cross_env(&r->drive.cross, &r->arena, &vars);
	for (size_t i = 0; i < vars.len; i++) {
		/* pkg-config is looked for by everybody, whatever else they are told */
		if ((r->driver->flags & XB_DRIVER_CROSS_ENV) || xb_sv_starts(xb_sv(vars.items[i].name), "PKG_CONFIG"))
			set(r, env, vars.items[i].name, xb_cross_short(&r->drive.cross, vars.items[i].value));
	}
}

const char *const *drive_env(struct run *r, const struct xb_step *step, const char *makeflags)
{
	const struct xb_pairs *own = &r->foreign.settings.env;
	struct xb_argv env = {.arena = &r->arena};

	set(r, &env, "PATH", r->path);
	set(r, &env, "HOME", xb_arena_printf(&r->arena, "%s/home", r->root));
	set(r, &env, "TMPDIR", xb_arena_printf(&r->arena, "%s/tmp", r->root));
	for (size_t i = 0; i < XB_COUNT(fixed); i++)
		set(r, &env, fixed[i][0], fixed[i][1]);
	/* where the emulator of our own programs finds their loader */
	if (r->spec->setup->tools->emulator && getenv("QEMU_LD_PREFIX"))
		set(r, &env, "QEMU_LD_PREFIX", getenv("QEMU_LD_PREFIX"));
	set_cross(r, &env);
	if (makeflags)
		set(r, &env, "MAKEFLAGS", makeflags);
	set_all(r, &env, step->env, step->n_env);
	for (size_t i = 0; i < own->len; i++)
		set(r, &env, own->names[i], own->values[i]);
	xb_argv_push(&env, NULL);
	return env.items;
}

const char *drive_find(struct run *r, const struct xb_step *step)
{
	struct xb_sv rest = xb_sv(r->path);
	const char *name = step->argv[0];

	if (strchr(name, '/')) {
		const char *cwd = step->cwd ? step->cwd : r->drive.build_dir;
		const char *path = *name == '/' ? name : xb_arena_printf(&r->arena, "%s/%s", cwd, name);

		return xb_fs_exists(path) ? path : NULL;
	}
	while (rest.ptr) {
		const struct xb_sv dir = xb_sv_cut(&rest, ':');
		const char *path = xb_arena_printf(&r->arena, "%.*s/%s", XB_SV_ARG(dir), name);

		if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0 && !xb_fs_is_dir(path))
			return path;
	}
	return NULL;
}
