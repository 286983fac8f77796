/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What other build systems are told about a target, in their own words: a toolchain file for CMake, a cross file for Meson, a
 * configuration for Cargo, a profile for Conan, a triplet for vcpkg, and variables for all who look at the environment. The
 * compilers are the names of build/wrapper, which hold all flags; so the texts name files and say what the host cannot know.
 *
 * Guarantee: pure functions: no disk, no environment. Paths may hold blanks, quotes and dollars, where the receiver lets them.
 * Sources:   cmake-toolchains(7); Meson, "Cross compilation" and "Machine files"; The Cargo Book, "Configuration" and
 *            "Environment Variables"; the cc crate, "External configuration via environment variables"; the pkg-config and bindgen
 *            crates' READMEs; Conan 2, "Profiles"; vcpkg, "Triplet variables"; Go, "cmd/cgo".
 * Threads:   any.
 */
#ifndef XBUILD_BUILD_CROSS_H
#define XBUILD_BUILD_CROSS_H

#include "xbuild/base/arena.h"
#include "xbuild/base/str.h"
#include "xbuild/model/target.h"

/* Everything is borrowed. Paths are absolute. */
struct xb_cross {
	const struct xb_target *target;
	const char *sysroot;	 /* its root */
	const char *wrapper_dir; /* made by xb_wrapper_make; the tools are in <wrapper_dir>/bin */
	int clang_major;	 /* 22 */
	/* Words in front of a program of the target ("/usr/bin/qemu-aarch64", "-L", "<sysroot>"), ends with NULL; NULL: there is
	 * nothing on this host that runs one. */
	const char *const *emulator;
	const char *const *prefixes; /* as in xb_wrapper_spec; or NULL */
	const char *cmake_file;	     /* where xb_cross_cmake's text is, for those that call CMake themselves; or NULL */
	bool libcxx;		     /* the C++ library is LLVM's */
	bool no_objdump; /* the toolchain has none (Debian's asks for libraries of the network): nothing names it */
	const char *vcpkg_file; /* where xb_cross_vcpkg_toolchain's text is; needed for xb_cross_vcpkg only */
};

/* "<wrapper_dir>/bin/<triple>-<tool>", in arena. */
const char *xb_cross_tool(const struct xb_cross *cross, const char *tool, struct xb_arena *arena);

/*
 * The same as a name alone where `value` is such a path, `value` itself otherwise: for those whose PATH begins with
 * <wrapper_dir>/bin. A name has no blanks, which Makefiles and scripts do not expect, and is the same in every directory.
 */
const char *xb_cross_short(const struct xb_cross *cross, const char *value);

/* A file for CMAKE_TOOLCHAIN_FILE, CMake 3.16 and newer. Each appends its text to out. */
void xb_cross_cmake(const struct xb_cross *cross, struct xb_str *out);
/* A file for meson setup --cross-file, Meson 0.56 and newer. */
void xb_cross_meson(const struct xb_cross *cross, struct xb_str *out);
/* A file for cargo --config. */
void xb_cross_cargo(const struct xb_cross *cross, struct xb_str *out);
/* The same: crates are taken from a directory, absolute, and not from where Cargo.lock says. */
void xb_cross_cargo_crates(const char *dir, struct xb_str *out);
/* A file for conan -pr:h. */
void xb_cross_conan(const struct xb_cross *cross, struct xb_str *out);
/* A triplet of vcpkg, and the toolchain file that it names: the one for CMake, and the flags that vcpkg passes. */
void xb_cross_vcpkg(const struct xb_cross *cross, struct xb_str *out);
void xb_cross_vcpkg_toolchain(const struct xb_cross *cross, struct xb_str *out);

struct xb_cross_var {
	const char *name, *value;
};
/* Variables in an order that does not change: CC and the like, pkg-config, CMake, Cargo with its crates, Go. */
struct xb_cross_vars {
	struct xb_cross_var *items; /* in arena */
	size_t len, cap;
};
/* What cannot be said in a variable (a runner whose path has a blank) is left out. */
void xb_cross_env(const struct xb_cross *cross, struct xb_arena *arena, struct xb_cross_vars *out);
/* Of these, what Cargo and its crates read: for targets of one build beside each other. */
void xb_cross_env_cargo(const struct xb_cross *cross, struct xb_arena *arena, struct xb_cross_vars *out);

#endif
