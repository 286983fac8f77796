/* SPDX-License-Identifier: Apache-2.0 */
/* Tar of a layer: apko, pkg/build/tarball.go "walkFS" and layers.go "splitLayers". */
#include "apk_layers.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/num.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"
#include "xbuild/image/gzip.h"
#include "xbuild/pkg/go_tar.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fs.h"

#define MAX_STACK 256

/* A directory on the way to where the walk is. */
struct dir {
	const char *path; /* in the arena */
	const struct xb_apk_node *node;
};

struct stack {
	struct dir dirs[MAX_STACK];
	size_t len;
};

struct layer_writer {
	const struct xb_apk_image *image;
	const struct apk_groups *groups;
	size_t group;
	size_t *group_of; /* by package */
	const struct xb_layer_options *options;
	struct xb_gzip_writer *gz;
	struct xb_str header;
	struct xb_arena arena;
	struct stack main, own;		      /* where the walk is; directories that this layer has got */
	struct xb_map users, groups_of_users; /* number as text to name */
	struct xb_map links;		      /* address of a node as text to the path that it was written under */
};

static void release(struct layer_writer *w)
{
	xb_gzip_writer_free(w->gz);
	xb_str_release(&w->header);
	xb_arena_release(&w->arena);
	xb_map_release(&w->users);
	xb_map_release(&w->groups_of_users);
	xb_map_release(&w->links);
}

/* Names of uids or gids: the last line of a number counts. A file that is not as it should be has none. */
static void read_names(struct layer_writer *w, const char *path, struct xb_map *out)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_sv rest;

	if (xb_apk_root_read(&w->image->root, path, &text, &ignored) < 0)
		return;
	rest = xb_str_sv(&text);
	while (rest.len) {
		struct xb_sv line = xb_sv_trim(xb_sv_cut(&rest, '\n'));
		const struct xb_sv name = xb_sv_cut(&line, ':');
		uint64_t number;

		(void)xb_sv_cut(&line, ':');
		if (!xb_num_u64(xb_sv_cut(&line, ':'), UINT32_MAX, &number))
			return;
		xb_map_put_str(out, xb_arena_printf(&w->arena, "%llu", (unsigned long long)number),
			       xb_arena_sv(&w->arena, name));
	}
}

static const char *name_of(const struct xb_map *names, uint32_t number)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", number);
	return xb_map_get_str(names, text);
}

/* The path that a file with several names was written under, or NULL; then it is this one. */
static const char *first_path(struct layer_writer *w, const char *path, const struct xb_apk_node *node)
{
	char key[32];
	const char *first;

	if (node->type != XB_APK_FILE)
		return NULL;
	snprintf(key, sizeof(key), "%p", (const void *)node);
	first = xb_map_get_str(&w->links, key);
	if (!first)
		xb_map_put_str(&w->links, key, xb_arena_strdup(&w->arena, path));
	return first;
}

static int write_header(struct layer_writer *w, const char *path, const struct xb_apk_node *node, int64_t mtime,
			const char *link, struct xb_err *err)
{
	static const char types[] = {
		[XB_APK_FILE] = '0', [XB_APK_DIR] = '5', [XB_APK_SYMLINK] = '2', [XB_APK_DEVICE] = '3'};
	const bool has_xattrs = !link && (node->type == XB_APK_FILE || node->type == XB_APK_DIR);

	xb_str_reset(&w->header);
	xb_go_tar_header(&(struct xb_go_tar){.path = path,
					     .type = link ? '1' : types[node->type],
					     .mode = node->mode,
					     .uid = node->uid,
					     .gid = node->gid,
					     .size_bytes = link ? 0 : node->size_bytes,
					     .mtime = mtime,
					     .target = link ? link : node->target,
					     .uname = name_of(&w->users, node->uid),
					     .gname = name_of(&w->groups_of_users, node->gid),
					     .major = node->major,
					     .minor = node->minor,
					     .xattrs = has_xattrs ? node->xattrs : NULL,
					     .n_xattrs = has_xattrs ? node->n_xattrs : 0},
			 &w->header);
	return xb_gzip_writer_write(w->gz, w->header.data, w->header.len, err);
}

static int write_padding(struct layer_writer *w, int64_t size, struct xb_err *err)
{
	static const char zeros[2 * XB_GO_TAR_BLOCK];

	return xb_gzip_writer_write(w->gz, zeros, (size_t)(-(uint64_t)size % XB_GO_TAR_BLOCK), err);
}

static int write_text(struct layer_writer *w, struct xb_sv text, struct xb_err *err)
{
	if (text.len && xb_gzip_writer_write(w->gz, text.ptr, text.len, err) < 0)
		return err->code;
	return write_padding(w, (int64_t)text.len, err);
}

/* The blob has been verified when it came in; it is hashed once more, since it has been on disk. */
static int write_blob(struct layer_writer *w, const char *path, const struct xb_apk_node *node, struct xb_err *err)
{
	struct xb_hasher hasher XB_CLEANUP(xb_hasher_release) = {0};
	int fd XB_CLEANUP(xb_fs_close) = -1;
	int64_t left = node->size_bytes;
	struct xb_digest found;

	if (xb_cas_open(w->image->root.store, &node->digest, &fd, err) < 0)
		return xb_wrap(err, "read '/%s' of the base", path);
	xb_hasher_init(&hasher);
	while (left > 0) {
		void *room;
		size_t len;
		int64_t n;

		if (w->options->interrupted && *w->options->interrupted)
			return xb_fail(err, XB_E_INTERRUPTED, "interrupted while writing a layer");
		if (xb_gzip_writer_reserve(w->gz, &room, &len, err) < 0)
			return err->code;
		n = xb_fs_read_some(fd, room, (int64_t)len < left ? len : (size_t)left, path, err);
		if (n < 0)
			return err->code;
		if (n == 0)
			break;
		xb_hasher_update(&hasher, room, (size_t)n);
		xb_gzip_writer_advance(w->gz, (size_t)n);
		left -= n;
	}
	xb_hasher_final(&hasher, &found);
	if (left || !xb_digest_eq(&found, &node->digest))
		return xb_fail(err, XB_E_DIGEST, "read '/%s' of the base: its copy in the store is damaged", path);
	return write_padding(w, node->size_bytes, err);
}

/* Keeps the stack of directories above what is visited now. */
static int track(struct layer_writer *w, const char *path, const struct xb_apk_node *node, struct xb_err *err)
{
	const struct xb_sv dir = xb_path_dir(xb_sv(path));

	if (node->type != XB_APK_DIR)
		return 0;
	while (w->main.len && !xb_sv_eq_str(dir, w->main.dirs[w->main.len - 1].path))
		w->main.len--;
	if (w->main.len == MAX_STACK)
		return xb_fail(err, XB_E_VERIFY, "'/%s' is too deep", path);
	w->main.dirs[w->main.len++] = (struct dir){xb_arena_strdup(&w->arena, path), node};
	return 0;
}

/*
 * Directories that this layer has not got yet and the entry needs, with the time of the entry: so the layer does not
 * change when only another package touches the directory.
 */
static int align(struct layer_writer *w, const struct xb_apk_node *entry, int64_t mtime, struct xb_err *err)
{
	size_t i = 0;

	while (i < w->own.len && i < w->main.len && w->own.dirs[i].node == w->main.dirs[i].node)
		i++;
	w->own.len = i;
	for (; i < w->main.len; i++) {
		const struct dir *dir = &w->main.dirs[i];

		w->own.dirs[w->own.len++] = *dir;
		if (dir->node != entry && write_header(w, dir->path, dir->node, mtime, NULL, err) < 0)
			return err->code;
	}
	return 0;
}

/* A layer of packages has a database of its own packages, for those who look into layers one by one. */
static int write_own_database(struct layer_writer *w, const char *path, const struct xb_apk_node *node,
			      struct xb_err *err)
{
	const struct apk_group *group = &w->groups->items[w->group];
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_apk_node own = *node;

	for (size_t i = 0; i < group->len; i++)
		xb_str_append_sv(&text, xb_str_sv(&w->image->records[group->packages[i]]));
	own.size_bytes = (int64_t)text.len;
	if (align(w, node, node->mtime, err) < 0 || write_header(w, path, &own, node->mtime, NULL, err) < 0)
		return err->code;
	return write_text(w, xb_str_sv(&text), err);
}

static int visit(void *self, const char *path, struct xb_apk_node *node, struct xb_err *err)
{
	struct layer_writer *w = self;
	const size_t group =
		w->groups->len && node->package != XB_APK_NOBODY ? w->group_of[node->package] : w->groups->len;
	const char *link;

	if (track(w, path, node, err) < 0)
		return err->code;
	if (group == w->group) {
		link = first_path(w, path, node);
		if (align(w, node, node->mtime, err) < 0 || write_header(w, path, node, node->mtime, link, err) < 0)
			return err->code;
		if (node->type == XB_APK_FILE && !link)
			return node->in_memory ? write_text(w, xb_str_sv(&node->text), err)
					       : write_blob(w, path, node, err);
	} else if (w->group < w->groups->len && strcmp(path, XB_APK_INSTALLED) == 0) {
		return write_own_database(w, path, node, err);
	}
	return 0;
}

static int write_end(struct layer_writer *w, struct xb_err *err)
{
	static const char zeros[2 * XB_GO_TAR_BLOCK];

	return xb_gzip_writer_write(w->gz, zeros, sizeof(zeros), err);
}

int apk_layer_write(int fd, const struct xb_apk_image *image, const struct apk_groups *groups, size_t group,
		    const struct xb_layer_options *options, struct xb_layer *out, struct xb_err *err)
{
	struct layer_writer w XB_CLEANUP(release) = {
		.image = image, .groups = groups, .group = group, .options = options};
	struct xb_gzip_sum sum;

	w.group_of = xb_arena_array(&w.arena, image->n_packages, sizeof(*w.group_of));
	for (size_t i = 0; i < groups->len; i++) {
		for (size_t k = 0; k < groups->items[i].len; k++)
			w.group_of[groups->items[i].packages[k]] = i;
	}
	read_names(&w, "etc/passwd", &w.users);
	read_names(&w, "etc/group", &w.groups_of_users);
	if (xb_gzip_writer_open(fd, "layer", options->threads, XB_COMPRESSION_GZIP, &w.gz, err) < 0 ||
	    xb_apk_root_walk(&image->root, "", visit, &w, err) < 0 || write_end(&w, err) < 0 ||
	    xb_gzip_writer_finish(w.gz, &sum, err) < 0)
		return err->code;
	*out = (struct xb_layer){.kind = XB_LAYER_BASE,
				 .diff_id = sum.plain,
				 .blob = sum.packed,
				 .size_bytes = sum.packed_bytes,
				 .tar_bytes = sum.plain_bytes};
	return 0;
}
