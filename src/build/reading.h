/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to src/build: which files a command has read, and whether it may. The list comes from the tool's depfile and from
 * the assembler's directives, which no tool lists. A file outside of project, toolchain and sysroot, or one that another
 * action made, is XB_E_VERIFY; so is one that changed while the command ran.
 *
 *     reading_begin -> reading_take -> reading_check_inputs -> reading_set_deps -> reading_end
 */
#ifndef XBUILD_BUILD_READING_H
#define XBUILD_BUILD_READING_H

#include "exec.h"

/* What the tool says it read, before it is judged. */
struct reading {
	struct xb_arena *arena;		   /* borrowed */
	XB_VEC(const char *) paths;	   /* as named by the tool */
	XB_VEC(struct xb_read_file) files; /* the source first */
	struct xb_map known;		   /* the source and the inputs of the action: no deps */
	struct xb_dirs deps;		   /* project paths */
	struct xb_dirs includes;	   /* those that .include named */
	struct xb_dirs asked;		   /* names that preprocessor conditions look for */
	struct xb_dirs absent;		   /* "!path": where the assembler looked in vain */
	bool told;			   /* false: a name in the text could not be read */
};

/* What the action may read without a word: its source, and what other actions made for it. */
void reading_begin(struct reading *r, struct job *job);
void reading_end(struct reading *r);

/* Takes and judges what a command that succeeded has read. */
int reading_take(struct exec *x, struct job *job, struct reading *r, struct xb_err *err) XB_MUST_CHECK;
/* A command that failed because of a file that it may not read is refused for that, not for what it made of it. */
int reading_refuse(struct exec *x, struct job *job, struct reading *r, struct xb_err *err) XB_MUST_CHECK;

/* Fails when an input is not what it was when the command started. *out_doubt: nobody can tell, it has to run again. */
int reading_check_inputs(struct exec *x, const struct job *job, const struct reading *r, bool *out_doubt,
			 struct xb_err *err) XB_MUST_CHECK;

/* Sets action->deps: the files of the project, sorted, and what must stay absent. */
void reading_set_deps(struct exec *x, struct xb_action *action, struct reading *r, struct xb_arena *scratch);

/* The action's place in messages: its source, or what it makes. */
const char *exec_subject(const struct xb_action *action);

#endif
