/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of ld.lld, composed here: the compiler's driver would have to start the linker itself, which it cannot do
 * through the tree's own loader.
 *
 * Model:    what clang's driver gives for the same words (clang, lib/Driver/ToolChains/Gnu.cpp, tools::gnutools::Linker;
 *           compare with `clang -###`), with --build-id=sha1, -z relro, -z now and -z noexecstack added.
 * User's:   `ldflags` are driver words. They are translated; a word that is not known is refused, so that none is silently
 *           without effect: -Wl,a,b  -lX  -L<relative>  -pthread  -static  -static-pie  -pie  -no-pie
 *           -static-libgcc  -shared-libgcc  -static-libstdc++  -rdynamic  -s  -nostdlib  -nodefaultlibs  -nostartfiles.
 * RUNPATH:  none is written. A program finds shared libraries of the project where the image or the test puts them.
 */
#ifndef XBUILD_BUILD_LINK_H
#define XBUILD_BUILD_LINK_H

#include "xbuild/build/compile.h"

#define XB_STATS_TAIL ".archives" /* behind the name of the depfile: what the linker tells of archives (build/linked) */

/*
 * Appends the whole command but the tool's name ("ld.lld"). Inputs (the objects of the unit and the libraries of its deps, in
 * link order), output and depfile are markers. `cxx` asks for the C++ library; `strip` for -s.
 */
int xb_link_command(const struct xb_setup *setup, const struct xb_unit *unit, bool cxx, bool strip,
		    struct xb_pkgconfig *pkgconfig, struct xb_command *out, struct xb_err *err) XB_MUST_CHECK;

/* "llvm-ar": rcsD output inputs. */
void xb_archive_command(struct xb_command *out);
/* "llvm-objcopy": the debug information of `full` alone. */
void xb_debug_command(const char *full, struct xb_command *out);
/* "llvm-objcopy": `full` without it, pointing to the file `debug`; with `strip` without the symbol table as well. */
void xb_strip_command(const char *full, const char *debug, bool strip, struct xb_command *out);

#endif
