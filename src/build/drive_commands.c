/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compile commands that another build system wrote (CMAKE_EXPORT_COMPILE_COMMANDS; Meson and its ninja), kept for build/compdb
 * in words that editors understand: a wrapper's name becomes clang with the target and the sysroot, and a source of the
 * copy that was built is the file in the project.
 */
#include <string.h>

#include "drive.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/json.h"

/* "'/tools/bin/clang' '--target=...' ..." */
static const char *clang_words(struct run *r, bool is_cxx)
{
	const struct xb_setup *setup = r->spec->setup;
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_argv argv = {.arena = &r->arena};
	const struct xb_command_files none = {0};
	struct xb_command words;
	struct xb_roots roots;

	xb_command_init(&words, &r->arena);
	xb_compile_target(setup->tools, setup->sysroot, &words);
	xb_roots_real(r->drive.project_dir, setup->tools, setup->sysroot, &roots);
	xb_argv_push(&argv, xb_arena_printf(&r->arena, "%s/%s/%s", setup->tools->dir, setup->tools->bin_dir,
					    is_cxx ? "clang++" : "clang"));
	xb_command_argv(&words, &roots, &none, &argv);
	for (const char *const *p = r->wrapper.prefixes; p && *p; p++) {
		xb_argv_push(&argv, "-isystem");
		xb_argv_push(&argv, xb_arena_printf(&r->arena, "%s/usr/include", *p));
	}
	for (size_t i = 0; i < argv.len; i++) {
		if (i)
			xb_str_append_char(&text, ' ');
		xb_str_append_quoted(&text, argv.items[i]);
	}
	return xb_arena_sv(&r->arena, xb_str_sv(&text));
}

/* A command in which the wrapper at its begin is clang; as it is where none is there (a path with blanks is quoted). */
static const char *with_clang(struct run *r, const char *command)
{
	static const char *const names[] = {"clang", "gcc", "cc", "clang++", "g++", "c++"};

	for (size_t i = 0; i < XB_COUNT(names); i++) {
		const char *tool = xb_cross_tool(&r->drive.cross, names[i], &r->arena);
		const size_t n = strlen(tool);

		if (strncmp(command, tool, n) == 0 && command[n] == ' ')
			return xb_arena_printf(&r->arena, "%s%s", clang_words(r, strchr(names[i], '+')), command + n);
	}
	return command;
}

/* The project's file that `path` is a copy of, or NULL. */
static const char *original_of(struct run *r, const char *path)
{
	const char *dir = r->spec->unit->foreign->dir;
	const size_t n = strlen(r->drive.source_dir);
	const char *own;

	if (!drive_copies(r) || strncmp(path, r->drive.source_dir, n) != 0 || path[n] != '/')
		return NULL;
	own = strcmp(dir, ".") == 0 ? xb_arena_printf(&r->arena, "%s%s", r->drive.project_dir, path + n)
				    : xb_arena_printf(&r->arena, "%s/%s%s", r->drive.project_dir, dir, path + n);
	return xb_fs_exists(own) ? own : NULL;
}

static void translate(struct run *r, json_t *entry)
{
	const char *command = json_string_value(json_object_get(entry, "command"));
	const char *file = json_string_value(json_object_get(entry, "file"));
	const char *own = file ? original_of(r, file) : NULL, *at = command && own ? strstr(command, file) : NULL;

	if (at)
		command = xb_arena_printf(&r->arena, "%.*s%s%s", (int)(at - command), command, own, at + strlen(file));
	if (command)
		json_object_set_new(entry, "command", json_string(with_clang(r, command)));
	if (own)
		json_object_set_new(entry, "file", json_string(own));
}

int drive_keep_commands(struct run *r, struct xb_err *err)
{
	const char *to = xb_arena_printf(&r->arena, "%s/%s", r->drive.project_dir,
					 xb_foreign_commands(r->spec->setup, r->spec->unit, &r->arena));
	const char *from = r->driver->commands
				   ? xb_arena_printf(&r->arena, "%s/%s", r->drive.build_dir, r->driver->commands)
				   : NULL;
	char *dir XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_path_dir(xb_sv(to)));
	struct xb_err unreadable XB_CLEANUP(xb_err_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	json_t *list XB_CLEANUP(xb_json_release) = NULL;

	/* a generator that writes none, or a text that is none: editors do without */
	if (!from || !xb_fs_exists(from) || xb_json_read(from, XB_MAX_JSON_BYTES, &list, &unreadable) < 0 ||
	    !json_is_array(list))
		return xb_fs_remove(to, err);
	for (size_t i = 0; i < json_array_size(list); i++)
		translate(r, json_array_get(list, i));
	xb_json_write(list, 1, false, &text);
	return xb_fs_mkdirs(dir, 0755, err) < 0 ? err->code
						: xb_atomic_file_write(to, xb_str_get(&text), text.len, 0644, 0, err);
}
