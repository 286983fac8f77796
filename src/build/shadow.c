/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/build/shadow.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/map.h"
#include "xbuild/base/path.h"
#include "xbuild/base/str.h"
#include "xbuild/sys/fs.h"

struct xb_shadows {
	char *project_dir;
	int root_fd;
	struct xb_map listings; /* directory -> struct xb_map of the names in it, in lower case */
};

struct xb_shadows *xb_shadows_open(const char *project_dir)
{
	struct xb_shadows *s = xb_alloc(sizeof(*s));

	s->project_dir = xb_strdup(project_dir);
	s->root_fd = open(project_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return s;
}

void xb_shadows_free(struct xb_shadows *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->listings.len; i++) {
		xb_map_release(s->listings.entries[i].value);
		free(s->listings.entries[i].value);
	}
	xb_map_release(&s->listings);
	xb_fs_close(&s->root_fd);
	free(s->project_dir);
	free(s);
}

static void to_lower(struct xb_sv text, struct xb_str *out)
{
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.ptr[i];

		xb_str_append_char(out, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
	}
}

static struct xb_map *list(struct xb_shadows *s, struct xb_sv dir)
{
	struct xb_map *names = xb_map_get(&s->listings, dir);
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct xb_fs_list entries XB_CLEANUP(xb_fs_list_release) = {0};

	if (names)
		return names;
	names = xb_alloc(sizeof(*names));
	xb_map_put(&s->listings, dir, names);
	char *rel XB_CLEANUP(xb_free_ptr) = xb_sv_dup(dir);
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(s->project_dir, dir.len ? rel : ".");

	if (xb_fs_list(path, &entries, &ignored) < 0)
		return names; /* a directory that is missing has nothing in it */
	for (size_t i = 0; i < entries.len; i++) {
		struct xb_str name XB_CLEANUP(xb_str_release) = {0};

		to_lower(xb_sv(entries.items[i].name), &name);
		xb_map_put(names, xb_str_sv(&name), s);
	}
	return names;
}

/* File systems may fold case: a name that is there in another spelling is asked for. */
bool xb_shadows_exists(struct xb_shadows *s, const char *path)
{
	struct xb_str name XB_CLEANUP(xb_str_release) = {0};
	struct stat st;

	to_lower(xb_path_base(xb_sv(path)), &name);
	return xb_map_has(list(s, xb_path_dir(xb_sv(path))), xb_str_sv(&name)) &&
	       fstatat(s->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* One search: what is found goes to out, each path once. */
struct search {
	struct xb_shadows *shadows;
	struct xb_arena *arena;
	struct xb_map seen; /* places that were looked at: directory, newline, name */
	struct xb_map reported;
	struct xb_dirs *out;
};

/* `dir` is a project directory ("." is the top), `name` what an #include may say. */
static void probe(struct search *s, const char *dir, struct xb_sv name)
{
	struct xb_str path XB_CLEANUP(xb_str_release) = {0};
	size_t at;

	if (strcmp(dir, ".") != 0 && *dir)
		xb_str_printf(&path, "%s/", dir);
	xb_str_append_sv(&path, name);
	for (at = 0; at < path.len; at++) {
		if (path.data[at] != '/' && at + 1 < path.len)
			continue;
		const bool last = path.data[at] != '/';
		const char cut = path.data[at];

		if (!last)
			path.data[at] = '\0';
		const bool found = xb_shadows_exists(s->shadows, path.data);

		if (!found && !xb_map_get_str(&s->reported, path.data)) {
			xb_map_put_str(&s->reported, path.data, s);
			xb_dirs_add(s->out, s->arena, xb_arena_printf(s->arena, "!%s", path.data));
		}
		path.data[at] = cut;
		if (!found)
			return;
	}
}

/* As long as the first component is missing nothing below it can appear, so names are looked at by it alone, mostly. */
static void probe_once(struct search *s, const char *dir, struct xb_sv name)
{
	struct xb_str key XB_CLEANUP(xb_str_release) = {0};
	struct xb_sv rest = name;

	xb_str_printf(&key, "%s\n", dir);
	xb_str_append_sv(&key, xb_sv_cut(&rest, '/'));
	const uintptr_t known = (uintptr_t)xb_map_get(&s->seen, xb_str_sv(&key));

	if (known == 2)
		return;
	if (!known) {
		char *first XB_CLEANUP(xb_free_ptr) = !strcmp(dir, ".") || !*dir
							      ? xb_strdup(strchr(key.data, '\n') + 1)
							      : xb_printf("%s/%s", dir, strchr(key.data, '\n') + 1);

		xb_map_put(&s->seen, xb_str_sv(&key),
			   (void *)(uintptr_t)(xb_shadows_exists(s->shadows, first) ? 1 : 2));
	}
	probe(s, dir, name);
}

/* The part of `path` below project directory `dir`, or the empty view. */
static struct xb_sv below(const char *path, const char *dir)
{
	const size_t n = !strcmp(dir, ".") ? 0 : strlen(dir);

	if (!n)
		return xb_sv(path);
	return !strncmp(path, dir, n) && path[n] == '/' ? xb_sv(path + n + 1) : xb_sv_n(NULL, 0);
}

static void probe_all(struct search *s, const struct xb_dirs *quoted, const struct xb_dirs *search, size_t n_search,
		      struct xb_sv name)
{
	for (size_t i = 0; i < quoted->len; i++)
		probe_once(s, quoted->items[i], name);
	for (size_t i = 0; i < n_search; i++)
		probe_once(s, search->items[i], name);
}

/*
 * Names under which a header of a tree may have been asked for: what follows "include/", and the same behind the
 * directories that compilers search below it (the architecture's, the C++ library's).
 */
static void probe_tree_file(struct search *s, const struct xb_dirs *quoted, const struct xb_dirs *search,
			    const char *multiarch, const char *rel)
{
	const char *name = strstr(rel, "include/");
	const size_t n = strlen(multiarch);

	if (!name)
		return;
	name += sizeof("include/") - 1;
	probe_all(s, quoted, search, search->len, xb_sv(name));
	if (!strncmp(name, multiarch, n) && name[n] == '/') {
		name += n + 1;
		probe_all(s, quoted, search, search->len, xb_sv(name));
	}
	if (!strncmp(name, "c++/", 4) && strchr(name + 4, '/')) {
		name = strchr(name + 4, '/') + 1;
		probe_all(s, quoted, search, search->len, xb_sv(name));
		if (!strncmp(name, multiarch, n) && name[n] == '/')
			probe_all(s, quoted, search, search->len, xb_sv(name + n + 1));
	} else if (strchr(name, '/')) {
		/* a module's own directory: pkg-config gives -I for it */
		probe_all(s, quoted, search, search->len, xb_sv(strchr(name, '/') + 1));
	}
}

static void add_quoted(struct xb_dirs *quoted, struct xb_arena *arena, const char *rel)
{
	const struct xb_sv dir = xb_path_dir(xb_sv(rel));

	for (size_t i = 0; i < quoted->len; i++)
		if (xb_sv_eq_str(dir, quoted->items[i]))
			return;
	xb_dirs_add(quoted, arena, xb_arena_sv(arena, dir));
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void xb_shadows_find(struct xb_shadows *shadows, const struct xb_shadow_query *query, struct xb_arena *arena,
		     struct xb_dirs *out)
{
	struct search s = {.shadows = shadows, .arena = arena, .out = out};
	const struct xb_dirs *search = query->search;
	struct xb_dirs quoted = {0};

	for (size_t i = 0; i < query->n_files; i++)
		if (query->files[i].root == XB_ROOT_PROJECT)
			add_quoted(&quoted, arena, query->files[i].rel);
	for (size_t i = 1; i < query->n_files; i++) {
		const struct xb_read_file *file = &query->files[i];

		if (file->root != XB_ROOT_PROJECT) {
			probe_tree_file(&s, &quoted, search, query->multiarch, file->rel);
			continue;
		}
		for (size_t k = 0; k < search->len; k++) {
			const struct xb_sv name = below(file->rel, search->items[k]);

			if (name.ptr)
				probe_all(&s, &quoted, search, k, name);
		}
	}
	for (size_t i = 0; i < query->asked->len; i++)
		probe_all(&s, &quoted, search, search->len, xb_sv(query->asked->items[i]));
	if (out->len)
		qsort(out->items, out->len, sizeof(*out->items), by_text);
	xb_map_release(&s.seen);
	xb_map_release(&s.reported);
}

/* What follows an option, in the same word or, for those without "=", in the next one. NULL: it is another word. */
static const char *option_value(const struct xb_command *command, size_t i, const char *short_name,
				const char *long_name)
{
	const struct xb_word *w = &command->items[i];

	if (w->root != XB_ROOT_NONE)
		return NULL;
	if (!strncmp(w->text, long_name, strlen(long_name)))
		return w->text + strlen(long_name);
	if (strncmp(w->text, short_name, 2) != 0)
		return NULL;
	if (w->text[2])
		return w->text + 2;
	return i + 1 < command->len && w[1].root == XB_ROOT_NONE ? w[1].text : NULL;
}

static void probe_library(struct search *s, const char *dir, const char *name)
{
	if (*name == ':') {
		probe(s, dir, xb_sv(name + 1));
		return;
	}
	probe(s, dir, xb_sv(xb_arena_printf(s->arena, "lib%s.so", name)));
	probe(s, dir, xb_sv(xb_arena_printf(s->arena, "lib%s.a", name)));
}

void xb_shadows_find_libraries(struct xb_shadows *shadows, const struct xb_command *link, struct xb_arena *arena,
			       struct xb_dirs *out)
{
	struct search s = {.shadows = shadows, .arena = arena, .out = out};
	struct xb_dirs dirs = {0};

	for (size_t i = 0; i < link->len; i++) {
		const char *dir = option_value(link, i, "-L", "--library-path=");

		if (dir) {
			struct xb_str clean XB_CLEANUP(xb_str_release) = {0};

			xb_path_clean(xb_sv(dir), &clean);
			xb_dirs_add_new(&dirs, arena, xb_arena_sv(arena, xb_str_sv(&clean)));
		}
	}
	for (size_t i = 0; dirs.len && i < link->len; i++) {
		const char *name = option_value(link, i, "-l", "--library=");

		for (size_t d = 0; name && d < dirs.len; d++)
			probe_library(&s, dirs.items[d], name);
	}
	if (out->len)
		qsort(out->items, out->len, sizeof(*out->items), by_text);
	xb_map_release(&s.reported);
}
