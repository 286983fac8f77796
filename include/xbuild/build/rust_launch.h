/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory of launchers for one build of cargo: <dir>/bin/{cargo,rustc,rustdoc}. They are xbuild-wrap with a description, as the
 * names of build/wrapper: cargo starts rustc by one path, and a locked Rust is started through its own loader. They
 * also make what rustc writes the same in every directory: paths of sources, crates and the build are mapped.
 *
 * rustdoc compiles and links the examples of documentation for `cargo test`. It is told the linker, since cargo tells rustc alone,
 * and of the locked Rust also the launcher of rustc.
 *
 * rustc's --remap-path-prefix: The rustc book, "Remap source paths"; where several fit, the last one counts.
 *
 * Failure: XB_E_SYSTEM. Threads: any, but one directory has one maker.
 */
#ifndef XBUILD_BUILD_RUST_LAUNCH_H
#define XBUILD_BUILD_RUST_LAUNCH_H

#include "xbuild/base/arena.h"
#include "xbuild/base/err.h"
#include "xbuild/model/tools.h"

/* Everything is borrowed, all paths are absolute. */
struct xb_rust_launch {
	const char *dir;		  /* made with its parents */
	const char *program;		  /* xbuild-wrap */
	const struct xb_rust_tools *rust; /* whose programs these are */
	const char *linker;		  /* of the target; or NULL */
	const char *project_dir;	  /* "." in what is written; or NULL */
	const char *build_dir;		  /* "/build"; or NULL */
	const char *crates_dir;		  /* "/crates"; or NULL */
};

int xb_rust_launch_make(const struct xb_rust_launch *launch, struct xb_err *err) XB_MUST_CHECK;

#endif
