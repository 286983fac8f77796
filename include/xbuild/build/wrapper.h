/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory of executables called <triple>-clang, <triple>-ar ...: the locked tools for one target, for whoever starts a
 * compiler by name. Nothing that they find or do depends on the host: target, sysroot, GCC directory, linker and path maps are
 * put in, and the variables that make clang look elsewhere are taken away.
 *
 *   <dir>/bin/<triple>-{clang,gcc,cc,clang++,g++,c++,cpp}       the compiler; links with the locked ld.lld
 *   <dir>/bin/<triple>-{ar,ranlib,nm,strip,objcopy,objdump,readelf}   where the further tools are there
 *   <dir>/bin/<triple>-{ld,ld.lld,pkg-config}            pkg-config is ours, on the sysroot alone
 *   <dir>/conf/<triple>-<tool>                                  what the executable of that name starts
 *   <dir>/stamp                                                 digest of all of it
 *
 * Every name in bin/ is the same small program (xbuild-wrap), linked or copied. It finds its file in conf/ by its own path, so
 * blanks in paths do no harm, and execs the tool with the caller's words behind those of the file. No name in bin/ is one of
 * the host's ("clang", "ld"): the directory may stand first in PATH.
 *
 * A file of conf/ is words, each a letter and text, with a NUL behind it. X: the file to exec. L: its first words, from argv[0]
 * on. F: words in front of the caller's, which the compiler's second stage (-cc1) does not get. D: a caller's word that begins
 * like this is left out. U: a variable that is taken away. E: one that is set, NAME=VALUE. R: a directory for records. K: the tool
 * is the linker, and this is its option for a record. B: like F, where a program for this machine is linked (see below).
 *
 * Cargo's build scripts and rustdoc's tests run on this machine, and where its kind is the target's they are linked as programs of
 * the target are. The loader and the libraries of the sysroot are put into them: its C library may be newer than this machine's.
 *
 * Under an emulator (tools->emulator, XBUILD_EMULATOR) a name in bin/ is a script: its interpreter is the emulator, and the program
 * is in run/. S: the first of the caller's words is the script.
 *
 * Records: one run writes <record_dir>/<run>.cmd (directory, then the caller's words with the name first, each with a NUL), a
 * compiler also <run>.headers (a path per line), and the linker <run>.libs (rules of make); where the caller asked for one of
 * his own (--dependency-file), that is the same file by a second name. A link that made a program or a shared library writes
 * <run>.id besides: its build ID in hex, or "none", and a newline.
 *
 * Failure: XB_E_SYSTEM, XB_E_INPUT; what was in <dir> before is there still.
 * Threads: any; two processes may make the same directory at once.
 */
#ifndef XBUILD_BUILD_WRAPPER_H
#define XBUILD_BUILD_WRAPPER_H

#include "xbuild/base/err.h"
#include "xbuild/model/project.h"
#include "xbuild/model/tools.h"

struct xb_wrapper_spec {
	const char *dir;     /* absolute; made with its parents */
	const char *program; /* absolute path of xbuild-wrap (app/program.h) */
	const char *xbuild;  /* absolute path of xbuild: answers for pkg-config */
	const struct xb_tools *tools;
	const struct xb_sysroot_paths *sysroot;
	const struct xb_project_target *target; /* its cpu is used; or NULL */
	const char *project_dir;		/* absolute; "." in debug information; or NULL */
	/* Where units that this one needs were installed to: <prefix>/usr/include, usr/lib, usr/lib/<multiarch> and their
	 * pkg-config files. Absolute, ends with NULL; may be NULL. */
	const char *const *prefixes;
	bool libcxx;		/* C++ with the sysroot's libc++ */
	bool static_stdlib;	/* the C++ library is linked into what is made */
	const char *record_dir; /* absolute, must be there when a tool runs; or NULL */
};

/* Makes the directory, or leaves it as it is when it already says this. */
int xb_wrapper_make(const struct xb_wrapper_spec *spec, struct xb_err *err) XB_MUST_CHECK;

/* Digest of all that the wrappers say (not of where they are): what was configured with other ones is stale. */
int xb_wrapper_digest(const struct xb_wrapper_spec *spec, struct xb_digest *out, struct xb_err *err) XB_MUST_CHECK;

/* "<dir>/bin/<triple>-<tool>" of a made directory, in arena. */
struct xb_arena;
const char *xb_wrapper_tool(const struct xb_wrapper_spec *spec, const char *tool, struct xb_arena *arena);

#endif
