/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom the "User" of an image's configuration means, as runtimes read /etc/passwd and /etc/group of the image: names are
 * looked up there, numbers are taken as they are.
 *
 * Rules:    OCI image-spec v1.1 config.md "User": "user", "uid", "user:group", "uid:gid", "uid:group", "user:gid". Without a
 *           group it is that of the user's line, and of a uid without a line 0; the user is also in the groups whose lines
 *           name it. With a group it is in that one alone.
 * Failure:  XB_E_VERIFY for a name that is not there: no runtime starts such a container.
 * Threads:  no state.
 */
#ifndef XBUILD_IMAGE_ACCOUNTS_H
#define XBUILD_IMAGE_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xbuild/base/err.h"
#include "xbuild/base/sv.h"

#define XB_MAX_ACCOUNT_GROUPS 64 /* further groups of one user; what is more is left out */

struct xb_account {
	uint32_t uid, gid;
	uint32_t groups[XB_MAX_ACCOUNT_GROUPS]; /* further ones */
	size_t n_groups;
};

/* `passwd` and `group`: the texts of the files, empty where there is none. */
int xb_account_find(const char *user, struct xb_sv passwd, struct xb_sv group, struct xb_account *out,
		    struct xb_err *err) XB_MUST_CHECK;

/* Field `number` (from 0) of the line of `name` in a text such as /etc/passwd, as a number; false when there is none. */
bool xb_account_field(struct xb_sv lines, const char *name, int number, uint64_t *out);

#endif
