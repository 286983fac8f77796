/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debian's Packages index (deb-src-control(5), DebianRepository/Format "Packages"): streamed through a filter that keeps
 * only the fields that solving and fetching need, so that memory holds a fraction of the text.
 */
#ifndef XBUILD_PKG_DEB_INDEX_H
#define XBUILD_PKG_DEB_INDEX_H

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"

/*
 * Reads an index (compressed as its first bytes say) from fd and appends the reduced stanzas to out: Package, Version,
 * Architecture, Multi-Arch, Depends, Pre-Depends, Provides, Conflicts, Breaks, Replaces, Filename, Size, SHA256. A stanza
 * without Package, Version, Filename, Size or SHA256, or with an unsafe Filename, is XB_E_INPUT naming it. XB_E_INTERRUPTED once
 * *interrupted (may be NULL) is not 0.
 */
int xb_deb_index_reduce(int fd, const char *name, const volatile int *interrupted, struct xb_str *out,
			struct xb_err *err) XB_MUST_CHECK;

#endif
