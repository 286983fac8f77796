/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a unit of another build system is made from, for build/plan, which makes it one action of the graph, and for build/drive,
 * which runs it.
 *
 * Key:   what it is told (driver, options, arguments, environment, target, profile), all files below its directory, the
 *        programs of this host that it is known to start, and what its deps gave. Version control, what editors leave ("*~",
 *        ".*.swp" and the like) and what xbuild makes are left out.
 * Paths: the staging tree at .xbuild/stage/<target>/<profile>/<unit>, its manifest (build/stage) beside it.
 * Failure: XB_E_INPUT, XB_E_NOT_FOUND (a program), XB_E_SYSTEM.
 */
#ifndef XBUILD_BUILD_FOREIGN_H
#define XBUILD_BUILD_FOREIGN_H

#include "xbuild/build/compile.h"
#include "xbuild/build/driver.h"

/* ".xbuild/stage/<target>/<profile>/<unit>", a project path in arena. */
const char *xb_foreign_stage(const struct xb_setup *setup, const struct xb_unit *unit, struct xb_arena *arena);
/* ... ".manifest". */
const char *xb_foreign_manifest(const struct xb_setup *setup, const struct xb_unit *unit, struct xb_arena *arena);

/* ... ".commands.json": compile commands of the last time that it was built here, where its build system tells them. */
const char *xb_foreign_commands(const struct xb_setup *setup, const struct xb_unit *unit, struct xb_arena *arena);

/* What ${dir.source} and so on stand for. */
struct xb_foreign_dirs {
	const char *source, *build, *stage, *sysroot;
};

/*
 * What the unit's driver is told here: its own settings, then what its overrides for this target and profile add, ${...}
 * expanded. `dirs` NULL: the names that are in the key, the same on every machine. In arena.
 */
int xb_foreign_resolve(const struct xb_setup *setup, const struct xb_unit *unit, const struct xb_foreign_dirs *dirs,
		       struct xb_arena *arena, struct xb_foreign *out, struct xb_err *err) XB_MUST_CHECK;

/*
 * The .pc file (pkg-config's guide, "Writing pkg-config files") that a library of sources has for units of other build systems: who
 * links a static one is told of all that it needs, its modules, libraries and deps.
 */
void xb_foreign_module(const struct xb_unit *unit, struct xb_str *out);

/*
 * The same for find_package() of CMake (cmake-packages(7), "Package Configuration File"): the imported target NAME::NAME, by paths
 * from the file's own directory, <prefix>/lib/cmake/NAME.
 */
void xb_foreign_package(const struct xb_unit *unit, struct xb_str *out);

/* The canonical words of a resolved unit: everything that it is told, but no path of this machine. */
void xb_foreign_words(const struct xb_setup *setup, const struct xb_unit *unit, const struct xb_foreign *resolved,
		      struct xb_command *out);

/* Project paths, in arena. */
struct xb_foreign_files {
	struct xb_dirs files;	/* by directory in order; links to files are among them */
	struct xb_dirs others;	/* links that lead to a directory or to nothing, and empty directories */
	struct xb_digest names; /* of all these names, and of the texts of such links */
};

/* All that is below the project's directory `dir`, sorted. */
int xb_foreign_sources(const char *project_dir, const char *dir, struct xb_arena *arena, struct xb_foreign_files *out,
		       struct xb_err *err) XB_MUST_CHECK;

/* All that the unit is made from: its directory, a vendored one beside it, headers of units of sources that it needs. */
int xb_foreign_inputs(const char *project_dir, const struct xb_unit *unit, struct xb_arena *arena,
		      struct xb_foreign_files *out, struct xb_err *err) XB_MUST_CHECK;

/* Paths of the programs of a driver, links followed, in its order; in arena. XB_E_NOT_FOUND with a hint. */
int xb_foreign_programs(const struct xb_unit *unit, const struct xb_driver *driver, struct xb_arena *arena,
			const char *const **out, struct xb_err *err) XB_MUST_CHECK;

/*
 * Files of this machine that are inputs beside those of the project, as absolute paths: the driver's programs, the autotools
 * that make a configure script, the first word of each command of `command`; for scripts their interpreter too, and for Meson the
 * module with its version. A program that is not there, or is found in the unit's directory, is not among them.
 */
void xb_foreign_tools(const struct xb_unit *unit, const struct xb_foreign *resolved, const char *const *programs,
		      const struct xb_target *target, struct xb_arena *arena, struct xb_dirs *out);

/* What the unit needs of others, with what they need themselves; each once, those that are needed by others first. */
struct xb_unit_list {
	const struct xb_unit **items; /* in arena */
	size_t len;
};
void xb_foreign_needs(const struct xb_unit *unit, struct xb_arena *arena, struct xb_unit_list *out);

#endif
