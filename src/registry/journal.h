/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to the layer registry: where the upload of one blob to one repository is, for a later process. A file of one
 * line of JSON in a directory, 0600: an upload's address may be as good as a login. Held under a lock by the process that
 * sends; a process that does not get the lock works without.
 *
 * Failure: none: what cannot be read or written costs the resumption.
 */
#ifndef XBUILD_REGISTRY_JOURNAL_H
#define XBUILD_REGISTRY_JOURNAL_H

#include <stdint.h>

#include "xbuild/registry/reference.h"
#include "xbuild/sys/filelock.h"

struct journal {
	char *path; /* owned; NULL: no journal is kept */
	char *lock_path;
	struct xb_filelock lock;
};

/* dir may be NULL. */
void journal_open(struct journal *j, const char *dir, const struct xb_reference *ref, const struct xb_digest *digest);
/* Owned address of an unfinished upload, or NULL. */
char *journal_read(const struct journal *j);
void journal_write(const struct journal *j, const char *location);
void journal_forget(const struct journal *j);
void journal_close(struct journal *j);
/* Removes what is too old for any registry to know it. */
void journal_sweep(const char *dir);

#endif
