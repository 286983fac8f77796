/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the last builds of one target and profile in this project left: per output the command, the files that were read and
 * the result. It makes a build with nothing to do cost one stat per file and no hashing of commands.
 *
 * The state is a cache of what the store would say: content decides, through store/statcache. A file that is missing,
 * damaged or of another format is an empty state. Written atomically, only when something changed.
 *
 * Format: native integers (the file belongs to one machine): header with magic and the SHA-256 of all that follows, then
 *         the tables of paths, sets, set members and records, then the strings. Everything is checked on reading.
 * Threads: one thread.
 */
#ifndef XBUILD_BUILD_STATE_H
#define XBUILD_BUILD_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "xbuild/base/err.h"
#include "xbuild/build/graph.h"
#include "xbuild/build/shadow.h"
#include "xbuild/store/statcache.h"

/* What is known of one output. */
struct xb_state_record {
	struct xb_digest fingerprint; /* of the variant */
	struct xb_digest inputs;      /* xb_key_inputs */
	struct xb_digest result;
	uint64_t size_bytes;
	struct xb_placed placed;
};

struct xb_state;

/*
 * `generation` is that of the store (xb_store_generation): a state that was saved under another one is empty, for its
 * results were given up. `cache` and `shadows` (of the same project) tell what files are now; borrowed.
 */
struct xb_state *xb_state_open(const char *file, const char *generation, struct xb_statcache *cache,
			       struct xb_shadows *shadows);
void xb_state_free(struct xb_state *state); /* NULL-safe */

/* The record of an output, NULL when there is none; *out_index names it in the calls below. Asking in the order of the
 * last build is fastest. */
const struct xb_state_record *xb_state_find(struct xb_state *state, const char *output, uint32_t *out_index);

/* True when all files that the record depends on have the content they had, and those that had to be absent are. */
bool xb_state_is_fresh(struct xb_state *state, uint32_t index);

/* The record still holds (and, when placed is not NULL, its output is there now). Records that are not kept or put in a run
 * stay as long as they do not contradict what this run saw. */
void xb_state_keep(struct xb_state *state, uint32_t index, const struct xb_placed *placed);

/*
 * A new record for `output`, in place of the old one. `deps` as in xb_action: project paths, and "!path" for files that
 * have to be absent. Strings are copied.
 */
void xb_state_put(struct xb_state *state, const char *output, const struct xb_state_record *record,
		  const char *const *deps, size_t n_deps);
/* There is no valid result for this output: its record goes. */
void xb_state_drop(struct xb_state *state, const char *output);

/* A word for the caller's use, kept with the state (digest of compile_commands.json). Zero at first. */
struct xb_digest *xb_state_note(struct xb_state *state);

/* Owned path of the file of one target and profile. */
char *xb_state_path(const char *project_dir, const char *target, const char *profile);

/*
 * What the actions that made `outputs` have read of the project, as it was saved: sorted by path, each file once, in arena.
 * False when one of them has no record. For a state that was only opened to ask (its cache and shadows may be NULL).
 */
struct xb_state_file {
	const char *path;
	struct xb_digest digest;
};
bool xb_state_reads(struct xb_state *state, const char *const *outputs, size_t n, struct xb_arena *arena,
		    struct xb_state_file **out, size_t *out_len);
/* Another one whenever the saved file is (zero without one): what was made from a state is current as long as this is the same. */
void xb_state_digest(const struct xb_state *state, struct xb_digest *out);

int xb_state_save(struct xb_state *state, struct xb_err *err) XB_MUST_CHECK;

/* Reads what stat(2) says of the regular file at `path` into *out; zero when there is none. */
void xb_placed_read(const char *path, struct xb_placed *out);
bool xb_placed_eq(const struct xb_placed *a, const struct xb_placed *b); /* false for two zeros */

#endif
