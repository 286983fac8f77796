/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of this host in a build for the target: the wrappers wrote down what every compile and link has read (build/wrapper.h,
 * "Records"). What a build does without them (a script that copies a file) is not seen here.
 */
#include <string.h>

#include "drive.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/map.h"
#include "xbuild/base/path.h"
#include "xbuild/build/depfile.h"
#include "xbuild/build/origin.h"
#include "xbuild/sys/fs.h"

struct leaks {
	struct run *r;
	struct xb_arena arena;
	struct xb_origins *origins;
	struct xb_map seen;   /* paths that were judged */
	struct xb_map warned; /* static libraries that were told of */
	struct xb_err *err;
};

/* A run of a tool: where, and its words. */
struct record {
	const char *cwd;
	const char *source; /* of a compile, the result of a link: for messages */
	const char *words;  /* each with a NUL; an empty one ends them */
	bool is_static, is_link;
};

static void read_record(struct leaks *l, const char *path, bool is_link, struct record *out)
{
	struct xb_err none XB_CLEANUP(xb_err_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	const char *copy;
	size_t at = 0, n = 0;

	*out = (struct record){.cwd = l->r->drive.build_dir,
			       .source = is_link ? "a link" : "a compile",
			       .words = "",
			       .is_link = is_link};
	if (xb_fs_read(path, XB_MAX_DEPFILE_BYTES, &text, &none) < 0)
		return;
	copy = xb_arena_sv(&l->arena, xb_str_sv(&text));
	out->words = copy;
	for (; at < text.len; at += strlen(copy + at) + 1, n++) {
		const char *word = copy + at, *dot = strrchr(word, '.');
		enum xb_language language;

		if (n == 0)
			out->cwd = word;
		else if (out->is_link && strcmp(word, "-o") == 0)
			out->source = word + strlen(word) + 1;
		else if (out->is_link)
			; /* its inputs are objects and libraries */
		else if (n > 1 && *word != '-' && dot && xb_language_of(word, &language))
			out->source = word;
		out->is_static = out->is_static || strncmp(word, "-static", 7) == 0 || strcmp(word, "-Bstatic") == 0;
	}
}

/* "<prefix>/share/cmake/..." or ".../share/cmake-3.25/..." of "<prefix>/bin/cmake". */
static bool is_share_of(const char *path, const char *program)
{
	const struct xb_sv prefix = xb_path_dir(xb_path_dir(xb_sv(program)));
	const char *name = xb_output_file_name(program), *rest = path + prefix.len;

	if (strncmp(path, prefix.ptr, prefix.len) != 0 || strncmp(rest, "/share/", strlen("/share/")) != 0)
		return false;
	rest += strlen("/share/");
	if (strncmp(rest, name, strlen(name)) != 0)
		return false;
	rest += strlen(name);
	if (rest[0] == '-' && rest[1] >= '0' && rest[1] <= '9')
		rest += 1 + strspn(rest + 1, "0123456789.");
	return *rest == '/';
}

/* Data of the build systems themselves: CMake compiles files of its own to see what a compiler is like. */
static bool is_of_program(const struct leaks *l, const char *path)
{
	for (const char *const *p = l->r->drive.programs; *p; p++) {
		struct xb_err none XB_CLEANUP(xb_err_release) = {0};
		char *real XB_CLEANUP(xb_free_ptr) = NULL;

		/* a program that is found by a link has its data beside the file */
		if (is_share_of(path, *p) || (xb_fs_realpath(*p, &real, &none) == 0 && is_share_of(path, real)))
			return true;
	}
	return false;
}

static int leak(struct leaks *l, const struct record *record, const char *path)
{
	struct run *r = l->r;

	r->leaked = true;
	xb_fail(l->err, XB_E_VERIFY,
		"unit '%s' (%s): '%s' was made with '%s' of this machine, which is neither in the project nor in the "
		"sysroot nor in the toolchain",
		r->spec->unit->name, r->drive.cross.target->name, record->source, path);
	return xb_hint(l->err,
		       "keep directories of this machine (%s%.*s) out of its options, and add the package that has the "
		       "file to sysroot.packages",
		       record->is_link ? "-L" : "-I", XB_SV_ARG(xb_path_dir(xb_sv(path))));
}

/* "-l:libz.a": somebody wants this one. */
static bool is_asked_for(const struct record *record, const char *name)
{
	for (const char *word = record->words; *word; word += strlen(word) + 1) {
		if (strncmp(word, "-l:", 3) == 0 && strcmp(word + 3, name) == 0)
			return true;
	}
	return false;
}

/* A static library was taken although the shared one stands beside it, which nobody asked for. */
static void warn_static(struct leaks *l, const struct record *record, const char *path)
{
	const char *name = xb_output_file_name(path), *shared;
	const size_t n = strlen(path);

	if (record->is_static || is_asked_for(record, name))
		return;
	shared = xb_arena_printf(&l->arena, "%.*s.so", (int)(n - 2), path);
	if (xb_fs_exists(shared) && !xb_map_put_str(&l->warned, path, l))
		xb_str_printf(
			l->r->shown,
			"warning: unit '%s' (%s): '%s' is linked with '%s', though '%s' is beside it\n"
			"hint: link it with -l, or by the path of the shared library; '-l:%s' says that the static "
			"one is meant\n",
			l->r->spec->unit->name, l->r->drive.cross.target->name, xb_output_file_name(record->source),
			name, xb_output_file_name(shared), name);
}

/* rustc follows links in the path of its sysroot: a store may be behind one. */
static bool is_below(const char *path, const char *dir)
{
	struct xb_err none XB_CLEANUP(xb_err_release) = {0};
	char *real XB_CLEANUP(xb_free_ptr) = NULL;

	if (!dir || !*dir)
		return false;
	return xb_path_is_below(xb_sv(path), xb_sv(dir)) ||
	       (xb_fs_realpath(dir, &real, &none) == 0 && xb_path_is_below(xb_sv(path), xb_sv(real)));
}

/* The standard library, and C sources of crates: part of what the unit was told to be built with. */
static bool is_of_rust(const struct leaks *l, const char *path)
{
	const struct xb_rust_tools *rust = l->r->spec->setup->rust;

	return l->r->driver->kind == XB_DRIVER_CARGO && rust &&
	       (is_below(path, rust->tools.dir) || is_below(path, rust->crates_dir));
}

static bool is_in(const char *rel, const char *dir)
{
	const size_t n = strlen(dir);

	return strcmp(dir, ".") == 0 || (strncmp(rel, dir, n) == 0 && rel[n] == '/');
}

/* Of a project path: part of the key of the result, or made by xbuild from what is. */
static bool is_input(const struct run *r, const char *rel)
{
	const struct xb_foreign *foreign = r->spec->unit->foreign;

	if (is_in(rel, ".xbuild") || is_in(rel, "out") || is_in(rel, foreign->dir) ||
	    (foreign->vendor && is_in(rel, foreign->vendor)))
		return true;
	for (size_t i = 0; i < r->needs.len; i++) {
		for (size_t k = 0; k < r->needs.items[i]->include.len; k++) {
			if (is_in(rel, r->needs.items[i]->include.items[k]))
				return true;
		}
	}
	return false;
}

/* Links to directories are followed: the key has only their text. One to a file counts as the file. NULL: not in the project. */
static const char *project_path(struct leaks *l, const char *path)
{
	struct xb_err none XB_CLEANUP(xb_err_release) = {0};
	char *dir XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_path_dir(xb_sv(path)));
	char *real XB_CLEANUP(xb_free_ptr) = NULL, *project XB_CLEANUP(xb_free_ptr) = NULL;
	const char *full;
	size_t n;

	if (xb_fs_realpath(dir, &real, &none) < 0 || xb_fs_realpath(l->r->drive.project_dir, &project, &none) < 0)
		return NULL;
	full = xb_arena_printf(&l->arena, "%s/%s", real, xb_output_file_name(path));
	n = strlen(project);
	return strncmp(full, project, n) == 0 && full[n] == '/' ? full + n + 1 : NULL;
}

static int no_input(struct leaks *l, const struct record *record, const char *rel)
{
	struct run *r = l->r;

	r->leaked = true;
	xb_fail(l->err, XB_E_VERIFY,
		"unit '%s' (%s): '%s' was made with '%s' of the project, which is not below the unit's directory '%s': "
		"a change of it would not be seen",
		r->spec->unit->name, r->drive.cross.target->name, record->source, rel, r->spec->unit->foreign->dir);
	return xb_hint(l->err, "let 'dir' be a directory that holds all that is read, such as '.'; 'source' (cmake, "
			       "meson) then says where the build system begins below it");
}

static int judge(struct leaks *l, const struct record *record, const char *name)
{
	const char *path = *name == '/' ? name : xb_arena_printf(&l->arena, "%s/%s", record->cwd, name), *rel;
	enum xb_root root;

	/* also of a file that was judged: another link may have wanted the static one */
	if (record->is_link && xb_sv_ends(xb_sv(path), ".a") &&
	    xb_origins_find(l->origins, path, &rel) == XB_ROOT_SYSROOT)
		warn_static(l, record, path);
	if (xb_map_put_str(&l->seen, path, l))
		return 0;
	root = xb_origins_find(l->origins, path, &rel);
	rel = root == XB_ROOT_PROJECT && xb_fs_exists(path) ? project_path(l, path) : NULL;
	if (rel && !is_input(l->r, rel))
		return no_input(l, record, rel);
	/* what was there for a moment (a check of configure) is gone; the store holds the staging tree of this very run */
	if (root != XB_ROOT_NONE || !xb_fs_exists(path) || xb_sv_starts(xb_sv(path), "/dev/") ||
	    is_of_program(l, path) || is_of_rust(l, path))
		return 0;
	return leak(l, record, path);
}

static int judge_headers(struct leaks *l, const struct record *record, const char *path)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_sv rest;

	if (xb_fs_read(path, XB_MAX_DEPFILE_BYTES, &text, l->err) < 0)
		return l->err->code;
	rest = xb_str_sv(&text);
	while (rest.len) {
		const struct xb_sv line = xb_sv_cut(&rest, '\n');

		if (line.len && judge(l, record, xb_arena_sv(&l->arena, line)) < 0)
			return l->err->code;
	}
	return 0;
}

static int judge_libraries(struct leaks *l, const struct record *record, const char *path)
{
	struct xb_err unreadable XB_CLEANUP(xb_err_release) = {0};
	struct xb_depfile list = {0};

	/* a link that failed, as checks of configure do, may leave half of one */
	if (xb_depfile_read(path, path, &l->arena, &list, &unreadable) < 0)
		return 0;
	for (size_t i = 0; i < list.len; i++) {
		if (judge(l, record, list.paths[i]) < 0)
			return l->err->code;
	}
	return 0;
}

static int judge_file(struct leaks *l, const char *name)
{
	const char *path = xb_arena_printf(&l->arena, "%s/%s", l->r->records, name);
	const struct xb_sv ext = xb_path_ext(xb_sv(name));
	struct record record;

	if (!xb_sv_eq_str(ext, ".headers") && !xb_sv_eq_str(ext, ".libs"))
		return 0;
	read_record(l, xb_arena_printf(&l->arena, "%.*s.cmd", (int)(strlen(path) - ext.len), path),
		    xb_sv_eq_str(ext, ".libs"), &record);
	return xb_sv_eq_str(ext, ".headers") ? judge_headers(l, &record, path) : judge_libraries(l, &record, path);
}

int drive_check_leaks(struct run *r, struct xb_err *err)
{
	struct leaks l = {.r = r, .err = err};
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};
	struct xb_roots roots;
	int rc = 0;

	xb_roots_real(r->drive.project_dir, r->spec->setup->tools, r->spec->setup->sysroot, &roots);
	if (xb_fs_list(r->records, &list, err) < 0 || xb_origins_open(&roots, &l.origins, err) < 0)
		return err->code;
	for (size_t i = 0; rc == 0 && i < list.len; i++)
		rc = judge_file(&l, list.items[i].name);
	xb_origins_free(l.origins);
	xb_map_release(&l.seen);
	xb_map_release(&l.warned);
	xb_arena_release(&l.arena);
	return rc;
}
