/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content-addressed blobs of the store.
 *
 * Guarantee: a blob that is visible has the content of its name. A writer that fails or is given up leaves nothing.
 *            Blobs are read-only files.
 * Durability: commit does not fsync; xb_cas_sync() flushes a batch. A blob whose name survived a power cut but whose content did
 *            not is found by its size at the next use (sizes are known from the lock, the action result or the tree) or by
 *            xb_cas_check; callers that publish a name elsewhere (lock, tree, action result) sync before.
 */
#ifndef XBUILD_STORE_CAS_H
#define XBUILD_STORE_CAS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "xbuild/base/err.h"
#include "xbuild/store/store.h"
#include "xbuild/sys/digest.h"

/* Owned absolute path of a blob, whether it exists or not. */
char *xb_cas_path(const struct xb_store *store, const struct xb_digest *digest);
/*
 * True when the blob exists and, where size_bytes >= 0, has that size. One of another size is removed, unless its content is
 * that of its name: then the asker's size is wrong.
 */
bool xb_cas_has(const struct xb_store *store, const struct xb_digest *digest, int64_t size_bytes);

/* A blob in the making: write to fd (or hand it to sys/fetch), then commit. */
struct xb_cas_writer {
	struct xb_store *store;
	int fd;	    /* -1 when closed */
	char *path; /* temporary; owned */
};
int xb_cas_begin(struct xb_store *store, struct xb_cas_writer *out, struct xb_err *err) XB_MUST_CHECK;
/*
 * Publishes the file as the blob `digest`, which the caller has computed from the very bytes it wrote (sys/fetch does);
 * the writer is released. An equal blob that is there already is kept.
 */
int xb_cas_commit(struct xb_cas_writer *w, const struct xb_digest *digest, struct xb_err *err) XB_MUST_CHECK;
void xb_cas_discard(struct xb_cas_writer *w); /* for XB_CLEANUP; nothing after commit */

int xb_cas_put_bytes(struct xb_store *store, const void *data, size_t len, struct xb_digest *out,
		     struct xb_err *err) XB_MUST_CHECK;
/*
 * Takes a file of this process's tmp directory (xb_store_tmp), which nobody writes to any more, without copying: hashes
 * it, sets its mode (0555 where `executable` says so) and renames it. On failure it stays where it is.
 */
int xb_cas_adopt(struct xb_store *store, const char *tmp_path, bool executable, struct xb_digest *out,
		 uint64_t *out_size, struct xb_err *err) XB_MUST_CHECK;

/* Opens for reading; XB_E_NOT_FOUND when absent. */
int xb_cas_open(const struct xb_store *store, const struct xb_digest *digest, int *out_fd,
		struct xb_err *err) XB_MUST_CHECK;
/* Reads the blob again and compares: XB_E_DIGEST (and the blob is removed) when its content is not its name. */
int xb_cas_check(struct xb_store *store, const struct xb_digest *digest, struct xb_err *err) XB_MUST_CHECK;
/*
 * Atomically places a copy of the blob at `path` with `mode`, replacing what is there. The blob is checked first, as by
 * xb_cas_check: what leaves the store has the content of its name.
 */
int xb_cas_place(struct xb_store *store, const struct xb_digest *digest, const char *path, mode_t mode,
		 struct xb_err *err) XB_MUST_CHECK;
/*
 * Like xb_cas_has, but of a blob that is there the content is read as well: a damaged one is removed and counts as
 * missing. For blobs that somebody else stored, before they are unpacked. XB_E_DIGEST when the content is right and
 * size_bytes is not.
 */
int xb_cas_has_whole(struct xb_store *store, const struct xb_digest *digest, int64_t size_bytes, bool *out,
		     struct xb_err *err) XB_MUST_CHECK;
/* One flush of the file system for all that was committed so far. */
int xb_cas_sync(struct xb_store *store, struct xb_err *err) XB_MUST_CHECK;

#endif
