/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "tree_stage.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"

static const char *const usr_aliases[] = {"bin", "sbin", "lib", "lib32", "lib64", "libo32", "libx32", NULL};

const char *const *xb_tree_usr_aliases(void)
{
	return usr_aliases;
}

/* One entry with its rank: the parts in the order given, the entries of a part in the order of the package. */
struct candidate {
	const struct xb_tree_entry *entry;
	size_t part;
	size_t rank;
};

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	const int order = strcmp(x->entry->path, y->entry->path);

	if (order)
		return order;
	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static bool is_usr_alias(const struct xb_tree_entry *entry)
{
	const char *target = entry->target;

	if (entry->type != XB_TREE_SYMLINK)
		return false;
	target += target[0] == '/';
	for (const char *const *alias = usr_aliases; *alias; alias++)
		if (strcmp(entry->path, *alias) == 0)
			return strncmp(target, "usr/", 4) == 0 && strcmp(target + 4, entry->path) == 0;
	return false;
}

static const char *type_name(enum xb_tree_type type)
{
	return type == XB_TREE_FILE ? "a file" : type == XB_TREE_DIR ? "a directory" : "a symlink";
}

static bool same(const struct xb_tree_entry *a, const struct xb_tree_entry *b)
{
	if (a->type == XB_TREE_SYMLINK)
		return strcmp(a->target, b->target) == 0;
	return a->mode == b->mode && a->uid == b->uid && a->gid == b->gid && a->size_bytes == b->size_bytes &&
	       xb_digest_eq(&a->digest, &b->digest);
}

/* Two entries of one path: replaces *kept where the later one is the better, or fails. */
static int resolve(struct candidate *kept, const struct candidate *next, struct xb_err *err)
{
	const struct xb_tree_entry *a = kept->entry, *b = next->entry;

	if (a->type == XB_TREE_DIR && b->type == XB_TREE_DIR)
		return 0;
	if (is_usr_alias(a) && b->type == XB_TREE_DIR)
		return 0;
	if (a->type == XB_TREE_DIR && is_usr_alias(b)) {
		*kept = *next;
		return 0;
	}
	if (kept->part == next->part)
		return xb_fail(err, XB_E_VERIFY, "package '%s': entry '%s' comes twice", a->origin, a->path);
	if (a->type != b->type)
		return xb_fail(err, XB_E_VERIFY, "'%s' is %s in package '%s' and %s in package '%s'", a->path,
			       type_name(a->type), a->origin, type_name(b->type), b->origin);
	if (!same(a, b))
		return xb_fail(err, XB_E_VERIFY, "packages '%s' and '%s' both have '%s', and they differ", a->origin,
			       b->origin, a->path);
	return 0;
}

static struct candidate *collect(struct xb_tree_part *const *parts, size_t n_parts, size_t *out_len)
{
	struct candidate *list;
	size_t len = 0;

	for (size_t p = 0; p < n_parts; p++)
		len += parts[p]->entries.len;
	list = xb_realloc_array(NULL, len, sizeof(*list));
	len = 0;
	for (size_t p = 0; p < n_parts; p++)
		for (size_t i = 0; i < parts[p]->entries.len; i++, len++)
			list[len] = (struct candidate){&parts[p]->entries.items[i], p, len};
	if (len)
		qsort(list, len, sizeof(*list), compare_candidates);
	*out_len = len;
	return list;
}

int xb_tree_merge(struct xb_tree_part *const *parts, size_t n_parts, struct xb_tree_entries *out, struct xb_err *err)
{
	size_t len;
	struct candidate *list XB_CLEANUP(xb_free_ptr) = collect(parts, n_parts, &len);
	struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};

	for (size_t i = 0; i < len;) {
		struct candidate kept = list[i];

		for (i++; i < len && strcmp(list[i].entry->path, kept.entry->path) == 0; i++)
			if (resolve(&kept, &list[i], err) < 0)
				return err->code;
		xb_tree_entries_add(&entries, kept.entry);
	}
	xb_tree_entries_complete(&entries);
	if (entries.len > XB_MAX_TREE_ENTRIES)
		return xb_fail(err, XB_E_VERIFY, "the tree has more than %d entries", XB_MAX_TREE_ENTRIES);
	*out = entries;
	entries = (struct xb_tree_entries){0};
	return 0;
}

/* Adds the directories above `path` that no entry among the first `len` (sorted) has, nearest last. */
static void add_parents(struct xb_tree_entries *entries, size_t len, struct xb_map *made, const char *path)
{
	const struct xb_tree_entries sorted = {.items = entries->items, .len = len};
	const struct xb_sv dir = xb_path_dir(xb_sv(path));
	struct xb_tree_entry entry = {.type = XB_TREE_DIR, .mode = 0755, .origin = ""};
	char *name XB_CLEANUP(xb_free_ptr) = NULL;

	if (!dir.len || xb_map_has(made, dir))
		return;
	name = xb_sv_dup(dir);
	xb_map_put(made, dir, entries);
	if (xb_tree_entries_find(&sorted, name))
		return;
	entry.path = name;
	xb_tree_entries_add(entries, &entry);
	add_parents(entries, len, made, name); /* at most XB_MAX_PATH_DEPTH deep */
}

void xb_tree_entries_complete(struct xb_tree_entries *entries)
{
	struct xb_map made XB_CLEANUP(xb_map_release) = {0};
	size_t len;

	xb_tree_entries_sort(entries);
	len = entries->len;
	for (size_t i = 0; i < len; i++)
		add_parents(entries, len, &made, entries->items[i].path);
	if (entries->len != len)
		xb_tree_entries_sort(entries);
}
