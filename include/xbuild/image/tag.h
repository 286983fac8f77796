/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tags of images, from facts about the commit: pure text.
 *
 * Guarantee: whatever the branch is called and whatever a template gives, the result is a legal tag
 *            ([a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}, OCI distribution-spec v1.1 "Pull"). Times are those of the commit in UTC,
 *            never of the clock, and 14 digits long, which a policy that sorts numbers holds exactly (15 digits fit a
 *            double).
 * Failure:   only xb_tag_builtin, when a fact that it needs is not known.
 * Threads:   no state.
 */
#ifndef XBUILD_IMAGE_TAG_H
#define XBUILD_IMAGE_TAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"
#include "xbuild/sys/digest.h"

#define XB_TAG_MAX_BYTES 128
#define XB_TAG_DEFAULT	 "${git.branch}-${git.time}-${git.sha7}"
#define XB_TAG_DETACHED	 "head" /* in the place of the branch when HEAD is detached */
#define XB_TAG_DIRTY	 "-dirty"

struct xb_tag_facts {
	const char *commit;	       /* hex digits; "" or NULL: no commit */
	int64_t commit_time;	       /* seconds since the epoch */
	const struct xb_digest *index; /* of the image; NULL: not written yet */
};

/*
 * Appends a branch name made fit for tags: lower case, everything outside of [a-z0-9._-] is '-', without '.' and '-' in
 * front, at most max_bytes (its start is kept). A name of which nothing is left becomes "head".
 */
void xb_tag_slug(const char *branch, size_t max_bytes, struct xb_str *out);

/* Appends a template with each ${git.branch} replaced by `slug`; "$${" stays as it is. True when there was one. */
bool xb_tag_set_branch(const char *text, const char *slug, struct xb_str *out);

/*
 * A template "repository:tag" splits at the last ':' outside of ${...}: length of the part before it, or 0 when the
 * whole is a tag.
 */
size_t xb_tag_repository_len(const char *text);

/*
 * Appends text as a legal tag: other characters become '-', '.' and '-' in front go, and of a text that is too long the
 * end is kept. `dirty` adds XB_TAG_DIRTY unless the text ends with it. What is empty then becomes "untagged".
 */
void xb_tag_legal(const char *text, bool dirty, struct xb_str *out);

/*
 * 1: `name` is the name of a built-in and its text was appended; 0: it is none.
 *   commit-timestamp  first 8 digits of the commit, "-", commit time in seconds: 458b6779-1729045897
 *   sha256            first 8 digits of the image index's digest, "-", commit time as YYYYMMDDhhmmss
 * XB_E_INPUT without a commit, XB_E_NOT_FOUND for sha256 without an image.
 */
int xb_tag_builtin(const char *name, const struct xb_tag_facts *facts, struct xb_str *out,
		   struct xb_err *err) XB_MUST_CHECK;

/* True when a tag may stand in the annotation org.opencontainers.image.ref.name (image-spec annotations.md "ref"). */
bool xb_tag_is_ref(const char *tag);

#endif
