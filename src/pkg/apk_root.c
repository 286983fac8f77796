/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/pkg/apk_root.h"

#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fs.h"

#define MAX_LINKS      40 /* path_resolution(7) */
#define MAX_DEPTH      (2 * XB_MAX_PATH_DEPTH)
#define MAX_TEXT_BYTES (64 * XB_MIB)

struct xb_apk_node *xb_apk_root_new_node(struct xb_apk_root *root, enum xb_apk_type type)
{
	struct xb_apk_node *node = xb_arena_alloc(&root->arena, sizeof(*node));

	node->type = type;
	node->package = XB_APK_NOBODY;
	if (root->n_nodes == root->cap)
		root->nodes = xb_vec_grow(root->nodes, &root->cap, sizeof(struct xb_apk_node *));
	root->nodes[root->n_nodes++] = node;
	return node;
}

void xb_apk_root_init(struct xb_apk_root *root, struct xb_store *store)
{
	*root = (struct xb_apk_root){.store = store};
	root->top = xb_apk_root_new_node(root, XB_APK_DIR);
	root->top->mode = 0755;
}

void xb_apk_root_release(struct xb_apk_root *root)
{
	if (!root)
		return;
	for (size_t i = 0; i < root->n_nodes; i++) {
		xb_map_release(&root->nodes[i]->children);
		xb_str_release(&root->nodes[i]->text);
	}
	free(root->nodes);
	xb_arena_release(&root->arena);
	*root = (struct xb_apk_root){0};
}

/* Where a walk through names is: the directories from the top to the node that it has come to. */
struct cursor {
	struct xb_apk_root *root; /* to make directories in; NULL: only look */
	struct xb_apk_node *stack[MAX_DEPTH];
	size_t len;
	int n_links;
	uint32_t mode; /* of directories that are made */
};

static struct xb_apk_node *at(const struct cursor *c)
{
	return c->stack[c->len - 1];
}

static struct xb_apk_node *make_child(struct cursor *c, struct xb_sv name)
{
	struct xb_apk_node *child = xb_apk_root_new_node(c->root, XB_APK_DIR);

	child->mode = c->mode;
	xb_map_put(&at(c)->children, name, child);
	return child;
}

static bool walk_names(struct cursor *c, struct xb_sv path, bool follow_last, bool make);

/* One name further. */
static bool step(struct cursor *c, struct xb_sv name, bool follow, bool make)
{
	struct xb_apk_node *child;

	if (!name.len || xb_sv_eq_str(name, "."))
		return true;
	if (xb_sv_eq_str(name, "..")) {
		c->len -= c->len > 1;
		return true;
	}
	if (at(c)->type != XB_APK_DIR || c->len == MAX_DEPTH)
		return false;
	child = xb_map_get(&at(c)->children, name);
	if (!child && make)
		child = make_child(c, name);
	if (!child)
		return false;
	if (child->type != XB_APK_SYMLINK || !follow) {
		c->stack[c->len++] = child;
		return true;
	}
	if (++c->n_links > MAX_LINKS)
		return false;
	if (child->target[0] == '/')
		c->len = 1;
	return walk_names(c, xb_sv(child->target), true, false);
}

static bool walk_names(struct cursor *c, struct xb_sv path, bool follow_last, bool make)
{
	while (path.ptr) {
		const struct xb_sv name = xb_sv_cut(&path, '/');

		if (!step(c, name, follow_last || path.len, make))
			return false;
	}
	return true;
}

static struct xb_apk_node *find(const struct xb_apk_root *root, struct xb_sv path, bool follow_last)
{
	struct cursor c = {.stack = {root->top}, .len = 1};

	return walk_names(&c, path, follow_last, false) ? at(&c) : NULL;
}

struct xb_apk_node *xb_apk_root_find(const struct xb_apk_root *root, const char *path)
{
	return find(root, xb_sv(path), true);
}

struct xb_apk_node *xb_apk_root_find_link(const struct xb_apk_root *root, const char *path)
{
	return find(root, xb_sv(path), false);
}

int xb_apk_root_mkdirs(struct xb_apk_root *root, const char *path, uint32_t mode, struct xb_apk_node **out,
		       struct xb_err *err)
{
	struct cursor c = {.root = root, .stack = {root->top}, .len = 1, .mode = mode};

	if (!walk_names(&c, xb_sv(path), true, true) || at(&c)->type != XB_APK_DIR)
		return xb_fail(err, XB_E_VERIFY, "make directory '%s': something else is in its way", path);
	if (out)
		*out = at(&c);
	return 0;
}

/* The directory that a name is in. */
static int find_parent(const struct xb_apk_root *root, const char *path, struct xb_apk_node **out,
		       struct xb_sv *out_name, struct xb_err *err)
{
	struct xb_sv rest = xb_sv(path);

	while (rest.len && rest.ptr[rest.len - 1] == '/')
		rest.len--;
	*out_name = xb_path_base(rest);
	*out = find(root, xb_path_dir(rest), true);
	if (!out_name->len || xb_sv_eq_str(*out_name, ".") || xb_sv_eq_str(*out_name, ".."))
		return xb_fail(err, XB_E_VERIFY, "make '%s': that is no name", path);
	if (!*out || (*out)->type != XB_APK_DIR)
		return xb_fail(err, XB_E_VERIFY, "make '%s': there is no directory for it", path);
	return 0;
}

int xb_apk_root_link(struct xb_apk_root *root, struct xb_apk_node *node, const char *path, bool replace,
		     struct xb_err *err)
{
	struct xb_apk_node *parent;
	struct xb_sv name;

	if (find_parent(root, path, &parent, &name, err) < 0)
		return err->code;
	if (!replace && xb_map_get(&parent->children, name))
		return xb_fail(err, XB_E_VERIFY, "make '%s': it is there already", path);
	xb_map_put(&parent->children, name, node);
	return 0;
}

int xb_apk_root_add(struct xb_apk_root *root, const char *path, enum xb_apk_type type, struct xb_apk_node **out,
		    struct xb_err *err)
{
	struct xb_apk_node *parent, *node;
	struct xb_sv name;

	if (find_parent(root, path, &parent, &name, err) < 0)
		return err->code;
	if (xb_map_get(&parent->children, name))
		return xb_fail(err, XB_E_VERIFY, "make '%s': it is there already", path);
	node = xb_apk_root_new_node(root, type);
	node->mtime = parent->mtime;
	xb_map_put(&parent->children, name, node);
	*out = node;
	return 0;
}

int xb_apk_root_symlink(struct xb_apk_root *root, const char *target, const char *path, struct xb_err *err)
{
	struct xb_apk_node *node;

	if (xb_apk_root_add(root, path, XB_APK_SYMLINK, &node, err) < 0)
		return err->code;
	node->mode = 0777;
	node->target = xb_arena_strdup(&root->arena, target);
	return 0;
}

void xb_apk_root_remove(struct xb_apk_root *root, const char *path)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct xb_apk_node *parent;
	struct xb_sv name;

	if (find_parent(root, path, &parent, &name, &ignored) == 0)
		xb_map_put(&parent->children, name, NULL);
}

int xb_apk_root_write(struct xb_apk_root *root, const char *path, struct xb_sv text, uint32_t mode, struct xb_err *err)
{
	struct xb_apk_node *node = xb_apk_root_find(root, path);

	if (!node) {
		if (xb_apk_root_add(root, path, XB_APK_FILE, &node, err) < 0)
			return err->code;
		node->mode = mode;
		node->mtime = 0;
	}
	if (node->type != XB_APK_FILE)
		return xb_fail(err, XB_E_VERIFY, "write '%s': it is no file", path);
	xb_str_reset(&node->text);
	xb_str_append_sv(&node->text, text);
	node->in_memory = true;
	node->size_bytes = (int64_t)text.len;
	return 0;
}

int xb_apk_root_read(const struct xb_apk_root *root, const char *path, struct xb_str *out, struct xb_err *err)
{
	const struct xb_apk_node *node = xb_apk_root_find(root, path);
	char *blob XB_CLEANUP(xb_free_ptr) = NULL;

	if (!node || node->type != XB_APK_FILE)
		return xb_fail(err, XB_E_NOT_FOUND, "read '%s' of the image: there is no such file", path);
	if (node->in_memory) {
		xb_str_reset(out);
		xb_str_append_sv(out, xb_str_sv(&node->text));
		return 0;
	}
	blob = xb_cas_path(root->store, &node->digest);
	return xb_fs_read(blob, MAX_TEXT_BYTES, out, err) < 0 ? xb_wrap(err, "read '%s' of the image", path) : 0;
}

static int compare_entries(const void *a, const void *b)
{
	return strcmp((*(const struct xb_map_entry *const *)a)->key, (*(const struct xb_map_entry *const *)b)->key);
}

struct walker {
	xb_apk_visit_fn *visit;
	void *self;
	struct xb_str path;
};

static int walk_dir(struct walker *w, struct xb_apk_node *dir, int depth, struct xb_err *err)
{
	XB_VEC(struct xb_map_entry *) entries = {0};
	const size_t len = w->path.len;
	int r = 0;

	for (size_t i = 0; i < dir->children.len; i++) {
		if (dir->children.entries[i].value)
			XB_VEC_PUSH(&entries, &dir->children.entries[i]);
	}
	if (entries.len)
		qsort(entries.items, entries.len, sizeof(struct xb_map_entry *), compare_entries);
	for (size_t i = 0; i < entries.len && r >= 0; i++) {
		struct xb_apk_node *node = entries.items[i]->value;

		xb_str_printf(&w->path, "%s%s", len ? "/" : "", entries.items[i]->key);
		r = w->visit(w->self, xb_str_get(&w->path), node, err);
		if (r >= 0 && node->type == XB_APK_DIR)
			r = depth == MAX_DEPTH ? xb_fail(err, XB_E_VERIFY, "'%s' is too deep", xb_str_get(&w->path))
					       : walk_dir(w, node, depth + 1, err);
		w->path.len = len;
		w->path.data[len] = '\0';
	}
	XB_VEC_RELEASE(&entries);
	return r;
}

int xb_apk_root_walk(const struct xb_apk_root *root, const char *path, xb_apk_visit_fn *visit, void *self,
		     struct xb_err *err)
{
	struct walker w = {.visit = visit, .self = self};
	struct xb_apk_node *node = xb_apk_root_find(root, path);
	int r;

	if (!node || node->type != XB_APK_DIR)
		return node ? 0 : xb_fail(err, XB_E_VERIFY, "'%s' is not in the image", path);
	while (*path == '/')
		path++;
	xb_str_append(&w.path, path);
	while (w.path.len && w.path.data[w.path.len - 1] == '/')
		w.path.data[--w.path.len] = '\0';
	r = walk_dir(&w, node, 0, err);
	xb_str_release(&w.path);
	return r;
}
