/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drive.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/map.h"
#include "xbuild/base/path.h"
#include "xbuild/base/str.h"
#include "xbuild/build/rust_launch.h"
#include "xbuild/model/stdlib.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/host.h"

#define DIGEST_CHARS 16 /* of the build directory's name: 64 bits tell a few directories apart */

const char *drive_below(struct run *r, const char *name)
{
	return xb_arena_printf(&r->arena, "%s/%s", r->root, name);
}

static const char *in_project(struct run *r, const char *rel)
{
	return strcmp(rel, ".") == 0 ? r->drive.project_dir
				     : xb_arena_printf(&r->arena, "%s/%s", r->drive.project_dir, rel);
}

/* Where the units that this one needs were installed; units of sources get a prefix of their own below the root. */
static const char *const *prefixes(struct run *r)
{
	const char **list = xb_arena_array(&r->arena, r->needs.len + 1, sizeof(*list));

	for (size_t i = 0; i < r->needs.len; i++) {
		const struct xb_unit *unit = r->needs.items[i];

		list[i] = unit->foreign ? in_project(r, xb_foreign_stage(r->spec->setup, unit, &r->arena))
					: xb_arena_printf(&r->arena, "%s/deps/%s", r->root, unit->name);
	}
	return list;
}

static void fill_wrapper(struct run *r)
{
	const struct xb_setup *setup = r->spec->setup;

	r->wrapper = (struct xb_wrapper_spec){
		.dir = drive_below(r, "wrap"),
		.program = r->spec->wrap,
		.xbuild = r->spec->xbuild,
		.tools = setup->tools,
		.sysroot = setup->sysroot,
		.target = setup->target,
		.project_dir = r->drive.project_dir,
		.prefixes = prefixes(r),
		.libcxx = xb_stdlib_is_libcxx(r->spec->unit, setup->target, setup->profile),
		.static_stdlib = xb_stdlib_is_static(r->spec->unit, setup->target, setup->profile),
		.record_dir = drive_below(r, "records"),
	};
}

/* Of all that decides what a configure step finds, and not of the sources. */
static int digest_root(struct run *r, char *hex, struct xb_err *err)
{
	const struct xb_setup *setup = r->spec->setup;
	struct xb_digest wrapper, words, digest;
	struct xb_foreign canonical;
	struct xb_command command;
	struct xb_hasher h;

	r->root = ""; /* paths below it are the same for every digest */
	fill_wrapper(r);
	xb_command_init(&command, &r->arena);
	if (xb_foreign_resolve(setup, r->spec->unit, NULL, &r->arena, &canonical, err) < 0 ||
	    xb_wrapper_digest(&r->wrapper, &wrapper, err) < 0)
		return err->code;
	xb_foreign_words(setup, r->spec->unit, &canonical, &command);
	xb_command_digest(&command, &words);
	xb_hasher_init(&h);
	xb_hasher_update(&h, words.bytes, sizeof(words.bytes));
	xb_hasher_update(&h, wrapper.bytes, sizeof(wrapper.bytes));
	for (const char *const *p = r->drive.programs; *p; p++) {
		if (xb_digest_file(*p, &digest, NULL, err) < 0)
			return err->code;
		xb_hasher_update(&h, *p, strlen(*p) + 1);
		xb_hasher_update(&h, digest.bytes, sizeof(digest.bytes));
	}
	for (const char *const *e = setup->emulator; e && *e; e++)
		xb_hasher_update(&h, *e, strlen(*e) + 1);
	xb_hasher_final(&h, &digest);
	xb_digest_hex(&digest, hex);
	hex[DIGEST_CHARS] = '\0';
	return 0;
}

/* Behind "<unit>-": a digest, or one with ".lock". */
static bool is_digest_name(const char *rest)
{
	const size_t n = strspn(rest, "0123456789abcdef");

	return n == DIGEST_CHARS && (!rest[n] || strcmp(rest + n, ".lock") == 0);
}

/* Those of the unit's other digests. */
static int remove_older(struct run *r, const char *parent, const char *name, struct xb_err *err)
{
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};
	const size_t n = strlen(name) - DIGEST_CHARS;

	if (!xb_fs_is_dir(parent))
		return 0;
	if (xb_fs_list(parent, &list, err) < 0)
		return err->code;
	for (size_t i = 0; i < list.len; i++) {
		const char *other = list.items[i].name;

		if (strncmp(other, name, n) != 0 || strncmp(other, name, strlen(name)) == 0 ||
		    !is_digest_name(other + n))
			continue;
		if (xb_fs_remove(xb_arena_printf(&r->arena, "%s/%s", parent, other), err) < 0)
			return err->code;
	}
	return 0;
}

static void fill_drive(struct run *r)
{
	const struct xb_setup *setup = r->spec->setup;
	struct xb_drive *d = &r->drive;

	d->source_dir = drive_copies(r) ? drive_below(r, "src") : in_project(r, r->spec->unit->foreign->dir);
	d->build_dir = drive_below(r, "build");
	d->cross = (struct xb_cross){
		.target = setup->target->target,
		.sysroot = setup->sysroot->dir,
		.wrapper_dir = drive_below(r, "wrap"),
		.clang_major = setup->tools->major,
		.emulator = setup->emulator && *setup->emulator ? setup->emulator : NULL,
		.prefixes = r->wrapper.prefixes,
		.cmake_file = xb_arena_printf(&r->arena, "%s/toolchain.cmake", d->build_dir),
	};
	d->tools = setup->tools;
	d->target = setup->target;
	d->profile = setup->profile;
	d->foreign = &r->foreign;
}

/* What cargo is told: launchers, crates, and wrappers for what runs on this machine while it builds. */
static void fill_rust(struct run *r)
{
	const struct xb_setup *setup = r->spec->setup;
	const struct xb_sysroot_paths *host = setup->host_sysroot;
	const char *vendor = r->spec->unit->foreign->vendor;
	struct xb_drive *d = &r->drive;

	if (r->driver->kind != XB_DRIVER_CARGO || !setup->rust)
		return;
	d->rust_bin = drive_below(r, "rust/bin");
	d->vendor_dir = vendor ? in_project(r, vendor) : setup->rust->crates_dir;
	if (!host)
		return;
	d->host = host->target == d->cross.target ? &d->cross : &r->host;
	r->host = (struct xb_cross){.target = host->target,
				    .sysroot = host->dir,
				    .wrapper_dir = drive_below(r, "host"),
				    .clang_major = setup->tools->major};
}

static int make_rust(struct run *r, struct xb_err *err)
{
	const struct xb_setup *setup = r->spec->setup;
	const struct xb_rust_launch launch = {
		.dir = drive_below(r, "rust"),
		.program = r->spec->wrap,
		.rust = setup->rust,
		.linker = xb_wrapper_tool(&r->wrapper, "clang", &r->arena),
		.project_dir = r->drive.project_dir,
		.build_dir = r->drive.build_dir,
		.crates_dir = r->drive.vendor_dir,
	};
	struct xb_wrapper_spec host = r->wrapper;

	if (!r->drive.rust_bin)
		return 0;
	if (r->drive.host == &r->host) {
		host.dir = r->host.wrapper_dir;
		host.sysroot = setup->host_sysroot;
		host.target = NULL;
		host.libcxx = host.static_stdlib = false; /* the host's sysroot may have none */
		host.prefixes = NULL;
		host.record_dir = NULL;
		if (xb_wrapper_make(&host, err) < 0)
			return err->code;
	}
	return xb_rust_launch_make(&launch, err);
}

/* Wrappers, host tools of the project, then the host's directories; relative ones mean another place in each step. */
static void fill_path(struct run *r)
{
	const char *host = getenv("PATH");
	struct xb_sv rest = xb_sv(host ? host : "/usr/bin:/bin");
	struct xb_str path XB_CLEANUP(xb_str_release) = {0};

	xb_str_printf(&path, "%s/bin:%s", drive_below(r, "wrap"), drive_below(r, "tools"));
	while (rest.ptr) {
		const struct xb_sv dir = xb_sv_cut(&rest, ':');

		if (dir.len && dir.ptr[0] == '/')
			xb_str_printf(&path, ":%.*s", XB_SV_ARG(dir));
	}
	r->path = xb_arena_sv(&r->arena, xb_str_sv(&path));
}

static int link_to(const char *target, const char *path, struct xb_err *err)
{
	if (xb_fs_exists(path))
		return 0;
	return symlink(target, path) < 0 ? xb_fail_errno(err, "make the link '%s'", path) : 0;
}

/* The entries of an include directory, by links: of two with one name the first counts, as on a search path. */
static int link_entries(struct run *r, const char *from, const char *to, struct xb_err *err)
{
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};

	if (xb_fs_list(from, &list, err) < 0)
		return err->code;
	for (size_t i = 0; i < list.len; i++) {
		if (link_to(xb_arena_printf(&r->arena, "%s/%s", from, list.items[i].name),
			    xb_arena_printf(&r->arena, "%s/%s", to, list.items[i].name), err) < 0)
			return err->code;
	}
	return 0;
}

static int write_module(struct run *r, const struct xb_unit *unit, const char *prefix, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	const char *path = xb_arena_printf(&r->arena, "%s/usr/lib/pkgconfig/%s.pc", prefix, unit->name);
	const char *dir = xb_arena_printf(&r->arena, "%s/usr/lib/cmake/%s", prefix, unit->name);

	xb_foreign_module(unit, &text);
	if (xb_fs_mkdirs(dir, 0755, err) < 0 ||
	    xb_atomic_file_write(path, xb_str_get(&text), text.len, 0644, 0, err) < 0)
		return err->code;
	path = xb_arena_printf(&r->arena, "%s/%s-config.cmake", dir, unit->name);
	xb_str_reset(&text);
	xb_foreign_package(unit, &text);
	return xb_atomic_file_write(path, xb_str_get(&text), text.len, 0644, 0, err);
}

/* A unit of sources as if it were installed: its headers and its library, by links into the project. */
static int make_prefix(struct run *r, const struct xb_unit *unit, struct xb_err *err)
{
	const char *prefix = xb_arena_printf(&r->arena, "%s/deps/%s", r->root, unit->name);
	const char *include = xb_arena_printf(&r->arena, "%s/usr/include", prefix);

	if (xb_fs_mkdirs(include, 0755, err) < 0 ||
	    xb_fs_mkdirs(xb_arena_printf(&r->arena, "%s/usr/lib/pkgconfig", prefix), 0755, err) < 0)
		return err->code;
	for (size_t i = 0; i < unit->include.len; i++) {
		if (link_entries(r, in_project(r, unit->include.items[i]), include, err) < 0)
			return err->code;
	}
	if (unit->kind == XB_UNIT_EXECUTABLE)
		return 0;
	if (link_to(xb_arena_printf(&r->arena, "%s/out/%s/%s", r->drive.project_dir,
				    r->spec->setup->target->target->name, unit->output_name),
		    xb_arena_printf(&r->arena, "%s/usr/lib/%s", prefix, unit->output_name), err) < 0)
		return err->code;
	return write_module(r, unit, prefix, err);
}

static int make_prefixes(struct run *r, struct xb_err *err)
{
	if (xb_fs_remove(drive_below(r, "deps"), err) < 0)
		return err->code;
	for (size_t i = 0; i < r->needs.len; i++) {
		if (!r->needs.items[i]->foreign && make_prefix(r, r->needs.items[i], err) < 0)
			return xb_wrap(err, "unit '%s'", r->needs.items[i]->name);
	}
	return 0;
}

/* Programs of this project that run on this host, in a directory of PATH. */
static int make_tools(struct run *r, struct xb_err *err)
{
	const struct xb_unit *unit = r->spec->unit;
	const char *dir = drive_below(r, "tools");
	struct xb_setup host = *r->spec->setup;
	struct xb_project_target target = {.target = r->spec->tools_target};

	if (xb_fs_remove(dir, err) < 0 || xb_fs_mkdirs(dir, 0755, err) < 0)
		return err->code;
	host.target = &target;
	for (size_t i = 0; i < unit->n_host_tools && r->spec->tools_target; i++) {
		const struct xb_unit *tool = unit->host_tools[i];
		const char *bin;

		if (!tool->foreign) {
			if (link_to(xb_arena_printf(&r->arena, "%s/out/%s/%s", r->drive.project_dir,
						    target.target->name, tool->output_name),
				    xb_arena_printf(&r->arena, "%s/%s", dir, tool->output_name), err) < 0)
				return err->code;
			continue;
		}
		bin = in_project(r, xb_arena_printf(&r->arena, "%s/usr/bin", xb_foreign_stage(&host, tool, &r->arena)));
		if (xb_fs_is_dir(bin) && link_entries(r, bin, dir, err) < 0)
			return err->code;
	}
	return 0;
}

/*
 * What a failed run compiled is not compiled again by the next one: its records are judged with those of the run that gets
 * to the checks. `checked` says that they were.
 */
static int forget_records(struct run *r, struct xb_err *err)
{
	const char *checked = drive_below(r, "checked");

	if (xb_fs_exists(checked) && (xb_fs_remove(r->records, err) < 0 || xb_fs_remove(checked, err) < 0))
		return err->code;
	r->has_old_records = xb_fs_exists(r->records);
	return 0;
}

static int make_dirs(struct run *r, struct xb_err *err)
{
	static const char *const names[] = {"build", "home", "tmp", "records"};

	if (forget_records(r, err) < 0)
		return err->code;
	for (size_t i = 0; i < XB_COUNT(names); i++) {
		if (xb_fs_mkdirs(drive_below(r, names[i]), 0755, err) < 0)
			return err->code;
	}
	return 0;
}

int drive_find_root(struct run *r, struct xb_err *err)
{
	const struct xb_setup *setup = r->spec->setup;
	char hex[XB_DIGEST_HEX];

	r->drive.unit = r->spec->unit->name;
	r->drive.project_dir = setup->project->dir;
	xb_foreign_needs(r->spec->unit, &r->arena, &r->needs);
	if (xb_foreign_programs(r->spec->unit, r->driver, &r->arena, &r->drive.programs, err) < 0 ||
	    digest_root(r, hex, err) < 0)
		return err->code;
	r->parent = in_project(r, xb_arena_printf(&r->arena, ".xbuild/foreign/%s/%s", setup->target->target->name,
						  setup->profile->name));
	r->root = xb_arena_printf(&r->arena, "%s/%s-%s", r->parent, r->spec->unit->name, hex);
	return 0;
}

/* config.guess's word for this host. */
static const char *build_machine(struct xb_arena *arena)
{
	struct xb_host host;

	xb_host_detect(&host);
	return xb_arena_printf(arena, strcmp(host.os, "darwin") == 0 ? "%s-apple-darwin" : "%s-pc-linux-gnu",
			       host.arch);
}

int drive_place(struct run *r, struct xb_err *err)
{
	const struct xb_drive_spec *spec = r->spec;

	r->drive.build_machine = build_machine(&r->arena);
	if (remove_older(r, r->parent, r->root + strlen(r->parent) + 1, err) < 0)
		return err->code;
	r->records = drive_below(r, "records");
	fill_wrapper(r);
	fill_drive(r);
	fill_rust(r);
	fill_path(r);
	const struct xb_foreign_dirs dirs = {r->drive.source_dir, r->drive.build_dir, r->drive.stage_dir,
					     r->drive.cross.sysroot};

	if (xb_foreign_resolve(spec->setup, spec->unit, &dirs, &r->arena, &r->foreign, err) < 0)
		return err->code;
	if (make_dirs(r, err) < 0 || xb_wrapper_make(&r->wrapper, err) < 0 || make_rust(r, err) < 0 ||
	    make_prefixes(r, err) < 0 || make_tools(r, err) < 0)
		return err->code;
	r->drive.cross.no_objdump = !xb_fs_exists(xb_cross_tool(&r->drive.cross, "objdump", &r->arena));
	return drive_sources(r, err);
}
