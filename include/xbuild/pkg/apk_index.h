/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Indexes of apk repositories, version 2 (apk-tools, doc/apk-v2.5.scd and apk-package(5)): APKINDEX.tar.gz is a gzip
 * member with a tar of signatures, and behind it, signed as the compressed bytes they are, a tar with the file APKINDEX.
 *
 * Guarantee: nothing behind the first member is inflated or parsed before a trusted key has signed all of it. Accepted
 *            are RSA with SHA-512, SHA-256 and, because Alpine's own indexes have no other, SHA-1: weak_signature
 *            then tells, for the caller to warn and to write it down. A key is trusted under its file name, the one
 *            that the signature gives ("wolfi-signing.rsa.pub").
 *            Names and versions are safe as parts of a path; every package is for the wanted arch or for all.
 * Failure:   XB_E_SIGNATURE when the index is not signed, by an unknown key, by DSA alone, or wrongly; the message names the key
 *            that is wanted and those that are trusted. XB_E_INPUT for what is signed and is no index, with the line;
 *            XB_E_VERIFY for damaged gzip and for packages of another arch; XB_E_INTERRUPTED never.
 * Sequence:  xb_apk_index_open, pkg/apk_solve, xb_apk_index_free. All pointers are borrowed from the index.
 * Threads:   an open index is read-only: any number may use it.
 */
#ifndef XBUILD_PKG_APK_INDEX_H
#define XBUILD_PKG_APK_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xbuild/base/arena.h"
#include "xbuild/base/err.h"
#include "xbuild/base/str.h"
#include "xbuild/pkg/apk_relation.h"
#include "xbuild/sys/digest_sha1.h"
#include "xbuild/sys/rsa_verify.h"

struct xb_apk_relations {
	const struct xb_apk_relation *items;
	size_t len;
};

/* Where an index is from. The index is <url>/<arch>/APKINDEX.tar.gz. */
struct xb_apk_repository {
	const char *url;  /* without a final slash: "https://packages.wolfi.dev/os" */
	const char *arch; /* "x86_64" */
	const char *tag;  /* of "@tag url": its packages are taken only where the tag is asked for; "" for none */
};

/* A record. Texts are never NULL: "" is what the index does not say. */
struct xb_apk_package {
	const char *name, *version, *arch;
	const char *origin, *license, *description, *url, *commit, *maintainer;
	const char *checksum;	     /* "Q1..." as written */
	struct xb_sha1 control_sha1; /* what it says: SHA-1 of the compressed control member */
	uint64_t size_bytes;	     /* of the .apk file */
	uint64_t installed_bytes;
	int64_t build_time; /* seconds since the epoch; 0: not said */
	uint64_t provider_priority;
	struct xb_apk_relations depends, provides, install_if;
	struct xb_apk_version parsed; /* of version */
	const struct xb_apk_repository *repository;
};

struct xb_apk_index {
	struct xb_arena arena;
	struct xb_str text; /* the inflated tar; what packages point into */
	struct xb_apk_repository repository;
	struct xb_apk_package *packages; /* in the order of the index */
	size_t n_packages, packages_cap;
	const char *description; /* what the repository calls its state, "" when it does not */
	const char *key;	 /* name of the key whose signature was good */
	enum xb_rsa_hash hash;	 /* of that signature */
	bool weak_signature;	 /* hash is SHA-1 */
};

struct xb_apk_index_source {
	int fd;		  /* the file; stays the caller's, its position does not move */
	const char *name; /* of the file, for messages: its URL */
	struct xb_apk_repository repository;
	const struct xb_rsa_key *keys; /* trusted ones, each by its file name */
	size_t n_keys;
};

int xb_apk_index_open(const struct xb_apk_index_source *source, struct xb_apk_index **out,
		      struct xb_err *err) XB_MUST_CHECK;
void xb_apk_index_free(struct xb_apk_index *index); /* NULL-safe */

/* "<url>/<arch>/<name>-<version>.apk", allocated in arena. */
const char *xb_apk_package_url(const struct xb_apk_package *package, struct xb_arena *arena);

#endif
