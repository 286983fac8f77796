/* SPDX-License-Identifier: Apache-2.0 */
/* What a toolchain tree is made from, for those who name it and those who make it (*_make.c). */
#ifndef XBUILD_SRC_TOOLCHAIN_SPEC_H
#define XBUILD_SRC_TOOLCHAIN_SPEC_H

#include "xbuild/pkg/deb_tree.h"
#include "xbuild/toolchain/rust.h"
#include "xbuild/toolchain/toolchain.h"

/* Borrows from its arguments. For toolchains made of packages. */
struct xb_deb_tree toolchain_spec(const struct xb_toolchain_desc *desc, const struct xb_lock_toolchain *lock,
				  enum xb_toolchain_part part);

/* For rust.c and rust_make.c; the list of packages is in arena, or the lock's. */
struct xb_deb_tree rust_spec(const struct xb_rust_desc *desc, const struct xb_lock *lock, const char *host,
			     struct xb_arena *arena);
struct xb_deb_tree crates_spec(const struct xb_rust_desc *desc, const struct xb_lock *lock);

/* Patterns of the files that are taken out of an archive, below its top directory, and of those among them that are not. */
extern const char *const toolchain_archive_files[];
extern const char *const toolchain_archive_drops[];

#define ARCHIVE_BIN_DIR "bin"

#endif
