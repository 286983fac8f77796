/* SPDX-License-Identifier: Apache-2.0 */
/* Option rows that cc and its like, pkg-config and env share. No letters: those are the compiler's. */
#ifndef XBUILD_CLI_COMPILER_OPTIONS_H
#define XBUILD_CLI_COMPILER_OPTIONS_H

#include "cli.h"

#include "xbuild/app/op_compiler.h"

#define COMPILER_TARGET                                                                                                \
	{                                                                                                              \
		"target", 0, OPT_LIST, "NAME", "XBUILD_TARGET",                                                        \
			"a target by any of its names (default: this machine's)", offsetof(struct values, targets),    \
			NULL                                                                                           \
	}
#define COMPILER_WITH                                                                                                  \
	{                                                                                                              \
		"with", 0, OPT_LIST, "PKG,...", NULL, "packages of the sysroot, besides the minimal ones; repeatable", \
			offsetof(struct values, with), NULL                                                            \
	}
#define COMPILER_LLVM                                                                                                  \
	{                                                                                                              \
		"llvm", 0, OPT_TEXT, "N", "XBUILD_LLVM",                                                               \
			"outside of projects: another toolchain than " XB_DEFAULT_LLVM, offsetof(struct values, llvm), \
			NULL                                                                                           \
	}
#define COMPILER_DEBIAN                                                                                                \
	{                                                                                                              \
		"debian", 0, OPT_TEXT, "RELEASE", "XBUILD_DEBIAN",                                                     \
			"outside of projects: another sysroot than " XB_DEFAULT_DEBIAN " (riscv64: trixie)",           \
			offsetof(struct values, debian), NULL                                                          \
	}
#define COMPILER_STDLIB                                                                                                \
	{                                                                                                              \
		"stdlib", 0, OPT_TEXT, "NAME", NULL, "outside of projects: C++ with libstdc++ (default) or libc++",    \
			offsetof(struct values, stdlib), compiler_stdlibs                                              \
	}
#define COMPILER_NO_PROJECT                                                                                            \
	{                                                                                                              \
		"no-project", 0, OPT_FLAG, NULL, NULL, "inside of a project what is used outside",                     \
			offsetof(struct values, no_project), NULL                                                      \
	}
#define COMPILER_UPDATE                                                                                                \
	{                                                                                                              \
		"update", 0, OPT_FLAG, NULL, NULL, "outside of projects: take newer packages",                         \
			offsetof(struct values, update), NULL                                                          \
	}
#define COMPILER_MIRROR                                                                                                \
	{                                                                                                              \
		"mirror", 0, OPT_TEXT, "URL", "XBUILD_DEBIAN_MIRROR", "Debian mirror to use first",                    \
			offsetof(struct values, mirror), NULL                                                          \
	}
#define COMPILER_OFFLINE                                                                                               \
	{                                                                                                              \
		"offline", 0, OPT_FLAG, NULL, "XBUILD_OFFLINE", "never touch the network",                             \
			offsetof(struct values, offline), NULL                                                         \
	}
#define COMPILER_BUNDLE                                                                                                \
	{                                                                                                              \
		"bundle", 0, OPT_TEXT, "FILE", "XBUILD_BUNDLE",                                                        \
			"take what is missing from what 'xbuild bundle' made; offline",                                \
			offsetof(struct values, bundle), NULL                                                          \
	}
#define COMPILER_OPTIONS                                                                                               \
	COMPILER_TARGET, COMPILER_WITH, COMPILER_LLVM, COMPILER_DEBIAN, COMPILER_STDLIB, COMPILER_NO_PROJECT,          \
		COMPILER_UPDATE, COMPILER_MIRROR, COMPILER_BUNDLE, COMPILER_OFFLINE

/* The values of --stdlib, ends with NULL. */
extern const char *const compiler_stdlibs[];

/* `tools`: the further ones (ar ...) are needed. */
struct xb_compiler_opts compiler_options(const struct cli *cli, bool tools);

#endif
