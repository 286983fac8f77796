/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compile_commands.json: for editors and analysers (clang.llvm.org/docs/JSONCompilationDatabase.html). One entry per C, C++
 * and preprocessed assembler source of one target, with absolute paths and the words that clang understands.
 *
 * Units of CMake and Meson bring the entries that these wrote when they were built here (build/drive_commands).
 *
 * Written atomically and only when its content changed.
 */
#ifndef XBUILD_BUILD_COMPDB_H
#define XBUILD_BUILD_COMPDB_H

#include "xbuild/base/err.h"
#include "xbuild/build/graph.h"

/*
 * Writes <project_dir>/compile_commands.json for the actions of `setup` and for the files
 * that only another setup of the graph compiles. *note is the digest of what it was last made from:
 * when that has not changed and the file exists nothing is composed. Updated on success.
 */
int xb_compdb_write(const struct xb_graph *graph, const struct xb_setup *setup, const char *project_dir,
		    struct xb_digest *note, struct xb_err *err) XB_MUST_CHECK;

#endif
