/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the programs of a target are started on this host, and what is said of their end.
 *
 * Native:   by the sysroot's own loader with the sysroot's own libraries, so that a test sees the libc that the program was
 *           linked with and runs on any distribution: <loader> --library-path <dirs> <program> <args> (ld.so(8)).
 * Emulated: <qemu> -L <sysroot> -E LD_LIBRARY_PATH=<dirs> <program> <args>; -L makes the program's loader come from the
 *           sysroot, and -E keeps the variable from the emulator itself. Without the directories the loader would read this
 *           machine's /etc/ld.so.cache, which may name libraries for the same kind of machine (i386 beside amd64).
 * Static programs need neither loader nor libraries.
 */
#ifndef XBUILD_SRC_APP_TEST_RUN_H
#define XBUILD_SRC_APP_TEST_RUN_H

#include "xbuild/app/op_test.h"
#include "xbuild/sys/proc.h"

struct test_runner {
	const char *name;	  /* "native", "qemu-aarch64"; NULL: this host cannot run programs of the target */
	const char *emulator;	  /* path; NULL: native */
	const char *sysroot;	  /* absolute */
	const char *loader;	  /* native: path of the sysroot's loader, or NULL when it has none */
	const char *own_libs;	  /* directory in which the project's shared libraries are found by soname, or NULL */
	const char *library_path; /* own_libs, then the sysroot's directories, joined by ':' */
};

/* argv for `program` (absolute path), NULL-terminated. */
const char *const *test_argv(struct xb_arena *arena, const struct test_runner *runner, const char *program,
			     bool is_static, const struct xb_words *args);
/* LC_ALL=C, PATH=/usr/bin:/bin, TMPDIR, and the test's own, which may replace these; NULL-terminated. */
const char *const *test_env(struct xb_arena *arena, const char *tmpdir, const struct xb_pairs *env);

/* Fills verdict, problems, output and elapsed_ms of a row. */
void test_judge(struct xb_arena *arena, const struct xb_test *test, const struct xb_proc_result *result,
		struct xb_test_row *row);
/* Makes the row failed or skipped for one reason. */
void test_row_reason(struct xb_arena *arena, struct xb_test_row *row, enum xb_verdict verdict, const char *fmt, ...)
	XB_PRINTF(4, 5);

/*
 * The tests that a unit has for its own build system: an entry that judges their end, in arena, and what starts them,
 * `xbuild drive` without a manifest.
 */
const struct xb_test *test_own(struct xb_arena *arena, const struct xb_unit *unit);
int test_own_start(struct xb_app *app, const struct xb_unit *unit, const struct xb_target *target, const char *profile,
		   struct xb_procs *procs, void *user, struct xb_err *err) XB_MUST_CHECK;

/* Adds the units that those named need: their deps, and the units in the arguments of their tests. Names in arena. */
void test_close_units(struct xb_arena *arena, const struct xb_project *project, const char *const *names, size_t n,
		      const char *const **out, size_t *out_n);
/* The unit of a word "build:<unit>", or NULL for any other word. */
struct xb_unit *test_word_unit(const struct xb_project *project, const char *word);

#endif
