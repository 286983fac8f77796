/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debian's Contents index (wiki.debian.org/DebianRepository/Format "Contents indices"): which package has which file.
 * Streamed through a filter that keeps what a compiler, a linker or a configure step may look for, and turned into the
 * text that model/contents searches: an eighth of the original, sorted.
 *
 * Memory:    the kept part (19 MB of 143 MB for Debian 12 arm64) and 8 bytes per line of it.
 */
#ifndef XBUILD_PKG_DEB_CONTENTS_H
#define XBUILD_PKG_DEB_CONTENTS_H

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"

/*
 * Reads an index (compressed as its first bytes say) from fd and replaces out by the text for model/contents. Kept are: all
 * below usr/include, lib*.so and lib*.a below usr/lib, .pc files of pkg-config directories, CMake's package
 * configurations. What only -cross packages have is left out. XB_E_INPUT when more is kept than
 * XB_MAX_CONTENTS_BYTES, XB_E_INTERRUPTED once *interrupted (may be NULL) is not 0.
 */
int xb_deb_contents_reduce(int fd, const char *name, const volatile int *interrupted, struct xb_str *out,
			   struct xb_err *err) XB_MUST_CHECK;

#endif
