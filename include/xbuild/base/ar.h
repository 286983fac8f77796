/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The members of an archive of objects in memory (ar(5)): a head of 60 bytes in front of each, which begins at an even place.
 * Names are not looked at, except for BSD's, which stand in front of the content. Symbol tables and lists of names are members
 * like any other. Packages of Debian are read by sys/deb_members, which takes nothing that is odd.
 *
 * Calling: if (xb_ar_begin(data, &rest)) while (xb_ar_next(&rest, &member)) ...
 * Failure: none: an archive that is cut off or lies about a size ends there.
 */
#ifndef XBUILD_BASE_AR_H
#define XBUILD_BASE_AR_H

#include <stdbool.h>

#include "xbuild/base/sv.h"

/* True for an archive; *out_rest is what stands behind the word that it begins with. */
bool xb_ar_begin(struct xb_sv data, struct xb_sv *out_rest);
/* The content of the member that *rest begins with, which goes on behind it. False: there is none, or it is not whole. */
bool xb_ar_next(struct xb_sv *rest, struct xb_sv *out_member);

#endif
