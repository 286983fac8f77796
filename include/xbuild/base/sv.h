/* SPDX-License-Identifier: Apache-2.0 */
/*
 * String view: a borrowed slice of bytes, not NUL-terminated. Valid as long as what it points into.
 * Parsers cut views out of their input instead of copying; nothing here allocates unless it says so.
 */
#ifndef XBUILD_BASE_SV_H
#define XBUILD_BASE_SV_H

#include <stdbool.h>
#include <stddef.h>

struct xb_sv {
	const char *ptr;
	size_t len;
};

/* For printf("%.*s", XB_SV_ARG(sv)). */
#define XB_SV_ARG(sv) (int)(sv).len, (sv).ptr

struct xb_sv xb_sv(const char *text); /* of a NUL-terminated string; NULL gives the empty view */
struct xb_sv xb_sv_n(const char *ptr, size_t len);
bool xb_sv_eq(struct xb_sv a, struct xb_sv b);
bool xb_sv_eq_str(struct xb_sv a, const char *text);
bool xb_sv_starts(struct xb_sv sv, const char *prefix);
bool xb_sv_ends(struct xb_sv sv, const char *suffix);
struct xb_sv xb_sv_trim(struct xb_sv sv); /* without blanks, tabs, CR and LF at both ends */

/*
 * Cuts the part of *rest before the first `separator` off and returns it; *rest then starts behind the separator, or
 * is empty with ptr == NULL when there was none (that is how a caller's loop ends: while (rest.ptr)).
 */
struct xb_sv xb_sv_cut(struct xb_sv *rest, char separator);

int xb_sv_compare(struct xb_sv a, struct xb_sv b); /* order of the bytes, as memcmp */
char *xb_sv_dup(struct xb_sv sv);		   /* owned NUL-terminated copy */

/* Edit distance of two names, for "did you mean"; names longer than 64 bytes count as unlike (returns 99). */
unsigned xb_sv_distance(struct xb_sv a, struct xb_sv b);

/*
 * The candidate closest to `word` if it is close enough to be a misspelling, else NULL. `candidates` ends with NULL. Of
 * those as close: one with a letter more, then the one that begins alike the furthest, then one that doubles a letter
 * there, then the first.
 */
const char *xb_sv_suggest(struct xb_sv word, const char *const *candidates);

#endif
