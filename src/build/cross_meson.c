/* SPDX-License-Identifier: Apache-2.0 */
#include "cross.h"

#include "xbuild/base/vec.h"

static void quoted(struct xb_str *out, const char *text)
{
	cross_quote(out, text, '\'', "\\'");
}

static void list(struct xb_str *out, const char *name, const char *const *words)
{
	xb_str_printf(out, "%s = [", name);
	for (size_t i = 0; words[i]; i++) {
		xb_str_append(out, i ? ", " : "");
		quoted(out, words[i]);
	}
	xb_str_append(out, "]\n");
}

static void set(struct xb_str *out, const char *name, const char *value)
{
	xb_str_printf(out, "%s = ", name);
	quoted(out, value);
	xb_str_append_char(out, '\n');
}

static void add_binaries(const struct xb_cross *cross, struct xb_arena *arena, struct xb_str *out)
{
	/* pkg-config was called pkgconfig before Meson 1.3 */
	static const char *const tools[][2] = {
		{"c", "clang"},
		{"cpp", "clang++"},
		{"ar", "ar"},
		{"ranlib", "ranlib"},
		{"nm", "nm"},
		{"strip", "strip"},
		{"objcopy", "objcopy"},
		{"objdump", "objdump"},
		{"readelf", "readelf"},
		{"ld", "ld"},
		{"pkg-config", "pkg-config"},
		{"pkgconfig", "pkg-config"},
	};
	const char *const rust[] = {"rustc",
				    "--target",
				    cross->target->rust_triple,
				    "-C",
				    xb_arena_printf(arena, "linker=%s", xb_cross_tool(cross, "clang", arena)),
				    NULL};

	xb_str_append(out, "[binaries]\n");
	for (size_t i = 0; i < XB_COUNT(tools); i++)
		if (cross_names(cross, tools[i][1]))
			set(out, tools[i][0], xb_cross_tool(cross, tools[i][1], arena));
	set(out, "cmake", "cmake");
	list(out, "rust", rust);
	if (cross->emulator)
		list(out, "exe_wrapper", cross->emulator);
}

static void add_properties(const struct xb_cross *cross, struct xb_arena *arena, struct xb_str *out)
{
	const char *const bindgen[] = {xb_arena_printf(arena, "--target=%s", cross->target->triple),
				       xb_arena_printf(arena, "--sysroot=%s", cross->sysroot), NULL};

	xb_str_append(out, "\n[properties]\n");
	set(out, "sys_root", cross->sysroot);
	set(out, "pkg_config_libdir", cross_pkg_config_libdir(cross, arena));
	/* also where this machine could: the target may have another libc */
	xb_str_append(out, "needs_exe_wrapper = true\n");
	if (cross->cmake_file)
		set(out, "cmake_toolchain_file", cross->cmake_file);
	list(out, "bindgen_clang_arguments", bindgen);
}

void xb_cross_meson(const struct xb_cross *cross, struct xb_str *out)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};

	cross_head(cross, "cross file of Meson", out);
	add_binaries(cross, &arena, out);
	add_properties(cross, &arena, out);
	xb_str_append(out, "\n[host_machine]\nsystem = 'linux'\n");
	set(out, "cpu_family", cross->target->meson_cpu_family);
	set(out, "cpu", cross->target->cmake_processor);
	set(out, "endian", cross->target->elf_data == 2 ? "big" : "little");
}
