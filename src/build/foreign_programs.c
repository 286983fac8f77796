/* SPDX-License-Identifier: Apache-2.0 */
/* Programs of this machine that a unit of another build system runs, as far as that is known before it runs. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/build/foreign.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/proc.h"

#define MAX_SCRIPT_LINE 255 /* execve(2), from Linux 5.1 on; others have more */

/* The first of "ninja|make" that is there. */
static const char *find_one(const char *names, struct xb_arena *arena)
{
	struct xb_sv rest = xb_sv(names);

	while (rest.ptr) {
		char *name XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_sv_cut(&rest, '|'));
		char *path XB_CLEANUP(xb_free_ptr) = xb_proc_find(name);

		if (path)
			return xb_arena_strdup(arena, path);
	}
	return NULL;
}

int xb_foreign_programs(const struct xb_unit *unit, const struct xb_driver *driver, struct xb_arena *arena,
			const char *const **out, struct xb_err *err)
{
	const char **paths;
	size_t n = 0;

	while (driver->programs[n])
		n++;
	paths = xb_arena_array(arena, n + 1, sizeof(*paths));
	for (size_t i = 0; i < n; i++) {
		const int first = (int)strcspn(driver->programs[i], "|");

		paths[i] = find_one(driver->programs[i], arena);
		if (paths[i])
			continue;
		xb_fail(err, XB_E_NOT_FOUND, "unit '%s' is built by '%s', and there is no '%.*s' in PATH", unit->name,
			xb_driver_key(unit->driver), first, driver->programs[i]);
		return xb_hint(err, "install it (Debian: apt install %.*s%s)", first, driver->programs[i],
			       strncmp(driver->programs[i], "ninja", 5) == 0 ? "-build" : "");
	}
	*out = paths;
	return 0;
}

static void add_program(const char *path, struct xb_arena *arena, struct xb_dirs *out);

/* As a step finds it: by PATH, or by an absolute name. Others are of the unit's own directory, or of xbuild's. */
static void add_named(const char *name, struct xb_arena *arena, struct xb_dirs *out)
{
	char *path XB_CLEANUP(xb_free_ptr) = !strchr(name, '/') || *name == '/' ? xb_proc_find(name) : NULL;

	if (path)
		add_program(xb_arena_strdup(arena, path), arena, out);
}

/* The program of "#! /usr/bin/python3", and of "#!/usr/bin/env python3". */
static void add_interpreter(const char *path, struct xb_arena *arena, struct xb_dirs *out)
{
	int fd XB_CLEANUP(xb_fs_close) = open(path, O_RDONLY | O_CLOEXEC);
	char line[MAX_SCRIPT_LINE + 1];
	const ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof(line));
	struct xb_sv rest = xb_sv_n(line, n > 2 ? (size_t)n : 0), word;

	if (!xb_sv_starts(rest, "#!"))
		return;
	rest = xb_sv_cut(&rest, '\n');
	rest = xb_sv_trim(xb_sv_n(rest.ptr + 2, rest.len - 2));
	word = xb_sv_cut(&rest, ' ');
	if (!word.len || word.ptr[0] != '/')
		return;
	add_named(xb_arena_sv(arena, word), arena, out);
	if (!xb_sv_ends(word, "/env"))
		return;
	do
		word = xb_sv_cut(&rest, ' ');
	while (rest.ptr && (!word.len || word.ptr[0] == '-'));
	if (word.len)
		add_named(xb_arena_sv(arena, word), arena, out);
}

static void add_program(const char *path, struct xb_arena *arena, struct xb_dirs *out)
{
	const size_t before = out->len;

	xb_dirs_add_new(out, arena, path);
	if (out->len > before)
		add_interpreter(path, arena, out);
}

/* meson is a few lines of Python: its version stands in a module, in the directory of Debian's or of pip's. */
static void add_meson(const char *launcher, struct xb_arena *arena, struct xb_dirs *out)
{
	static const char *const places[] = {"dist-packages", "site-packages"};
	struct xb_err none XB_CLEANUP(xb_err_release) = {0};
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};
	char *real XB_CLEANUP(xb_free_ptr) = NULL;
	const char *lib;

	if (xb_fs_realpath(launcher, &real, &none) < 0)
		return;
	lib = xb_arena_printf(arena, "%.*s/lib", XB_SV_ARG(xb_path_dir(xb_path_dir(xb_sv(real)))));
	if (!xb_fs_is_dir(lib) || xb_fs_list(lib, &list, &none) < 0)
		return;
	for (size_t i = 0; i < list.len; i++) {
		for (size_t k = 0; k < XB_COUNT(places) && xb_sv_starts(xb_sv(list.items[i].name), "python3"); k++) {
			const char *path = xb_arena_printf(arena, "%s/%s/%s/mesonbuild/coredata.py", lib,
							   list.items[i].name, places[k]);

			if (xb_fs_exists(path))
				xb_dirs_add_new(out, arena, path);
		}
	}
}

static void add_first_word(const struct xb_words *argv, const char *triple, struct xb_arena *arena, struct xb_dirs *out)
{
	const size_t n = strlen(triple);

	/* those of the target are ours */
	if (argv->len && (strncmp(argv->items[0], triple, n) != 0 || argv->items[0][n] != '-'))
		add_named(argv->items[0], arena, out);
}

void xb_foreign_tools(const struct xb_unit *unit, const struct xb_foreign *resolved, const char *const *programs,
		      const struct xb_target *target, struct xb_arena *arena, struct xb_dirs *out)
{
	static const char *const reconf[] = {"autoreconf", "autoconf",	 "autoheader", "automake",
					     "aclocal",	   "libtoolize", "m4"};

	for (; *programs; programs++) {
		add_program(*programs, arena, out);
		if (strcmp(xb_output_file_name(*programs), "meson") == 0)
			add_meson(*programs, arena, out);
	}
	for (size_t i = 0; resolved->autoreconf && i < XB_COUNT(reconf); i++)
		add_named(reconf[i], arena, out);
	if (unit->driver != XB_DRIVER_COMMAND)
		return;
	add_first_word(&resolved->configure, target->triple, arena, out);
	add_first_word(&resolved->build, target->triple, arena, out);
	add_first_word(&resolved->install, target->triple, arena, out);
	for (size_t i = 0; i < resolved->run.len; i++)
		add_first_word(&resolved->run.items[i], target->triple, arena, out);
}
