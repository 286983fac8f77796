/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/app/op_cargo.h"

#include <stdlib.h>
#include <string.h>

#include "rust.h"
#include "xbuild/app/op_compiler.h"
#include "xbuild/app/op_doctor.h"
#include "xbuild/app/program.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/build/command.h"
#include "xbuild/build/cross.h"
#include "xbuild/build/rust_launch.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"

struct making {
	struct xb_app *app;
	struct xb_arena *arena;
	const struct xb_target *target,
		*host; /* host: what runs while it builds is made for; NULL: the host's cc does */
	const char *dir;
	struct xb_rust_tools rust;
	const char *linker; /* of the target */
	struct xb_argv argv, env;
};

static const char *below(struct making *m, const char *name)
{
	return xb_arena_printf(m->arena, "%s/%s", m->dir, name);
}

static int find_target(struct making *m, const char *name, struct xb_err *err)
{
	const struct xb_project *p = m->app->project;
	const struct xb_project_target **found;
	size_t n;

	for (size_t i = 0; i < p->n_targets && !m->host; i++)
		if (xb_host_runs(m->app->host.name, p->targets[i].target))
			m->host = p->targets[i].target;
	m->target = m->host ? m->host : p->targets[0].target;
	if (!name)
		return 0;
	if (xb_app_targets(m->app, &name, 1, &found, &n, err) < 0)
		return err->code;
	m->target = found[0]->target;
	return 0;
}

static int write_text(struct making *m, const char *name, const struct xb_str *text, struct xb_err *err)
{
	xb_argv_push(&m->argv, "--config");
	xb_argv_push(&m->argv, below(m, name));
	return xb_atomic_file_write(below(m, name), xb_str_get(text), text->len, 0644, 0, err);
}

/* The wrappers of `xbuild cc` for a target, in the words of cargo. */
static int tell_target(struct making *m, const struct xb_target *target, const char *name, struct xb_err *err)
{
	const struct xb_compiler_opts opts = {.target = target->name, .tools = true};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_compiler compiler;
	struct xb_cross cross;

	if (xb_op_compiler(m->app, &opts, &compiler, err) < 0)
		return err->code;
	cross = (struct xb_cross){
		.target = target,
		.sysroot = compiler.sysroot,
		.wrapper_dir = compiler.wrapper_dir,
		.clang_major = compiler.clang_major,
		.emulator = xb_app_runner_words(m->app, target, compiler.sysroot),
	};
	if (cross.emulator && !*cross.emulator)
		cross.emulator = NULL;
	xb_cross_cargo(&cross, &text);
	m->linker = xb_arena_printf(m->arena, "%s/bin/%s-clang", compiler.wrapper_dir, target->triple);
	return write_text(m, name, &text, err);
}

/* The directory source of the unit that the user stands in, or of the project. */
static int find_crates(struct making *m, const char **out, struct xb_err *err)
{
	const struct xb_project *p = m->app->project;
	char *start XB_CLEANUP(xb_free_ptr) = NULL;

	if (xb_app_start_dir(m->app, &start, err) < 0)
		return err->code;
	*out = m->rust.crates_dir;
	for (size_t i = 0; i < p->n_units; i++) {
		const struct xb_foreign *f = p->units[i]->foreign;
		const char *dir;

		if (p->units[i]->driver != XB_DRIVER_CARGO || !f->vendor)
			continue;
		dir = strcmp(f->dir, ".") == 0 ? p->dir : xb_arena_printf(m->arena, "%s/%s", p->dir, f->dir);
		if (xb_sv_starts(xb_sv(start), dir) && (start[strlen(dir)] == '/' || !start[strlen(dir)]))
			*out = xb_arena_printf(m->arena, "%s/%s", p->dir, f->vendor);
	}
	return 0;
}

static int tell_crates(struct making *m, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	const char *crates = NULL;

	if (find_crates(m, &crates, err) < 0 || !crates)
		return err->code;
	xb_cross_cargo_crates(crates, &text);
	return write_text(m, "crates.toml", &text, err);
}

static void set(struct making *m, const char *name, const char *value)
{
	if (value)
		xb_argv_push(&m->env, xb_arena_printf(m->arena, "%s=%s", name, value));
}

static void fill_env(struct making *m)
{
	static const char *const kept[] = {"PATH", "HOME", "TERM", "LANG", "RUST_BACKTRACE"};

	for (size_t i = 0; i < XB_COUNT(kept); i++)
		set(m, kept[i], getenv(kept[i]));
	set(m, "CARGO_HOME", below(m, "home"));
	set(m, "CARGO_TARGET_DIR", below(m, "target"));
	set(m, "CARGO_NET_OFFLINE", "true");
	set(m, "RUSTC", below(m, "rust/bin/rustc"));
	set(m, "RUSTDOC", below(m, "rust/bin/rustdoc"));
	xb_argv_push(&m->env, NULL);
}

static int make_launchers(struct making *m, struct xb_err *err)
{
	struct xb_rust_launch launch = {.dir = below(m, "rust"), .rust = &m->rust, .linker = m->linker};

	if (xb_program_find("xbuild-wrap", m->arena, &launch.program, err) < 0)
		return err->code;
	return xb_rust_launch_make(&launch, err);
}

static int make(struct making *m, struct xb_err *err)
{
	if (rust_provision(m->app, &m->rust, err) < 0 || rust_check_target(m->app, &m->rust, m->target, err) < 0)
		return err->code;
	xb_argv_push(&m->argv, below(m, "rust/bin/cargo"));
	xb_argv_push(&m->argv, "--offline");
	if (m->host && m->host != m->target && tell_target(m, m->host, "host.toml", err) < 0)
		return err->code;
	/* behind that of the host: it says for which target is built */
	if (tell_target(m, m->target, "target.toml", err) < 0 || tell_crates(m, err) < 0 || make_launchers(m, err) < 0)
		return err->code;
	xb_argv_push(&m->argv, NULL);
	fill_env(m);
	return 0;
}

int xb_op_cargo(struct xb_app *app, const char *target, struct xb_cargo *out, struct xb_err *err)
{
	struct making m = {
		.app = app, .arena = &app->arena, .argv = {.arena = &app->arena}, .env = {.arena = &app->arena}};

	if (xb_app_need_lock(app, err) < 0 || xb_app_need_store(app, err) < 0)
		return err->code;
	if (!app->project->rust) {
		xb_fail(err, XB_E_USAGE, "the project '%s' has no Rust", app->project->name);
		return xb_hint(err, "name one in %s: 'toolchain: { rust: \"1.85\" }'", app->project->file);
	}
	if (find_target(&m, target, err) < 0)
		return err->code;
	m.dir = xb_arena_printf(m.arena, "%s/.xbuild/cargo/%s", app->project->dir, m.target->name);
	if (xb_fs_mkdirs(m.dir, 0755, err) < 0 || make(&m, err) < 0)
		return err->code;
	*out = (struct xb_cargo){m.argv.items, m.env.items};
	return 0;
}
