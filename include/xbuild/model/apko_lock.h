/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apko.lock.json: what apko has resolved an apko.yaml to, for all architectures; and how it relates to xbuild.lock.
 *
 * Format:    apko, pkg/lock/lock.go, "version": "v1". Written byte for byte as `apko lock` writes it (Go's JSON, two
 *            spaces of indent, a newline at the end; packages in the order of installation, keys by name). Read are also
 *            older ones, without content of keys and without build and runtime repositories. One without `checksum`
 *            of its packages (before apko 0.13) is refused: XB_E_LOCK with the next step.
 * Guarantee: ranges of a package follow each other without a gap, its checksum is that of its control member, digests are
 *            whole. Nothing else in it is believed: indexes, packages and keys are verified when they are fetched.
 *            Everything is borrowed from lock->arena.
 */
#ifndef XBUILD_MODEL_APKO_LOCK_H
#define XBUILD_MODEL_APKO_LOCK_H

#include <stdbool.h>

#include "xbuild/base/arena.h"
#include "xbuild/base/err.h"
#include "xbuild/base/str.h"
#include "xbuild/model/apko.h"
#include "xbuild/model/lockfile.h"

struct xb_apko_lock_repository {
	const char *name, *url, *arch; /* url: of the index */
};

struct xb_apko_lock_repositories {
	struct xb_apko_lock_repository *items;
	size_t len;
};

struct xb_apko_lock {
	struct xb_arena arena;
	const char *config_name; /* NULL: the lock does not say what it was made of */
	struct xb_digest config;
	struct xb_lock_apk_key *keys; /* content may be NULL */
	size_t n_keys;
	struct xb_apko_lock_repositories build, runtime, repositories;
	struct xb_lock_apk *packages; /* sha256 and depends are not known; size_bytes is the end of the data member */
	size_t n_packages;
};

void xb_apko_lock_free(struct xb_apko_lock *lock); /* NULL-safe */

/* `name` is the file name for messages. XB_E_LOCK for anything that is not such a lock. */
int xb_apko_lock_parse(struct xb_sv text, const char *name, struct xb_apko_lock **out,
		       struct xb_err *err) XB_MUST_CHECK;
/* XB_E_NOT_FOUND when there is no such file. */
int xb_apko_lock_read(const char *path, struct xb_apko_lock **out, struct xb_err *err) XB_MUST_CHECK;
void xb_apko_lock_write(const struct xb_apko_lock *lock, struct xb_str *out);

/*
 * The lock that `apko lock` would write of a configuration that was resolved to `locked`. `archs` are apk's names in the
 * order in which they are written (apko: that of the configuration). *out borrows from config and locked too.
 */
void xb_apko_lock_from(const struct xb_apko *config, const struct xb_lock_apko *locked, const struct xb_words *archs,
		       struct xb_apko_lock **out);

#endif
