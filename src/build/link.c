/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/build/link.h"
#include "xbuild/build/foreign.h"
#include "xbuild/model/stdlib.h"

#include <stddef.h>
#include <string.h>

#define CLANG_WITH_TLSDESC 19 /* first whose driver passes -enable-tlsdesc to the code generator of a link */

/* Driver words, sorted by what they do. */
struct ldflags {
	bool is_static, static_pie, no_pie, pthread, rdynamic, static_libgcc, shared_libgcc, static_stdlib, strip;
	bool maybe_cxx; /* the C++ library, if something asks for it */
	bool no_default_libs, no_start_files;
	const char *libcxx_dir;	 /* NULL: libstdc++ */
	struct xb_command words; /* for the linker, in order: -L, -l, and what -Wl carried */
};

static int refuse(const struct xb_unit *unit, struct xb_arena *arena, const char *word, const struct xb_place *at,
		  const char *why, struct xb_err *err)
{
	return xb_fail(err, XB_E_INPUT, "%sunit '%s': linker flag '%s' is not allowed: %s", xb_place_text(at, arena),
		       unit->name, word, why);
}

static const struct {
	const char *word;
	size_t field;
} switches[] = {
	{"-static", offsetof(struct ldflags, is_static)},
	{"-static-pie", offsetof(struct ldflags, static_pie)},
	{"-no-pie", offsetof(struct ldflags, no_pie)},
	{"-pthread", offsetof(struct ldflags, pthread)},
	{"-rdynamic", offsetof(struct ldflags, rdynamic)},
	{"-static-libgcc", offsetof(struct ldflags, static_libgcc)},
	{"-shared-libgcc", offsetof(struct ldflags, shared_libgcc)},
	{"-static-libstdc++", offsetof(struct ldflags, static_stdlib)},
	{"-s", offsetof(struct ldflags, strip)},
	{"-nodefaultlibs", offsetof(struct ldflags, no_default_libs)},
	{"-nostartfiles", offsetof(struct ldflags, no_start_files)},
};

static bool set_switch(struct ldflags *flags, const char *word)
{
	if (!strcmp(word, "-nostdlib")) {
		flags->no_default_libs = flags->no_start_files = true;
		return true;
	}
	if (!strcmp(word, "-pie")) {
		flags->no_pie = false;
		return true;
	}
	for (size_t i = 0; i < XB_COUNT(switches); i++) {
		if (!strcmp(word, switches[i].word)) {
			*(bool *)((char *)flags + switches[i].field) = true;
			return true;
		}
	}
	return false;
}

/* -Wl,a,b: the commas separate the linker's words. */
static void comma_words(struct ldflags *flags, const char *list)
{
	struct xb_sv rest = xb_sv(list);

	while (rest.ptr)
		xb_command_word(&flags->words, xb_arena_sv(flags->words.arena, xb_sv_cut(&rest, ',')));
}

static int library_dir(struct ldflags *flags, const struct xb_unit *unit, const char *word, const struct xb_place *at,
		       struct xb_err *err)
{
	if (!word[2])
		return refuse(unit, flags->words.arena, word, at, "the directory must follow in the same word", err);
	if (word[2] == '/')
		return refuse(unit, flags->words.arena, word, at,
			      "an absolute directory is another one on each machine; the sysroot is searched anyway",
			      err);
	xb_command_word(&flags->words, word);
	return 0;
}

/* `at` (may be NULL) has the same index as items. Failure: XB_E_INPUT naming word and unit. */
static int add_ldflags(struct ldflags *flags, const struct xb_unit *unit, const char *const *items,
		       const struct xb_place *at, size_t n, struct xb_err *err)
{
	for (size_t i = 0; i < n; i++) {
		const char *word = items[i];
		const struct xb_place *place = at ? &at[i] : NULL;
		int rc = 0;

		if (set_switch(flags, word))
			continue;
		if (!strncmp(word, "-Wl,", 4))
			comma_words(flags, word + 4);
		else if (!strncmp(word, "-L", 2))
			rc = library_dir(flags, unit, word, place, err);
		else if (!strncmp(word, "-l", 2) && word[2])
			xb_command_word(&flags->words, word);
		else
			rc = refuse(
				unit, flags->words.arena, word, place,
				"it is none of the words that are understood (-Wl,... passes anything to the linker)",
				err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

struct gather {
	const struct xb_unit *unit;
	struct ldflags *flags;
	bool libs_only; /* of a unit that is linked in: what it needs, not how it would be linked */
};

static int gather_block(void *ctx, const struct xb_settings *s, struct xb_err *err)
{
	struct gather *g = ctx;

	if (!g->libs_only && s->cxx_static_stdlib)
		g->flags->static_stdlib = true;
	if (!g->libs_only && add_ldflags(g->flags, g->unit, s->ldflags.items, s->ldflags.at, s->ldflags.len, err) < 0)
		return err->code;
	for (size_t i = 0; i < s->libs.len; i++)
		xb_command_word(&g->flags->words, xb_arena_printf(g->flags->words.arena, "-l%s", s->libs.items[i]));
	return 0;
}

/* Words from a .pc file: paths of the sysroot pass, the rest are driver words. An rpath of the sysroot is left out. */
static int add_module_words(struct ldflags *flags, const struct xb_unit *unit, const struct xb_command *libs,
			    struct xb_err *err)
{
	for (size_t i = 0; i < libs->len; i++) {
		const struct xb_word *w = &libs->items[i];

		if (w->root != XB_ROOT_NONE) {
			xb_command_rooted(&flags->words, w->text, w->root, w->path, w->tail);
			continue;
		}
		if (!strncmp(w->text, "-Wl,-rpath", 10) || !strncmp(w->text, "-Wl,--rpath", 11))
			continue;
		if (add_ldflags(flags, unit, &w->text, NULL, 1, err) < 0)
			return xb_wrap(err, "pkg-config");
	}
	return 0;
}

struct walk {
	const struct xb_setup *setup;
	struct ldflags *flags;
	struct xb_dirs modules; /* names, each once */
	XB_VEC(const struct xb_unit *) seen;
};

/* The unit and the static libraries behind it: each one's libraries and modules. */
static int walk_unit(struct walk *w, const struct xb_unit *unit, bool is_top, struct xb_err *err)
{
	struct gather g = {.unit = unit, .flags = w->flags, .libs_only = !is_top};

	for (size_t i = 0; i < w->seen.len; i++)
		if (w->seen.items[i] == unit)
			return 0;
	XB_VEC_PUSH(&w->seen, unit);
	/* what the target and the profile add holds for the program alone */
	if (is_top ? xb_settings_each(w->setup, unit, gather_block, &g, err) < 0
		   : gather_block(&g, &unit->settings, err) < 0)
		return err->code;
	for (size_t i = 0; i < unit->pkg_config.len; i++)
		xb_dirs_add_new(&w->modules, w->flags->words.arena, unit->pkg_config.items[i]);
	for (size_t i = 0; i < unit->n_deps; i++)
		if (unit->deps[i]->kind == XB_UNIT_STATIC && walk_unit(w, unit->deps[i], false, err) < 0)
			return err->code;
	return 0;
}

static int gather_flags(const struct xb_setup *setup, const struct xb_unit *unit, struct xb_pkgconfig *pkgconfig,
			struct ldflags *flags, struct xb_err *err)
{
	struct walk w = {.setup = setup, .flags = flags};
	struct xb_command libs;
	int rc;

	xb_command_init(&libs, flags->words.arena);
	rc = walk_unit(&w, unit, true, err);
	XB_VEC_RELEASE(&w.seen);
	if (rc < 0 || !w.modules.len || !pkgconfig)
		return rc;
	if (xb_pkgconfig_flags(pkgconfig, w.modules.items, w.modules.len, flags->is_static || flags->static_pie, NULL,
			       &libs, err) < 0)
		return xb_wrap(err, "unit '%s'", unit->name);
	return add_module_words(flags, unit, &libs, err);
}

/* How the program starts and is loaded. */
enum form { FORM_SHARED, FORM_PIE, FORM_FIXED, FORM_STATIC, FORM_STATIC_PIE };

static bool needs_shared(const struct xb_unit *unit)
{
	for (size_t i = 0; i < unit->n_deps; i++) {
		if (unit->deps[i]->kind == XB_UNIT_SHARED || needs_shared(unit->deps[i]))
			return true;
	}
	return false;
}

static enum form form_of(const struct xb_target *target, const struct xb_unit *unit, const struct ldflags *flags)
{
	if (unit->kind == XB_UNIT_SHARED)
		return FORM_SHARED;
	/* what musl is taken for: programs that run anywhere; with a library to load they need its loader all the same */
	if (target->libc == XB_LIBC_MUSL && !flags->is_static && !needs_shared(unit))
		return flags->no_pie ? FORM_STATIC : FORM_STATIC_PIE;
	if (flags->static_pie)
		return FORM_STATIC_PIE;
	if (flags->is_static)
		return FORM_STATIC;
	return flags->no_pie ? FORM_FIXED : FORM_PIE;
}

static void add_words(struct xb_command *out, const char *const *words)
{
	for (; *words; words++)
		xb_command_word(out, *words);
}

static void add_form(const struct xb_setup *setup, const struct xb_unit *unit, enum form form, struct xb_command *out)
{
	static const char *const words[][8] = {
		[FORM_SHARED] = {"-shared", NULL},
		[FORM_PIE] = {"-pie", NULL},
		[FORM_FIXED] = {NULL},
		[FORM_STATIC] = {"-static", NULL},
		[FORM_STATIC_PIE] = {"-static", "-pie", "--no-dynamic-linker", "-z", "text", NULL},
	};

	add_words(out, words[form]);
	if (form == FORM_PIE || form == FORM_FIXED) {
		xb_command_word(out, "-dynamic-linker");
		xb_command_word(out, setup->target->target->interpreter);
	}
	if (form == FORM_SHARED) {
		xb_command_word(out, "-soname");
		xb_command_word(out, unit->soname ? unit->soname : unit->output_name);
	}
}

static const char *lib_dir(const struct xb_setup *setup, struct xb_arena *arena)
{
	if (setup->sysroot->lib_dir)
		return setup->sysroot->lib_dir;
	return xb_arena_printf(arena, "usr/lib/%s", setup->target->target->multiarch);
}

static void add_start_files(const struct xb_setup *setup, enum form form, bool begin, struct xb_command *out)
{
	static const char *const crt1[] = {
		[FORM_SHARED] = NULL,	  [FORM_PIE] = "Scrt1.o",	 [FORM_FIXED] = "crt1.o",
		[FORM_STATIC] = "crt1.o", [FORM_STATIC_PIE] = "rcrt1.o",
	};
	static const char *const crtbegin[] = {"crtbeginS.o", "crtbeginS.o", "crtbegin.o", "crtbeginT.o",
					       "crtbeginS.o"};
	static const char *const crtend[] = {"crtendS.o", "crtendS.o", "crtend.o", "crtend.o", "crtendS.o"};
	struct xb_arena *arena = out->arena;
	const char *dir = lib_dir(setup, arena);
	const char *gcc = setup->sysroot->gcc_dir;

	if (!begin) {
		xb_command_rooted(out, "", XB_ROOT_SYSROOT, xb_arena_printf(arena, "%s/%s", gcc, crtend[form]), NULL);
		xb_command_rooted(out, "", XB_ROOT_SYSROOT, xb_arena_printf(arena, "%s/crtn.o", dir), NULL);
		return;
	}
	if (crt1[form])
		xb_command_rooted(out, "", XB_ROOT_SYSROOT, xb_arena_printf(arena, "%s/%s", dir, crt1[form]), NULL);
	xb_command_rooted(out, "", XB_ROOT_SYSROOT, xb_arena_printf(arena, "%s/crti.o", dir), NULL);
	xb_command_rooted(out, "", XB_ROOT_SYSROOT, xb_arena_printf(arena, "%s/%s", gcc, crtbegin[form]), NULL);
}

static void add_lto(const struct xb_setup *setup, struct xb_command *out)
{
	static const char *const levels[] = {"-plugin-opt=O0", "-plugin-opt=O2", "-plugin-opt=O2"};
	const struct xb_target *target = setup->target->target;
	const char *cpu = setup->target->cpu;

	if (setup->profile->lto == XB_LTO_NONE)
		return;
	if (!cpu)
		cpu = target->lto_cpu;
	xb_command_word(out, xb_arena_printf(out->arena, "-plugin-opt=mcpu=%s", cpu));
	xb_command_word(out, levels[setup->profile->optimize]);
	if (setup->profile->lto == XB_LTO_THIN)
		xb_command_word(out, "-plugin-opt=thinlto");
	if (!strcmp(target->lld_emulation, "aarch64linux") && setup->tools->major >= CLANG_WITH_TLSDESC)
		xb_command_word(out, "-plugin-opt=-enable-tlsdesc");
	xb_command_real(out, xb_arena_printf(out->arena, "--thinlto-jobs=%d", setup->jobs > 0 ? setup->jobs : 1));
}

static void add_libgcc(const struct ldflags *flags, bool cxx, struct xb_command *out)
{
	static const char *const fixed[] = {"-lgcc", "-lgcc_eh", NULL};
	static const char *const always[] = {"-lgcc_s", "-lgcc", NULL};
	static const char *const needed[] = {"-lgcc", "--as-needed", "-lgcc_s", "--no-as-needed", NULL};

	if (flags->static_libgcc)
		add_words(out, fixed);
	else
		add_words(out, cxx || flags->shared_libgcc ? always : needed);
}

static void add_stdlib(const char *libcxx_dir, struct xb_command *out)
{
	if (!libcxx_dir) {
		xb_command_word(out, "-lstdc++");
		return;
	}
	xb_command_rooted(out, "-L", XB_ROOT_SYSROOT, libcxx_dir, NULL);
	xb_command_word(out, "-lc++");
	/* libc++.so brings it along, libc++.a does not */
	xb_command_word(out, "-lc++abi");
}

/* What may have C++ inside gets its library by --as-needed, and a library that is not there fails a link all the same. */
static bool lacks_stdlib(const struct ldflags *flags, const struct xb_sysroot_paths *sysroot, bool is_static)
{
	if (flags->libcxx_dir)
		return false;
	return is_static || flags->static_stdlib ? sysroot->no_libstdcxx_a : sysroot->no_libstdcxx;
}

static void add_runtime(const struct ldflags *flags, enum form form, bool cxx, struct xb_command *out)
{
	static const char *const group[] = {"--start-group", "-lgcc", "-lgcc_eh", "-lc", "--end-group", NULL};
	const bool is_static = form == FORM_STATIC || form == FORM_STATIC_PIE;

	if (flags->no_default_libs)
		return;
	if (cxx || flags->maybe_cxx) {
		const bool only_this = flags->static_stdlib && !is_static;

		if (!cxx)
			xb_command_word(out, "--as-needed");
		if (only_this)
			xb_command_word(out, "-Bstatic");
		add_stdlib(flags->libcxx_dir, out);
		if (only_this)
			xb_command_word(out, "-Bdynamic");
		xb_command_word(out, "-lm");
		if (!cxx)
			xb_command_word(out, "--no-as-needed");
	}
	/* in a static program the group below has to see what libpthread needs as well */
	if (flags->pthread && is_static)
		xb_command_word(out, "-lpthread");
	if (is_static) {
		add_words(out, group);
		return;
	}
	add_libgcc(flags, cxx, out);
	if (flags->pthread)
		xb_command_word(out, "-lpthread");
	xb_command_word(out, "-lc");
	add_libgcc(flags, cxx, out);
}

/* What another build system put into a static library is not known before it has run. */
static bool may_have_cxx(const struct xb_setup *setup, const struct xb_unit *unit, struct xb_arena *arena)
{
	struct xb_unit_list needs;

	xb_foreign_needs(unit, arena, &needs);
	for (size_t i = 0; i < needs.len; i++) {
		for (size_t k = 0; needs.items[i]->foreign && k < needs.items[i]->outputs.len; k++) {
			if (xb_sv_ends(xb_sv(needs.items[i]->outputs.items[k]), ".a"))
				return setup->target->target->libc == XB_LIBC_GLIBC;
		}
	}
	return false;
}

/* Libraries that other build systems installed. */
static void add_stages(const struct xb_setup *setup, const struct xb_unit *unit, struct xb_command *out)
{
	struct xb_unit_list needs;

	xb_foreign_needs(unit, out->arena, &needs);
	for (size_t i = 0; i < needs.len; i++) {
		const char *stage;

		if (!needs.items[i]->foreign)
			continue;
		stage = xb_foreign_stage(setup, needs.items[i], out->arena);
		xb_command_rooted(out, "-L", XB_ROOT_PROJECT, stage,
				  xb_arena_printf(out->arena, "/usr/lib/%s", setup->target->target->multiarch));
		xb_command_rooted(out, "-L", XB_ROOT_PROJECT, stage, "/usr/lib");
	}
}

static void add_search_dirs(const struct xb_setup *setup, const struct xb_unit *unit, struct xb_command *out)
{
	add_stages(setup, unit, out);
	xb_command_rooted(out, "-L", XB_ROOT_SYSROOT, setup->sysroot->gcc_dir, NULL);
	xb_command_rooted(out, "-L", XB_ROOT_SYSROOT, lib_dir(setup, out->arena), NULL);
	xb_command_rooted(out, "-L", XB_ROOT_SYSROOT, "usr/lib", NULL);
}

int xb_link_command(const struct xb_setup *setup, const struct xb_unit *unit, bool cxx, bool strip,
		    struct xb_pkgconfig *pkgconfig, struct xb_command *out, struct xb_err *err)
{
	static const char *const fixed[] = {"--hash-style=gnu",
					    "--build-id=sha1",
					    "--eh-frame-hdr",
					    "-z",
					    "relro",
					    "-z",
					    "now",
					    "-z",
					    "noexecstack",
					    NULL};
	struct ldflags flags = {0};
	enum form form;

	xb_command_init(&flags.words, out->arena);
	/* libgcc_s was linked with glibc */
	flags.static_libgcc = setup->target->target->libc == XB_LIBC_MUSL;
	if (gather_flags(setup, unit, pkgconfig, &flags, err) < 0)
		return err->code;
	if (xb_stdlib_is_libcxx(unit, setup->target, setup->profile))
		flags.libcxx_dir = setup->sysroot->libcxx_dir;
	form = form_of(setup->target->target, unit, &flags);
	flags.maybe_cxx = !cxx && may_have_cxx(setup, unit, out->arena) &&
			  !lacks_stdlib(&flags, setup->sysroot, form == FORM_STATIC || form == FORM_STATIC_PIE);
	if (form == FORM_STATIC_PIE && setup->target->target->no_static_pie) {
		xb_fail(err, XB_E_INPUT,
			"unit '%s': linker flag '-static-pie' is not possible for %s: its glibc has no "
			"start file for such programs",
			unit->name, setup->target->target->name);
		return xb_hint(err, "use '-static' for this target, in its 'per-target:'");
	}
	xb_command_rooted(out, "--sysroot=", XB_ROOT_SYSROOT, NULL, NULL);
	xb_command_word(out, "-m");
	xb_command_word(out, setup->target->target->lld_emulation);
	add_words(out, setup->target->target->link_words);
	add_words(out, fixed);
	if (flags.rdynamic)
		xb_command_word(out, "-export-dynamic");
	if (strip || flags.strip)
		xb_command_word(out, "-s");
	add_form(setup, unit, form, out);
	xb_command_real(out, "--color-diagnostics=always");
	xb_command_rooted(out, "--dependency-file=", (enum xb_root)XB_WORD_DEPFILE, NULL, NULL);
	/* it changes nothing in the program, so it is no part of what the action is */
	xb_command_rooted(out, "--print-archive-stats=", (enum xb_root)XB_WORD_DEPFILE, NULL, XB_STATS_TAIL);
	out->items[out->len - 1].real_only = true;
	xb_command_word(out, "-o");
	xb_command_rooted(out, "", (enum xb_root)XB_WORD_OUTPUT, NULL, NULL);
	if (!flags.no_start_files)
		add_start_files(setup, form, true, out);
	add_search_dirs(setup, unit, out);
	add_lto(setup, out);
	xb_command_rooted(out, "", (enum xb_root)XB_WORD_INPUTS, NULL, NULL);
	xb_command_append(out, &flags.words);
	add_runtime(&flags, form, cxx, out);
	if (!flags.no_start_files)
		add_start_files(setup, form, false, out);
	return 0;
}

void xb_archive_command(struct xb_command *out)
{
	/* D: no times, owners or modes in the archive (ar(1), deterministic mode) */
	xb_command_word(out, "rcsD");
	xb_command_rooted(out, "", (enum xb_root)XB_WORD_OUTPUT, NULL, NULL);
	xb_command_rooted(out, "", (enum xb_root)XB_WORD_INPUTS, NULL, NULL);
}

void xb_debug_command(const char *full, struct xb_command *out)
{
	xb_command_word(out, "--only-keep-debug");
	xb_command_word(out, full);
	xb_command_rooted(out, "", (enum xb_root)XB_WORD_OUTPUT, NULL, NULL);
}

void xb_strip_command(const char *full, const char *debug, bool strip, struct xb_command *out)
{
	xb_command_word(out, strip ? "--strip-all" : "--strip-debug");
	xb_command_word(out, xb_arena_printf(out->arena, "--add-gnu-debuglink=%s", debug));
	xb_command_word(out, full);
	xb_command_rooted(out, "", (enum xb_root)XB_WORD_OUTPUT, NULL, NULL);
}
