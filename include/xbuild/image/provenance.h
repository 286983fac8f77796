/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Provenance of an image: which inputs it was made from, each by digest.
 *
 * Guarantee: the bytes depend on the arguments alone. There is no clock and no name of a machine in it: who can make the
 *            image again can make this again.
 * Failure:   XB_E_INPUT when a text is not UTF-8; nothing is appended then.
 * Format:    in-toto Statement v1 (in-toto/attestation spec/v1/statement.md, resource_descriptor.md) with the predicate
 *            SLSA Provenance v1 (slsa.dev/spec/v1.0/provenance). docs/images.md describes buildType and parameters.
 * Threads:   no state.
 */
#ifndef XBUILD_IMAGE_PROVENANCE_H
#define XBUILD_IMAGE_PROVENANCE_H

#include <stddef.h>

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"
#include "xbuild/base/vec.h"
#include "xbuild/sys/digest.h"

#define XB_MEDIA_PROVENANCE "application/vnd.in-toto+json"

/* Something by its digest; each text may be NULL. */
struct xb_material {
	const char *name, *uri;
	struct xb_digest sha256;      /* zero: none */
	const char *git_commit;	      /* in the place of sha256 */
	const char *note_name, *note; /* one annotation */
};

/* A vector that functions can take. */
struct xb_materials {
	struct xb_material *items;
	size_t len, cap;
};

struct xb_provenance {
	const char *image, *profile, *tool_version;
	const char *project_file; /* its name */
	struct xb_digest project; /* of its text */
	const char *const *targets;
	size_t n_targets;
	struct xb_materials subjects; /* the index, then the platforms */
	struct xb_materials inputs;
};

/* Appends the statement. */
int xb_provenance_write(const struct xb_provenance *provenance, struct xb_str *out, struct xb_err *err) XB_MUST_CHECK;

#endif
