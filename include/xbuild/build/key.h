/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The name of an action: the digest of a REAPI v2 Action (store/reapi.h), which is the same in every directory and on
 * every machine of one host kind.
 *
 * Input root: Directory { project: the files that the action reads, toolchain, sysroot, tools: one Directory digest each }.
 * Command:    canonical words (build/command), environment, working directory "project", the output's path.
 */
#ifndef XBUILD_BUILD_KEY_H
#define XBUILD_BUILD_KEY_H

#include "xbuild/base/arena.h"
#include "xbuild/build/graph.h"
#include "xbuild/store/reapi.h"

/*
 * The whole environment of every action, in the key as in the run; ends with NULL. SOURCE_DATE_EPOCH gives __DATE__ and
 * __TIME__ one value for ever: 1970-01-01 00:00:01.
 */
extern const char *const xb_action_env[];

struct xb_key_file {
	const char *path; /* project path, clean */
	struct xb_reapi_digest digest;
	bool executable;
};

/* Sorts as REAPI's Directory wants it (by component, not by byte of the whole path) and drops doubles; returns how many are left. */
size_t xb_key_sort(struct xb_key_file *files, size_t n);

/* Directory digest of a sorted list of files. */
void xb_key_directory(const struct xb_key_file *files, size_t n, struct xb_reapi_digest *out);

/* Digest of the Command message of an action. Scratch memory from arena. */
void xb_key_command(const struct xb_action *action, struct xb_arena *arena, struct xb_reapi_digest *out);

/* Digest of the Action: command and the files of the project that it reads (sorted). */
void xb_key_action(const struct xb_action *action, const struct xb_reapi_digest *command,
		   const struct xb_key_file *files, size_t n, struct xb_digest *out);

/* What the store's dependency records of an action go by: command, toolchain, sysroot, source path (store/action_cache). */
void xb_key_deps(const struct xb_action *action, const struct xb_reapi_digest *command, struct xb_digest *out);

/* Digest over the outputs of an action's inputs, in order: path and content. */
void xb_key_inputs(const struct xb_action *action, struct xb_digest *out);

#endif
