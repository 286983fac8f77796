/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/model/flags.h"

#include <string.h>

#include "xbuild/base/attr.h"
#include "xbuild/base/path.h"

#define LOADS	 "it loads code into the compiler"
#define OPTIONS	 "it reads options from another file"
#define WRITES	 "it writes a file beside the output"
#define OUTPUT	 "xbuild names the outputs"
#define STEP	 "xbuild decides what is compiled and linked"
#define TARGET	 "xbuild sets the target and its sysroot"
#define HOST	 "it would take tools or files from the host"
#define NEXT	 "its value stands in the next word; write both as one"
#define INCLUDE	 "use include: for directories of the project"
#define COMMA	 "a word with a comma needs quotes in a list: [\"-Wl,...\"]"
#define INTERNAL "it passes options to the inside of the compiler"
#define RECORDS	 "it puts the command, with paths of this machine, into the output"
#define PROFILE	 "it reads a profile that the build does not know"
#define RESTARTS "it makes the compiler start programs of its own"
#define LOCAL	 "the result must not depend on this machine"
#define DEPFILE	 "xbuild writes the dependency files"

enum match { EXACT, PREFIX };

struct refusal {
	const char *word;
	enum match match;
	const char *reason;
};

/* Words for clang's driver: clang's documentation, "Clang command line argument reference". First match counts. */
static const struct refusal compiler_words[] = {
	{"@", PREFIX, OPTIONS},
	{"-Wl", EXACT, COMMA}, /* [-Wl,-z] is a list of two */
	{"-Wa", EXACT, COMMA},
	{"-Wp", EXACT, COMMA},
	{"-o", PREFIX, OUTPUT},
	{"-fplugin", PREFIX, LOADS},
	{"-fpass-plugin", PREFIX, LOADS},
	{"-load", PREFIX, LOADS},
	{"-Xclang", PREFIX, INTERNAL},
	{"-Xlinker", PREFIX, "write -Wl,... in ldflags"},
	{"-Xassembler", PREFIX, INTERNAL},
	{"-Xpreprocessor", PREFIX, INTERNAL},
	{"-Xanalyzer", PREFIX, INTERNAL},
	{"-Xarch_", PREFIX, INTERNAL},
	{"-Xcuda", PREFIX, INTERNAL},
	{"-Xopenmp", PREFIX, INTERNAL},
	{"-Xoffload", PREFIX, INTERNAL},
	{"-mllvm", PREFIX, INTERNAL},
	{"-ccc-", PREFIX, INTERNAL},
	{"-cc1", PREFIX, INTERNAL},
	{"-B", PREFIX, HOST},
	{"-specs", PREFIX, OPTIONS},
	{"-wrapper", PREFIX, "it starts another program"},
	{"-no-integrated-as", EXACT, HOST},
	{"-fno-integrated-as", EXACT, HOST},
	{"-fno-integrated-objemitter", EXACT, HOST},
	{"-fno-integrated-cc1", EXACT, RESTARTS},
	{"-no-integrated-cpp", EXACT, RESTARTS},
	{"-via-file-asm", EXACT, RESTARTS},
	{"-frecord-command-line", EXACT, RECORDS},
	{"-frecord-gcc-switches", EXACT, RECORDS},
	{"-grecord-command-line", EXACT, RECORDS},
	{"-grecord-gcc-switches", EXACT, RECORDS},
	{"-fembed-bitcode", PREFIX, RECORDS}, /* the bitcode, and the command with it */
	{"-fdiagnostics-absolute-paths", EXACT, LOCAL},
	{"-v", EXACT, LOCAL}, /* what it says is kept with the result */
	{"-time", EXACT, LOCAL},
	{"-fdebug-compilation-dir", EXACT, NEXT},
	{"-fuse-ld", PREFIX, "xbuild links with lld"},
	{"-gcc-toolchain", PREFIX, HOST},
	{"-no-canonical-prefixes", EXACT, "xbuild sets it"},
	{"-canonical-prefixes", EXACT, HOST},
	{"-fdepfile-entry", PREFIX, DEPFILE},
	{"-dependency-", PREFIX, DEPFILE},
	{"-M", PREFIX, DEPFILE},
	{"-save-temps", PREFIX, WRITES},
	{"-save-stats", PREFIX, WRITES},
	{"-serialize-diagnostics", PREFIX, WRITES},
	{"-ftime-trace", PREFIX, WRITES},
	{"-ftime-report", PREFIX, WRITES},
	{"-fproc-stat-report", PREFIX, WRITES},
	{"-fsave-optimization-record", PREFIX, WRITES},
	{"-foptimization-record", PREFIX, WRITES},
	{"-fcrash-diagnostics", PREFIX, WRITES},
	{"-fthin-link-bitcode", PREFIX, WRITES},
	{"-dsym-dir", PREFIX, WRITES},
	{"-module-dependency-dir", PREFIX, WRITES},
	{"-object-file-name", PREFIX, OUTPUT},
	{"-arcmt-", PREFIX, WRITES},
	{"-objcmt-", PREFIX, WRITES},
	{"-fauto-profile", PREFIX, PROFILE},
	{"-fmemory-profile-use", PREFIX, PROFILE},
	{"-fmemory-profile", PREFIX, WRITES},
	{"-fcodegen-data", PREFIX, WRITES},
	{"-gen-cdb-fragment-path", PREFIX, WRITES},
	{"-fstack-usage", EXACT, WRITES},
	{"-index-store-path", PREFIX, WRITES},
	{"-gen-reproducer", PREFIX, WRITES},
	{"-dump", PREFIX, WRITES},
	{"-fprofile-use", PREFIX, PROFILE},
	{"-fprofile-instr-use", PREFIX, PROFILE},
	{"-fprofile-sample-use", PREFIX, PROFILE},
	{"-fprofile-list", PREFIX, OPTIONS},
	{"-fprofile-update", PREFIX, NULL},
	{"-fprofile-", PREFIX, WRITES},
	{"-fcs-profile", PREFIX, WRITES},
	{"-ftest-coverage", PREFIX, WRITES},
	{"-coverage", EXACT, WRITES},
	{"-fmodule", PREFIX, "modules are read and written outside of the build's knowledge"},
	{"-fprebuilt-module", PREFIX, "modules are read and written outside of the build's knowledge"},
	{"-fimplicit-module", PREFIX, "modules are read and written outside of the build's knowledge"},
	{"-fthinlto-index", PREFIX, OPTIONS},
	{"-fsanitize-ignorelist", PREFIX, OPTIONS},
	{"-fsanitize-blacklist", PREFIX, OPTIONS},
	{"-fsanitize-system-ignorelist", PREFIX, OPTIONS},
	{"-fsanitize-system-blacklist", PREFIX, OPTIONS},
	{"-fsanitize-coverage-allowlist", PREFIX, OPTIONS},
	{"-fsanitize-coverage-whitelist", PREFIX, OPTIONS},
	{"-fsanitize-coverage-ignorelist", PREFIX, OPTIONS},
	{"-fsanitize-coverage-blacklist", PREFIX, OPTIONS},
	{"-fms-secure-hotpatch-functions-file", PREFIX, OPTIONS},
	{"-frewrite-map-file", PREFIX, OPTIONS},
	{"-filelist", EXACT, OPTIONS},
	{"-fexperimental-sanitize-metadata-ignorelist", PREFIX, OPTIONS},
	{"-fbasic-block-sections=list=", PREFIX, OPTIONS},
	{"-fxray-", PREFIX, OPTIONS},
	{"-fembed-dir", PREFIX, HOST},
	{"-fembed-offload-object", PREFIX, OPTIONS},
	{"-frandomize-layout-seed-file", PREFIX, OPTIONS},
	{"-fbuild-session-", PREFIX, OPTIONS},
	{"-ivfsoverlay", PREFIX, OPTIONS},
	{"-vfsoverlay", PREFIX, OPTIONS},
	{"-working-directory", PREFIX, "xbuild sets the directory"},
	{"-gsplit-dwarf", PREFIX, "use debug: split"},
	{"-target", PREFIX, TARGET},
	{"-fopenmp-targets", PREFIX, TARGET},
	{"-arch", PREFIX, TARGET},
	{"-m16", EXACT, TARGET},
	{"-m32", EXACT, TARGET},
	{"-m64", EXACT, TARGET},
	{"-mx32", EXACT, TARGET},
	{"-march=native", EXACT, "the result must not depend on this machine; use cpu:"},
	{"-mcpu=native", EXACT, "the result must not depend on this machine; use cpu:"},
	{"-mtune=native", EXACT, LOCAL},
	{"-print-", PREFIX, STEP},
	{"-isysroot", PREFIX, TARGET},
	{"-resource-dir", PREFIX, TARGET},
	{"-iwithsysroot", PREFIX, TARGET},
	{"-iwithprefix", PREFIX, INCLUDE},
	{"-iprefix", PREFIX, INCLUDE},
	{"-iframework", PREFIX, INCLUDE},
	{"-stdlib++-isystem", PREFIX, INCLUDE},
	{"-iapinotes", PREFIX, INCLUDE},
	{"-isystem-after", PREFIX, INCLUDE},
	{"-imacros", PREFIX, INCLUDE},
	{"-internal-", PREFIX, INCLUDE},
	{"-include-pch", PREFIX, "it reads a file that the build does not know"},
	{"-F", PREFIX, INCLUDE},
	{"-x", PREFIX, STEP},
	{"-c", EXACT, STEP},
	{"-S", EXACT, STEP},
	{"-E", EXACT, STEP},
	{"-r", EXACT, STEP},
	{"-emit-", PREFIX, STEP},
	{"-fsyntax-only", EXACT, STEP},
	{"-###", EXACT, STEP},
	{"-shared", EXACT, "use kind: shared"},
	{"-z", EXACT, "write -Wl,-z,... in ldflags"},
	{"-Z", PREFIX, INTERNAL},
	{"-T", PREFIX, "linker scripts are not supported"},
	{"-framework", PREFIX, TARGET},
	{"-D", EXACT, NEXT},
	{"-U", EXACT, NEXT},
	{"-u", EXACT, NEXT},
	{"-e", EXACT, NEXT},
	{"-l", EXACT, NEXT},
	{"-A", PREFIX, NEXT},
	{"-", EXACT, "it reads standard input"},
};

/* What goes through -Wl, to ld.lld(1); one leading '-' or two mean the same, so the table has none. */
static const struct refusal linker_words[] = {
	{"hash-style", PREFIX, NULL}, /* before "h" and "o", which would hide them */
	{"orphan-handling", PREFIX, NULL},
	{"o", PREFIX, OUTPUT},
	{"output", PREFIX, OUTPUT},
	{"plugin", PREFIX, LOADS},
	{"error-handling-script", PREFIX, "it starts another program"},
	{"load-pass-plugin", PREFIX, LOADS},
	{"mllvm", PREFIX, INTERNAL},
	{"T", PREFIX, "linker scripts are not supported"},
	{"script", PREFIX, "linker scripts are not supported"},
	{"default-script", PREFIX, "linker scripts are not supported"},
	{"dT", PREFIX, "linker scripts are not supported"},
	{"c", EXACT, "linker scripts are not supported"},
	{"mri-script", PREFIX, "linker scripts are not supported"},
	{"dependency-file", PREFIX, DEPFILE},
	{"Map", PREFIX, WRITES},
	{"reproduce", PREFIX, WRITES},
	{"time-trace", PREFIX, WRITES},
	{"print-archive-stats", PREFIX, WRITES},
	{"print-symbol-order", PREFIX, WRITES},
	{"print-gc-sections=", PREFIX, WRITES},
	{"why-extract", PREFIX, WRITES},
	{"save-temps", PREFIX, WRITES},
	{"dwo-dir", PREFIX, WRITES},
	{"lto-", PREFIX, "use the profile's lto"},
	{"thinlto-", PREFIX, "use the profile's lto"},
	{"opt-remarks", PREFIX, WRITES},
	{"out-implib", PREFIX, WRITES},
	{"cmse-", PREFIX, WRITES},
	{"in-implib", PREFIX, HOST},
	{"chroot", PREFIX, HOST},
	{"sysroot", PREFIX, TARGET},
	{"dynamic-linker", PREFIX, TARGET},
	{"I", PREFIX, TARGET},
	{"m", EXACT, TARGET},
	{"melf", PREFIX, TARGET},
	{"maarch64", PREFIX, TARGET},
	{"L", PREFIX, "use -L with a directory of the project, without -Wl,"},
	{"library-path", PREFIX, "use -L with a directory of the project, without -Wl,"},
	{"rpath-link", PREFIX, HOST},
	{"soname", PREFIX, "use soname:"},
	{"h", PREFIX, "use soname:"},
	{"shared", EXACT, "use kind: shared"},
	{"Bshareable", EXACT, "use kind: shared"},
	{"r", EXACT, STEP},
	{"relocatable", EXACT, STEP},
	{"R", PREFIX, HOST},
	{"just-symbols", PREFIX, HOST},
	{"b", EXACT, STEP},
	{"format", PREFIX, STEP},
	{"remap-inputs", PREFIX, OPTIONS},
	{"symbol-ordering-file", PREFIX, OPTIONS},
	{"section-ordering-file", PREFIX, OPTIONS},
	{"call-graph-ordering-file", PREFIX, OPTIONS},
	{"call-graph-profile", PREFIX, OPTIONS},
	{"irpgo-profile", PREFIX, OPTIONS},
	{"retain-symbols-file", PREFIX, OPTIONS},
	{"export-dynamic-symbol-list", PREFIX, OPTIONS},
	{"shuffle-sections", PREFIX, "the result must depend on the inputs alone"},
	{"randomize-section-padding", PREFIX, "the result must depend on the inputs alone"},
	{"build-id=uuid", EXACT, "the result must depend on the inputs alone"},
};

/* Options of the linker that take their value from the next part of -Wl, and whose value names no file. */
static const char *const linker_values[] = {
	"z",	    "u",      "undefined", "e", "entry",	"init",		"fini",
	"wrap",	    "defsym", "rpath",	   "y", "trace-symbol", "exclude-libs", "hash-style",
	"build-id", NULL,
};

/* Options that name a file of the project, after '='. lld reports these files as inputs of the link. */
static const char *const linker_files[] = {"version-script=", "dynamic-list=", NULL};

static const char *find(const struct refusal *table, size_t len, struct xb_sv word)
{
	for (size_t i = 0; i < len; i++) {
		if (table[i].match == EXACT ? xb_sv_eq_str(word, table[i].word) : xb_sv_starts(word, table[i].word))
			return table[i].reason;
	}
	return NULL;
}

static struct xb_sv skip(struct xb_sv word, size_t n)
{
	return xb_sv_n(word.ptr + n, word.len - n);
}

static bool has_char(struct xb_sv word, char c)
{
	return word.len && memchr(word.ptr, c, word.len);
}

/* "." is the project directory itself; everything else must be a clean path below it. */
static bool is_project_path(struct xb_sv path)
{
	return xb_sv_eq_str(path, ".") || xb_path_is_safe(path);
}

/* A run path is for the machine where the program runs: relative to the program, never a directory of this one. */
static const char *check_rpath(struct xb_sv path)
{
	while (path.ptr) {
		const struct xb_sv part = xb_sv_cut(&path, ':');

		if (!xb_sv_starts(part, "$ORIGIN") && !xb_sv_starts(part, "${ORIGIN}"))
			return "a run path must start with $ORIGIN";
	}
	return NULL;
}

static bool is_one_of(struct xb_sv word, const char *const *words)
{
	for (; *words; words++) {
		if (xb_sv_eq_str(word, *words))
			return true;
	}
	return false;
}

/* A part of -Wl, without its dashes. */
static const char *check_linker_option(struct xb_sv option)
{
	for (const char *const *file = linker_files; *file; file++) {
		if (xb_sv_starts(option, *file))
			return is_project_path(skip(option, strlen(*file))) ? NULL
									    : "it must name a file of the project";
	}
	if (xb_sv_starts(option, "rpath="))
		return check_rpath(skip(option, strlen("rpath=")));
	if (xb_sv_starts(option, "l") && has_char(option, '/'))
		return "a library has a name, not a path";
	if (has_char(option, '=') && option.ptr[option.len - 1] != '=') {
		struct xb_sv value = option;

		(void)xb_sv_cut(&value, '=');
		if (xb_sv_starts(value, "/"))
			return HOST;
	}
	return find(linker_words, XB_COUNT(linker_words), option);
}

/* A part of -Wl that has no dash: the value of the option before it, or the name of a file. */
static const char *check_linker_value(struct xb_sv option, struct xb_sv value)
{
	if (xb_sv_eq_str(option, "rpath"))
		return check_rpath(value);
	if (is_one_of(option, linker_values) && !has_char(value, '/'))
		return NULL;
	return "it names a file that the build does not know";
}

static const char *check_linker_list(struct xb_sv list)
{
	struct xb_sv before = {0};

	while (list.ptr) {
		const struct xb_sv part = xb_sv_cut(&list, ',');
		const char *reason;

		if (xb_sv_starts(part, "@"))
			return OPTIONS;
		if (xb_sv_starts(part, "-")) {
			before = skip(part, xb_sv_starts(part, "--") ? 2 : 1);
			reason = before.len ? check_linker_option(before) : "a part of it is empty";
		} else {
			reason = check_linker_value(before, part);
			before = (struct xb_sv){0};
		}
		if (reason)
			return reason;
	}
	return is_one_of(before, linker_values) && !xb_sv_eq_str(before, "build-id") ? NEXT : NULL;
}

/* -I and its kin, with the directory in the same word. */
static const char *check_include(struct xb_sv word, size_t n)
{
	return is_project_path(skip(word, n)) ? NULL : INCLUDE;
}

static const char *const include_words[] = {"-isystem", "-iquote", "-idirafter", "-cxx-isystem", "-include", NULL};

/* Options that carry a path or a list; *out is the verdict. False when the word is none of these. */
static bool check_path_word(struct xb_sv word, bool linker, const char **out)
{
	*out = NULL;
	if (xb_sv_starts(word, "-Wl,")) {
		*out = linker ? check_linker_list(skip(word, 4)) : "use ldflags";
	} else if (xb_sv_starts(word, "-Wp,")) {
		const bool is_macro = xb_sv_starts(word, "-Wp,-D") || xb_sv_starts(word, "-Wp,-U");

		*out = is_macro && !has_char(skip(word, 4), ',') ? NULL : INTERNAL;
	} else if (xb_sv_starts(word, "-Wa,")) {
		const bool has_path = has_char(word, '/') || has_char(word, '@') || xb_sv_starts(word, "-Wa,-I") ||
				      has_char(skip(word, 4), ',');

		*out = has_path ? INTERNAL : NULL;
	} else if (xb_sv_starts(word, "-I")) {
		*out = check_include(word, 2);
	} else if (xb_sv_starts(word, "-L")) {
		*out = !linker				? "use ldflags"
		       : is_project_path(skip(word, 2)) ? NULL
							: "it must name a directory of the project";
	} else if (xb_sv_starts(word, "-l") && word.len > 2) {
		*out = !linker		     ? "use libs or ldflags"
		       : has_char(word, '/') ? "a library has a name, not a path"
					     : NULL;
	} else {
		return false;
	}
	return true;
}

const char *xb_flag_refused(struct xb_sv word, bool linker)
{
	const char *reason;

	if (!xb_sv_starts(word, "-"))
		return xb_sv_starts(word, "@") ? OPTIONS : "it is no option but the name of a file";
	if (check_path_word(word, linker, &reason))
		return reason;
	for (const char *const *option = include_words; *option; option++) {
		if (xb_sv_starts(word, *option) && !xb_sv_starts(word, "-include-") &&
		    !xb_sv_starts(word, "-isystem-after"))
			return check_include(word, strlen(*option));
	}
	/* clang spells most of what is refused below a second time with two dashes; one long option is worth having. */
	if (xb_sv_starts(word, "--"))
		return xb_sv_starts(word, "--param=") ? NULL
						      : "options with two dashes are not allowed; use the short form";
	return find(compiler_words, XB_COUNT(compiler_words), word);
}
