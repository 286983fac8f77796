/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xbuild.lock, typed: every input of a build by digest. Canonical JSON, one package per line, so that a change is
 * reviewed as a diff. The lock is input, not authority: what it names is fetched by digest, and a lock that is made anew
 * must agree with the signed indexes.
 *
 *   {
 *    "xbuild-lock": 1,
 *    "inputs": "<sha256 of the text of wishes, on one line without blanks>",
 *    "wishes": {                     (what the project file asks for, as xb_project_lock_wishes says; older locks have none)
 *     "hosts": [
 *      "linux-x86_64"
 *     ],
 *     "toolchain": "llvm-22",
 *     ...
 *    },
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
 *     },
 *     "linux-x86_64": {            (or "archive" as in toolchains, or "directory": {"tree":"<sha256>","url":"file:PATH"})
 *      "archive": { ... },
 *      "name": "archive"
 *     }
 *    },
 *    "toolchains": {
 *     "darwin-aarch64": {
 *      "archive": {
 *       "sha256": "...",
 *       "signature": {"key":"<sha256>","sha256":"...","size":5,"url":"https://..."},  (left out when there is none)
 *       "size": 5,                 (left out when unknown)
 *       "url": "https://..."       (or "file:PATH" below the project)
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
 *    },
 *    "rust": {                       (where the project uses Rust; std and crates by target and by Debian architecture)
 *     "crates": {
 *      "amd64": [ packages as above ]
 *     },
 *     "hosts": {
 *      "linux-x86_64": [ packages ]
 *     },
 *     "name": "rust-1.85",
 *     "std": {
 *      "linux-aarch64": [ packages ]
 *     },
 *     "version": "1.85.1"
 *    },
 *    "images": {                     (what images stand on; the three are left out where they would be empty)
 *     "api": {
 *      "linux-aarch64": [ packages of base debian, and those that `packages:` adds, as above ]
 *     }
 *    },
 *    "apko": {
 *     "images/wolfi.yaml": {
 *      "config": "<sha256 of the file, then of each file that it includes>",
 *      "keyring": [
 *       {"content":"-----BEGIN PUBLIC KEY-----...","name":"host/key.rsa.pub","url":"https://host/key.rsa.pub"}
 *      ],
 *      "packages": [                (of all architectures, each in the order of installation)
 *       {"arch":"aarch64","checksum":"Q1...","control":352,"data":"<sha256>","depends":[],"name":"a","sha256":"...",
 *        "signature":697,"signature-sha1":"<40 hex digits>","size":5123,"url":"https://...","version":"1.0-r0"}
 *                                 (and "install-if":["b","c"] behind depends, where that is why it is there)
 *      ],
 *      "repositories": [
 *       {"arch":"aarch64","index":"<sha256>","signature":"RSA256","signed-by":"key.rsa.pub","url":"https://host/os"}
 *      ]
 *     }
 *    },
 *    "bases": {
 *     "gcr.io/distroless/cc:nonroot": {
 *      "index": "<sha256 of what the name led to>",
 *      "platforms": {
 *       "linux-aarch64": {"digest":"<sha256 of the manifest>","size":1234}
 *      }
 *     }
 *    }
 *   }
 *
 * Layout:    members in the order of their bytes, but for those of the document, which are in the order above; one space
 *            of indent per level; a package on one line without blanks; a newline at the end. "packages", "tools" and
 *            "depends" are sorted by name and hold no name twice, but for the packages of "apko". Digests are 64 hex digits
 *            without "sha256:".
 * Guarantee: parse(write(lock)) is the same lock, and write(parse(text)) the same text for a text that write made.
 *            Unknown keys or another format number are refused, and so are wishes that inputs is not the digest of.
 *            Everything is borrowed from lock->arena.
 */
#ifndef XBUILD_MODEL_LOCKFILE_H
#define XBUILD_MODEL_LOCKFILE_H

#include <stdbool.h>
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

/* A detached OpenPGP signature. Whoever unpacks the archive verifies it before. */
struct xb_lock_signature {
	const char *url; /* like the archive's; NULL: there is none */
	struct xb_digest sha256;
	int64_t size_bytes;
	struct xb_digest key; /* of the project's file with the certificates */
};

struct xb_lock_archive {
	const char *url; /* http(s), or "file:" and a path below the project; NULL: no archive */
	struct xb_digest sha256;
	int64_t size_bytes; /* -1 unknown */
	struct xb_lock_signature signature;
};

struct xb_lock_toolchain {
	const char *host;
	const char *name, *version;
	struct xb_lock_packages packages; /* empty when it is an archive */
	struct xb_lock_packages tools;	  /* profile full adds these */
	struct xb_lock_archive archive;	  /* url NULL when it is made of packages */
};

/* Made of packages; or an archive; or a directory, of which archive.sha256 is the digest of the tree (store/tree). */
struct xb_lock_sysroot {
	const char *target;
	const char *name;
	struct xb_lock_packages packages;
	struct xb_lock_archive archive; /* url NULL when it is made of packages; of a directory its path is behind it */
	bool is_directory;
};

struct xb_lock_rust_list {
	const char *name; /* host, target or Debian architecture */
	struct xb_lock_packages packages;
};

/* rustc and cargo for hosts, the standard library for targets, and crates. */
struct xb_lock_rust {
	const char *name, *version;
	struct xb_lock_rust_list *hosts; /* sorted by name */
	size_t n_hosts;
	struct xb_lock_rust_list *std; /* sorted by name */
	size_t n_std;
	struct xb_lock_rust_list crates; /* name NULL: none */
};

/* Debian packages of one image for one target. */
struct xb_lock_image {
	const char *image, *target;
	struct xb_lock_packages packages;
};

/* An apk package as it was when the chain from the index's signature to its data was verified. */
struct xb_lock_apk {
	const char *name, *version, *arch; /* arch: apk's name of it */
	const char *url;		   /* URL, or path as the apko.yaml has it */
	const char *checksum;		   /* "Q1" + base64 of the SHA-1 of the control member */
	struct xb_digest sha256;	   /* of the whole file */
	int64_t size_bytes;
	int64_t signature_bytes, control_bytes; /* of the first members, as they are in the file; unsigned: 0 */
	const char *signature_sha1;		/* 40 hex digits of the signature member; NULL: unsigned */
	struct xb_digest data;			/* of the data member, as it is in the file */
	const char **depends;			/* names of packages of the same arch that it needs, sorted */
	size_t n_depends;
	const char **install_if; /* names of those beside which it is installed unasked, sorted; of no other package */
	size_t n_install_if;
};

struct xb_lock_apk_key {
	const char *name; /* the url without its scheme */
	const char *url;  /* URL, or path as the apko.yaml has it */
	const char *content;
};

struct xb_lock_apk_repository {
	const char *arch;
	const char *url; /* without arch and file name, as the apko.yaml has it */
	struct xb_digest index;
	const char *signature; /* "RSA256", "RSA512", or "RSA": SHA-1 */
	const char *signed_by; /* file name of the key */
};

/* What one apko.yaml was resolved to. */
struct xb_lock_apko {
	const char *path; /* of the apko.yaml, below the project directory */
	struct xb_digest config;
	struct xb_lock_apk_key *keys;
	size_t n_keys;
	struct xb_lock_apk_repository *repositories;
	size_t n_repositories;
	struct xb_lock_apk *packages; /* an arch's packages follow each other, in the order of installation */
	size_t n_packages;
};

struct xb_lock_base_platform {
	const char *target;
	struct xb_digest manifest;
	int64_t size_bytes;
};

/* What the name of a base image led to. */
struct xb_lock_base {
	const char *ref;
	struct xb_digest index;			 /* of the index, or of the manifest when there is none */
	struct xb_lock_base_platform *platforms; /* sorted by target */
	size_t n_platforms;
};

struct xb_lock {
	struct xb_arena arena;
	struct xb_digest inputs;
	const char *wishes;	      /* the text that inputs is the digest of; NULL: an older lock, which has none */
	struct xb_lock_suite *suites; /* sorted by id */
	size_t n_suites;
	struct xb_lock_toolchain *toolchains; /* sorted by host */
	size_t n_toolchains;
	struct xb_lock_sysroot *sysroots; /* sorted by target */
	size_t n_sysroots;
	struct xb_lock_rust *rust;    /* NULL: none */
	struct xb_lock_image *images; /* sorted by image, then target */
	size_t n_images;
	struct xb_lock_apko *apkos; /* sorted by path */
	size_t n_apkos;
	struct xb_lock_base *bases; /* sorted by ref */
	size_t n_bases;
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
const struct xb_lock_image *xb_lock_image(const struct xb_lock *lock, const char *image, const char *target);
const struct xb_lock_apko *xb_lock_apko(const struct xb_lock *lock, const char *path);
const struct xb_lock_base *xb_lock_base(const struct xb_lock *lock, const char *ref);
/* The packages of a host's Rust or of a target's standard library, or NULL. */
const struct xb_lock_packages *xb_lock_rust_host(const struct xb_lock *lock, const char *host);
const struct xb_lock_packages *xb_lock_rust_std(const struct xb_lock *lock, const char *target);
const struct xb_lock_package *xb_lock_package(const struct xb_lock_packages *packages, const char *name);

/* Appends one line per difference for people: "~ libssl3 3.0.20-1 -> 3.0.22-1 (linux-aarch64)", "+ ...", "- ...". */
void xb_lock_diff(const struct xb_lock *before, const struct xb_lock *after, struct xb_str *out);

#endif
