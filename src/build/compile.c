/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/build/compile.h"

#include <string.h>

#include "xbuild/base/map.h"
#include "xbuild/base/path.h"
#include "xbuild/base/str.h"
#include "xbuild/build/foreign.h"
#include "xbuild/model/stdlib.h"

bool xb_language_of(const char *path, enum xb_language *out)
{
	static const struct {
		const char *ext;
		enum xb_language language;
	} table[] = {
		{".c", XB_LANG_C},	 {".cc", XB_LANG_CXX},	   {".cpp", XB_LANG_CXX}, {".cxx", XB_LANG_CXX},
		{".c++", XB_LANG_CXX},	 {".cp", XB_LANG_CXX},	   {".C", XB_LANG_CXX},	  {".s", XB_LANG_ASM},
		{".S", XB_LANG_ASM_CPP}, {".sx", XB_LANG_ASM_CPP},
	};
	const struct xb_sv ext = xb_path_ext(xb_sv(path));

	for (size_t i = 0; i < XB_COUNT(table); i++) {
		if (xb_sv_eq_str(ext, table[i].ext)) {
			*out = table[i].language;
			return true;
		}
	}
	return false;
}

const char *xb_place_text(const struct xb_place *at, struct xb_arena *arena)
{
	if (!at || !at->file || !at->line)
		return "";
	return xb_arena_printf(arena, "%s:%d:%d: ", at->file, at->line, at->col);
}

int xb_settings_each(const struct xb_setup *setup, const struct xb_unit *unit,
		     int (*fn)(void *ctx, const struct xb_settings *settings, struct xb_err *err), void *ctx,
		     struct xb_err *err)
{
	if (fn(ctx, &unit->settings, err) < 0 || fn(ctx, &setup->target->settings, err) < 0 ||
	    fn(ctx, &setup->profile->settings, err) < 0)
		return err->code;
	for (size_t i = 0; i < unit->n_overrides; i++) {
		const struct xb_override *o = &unit->overrides[i];

		if (o->target ? o->target != setup->target->target : strcmp(o->profile, setup->profile->name) != 0)
			continue;
		if (fn(ctx, &o->settings, err) < 0)
			return err->code;
	}
	return 0;
}

/* What is gathered while the blocks of settings are walked. */
struct gather {
	const struct xb_setup *setup;
	const struct xb_unit *unit;
	enum xb_language language;
	struct xb_arena *arena;
	const char *std;
	struct xb_map defines; /* name -> "-DNAME=value" in arena: a later block replaces the value of an earlier one */
	struct xb_command flags;
};

static void add_flags(struct gather *g, const struct xb_words *words)
{
	for (size_t i = 0; i < words->len; i++)
		xb_command_word(&g->flags, words->items[i]);
}

static int add_define(struct gather *g, const struct xb_pairs *pairs, size_t i, struct xb_err *err)
{
	struct xb_str value XB_CLEANUP(xb_str_release) = {0};
	const char *text = pairs->values[i];

	if (text && strstr(text, "${")) {
		if (!g->setup->expand)
			return xb_fail(err, XB_E_INPUT, "unit '%s': define %s: there are no variables here",
				       g->unit->name, pairs->names[i]);
		if (g->setup->expand(g->setup->expand_ctx, text, g->setup->target->target, &value, err) < 0)
			return xb_wrap(err, "unit '%s': define %s", g->unit->name, pairs->names[i]);
		text = xb_str_get(&value);
	}
	xb_map_put_str(&g->defines, pairs->names[i],
		       text && *text ? xb_arena_printf(g->arena, "-D%s=%s", pairs->names[i], text)
				     : xb_arena_printf(g->arena, "-D%s", pairs->names[i]));
	return 0;
}

static int gather_block(void *ctx, const struct xb_settings *s, struct xb_err *err)
{
	struct gather *g = ctx;

	if (g->language == XB_LANG_C && s->c_std)
		g->std = s->c_std;
	if (g->language == XB_LANG_CXX && s->cxx_std)
		g->std = s->cxx_std;
	for (size_t i = 0; i < s->defines.len; i++)
		if (add_define(g, &s->defines, i, err) < 0)
			return err->code;
	add_flags(g, &s->flags);
	if (g->language == XB_LANG_C)
		add_flags(g, &s->c_flags);
	else if (g->language == XB_LANG_CXX)
		add_flags(g, &s->cxx_flags);
	else
		add_flags(g, &s->asm_flags);
	return 0;
}

void xb_dirs_add(struct xb_dirs *dirs, struct xb_arena *arena, const char *item)
{
	if (dirs->len == dirs->cap) {
		const size_t cap = dirs->cap ? 2 * dirs->cap : 16;
		const char **items = xb_arena_array(arena, cap, sizeof(*items));

		if (dirs->len)
			memcpy(items, dirs->items, dirs->len * sizeof(*items));
		dirs->items = items;
		dirs->cap = cap;
	}
	dirs->items[dirs->len++] = item;
}

void xb_dirs_add_new(struct xb_dirs *dirs, struct xb_arena *arena, const char *item)
{
	for (size_t i = 0; i < dirs->len; i++)
		if (!strcmp(dirs->items[i], item))
			return;
	xb_dirs_add(dirs, arena, item);
}

/* A static library hands on what it got itself, a shared one only its own headers: that is its interface. */
static void hand_on_dirs(const struct xb_unit *unit, struct xb_arena *arena, struct xb_dirs *out)
{
	for (size_t i = 0; i < unit->n_deps; i++) {
		const struct xb_unit *dep = unit->deps[i];

		for (size_t k = 0; k < dep->include.len; k++)
			xb_dirs_add_new(out, arena, dep->include.items[k]);
		if (dep->kind == XB_UNIT_STATIC)
			hand_on_dirs(dep, arena, out);
	}
}

void xb_include_dirs(const struct xb_unit *unit, struct xb_arena *arena, struct xb_dirs *out)
{
	*out = (struct xb_dirs){0};
	for (size_t i = 0; i < unit->private_include.len; i++)
		xb_dirs_add_new(out, arena, unit->private_include.items[i]);
	for (size_t i = 0; i < unit->include.len; i++)
		xb_dirs_add_new(out, arena, unit->include.items[i]);
	hand_on_dirs(unit, arena, out);
}

static void add_modules(const struct xb_unit *unit, struct xb_arena *arena, struct xb_dirs *out)
{
	for (size_t i = 0; i < unit->pkg_config.len; i++)
		xb_dirs_add_new(out, arena, unit->pkg_config.items[i]);
	for (size_t i = 0; i < unit->n_deps; i++)
		if (unit->deps[i]->kind == XB_UNIT_STATIC)
			add_modules(unit->deps[i], arena, out);
}

/*
 * Debian's musl lives in a directory of its own, which clang's driver does not know: musl's headers, then the kernel's, whose
 * half for the machine is in the directory of the GNU triple. The compiler's own headers stand before them.
 */
static void add_musl_headers(const struct xb_target *target, struct xb_command *out)
{
	const char *const dirs[] = {xb_arena_printf(out->arena, "usr/include/%s", target->multiarch), "usr/include",
				    xb_arena_printf(out->arena, "usr/include/%s", target->gcc_triple)};

	xb_command_word(out, "-nostdlibinc");
	for (size_t i = 0; i < XB_COUNT(dirs); i++)
		xb_command_rooted(out, "-isystem", XB_ROOT_SYSROOT, dirs[i], NULL);
}

void xb_compile_target(const struct xb_tools *tools, const struct xb_sysroot_paths *sysroot, struct xb_command *out)
{
	xb_command_word(out, "-no-canonical-prefixes");
	xb_command_word(out, "--no-default-config");
	xb_command_word(out, xb_arena_printf(out->arena, "--target=%s", sysroot->target->triple));
	xb_command_rooted(out, "--sysroot=", XB_ROOT_SYSROOT, NULL, NULL);
	if (sysroot->target->libc == XB_LIBC_MUSL) {
		add_musl_headers(sysroot->target, out);
		return;
	}
	/* clang 16 learnt --gcc-install-dir; --gcc-toolchain searches below usr/lib/gcc and finds the same directory */
	if (tools->major >= 16)
		xb_command_rooted(out, "--gcc-install-dir=", XB_ROOT_SYSROOT, sysroot->gcc_dir, NULL);
	else
		xb_command_rooted(out, "--gcc-toolchain=", XB_ROOT_SYSROOT, "usr", NULL);
}

/* Named outright: clang would take the headers of the toolchain's own libc++ before those of the sysroot. */
void xb_compile_libcxx(struct xb_command *out)
{
	xb_command_rooted(out, "-stdlib++-isystem", XB_ROOT_SYSROOT, "usr/include/c++/v1", NULL);
}

void xb_compile_maps(bool project, struct xb_command *out)
{
	if (project)
		xb_command_rooted(out, "-ffile-prefix-map=", XB_ROOT_PROJECT, NULL, "=.");
	xb_command_rooted(out, "-ffile-prefix-map=", XB_ROOT_SYSROOT, NULL, "=/sysroot");
	xb_command_rooted(out, "-ffile-prefix-map=", XB_ROOT_TOOLCHAIN, NULL, "=/toolchain");
}

static void add_base(const struct xb_setup *setup, struct xb_command *out)
{
	xb_compile_target(setup->tools, setup->sysroot, out);
	xb_command_word(out, "-fdebug-compilation-dir=.");
	xb_compile_maps(true, out);
	xb_command_real(out, "-fcolor-diagnostics");
	xb_command_real(out, "-fno-crash-diagnostics");
}

void xb_compile_cpu(const struct xb_target *target, const char *cpu, struct xb_command *out)
{
	if (cpu) {
		xb_command_word(out, xb_arena_printf(out->arena, "%s%s", target->cpu_option, cpu));
		return;
	}
	for (size_t i = 0; target->baseline[i]; i++)
		xb_command_word(out, target->baseline[i]);
}

static void add_profile(const struct xb_setup *setup, const struct xb_unit *unit, struct xb_command *out)
{
	static const char *const optimize[] = {"-O0", "-O2", "-Os"};
	static const char *const debug[] = {"-g0", "-gline-tables-only", "-g", "-g"};
	const struct xb_profile *profile = setup->profile;

	xb_compile_cpu(setup->target->target, setup->target->cpu, out);
	xb_command_word(out, optimize[profile->optimize]);
	xb_command_word(out, debug[profile->debug]);
	/* objects of a static library may end up in a shared one */
	xb_command_word(out, unit->kind == XB_UNIT_EXECUTABLE ? "-fPIE" : "-fPIC");
	if (profile->lto != XB_LTO_NONE)
		xb_command_word(out, profile->lto == XB_LTO_THIN ? "-flto=thin" : "-flto=full");
}

/*
 * What -MD -MF mean, said to the compiler proper: the driver removes its dependency file when the compilation fails, and what
 * a failed one has read is worth knowing, too.
 */
static void add_depfile(struct xb_command *out)
{
	static const char *const words[] = {"-sys-header-deps", "-MT", "object"};

	for (size_t i = 0; i < XB_COUNT(words); i++) {
		xb_command_word(out, "-Xclang");
		xb_command_word(out, words[i]);
	}
	xb_command_word(out, "-Xclang");
	xb_command_word(out, "-dependency-file");
	xb_command_word(out, "-Xclang");
	xb_command_rooted(out, "", (enum xb_root)XB_WORD_DEPFILE, NULL, NULL);
}

/* Headers that other build systems installed: behind those of the project, before the sysroot's. */
static void add_stages(const struct xb_setup *setup, const struct xb_unit *unit, struct xb_command *out)
{
	struct xb_unit_list needs;

	xb_foreign_needs(unit, out->arena, &needs);
	for (size_t i = 0; i < needs.len; i++)
		if (needs.items[i]->foreign)
			xb_command_rooted(out, "-isystem", XB_ROOT_PROJECT,
					  xb_foreign_stage(setup, needs.items[i], out->arena), "/usr/include");
}

static void add_files(enum xb_language language, struct xb_command *out)
{
	static const char *const names[] = {"c", "c++", "assembler", "assembler-with-cpp"};

	if (language != XB_LANG_ASM)
		add_depfile(out);
	xb_command_word(out, "-x");
	xb_command_word(out, names[language]);
	xb_command_word(out, language == XB_LANG_ASM_CPP ? "-E" : "-c");
	xb_command_rooted(out, "", (enum xb_root)XB_WORD_SOURCE, NULL, NULL);
	xb_command_word(out, "-o");
	xb_command_rooted(out, "", (enum xb_root)XB_WORD_OUTPUT, NULL, NULL);
}

static int add_user_words(struct gather *g, struct xb_pkgconfig *pkgconfig, struct xb_command *out, struct xb_err *err)
{
	struct xb_dirs dirs, modules = {0};

	if (xb_settings_each(g->setup, g->unit, gather_block, g, err) < 0)
		return err->code;
	if (g->language == XB_LANG_CXX && xb_stdlib_is_libcxx(g->unit, g->setup->target, g->setup->profile))
		xb_compile_libcxx(out);
	if (g->std)
		xb_command_word(out, xb_arena_printf(g->arena, "-std=%s", g->std));
	/* ignored, with a warning, where nothing is preprocessed */
	if (g->language != XB_LANG_ASM)
		for (size_t i = 0; i < g->defines.len; i++)
			xb_command_word(out, g->defines.entries[i].value);
	xb_include_dirs(g->unit, g->arena, &dirs);
	for (size_t i = 0; i < dirs.len; i++)
		xb_command_word(out, xb_arena_printf(g->arena, "-I%s", dirs.items[i]));
	add_stages(g->setup, g->unit, out);
	add_modules(g->unit, g->arena, &modules);
	if (modules.len && pkgconfig &&
	    xb_pkgconfig_flags(pkgconfig, modules.items, modules.len, true, out, NULL, err) < 0)
		return xb_wrap(err, "unit '%s'", g->unit->name);
	xb_command_append(out, &g->flags);
	return 0;
}

int xb_compile_command(const struct xb_setup *setup, const struct xb_unit *unit, enum xb_language language,
		       struct xb_pkgconfig *pkgconfig, struct xb_command *out, struct xb_err *err)
{
	struct gather g = {.setup = setup, .unit = unit, .language = language, .arena = out->arena};
	int rc;

	xb_command_init(&g.flags, out->arena);
	add_base(setup, out);
	add_profile(setup, unit, out);
	/* half of the words mean nothing to the assembler */
	if (language == XB_LANG_ASM || language == XB_LANG_ASM_CPP)
		xb_command_word(out, "-Wno-unused-command-line-argument");
	rc = add_user_words(&g, pkgconfig, out, err);
	if (rc == 0)
		add_files(language, out);
	xb_map_release(&g.defines);
	return rc;
}
