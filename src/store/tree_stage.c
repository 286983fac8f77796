/* SPDX-License-Identifier: Apache-2.0 */
#include "tree_stage.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/fs.h"

/* OCI image-spec v1.1 layer.md "Whiteouts": in a layer such a name would delete files of lower layers. */
#define WHITEOUT_PREFIX ".wh."

char *tree_printable(const char *text)
{
	char *copy = xb_strdup(text);

	for (char *c = copy; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	return copy;
}

const char *tree_origin(const char *origin, char *buf, size_t size)
{
	if (!origin[0])
		return "xbuild";
	snprintf(buf, size, "package '%s'", origin);
	return buf;
}

static int refuse(const char *origin, const char *path, const char *what, struct xb_err *err)
{
	char *name XB_CLEANUP(xb_free_ptr) = tree_printable(path);
	char buf[XB_MAX_NAME_BYTES];

	return xb_fail(err, XB_E_VERIFY, "%s: entry '%s': %s", tree_origin(origin, buf, sizeof(buf)), name, what);
}

int tree_check_name(const char *path, const char *origin, struct xb_err *err)
{
	if (!xb_path_is_safe(xb_sv(path)))
		return refuse(origin, path,
			      "unsafe name: it is absolute, climbs, is empty, too long or has control bytes", err);
	for (struct xb_sv rest = xb_sv(path); rest.ptr;)
		if (xb_sv_starts(xb_sv_cut(&rest, '/'), WHITEOUT_PREFIX))
			return refuse(origin, path, "the name is a whiteout of image layers", err);
	return 0;
}

int tree_check_target(const char *path, const char *target, const char *origin, struct xb_err *err)
{
	const size_t len = strlen(target);

	if (!len || len > XB_MAX_PATH_BYTES)
		return refuse(origin, path, "the link target is empty or too long", err);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)target[i] < 0x20 || target[i] == 0x7f)
			return refuse(origin, path, "the link target has control bytes", err);
	return 0;
}

int xb_tree_stage_open(struct xb_store *store, struct xb_tree_stage **out, struct xb_err *err)
{
	char *dir XB_CLEANUP(xb_free_ptr) = xb_store_tmp(store);
	struct xb_tree_stage *stage;
	int fd;

	if (mkdir(dir, 0700) < 0)
		return xb_fail_errno(err, "create directory '%s'", dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		rmdir(dir);
		return xb_fail_errno(err, "open directory '%s'", dir);
	}
	stage = xb_alloc(sizeof(*stage));
	stage->store = store;
	stage->fd = fd;
	stage->dir = dir;
	dir = NULL;
	*out = stage;
	return 0;
}

void xb_tree_stage_close(struct xb_tree_stage *stage)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};

	if (!stage)
		return;
	xb_fs_close(&stage->fd);
	(void)!xb_fs_remove(stage->dir, &ignored); /* what stays is in this process's tmp directory */
	free(stage->dir);
	free(stage);
}

void xb_tree_stage_for_image(struct xb_tree_stage *stage)
{
	stage->for_image = true;
}

struct xb_tree_part *xb_tree_part_new(struct xb_tree_stage *stage, const char *origin)
{
	struct xb_tree_part *part = xb_alloc(sizeof(*part));

	part->stage = stage;
	part->origin = xb_arena_strdup(&part->arena, origin);
	part->fd = -1;
	return part;
}

void xb_tree_part_free(struct xb_tree_part *part)
{
	if (!part)
		return;
	xb_fs_close(&part->fd);
	xb_hasher_release(&part->hasher);
	xb_map_release(&part->by_path);
	XB_VEC_RELEASE(&part->entries);
	xb_arena_release(&part->arena);
	free(part);
}

/* Without a leading "./" and a trailing "/"; "." and "./" become empty. */
static struct xb_sv clean_name(const char *path)
{
	struct xb_sv name = xb_sv(path);

	if (xb_sv_starts(name, "./"))
		name = xb_sv_n(name.ptr + 2, name.len - 2);
	if (name.len && name.ptr[name.len - 1] == '/')
		name.len--;
	if (xb_sv_eq_str(name, "."))
		name.len = 0;
	return name;
}

static bool is_root(const char *path)
{
	return path[0] == '.' && (!path[1] || (path[1] == '/' && !path[2]));
}

/* A new last entry with its name checked. NULL on failure. */
static struct xb_tree_entry *add_entry(struct xb_tree_part *part, const char *path, enum xb_tree_type type,
				       struct xb_err *err)
{
	char *name = xb_arena_sv(&part->arena, clean_name(path));
	struct xb_tree_entry *entry;

	assert(part->fd < 0);
	if (tree_check_name(name, part->origin, err) < 0)
		return NULL;
	if (atomic_fetch_add(&part->stage->n_entries, 1) >= XB_MAX_TREE_ENTRIES) {
		xb_fail(err, XB_E_VERIFY, "package '%s': the tree has more than %d entries", part->origin,
			XB_MAX_TREE_ENTRIES);
		return NULL;
	}
	entry = XB_VEC_ADD(&part->entries);
	entry->path = name;
	entry->type = type;
	entry->origin = part->origin;
	return entry;
}

int xb_tree_part_dir(struct xb_tree_part *part, const char *path, uint32_t mode, uint32_t uid, uint32_t gid,
		     struct xb_err *err)
{
	struct xb_tree_entry *entry;

	if (is_root(path))
		return 0;
	entry = add_entry(part, path, XB_TREE_DIR, err);
	if (!entry)
		return err->code;
	/* the sticky bit of tmp is no set-id bit */
	entry->mode = mode & (part->stage->for_image ? 07777 : 01777);
	entry->uid = uid;
	entry->gid = gid;
	return 0;
}

int xb_tree_part_symlink(struct xb_tree_part *part, const char *path, const char *target, struct xb_err *err)
{
	struct xb_tree_entry *entry = add_entry(part, path, XB_TREE_SYMLINK, err);

	if (!entry || tree_check_target(entry->path, target, part->origin, err) < 0)
		return err->code;
	entry->target = xb_arena_strdup(&part->arena, target);
	entry->mode = 0777;
	return 0;
}

/* The entry of a path among those of the part. The table is made when the first hard link asks: few packages have any. */
static const struct xb_tree_entry *find_earlier(struct xb_tree_part *part, struct xb_sv name)
{
	uintptr_t index;

	for (; part->mapped < part->entries.len; part->mapped++)
		xb_map_put_str(&part->by_path, part->entries.items[part->mapped].path, (void *)(part->mapped + 1));
	index = (uintptr_t)xb_map_get(&part->by_path, name);
	return index ? &part->entries.items[index - 1] : NULL;
}

int xb_tree_part_hardlink(struct xb_tree_part *part, const char *path, const char *target, struct xb_err *err)
{
	const struct xb_tree_entry *earlier = find_earlier(part, clean_name(target));
	struct xb_tree_entry copy, *entry;
	const char *name;

	if (!earlier || earlier->type != XB_TREE_FILE)
		return refuse(part->origin, path, "hard link to something that is no earlier file of the package", err);
	copy = *earlier; /* adding may move the entries */
	entry = add_entry(part, path, XB_TREE_FILE, err);
	if (!entry)
		return err->code;
	name = entry->path;
	*entry = copy;
	entry->path = name;
	return 0;
}

static int create_staged(struct xb_tree_stage *stage, uint32_t *out_number, int *out_fd, struct xb_err *err)
{
	const uint32_t number = atomic_fetch_add(&stage->next, 1);
	char name[STAGED_NAME_BYTES];
	int fd;

	snprintf(name, sizeof(name), "%u", number);
	fd = openat(stage->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return xb_fail_errno(err, "create '%s/%s'", stage->dir, name);
	*out_number = number;
	*out_fd = fd;
	return 0;
}

/* close() reports a full disk on network file systems. */
static int close_staged(struct xb_tree_stage *stage, int *fd, struct xb_err *err)
{
	const int number = *fd;

	*fd = -1;
	if (close(number) < 0 && errno != EINTR)
		return xb_fail_errno(err, "write a file in '%s'", stage->dir);
	return 0;
}

int xb_tree_part_file_begin(struct xb_tree_part *part, const char *path, uint32_t mode, uint32_t uid, uint32_t gid,
			    struct xb_err *err)
{
	struct xb_tree_entry *entry = add_entry(part, path, XB_TREE_FILE, err);

	if (!entry)
		return err->code;
	entry->mode = mode & (part->stage->for_image ? 07777 : 0777);
	entry->uid = uid;
	entry->gid = gid;
	if (create_staged(part->stage, &entry->staged, &part->fd, err) < 0)
		return err->code;
	xb_hasher_init(&part->hasher);
	return 0;
}

int xb_tree_part_file_write(struct xb_tree_part *part, const void *data, size_t len, struct xb_err *err)
{
	struct xb_tree_entry *entry = &part->entries.items[part->entries.len - 1];

	assert(part->fd >= 0);
	if (xb_store_is_interrupted(part->stage->store))
		return xb_fail(err, XB_E_INTERRUPTED, "interrupted while package '%s' was unpacked", part->origin);
	if (atomic_fetch_add(&part->stage->content_bytes, len) + len > (unsigned long long)XB_MAX_TREE_BYTES)
		return refuse(part->origin, entry->path, "the files of the tree are too large in all", err);
	if (xb_fs_write_all(part->fd, data, len, entry->path, err) < 0)
		return xb_wrap(err, "unpack package '%s'", part->origin);
	xb_hasher_update(&part->hasher, data, len);
	entry->size_bytes += (int64_t)len;
	return 0;
}

int xb_tree_part_file_end(struct xb_tree_part *part, struct xb_err *err)
{
	struct xb_tree_entry *entry = &part->entries.items[part->entries.len - 1];

	xb_hasher_final(&part->hasher, &entry->digest);
	return close_staged(part->stage, &part->fd, err);
}

char *xb_tree_staged_path(const struct xb_tree_stage *stage, uint32_t staged)
{
	return xb_printf("%s/%u", stage->dir, staged);
}
