/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares what the reader finds with what readelf prints, for programs of this machine, aarch64 libraries where they
 * are installed, and files that gcc makes here. Both are turned into sorted lines of facts, such as
 * "need libc.so.6 GLIBC_2.34 __libc_start_main".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../run_program.h"
#include "../skip.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/arena.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"
#include "xbuild/model/elf.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/proc.h"

enum { MAX_INDEX = 4096 };

struct facts {
	struct xb_arena arena;
	XB_VEC(const char *) lines;
};

/* What readelf's listing of one file has told so far. */
struct listing {
	struct facts *facts;
	const char *library[MAX_INDEX], *version[MAX_INDEX], *symbol[MAX_INDEX]; /* by version index */
	bool weak[MAX_INDEX];
	char file[256];
	int n_needed;
	bool in_needs, in_defs, dyn, interpreter, pie, stack, exec_stack, relro, now, plt, text;
};

static char *dir; /* of this run, for built files */
static char *readelf, *gcc;

#define FACT(f, ...)                                                                                                   \
	do {                                                                                                           \
		const char *fact_ = xb_arena_printf(&(f)->arena, __VA_ARGS__);                                         \
		XB_VEC_PUSH(&(f)->lines, fact_);                                                                       \
	} while (0)

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void release_facts(struct facts *f)
{
	XB_VEC_RELEASE(&f->lines);
	xb_arena_release(&f->arena);
}

/* The text between `open` and `close` behind `label` in the line, or NULL. */
static const char *between(struct facts *f, const char *line, const char *label, char open, char close)
{
	const char *at = strstr(line, label), *end;

	if (!at || !(at = strchr(at + strlen(label), open)) || !(end = strchr(at, close)))
		return NULL;
	return xb_arena_sv(&f->arena, xb_sv_n(at + 1, (size_t)(end - at - 1)));
}

static void scan_dynamic(struct listing *l, const char *line)
{
	static const char *const named[][2] = {{"(SONAME)", "soname"}, {"(RPATH)", "rpath"}, {"(RUNPATH)", "runpath"}};
	const char *text = between(l->facts, line, "(NEEDED)", '[', ']');

	if (text)
		FACT(l->facts, "needed %03d %s", l->n_needed++, text);
	for (size_t i = 0; i < XB_COUNT(named); i++) {
		text = between(l->facts, line, named[i][0], '[', ']');
		if (text)
			FACT(l->facts, "%s %s", named[i][1], text);
	}
	if (strstr(line, "(BIND_NOW)") || (strstr(line, "(FLAGS)") && strstr(line, "BIND_NOW")))
		l->now = true;
	l->plt |= strstr(line, "(JMPREL)") != NULL;
	if (strstr(line, "(FLAGS_1)")) {
		l->now |= strstr(line, " NOW") != NULL;
		l->pie |= strstr(line, " PIE") != NULL;
	}
	if (strstr(line, "(TEXTREL)") || (strstr(line, "(FLAGS)") && strstr(line, "TEXTREL")))
		l->text = true;
}

static void scan_segments(struct listing *l, const char *line)
{
	const char *text = between(l->facts, line, "Requesting program interpreter", ' ', ']');

	if (text) {
		l->interpreter = true;
		FACT(l->facts, "interpreter %s", text);
	}
	if (strstr(line, "Elf file type is DYN"))
		l->dyn = true;
	if (strncmp(line, "  GNU_STACK ", 12) == 0) {
		l->stack = true;
		l->exec_stack = strstr(line, "RWE") != NULL;
	}
	if (strncmp(line, "  GNU_RELRO ", 12) == 0)
		l->relro = true;
}

static void scan_notes(struct listing *l, const char *line)
{
	const char *at = strstr(line, "Build ID: ");

	if (at)
		FACT(l->facts, "build id %.*s", (int)strcspn(at + 10, "\n"), at + 10);
}

static void scan_versions(struct listing *l, const char *line)
{
	char name[256], flags[64];
	int index;

	if (strncmp(line, "Version ", 8) == 0) {
		l->in_needs = strncmp(line, "Version needs", 13) == 0;
		l->in_defs = strncmp(line, "Version definition", 18) == 0;
	}
	if (l->in_needs && sscanf(line, " %*[0-9a-fx]: Version: 1 File: %255s", name) == 1)
		snprintf(l->file, sizeof(l->file), "%s", name);
	if (l->in_needs &&
	    sscanf(line, " %*[0-9a-fx]: Name: %255s Flags: %63s Version: %d", name, flags, &index) == 3) {
		assert_in_range(index, 2, MAX_INDEX - 1);
		l->library[index] = xb_arena_strdup(&l->facts->arena, l->file);
		l->version[index] = xb_arena_strdup(&l->facts->arena, name);
		l->weak[index] = strcmp(flags, "WEAK") == 0;
	}
	if (l->in_defs &&
	    sscanf(line, " %*[0-9a-fx]: Rev: 1 Flags: %63s Index: %d Cnt: %*d Name: %255s", flags, &index, name) == 3 &&
	    strcmp(flags, "BASE") != 0)
		FACT(l->facts, "def %s", name);
}

/*
 * "    12: 0000000000014ae0    38 FUNC    GLOBAL DEFAULT   15 name@@VERSION (4)"; the name may be long. Newer ones put
 * flags of the architecture before the section, in brackets.
 */
static void scan_symbol(struct listing *l, const char *line)
{
	char type[32], bind[32], visibility[32], section[32], *name, *mark;
	const char *paren = strrchr(line, '(');
	int used = 0, index = 0;

	if (sscanf(line, " %*d: %*x %*s %31s %31s %31s %31s %n", type, bind, visibility, section, &used) != 4 || !used)
		return;
	if (section[0] == '[') {
		line += used;
		used = 0;
		if (sscanf(line, "%31s %n", section, &used) != 1 || !used)
			return;
	}
	name = xb_arena_strdup(&l->facts->arena, line + used);
	name[strcspn(name, " ")] = '\0';
	if (paren && sscanf(paren, "(%d)", &index) == 1 && index > 1 && index < MAX_INDEX && l->version[index]) {
		char *bare = xb_arena_strdup(&l->facts->arena, name);

		bare[strcspn(bare, "@")] = '\0';
		if (!l->symbol[index] || strcmp(bare, l->symbol[index]) < 0)
			l->symbol[index] = bare;
	}
	mark = strstr(name, "@@");
	if (mark)
		memmove(mark, mark + 1, strlen(mark));
	if (strcmp(section, "UND") != 0 && strcmp(bind, "LOCAL") != 0 && *name && strcmp(type, "SECTION") != 0 &&
	    (strcmp(visibility, "DEFAULT") == 0 || strcmp(visibility, "PROTECTED") == 0))
		FACT(l->facts, "export %s", name);
}

static void run_readelf(struct listing *l, const char *option, const char *path,
			void (*scan)(struct listing *l, const char *line))
{
	const char *const argv[] = {readelf, option, "-W", path, NULL}, *const env[] = {"LC_ALL=C", NULL};
	struct xb_proc_result result XB_CLEANUP(xb_proc_result_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_sv rest;

	assert_int_equal(run_program(&(struct xb_proc_spec){.argv = argv, .env = env}, &result, &err), 0);
	assert_int_equal(result.exit_code, 0);
	rest = xb_str_sv(&result.output);
	while (rest.ptr) {
		char *line XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_sv_cut(&rest, '\n'));

		scan(l, line);
	}
}

static void facts_of_readelf(const char *path, struct facts *f)
{
	struct listing *l = xb_alloc(sizeof(*l));

	l->facts = f;
	run_readelf(l, "-d", path, scan_dynamic);
	run_readelf(l, "-l", path, scan_segments);
	run_readelf(l, "-n", path, scan_notes);
	run_readelf(l, "-V", path, scan_versions);
	run_readelf(l, "--dyn-syms", path, scan_symbol);
	for (int i = 0; i < MAX_INDEX; i++) {
		if (l->version[i])
			FACT(f, "need %s %s%s %s", l->library[i], l->version[i], l->weak[i] ? " weak" : "",
			     l->symbol[i] ? l->symbol[i] : "");
	}
	FACT(f, "pie %d relro %d now %d plt %d exec_stack %d text %d", l->dyn && (l->pie || l->interpreter), l->relro,
	     l->now, l->plt, !l->stack || l->exec_stack, l->text);
	qsort(f->lines.items, f->lines.len, sizeof(*f->lines.items), compare);
	free(l);
}

static void facts_of_reader(const char *path, struct facts *f)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_elf *elf = NULL;

	if (xb_elf_read(path, path, XB_ELF_EXPORTS, &elf, &err) != 1)
		fail_msg("%s: %s", path, err.msg ? err.msg : "is no ELF file");
	for (size_t i = 0; i < elf->n_needed; i++)
		FACT(f, "needed %03zu %s", i, elf->needed[i]);
	if (elf->soname)
		FACT(f, "soname %s", elf->soname);
	if (elf->rpath)
		FACT(f, "rpath %s", elf->rpath);
	if (elf->runpath)
		FACT(f, "runpath %s", elf->runpath);
	if (elf->build_id)
		FACT(f, "build id %s", elf->build_id);
	if (elf->interpreter)
		FACT(f, "interpreter %s", elf->interpreter);
	for (size_t i = 0; i < elf->n_needs; i++)
		FACT(f, "need %s %s%s %s", elf->needs[i].library, elf->needs[i].version,
		     elf->needs[i].weak ? " weak" : "", elf->needs[i].symbol);
	for (size_t i = 0; i < elf->n_defs; i++)
		FACT(f, "def %s", elf->defs[i]);
	for (size_t i = 0; i < elf->n_exports; i++)
		FACT(f, "export %s", elf->exports[i]);
	FACT(f, "pie %d relro %d now %d plt %d exec_stack %d text %d", elf->is_pie, elf->has_relro, elf->bind_now,
	     elf->has_plt, elf->exec_stack, elf->text_relocations);
	qsort(f->lines.items, f->lines.len, sizeof(*f->lines.items), compare);
	xb_elf_free(elf);
}

static void expect_same_facts(const char *path)
{
	struct facts expected XB_CLEANUP(release_facts) = {0}, found XB_CLEANUP(release_facts) = {0};

	facts_of_readelf(path, &expected);
	facts_of_reader(path, &found);
	for (size_t i = 0; i < expected.lines.len && i < found.lines.len; i++) {
		if (strcmp(expected.lines.items[i], found.lines.items[i]) != 0)
			fail_msg("%s: readelf '%s', reader '%s'", path, expected.lines.items[i], found.lines.items[i]);
	}
	assert_int_equal(expected.lines.len, found.lines.len);
	assert_true(found.lines.len > 0);
}

/* Compares every ELF file of a directory; returns how many there were. */
static size_t expect_same_in(const char *folder, size_t max)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};
	size_t n = 0;

	if (!xb_fs_is_dir(folder))
		return 0;
	assert_int_equal(xb_fs_list(folder, &list, &err), 0);
	for (size_t i = 0; i < list.len && n < max; i++) {
		char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(folder, list.items[i].name);
		struct xb_elf *elf = NULL;
		int rc;

		if (!list.items[i].is_file)
			continue;
		rc = xb_elf_read(path, path, 0, &elf, &err);
		if (rc < 0)
			fail_msg("%s", err.msg);
		xb_elf_free(elf);
		if (rc == 0)
			continue;
		expect_same_facts(path);
		n++;
	}
	return n;
}

static void need_readelf(void)
{
	if (!readelf)
		skip_without("readelf");
}

static void programs_of_this_machine(void **state)
{
	static const char *const paths[] = {
		"/bin/ls",
		"/bin/sh",
		"/usr/bin/env",
		"/lib/x86_64-linux-gnu/libc.so.6",
		"/lib/aarch64-linux-gnu/libc.so.6",
		"/usr/lib/x86_64-linux-gnu/libcrypto.so.3",
		"/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
		"/usr/lib/aarch64-linux-gnu/libstdc++.so.6",
	};
	size_t n = 0;

	(void)state;
	need_readelf();
	for (size_t i = 0; i < XB_COUNT(paths); i++) {
		if (!xb_fs_exists(paths[i]))
			continue;
		expect_same_facts(paths[i]);
		n++;
	}
	assert_true(n >= 3);
	expect_same_in("/usr/lib/x86_64-linux-gnu", 10);
}

static void libraries_of_another_architecture(void **state)
{
	(void)state;
	need_readelf();
	if (expect_same_in("/usr/aarch64-linux-gnu/lib", 20) == 0)
		skip_without("libraries in /usr/aarch64-linux-gnu/lib");
}

/* Compiles `source` with the words of `options`; the result is <dir>/<name>, borrowed until the next call. */
static const char *build(const char *name, const char *source, const char *options)
{
	static char path[4200];
	const char *env[] = {"LC_ALL=C", "PATH=/usr/bin:/bin", NULL}, *argv[24] = {gcc, "-o", path, NULL};
	char *words XB_CLEANUP(xb_free_ptr) = xb_strdup(options), *input XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_proc_result result XB_CLEANUP(xb_proc_result_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	size_t n = 4;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	input = xb_printf("%s.c", path);
	f = fopen(input, "w");
	assert_non_null(f);
	fputs(source, f);
	fclose(f);
	argv[3] = input;
	for (char *word = words; word && n < XB_COUNT(argv) - 1;) {
		char *end = strchr(word, ' ');

		if (end)
			*end++ = '\0';
		argv[n++] = word;
		word = end;
	}
	assert_int_equal(run_program(&(struct xb_proc_spec){.argv = argv, .env = env}, &result, &err), 0);
	if (result.exit_code != 0)
		fail_msg("gcc %s: %s", options, xb_str_get(&result.output));
	return path;
}

static void files_that_gcc_makes(void **state)
{
	static const char program[] = "#include <stdio.h>\nint main(void) { return puts(\"x\") < 0; }\n";
	static const char library[] =
		"int own(void) { return 1; } __attribute__((visibility(\"hidden\"))) int hid(void)"
		"{ return 2; } int old(void) { return 3; }\n";
	static const char versioned[] = "int own_a(void) { return 1; } int own_b(void) { return 2; }\n"
					"__asm__(\".symver own_a,own@OWN_1\");__asm__(\".symver own_b,own@@OWN_2\");\n";
	static const struct {
		const char *source, *options;
	} rows[] = {
		{program, "-pie -fPIE -Wl,-z,relro,-z,now"},
		{program, "-pie -fPIE -Wl,-z,norelro,-z,lazy"},
		{program, "-no-pie -fno-pie"},
		{program, "-static"},
		{program, "-static-pie -fPIE"},
		{program, "-Wl,-z,execstack"},
		{program, "-Wl,--hash-style=sysv"},
		{program, "-Wl,--hash-style=gnu -Wl,--export-dynamic"},
		{program, "-Wl,--enable-new-dtags,-rpath,/opt/lib:$ORIGIN/../lib"},
		{program, "-Wl,--disable-new-dtags,-rpath,/opt/lib"},
		{library, "-shared -fPIC -Wl,-soname,libown.so.7"},
		{library, "-shared -fPIC -nostdlib"},
		{program, "-Wl,--build-id=none"},
		{program, "-Wl,--build-id=0x01020304"},
		{library, "-c"},
		{versioned, "-shared -fPIC -Wl,--version-script=@dir@/map"},
	};
	char *map XB_CLEANUP(xb_free_ptr) = NULL;
	FILE *f;

	(void)state;
	need_readelf();
	if (!gcc)
		skip_without("gcc");
	map = xb_path_join(dir, "map");
	f = fopen(map, "w");
	assert_non_null(f);
	fputs("OWN_1 { global: own; local: *; };\nOWN_2 { global: own; } OWN_1;\n", f);
	fclose(f);
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		const char *mark = strstr(rows[i].options, "@dir@");
		char *options XB_CLEANUP(xb_free_ptr) =
			mark ? xb_printf("%.*s%s%s", (int)(mark - rows[i].options), rows[i].options, dir, mark + 5)
			     : xb_strdup(rows[i].options);

		expect_same_facts(build("built", rows[i].source, options));
	}
}

static void who_compiled_is_told_when_asked_for(void **state)
{
	static const struct {
		const char *options, *expected;
		enum xb_elf_flags flags;
	} rows[] = {{"-c", "GCC: (", XB_ELF_COMMENT},
		    {"-shared -fPIC", "GCC: (", XB_ELF_COMMENT},
		    {"-c -fno-ident", NULL, XB_ELF_COMMENT},
		    {"-c", NULL, 0}};

	(void)state;
	if (!gcc)
		skip_without("gcc");
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		const char *path = build("built", "int own(void) { return 1; }\n", rows[i].options);
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct xb_elf *elf = NULL;

		assert_int_equal(xb_elf_read(path, path, rows[i].flags, &elf, &err), 1);
		if (!rows[i].expected) {
			assert_true(!elf->comment || !*elf->comment);
		} else {
			assert_non_null(elf->comment);
			assert_int_equal(strncmp(elf->comment, rows[i].expected, strlen(rows[i].expected)), 0);
			assert_non_null(strchr(elf->comment, '\n'));
		}
		xb_elf_free(elf);
	}
}

static void a_file_that_is_no_elf_is_told_apart(void **state)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, "text");
	static const char *const texts[] = {"", "\177EL", "#!/bin/sh\n", "\177elf\1\2\3"};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(texts); i++) {
		struct xb_err err XB_CLEANUP(xb_err_release) = {0};
		struct xb_elf *elf = NULL;
		FILE *f = fopen(path, "w");

		assert_non_null(f);
		fputs(texts[i], f);
		fclose(f);
		assert_int_equal(xb_elf_read(path, "text", 0, &elf, &err), 0);
		assert_null(elf);
		assert_null(err.msg);
	}
}

static void what_cannot_be_read_is_named(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, "missing"), *fifo XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_elf *elf = NULL;

	(void)state;
	assert_int_equal(xb_elf_read(path, "missing", 0, &elf, &err), XB_E_NOT_FOUND);
	assert_non_null(strstr(err.msg, path));
	xb_err_clear(&err);
	assert_int_equal(xb_elf_read(dir, "dir", 0, &elf, &err), XB_E_INPUT);
	assert_non_null(strstr(err.msg, "expected a regular file"));
	xb_err_clear(&err);
	fifo = xb_path_join(dir, "fifo");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(xb_elf_read(fifo, "fifo", 0, &elf, &err), XB_E_INPUT);
	assert_null(elf);
}

static int set_up(void **state)
{
	const char *base = getenv("TMPDIR");

	(void)state;
	dir = xb_printf("%s/xb-elf-XXXXXX", base && *base ? base : "/tmp");
	readelf = xb_proc_find("readelf");
	gcc = xb_proc_find("gcc");
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	int rc = xb_fs_remove(dir, &err);

	(void)state;
	free(dir);
	free(readelf);
	free(gcc);
	return rc;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_of_this_machine),
		cmocka_unit_test(libraries_of_another_architecture),
		cmocka_unit_test(files_that_gcc_makes),
		cmocka_unit_test(who_compiled_is_told_when_asked_for),
		cmocka_unit_test(a_file_that_is_no_elf_is_told_apart),
		cmocka_unit_test(what_cannot_be_read_is_named),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
