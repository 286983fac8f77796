/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bill of materials of an image, before it is written in one format or another (image/spdx, image/cyclonedx): for each
 * platform what is in it and what it was made from, and for the index the platforms.
 *
 * Meaning of the relations:
 *   contained   a component of the image: a package of its base, a unit of the project whose output is in it
 *   linked      code of it was copied into a unit: a development package with start files or a static library, a static unit
 *   build tool  made the image, and is not in it
 *   ground      the image that it stands on
 *   sources     of a unit: the files of the project that its compilers read, headers too
 *
 * Guarantee: all is borrowed; nothing here knows a clock or this machine.
 * Threads:   no state.
 */
#ifndef XBUILD_IMAGE_BILL_H
#define XBUILD_IMAGE_BILL_H

#include <stddef.h>

#include "xbuild/base/arena.h"
#include "xbuild/model/target.h"
#include "xbuild/sys/digest.h"
#include "xbuild/sys/digest_sha1.h"

enum xb_bill_kind {
	XB_BILL_DEBIAN,	  /* a Debian package */
	XB_BILL_APK,	  /* an apk package */
	XB_BILL_IMAGE,	  /* an image */
	XB_BILL_PROGRAM,  /* an executable unit of the project */
	XB_BILL_LIBRARY,  /* a library unit of the project */
	XB_BILL_TOOLCHAIN /* a toolchain as a whole */
};

enum xb_bill_role {
	XB_BILL_CONTAINED = 1,
	XB_BILL_LINKED = 2,
	XB_BILL_BUILD_TOOL = 4,
	XB_BILL_GROUND = 8,
};

/* A file of the project. SPDX 2.3 (8.4) wants SHA-1 as well. */
struct xb_bill_file {
	const char *path; /* below the project directory */
	struct xb_digest sha256;
	struct xb_sha1 sha1;
};

/* Indices into a list of the bill. */
struct xb_bill_ids {
	size_t *items;
	size_t len;
};

/* Paths below a sysroot. */
struct xb_bill_paths {
	const char **items;
	size_t len;
};

struct xb_bill_component {
	enum xb_bill_kind kind;
	unsigned roles; /* of enum xb_bill_role */
	const char *name;
	const char *version, *arch, *purl, *supplier; /* each may be NULL */
	const char *license;			      /* SPDX expression, or NULL: not known */
	const char *file_name;			      /* of the package, or NULL */
	struct xb_digest sha256;		      /* of the package, program or manifest; zero: not known */
	const char *comment;			      /* or NULL */
	struct xb_bill_ids needs;		      /* components that it needs to run */
	struct xb_bill_ids links;		      /* components that it has copied code from */
	struct xb_bill_ids sources;		      /* files */
	struct xb_bill_paths taken;		      /* of a package: its files that code was copied from */
};

struct xb_bill {
	const char *name, *version, *license; /* of the image; version and license may be NULL */
	const char *created;		      /* RFC 3339 */
	const char *tool_version;	      /* of xbuild */
	const struct xb_target *target;	      /* NULL: the index */
	const char *purl;
	struct xb_digest sha256; /* of the manifest or index */
	struct xb_bill_component *components;
	size_t n_components;
	struct xb_bill_file *files; /* sorted by path */
	size_t n_files;
};

/*
 * A package URL (purl-spec), in arena: "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14?arch=arm64". `vendor`, `version` and
 * `qualifiers` (as they are to stand there) may be NULL.
 */
const char *xb_bill_purl(const char *type, const char *vendor, const char *name, const char *version,
			 const char *qualifiers, struct xb_arena *arena);
/* Of an image by its digest: "pkg:oci/parcel@sha256%3A...?arch=arm64". */
const char *xb_bill_oci_purl(const char *name, const struct xb_digest *digest, const struct xb_target *target,
			     struct xb_arena *arena);

#endif
