/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines that are written twice from one description: once with the names of the input root (they go into the
 * key of the action and are the same on every machine) and once with the paths of this machine (they are run).
 *
 * The input root holds the directories `project/`, `toolchain/`, `sysroot/` and `tools/` side by side, the working
 * directory is `project`. A file of the project is therefore written "src/a.c" in both, and the compiler is
 * "../toolchain/usr/lib/llvm-22/bin/clang" in the one and an absolute path, behind its loader, in the other.
 *
 * Guarantee: nothing of this machine (directory, user, job count, terminal) gets into the canonical words.
 * Sequence:  xb_command_init, append words, xb_command_argv any number of times. Words are borrowed, not copied, unless
 *            a function says so: build them in the same arena.
 * Threads:   one command belongs to one thread.
 */
#ifndef XBUILD_BUILD_COMMAND_H
#define XBUILD_BUILD_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "xbuild/base/arena.h"
#include "xbuild/model/tools.h"
#include "xbuild/sys/digest.h"

/* What a word of a command line stands for. */
enum xb_root {
	XB_ROOT_NONE,	   /* text alone */
	XB_ROOT_PROJECT,   /* a path below the project's directory */
	XB_ROOT_TOOLCHAIN, /* ... below the toolchain tree */
	XB_ROOT_SYSROOT,   /* ... below the sysroot tree */
	XB_ROOT_TOOLS,	   /* ... below the tree of further tools (llvm-ar) */
	XB_N_ROOTS,
	XB_WORD_SOURCE = XB_N_ROOTS, /* the source file of the action */
	XB_WORD_OUTPUT,		     /* its output: the project path in the key, a temporary file when it runs */
	XB_WORD_DEPFILE, /* the list of files it read: "<output>.d" in the key, a temporary file when it runs */
	XB_WORD_INPUTS	 /* one word per input that another action makes, in order */
};

/* Printed as text, then the root's directory, then "/" path (when path is not NULL), then tail. */
struct xb_word {
	const char *text; /* "" when there is none */
	enum xb_root root;
	const char *path;
	const char *tail;
	bool real_only; /* not part of the key: colour, number of threads */
};

struct xb_command {
	struct xb_arena *arena; /* borrowed; holds the words */
	struct xb_word *items;
	size_t len, cap;
};

void xb_command_init(struct xb_command *command, struct xb_arena *arena);
void xb_command_word(struct xb_command *command, const char *text);
/* `path` and `tail` may be NULL. */
void xb_command_rooted(struct xb_command *command, const char *text, enum xb_root root, const char *path,
		       const char *tail);
void xb_command_real(struct xb_command *command, const char *text);
void xb_command_append(struct xb_command *command, const struct xb_command *more);

/* The directory that each root is printed as; `real` tells whether real_only words are wanted. */
struct xb_roots {
	const char *dirs[XB_N_ROOTS]; /* NULL where a run has no such tree */
	bool real;
};

/* "../project", "../toolchain", "../sysroot", "../tools". */
void xb_roots_canonical(struct xb_roots *out);
/* Borrows from its arguments. tools->extra_dir may be NULL: further tools are then looked for in the toolchain. */
void xb_roots_real(const char *project_dir, const struct xb_tools *tools, const struct xb_sysroot_paths *sysroot,
		   struct xb_roots *out);

/* What stands for the four markers in one action. */
struct xb_command_files {
	const char *source, *output, *depfile; /* NULL where the command has no such word */
	const char *const *inputs;
	size_t n_inputs;
};

/* Appending list of words, NULL-terminated after xb_command_argv; strings live in arena. */
struct xb_argv {
	struct xb_arena *arena; /* borrowed */
	const char **items;	/* in arena */
	size_t len, cap;
};
void xb_argv_push(struct xb_argv *argv, const char *word);
/* Appends the words of `command` and ends the list with NULL (not counted in len). */
void xb_command_argv(const struct xb_command *command, const struct xb_roots *roots,
		     const struct xb_command_files *files, struct xb_argv *out);

/*
 * Appends how `tool` ("clang", "ld.lld") is really started: emulator, loader, library path and --argv0 as
 * model/tools.h says; ld.so(8). `extra` asks for a tool of the further tools' tree, run with the libraries of the base.
 */
void xb_command_launch(const struct xb_tools *tools, const char *tool, bool extra, struct xb_argv *out);
/* ... with another --argv0: the name by which a program starts itself again. Where there is no loader it is not used. */
void xb_command_launch_as(const struct xb_tools *tools, const char *tool, bool extra, const char *argv0,
			  struct xb_argv *out);
/* The same as one canonical word: "../toolchain/<bin_dir>/<tool>" or "../tools/...". In arena. */
const char *xb_command_tool(const struct xb_tools *tools, const char *tool, bool extra, struct xb_arena *arena);

/* Digest of the canonical words with the markers left as they are: equal digests, equal commands for every source. */
void xb_command_digest(const struct xb_command *command, struct xb_digest *out);

/* The words with blanks between them, quoted as a POSIX shell would need it; for people (verbose output). */
struct xb_str;
void xb_command_show(const char *const *argv, struct xb_str *out);

#endif
