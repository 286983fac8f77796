/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The actions of a build and how they depend on each other. Made by build/plan, run by build/sched, read by
 * build/compdb and app/op_build.
 *
 * One action makes one file. What it is made from is: the source (a file of the project), the outputs of other actions
 * (inputs), and what the tool finds to read by itself (headers, libraries), which is known only after it ran once.
 *
 * Ownership: everything lives in the graph's arena. Fields below "run" belong to build/sched and are zero before.
 */
#ifndef XBUILD_BUILD_GRAPH_H
#define XBUILD_BUILD_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "xbuild/base/arena.h"
#include "xbuild/build/compile.h"
#include "xbuild/store/reapi.h"

enum xb_action_kind {
	XB_ACTION_CC,	   /* C source to object */
	XB_ACTION_CXX,	   /* C++ source to object */
	XB_ACTION_CPP,	   /* assembler source through the preprocessor */
	XB_ACTION_AS,	   /* assembler source to object */
	XB_ACTION_AR,	   /* objects to static library */
	XB_ACTION_LINK,	   /* to executable or shared library */
	XB_ACTION_DEBUG,   /* debug information alone */
	XB_ACTION_STRIP,   /* the program without it */
	XB_ACTION_FOREIGN, /* another build system's run to the manifest of what it installed (build/stage) */
	XB_ACTION_TAKE	   /* a file or directory of such a manifest to its place in out/; done by build/sched itself */
};
/* "CC", "CXX", "CPP", "AS", "AR", "LINK", "DEBUG", "STRIP", "BUILD", "TAKE". */
const char *xb_action_verb(enum xb_action_kind kind);

/* A command line that many actions share: all C sources of a unit for one target and profile. */
struct xb_variant {
	const struct xb_setup *setup;
	const struct xb_unit *unit;
	enum xb_action_kind kind;
	const char *tool; /* "clang" */
	bool extra_tool;  /* of the tree of further tools */
	bool has_depfile;
	struct xb_command command;
	struct xb_digest fingerprint; /* of the command, the tool trees and the sysroot */
	struct xb_dirs search;	      /* project directories that are searched for headers, in order */
};

/* Which state of a file at its place was last seen to hold a result: any change of the file changes one of these. */
struct xb_placed {
	int64_t mtime_ns, ctime_ns;
	uint64_t inode, size_bytes;
};

enum xb_action_state {
	XB_STATE_WAITING, /* for inputs */
	XB_STATE_READY,
	XB_STATE_RUNNING,
	XB_STATE_CURRENT, /* was up to date: nothing was done */
	XB_STATE_CACHED,  /* result taken from the store */
	XB_STATE_BUILT,	  /* ran */
	XB_STATE_PENDING, /* dry run: would run */
	XB_STATE_FAILED,
	XB_STATE_SKIPPED /* something that it needs failed */
};

struct xb_action {
	const struct xb_variant *variant;
	const char *source;  /* project path; NULL for AR, LINK, DEBUG, STRIP */
	bool source_is_made; /* source is the output of inputs[0] */
	const char *output;  /* project path; also the action's name, unique in the graph */
	bool executable;     /* mode of the output */
	const char *take;    /* XB_ACTION_TAKE: path below the staging tree ("usr/bin/tool") */
	bool is_final;	     /* lies in out/ and must be there when the build ends */
	struct xb_action **inputs;
	size_t n_inputs;
	struct xb_action **users; /* actions that have this one among their inputs */
	size_t n_users;

	/* run */
	enum xb_action_state state;
	size_t n_pending;		/* inputs that are not done */
	bool force;			/* its result was lost from the store: run whatever the records say */
	bool waits_for_use;		/* done, but somebody may still ask for the file itself */
	struct xb_digest inputs_digest; /* of the outputs of inputs, in order */
	struct xb_reapi_digest result;	/* of the output, when done */
	struct xb_placed placed;	/* of the file at `output`, zero when not placed */
	/* Files read beside source and inputs: project paths, "!path" when absence counts. Of XB_ACTION_FOREIGN they are known
	 * beforehand, and programs of this host are among them, by absolute paths. */
	const char **deps;
	size_t n_deps;
	const struct xb_digest *names; /* XB_ACTION_FOREIGN: of the project's files among deps (xb_foreign_inputs) */
	bool from_record;	       /* deps are those of the state's record `record` */
	uint32_t record;
	bool is_tree; /* XB_ACTION_TAKE: a directory; XB_ACTION_FOREIGN: its staging tree was looked at in this run */
	bool unrecorded; /* not to be remembered (an input may have changed) */
};

/* What a unit gives for one target. */
struct xb_product {
	const struct xb_unit *unit;
	const struct xb_setup *setup;
	struct xb_action *action;  /* makes the output; of another build system's unit the first of takes, or foreign */
	struct xb_action *foreign; /* runs the other build system, or NULL */
	struct xb_action **takes;  /* one for each of unit->outputs */
	struct xb_action *debug;   /* makes the separate debug file, or NULL */
	bool requested;		   /* not only a dependency */
	bool has_cxx;		   /* it, or a static library in it, has C++ sources */
};

struct xb_graph {
	struct xb_arena arena;
	struct xb_action **actions; /* an action stands behind its inputs */
	size_t n_actions;
	struct xb_product *products; /* in the order of setups, then units of the project */
	size_t n_products;
};

void xb_graph_free(struct xb_graph *graph); /* NULL-safe */

/* "CC src/a.c" or "LINK out/linux-x86_64/server": what people are told; owned by arena. */
const char *xb_action_label(const struct xb_action *action, struct xb_arena *arena);

/* The file names that stand for the markers of its command in the key. `inputs` is in arena. */
void xb_action_files(const struct xb_action *action, struct xb_arena *arena, struct xb_command_files *out);

#endif
