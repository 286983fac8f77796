/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/build/rust_launch.h"

#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/base/str.h"
#include "xbuild/build/command.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"

/* As in a file of build/wrapper: a letter and a text, with a NUL behind it. */
static void say(struct xb_str *file, char letter, const char *text)
{
	xb_str_append_char(file, letter);
	xb_str_append_n(file, text, strlen(text) + 1);
}

static void say_map(struct xb_str *file, const char *dir, const char *name, struct xb_arena *arena)
{
	if (dir)
		say(file, 'F', xb_arena_printf(arena, "--remap-path-prefix=%s=%s", dir, name));
}

static void say_rustc(const struct xb_rust_launch *launch, struct xb_str *file, struct xb_arena *arena)
{
	const struct xb_tools *tools = &launch->rust->tools;
	const struct xb_sv prefix = xb_path_dir(xb_sv(tools->bin_dir));

	/* the host's own knows where it is */
	if (tools->loader) {
		say(file, 'F', "--sysroot");
		say(file, 'F', xb_arena_printf(arena, "%s/%.*s", tools->dir, XB_SV_ARG(prefix)));
	}
	/* what is below another one comes behind it */
	say_map(file, launch->project_dir, ".", arena);
	say_map(file, launch->crates_dir, "/crates", arena);
	say_map(file, launch->build_dir, "/build", arena);
}

/* The rustc that it finds by itself, in the tree, does not start without its loader; --test-builder is not yet stable. */
static void say_rustdoc(const struct xb_rust_launch *launch, struct xb_str *file, struct xb_arena *arena)
{
	if (launch->rust->tools.loader) {
		say(file, 'E', "RUSTC_BOOTSTRAP=1");
		say(file, 'F', "-Zunstable-options");
		say(file, 'F', "--test-builder");
		say(file, 'F', xb_arena_printf(arena, "%s/bin/rustc", launch->dir));
	}
	if (launch->linker) {
		say(file, 'F', "-C");
		say(file, 'F', xb_arena_printf(arena, "linker=%s", launch->linker));
	}
}

static int make_one(const struct xb_rust_launch *launch, const char *name, struct xb_err *err)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_str file XB_CLEANUP(xb_str_release) = {0};
	struct xb_argv argv = {.arena = &arena};
	const char *const self = xb_arena_printf(&arena, "%s/bin/%s", launch->dir, name);
	const char *const conf = xb_arena_printf(&arena, "%s/conf/%s", launch->dir, name);

	xb_command_launch_as(&launch->rust->tools, name, false, self, &argv);
	say(&file, 'X', argv.items[0]);
	for (size_t i = 0; i < argv.len; i++)
		say(&file, 'L', argv.items[i]);
	/* cargo sets it for build scripts and what they load; the programs of the tree have their own (ld.so(8)) */
	if (launch->rust->tools.loader) {
		say(&file, 'U', "LD_LIBRARY_PATH");
		say(&file, 'U', "LD_PRELOAD");
	}
	if (strcmp(name, "rustc") == 0)
		say_rustc(launch, &file, &arena);
	else if (strcmp(name, "rustdoc") == 0)
		say_rustdoc(launch, &file, &arena);
	if (xb_atomic_file_write(conf, xb_str_get(&file), file.len, 0644, 0, err) < 0)
		return err->code;
	return xb_fs_exists(self) ? 0 : xb_fs_copy(launch->program, self, 0755, err);
}

int xb_rust_launch_make(const struct xb_rust_launch *launch, struct xb_err *err)
{
	static const char *const names[] = {"cargo", "rustc", "rustdoc"};
	char *bin XB_CLEANUP(xb_free_ptr) = xb_path_join(launch->dir, "bin");
	char *conf XB_CLEANUP(xb_free_ptr) = xb_path_join(launch->dir, "conf");

	if (xb_fs_mkdirs(bin, 0755, err) < 0 || xb_fs_mkdirs(conf, 0755, err) < 0)
		return err->code;
	for (size_t i = 0; i < XB_COUNT(names); i++)
		if (make_one(launch, names[i], err) < 0)
			return xb_wrap(err, "launchers of Rust");
	return 0;
}
