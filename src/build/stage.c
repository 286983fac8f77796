/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/build/stage.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/map.h"
#include "xbuild/base/num.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/host.h"

#define HEAD	     "xbuild stage 1\n"
#define MAX_LINKS    32
#define MAX_DEPTH    128
#define MAX_MANIFEST ((int64_t)XB_MAX_STAGE_ENTRIES * 512)

static struct xb_stage_entry *add(struct xb_stage *stage, struct xb_arena *arena)
{
	if (stage->len == stage->cap) {
		const size_t cap = stage->cap ? 2 * stage->cap : 64;
		struct xb_stage_entry *more = xb_arena_array(arena, cap, sizeof(*more));

		if (stage->len)
			memcpy(more, stage->items, stage->len * sizeof(*more));
		stage->items = more;
		stage->cap = cap;
	}
	stage->items[stage->len] = (struct xb_stage_entry){0};
	return &stage->items[stage->len++];
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct xb_stage_entry *)a)->path, ((const struct xb_stage_entry *)b)->path);
}

static bool is_plain(const char *text)
{
	return *text && !strpbrk(text, "\n\t");
}

static int read_link(const char *path, struct xb_arena *arena, const char **out, struct xb_err *err)
{
	char text[XB_MAX_PATH_BYTES + 1];
	const ssize_t n = readlink(path, text, sizeof(text));

	if (n < 0)
		return xb_fail_errno(err, "read the link '%s'", path);
	if ((size_t)n == sizeof(text))
		return xb_fail(err, XB_E_INPUT, "the link '%s' has more than %d bytes", path, XB_MAX_PATH_BYTES);
	*out = xb_arena_sv(arena, xb_sv_n(text, (size_t)n));
	return 0;
}

static int list_dir(const char *dir, const char *rel, int depth, struct xb_arena *arena, struct xb_stage *out,
		    struct xb_err *err);

static int list_entry(const char *dir, const char *rel, const struct xb_fs_entry *e, int depth, struct xb_arena *arena,
		      struct xb_stage *out, struct xb_err *err)
{
	const char *path = *rel ? xb_arena_printf(arena, "%s/%s", rel, e->name) : xb_arena_strdup(arena, e->name);
	char *full XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, e->name);
	struct xb_stage_entry *entry;
	struct stat st;

	if (!is_plain(e->name))
		return xb_fail(err, XB_E_INPUT, "installed a file with a newline or a tab in its name: '%s'", path);
	if (e->is_dir)
		return list_dir(full, path, depth + 1, arena, out, err);
	if (!e->is_file && !e->is_link)
		return xb_fail(err, XB_E_INPUT, "installed '%s', which is neither file, link nor directory", path);
	if (out->len >= XB_MAX_STAGE_ENTRIES)
		return xb_fail(err, XB_E_INPUT, "installed more than %d files", XB_MAX_STAGE_ENTRIES);
	entry = add(out, arena);
	entry->path = path;
	entry->type = e->is_link ? XB_STAGE_LINK : XB_STAGE_FILE;
	if (e->is_link) {
		if (read_link(full, arena, &entry->link, err) < 0)
			return err->code;
		return is_plain(entry->link) ? 0 : xb_fail(err, XB_E_INPUT, "installed the odd link '%s'", path);
	}
	if (stat(full, &st) < 0)
		return xb_fail_errno(err, "read '%s'", full);
	entry->executable = (st.st_mode & 0111) != 0;
	entry->size_bytes = (uint64_t)st.st_size;
	return 0;
}

static int list_dir(const char *dir, const char *rel, int depth, struct xb_arena *arena, struct xb_stage *out,
		    struct xb_err *err)
{
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};

	if (depth > MAX_DEPTH)
		return xb_fail(err, XB_E_INPUT, "installed more than %d directories in each other", MAX_DEPTH);
	if (xb_fs_list(dir, &list, err) < 0)
		return err->code;
	if (!list.len && *rel)
		*add(out, arena) = (struct xb_stage_entry){.path = rel, .type = XB_STAGE_DIR};
	for (size_t i = 0; i < list.len; i++) {
		if (list_entry(dir, rel, &list.items[i], depth, arena, out, err) < 0)
			return err->code;
	}
	return 0;
}

int xb_stage_list(const char *dir, struct xb_arena *arena, struct xb_stage *out, struct xb_err *err)
{
	struct xb_stage stage = {0};

	if (list_dir(dir, "", 0, arena, &stage, err) < 0)
		return err->code;
	if (stage.len)
		qsort(stage.items, stage.len, sizeof(*stage.items), by_path);
	*out = stage;
	return 0;
}

/* A file with further names (`ln` of what was built) would change in the store when it is written by one of them. */
static int own_file(const char *path, bool executable, struct xb_err *err)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return xb_fail_errno(err, "read '%s'", path);
	return st.st_nlink > 1 ? xb_fs_copy_replace(path, path, executable ? 0755 : 0644, err) : 0;
}

int xb_stage_adopt(struct xb_store *store, const char *dir, struct xb_stage *stage, struct xb_err *err)
{
	for (size_t i = 0; i < stage->len; i++) {
		struct xb_stage_entry *e = &stage->items[i];
		char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, e->path);

		if (e->type != XB_STAGE_FILE)
			continue;
		if (own_file(path, e->executable, err) < 0 ||
		    xb_cas_adopt(store, path, e->executable, &e->digest, &e->size_bytes, err) < 0)
			return xb_wrap(err, "keep '%s'", e->path);
	}
	return 0;
}

void xb_stage_write(const struct xb_stage *stage, struct xb_str *out)
{
	char hex[XB_DIGEST_HEX];

	xb_str_append(out, HEAD);
	for (size_t i = 0; i < stage->len; i++) {
		const struct xb_stage_entry *e = &stage->items[i];

		if (e->type == XB_STAGE_FILE)
			xb_str_printf(out, "f\t%s\t%s\t%llu\t%s\n", e->executable ? "755" : "644",
				      xb_digest_hex(&e->digest, hex), (unsigned long long)e->size_bytes, e->path);
		else if (e->type == XB_STAGE_LINK)
			xb_str_printf(out, "l\t%s\t%s\n", e->link, e->path);
		else
			xb_str_printf(out, "d\t%s\n", e->path);
	}
}

static bool parse_line(struct xb_sv line, struct xb_arena *arena, struct xb_stage_entry *e)
{
	const struct xb_sv kind = xb_sv_cut(&line, '\t');
	struct xb_sv mode, digest, size;

	if (xb_sv_eq_str(kind, "f")) {
		mode = xb_sv_cut(&line, '\t');
		digest = xb_sv_cut(&line, '\t');
		size = xb_sv_cut(&line, '\t');
		e->type = XB_STAGE_FILE;
		e->executable = xb_sv_eq_str(mode, "755");
		if ((!e->executable && !xb_sv_eq_str(mode, "644")) || !digest.ptr ||
		    !xb_digest_parse(digest, &e->digest) || !size.ptr || !xb_num_u64(size, INT64_MAX, &e->size_bytes))
			return false;
	} else if (xb_sv_eq_str(kind, "l")) {
		e->type = XB_STAGE_LINK;
		e->link = xb_arena_sv(arena, xb_sv_cut(&line, '\t'));
		if (!*e->link)
			return false;
	} else if (xb_sv_eq_str(kind, "d")) {
		e->type = XB_STAGE_DIR;
	} else {
		return false;
	}
	if (!line.ptr || !xb_path_is_safe(line) || memchr(line.ptr, '\t', line.len))
		return false;
	e->path = xb_arena_sv(arena, line);
	return true;
}

/* Nothing may lie below a link or a file: it would be written through it. Neighbours in the order are compared with all. */
static bool is_tree(const struct xb_stage *stage)
{
	struct xb_map leaves XB_CLEANUP(xb_map_release) = {0};

	for (size_t i = 0; i < stage->len; i++) {
		if (xb_map_put_str(&leaves, stage->items[i].path, &leaves))
			return false;
	}
	for (size_t i = 0; i < stage->len; i++) {
		struct xb_sv dir = xb_path_dir(xb_sv(stage->items[i].path));

		for (; dir.len && !xb_sv_eq_str(dir, "."); dir = xb_path_dir(dir)) {
			if (xb_map_has(&leaves, dir))
				return false;
		}
	}
	return true;
}

static int parse(struct xb_sv text, struct xb_arena *arena, struct xb_stage *out, struct xb_err *err)
{
	struct xb_stage stage = {0};

	if (!xb_sv_starts(text, HEAD))
		return xb_fail(err, XB_E_INPUT, "read a manifest: expected the line 'xbuild stage 1' first");
	(void)xb_sv_cut(&text, '\n');
	while (text.ptr && text.len) {
		const struct xb_sv line = xb_sv_cut(&text, '\n');

		if (stage.len >= XB_MAX_STAGE_ENTRIES)
			return xb_fail(err, XB_E_INPUT, "read a manifest: more than %d entries", XB_MAX_STAGE_ENTRIES);
		if (!parse_line(line, arena, add(&stage, arena)))
			return xb_fail(err, XB_E_INPUT, "read a manifest: line %zu is no entry", stage.len + 1);
	}
	if (stage.len)
		qsort(stage.items, stage.len, sizeof(*stage.items), by_path);
	if (!is_tree(&stage))
		return xb_fail(err, XB_E_INPUT, "read a manifest: its entries are no tree");
	*out = stage;
	return 0;
}

int xb_stage_read(struct xb_store *store, const struct xb_digest *digest, struct xb_arena *arena, struct xb_stage *out,
		  struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_cas_path(store, digest);
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	if (xb_fs_read(path, MAX_MANIFEST, &text, err) < 0)
		return err->code;
	return parse(xb_str_sv(&text), arena, out, err);
}

bool xb_stage_is_whole(struct xb_store *store, const struct xb_stage *stage)
{
	for (size_t i = 0; i < stage->len; i++) {
		const struct xb_stage_entry *e = &stage->items[i];

		if (e->type == XB_STAGE_FILE && !xb_cas_has(store, &e->digest, (int64_t)e->size_bytes))
			return false;
	}
	return true;
}

static const struct xb_stage_entry *lookup(const struct xb_stage *stage, const char *path)
{
	const struct xb_stage_entry key = {.path = path};

	return stage->len ? bsearch(&key, stage->items, stage->len, sizeof(key), by_path) : NULL;
}

/* Only the last component may be a link: trees with links to directories are rare below a prefix, and then `outputs` can name
 * the real place. */
const struct xb_stage_entry *xb_stage_find(const struct xb_stage *stage, const char *path)
{
	char *at XB_CLEANUP(xb_free_ptr) = xb_strdup(path);

	for (int i = 0; i < MAX_LINKS; i++) {
		const struct xb_stage_entry *e = lookup(stage, at);
		struct xb_str next XB_CLEANUP(xb_str_release) = {0}, clean XB_CLEANUP(xb_str_release) = {0};

		if (!e || e->type != XB_STAGE_LINK)
			return e && e->type == XB_STAGE_FILE ? e : NULL;
		/* the tree is a root: nothing is above it */
		if (*e->link != '/')
			xb_str_printf(&next, "/%.*s/", XB_SV_ARG(xb_path_dir(xb_sv(at))));
		xb_str_append(&next, e->link);
		xb_path_clean(xb_str_sv(&next), &clean);
		free(at);
		at = xb_strdup(xb_str_get(&clean) + 1);
	}
	return NULL;
}

void xb_stage_below(const struct xb_stage *stage, const char *path, struct xb_arena *arena, struct xb_stage *out)
{
	const size_t n = strlen(path);

	*out = (struct xb_stage){0};
	for (size_t i = 0; i < stage->len; i++) {
		const struct xb_stage_entry *e = &stage->items[i];

		if (strncmp(e->path, path, n) != 0 || e->path[n] != '/')
			continue;
		struct xb_stage_entry *kept = add(out, arena);

		*kept = *e;
		kept->path += n + 1;
	}
}

/* One call of xb_stage_place. */
struct placing {
	const struct xb_stage_place *place;
	const struct xb_stage *stage;
	struct xb_map wanted; /* paths of entries, and of directories above them */
	struct xb_err *err;
};

static bool is_same(const struct placing *p, const struct xb_stage_entry *e, const char *full)
{
	char *rel XB_CLEANUP(xb_free_ptr) = xb_path_join(p->place->dir, e->path);
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct xb_file_state state;
	const char *text;
	struct stat st;

	if (lstat(full, &st) < 0)
		return false;
	if (e->type == XB_STAGE_DIR)
		return S_ISDIR(st.st_mode);
	if (e->type == XB_STAGE_LINK)
		return S_ISLNK(st.st_mode) && read_link(full, &arena, &text, &ignored) == 0 && !strcmp(text, e->link);
	return S_ISREG(st.st_mode) && xb_statcache_get(p->place->cache, rel, &state, &ignored) == 0 &&
	       xb_digest_eq(&state.digest, &e->digest) && state.executable == e->executable;
}

static int put(const struct placing *p, const struct xb_stage_entry *e, const char *full)
{
	char *rel XB_CLEANUP(xb_free_ptr) = xb_path_join(p->place->dir, e->path);
	char *dir XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_path_dir(xb_sv(full)));
	struct xb_err *err = p->err;

	if ((!xb_fs_is_dir(dir) && xb_fs_mkdirs(dir, 0755, err) < 0) ||
	    ((e->type == XB_STAGE_LINK || xb_fs_is_dir(full)) && xb_fs_remove(full, err) < 0))
		return err->code;
	xb_statcache_forget(p->place->cache, rel);
	if (e->type == XB_STAGE_DIR)
		return xb_fs_mkdirs(full, 0755, err);
	if (e->type == XB_STAGE_LINK)
		return symlink(e->link, full) < 0 ? xb_fail_errno(err, "make the link '%s'", full) : 0;
	return xb_cas_place(p->place->store, &e->digest, full, e->executable ? 0755 : 0644, err);
}

/* Removes what is not of the tree, also from directories that are empty in it, and files or links where it has directories. */
static int clear(const struct placing *p, const char *full, const char *rel)
{
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};

	if (xb_fs_list(full, &list, p->err) < 0)
		return p->err->code;
	for (size_t i = 0; i < list.len; i++) {
		const struct xb_fs_entry *e = &list.items[i];
		char *below XB_CLEANUP(xb_free_ptr) = *rel ? xb_path_join(rel, e->name) : xb_strdup(e->name);
		char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(full, e->name);
		const void *wanted = xb_map_get_str(&p->wanted, below);
		const bool is_parent = wanted == p;

		if (!wanted || (is_parent && !e->is_dir)) {
			if (xb_fs_remove(path, p->err) < 0)
				return p->err->code;
		} else if (e->is_dir && clear(p, path, below) < 0) {
			return p->err->code;
		}
	}
	return 0;
}

static void note_wanted(struct placing *p)
{
	for (size_t i = 0; i < p->stage->len; i++) {
		struct xb_sv dir = xb_path_dir(xb_sv(p->stage->items[i].path));

		xb_map_put_str(&p->wanted, p->stage->items[i].path, &p->wanted);
		for (; dir.len && !xb_sv_eq_str(dir, "."); dir = xb_path_dir(dir))
			xb_map_put(&p->wanted, dir, p);
	}
}

static void to_lower(const char *path, struct xb_str *out)
{
	xb_str_reset(out);
	for (const char *c = path; *c; c++)
		xb_str_append_char(out, *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c);
}

/* Two names that are one on a disk that folds case: only then is the disk asked. Directories become one without harm. */
static int refuse_folded(const struct xb_stage *stage, const char *root, struct xb_err *err)
{
	struct xb_map seen XB_CLEANUP(xb_map_release) = {0};
	struct xb_str name XB_CLEANUP(xb_str_release) = {0};
	bool folds = true;

	for (size_t i = 0; i < stage->len; i++) {
		const struct xb_stage_entry *entry = &stage->items[i], *other;

		to_lower(entry->path, &name);
		other = xb_map_get(&seen, xb_str_sv(&name));
		if (!other)
			xb_map_put(&seen, xb_str_sv(&name), (void *)(uintptr_t)entry);
		if (!other || (other->type == XB_STAGE_DIR && entry->type == XB_STAGE_DIR))
			continue;
		if (xb_host_folds_case(root, &folds, err) < 0)
			return err->code;
		if (!folds)
			return 0;
		xb_fail(err, XB_E_SYSTEM, "'%s' and '%s' are one name on this disk, which folds case", other->path,
			entry->path);
		return xb_hint(err, "put the project on a disk or volume that tells upper from lower case");
	}
	return 0;
}

int xb_stage_place(const struct xb_stage *stage, const struct xb_stage_place *place, struct xb_err *err)
{
	struct placing p = {.place = place, .stage = stage, .err = err};
	char *root XB_CLEANUP(xb_free_ptr) = xb_path_join(place->project_dir, place->dir);
	struct stat st;
	int rc = 0;

	/* what is behind a link is somebody else's */
	if (lstat(root, &st) == 0 && !S_ISDIR(st.st_mode) && xb_fs_remove(root, err) < 0)
		return err->code;
	if (xb_fs_mkdirs(root, 0755, err) < 0)
		return err->code;
	if (refuse_folded(stage, root, err) < 0)
		return xb_wrap(err, "place '%s'", place->dir);
	note_wanted(&p);
	rc = clear(&p, root, "");
	for (size_t i = 0; rc == 0 && i < stage->len; i++) {
		char *full XB_CLEANUP(xb_free_ptr) = xb_path_join(root, stage->items[i].path);

		if (!is_same(&p, &stage->items[i], full))
			rc = put(&p, &stage->items[i], full);
	}
	xb_map_release(&p.wanted);
	return rc < 0 ? xb_wrap(err, "place '%s'", place->dir) : 0;
}
