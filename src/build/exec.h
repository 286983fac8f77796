/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to src/build: one run of the scheduler, shared by sched.c (order), resolve.c (is there a result?), run.c (make
 * one) and reading.c (what it read). One thread; everything is borrowed from the struct.
 */
#ifndef XBUILD_BUILD_EXEC_H
#define XBUILD_BUILD_EXEC_H

#include "pool.h"
#include "xbuild/base/map.h"
#include "xbuild/base/vec.h"
#include "xbuild/build/foreign.h"
#include "xbuild/build/key.h"
#include "xbuild/build/origin.h"
#include "xbuild/build/sched.h"
#include "xbuild/build/shadow.h"
#include "xbuild/build/state.h"
#include "xbuild/store/action_cache.h"
#include "xbuild/sys/proc.h"

/* What belongs to one target. */
struct context {
	const struct xb_setup *setup;
	struct xb_roots roots;
	struct xb_origins *origins; /* opened when the first command of the target runs */
	struct xb_state *state;
	bool trees_seen; /* looked at after a failure, once for each run */
};

/* First in, first out; items are never removed, only passed. */
struct queue {
	XB_VEC(struct xb_action *) items;
	size_t head;
};

struct job;

struct exec {
	struct xb_graph *graph;
	const struct xb_sched_options *options;
	struct xb_sched_result *result;
	struct xb_arena *arena;	  /* of the result; deps of actions go to the graph's arena */
	struct context *contexts; /* same index as options->setups */
	struct xb_statcache *cache;
	struct xb_shadows *shadows;
	struct xb_map hashed; /* files hashed so far: when, in starts of commands */
	size_t n_starts;
	struct xb_procs *procs;
	XB_VEC(struct job *) jobs;    /* that run */
	struct pool pool;	      /* where units of other build systems are in the graph */
	size_t n_foreign;	      /* of them that run */
	bool starved;		      /* something could start, but for a free job */
	struct queue links, compiles; /* ready: what others wait for longest comes first */
	size_t n_done;
	bool stopping;	     /* a command failed and -k was not given */
	struct xb_err first; /* the first failure that is not a command's own */
};

/* A command that runs. */
struct job {
	struct xb_action *action;
	struct xb_arena arena;
	char *output, *depfile, *response; /* temporary files, owned; NULL when there is none */
	struct xb_reapi_digest command;
	size_t start;	    /* number of the command in this run */
	int64_t started_ns; /* wall clock */
};
void job_free(struct job *job);

struct context *exec_context(struct exec *x, const struct xb_action *action);

/* Owned absolute path of a project path. */
char *exec_path(const struct exec *x, const char *rel);

/* Tells what a tool printed. */
void exec_show(struct exec *x, const struct xb_action *action, struct xb_sv text);

/*
 * Looks for a result without running anything. 1: found, the action is done (CURRENT or CACHED, final outputs at their
 * place); 0: it has to run; negative: error.
 */
int exec_resolve(struct exec *x, struct xb_action *action, struct xb_err *err) XB_MUST_CHECK;

/*
 * Puts the output at its place unless it is there. 1: there; 0: the store has lost it (the action must run again).
 */
int exec_place(struct exec *x, struct xb_action *action, struct xb_err *err) XB_MUST_CHECK;

/* Files that are in the key: the source, the outputs of inputs, and the deps that are not "!". 1: all there; 0: one is missing. */
struct key_files {
	struct xb_key_file *items; /* sorted */
	size_t len;
};
int exec_key_files(struct exec *x, const struct xb_action *action, const struct xb_dep_set *deps,
		   struct xb_arena *arena, struct key_files *out, struct xb_err *err) XB_MUST_CHECK;

/* xb_statcache_get, and remembers that the file's content was known from here on. */
int exec_hash(struct exec *x, const char *path, struct xb_file_state *out, struct xb_err *err) XB_MUST_CHECK;

/* Starts the command. All outputs of inputs are at their places. */
int exec_start(struct exec *x, struct xb_action *action, struct xb_err *err) XB_MUST_CHECK;

/*
 * The command ended: publishes its result. Sets the action's state to BUILT or FAILED (its output was shown), or to READY when it
 * has to run again because nobody can tell whether an input changed under it.
 */
int exec_finish(struct exec *x, struct job *job, const struct xb_proc_result *ended, struct xb_err *err) XB_MUST_CHECK;

/*
 * exec_foreign.c: units of other build systems. argv: the command of their one action. hash: before it runs, so that a later
 * change of what it reads is seen by check, after it. take: as exec_resolve, of an XB_ACTION_TAKE, which is done right here;
 * 0: the store has lost what its input had. stage: the staging tree of an XB_ACTION_FOREIGN, for those that read it, as
 * exec_place. whole: 1 when the store has all that a manifest names.
 */
void exec_foreign_argv(struct exec *x, const struct job *job, struct xb_argv *argv);
int exec_foreign_hash(struct exec *x, const struct xb_action *action, struct xb_err *err) XB_MUST_CHECK;
int exec_foreign_check(struct exec *x, const struct job *job, struct xb_err *err) XB_MUST_CHECK;
int exec_take(struct exec *x, struct xb_action *action, struct xb_err *err) XB_MUST_CHECK;
int exec_stage(struct exec *x, struct xb_action *action, struct xb_err *err) XB_MUST_CHECK;
int exec_foreign_whole(struct exec *x, const struct xb_digest *manifest);

/* Remembers the action's result in the state of its target. */
void exec_record(struct exec *x, struct xb_action *action);

#endif
