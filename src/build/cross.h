/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of build/cross. */
#ifndef XBUILD_SRC_BUILD_CROSS_H
#define XBUILD_SRC_BUILD_CROSS_H

#include "xbuild/build/cross.h"

/* Appends text with a backslash before each of `special`, between two `quote`s. */
void cross_quote(struct xb_str *out, const char *text, char quote, const char *special);

/* First line of each file: what the file is, and for which target. */
void cross_head(const struct xb_cross *cross, const char *what, struct xb_str *out);

/* Whether files and variables name the tool: not one that the toolchain lacks. */
bool cross_names(const struct xb_cross *cross, const char *tool);
/* "aarch64_unknown_linux_gnu", or in capitals; in arena. */
const char *cross_rust_name(const struct xb_cross *cross, bool capitals, struct xb_arena *arena);
/* "<sysroot>/usr/lib/<multiarch>/pkgconfig:...", those of prefixes first; in arena. */
const char *cross_pkg_config_libdir(const struct xb_cross *cross, struct xb_arena *arena);

#endif
