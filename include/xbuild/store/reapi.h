/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few messages of the Remote Execution API v2 (build.bazel.remote.execution.v2, remote_execution.proto) that name
 * actions and their results, in canonical protobuf: fields in the order of their tags, defaults left out, repeated
 * members sorted as the proto demands. The digest of a message is the SHA-256 of its bytes.
 *
 *   Digest{hash=1, size_bytes=2}  Directory{files=1, directories=2, symlinks=3}
 *   FileNode{name=1, digest=2, is_executable=4}  DirectoryNode{name=1, digest=2}  SymlinkNode{name=1, target=2}
 *   Command{arguments=1, environment_variables=2{name=1, value=2}, working_directory=6, output_paths=7}
 *   Action{command_digest=1, input_root_digest=2}
 *   ActionResult{output_files=2{path=1, digest=2, is_executable=4}, exit_code=4, stderr_raw=7 ...}
 */
#ifndef XBUILD_STORE_REAPI_H
#define XBUILD_STORE_REAPI_H

#include <stdbool.h>
#include <stdint.h>

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"
#include "xbuild/sys/digest.h"

struct xb_reapi_digest {
	struct xb_digest hash;
	uint64_t size_bytes;
};

/* Digest of a message's bytes. */
void xb_reapi_digest_of(const struct xb_str *message, struct xb_reapi_digest *out);

/* Appending writers; nodes must come sorted by name within their kind, all files before directories before symlinks. */
void xb_reapi_file_node(struct xb_str *directory, struct xb_sv name, const struct xb_reapi_digest *digest,
			bool executable);
void xb_reapi_directory_node(struct xb_str *directory, struct xb_sv name, const struct xb_reapi_digest *digest);
void xb_reapi_symlink_node(struct xb_str *directory, struct xb_sv name, struct xb_sv target);

/* Command: env entries "NAME=value" sorted by name; output_paths sorted. NULL-terminated arrays. */
void xb_reapi_command(const char *const *argv, const char *const *env, const char *working_directory,
		      const char *const *output_paths, struct xb_str *out);
void xb_reapi_action(const struct xb_reapi_digest *command, const struct xb_reapi_digest *input_root,
		     struct xb_str *out);

struct xb_reapi_output {
	const char *path;
	struct xb_reapi_digest digest;
	bool executable;
};
struct xb_reapi_result {
	struct xb_reapi_output *outputs; /* sorted by path; owned by the arena given to decode */
	size_t n_outputs;
	int exit_code;
	struct xb_sv output_text; /* what the tool printed (warnings), carried in stderr_raw */
};
struct xb_arena;
void xb_reapi_result_encode(const struct xb_reapi_result *result, struct xb_str *out);
/* Strict: unknown fields are skipped, anything malformed is XB_E_INPUT; bounds are checked. */
int xb_reapi_result_decode(struct xb_sv bytes, struct xb_arena *arena, struct xb_reapi_result *out,
			   struct xb_err *err) XB_MUST_CHECK;

#endif
