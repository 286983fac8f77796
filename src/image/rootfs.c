/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/image/rootfs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/map.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"

#define MAX_LINKS 40 /* path_resolution(7) */

/* Directories that are links into usr/ on a merged system. */
static const char *const merged_dirs[] = {"bin", "lib", "lib32", "lib64", "libx32", "sbin"};

const char *xb_layer_kind_name(enum xb_layer_kind kind)
{
	static const char *const names[XB_LAYER_KINDS] = {"base", "packages", "libraries", "application"};

	assert(kind < XB_LAYER_KINDS);
	return names[kind];
}

void xb_rootfs_release(struct xb_rootfs *rootfs)
{
	if (!rootfs)
		return;
	free(rootfs->items);
	xb_arena_release(&rootfs->arena);
	*rootfs = (struct xb_rootfs){0};
}

static const char *copy(struct xb_rootfs *rootfs, const char *text)
{
	return text ? xb_arena_strdup(&rootfs->arena, text) : NULL;
}

static struct xb_rootfs_entry *add_slot(struct xb_rootfs *rootfs)
{
	if (rootfs->len == rootfs->cap)
		rootfs->items = xb_vec_grow(rootfs->items, &rootfs->cap, sizeof(*rootfs->items));
	return &rootfs->items[rootfs->len++];
}

void xb_rootfs_add(struct xb_rootfs *rootfs, const struct xb_rootfs_entry *entry)
{
	struct xb_rootfs_entry *e = add_slot(rootfs);

	*e = *entry;
	e->path = copy(rootfs, entry->path);
	e->target = copy(rootfs, entry->target);
	e->source = copy(rootfs, entry->source);
	e->origin = copy(rootfs, entry->origin ? entry->origin : "");
	if (e->type == XB_TREE_SYMLINK)
		e->mode = 0777;
}

static bool is_merged_dir(struct xb_sv name)
{
	for (size_t i = 0; i < XB_COUNT(merged_dirs); i++) {
		if (xb_sv_eq_str(name, merged_dirs[i]))
			return true;
	}
	return false;
}

void xb_rootfs_add_tree(struct xb_rootfs *rootfs, const struct xb_tree_entries *entries, const char *dir,
			const char *origin)
{
	const char *shared_origin = copy(rootfs, origin);

	for (size_t i = 0; i < entries->len; i++) {
		const struct xb_tree_entry *from = &entries->items[i];
		struct xb_rootfs_entry *e;

		if (from->type == XB_TREE_SYMLINK && is_merged_dir(xb_sv(from->path)))
			continue;
		e = add_slot(rootfs);
		*e = (struct xb_rootfs_entry){.path = copy(rootfs, from->path),
					      .type = from->type,
					      .mode = from->type == XB_TREE_SYMLINK ? 0777 : from->mode,
					      .uid = from->type == XB_TREE_SYMLINK ? 0 : from->uid,
					      .gid = from->type == XB_TREE_SYMLINK ? 0 : from->gid,
					      .target = copy(rootfs, from->target),
					      .digest = from->digest,
					      .size_bytes = from->size_bytes,
					      .origin = shared_origin,
					      .layer = XB_LAYER_PACKAGES};
		if (from->type == XB_TREE_FILE)
			e->source = xb_arena_printf(&rootfs->arena, "%s/%s", dir, from->path);
	}
}

void xb_rootfs_merge_usr(struct xb_rootfs *rootfs)
{
	bool is_used[XB_COUNT(merged_dirs)] = {false};

	for (size_t i = 0; i < rootfs->len; i++) {
		struct xb_rootfs_entry *e = &rootfs->items[i];
		struct xb_sv rest = xb_sv(e->path);
		struct xb_sv top = xb_sv_cut(&rest, '/');

		if (is_merged_dir(top) && (rest.ptr || e->type == XB_TREE_DIR)) {
			e->path = xb_arena_printf(&rootfs->arena, "usr/%s", e->path);
			rest = xb_sv(e->path + strlen("usr/"));
			top = xb_sv("usr");
		}
		const struct xb_sv below = xb_sv_eq_str(top, "usr") && rest.ptr ? xb_sv_cut(&rest, '/') : xb_sv("");

		for (size_t k = 0; k < XB_COUNT(merged_dirs); k++)
			is_used[k] = is_used[k] || xb_sv_eq_str(below, merged_dirs[k]);
	}
	for (size_t k = 0; k < XB_COUNT(merged_dirs); k++) {
		if (!is_used[k])
			continue;
		*add_slot(rootfs) = (struct xb_rootfs_entry){
			.path = merged_dirs[k],
			.type = XB_TREE_SYMLINK,
			.mode = 0777,
			.target = xb_arena_printf(&rootfs->arena, "usr/%s", merged_dirs[k]),
			.origin = "merged /usr",
			.layer = XB_LAYER_PACKAGES,
		};
	}
}

/* Adds the directories above an entry that nobody added; one entry each, in the lowest layer that has use for it. */
static void add_parents(struct xb_rootfs *rootfs)
{
	struct xb_map known XB_CLEANUP(xb_map_release) = {0};
	const size_t n = rootfs->len;

	for (size_t i = 0; i < n; i++)
		xb_map_put_str(&known, rootfs->items[i].path, rootfs);
	for (size_t i = 0; i < n; i++) {
		const enum xb_layer_kind layer = rootfs->items[i].layer;
		struct xb_sv dir = xb_path_dir(xb_sv(rootfs->items[i].path));

		for (; dir.len && !xb_map_has(&known, dir); dir = xb_path_dir(dir)) {
			xb_map_put(&known, dir, rootfs);
			*add_slot(rootfs) = (struct xb_rootfs_entry){.path = xb_arena_sv(&rootfs->arena, dir),
								     .type = XB_TREE_DIR,
								     .mode = 0755,
								     .origin = "",
								     .layer = layer};
		}
	}
}

/* Order of two numbered entries: by path, then by layer, then as they were added. */
struct numbered {
	struct xb_rootfs_entry entry;
	size_t number;
};

static int compare(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;
	const int by_path = strcmp(x->entry.path, y->entry.path);

	if (by_path)
		return by_path;
	if (x->entry.layer != y->entry.layer)
		return x->entry.layer < y->entry.layer ? -1 : 1;
	return x->number < y->number ? -1 : 1;
}

static void sort_entries(struct xb_rootfs *rootfs)
{
	struct numbered *list = xb_alloc(rootfs->len * sizeof(*list));

	for (size_t i = 0; i < rootfs->len; i++)
		list[i] = (struct numbered){rootfs->items[i], i};
	qsort(list, rootfs->len, sizeof(*list), compare);
	for (size_t i = 0; i < rootfs->len; i++)
		rootfs->items[i] = list[i].entry;
	free(list);
}

static bool same_attributes(const struct xb_rootfs_entry *a, const struct xb_rootfs_entry *b)
{
	return a->mode == b->mode && a->uid == b->uid && a->gid == b->gid;
}

static bool same_entry(const struct xb_rootfs_entry *a, const struct xb_rootfs_entry *b)
{
	if (a->type != b->type || !same_attributes(a, b))
		return false;
	if (a->type == XB_TREE_SYMLINK)
		return strcmp(a->target, b->target) == 0;
	return xb_digest_eq(&a->digest, &b->digest) && a->size_bytes == b->size_bytes;
}

static const char *origin_of(const struct xb_rootfs_entry *entry)
{
	return entry->origin[0] ? entry->origin : "the directory above another file";
}

/* `later` has the path of `kept`, which comes before it in layer order. */
static int join(struct xb_rootfs_entry *kept, const struct xb_rootfs_entry *later, struct xb_err *err)
{
	if (kept->type == XB_TREE_DIR && later->type == XB_TREE_DIR) {
		const enum xb_layer_kind lowest = kept->layer;

		/* Unchanged attributes need no second entry in the upper layer. */
		if (same_attributes(kept, later) || !later->origin[0])
			return 0;
		*kept = *later;
		kept->layer = later->layer > lowest ? later->layer : lowest;
		return 0;
	}
	if (same_entry(kept, later))
		return 0;
	const bool gives_way =
		(kept->layer == XB_LAYER_BASE && later->layer != XB_LAYER_BASE) || (kept->yields && !later->yields);

	if (gives_way && kept->type != XB_TREE_DIR && later->type != XB_TREE_DIR) {
		*kept = *later;
		return 0;
	}
	xb_fail(err, XB_E_VERIFY, "'/%s' would come from both %s and %s, and they differ", kept->path, origin_of(kept),
		origin_of(later));
	return xb_hint(err, "give the file another destination in 'files:'");
}

static int join_equal_paths(struct xb_rootfs *rootfs, struct xb_err *err)
{
	size_t n = 0;

	for (size_t i = 0; i < rootfs->len; i++) {
		if (n && strcmp(rootfs->items[n - 1].path, rootfs->items[i].path) == 0) {
			if (join(&rootfs->items[n - 1], &rootfs->items[i], err) < 0)
				return err->code;
			continue;
		}
		rootfs->items[n++] = rootfs->items[i];
	}
	rootfs->len = n;
	return 0;
}

static int check_entry(const struct xb_rootfs *rootfs, const struct xb_rootfs_entry *e, struct xb_err *err)
{
	const struct xb_sv dir = xb_path_dir(xb_sv(e->path));
	struct xb_sv rest = xb_sv(e->path);

	if (!xb_path_is_safe(rest))
		return xb_fail(err, XB_E_VERIFY, "%s: '/%s' is no clean path for an image", origin_of(e), e->path);
	while (rest.ptr) {
		if (xb_sv_starts(xb_sv_cut(&rest, '/'), ".wh."))
			return xb_fail(err, XB_E_VERIFY,
				       "%s: '/%s': in a layer, names that start with '.wh.' mean a deletion",
				       origin_of(e), e->path);
	}
	if (!dir.len)
		return 0;
	char *parent XB_CLEANUP(xb_free_ptr) = xb_sv_dup(dir);
	const struct xb_rootfs_entry *above = xb_rootfs_find(rootfs, parent);

	if (above && above->type != XB_TREE_DIR)
		return xb_fail(err, XB_E_VERIFY, "'/%s' of %s would lie below '/%s', which is a %s of %s", e->path,
			       origin_of(e), parent, above->type == XB_TREE_SYMLINK ? "link" : "file",
			       origin_of(above));
	return 0;
}

int xb_rootfs_finish(struct xb_rootfs *rootfs, struct xb_err *err)
{
	add_parents(rootfs);
	sort_entries(rootfs);
	if (join_equal_paths(rootfs, err) < 0)
		return err->code;
	for (size_t i = 0; i < rootfs->len; i++) {
		if (check_entry(rootfs, &rootfs->items[i], err) < 0)
			return err->code;
	}
	return 0;
}

static int compare_path(const void *key, const void *item)
{
	return strcmp(key, ((const struct xb_rootfs_entry *)item)->path);
}

const struct xb_rootfs_entry *xb_rootfs_find(const struct xb_rootfs *rootfs, const char *path)
{
	if (!rootfs->len)
		return NULL;
	return bsearch(path, rootfs->items, rootfs->len, sizeof(*rootfs->items), compare_path);
}

const struct xb_rootfs_entry *xb_rootfs_resolve(const struct xb_rootfs *rootfs, const char *path)
{
	struct xb_str done XB_CLEANUP(xb_str_release) = {0};
	char *todo XB_CLEANUP(xb_free_ptr) = xb_strdup(path);
	struct xb_sv rest = xb_sv(todo);
	const struct xb_rootfs_entry *entry = NULL;
	int links = 0;

	while (rest.ptr) {
		const struct xb_sv part = xb_sv_cut(&rest, '/');
		const struct xb_sv parent = xb_path_dir(xb_str_sv(&done));

		if (!part.len || xb_sv_eq_str(part, "."))
			continue;
		if (entry && entry->type != XB_TREE_DIR)
			return NULL;
		if (xb_sv_eq_str(part, "..")) {
			char *up XB_CLEANUP(xb_free_ptr) = xb_sv_dup(parent);

			xb_str_reset(&done);
			xb_str_append(&done, up);
			entry = done.len ? xb_rootfs_find(rootfs, done.data) : NULL;
			continue;
		}
		const size_t here = done.len;

		xb_str_append(&done, here ? "/" : "");
		xb_str_append_sv(&done, part);
		entry = xb_rootfs_find(rootfs, done.data);
		if (!entry)
			return NULL;
		if (entry->type != XB_TREE_SYMLINK)
			continue;
		if (++links > MAX_LINKS)
			return NULL;
		char *next = rest.ptr ? xb_printf("%s/%.*s", entry->target, XB_SV_ARG(rest)) : xb_strdup(entry->target);

		done.len = entry->target[0] == '/' ? 0 : here;
		done.data[done.len] = '\0';
		free(todo);
		todo = next;
		rest = xb_sv(todo);
		entry = done.len ? xb_rootfs_find(rootfs, done.data) : NULL;
	}
	return entry;
}

void xb_rootfs_layer(const struct xb_rootfs *rootfs, enum xb_layer_kind kind, const struct xb_rootfs_entry ***out,
		     size_t *out_len)
{
	const struct xb_rootfs_entry **list = NULL;
	struct xb_map dirs XB_CLEANUP(xb_map_release) = {0};
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < rootfs->len; i++) {
		if (rootfs->items[i].layer != kind)
			continue;
		struct xb_sv dir = xb_path_dir(xb_sv(rootfs->items[i].path));

		for (; dir.len && !xb_map_has(&dirs, dir); dir = xb_path_dir(dir))
			xb_map_put(&dirs, dir, &dirs);
	}
	for (size_t i = 0; i < rootfs->len; i++) {
		const struct xb_rootfs_entry *e = &rootfs->items[i];

		if (e->layer != kind && !xb_map_has(&dirs, xb_sv(e->path)))
			continue;
		if (n == cap)
			list = xb_vec_grow(list, &cap, sizeof(*list));
		list[n++] = e;
	}
	*out = list;
	*out_len = n;
}

static void append_field(struct xb_str *out, const char *text)
{
	xb_str_append_n(out, text, strlen(text) + 1);
}

void xb_rootfs_digest(const char *version, const struct xb_rootfs_entry *const *entries, size_t len,
		      struct xb_digest *out)
{
	struct xb_str line XB_CLEANUP(xb_str_release) = {0};
	struct xb_hasher hasher;
	char hex[XB_DIGEST_HEX];

	xb_hasher_init(&hasher);
	append_field(&line, version);
	for (size_t i = 0; i < len; i++) {
		const struct xb_rootfs_entry *e = entries[i];

		append_field(&line, e->path);
		append_field(&line, e->target ? e->target : "");
		append_field(&line, xb_digest_hex(&e->digest, hex));
		xb_str_printf(&line, "%d %o %u %u %lld\n", (int)e->type, e->mode, e->uid, e->gid,
			      (long long)e->size_bytes);
		if (line.len > 65536 || i + 1 == len) {
			xb_hasher_update(&hasher, line.data, line.len);
			xb_str_reset(&line);
		}
	}
	if (line.len)
		xb_hasher_update(&hasher, line.data, line.len);
	xb_hasher_final(&hasher, out);
}
