/* SPDX-License-Identifier: Apache-2.0 */
#include "cross.h"

#include <ctype.h>
#include <string.h>

#include "xbuild/base/vec.h"

void cross_quote(struct xb_str *out, const char *text, char quote, const char *special)
{
	xb_str_append_char(out, quote);
	for (; *text; text++) {
		if (strchr(special, *text))
			xb_str_append_char(out, '\\');
		xb_str_append_char(out, *text);
	}
	xb_str_append_char(out, quote);
}

void cross_head(const struct xb_cross *cross, const char *what, struct xb_str *out)
{
	xb_str_printf(out, "# %s for %s, written by xbuild\n", what, cross->target->name);
}

const char *xb_cross_tool(const struct xb_cross *cross, const char *tool, struct xb_arena *arena)
{
	return xb_arena_printf(arena, "%s/bin/%s-%s", cross->wrapper_dir, cross->target->triple, tool);
}

const char *xb_cross_short(const struct xb_cross *cross, const char *value)
{
	const size_t n = strlen(cross->wrapper_dir);

	if (!strncmp(value, cross->wrapper_dir, n) && !strncmp(value + n, "/bin/", 5))
		return value + n + 5;
	return value;
}

bool cross_names(const struct xb_cross *cross, const char *tool)
{
	return !cross->no_objdump || strcmp(tool, "objdump") != 0;
}

const char *cross_rust_name(const struct xb_cross *cross, bool capitals, struct xb_arena *arena)
{
	char *name = xb_arena_strdup(arena, cross->target->rust_triple);

	for (char *c = name; *c; c++)
		*c = *c == '-' || *c == '.' ? '_' : (char)(capitals ? toupper((unsigned char)*c) : *c);
	return name;
}

const char *cross_pkg_config_libdir(const struct xb_cross *cross, struct xb_arena *arena)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	for (const char *const *p = cross->prefixes; p && *p; p++)
		xb_str_printf(&text, "%s/usr/lib/%s/pkgconfig:%s/usr/lib/pkgconfig:%s/usr/share/pkgconfig:", *p,
			      cross->target->multiarch, *p, *p);
	xb_str_printf(&text, "%s/usr/lib/%s/pkgconfig:%s/usr/lib/pkgconfig:%s/usr/share/pkgconfig", cross->sysroot,
		      cross->target->multiarch, cross->sysroot, cross->sysroot);
	return xb_arena_strdup(arena, xb_str_get(&text));
}

static void add(struct xb_cross_vars *vars, struct xb_arena *arena, const char *name, const char *value)
{
	if (vars->len == vars->cap) {
		const size_t cap = vars->cap ? 2 * vars->cap : 64;
		struct xb_cross_var *items = xb_arena_array(arena, cap, sizeof(*items));

		if (vars->len)
			memcpy(items, vars->items, vars->len * sizeof(*items));
		vars->items = items;
		vars->cap = cap;
	}
	vars->items[vars->len++] = (struct xb_cross_var){name, value};
}

/* Words with blanks between them; NULL when one of them has a blank, for the receiver would cut it there. */
static const char *joined(const char *const *words, struct xb_arena *arena)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	for (const char *const *w = words; w && *w; w++) {
		if (strchr(*w, ' '))
			return NULL;
		xb_str_printf(&text, "%s%s", text.len ? " " : "", *w);
	}
	return text.len ? xb_arena_strdup(arena, xb_str_get(&text)) : NULL;
}

/* bindgen splits the value as a shell does. */
static const char *bindgen_words(const struct xb_cross *cross, struct xb_arena *arena)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	xb_str_printf(&text, "--target=%s ", cross->target->triple);
	cross_quote(&text, xb_arena_printf(arena, "--sysroot=%s", cross->sysroot), '"', "\\\"$`");
	return xb_arena_strdup(arena, xb_str_get(&text));
}

void xb_cross_env_cargo(const struct xb_cross *cross, struct xb_arena *arena, struct xb_cross_vars *out)
{
	const char *big = cross_rust_name(cross, true, arena), *small = cross_rust_name(cross, false, arena);
	const char *runner = joined(cross->emulator, arena);
	const char *const tools[][2] = {{"CC", "clang"}, {"CXX", "clang++"}, {"AR", "ar"}, {"RANLIB", "ranlib"}};

	/* no rust flags: those of the user's environment would replace them all (The Cargo Book, build.rustflags) */
	add(out, arena, xb_arena_printf(arena, "CARGO_TARGET_%s_LINKER", big), xb_cross_tool(cross, "clang", arena));
	if (runner)
		add(out, arena, xb_arena_printf(arena, "CARGO_TARGET_%s_RUNNER", big), runner);
	for (size_t i = 0; i < XB_COUNT(tools); i++)
		add(out, arena, xb_arena_printf(arena, "%s_%s", tools[i][0], small),
		    xb_cross_tool(cross, tools[i][1], arena));
	add(out, arena, xb_arena_printf(arena, "PKG_CONFIG_%s", small), xb_cross_tool(cross, "pkg-config", arena));
	/* the crate refuses to work for another target unless it is told a root */
	add(out, arena, xb_arena_printf(arena, "PKG_CONFIG_SYSROOT_DIR_%s", small), cross->sysroot);
	add(out, arena, xb_arena_printf(arena, "PKG_CONFIG_LIBDIR_%s", small), cross_pkg_config_libdir(cross, arena));
	add(out, arena, xb_arena_printf(arena, "BINDGEN_EXTRA_CLANG_ARGS_%s", small), bindgen_words(cross, arena));
	if (cross->cmake_file)
		add(out, arena, xb_arena_printf(arena, "CMAKE_TOOLCHAIN_FILE_%s", small), cross->cmake_file);
}

/* Without these, programs that run while building are compiled with CC. */
static void add_build_machine(struct xb_arena *arena, struct xb_cross_vars *out)
{
	add(out, arena, "CC_FOR_BUILD", "cc");
	add(out, arena, "CXX_FOR_BUILD", "c++");
	add(out, arena, "BUILD_CC", "cc");
	add(out, arena, "BUILD_CXX", "c++");
	add(out, arena, "HOST_CC", "cc");
	add(out, arena, "HOST_CXX", "c++");
}

static void add_go(const struct xb_cross *cross, struct xb_arena *arena, struct xb_cross_vars *out)
{
	const struct xb_target *target = cross->target;

	add(out, arena, "CGO_ENABLED", "1"); /* 0 is its default when it builds for another machine */
	add(out, arena, "GOOS", "linux");
	add(out, arena, "GOARCH", target->oci_arch);
	if (!strcmp(target->oci_arch, "arm") && target->oci_variant)
		add(out, arena, "GOARM", target->oci_variant + 1); /* "v7" */
}

void xb_cross_env(const struct xb_cross *cross, struct xb_arena *arena, struct xb_cross_vars *out)
{
	const char *const tools[][2] = {
		{"CC", "clang"}, {"CXX", "clang++"},	 {"CPP", "cpp"},	 {"AR", "ar"},
		{"NM", "nm"},	 {"RANLIB", "ranlib"},	 {"STRIP", "strip"},	 {"OBJCOPY", "objcopy"},
		{"LD", "ld"},	 {"OBJDUMP", "objdump"}, {"READELF", "readelf"}, {"PKG_CONFIG", "pkg-config"},
	};

	for (size_t i = 0; i < XB_COUNT(tools); i++)
		if (cross_names(cross, tools[i][1]))
			add(out, arena, tools[i][0], xb_cross_tool(cross, tools[i][1], arena));
	add(out, arena, "CROSS_COMPILE",
	    xb_arena_printf(arena, "%s/bin/%s-", cross->wrapper_dir, cross->target->triple));
	add_build_machine(arena, out);
	/* for those that call the host's pkg-config by its name */
	add(out, arena, "PKG_CONFIG_PATH", "");
	add(out, arena, "PKG_CONFIG_SYSROOT_DIR", cross->sysroot);
	add(out, arena, "PKG_CONFIG_LIBDIR", cross_pkg_config_libdir(cross, arena));
	if (cross->cmake_file)
		add(out, arena, "CMAKE_TOOLCHAIN_FILE", cross->cmake_file);
	add(out, arena, "CARGO_BUILD_TARGET", cross->target->rust_triple);
	xb_cross_env_cargo(cross, arena, out);
	add_go(cross, arena, out);
}
