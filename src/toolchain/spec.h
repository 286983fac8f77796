/* SPDX-License-Identifier: Apache-2.0 */
/* What a toolchain tree is made from, for toolchain.c, which names it, and toolchain_make.c, which makes it. */
#ifndef XBUILD_SRC_TOOLCHAIN_SPEC_H
#define XBUILD_SRC_TOOLCHAIN_SPEC_H

#include "xbuild/pkg/deb_tree.h"
#include "xbuild/toolchain/toolchain.h"

/* Borrows from its arguments. For toolchains made of packages. */
struct xb_deb_tree toolchain_spec(const struct xb_toolchain_desc *desc, const struct xb_lock_toolchain *lock,
				  enum xb_toolchain_part part);

/* Patterns of the files that are taken out of an archive, below its top directory. */
extern const char *const toolchain_archive_files[];

#endif
