/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs of a repository: there or not, fetched into the store, sent (distribution-spec "Pulling blobs", "Pushing blobs").
 *
 * Guarantee: a blob that was fetched has the content of its name before it is visible in the store; one that is sent is
 *            hashed on the way and never completed when it is not what its name says. Memory: buffers, whatever the size.
 * Broken connections: a fetch goes on with Range. A large blob is sent in chunks (PATCH); after a failure the registry is
 *            asked how much it has, and the rest is sent. Where the upload was is kept in a journal file, so that this
 *            also works for the next process after a kill. Registries that lost an upload, or know no chunks, get the blob
 *            from its start or in one piece.
 * Failure:   as in registry.h; XB_E_DIGEST; XB_E_NOT_FOUND.
 * Threads:   as in registry.h; two processes that send the same blob do not share a journal: the second one goes without.
 */
#ifndef XBUILD_REGISTRY_BLOB_H
#define XBUILD_REGISTRY_BLOB_H

#include <stdbool.h>
#include <stdint.h>

#include "xbuild/registry/registry.h"
#include "xbuild/store/store.h"

/* What a blob is; moved: called from the threads that transfer, with the bytes gained (negative: lost again). May be NULL. */
struct xb_blob {
	struct xb_digest digest;
	int64_t size_bytes;
	void (*moved)(void *ctx, int64_t bytes);
	void *ctx;
};

/* XB_E_DIGEST where the registry has the blob with another size. */
int xb_blob_is_there(struct xb_repository *repo, const struct xb_blob *blob, bool *out,
		     struct xb_err *err) XB_MUST_CHECK;

/* Into the store, unless it has the blob. */
int xb_blob_fetch(struct xb_repository *repo, struct xb_store *store, const struct xb_blob *blob,
		  struct xb_err *err) XB_MUST_CHECK;

/*
 * Asks the registry to take the blob over from another of its repositories. *out_mounted: it did. Else *out_upload (owned;
 * may be NULL) is where the registry expects the bytes now: for xb_blob_send.
 */
int xb_blob_mount(struct xb_repository *repo, const char *from, const struct xb_blob *blob, bool *out_mounted,
		  char **out_upload, struct xb_err *err) XB_MUST_CHECK;

/*
 * Sends the blob that fd holds from its start. `upload`: of xb_blob_mount, or NULL. journal_dir: an existing directory for
 * journal files, or NULL: none is kept.
 */
int xb_blob_send(struct xb_repository *repo, const struct xb_blob *blob, int fd, const char *upload,
		 const char *journal_dir, struct xb_err *err) XB_MUST_CHECK;

#endif
