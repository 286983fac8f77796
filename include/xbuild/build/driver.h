/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How another build system makes a unit for one target: one const struct xb_driver per system, in the array of build/driver.c.
 *
 * A driver is pure: it gets a struct xb_drive and answers with files and steps; it asks neither disk nor environment. Running
 * the steps, the environment, the jobserver, the staging tree and the checks behind are those of build/drive, the same for all.
 *
 * What a new driver gives (docs/adding-a-driver.md):
 *   programs  the programs of this host that it starts. "ninja|make" takes the first that is there. They are looked for in
 *             PATH; drive->programs has their paths at the same index. Their content is part of the key of the result.
 *   prepare   the files that the first step reads (a toolchain file, a cross file): names below build_dir and their text.
 *             They are written before the first step, and only when their content is another.
 *   tracks    whether the build system sees by itself that a source is another and knows what depends on it: the directory
 *             stays when only such sources changed. What configures, runs or installs may have read any other file, so that
 *             a change of one begins with an empty directory (build/drive_kept). NULL: that goes for all files.
 *   runs_own  whether something in the build directory was made by a command of the project's own (a custom command, a build
 *             script), which may have read anything, and found what an earlier run of it left: then the directory does not
 *             stay, whatever changed. NULL: the build system runs none.
 *   steps     the commands, in order. The first ones configure (`once`), and are passed over in a directory that stays.
 *   tests     the commands that run the tests which come with the unit, for `xbuild test`, in the same build directory.
 *   explain   a sentence for what a failed step printed, or NULL: "install the program 'x'", "set cache: { VAR: ... }".
 * and one row in model/project_foreign.c for the keys that it has.
 *
 * Contract of the steps: source_dir is only read, which is checked (what builds in its sources, works on a copy:
 *   XB_DRIVER_IN_SOURCE, or the unit's `copy`), everything else happens below build_dir, and the last step installs below
 *   stage_dir (DESTDIR) with the prefix /usr.
 * Environment: PATH begins with <wrapper_dir>/bin, which holds <triple>-clang, <triple>-gcc, <triple>-pkg-config and so on;
 *   then host tools of the project, then the host's PATH. CC, CXX, PKG_CONFIG and the like are those of xb_cross_env with
 *   XB_DRIVER_CROSS_ENV. HOME and TMPDIR are below build_dir; SOURCE_DATE_EPOCH, TZ and LC_ALL are fixed; the unit's `env:`
 *   comes last.
 * Threads: any.
 */
#ifndef XBUILD_BUILD_DRIVER_H
#define XBUILD_BUILD_DRIVER_H

#include "xbuild/base/arena.h"
#include "xbuild/base/vec.h"
#include "xbuild/build/command.h"
#include "xbuild/build/cross.h"
#include "xbuild/model/project.h"
#include "xbuild/model/tools.h"

/* One unit for one target. Everything is borrowed, all paths are absolute. */
struct xb_drive {
	const char *unit; /* name */
	const char *project_dir;
	const char *
		source_dir; /* project_dir and the unit's `dir`; with XB_DRIVER_IN_SOURCE or `copy` a copy of it beside build_dir */
	const char *build_dir;	   /* empty when the first step that configures begins */
	const char *stage_dir;	   /* empty when the first step begins */
	const char *build_machine; /* this host, as GNU's configure scripts call it: "x86_64-pc-linux-gnu" */
	struct xb_cross
		cross; /* target, sysroot, wrapper_dir, emulator, prefixes of deps; cmake_file is <build_dir>/toolchain.cmake */
	const struct xb_tools *tools;
	const struct xb_project_target *target; /* cpu and the like; may be NULL in tests */
	const struct xb_profile *profile;
	/* dir, options, args, env ... as they hold for this target and profile, ${...} expanded. */
	const struct xb_foreign *foreign;
	const char *const *programs; /* same index as driver->programs */
	/* cargo: the directory of launchers (build/rust_launch); a directory source of crates (`vendor`, or the tree of locked ones), or NULL; and this machine's own kind as
	 * a target, for what runs while it builds, or NULL: the host's compiler makes that. */
	const char *rust_bin;
	const char *vendor_dir;
	const struct xb_cross *host;
};

/* Who shares the pool of jobs in a step: what the runner adds to it. */
enum xb_pool {
	XB_POOL_NONE, /* one process after another */
	XB_POOL_MAKE, /* MAKEFLAGS with the jobserver: make and what it starts, cargo, and whoever else asks there */
	XB_POOL_NINJA, /* the same for a ninja that knows it (1.13), else the word -j<n> behind the last (build/drive_jobs) */
	XB_POOL_WORD /* the word -j<n> behind the last */
};

struct xb_step {
	const char *what;	 /* "configure", "build", "install": for messages */
	const char *const *argv; /* argv[0] is an absolute path; ends with NULL */
	const char *cwd;
	const struct xb_cross_var *env; /* beside the base environment; may be NULL */
	size_t n_env;
	enum xb_pool pool;
	/* A text that its output must hold, else it failed; NULL: none. */
	const char *must_print;
	/* It runs nothing and tells what the next one would run, which is read for places of this machine (make -n). */
	bool looks;
	bool may_fail; /* ... and it is all the same whether it can */
	/* It configures: passed over in a build directory that stays. */
	bool once;
};

/* An XB_VEC with names, so that functions can take it. Strings and items in the arena that the driver is given. */
struct xb_steps {
	struct xb_step *items;
	size_t len, cap;
};
struct xb_drive_file {
	const char *name; /* below build_dir */
	const char *text;
};
struct xb_drive_files {
	struct xb_drive_file *items;
	size_t len, cap;
};

enum xb_driver_flags {
	XB_DRIVER_IN_SOURCE = 1, /* builds where its sources are: gets a copy */
	XB_DRIVER_CROSS_ENV = 2, /* the whole of xb_cross_env is in the environment */
	XB_DRIVER_STRIP = 4	 /* it has no word for it: a profile with `strip` strips what it installed */
};

struct xb_driver {
	enum xb_driver_kind kind;
	enum xb_driver_flags flags;
	const char *const *programs; /* ends with NULL */
	const char *commands;	     /* below build_dir: its compile_commands.json; NULL: it writes none */
	/* Each but steps may be NULL. */
	bool (*tracks)(const char *path);
	bool (*runs_own)(const char *build_dir);
	void (*prepare)(const struct xb_drive *drive, struct xb_arena *arena, struct xb_drive_files *out);
	int (*steps)(const struct xb_drive *drive, struct xb_arena *arena, struct xb_steps *out, struct xb_err *err);
	/* The tests that the unit has in the words of its own build system: steps that install nothing. NULL: none. */
	int (*tests)(const struct xb_drive *drive, struct xb_arena *arena, struct xb_steps *out, struct xb_err *err);
	/* `output` is what the failed step printed, cut to its last part. In arena or static. */
	const char *(*explain)(const struct xb_drive *drive, const struct xb_step *step, struct xb_sv output,
			       struct xb_arena *arena);
};

/* Of a unit that is not XB_DRIVER_SOURCES; NULL: there is none yet. */
const struct xb_driver *xb_driver_find(enum xb_driver_kind kind);

/* For drivers: a step at the end of the list, with cwd build_dir. Its argv is appended with xb_argv and closed by the caller. */
struct xb_step *xb_steps_add(struct xb_steps *steps, struct xb_arena *arena, const char *what);
/* ... one more variable of the step. Strings are borrowed. */
void xb_step_env(struct xb_step *step, struct xb_arena *arena, const char *name, const char *value);
void xb_drive_files_add(struct xb_drive_files *files, struct xb_arena *arena, const char *name, const char *text);

#endif
