/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the settings of a unit to the words of its compile commands.
 *
 * Order of the words: what xbuild needs (target, sysroot, path maps), the profile's optimisation and debug information,
 * the language standard, defines, include directories (own, then handed on), pkg-config, then the user's flags: those of
 * the unit, of the target, of the profile, and of the unit's own overrides. The last word wins, as clang has it.
 *
 * Nothing of the host: no default configuration files, the GCC directory of the sysroot is named, all three roots are
 * mapped away in debug information and __FILE__ (clang, Users Manual, -ffile-prefix-map).
 *
 * Failure: XB_E_INPUT. Which words a project file may hold is model/flags' matter and was checked when it was read.
 */
#ifndef XBUILD_BUILD_COMPILE_H
#define XBUILD_BUILD_COMPILE_H

#include <stdbool.h>

#include "xbuild/base/err.h"
#include "xbuild/build/command.h"
#include "xbuild/build/pkgconfig.h"
#include "xbuild/model/project.h"

enum xb_language {
	XB_LANG_C,	 /* .c */
	XB_LANG_CXX,	 /* .cc .cpp .cxx .c++ .cp .C */
	XB_LANG_ASM,	 /* .s */
	XB_LANG_ASM_CPP, /* .S .sx: preprocessed, then assembled as XB_LANG_ASM */
	XB_N_LANGUAGES
};
/* By the extension; false when it is none of these. */
bool xb_language_of(const char *path, enum xb_language *out);

/* What one target and profile of a project are built with. Everything is borrowed. */
struct xb_setup {
	const struct xb_project *project;
	const struct xb_project_target *target;
	const struct xb_profile *profile;
	const struct xb_tools *tools;
	const struct xb_sysroot_paths *sysroot;
	/* Expands ${...} of a define's value. NULL: such a value is refused. */
	int (*expand)(void *ctx, const char *text, const struct xb_target *target, struct xb_str *out,
		      struct xb_err *err);
	void *expand_ctx;
	int jobs; /* threads that a link may use */
	/* What runs programs of the target here ("/usr/bin/qemu-aarch64", "-L", sysroot), ends with NULL; empty where this host
	 * does by itself; NULL: nothing does. For units of other build systems. */
	const char *const *emulator;
	/* For units of cargo: the Rust that builds them, and the sysroot of this machine's own kind, for what runs while they
	 * are built. NULL: none. */
	const struct xb_rust_tools *rust;
	const struct xb_sysroot_paths *host_sysroot;
	bool tools_only; /* nothing but what others need as host tools is built for this target */
};

/*
 * Calls fn for every settings block that holds for the unit here, in the order in which later ones win: the unit's own, the
 * project's for the target, the profile's, the unit's overrides in the order of the file. Stops at a negative return.
 */
int xb_settings_each(const struct xb_setup *setup, const struct xb_unit *unit,
		     int (*fn)(void *ctx, const struct xb_settings *settings, struct xb_err *err), void *ctx,
		     struct xb_err *err) XB_MUST_CHECK;

/* "xbuild.yaml:12:7: " for messages, or "" when the place is unknown; in arena. */
const char *xb_place_text(const struct xb_place *at, struct xb_arena *arena);

/*
 * Appends the whole command but the tool's name; markers stand for source, output and depfile. XB_LANG_ASM_CPP gives the
 * preprocessing step. pkgconfig may be NULL when no unit names a module.
 */
int xb_compile_command(const struct xb_setup *setup, const struct xb_unit *unit, enum xb_language language,
		       struct xb_pkgconfig *pkgconfig, struct xb_command *out, struct xb_err *err) XB_MUST_CHECK;

/* C++ with the headers of the sysroot's libc++. */
void xb_compile_libcxx(struct xb_command *out);

/*
 * Parts of it, for whoever drives the compiler otherwise (build/wrapper): target, sysroot and GCC directory, with no look at
 * the host; the roots mapped away in what is written, that of the project on request; the cpu that the project asks
 * for, or with NULL the target's oldest.
 */
void xb_compile_target(const struct xb_tools *tools, const struct xb_sysroot_paths *sysroot, struct xb_command *out);
void xb_compile_maps(bool project, struct xb_command *out);
void xb_compile_cpu(const struct xb_target *target, const char *cpu, struct xb_command *out);

/* A list of paths or names in an arena. */
struct xb_dirs {
	const char **items;
	size_t len, cap;
};
/* Appends a borrowed string; the list grows in the arena. */
void xb_dirs_add(struct xb_dirs *dirs, struct xb_arena *arena, const char *item);
/* ... unless it is there. */
void xb_dirs_add_new(struct xb_dirs *dirs, struct xb_arena *arena, const char *item);
/* Project directories that the unit's compiles search, in order; what shadows what depends on it. In arena. */
void xb_include_dirs(const struct xb_unit *unit, struct xb_arena *arena, struct xb_dirs *out);

#endif
