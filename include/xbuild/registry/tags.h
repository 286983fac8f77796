/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tags of a repository, and the order of those that hold a time (what Flux and its like deploy: the newest).
 *
 * A tag is sortable when one of its words (between '-', '.' and '_') is a time: 14 digits YYYYMMDDhhmmss, or 10 digits of
 * seconds since the epoch. Two sortable tags are of one series when all their other words are the same, where words of
 * seven and more hexadecimal digits (commits, digests) count as equal.
 *
 * Failure: as in registry.h; a list of more than XB_TAGS_MAX tags is cut there, and says so.
 * Threads: as in registry.h; the order has no state.
 */
#ifndef XBUILD_REGISTRY_TAGS_H
#define XBUILD_REGISTRY_TAGS_H

#include "xbuild/base/arena.h"
#include "xbuild/base/vec.h"
#include "xbuild/registry/registry.h"

#define XB_TAGS_MAX 100000

struct xb_tags {
	struct xb_arena arena;
	XB_VEC(const char *) list;
	bool is_cut; /* the registry has more than are in the list */
};
void xb_tags_release(struct xb_tags *tags); /* NULL-safe */

/* All pages of the list (distribution-spec "Listing Tags"). A repository that does not exist has no tags. */
int xb_tags_list(struct xb_repository *repo, struct xb_tags *out, struct xb_err *err) XB_MUST_CHECK;

/*
 * To an error about a tag that is not there: which there are, as a hint, if the registry tells. Tags of signatures and lists
 * of referrers are left out. Returns the code of err.
 */
int xb_tags_hint(struct xb_repository *repo, const char *tag, struct xb_err *err);

bool xb_tag_is_sortable(const char *tag);
/*
 * The tag of the list that a new one would not come after: the latest of its series with a time that is later, or the
 * same in another tag. NULL when there is none.
 */
const char *xb_tags_not_before(const struct xb_tags *tags, const char *tag);

#endif
