/* SPDX-License-Identifier: Apache-2.0 */
#include "cross.h"

#include "xbuild/base/vec.h"

/* A quoted argument: cmake-language(7). */
static void quoted(struct xb_str *out, const char *text)
{
	cross_quote(out, text, '"', "\\\"$");
}

static void set(struct xb_str *out, const char *name, const char *value, const char *rest)
{
	xb_str_printf(out, "set(%s ", name);
	quoted(out, value);
	xb_str_printf(out, "%s)\n", rest);
}

static void list(struct xb_str *out, const char *name, const char *const *words)
{
	xb_str_printf(out, "set(%s", name);
	for (; *words; words++) {
		xb_str_append_char(out, ' ');
		quoted(out, *words);
	}
	xb_str_append(out, ")\n");
}

static void add_tools(const struct xb_cross *cross, struct xb_str *out)
{
	static const char *const tools[][2] = {
		{"CMAKE_C_COMPILER", "clang"},	 {"CMAKE_CXX_COMPILER", "clang++"},
		{"CMAKE_ASM_COMPILER", "clang"}, {"CMAKE_AR", "ar"},
		{"CMAKE_RANLIB", "ranlib"},	 {"CMAKE_NM", "nm"},
		{"CMAKE_STRIP", "strip"},	 {"CMAKE_OBJCOPY", "objcopy"},
		{"CMAKE_OBJDUMP", "objdump"},	 {"CMAKE_READELF", "readelf"},
		{"CMAKE_LINKER", "ld"},
	};
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};

	for (size_t i = 0; i < XB_COUNT(tools); i++)
		if (cross_names(cross, tools[i][1]))
			set(out, tools[i][0], xb_cross_tool(cross, tools[i][1], &arena), "");
	/* a plain variable is gone after the first find_package(PkgConfig) */
	set(out, "PKG_CONFIG_EXECUTABLE", xb_cross_tool(cross, "pkg-config", &arena), " CACHE FILEPATH \"\" FORCE");
}

/* Everything but programs comes from the roots alone. What another unit installed is a root as the sysroot is one. */
static void add_roots(const struct xb_cross *cross, struct xb_str *out)
{
	set(out, "CMAKE_SYSROOT", cross->sysroot, "");
	xb_str_append(out, "set(CMAKE_FIND_ROOT_PATH");
	for (const char *const *p = cross->prefixes; p && *p; p++) {
		xb_str_append_char(out, ' ');
		quoted(out, *p);
	}
	xb_str_append_char(out, ' ');
	quoted(out, cross->sysroot);
	xb_str_append(out, ")\n"
			   "set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)\n"
			   "set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)\n"
			   "set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)\n"
			   "set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)\n");
}

void xb_cross_cmake(const struct xb_cross *cross, struct xb_str *out)
{
	cross_head(cross, "toolchain file of CMake", out);
	xb_str_printf(out,
		      "set(CMAKE_SYSTEM_NAME Linux)\nset(CMAKE_SYSTEM_VERSION 1)\nset(CMAKE_SYSTEM_PROCESSOR %s)\n",
		      cross->target->cmake_processor);
	add_tools(cross, out);
	add_roots(cross, out);
	if (cross->emulator)
		list(out, "CMAKE_CROSSCOMPILING_EMULATOR", cross->emulator);
}
