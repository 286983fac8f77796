/* SPDX-License-Identifier: Apache-2.0 */
#include "rust.h"

#include <string.h>

#include "xbuild/app/op_drive.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/proc.h"
#include "xbuild/toolchain/rust.h"

extern char **environ;

bool rust_is_locked(const struct xb_app *app)
{
	return app->project->rust && strcmp(app->project->rust, XB_RUST_HOST) != 0;
}

bool rust_has_std(const struct xb_target *target)
{
	return target->libc == XB_LIBC_GLIBC;
}

static bool is_built_for(const struct xb_unit *unit, const struct xb_target *target)
{
	for (size_t i = 0; i < unit->targets.len; i++)
		if (strcmp(unit->targets.items[i], target->name) == 0)
			return true;
	return unit->targets.len == 0;
}

static int refuse_target(struct xb_app *app, const struct xb_unit *unit, const struct xb_target *target,
			 struct xb_err *err)
{
	const struct xb_project *p = app->project;
	struct xb_str rest XB_CLEANUP(xb_str_release) = {0};

	xb_fail(err, XB_E_INPUT, "%sunit '%s': cargo cannot build it for '%s': there is no %s in %s",
		xb_place_text(&unit->foreign->at, &app->arena), unit->name, target->name, target->rust_triple,
		app->rust->name);
	for (size_t i = 0; i < p->n_targets; i++)
		if (is_built_for(unit, p->targets[i].target) && rust_has_std(p->targets[i].target))
			xb_str_printf(&rest, "%s%s", rest.len ? ", " : "", p->targets[i].target->name);
	return xb_hint(err,
		       "Debian has Rust's standard library for its own C library alone: give the unit 'targets: "
		       "[%s]', or take an installed Rust that has it ('toolchain: { rust: host }', 'rustup target add "
		       "%s')",
		       xb_str_get(&rest), target->rust_triple);
}

int rust_check_units(struct xb_app *app, struct xb_err *err)
{
	const struct xb_project *p = app->project;

	for (size_t i = 0; rust_is_locked(app) && i < p->n_units; i++) {
		const struct xb_unit *unit = p->units[i];

		for (size_t k = 0; unit->driver == XB_DRIVER_CARGO && k < p->n_targets; k++)
			if (is_built_for(unit, p->targets[k].target) && !rust_has_std(p->targets[k].target))
				return refuse_target(app, unit, p->targets[k].target, err);
	}
	return 0;
}

static const char *stale_lists(struct xb_app *app, const struct xb_lock *lock)
{
	const struct xb_project *p = app->project;
	const struct xb_lock_rust *rust = lock->rust;

	for (size_t i = 0; i < p->n_targets; i++)
		if (rust_has_std(p->targets[i].target) && !xb_lock_rust_std(lock, p->targets[i].target->name))
			return xb_arena_printf(&app->arena, "it has no standard library of Rust for target '%s'",
					       p->targets[i].target->name);
	for (size_t i = 0; i < p->crates.len; i++)
		if (!rust->crates.name || !xb_lock_package(&rust->crates.packages, p->crates.items[i]))
			return xb_arena_printf(&app->arena, "it has no crates of package '%s'", p->crates.items[i]);
	return NULL;
}

const char *rust_stale(struct xb_app *app, const struct xb_lock *lock)
{
	if (!rust_is_locked(app))
		return NULL;
	if (!lock->rust)
		return "it has no Rust";
	if (strcmp(lock->rust->name, app->rust->name) != 0)
		return xb_arena_printf(&app->arena, "it has '%s' where the project wants '%s'", lock->rust->name,
				       app->rust->name);
	return stale_lists(app, lock);
}

size_t rust_wants(const struct xb_app *app, struct xb_want *wants)
{
	size_t n = 0;

	if (!rust_is_locked(app))
		return 0;
	wants[n++] = (struct xb_want){.kind = XB_WANT_RUST, .name = app->host.name};
	if (app->lock->rust->crates.name)
		wants[n++] = (struct xb_want){.kind = XB_WANT_CRATES, .name = app->lock->rust->crates.name};
	return n;
}

int rust_want_recipe(const struct xb_app *app, const struct xb_want *want, struct xb_digest *out, struct xb_err *err)
{
	const struct xb_lock *lock = app->lock;

	if (want->kind == XB_WANT_CRATES) {
		if (!lock->rust || !lock->rust->crates.name || !app->rust)
			return xb_fail(err, XB_E_LOCK, "xbuild.lock has no crates");
		xb_crates_recipe(app->rust, lock, out);
		return 0;
	}
	if (!app->rust || !xb_lock_rust_host(lock, want->name)) {
		xb_fail(err, XB_E_LOCK, "xbuild.lock has no Rust for host '%s'", want->name);
		return xb_hint(err,
			       "it is locked for those of 'hosts:' that run Linux; elsewhere 'toolchain: { rust: host "
			       "}' takes the one that is installed");
	}
	xb_rust_recipe(app->rust, lock, want->name, out);
	return 0;
}

/* What `rustc --print sysroot` says in the project's directory: behind rustup's name may be any of several. */
static int ask_sysroot(struct xb_app *app, const char *rustc, char **out, struct xb_err *err)
{
	const char *const argv[] = {rustc, "--print", "sysroot", NULL};
	const struct xb_proc_spec spec = {
		.argv = argv, .env = (const char *const *)(void *)environ, .cwd = app->project->dir};
	struct xb_procs *procs = xb_procs_new();
	struct xb_proc_result result XB_CLEANUP(xb_proc_result_release) = {0};
	char how[80];
	void *unused;
	int rc = xb_procs_start(procs, &spec, NULL, err);

	if (rc == 0)
		rc = xb_procs_wait(procs, -1, app->interrupted, &unused, &result, err);
	xb_procs_free(procs);
	if (rc <= 0)
		return rc < 0 ? rc : xb_fail(err, XB_E_INTERRUPTED, "interrupted");
	*out = xb_sv_dup(xb_sv_trim(xb_str_sv(&result.output)));
	if (result.exit_code == 0 && **out == '/')
		return 0;
	return xb_fail(err, XB_E_NOT_FOUND, "'%s --print sysroot': %s: %s", rustc,
		       xb_proc_describe(&result, how, sizeof(how)), *out);
}

/* Rust as it is installed: <sysroot>/bin/rustc, and cargo beside it. */
static int find_installed(struct xb_app *app, struct xb_rust_tools *out, struct xb_err *err)
{
	char *rustc XB_CLEANUP(xb_free_ptr) = xb_proc_find("rustc");
	char *sysroot XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_rust_tools rust = {.tools = {.bin_dir = "bin"}};
	const char *program, *cargo;

	if (!rustc) {
		xb_fail(err, XB_E_NOT_FOUND, "'rust: host': there is no rustc in PATH");
		return xb_hint(err, "install Rust, or name a version: 'toolchain: { rust: \"1.85\" }'");
	}
	if (ask_sysroot(app, rustc, &sysroot, err) < 0)
		return err->code;
	rust.tools.dir = xb_arena_strdup(&app->arena, sysroot);
	program = xb_arena_printf(&app->arena, "%s/bin/rustc", sysroot);
	cargo = xb_arena_printf(&app->arena, "%s/bin/cargo", sysroot);
	if (!xb_fs_exists(cargo))
		return xb_fail(err, XB_E_NOT_FOUND, "'rust: host': there is no cargo beside rustc: '%s'", cargo);
	if (xb_digest_file(program, &rust.tools.digest, NULL, err) < 0)
		return err->code;
	*out = rust;
	return 0;
}

static int provision_locked(struct xb_app *app, struct xb_rust_tools *out, struct xb_err *err)
{
	struct xb_want wants[2];
	int found;

	if (xb_app_need_lock(app, err) < 0 || xb_provision(app, wants, rust_wants(app, wants), err) < 0)
		return err->code;
	found = xb_rust_find(app->store, app->rust, app->lock, app->host.name, &app->arena, out, err);
	if (found == 0)
		return xb_fail(err, XB_E_SYSTEM, "the Rust of '%s' is not in the store although it was just made",
			       app->host.name);
	return found < 0 ? found : 0;
}

int rust_provision(struct xb_app *app, struct xb_rust_tools *out, struct xb_err *err)
{
	return rust_is_locked(app) ? provision_locked(app, out, err) : find_installed(app, out, err);
}

int rust_check_target(const struct xb_app *app, const struct xb_rust_tools *rust, const struct xb_target *target,
		      struct xb_err *err)
{
	const struct xb_sv prefix = xb_path_dir(xb_sv(rust->tools.bin_dir));
	char *dir XB_CLEANUP(xb_free_ptr) = xb_printf("%s/%.*s%slib/rustlib/%s/lib", rust->tools.dir, XB_SV_ARG(prefix),
						      prefix.len ? "/" : "", target->rust_triple);

	if (xb_fs_is_dir(dir))
		return 0;
	xb_fail(err, XB_E_NOT_FOUND, "%s has no standard library for target '%s': there is no '%s'",
		rust_is_locked(app) ? app->rust->name : "the Rust of this host", target->name, dir);
	if (rust_is_locked(app))
		return xb_hint(err, "leave the target out with 'targets:' of the unit");
	return xb_hint(err,
		       "'rustup target add %s' fetches it, or let xbuild lock a Rust: 'toolchain: { rust: \"1.85\" }'",
		       target->rust_triple);
}

/* As deep as units depend on each other, without cycles: model/project saw to it. */
bool rust_is_needed(struct xb_unit *const *units, size_t n_units)
{
	for (size_t i = 0; i < n_units; i++) {
		const struct xb_unit *unit = units[i];

		if (unit->driver == XB_DRIVER_CARGO || rust_is_needed(unit->deps, unit->n_deps) ||
		    rust_is_needed(unit->host_tools, unit->n_host_tools))
			return true;
	}
	return false;
}

int rust_provision_setup(struct xb_app *app, struct rust_setup *out, struct xb_err *err)
{
	const struct xb_project_target *host = xb_app_host_target(app);
	struct rust_setup setup = {.has_host = host != NULL};

	if (rust_check_units(app, err) < 0 || rust_provision(app, &setup.rust, err) < 0 ||
	    (host && xb_provision_sysroot(app, host->target, &setup.host, err) < 0))
		return err->code;
	*out = setup;
	return 0;
}

void rust_fill_setup(const struct rust_setup *rust, struct xb_setup *setup)
{
	setup->rust = &rust->rust;
	setup->host_sysroot = rust->has_host ? &rust->host : NULL;
}
