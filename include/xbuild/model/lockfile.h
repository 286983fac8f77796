/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xbuild.lock, typed: every input of a build by digest. Canonical JSON, one package per line, so that a change is
 * reviewed as a diff. The lock is input, not authority: what it names is fetched by digest, and a lock that is made anew
 * must agree with the signed indexes.
 *
 *   {
 *    "xbuild-lock": 1,
 *    "inputs": "<sha256 of what the project file asks for>",
 *    "suites": {
 *     "trixie": {
 *      "archive": "debian",
 *      "date": "2026-09-12T07:55:41Z",
 *      "in-release": "<sha256>",
 *      "path": "trixie",
 *      "signed-by": "<fingerprint>"
 *     }
 *    },
 *    "sysroots": {
 *     "linux-aarch64": {
 *      "name": "debian-bookworm",
 *      "packages": [
 *       {"arch":"arm64","depends":["libgcc-s1"],"name":"libc6","path":"pool/...","sha256":"...","size":2756,
 *        "suite":"bookworm","version":"2.36-9+deb12u14"},   (on one line)
 *       ...
 *      ]
 *     }
 *    },
 *    "toolchains": {
 *     "darwin-aarch64": {
 *      "archive": {
 *       "sha256": "...",
 *       "size": 5,                 (left out when unknown)
 *       "url": "https://..."
 *      },
 *      "name": "llvm-22",
 *      "version": "22.1.8"
 *     },
 *     "linux-x86_64": {
 *      "name": "llvm-22",
 *      "packages": [ ... ],
 *      "tools": [ ... ],
 *      "version": "22.1.8"
 *     }
 *    }
 *   }
 *
 * Layout:    members in the order of their bytes, but for "xbuild-lock", which comes first; one space of indent per
 *            level; a package on one line without blanks; a newline at the end. "packages", "tools" and "depends" are
 *            sorted by name and hold no name twice. Digests are 64 hex digits without "sha256:".
 * Guarantee: parse(write(lock)) is the same lock, and write(parse(text)) the same text for a text that write made.
 *            Unknown keys or another format number are refused. Everything is borrowed from lock->arena.
 */
#ifndef XBUILD_MODEL_LOCKFILE_H
#define XBUILD_MODEL_LOCKFILE_H

#include <stddef.h>
#include <stdint.h>

#include "xbuild/base/arena.h"
#include "xbuild/base/err.h"
#include "xbuild/base/str.h"
#include "xbuild/sys/digest.h"

#define XB_LOCK_NAME   "xbuild.lock"
#define XB_LOCK_FORMAT 1

struct xb_lock_suite {
	const char *id;	     /* "trixie-security" */
	const char *archive; /* "debian-security" */
	const char *path;    /* below dists/ */
	int64_t date;	     /* Date of the InRelease, seconds since the epoch */
	struct xb_digest in_release;
	const char *signed_by; /* primary fingerprint */
};

struct xb_lock_package {
	const char *name, *version, *arch;
	const char *suite; /* id */
	const char *path;  /* below the archive's base URL */
	int64_t size_bytes;
	struct xb_digest sha256;
	const char **depends; /* names of packages of the same list that it needs, sorted */
	size_t n_depends;
};

struct xb_lock_packages {
	struct xb_lock_package *items; /* sorted by name */
	size_t len;
};

struct xb_lock_toolchain {
	const char *host;
	const char *name, *version;
	struct xb_lock_packages packages; /* empty when it is an archive */
	struct xb_lock_packages tools;	  /* profile full adds these */
	const char *archive_url;	  /* NULL when it is made of packages */
	struct xb_digest archive_sha256;
	int64_t archive_size_bytes; /* -1 unknown */
};

struct xb_lock_sysroot {
	const char *target;
	const char *name;
	struct xb_lock_packages packages;
};

struct xb_lock {
	struct xb_arena arena;
	struct xb_digest inputs;
	struct xb_lock_suite *suites; /* sorted by id */
	size_t n_suites;
	struct xb_lock_toolchain *toolchains; /* sorted by host */
	size_t n_toolchains;
	struct xb_lock_sysroot *sysroots; /* sorted by target */
	size_t n_sysroots;
};

void xb_lock_free(struct xb_lock *lock); /* NULL-safe */

/* `name` is the file name for messages. Failure: XB_E_LOCK with a hint how to get another. */
int xb_lock_parse(struct xb_sv text, const char *name, struct xb_lock **out, struct xb_err *err) XB_MUST_CHECK;
/* XB_E_NOT_FOUND when there is no such file, XB_E_LOCK also for one that is too large to be a lock. */
int xb_lock_read(const char *path, struct xb_lock **out, struct xb_err *err) XB_MUST_CHECK;
void xb_lock_write(const struct xb_lock *lock, struct xb_str *out);

const struct xb_lock_suite *xb_lock_suite(const struct xb_lock *lock, const char *id);
const struct xb_lock_toolchain *xb_lock_toolchain(const struct xb_lock *lock, const char *host);
const struct xb_lock_sysroot *xb_lock_sysroot(const struct xb_lock *lock, const char *target);
const struct xb_lock_package *xb_lock_package(const struct xb_lock_packages *packages, const char *name);

/* Appends one line per difference for people: "~ libssl3 3.0.20-1 -> 3.0.22-1 (linux-aarch64)", "+ ...", "- ...". */
void xb_lock_diff(const struct xb_lock *before, const struct xb_lock *after, struct xb_str *out);

#endif
