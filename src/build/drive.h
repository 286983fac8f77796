/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/build: one run of xb_drive_run, shared by drive.c and the drive_*.c. */
#ifndef XBUILD_BUILD_DRIVE_PRIVATE_H
#define XBUILD_BUILD_DRIVE_PRIVATE_H

#include "xbuild/build/drive.h"
#include "xbuild/build/foreign.h"
#include "xbuild/build/stage.h"
#include "xbuild/build/wrapper.h"

struct run {
	const struct xb_drive_spec *spec;
	struct xb_arena arena;
	const struct xb_driver *driver;
	struct xb_foreign foreign; /* resolved, with the paths of this machine */
	struct xb_drive drive;
	struct xb_wrapper_spec wrapper;
	struct xb_cross host; /* cargo: wrappers for this machine's own kind */
	struct xb_unit_list needs;
	const char *root;	/* absolute: holds build, src, wrap, deps, tools, home, tmp, records, log */
	const char *parent;	/* of root */
	const char *records;	/* what the wrappers saw since the last run that passed the checks */
	bool has_old_records;	/* some are of an earlier run, which failed */
	bool leaked;		/* drive_check failed by a record */
	const char *path;	/* PATH of the steps */
	const char *made_of;	/* what the unit is made from, as drive_kept.c writes it */
	bool is_kept;		/* the directory has what an earlier run made, and it may be used */
	struct xb_dirs changed; /* then: sources that are others than in that run */
	bool is_configured;	/* the steps that configure have succeeded, in this run or an earlier one */
	const char *sources; /* what the project's files were before the first step; NULL: the unit builds in a copy */
	struct xb_stage stage;
	struct xb_str *shown;
};

/*
 * drive_place.c: where everything is. The first fills root and parent, the second, called with the root locked, the rest, and
 * makes the directories and what stands in them.
 */
int drive_find_root(struct run *r, struct xb_err *err) XB_MUST_CHECK;
/* "<root>/<name>", in the arena. */
const char *drive_below(struct run *r, const char *name);
int drive_place(struct run *r, struct xb_err *err) XB_MUST_CHECK;

/*
 * drive_kept.c: what stays of the directory that an earlier run left. The first comes before drive_place and removes one that
 * may not stay; the second says what the next run may keep, by how this one ended (0 or an error's code). In between, a run that is
 * killed leaves a directory that does not stay.
 */
int drive_kept_begin(struct run *r, struct xb_err *err) XB_MUST_CHECK;
int drive_kept_end(struct run *r, int rc, struct xb_err *err) XB_MUST_CHECK;

/* drive_sources.c: does the unit build in a copy of its sources, <root>/src? */
bool drive_copies(const struct run *r);
/* Makes the copy, or brings r->changed to the one that is kept; or keeps in mind what the project's files are. */
int drive_sources(struct run *r, struct xb_err *err) XB_MUST_CHECK;
/* XB_E_VERIFY when they are not so any more, behind the step `what`. */
int drive_check_sources(struct run *r, const char *what, struct xb_err *err) XB_MUST_CHECK;

/* drive_jobs.c: how a step shares the pool of jobs, by what its program understands. */
enum drive_jobs {
	DRIVE_JOBS_NONE,
	DRIVE_JOBS_WORD, /* a share that is taken before, as the word -j<n> */
	DRIVE_JOBS_FDS,	 /* MAKEFLAGS with two descriptors */
	DRIVE_JOBS_FIFO	 /* MAKEFLAGS with the name of the FIFO */
};
enum drive_jobs drive_jobs(struct run *r, const struct xb_step *step, const char *program);
/* The same without asking: `fifo` may be NULL, `version` is what --version prints. */
enum drive_jobs drive_jobs_of(enum xb_pool pool, bool is_make, const char *fifo, struct xb_sv version);

/* drive_env.c: "NAME=value" for a step, ends with NULL; in the arena. `pool` adds what shares jobs (MAKEFLAGS). */
const char *const *drive_env(struct run *r, const struct xb_step *step, const char *makeflags);
/* The file that a step starts: by the PATH of the steps, or as it is when it has a slash. NULL: not there. */
const char *drive_find(struct run *r, const struct xb_step *step);

/* drive_look.c: places of this machine outside of `own` that commands of a shell would write to, as make -n prints them. */
void drive_look(struct xb_sv text, const char *const *own, struct xb_arena *arena, struct xb_dirs *out);
/* ... a warning with their names. */
void drive_warn_places(struct run *r, struct xb_sv commands);

/* drive_answers.c: what a configure script asked that wanted to run a program of the target. Views into log and script; empty: not found. */
struct drive_question {
	struct xb_sv check;	/* "checking whether x works" */
	uint64_t line;		/* of the script, where it gave up; 0: that is not in the log */
	struct xb_sv variable;	/* of the cache, which would have answered */
	struct xb_sv values[2]; /* what the check itself would make of it */
	size_t n_values;
};
void drive_question(struct xb_sv log, struct xb_sv script, struct drive_question *out);
/* The sentence for a step that failed: by the files that it left, else the driver's own. NULL: none. */
const char *drive_explain(struct run *r, const struct xb_step *step, struct xb_sv output);

/* drive_commands.c: what the build system wrote of its compile commands, to xb_foreign_commands. */
int drive_keep_commands(struct run *r, struct xb_err *err) XB_MUST_CHECK;

/* drive.c: runs one step to its end; what it printed goes to the log. */
int drive_run_step(struct run *r, struct xb_step *step, struct xb_err *err) XB_MUST_CHECK;
/* drive_strip.c: of what lies in the staging tree, where driver and profile say so. */
int drive_strip(struct run *r, struct xb_err *err) XB_MUST_CHECK;

/* drive_check.c: what was installed (r->stage), before anything is published. */
int drive_check(struct run *r, struct xb_err *err) XB_MUST_CHECK;
/* drive_leaks.c: what the wrappers saw. Warnings go to r->shown. */
int drive_check_leaks(struct run *r, struct xb_err *err) XB_MUST_CHECK;
/* drive_linked.c: what was installed and linked by none of them: a warning. */
int drive_check_linked(struct run *r, struct xb_err *err) XB_MUST_CHECK;
/* drive_objects.c: objects that GCC has compiled: a warning. */
int drive_check_objects(struct run *r, struct xb_err *err) XB_MUST_CHECK;
/* drive_paths.c: paths of this machine in what was installed: a warning. */
int drive_check_paths(struct run *r, struct xb_err *err) XB_MUST_CHECK;

#endif
