/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cargo 1.70 and newer: The Cargo Book, "Configuration", "Environment Variables", "Source Replacement". What a target needs is in
 * files for --config, which go before every other configuration; flags of rustc are not among them: whoever sets flags in
 * one place loses those of all others ("build.rustflags"), so the linker is a wrapper and paths are mapped by the launcher
 * of rustc (build/rust_launch).
 *
 * --target is given for this machine's own kind too: else build scripts and procedural macros, which run here, would be
 * built as the target is.
 */
#include <string.h>

#include "driver.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/base/str.h"
#include "xbuild/sys/fs.h"

static const char *const programs[] = {"install", NULL};

#define CRATES "crates.toml"
#define HOST   "host.toml"
#define TARGET "target.toml"

static bool has_host(const struct xb_drive *drive)
{
	return drive->host && drive->host->target != drive->cross.target;
}

/* No registry is asked: crates are in a directory, or where the project's own .cargo/config.toml says. */
static void add_crates(const struct xb_drive *drive, struct xb_arena *arena, struct xb_drive_files *out)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	xb_cross_cargo_crates(drive->vendor_dir, &text);
	xb_drive_files_add(out, arena, CRATES, xb_arena_sv(arena, xb_str_sv(&text)));
}

static void add_target(const struct xb_cross *cross, const char *name, struct xb_arena *arena,
		       struct xb_drive_files *out)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	xb_cross_cargo(cross, &text);
	xb_drive_files_add(out, arena, name, xb_arena_sv(arena, xb_str_sv(&text)));
}

static void prepare(const struct xb_drive *drive, struct xb_arena *arena, struct xb_drive_files *out)
{
	struct xb_str cmake XB_CLEANUP(xb_str_release) = {0};

	if (has_host(drive))
		add_target(drive->host, HOST, arena, out);
	add_target(&drive->cross, TARGET, arena, out);
	xb_cross_cmake(&drive->cross, &cmake); /* for crates that start CMake */
	xb_drive_files_add(out, arena, "toolchain.cmake", xb_arena_sv(arena, xb_str_sv(&cmake)));
	if (drive->vendor_dir)
		add_crates(drive, arena, out);
}

static const char *profile_of(const struct xb_drive *drive)
{
	if (drive->foreign->profile)
		return drive->foreign->profile;
	return drive->profile->optimize == XB_OPTIMIZE_NONE ? "dev" : "release";
}

/* The Cargo Book, "Build Cache": two built-in profiles share the directories of others. */
static const char *profile_dir(const char *profile)
{
	if (strcmp(profile, "dev") == 0 || strcmp(profile, "test") == 0)
		return "debug";
	return strcmp(profile, "bench") == 0 ? "release" : profile;
}

static void push_config(const struct xb_drive *drive, const char *name, struct xb_argv *argv)
{
	xb_argv_push(argv, "--config");
	xb_argv_push(argv, xb_arena_printf(argv->arena, "%s/%s", drive->build_dir, name));
}

static const char *joined(const struct xb_words *words, struct xb_arena *arena)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	for (size_t i = 0; i < words->len; i++)
		xb_str_printf(&text, "%s%s", i ? "," : "", words->items[i]);
	return xb_arena_sv(arena, xb_str_sv(&text));
}

/* `bins`: those of the unit, which are all that is built of it; tests are those of the whole package. */
static void push_words(const struct xb_drive *drive, bool bins, struct xb_argv *argv)
{
	const struct xb_foreign *f = drive->foreign;

	xb_argv_push(argv, "--locked");
	xb_argv_push(argv, "--offline");
	if (has_host(drive))
		push_config(drive, HOST, argv);
	push_config(drive, TARGET, argv);
	if (drive->vendor_dir)
		push_config(drive, CRATES, argv);
	xb_argv_push(argv, "--target");
	xb_argv_push(argv, drive->cross.target->rust_triple);
	xb_argv_push(argv, "--profile");
	xb_argv_push(argv, profile_of(drive));
	for (size_t i = 0; bins && i < f->bins.len; i++) {
		xb_argv_push(argv, "--bin");
		xb_argv_push(argv, f->bins.items[i]);
	}
	if (f->features.len) {
		xb_argv_push(argv, "--features");
		xb_argv_push(argv, joined(&f->features, argv->arena));
	}
	for (size_t i = 0; i < f->settings.args.len; i++)
		xb_argv_push(argv, f->settings.args.items[i]);
}

/* "CARGO_PROFILE_RELEASE_STRIP" of "release". */
static const char *profile_variable(const char *profile, const char *what, struct xb_arena *arena)
{
	char *name = xb_arena_printf(arena, "CARGO_PROFILE_%s_%s", profile, what);

	for (char *c = name; *c; c++)
		*c = *c == '-' ? '_' : *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
	return name;
}

static void set_env(const struct xb_drive *drive, struct xb_arena *arena, struct xb_step *step)
{
	const char *const dir = drive->build_dir;

	xb_step_env(step, arena, "CARGO_HOME", xb_arena_printf(arena, "%s/cargo-home", dir));
	xb_step_env(step, arena, "CARGO_TARGET_DIR", xb_arena_printf(arena, "%s/target", dir));
	xb_step_env(step, arena, "CARGO_INCREMENTAL", "0");
	xb_step_env(step, arena, "CARGO_NET_OFFLINE", "true");
	xb_step_env(step, arena, "CARGO_TERM_COLOR", "never");
	xb_step_env(step, arena, "RUSTC", xb_arena_printf(arena, "%s/rustc", drive->rust_bin));
	xb_step_env(step, arena, "RUSTDOC", xb_arena_printf(arena, "%s/rustdoc", drive->rust_bin));
	if (drive->profile->strip)
		xb_step_env(step, arena, profile_variable(profile_of(drive), "STRIP", arena), "symbols");
}

static void add_cargo(const struct xb_drive *drive, const char *what, struct xb_arena *arena, struct xb_steps *out)
{
	struct xb_step *step = xb_steps_add(out, arena, what);
	struct xb_argv argv = {.arena = arena};

	xb_argv_push(&argv, xb_arena_printf(arena, "%s/cargo", drive->rust_bin));
	xb_argv_push(&argv, what);
	push_words(drive, strcmp(what, "build") == 0, &argv);
	xb_argv_push(&argv, NULL);
	step->argv = argv.items;
	step->cwd = drive->source_dir; /* from here on upwards .cargo/config.toml is looked for */
	step->pool = XB_POOL_MAKE;
	set_env(drive, arena, step);
}

/* install(1) with -d and -m, as BSD and GNU have it. */
static void add_install(const struct xb_drive *drive, struct xb_arena *arena, struct xb_steps *out)
{
	const struct xb_words *bins = &drive->foreign->bins;
	const char *bin_dir = xb_arena_printf(arena, "%s/usr/bin", drive->stage_dir);
	struct xb_argv make_dir = {.arena = arena}, copy = {.arena = arena};

	xb_argv_push(&make_dir, drive->programs[0]);
	xb_argv_push(&make_dir, "-d");
	xb_argv_push(&make_dir, bin_dir);
	xb_argv_push(&make_dir, NULL);
	xb_argv_push(&copy, drive->programs[0]);
	xb_argv_push(&copy, "-m");
	xb_argv_push(&copy, "755");
	for (size_t i = 0; i < bins->len; i++)
		xb_argv_push(&copy, xb_arena_printf(arena, "%s/target/%s/%s/%s", drive->build_dir,
						    drive->cross.target->rust_triple, profile_dir(profile_of(drive)),
						    bins->items[i]));
	xb_argv_push(&copy, bin_dir);
	xb_argv_push(&copy, NULL);
	xb_steps_add(out, arena, "install")->argv = make_dir.items;
	xb_steps_add(out, arena, "install")->argv = copy.items;
}

static int steps(const struct xb_drive *drive, struct xb_arena *arena, struct xb_steps *out, struct xb_err *err)
{
	(void)err;
	add_cargo(drive, "build", arena, out);
	add_install(drive, arena, out);
	return 0;
}

/* With the same profile, so that nothing is compiled for them but the tests; the runner of the target is in its file. */
static int tests(const struct xb_drive *drive, struct xb_arena *arena, struct xb_steps *out, struct xb_err *err)
{
	(void)err;
	add_cargo(drive, "test", arena, out);
	return 0;
}

static bool has(struct xb_sv text, const char *words)
{
	return memmem(text.ptr, text.len, words, strlen(words)) != NULL;
}

static const char *explain_std(const struct xb_drive *drive, struct xb_arena *arena)
{
	return xb_arena_printf(
		arena,
		"this Rust has no standard library for %s: the one that is locked ('toolchain: { rust: "
		"VERSION }') has those of all targets; for that of the host 'rustup target add %s' fetches it",
		drive->cross.target->rust_triple, drive->cross.target->rust_triple);
}

/* Debian's names have a hyphen for each underscore (Debian Rust team, "Packaging policy"). */
static const char *explain_crate(struct xb_sv output, struct xb_arena *arena)
{
	static const char before[] = "no matching package named `";
	const char *found = memmem(output.ptr, output.len, before, strlen(before));
	const char *at = found ? found + strlen(before) : output.ptr + output.len;
	struct xb_sv rest = xb_sv_n(at, (size_t)(output.ptr + output.len - at));
	const struct xb_sv name = xb_sv_cut(&rest, '`');
	char *package = xb_arena_printf(arena, "librust-%.*s-dev", XB_SV_ARG(name.len ? name : xb_sv("NAME")));

	for (char *c = package; *c; c++)
		*c = *c == '_' ? '-' : *c;
	return xb_arena_printf(
		arena,
		"crates come from 'vendor: DIR' of the unit, from the project's own .cargo/config.toml, or from "
		"packages in 'toolchain: { crates: [%s] }'; no registry is asked",
		package);
}

static const char *explain(const struct xb_drive *drive, const struct xb_step *step, struct xb_sv output,
			   struct xb_arena *arena)
{
	if ((strcmp(step->what, "build") != 0 && strcmp(step->what, "test") != 0) || !output.len)
		return NULL;
	if (has(output, "--locked was passed"))
		return "Cargo.lock is missing or does not go with Cargo.toml and the crates: 'xbuild cargo "
		       "generate-lockfile' makes it in the unit's directory, commit it";
	if (has(output, "target may not be installed"))
		return explain_std(drive, arena);
	if (has(output, "no matching package") || has(output, "failed to get `") ||
	    has(output, "failed to select a version"))
		return explain_crate(output, arena);
	if (has(output, "version `GLIBC_"))
		return "what runs while it builds was linked with the sysroot of this machine's kind, whose C library "
		       "is "
		       "newer than that of what loads it: take an older sysroot, or a locked Rust";
	if (has(output, "linker `cc` not found"))
		return "build scripts run on this machine and are linked for it: name its kind in 'targets:', or "
		       "install a "
		       "C compiler";
	if (has(output, "unable to find library -l") || has(output, "pkg-config"))
		return "C libraries that crates link come from the sysroot: add the Debian package to sysroot.packages";
	return NULL;
}

/*
 * A build script of a package of the project, by the rules that rustc wrote for it: the first file is its source, relative where
 * it is in the workspace. Those of other crates do not change while the directory stays; they have a list of checksums.
 */
static bool is_own_script(const char *path)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0}, sums XB_CLEANUP(xb_str_release) = {0};
	struct xb_err unreadable XB_CLEANUP(xb_err_release) = {0};
	struct xb_sv rest, source;

	if (xb_fs_read(path, XB_MAX_JSON_BYTES, &text, &unreadable) < 0)
		return true;
	rest = xb_str_sv(&text);
	rest = xb_sv_cut(&rest, '\n');
	source = (struct xb_sv){0};
	for (size_t i = 0; i + 2 < rest.len && !source.ptr; i++)
		if (rest.ptr[i] == ':' && rest.ptr[i + 1] == ' ')
			source = xb_sv_n(rest.ptr + i + 2, rest.len - i - 2);
	if (!xb_sv_starts(source, "/"))
		return true;
	for (size_t i = 0; i + 1 < source.len; i++)
		if (source.ptr[i] == ' ' && source.ptr[i - 1] != '\\')
			source.len = i;
	xb_str_printf(&sums, "%.*s/.cargo-checksum.json", XB_SV_ARG(xb_path_dir(source)));
	return !xb_fs_exists(xb_str_get(&sums));
}

/* <build_dir>/target/<profile>/build/<package>/build_script_<name>-<hash>.d */
static bool any_own_script(const char *dir, int depth)
{
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};
	struct xb_err none XB_CLEANUP(xb_err_release) = {0};
	bool found = false;

	if (xb_fs_list(dir, &list, &none) < 0)
		return false;
	for (size_t i = 0; i < list.len && !found; i++) {
		const struct xb_fs_entry *e = &list.items[i];
		char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, e->name);

		if (e->is_dir && depth > 0 && (depth != 2 || strcmp(e->name, "build") == 0))
			found = any_own_script(path, depth - 1);
		else if (depth == 0 && xb_sv_starts(xb_sv(e->name), "build_script_") &&
			 xb_sv_ends(xb_sv(e->name), ".d"))
			found = is_own_script(path);
	}
	return found;
}

static bool runs_own(const char *build_dir)
{
	char *target XB_CLEANUP(xb_free_ptr) = xb_path_join(build_dir, "target");

	return any_own_script(target, 3);
}

/* What a build script compiles or a macro reads it knows only where those say so. */
static bool tracks(const char *path)
{
	return xb_sv_eq_str(xb_path_ext(xb_sv(path)), ".rs");
}

const struct xb_driver xb_driver_cargo = {
	.kind = XB_DRIVER_CARGO,
	.programs = programs,
	.tracks = tracks,
	.runs_own = runs_own,
	.prepare = prepare,
	.steps = steps,
	.tests = tests,
	.explain = explain,
};
