/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/store/tree.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tree_stage.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/base/path.h"
#include "xbuild/store/reapi.h"
#include "xbuild/sys/fs.h"

#define DIGEST_FILE_BYTES 128
#define NO_DIR		  SIZE_MAX

void xb_tree_entries_release(struct xb_tree_entries *entries)
{
	if (!entries)
		return;
	free(entries->items);
	xb_arena_release(&entries->arena);
	*entries = (struct xb_tree_entries){0};
}

struct xb_tree_entry *xb_tree_entries_add(struct xb_tree_entries *entries, const struct xb_tree_entry *entry)
{
	const char *last_origin = entries->len ? entries->items[entries->len - 1].origin : "";
	struct xb_tree_entry *added;

	if (entries->len == entries->cap)
		entries->items = xb_vec_grow(entries->items, &entries->cap, sizeof(*entries->items));
	added = &entries->items[entries->len++];
	*added = *entry;
	added->path = xb_arena_strdup(&entries->arena, entry->path);
	added->target = entry->target ? xb_arena_strdup(&entries->arena, entry->target) : NULL;
	/* Neighbours mostly come from one package. */
	if (!entry->origin || !entry->origin[0])
		added->origin = "";
	else if (strcmp(entry->origin, last_origin) == 0)
		added->origin = last_origin;
	else
		added->origin = xb_arena_strdup(&entries->arena, entry->origin);
	return added;
}

static int compare_entries(const void *a, const void *b)
{
	const struct xb_tree_entry *x = a, *y = b;

	return strcmp(x->path, y->path);
}

void xb_tree_entries_sort(struct xb_tree_entries *entries)
{
	if (entries->len)
		qsort(entries->items, entries->len, sizeof(*entries->items), compare_entries);
}

struct xb_tree_entry *xb_tree_entries_find(const struct xb_tree_entries *entries, const char *path)
{
	const struct xb_tree_entry key = {.path = path};

	if (!entries->len)
		return NULL;
	return bsearch(&key, entries->items, entries->len, sizeof(*entries->items), compare_entries);
}

/* One directory while its message is put together. Index 0 is the root. */
struct dir {
	size_t entry; /* index of its entry; NO_DIR for the root */
	struct xb_str files, symlinks;
	size_t first_child, last_child, next; /* directories in it, in the order of their names */
	struct xb_reapi_digest digest;
};

struct dirs {
	struct dir *items;
	size_t len;
	size_t *of_entry; /* entry index -> index in items */
};

static void dirs_release(struct dirs *dirs)
{
	for (size_t i = 0; i < dirs->len; i++) {
		xb_str_release(&dirs->items[i].files);
		xb_str_release(&dirs->items[i].symlinks);
	}
	free(dirs->items);
	free(dirs->of_entry);
}

static void dirs_init(struct dirs *dirs, const struct xb_tree_entries *entries)
{
	size_t len = 1;

	dirs->of_entry = xb_realloc_array(NULL, entries->len + 1, sizeof(*dirs->of_entry));
	for (size_t i = 0; i < entries->len; i++)
		len += entries->items[i].type == XB_TREE_DIR;
	dirs->items = xb_alloc(len * sizeof(*dirs->items));
	dirs->items[0] = (struct dir){.entry = NO_DIR, .first_child = NO_DIR, .last_child = NO_DIR, .next = NO_DIR};
	dirs->len = 1;
	for (size_t i = 0; i < entries->len; i++) {
		if (entries->items[i].type != XB_TREE_DIR)
			continue;
		dirs->of_entry[i] = dirs->len;
		dirs->items[dirs->len++] =
			(struct dir){.entry = i, .first_child = NO_DIR, .last_child = NO_DIR, .next = NO_DIR};
	}
}

/* The directory that holds a path. `near` is the one of the entry before: mostly it is the same. */
static size_t find_parent(const struct dirs *dirs, const struct xb_tree_entries *entries, const char *path, size_t near)
{
	const struct xb_sv parent = xb_path_dir(xb_sv(path));
	const struct xb_tree_entry *entry;
	char name[XB_MAX_PATH_BYTES + 1];

	if (!parent.len || parent.len >= sizeof(name))
		return 0;
	if (near && xb_sv_eq_str(parent, entries->items[dirs->items[near].entry].path))
		return near;
	memcpy(name, parent.ptr, parent.len);
	name[parent.len] = '\0';
	entry = xb_tree_entries_find(entries, name);
	if (!entry || entry->type != XB_TREE_DIR)
		return 0; /* a list that is not complete has no meaningful digest, but must not hurt */
	return dirs->of_entry[entry - entries->items];
}

static void add_node(struct dirs *dirs, const struct xb_tree_entry *entry, size_t index, size_t parent)
{
	const struct xb_sv name = xb_path_base(xb_sv(entry->path));
	struct dir *dir = &dirs->items[parent];

	if (entry->type == XB_TREE_FILE) {
		const struct xb_reapi_digest digest = {entry->digest, (uint64_t)entry->size_bytes};

		xb_reapi_file_node(&dir->files, name, &digest, (entry->mode & 0111) != 0);
	} else if (entry->type == XB_TREE_SYMLINK) {
		xb_reapi_symlink_node(&dir->symlinks, name, xb_sv(entry->target));
	} else {
		const size_t child = dirs->of_entry[index];

		if (dir->last_child == NO_DIR)
			dir->first_child = child;
		else
			dirs->items[dir->last_child].next = child;
		dir->last_child = child;
	}
}

void xb_tree_directory_digest(const struct xb_tree_entries *entries, struct xb_digest *out, uint64_t *out_size)
{
	struct dirs dirs XB_CLEANUP(dirs_release) = {0};
	size_t parent = 0;

	dirs_init(&dirs, entries);
	for (size_t i = 0; i < entries->len; i++) {
		parent = find_parent(&dirs, entries, entries->items[i].path, parent);
		add_node(&dirs, &entries->items[i], i, parent);
	}
	/* What lies in a directory sorts behind it, so that backwards every directory comes after all that it holds. */
	for (size_t i = dirs.len; i-- > 0;) {
		struct dir *dir = &dirs.items[i];

		for (size_t c = dir->first_child; c != NO_DIR; c = dirs.items[c].next)
			xb_reapi_directory_node(&dir->files,
						xb_path_base(xb_sv(entries->items[dirs.items[c].entry].path)),
						&dirs.items[c].digest);
		xb_str_append_sv(&dir->files, xb_str_sv(&dir->symlinks));
		xb_reapi_digest_of(&dir->files, &dir->digest);
	}
	*out = dirs.items[0].digest.hash;
	*out_size = dirs.items[0].digest.size_bytes;
}

void tree_manifest_write(const struct xb_tree_entries *entries, struct xb_str *out)
{
	for (size_t i = 0; i < entries->len; i++) {
		const struct xb_tree_entry *e = &entries->items[i];
		char hex[XB_DIGEST_HEX];

		if (e->type == XB_TREE_DIR)
			xb_str_printf(out, "d\t%04o\t%u\t%u\t%s\t%s\n", e->mode, e->uid, e->gid, e->origin, e->path);
		else if (e->type == XB_TREE_SYMLINK)
			xb_str_printf(out, "l\t%s\t%s\t%s\n", e->origin, e->path, e->target);
		else
			xb_str_printf(out, "f\t%04o\t%u\t%u\t%s\t%lld\t%s\t%s\n", e->mode, e->uid, e->gid,
				      xb_digest_hex(&e->digest, hex), (long long)e->size_bytes, e->origin, e->path);
	}
}

#define MAX_FIELDS 8

static bool parse_owner(const struct xb_sv *fields, struct xb_tree_entry *e)
{
	uint64_t uid, gid;

	if (!xb_num_octal(fields[1], 07777, &e->mode) || !xb_num_u64(fields[2], UINT32_MAX, &uid) ||
	    !xb_num_u64(fields[3], UINT32_MAX, &gid))
		return false;
	e->uid = (uint32_t)uid;
	e->gid = (uint32_t)gid;
	return true;
}

/* `line` is NUL-terminated text of the buffer; its tabs are replaced by NULs so that fields can be used in place. */
static bool parse_line(char *line, struct xb_tree_entry *e)
{
	struct xb_sv fields[MAX_FIELDS];
	size_t n = 0;
	uint64_t size_bytes;

	for (char *at = line; at && n < MAX_FIELDS; n++) {
		char *tab = strchr(at, '\t');

		if (tab)
			*tab++ = '\0';
		fields[n] = xb_sv(at);
		at = tab;
		if (at && n + 1 == MAX_FIELDS)
			return false;
	}
	*e = (struct xb_tree_entry){0};
	if (n == 6 && xb_sv_eq_str(fields[0], "d")) {
		e->type = XB_TREE_DIR;
	} else if (n == 4 && xb_sv_eq_str(fields[0], "l")) {
		e->type = XB_TREE_SYMLINK;
		e->mode = 0777;
		e->origin = fields[1].ptr;
		e->path = fields[2].ptr;
		e->target = fields[3].ptr;
		return true;
	} else if (n == 8 && xb_sv_eq_str(fields[0], "f")) {
		e->type = XB_TREE_FILE;
		if (!xb_digest_parse(fields[4], &e->digest) || !xb_num_u64(fields[5], INT64_MAX, &size_bytes))
			return false;
		e->size_bytes = (int64_t)size_bytes;
	} else {
		return false;
	}
	e->origin = fields[n - 2].ptr;
	e->path = fields[n - 1].ptr;
	return parse_owner(fields, e);
}

int xb_tree_manifest_read(const char *path, struct xb_tree_entries *out, struct xb_err *err)
{
	struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	size_t number = 1;

	if (xb_fs_read(path, XB_MAX_INDEX_TEXT_BYTES, &text, err) < 0)
		return err->code;
	/* Zeros are what a power cut leaves; they must not pass for an early end. */
	for (char *line = text.data; line < text.data + text.len; number++) {
		char *end = strchr(line, '\n');
		struct xb_tree_entry entry;

		if (end)
			*end = '\0';
		if (!end || !parse_line(line, &entry) || !xb_path_is_safe(xb_sv(entry.path)) ||
		    (entries.len && strcmp(entries.items[entries.len - 1].path, entry.path) >= 0))
			return xb_fail(err, XB_E_DIGEST, "read '%s': line %zu is damaged", path, number);
		xb_tree_entries_add(&entries, &entry);
		line = end + 1;
	}
	*out = entries;
	entries = (struct xb_tree_entries){0};
	return 0;
}

void xb_tree_release(struct xb_tree *tree)
{
	if (!tree)
		return;
	free(tree->dir);
	free(tree->manifest);
	*tree = (struct xb_tree){0};
}

/* "<sha256> <size>\n" */
static bool parse_digest_file(struct xb_sv text, struct xb_tree *tree)
{
	struct xb_sv number = text;
	const struct xb_sv hex = xb_sv_cut(&number, ' ');

	if (!number.len || number.ptr[number.len - 1] != '\n')
		return false;
	number.len--;
	return hex.len == XB_DIGEST_HEX - 1 && xb_digest_parse(hex, &tree->digest) &&
	       xb_num_u64(number, INT64_MAX, &tree->digest_size);
}

int xb_tree_read(const char *manifest, const struct xb_digest *digest, struct xb_tree_entries *out, struct xb_err *err)
{
	struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
	const struct xb_sv dir = xb_path_dir(xb_sv(manifest));
	struct xb_digest found;
	uint64_t size_bytes;
	int rc = xb_tree_manifest_read(manifest, &entries, err);

	if (rc == 0) {
		xb_tree_directory_digest(&entries, &found, &size_bytes);
		if (!xb_digest_eq(&found, digest))
			rc = xb_fail(err, XB_E_DIGEST, "read '%s': it is damaged: it lists another tree", manifest);
	}
	if (rc < 0)
		return xb_hint(err, "remove '%.*s': it is made again when it is needed", XB_SV_ARG(dir));
	*out = entries;
	entries = (struct xb_tree_entries){0};
	return 0;
}

int xb_tree_find(const struct xb_store *store, const struct xb_digest *recipe, struct xb_tree *out, struct xb_err *err)
{
	char hex[XB_DIGEST_HEX];
	char *dir XB_CLEANUP(xb_free_ptr) = xb_printf("%s/trees/%s", xb_store_dir(store), xb_digest_hex(recipe, hex));
	char *digest_path XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, "digest");
	char *root XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, "root");
	int fd XB_CLEANUP(xb_fs_close) = open(digest_path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	char text[DIGEST_FILE_BYTES];
	struct xb_tree tree = {0};
	int64_t len = 0;

	if (fd < 0 && !xb_fs_exists(dir))
		return 0;
	if (fd >= 0)
		len = xb_fs_read_some(fd, text, sizeof(text), digest_path, err);
	if (len < 0)
		return (int)len;
	if (!parse_digest_file(xb_sv_n(text, (size_t)len), &tree) || !xb_fs_is_dir(root)) {
		xb_fail(err, XB_E_DIGEST, "the tree '%s' of the store is damaged", dir);
		return xb_hint(err, "remove that directory: it is made again when it is needed");
	}
	tree.dir = root;
	tree.manifest = xb_path_join(dir, "manifest");
	root = NULL;
	*out = tree;
	return 1;
}
