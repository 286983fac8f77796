/* SPDX-License-Identifier: Apache-2.0 */
#include "cc_words.h"

#include <string.h>
#include <sys/stat.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/base/str.h"
#include "xbuild/base/vec.h"
#include "xbuild/sys/fs.h"

/* What a word is for. From DEFINE on it has a value: the rest of the word, or the next one. */
enum role { PLAIN, PREFIX, DEFINE, OUTPUT, LANGUAGE, FORCED, LIB, LIB_DIR, QUOTE, INCLUDE, SYSTEM, AFTER, N_ROLES };

struct known {
	const char *text;
	enum role role;
};

/*
 * PLAIN: the word itself. PREFIX: any word that begins so. clang, "Clang command line argument reference"; of its flags those
 * whose effect is on the one output alone.
 */
static const struct known table[] = {
	{"-c", PLAIN},
	{"-S", PLAIN},
	{"-pipe", PLAIN},
	{"-pthread", PLAIN},
	{"-ansi", PLAIN},
	{"-w", PLAIN},
	{"-pedantic", PLAIN},
	{"-pedantic-errors", PLAIN},
	{"-shared", PLAIN},
	{"-static", PLAIN},
	{"-static-pie", PLAIN},
	{"-static-libgcc", PLAIN},
	{"-static-libstdc++", PLAIN},
	{"-pie", PLAIN},
	{"-no-pie", PLAIN},
	{"-nopie", PLAIN},
	{"-rdynamic", PLAIN},
	{"-s", PLAIN},
	{"-nostdlib", PLAIN},
	{"-nostdinc", PLAIN},
	{"-nostdinc++", PLAIN},
	{"-nodefaultlibs", PLAIN},
	{"-nostartfiles", PLAIN},
	{"-Qunused-arguments", PLAIN},
	{"-g", PLAIN},
	{"-g0", PLAIN},
	{"-g1", PLAIN},
	{"-g2", PLAIN},
	{"-g3", PLAIN},
	{"-ggdb", PLAIN},
	{"-gdwarf-4", PLAIN},
	{"-gdwarf-5", PLAIN},
	{"-gline-tables-only", PLAIN},
	{"-gno-column-info", PLAIN},
	{"-O", PLAIN},
	{"-O0", PLAIN},
	{"-O1", PLAIN},
	{"-O2", PLAIN},
	{"-O3", PLAIN},
	{"-Os", PLAIN},
	{"-Oz", PLAIN},
	{"-Og", PLAIN},
	{"-Ofast", PLAIN},
	{"-std=", PREFIX},
	{"-fuse-ld=", PREFIX}, /* left out by the wrapper */
	{"-fdiagnostics-color", PREFIX},
	{"-ferror-limit=", PREFIX},
	{"-fvisibility=", PREFIX},
	{"-ffp-contract=", PREFIX},
	{"-ffile-prefix-map=", PREFIX},
	{"-fdebug-prefix-map=", PREFIX},
	{"-fmacro-prefix-map=", PREFIX},
	{"-ftemplate-depth=", PREFIX},
	{"-fconstexpr-", PREFIX},
	{"-ftrivial-auto-var-init=", PREFIX},
	{"-fzero-call-used-regs=", PREFIX},
	{"-fcf-protection", PREFIX},
	{"-fstack-clash-protection", PLAIN},
	{"-D", DEFINE},
	{"-U", DEFINE},
	{"-o", OUTPUT},
	{"-x", LANGUAGE},
	{"-include", FORCED},
	{"-iquote", QUOTE},
	{"-isystem", SYSTEM},
	{"-idirafter", AFTER},
	{"-I", INCLUDE},
	{"-l", LIB},
	{"-L", LIB_DIR},
};

/* Of -f, with and without "no-". */
static const char *const switches[] = {
	"PIC",
	"PIE",
	"pic",
	"pie",
	"common",
	"exceptions",
	"rtti",
	"strict-aliasing",
	"strict-overflow",
	"wrapv",
	"trapv",
	"builtin",
	"freestanding",
	"hosted",
	"inline",
	"inline-functions",
	"omit-frame-pointer",
	"optimize-sibling-calls",
	"unwind-tables",
	"asynchronous-unwind-tables",
	"stack-protector",
	"stack-protector-strong",
	"stack-protector-all",
	"function-sections",
	"data-sections",
	"merge-all-constants",
	"math-errno",
	"fast-math",
	"finite-math-only",
	"signed-zeros",
	"trapping-math",
	"associative-math",
	"reciprocal-math",
	"rounding-math",
	"unsafe-math-optimizations",
	"signed-char",
	"unsigned-char",
	"short-enums",
	"short-wchar",
	"char8_t",
	"coroutines",
	"threadsafe-statics",
	"sized-deallocation",
	"aligned-allocation",
	"semantic-interposition",
	"plt",
	"ident",
	"vectorize",
	"slp-vectorize",
	"tree-vectorize",
	"unroll-loops",
	"delete-null-pointer-checks",
	"visibility-inlines-hidden",
	"color-diagnostics",
	"diagnostics-show-option",
	"caret-diagnostics",
	"show-column",
	"elide-type",
	"access-control",
	"operator-names",
	"gnu89-inline",
	"ms-extensions",
	"blocks",
	"jump-tables",
	"strict-flex-arrays=3",
	"strict-return",
	"use-cxa-atexit",
};

/* Of -m: "native" is this machine and no target. */
static const char *const machine[] = {"-march=", "-mcpu=", "-mtune=", "-mfpu=", "-mfloat-abi=", "-mabi="};

/* Parts of a -Wl word, each with whether the next part is its value. */
static const struct {
	const char *text;
	bool has_value;
} linker[] = {
	{"--as-needed", false},
	{"--no-as-needed", false},
	{"--gc-sections", false},
	{"--no-gc-sections", false},
	{"--export-dynamic", false},
	{"-E", false},
	{"-s", false},
	{"--strip-all", false},
	{"-S", false},
	{"--strip-debug", false},
	{"--no-undefined", false},
	{"--start-group", false},
	{"--end-group", false},
	{"--whole-archive", false},
	{"--no-whole-archive", false},
	{"-Bstatic", false},
	{"-Bdynamic", false},
	{"-Bsymbolic", false},
	{"-Bsymbolic-functions", false},
	{"-O1", false},
	{"-O2", false},
	{"--icf=all", false},
	{"--icf=none", false},
	{"--hash-style=gnu", false},
	{"--hash-style=both", false},
	{"--build-id", false},
	{"--build-id=sha1", false},
	{"--build-id=none", false},
	{"-z", true},
	{"-rpath", true},
	{"--rpath", true},
	{"-soname", true},
	{"-h", true},
	{"-e", true},
	{"-u", true},
};

static const char *const sources[] = {".c", ".cc", ".cpp", ".cxx", ".c++", ".C"};
static const char *const linked[] = {".o", ".a", ".so"};

struct reader {
	const char *cwd;
	struct xb_arena *arena;
	struct cc_words *out;
	struct xb_dirs dirs[N_ROLES]; /* by role, of those that are directories */
};

static bool is_among(const char *text, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(text, names[i]))
			return true;
	return false;
}

static bool starts(const char *text, const char *begin)
{
	return !strncmp(text, begin, strlen(begin));
}

/* The absolute clean form of a path; NULL where ".." behind a name may lead through a link. */
static const char *place(const char *path, const char *cwd, struct xb_arena *arena)
{
	struct xb_str clean XB_CLEANUP(xb_str_release) = {0};
	struct xb_sv rest = xb_sv(path);
	bool named = *path == '/';

	while (rest.ptr) {
		const struct xb_sv part = xb_sv_cut(&rest, '/');

		if (named && xb_sv_eq_str(part, ".."))
			return NULL;
		named = named || (part.len && !xb_sv_eq_str(part, ".") && !xb_sv_eq_str(part, ".."));
	}
	xb_path_clean(xb_sv(*path == '/' ? path : xb_arena_printf(arena, "%s/%s", cwd, path)), &clean);
	return xb_arena_sv(arena, xb_str_sv(&clean));
}

static bool take_dir(struct reader *r, struct xb_dirs *list, const char *value)
{
	const char *dir = place(value, r->cwd, r->arena);

	if (dir)
		xb_dirs_add(list, r->arena, dir);
	return dir != NULL;
}

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* clang, lib/Driver/ToolChains/Clang.cpp, AddPreprocessingOptions. */
static bool is_precompiled(const char *header)
{
	static const char *const endings[] = {".pch", ".gch"};
	bool found = false;

	for (size_t i = 0; i < XB_COUNT(endings) && !found; i++) {
		char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s%s", header, endings[i]);

		found = xb_fs_exists(path);
	}
	return found;
}

static bool take_value(struct reader *r, enum role role, const char *value)
{
	static const char *const languages[] = {"c", "c++", "none"};

	/* a longer option ("-include-pch"), or a place below the sysroot ("-I=usr/x") */
	if (!*value || (role != DEFINE && (*value == '-' || *value == '=')))
		return false;
	switch (role) {
	case DEFINE:
	case OUTPUT:
	case LIB:
		return true;
	case LANGUAGE:
		return is_among(value, languages, XB_COUNT(languages));
	case FORCED:
		/* one that is there is not looked for along the search path; what was precompiled of it would be taken */
		return is_file(value) && !is_precompiled(value);
	default:
		return take_dir(r, &r->dirs[role], value);
	}
}

static bool take_linker_word(const char *word)
{
	struct xb_sv rest = xb_sv(word);

	while (rest.ptr) {
		const struct xb_sv part = xb_sv_cut(&rest, ',');
		size_t i = 0;

		while (i < XB_COUNT(linker) && !xb_sv_eq_str(part, linker[i].text))
			i++;
		if (i == XB_COUNT(linker))
			return xb_sv_starts(part, "-rpath=") || xb_sv_starts(part, "-soname=");
		if (linker[i].has_value && (!rest.ptr || !xb_sv_cut(&rest, ',').len))
			return false;
	}
	return true;
}

static bool is_switch(const char *word)
{
	const char *name = word + 2;

	if (!starts(word, "-f"))
		return false;
	if (starts(name, "no-"))
		name += 3;
	return is_among(name, switches, XB_COUNT(switches));
}

static bool is_machine(const char *word)
{
	for (size_t i = 0; i < XB_COUNT(machine); i++)
		if (starts(word, machine[i]))
			return strstr(word, "native") == NULL;
	return false;
}

static bool has_ending(const char *word, const char *const *endings, size_t n)
{
	const struct xb_sv ext = xb_path_ext(xb_sv(word));

	for (size_t i = 0; i < n; i++)
		if (xb_sv_eq_str(ext, endings[i]))
			return true;
	return false;
}

static bool take_input(struct reader *r, const char *word)
{
	xb_dirs_add(&r->out->inputs, r->arena, word);
	return (has_ending(word, sources, XB_COUNT(sources)) || has_ending(word, linked, XB_COUNT(linked))) &&
	       is_file(word);
}

/* The row of a word; those that are longer stand before those that they begin like. */
static const struct known *find(const char *word)
{
	for (size_t i = 0; i < XB_COUNT(table); i++) {
		const struct known *k = &table[i];

		if (k->role == PLAIN ? !strcmp(word, k->text) : starts(word, k->text))
			return k;
	}
	return NULL;
}

/* How many words were taken; 0: not known. */
static size_t take(struct reader *r, const char *const *words)
{
	const char *word = words[0];
	const struct known *k;

	for (const char *c = word; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return 0;
	if (*word != '-')
		return *word && *word != '@' && take_input(r, word);
	if (starts(word, "-Wl,"))
		return take_linker_word(word + 4);
	if (starts(word, "-W") && !strchr(word, ','))
		return 1;
	k = find(word);
	if (!k)
		return is_switch(word) || is_machine(word);
	if (k->role < DEFINE)
		return 1;
	if (word[strlen(k->text)])
		return take_value(r, k->role, word + strlen(k->text));
	return words[1] && *words[1] != '@' && take_value(r, k->role, words[1]) ? 2 : 0;
}

bool cc_words_read(const char *const *words, const char *cwd, struct xb_arena *arena, struct cc_words *out)
{
	struct reader r = {.cwd = cwd, .arena = arena, .out = out};

	*out = (struct cc_words){0};
	for (size_t n; *words; words += n) {
		n = take(&r, words);
		if (!n)
			return false;
	}
	for (int role = QUOTE; role <= AFTER; role++)
		for (size_t i = 0; i < r.dirs[role].len; i++)
			xb_dirs_add(&out->search, arena, r.dirs[role].items[i]);
	return out->inputs.len > 0;
}
