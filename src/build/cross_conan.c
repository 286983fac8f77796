/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles of Conan 2 and triplets of vcpkg: both name CMake's toolchain file and an architecture in their own words. */
#include "cross.h"

#include <string.h>

#include "xbuild/base/vec.h"

/* By OCI architecture. Conan 2: default_settings.yml, "arch". vcpkg: "Triplet variables", VCPKG_TARGET_ARCHITECTURE. */
static const struct names {
	const char *oci, *conan, *vcpkg;
} all_names[] = {
	{"amd64", "x86_64", "x64"},  {"arm64", "armv8", "arm64"},	{"arm", "armv7hf", "arm"},
	{"386", "x86", "x86"},	     {"riscv64", "riscv64", "riscv64"}, {"ppc64le", "ppc64le", "ppc64le"},
	{"s390x", "s390x", "s390x"},
};

static struct names names_of(const struct xb_target *target)
{
	for (size_t i = 0; i < XB_COUNT(all_names); i++)
		if (!strcmp(all_names[i].oci, target->oci_arch))
			return all_names[i];
	return (struct names){target->oci_arch, target->cmake_processor, target->oci_arch};
}

static void quoted(struct xb_str *out, const char *text)
{
	cross_quote(out, text, '"', "\\\"");
}

void xb_cross_conan(const struct xb_cross *cross, struct xb_str *out)
{
	static const char *const tools[][2] = {
		{"CC", "clang"}, {"CXX", "clang++"}, {"AR", "ar"},	     {"RANLIB", "ranlib"},
		{"NM", "nm"},	 {"STRIP", "strip"}, {"OBJCOPY", "objcopy"}, {"LD", "ld"},
	};
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};

	cross_head(cross, "profile of Conan 2", out);
	xb_str_printf(out,
		      "[settings]\nos=Linux\narch=%s\ncompiler=clang\ncompiler.version=%d\ncompiler.libcxx=%s\n"
		      "compiler.cppstd=gnu17\nbuild_type=Release\n\n[conf]\ntools.build:compiler_executables={\"c\": ",
		      names_of(cross->target).conan, cross->clang_major, cross->libcxx ? "libc++" : "libstdc++11");
	quoted(out, xb_cross_tool(cross, "clang", &arena));
	xb_str_append(out, ", \"cpp\": ");
	quoted(out, xb_cross_tool(cross, "clang++", &arena));
	xb_str_printf(out,
		      "}\ntools.build:sysroot=%s\ntools.build.cross_building:can_run=%s\ntools.gnu:pkg_config=%s\n"
		      "tools.gnu:host_triplet=%s\n",
		      cross->sysroot, cross->emulator ? "True" : "False", xb_cross_tool(cross, "pkg-config", &arena),
		      cross->target->triple);
	if (cross->cmake_file) {
		xb_str_append(out, "tools.cmake.cmaketoolchain:user_toolchain=[");
		quoted(out, cross->cmake_file);
		xb_str_append(out, "]\n");
	}
	xb_str_append(out, "\n[buildenv]\n");
	for (size_t i = 0; i < XB_COUNT(tools); i++)
		xb_str_printf(out, "%s=%s\n", tools[i][0], xb_cross_tool(cross, tools[i][1], &arena));
}

void xb_cross_vcpkg(const struct xb_cross *cross, struct xb_str *out)
{
	cross_head(cross, "triplet of vcpkg", out);
	xb_str_printf(out,
		      "set(VCPKG_TARGET_ARCHITECTURE %s)\nset(VCPKG_CRT_LINKAGE dynamic)\n"
		      "set(VCPKG_LIBRARY_LINKAGE static)\nset(VCPKG_CMAKE_SYSTEM_NAME Linux)\n"
		      "set(VCPKG_CHAINLOAD_TOOLCHAIN_FILE ",
		      names_of(cross->target).vcpkg);
	cross_quote(out, cross->vcpkg_file, '"', "\\\"$");
	xb_str_append(out, ")\n");
}

void xb_cross_vcpkg_toolchain(const struct xb_cross *cross, struct xb_str *out)
{
	static const char *const languages[] = {"C", "CXX"};

	xb_cross_cmake(cross, out);
	/* A chain-loaded file stands in the place of vcpkg's own, and has to pass on what that one does. */
	xb_str_append(out, "get_property(xbuild_in_try_compile GLOBAL PROPERTY IN_TRY_COMPILE)\n"
			   "if(NOT xbuild_in_try_compile)\n");
	for (size_t i = 0; i < XB_COUNT(languages); i++)
		xb_str_printf(out,
			      "  string(APPEND CMAKE_%s_FLAGS_INIT \" -fPIC ${VCPKG_%s_FLAGS} \")\n"
			      "  string(APPEND CMAKE_%s_FLAGS_DEBUG_INIT \" ${VCPKG_%s_FLAGS_DEBUG} \")\n"
			      "  string(APPEND CMAKE_%s_FLAGS_RELEASE_INIT \" ${VCPKG_%s_FLAGS_RELEASE} \")\n",
			      languages[i], languages[i], languages[i], languages[i], languages[i], languages[i]);
	xb_str_append(out,
		      "  foreach(kind EXE SHARED MODULE)\n"
		      "    string(APPEND CMAKE_${kind}_LINKER_FLAGS_INIT \" ${VCPKG_LINKER_FLAGS} \")\n"
		      "    string(APPEND CMAKE_${kind}_LINKER_FLAGS_DEBUG_INIT \" ${VCPKG_LINKER_FLAGS_DEBUG} \")\n"
		      "    string(APPEND CMAKE_${kind}_LINKER_FLAGS_RELEASE_INIT \" ${VCPKG_LINKER_FLAGS_RELEASE} \")\n"
		      "  endforeach()\nendif()\n");
}
