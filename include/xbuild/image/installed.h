/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lists of installed packages that an image brings along: Debian's var/lib/dpkg/status (deb-control(5), with "Status: ...
 * installed") and the files of var/lib/dpkg/status.d, as distroless images have them; apk's lib/apk/db/installed and
 * usr/lib/apk/db/installed (apk-tools, fields P, V and A).
 *
 * Guarantee: the texts are a stranger's: what is not understood is left out, and of a package only printable ASCII is taken.
 * Threads:   no state.
 */
#ifndef XBUILD_IMAGE_INSTALLED_H
#define XBUILD_IMAGE_INSTALLED_H

#include "xbuild/base/vec.h"
#include "xbuild/image/rootfs.h"

struct xb_installed_package {
	const char *format; /* "deb", "apk" */
	const char *name, *version, *arch;
};

/* Strings are in the arena given. XB_VEC_RELEASE packages. */
struct xb_installed {
	XB_VEC(struct xb_installed_package) packages;
	const char *os, *os_version; /* ID and VERSION_ID of os-release(5): "debian", "12"; NULL: not said */
};

/* Whether a file of this path, relative, is such a list. */
bool xb_installed_is_list(const char *path);
/* ... or tells which system it is. */
bool xb_installed_is_release(const char *path);

/* Appends the packages of one list. */
void xb_installed_parse(const char *path, struct xb_sv text, struct xb_arena *arena, struct xb_installed *out);

/* Those of a base: of the lists in its layers (XB_LAYER_BASE), whose bytes are in the store. XB_E_SYSTEM when one cannot be read. */
int xb_installed_read(const struct xb_rootfs *rootfs, struct xb_arena *arena, struct xb_installed *out,
		      struct xb_err *err) XB_MUST_CHECK;

#endif
