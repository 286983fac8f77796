/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compiler for one target, ready to be started: its directory of executables (build/wrapper), made when it is missing.
 *
 * Where from:  inside of a project that has a lock, the toolchain and the sysroot of that lock. Elsewhere, or when packages or
 *              another toolchain or sysroot are asked for, a project of xbuild's own: <store>/cc/<digest of what is asked>/, with
 *              an xbuild.yaml and an xbuild.lock like any other, made the first time and kept until an update is asked for.
 * Again:       <place>/.xbuild/cc/<target>.ready lists the files that it was made from with their stamps. While they are the
 *              same, a dozen calls of stat(2) are all that it takes: nothing is parsed, and the store is not opened.
 * Failure:     XB_E_USAGE for a target that there is not, or that the project does not have; what lock and fetch say.
 */
#ifndef XBUILD_APP_OP_COMPILER_H
#define XBUILD_APP_OP_COMPILER_H

#include "xbuild/app/app.h"
#include "xbuild/build/cc.h"

struct xb_compiler_opts {
	const char *target;	 /* by any of its names; NULL: the one that this host runs */
	const char *const *with; /* sysroot packages; several may be one word with commas between them */
	size_t n_with;
	const char *llvm, *debian; /* "22", "bookworm": other ones than the defaults; or NULL */
	const char *stdlib;	   /* "libc++", "libstdc++"; NULL: what the project says for the target, or libstdc++ */
	bool no_project;	   /* the own project, also inside of another one */
	bool update;		   /* take newer packages into the own project's lock */
	bool tools;		   /* llvm-ar and its like are needed, too */
};

struct xb_compiler {
	const struct xb_target *target;
	const char *place;	 /* directory of the project, xbuild's own or the user's */
	bool is_own;		 /* xbuild's own */
	const char *wrapper_dir; /* as in build/wrapper */
	const char *sysroot;	 /* its root */
	const char *toolchain;	 /* the tree's root */
	struct xb_digest digest; /* of toolchain, sysroot and what the wrappers say */
	int clang_major;
	bool libcxx; /* its C++ library is LLVM's */
};

/* Strings of *out are in app->arena. May change app->options: no other use case after it in this run. */
int xb_op_compiler(struct xb_app *app, const struct xb_compiler_opts *opts, struct xb_compiler *out,
		   struct xb_err *err) XB_MUST_CHECK;

/* The path of one tool ("clang"), in app->arena. XB_E_NOT_FOUND when the toolchain has none. */
int xb_compiler_tool(struct xb_app *app, const struct xb_compiler *compiler, const char *tool, const char **out,
		     struct xb_err *err) XB_MUST_CHECK;

/*
 * One call of a compiler whose path xb_compiler_tool gave, with what the store keeps (build/cc): `words` ends with NULL,
 * `color` says that messages are for a terminal. Where out->done is false, and always with XBUILD_CC_CACHE=off, the compiler is
 * to be started.
 */

int xb_op_cc(struct xb_app *app, const struct xb_compiler *compiler, const char *path, const char *const *words,
	     bool color, struct xb_cc_result *out, struct xb_err *err) XB_MUST_CHECK;

/*
 * What a call that failed could not find, from its messages, is told with the package that has it: err's hint (app/missing.h). The
 * first time an index of files is fetched: for people, not for a configure script's hundred attempts.
 */
void xb_op_cc_explain(struct xb_app *app, const struct xb_compiler *compiler, struct xb_sv messages,
		      struct xb_err *err);

/* What the forms are called ("sh", "cmake" ...), ends with NULL. */
extern const char *const xb_env_forms[];

/*
 * Appends how other programs are told of the compiler, in one of the forms. Also writes the files that a form names:
 * <place>/.xbuild/cc/<target>.cmake, .meson.ini and .vcpkg.cmake, each anew.
 */
int xb_op_env(struct xb_app *app, const struct xb_compiler *compiler, const char *form, struct xb_str *out,
	      struct xb_err *err) XB_MUST_CHECK;

#endif
