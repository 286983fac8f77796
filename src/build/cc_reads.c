/* SPDX-License-Identifier: Apache-2.0 */
#include "cc_run.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"
#include "xbuild/build/depfile.h"
#include "xbuild/build/scan.h"
#include "xbuild/build/shadow.h"
#include "xbuild/sys/fs.h"

struct taking {
	struct cc *cc;
	struct cc_reads *out;
	XB_VEC(struct xb_read_file) files; /* the source first */
	struct xb_dirs asked;
	struct xb_map known;
};

static bool holds(struct xb_sv text, const char *word)
{
	return text.len && memmem(text.ptr, text.len, word, strlen(word));
}

/* What the assembler reads by itself is in no list. */
static bool has_directive(struct cc *cc, struct xb_sv text, const char *directive)
{
	struct xb_dirs names = {0};

	return !xb_scan_assembler(text, directive, &cc->arena, &names) || names.len;
}

/* The tree that holds an absolute path, and the path below it; clean, for names alone. */
static const char *below_tree(struct cc *cc, const char *path)
{
	struct xb_str clean XB_CLEANUP(xb_str_release) = {0};

	for (const char *const *tree = cc->call->trees; *tree; tree++) {
		const size_t n = strlen(*tree);

		if (strncmp(path, *tree, n) != 0 || path[n] != '/')
			continue;
		xb_path_clean(xb_sv(path + n + 1), &clean);
		return xb_sv_starts(xb_str_sv(&clean), "..") ? NULL : xb_arena_sv(&cc->arena, xb_str_sv(&clean));
	}
	return NULL;
}

/* A clean name of a file of the user's, without the first slash; NULL where ".." does not fold. */
static const char *clean_name(struct cc *cc, const char *path)
{
	struct xb_str clean XB_CLEANUP(xb_str_release) = {0};
	struct stat named, folded;

	xb_path_clean(xb_sv(path), &clean);
	if (stat(path, &named) < 0 || stat(xb_str_get(&clean), &folded) < 0 || named.st_ino != folded.st_ino ||
	    named.st_dev != folded.st_dev)
		return NULL;
	return xb_arena_strdup(&cc->arena, xb_str_get(&clean) + 1);
}

/* What a source or header names without the compiler's list telling of it. */
static void scan(struct taking *t, const char *path, bool is_tree)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct cc *cc = t->cc;
	struct xb_sv sv;

	if (xb_fs_read(path, XB_MAX_SOURCE_BYTES, &text, &ignored) < 0) {
		t->out->told = false;
		return;
	}
	sv = xb_str_sv(&text);
	if (holds(sv, "__TIMESTAMP__") || has_directive(cc, sv, ".incbin") || has_directive(cc, sv, ".include") ||
	    (!cc->dates_told && (holds(sv, "__DATE__") || holds(sv, "__TIME__"))))
		t->out->told = false;
	/* what a tree asks for it finds in itself, unless other directories are searched as well */
	if ((!is_tree || cc->words.search.len) && !xb_scan_conditions(sv, &cc->arena, &t->asked))
		t->out->told = false;
}

static void take_header(struct taking *t, const char *path)
{
	const char *tree = below_tree(t->cc, path), *name;

	if (xb_map_get_str(&t->known, path))
		return;
	xb_map_put_str(&t->known, path, t);
	scan(t, path, tree != NULL);
	if (tree) {
		XB_VEC_PUSH(&t->files, ((struct xb_read_file){XB_ROOT_SYSROOT, tree}));
		return;
	}
	name = clean_name(t->cc, path);
	if (!name) {
		t->out->told = false;
		return;
	}
	xb_dirs_add(&t->out->files, &t->cc->arena, path);
	XB_VEC_PUSH(&t->files, ((struct xb_read_file){XB_ROOT_PROJECT, name}));
}

/* Where headers are looked for, in the form of build/shadow: below "/". */
static void find_shadows(struct taking *t)
{
	struct xb_shadows *shadows = xb_shadows_open("/");
	struct xb_arena *arena = &t->cc->arena;
	struct xb_dirs search = {0};
	struct xb_shadow_query query;

	for (size_t i = 0; i < t->cc->words.search.len; i++)
		xb_dirs_add(&search, arena, t->cc->words.search.items[i] + 1);
	query = (struct xb_shadow_query){
		.search = &search,
		.multiarch = t->cc->call->multiarch,
		.files = t->files.items,
		.n_files = t->files.len,
		.asked = &t->asked,
	};
	xb_shadows_find(shadows, &query, arena, &t->out->absent);
	xb_shadows_free(shadows);
}

static bool read_list(struct cc *cc, const struct cc_done *done, struct xb_depfile *out)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};

	return xb_depfile_read(done->depfile, "a compile", &cc->arena, out, &ignored) == 0;
}

static bool words_hold(const struct cc *cc, const char *text)
{
	for (const char *const *w = cc->call->words; *w; w++)
		if (strstr(*w, text))
			return true;
	return false;
}

void cc_reads_compile(struct cc *cc, const struct cc_done *done, struct cc_reads *out)
{
	struct taking t = {.cc = cc, .out = out};
	struct xb_depfile list;

	*out = (struct cc_reads){.told = !words_hold(cc, "__TIME") && !words_hold(cc, "__DATE")};
	if (!read_list(cc, done, &list)) {
		out->told = false;
		return;
	}
	for (size_t i = 0; i < list.len; i++)
		take_header(&t, cc_absolute(cc, list.paths[i]));
	if (out->told)
		find_shadows(&t);
	XB_VEC_RELEASE(&t.files);
	xb_map_release(&t.known);
}

static bool is_part(const struct cc *cc, const char *path)
{
	for (size_t i = 0; i < cc->plan.n_steps; i++)
		if (cc->done[i].object && !strcmp(cc->done[i].object, path))
			return true;
	return false;
}

static void add_absent(struct cc *cc, const char *dir, const char *name, struct cc_reads *out)
{
	const char *path = xb_arena_printf(&cc->arena, "%s/%s", dir, name);

	if (!xb_fs_exists(path))
		xb_dirs_add_new(&out->absent, &cc->arena, xb_arena_printf(&cc->arena, "!%s", path + 1));
}

/* "-lone", "-l:libone.so.1" or the name of a file, in one directory of the user's. */
static void add_absent_library(struct cc *cc, const char *dir, const char *word, struct cc_reads *out)
{
	const char *name = word + 2;

	if (strncmp(word, "-l", 2) != 0)
		add_absent(cc, dir, word, out);
	else if (*name == ':')
		add_absent(cc, dir, name + 1, out);
	else {
		add_absent(cc, dir, xb_arena_printf(&cc->arena, "lib%s.so", name), out);
		add_absent(cc, dir, xb_arena_printf(&cc->arena, "lib%s.a", name), out);
	}
}

/*
 * What a file that was linked makes the linker look for in directories of the user's: a script names others; an object has
 * them in .deplibs (#pragma comment(lib, ...)), which is not read here. False: that cannot be told.
 */
static bool scan_text(struct cc *cc, struct xb_sv text, bool is_tree, struct xb_dirs *names)
{
	static const char libraries[] = ".deplibs";

	if (xb_sv_starts(text, "\177ELF") || xb_sv_starts(text, "!<arch>\n"))
		return is_tree || !memmem(text.ptr, text.len, libraries, sizeof(libraries));
	xb_scan_link_script(text, &cc->arena, names);
	return is_tree;
}

static bool scan_input(struct cc *cc, const char *path, bool is_tree, struct xb_dirs *names)
{
	int fd XB_CLEANUP(xb_fs_close) = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *data;
	bool told;

	if (fd < 0 || fstat(fd, &st) < 0)
		return false;
	if (!st.st_size)
		return true;
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return false;
	told = scan_text(cc, xb_sv_n(data, (size_t)st.st_size), is_tree, names);
	(void)munmap(data, (size_t)st.st_size);
	return told;
}

void cc_reads_link(struct cc *cc, const struct cc_done *done, struct cc_reads *out)
{
	const struct cc_step *link = &cc->plan.steps[cc->plan.n_steps - 1];
	struct xb_dirs names = {0}, dirs = {0};
	struct xb_depfile list;

	*out = (struct cc_reads){.told = read_list(cc, done, &list)};
	for (size_t i = 1; i < link->n_words; i++) {
		if (!strncmp(link->words[i], "-l", 2))
			xb_dirs_add_new(&names, &cc->arena,
					link->words[i]); /* the driver's own -lc and -lgcc among them */
		if (!strncmp(link->words[i], "-L", 2) && !below_tree(cc, link->words[i] + 2))
			xb_dirs_add_new(&dirs, &cc->arena, cc_absolute(cc, link->words[i] + 2));
	}
	for (size_t i = 0; out->told && i < list.len; i++) {
		const char *path = cc_absolute(cc, list.paths[i]);
		const bool is_tree = below_tree(cc, path) != NULL;

		if (!is_tree || dirs.len)
			out->told = scan_input(cc, path, is_tree, &names);
		if (!is_tree && !is_part(cc, path))
			xb_dirs_add_new(&out->files, &cc->arena, path);
	}
	for (size_t i = 0; out->told && i < dirs.len * names.len; i++)
		add_absent_library(cc, dirs.items[i / names.len], names.items[i % names.len], out);
}
