/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tools for tests of the scheduler: the test program itself, started under the name of a tool. They do what the real ones
 * are asked for as far as the build can see it, in a few lines each, on any host.
 *
 * "clang" copies the source to the output, replaces lines `#include "x"` (or <x>) by the file found beside the includer or
 * along -I, and lists what it read. Further lines it obeys: `#warning TEXT` (printed in colour), `#error TEXT` and `#say TEXT` (fail),
 * `#append FILE` (writes to FILE while it runs: a source that changes), `#wait FILE` (until FILE exists), `#read FILE` (listed
 * as read, whatever it is). "ld.lld" and "llvm-ar" join their inputs, "llvm-objcopy" copies. An input with the line
 * "replaced at link" is replaced by another file while it is read.
 */
#ifndef TESTS_UNIT_BUILD_FAKE_H
#define TESTS_UNIT_BUILD_FAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "xbuild/build/plan.h"
#include "xbuild/build/sched.h"

/* Call first in main: when argv[0] is the name of a tool it runs and does not return. */
void fake_main(int argc, char **argv);

/* A directory with project, sysroot and toolchain, and everything to build it. */
struct fake {
	char dir[64]; /* temporary */
	char project_dir[128];
	struct xb_project project;
	struct xb_project_target target;
	struct xb_profile profile;
	struct xb_tools tools;
	struct xb_sysroot_paths sysroot;
	struct xb_setup setup;
	struct xb_store *store;
	struct xb_sched_options options;
	struct xb_observer observer;
	struct xb_str output; /* what OUTPUT events told */
	struct xb_str jobs;   /* "CC a.c\n" per JOB event */
	volatile int interrupted;
	bool interrupt_on_job; /* raise the flag at the first JOB event */
	struct xb_sched_result result;
	struct xb_err err;
	struct xb_arena arena; /* of units and results */
};

void fake_open(struct fake *f);
void fake_close(struct fake *f);
/* A second project in a directory of its own, with the same tools and store. Files are copied. */
void fake_clone(const struct fake *from, struct fake *out);

struct xb_unit *fake_unit(struct fake *f, const char *name, enum xb_unit_kind kind, const char *pattern);
void fake_dep(struct fake *f, struct xb_unit *unit, struct xb_unit *dep);
void fake_include(struct fake *f, struct xb_unit *unit, const char *dir);

/* Writes a file of the project (path relative to it), with parents. */
void fake_write(const struct fake *f, const char *path, const char *text);
/* Owned content of a file of the project, or NULL. */
char *fake_read(const struct fake *f, const char *path);
bool fake_exists(const struct fake *f, const char *path);

/* Plans and runs all units; result and err are those of this run. Returns the code. */
int fake_build(struct fake *f);

#endif
