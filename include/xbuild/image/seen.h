/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a file looked when it was known to hold what it should: so that it is not read or written again as long as nobody
 * touched it. Content that changes without its size, times and inode is not noticed.
 *
 * Failure: none; what cannot be looked at or remembered counts as changed.
 * Threads: no state.
 */
#ifndef XBUILD_IMAGE_SEEN_H
#define XBUILD_IMAGE_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"
#include "xbuild/sys/digest.h"

struct xb_seen {
	uint64_t size_bytes, mtime_ns, ctime_ns, inode;
};

/* False unless the path is a regular file (not a link); errno says why. */
bool xb_seen_look(const char *path, struct xb_seen *out);
bool xb_seen_eq(const struct xb_seen *a, const struct xb_seen *b);

/* Four numbers with blanks between them, and back. */
void xb_seen_format(const struct xb_seen *seen, struct xb_str *out);
bool xb_seen_parse(struct xb_sv text, struct xb_seen *out);

/*
 * One file that was made from what `key` names. `state_file` remembers key and look: _is_current says whether the file at
 * `path` was made from this key and was not touched since; _remember is called when it has just been written.
 */
bool xb_seen_is_current(const char *state_file, const char *path, const struct xb_digest *key);
int xb_seen_remember(const char *state_file, const char *path, const struct xb_digest *key,
		     struct xb_err *err) XB_MUST_CHECK;

#endif
