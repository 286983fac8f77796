/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of this machine as a sysroot. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spec.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/pkg/fixup.h"
#include "xbuild/sys/fs.h"

#define BLOCK_BYTES (256 * 1024)
#define MAX_LEVELS  64

struct taking {
	const struct xb_list *drop; /* of the project */
	struct xb_tree_stage *stage;
	struct xb_tree_part *part;
	struct xb_tree_entries entries;
	char *block;
	int level;
};

static void taking_release(struct taking *t)
{
	xb_tree_entries_release(&t->entries);
	xb_tree_part_free(t->part);
	xb_tree_stage_close(t->stage);
	free(t->block);
}

static bool is_dropped(const struct xb_list *drop, const char *path)
{
	for (size_t i = 0; sysroot_foreign_drops[i]; i++)
		if (xb_path_glob(xb_sv(sysroot_foreign_drops[i]), xb_sv(path)))
			return true;
	for (size_t i = 0; i < drop->len; i++)
		if (xb_path_glob(xb_sv(drop->items[i]), xb_sv(path)))
			return true;
	return false;
}

int sysroot_put_right(struct xb_tree_entries *entries, const struct xb_list *drop, struct xb_err *err)
{
	static const char *const tops[] = {"usr", "lib", "include", NULL};
	const struct xb_fixup_known known = {.drop = drop};
	size_t len = 0;

	if (xb_fixup_strip_top(entries, tops, err) < 0)
		return err->code;
	for (size_t i = 0; i < entries->len; i++)
		if (!is_dropped(drop, entries->items[i].path))
			entries->items[len++] = entries->items[i];
	entries->len = len;
	if (xb_fixup_merge_usr(entries, err) < 0)
		return err->code;
	return xb_fixup_links(entries, XB_DANGLING_REFUSE_LIBRARIES, &known, err);
}

static int take_link(struct taking *t, const char *from, const char *path, struct xb_err *err)
{
	char target[XB_MAX_PATH_BYTES + 1];
	const ssize_t n = readlink(from, target, sizeof(target));

	if (n < 0)
		return xb_fail_errno(err, "read link '%s'", from);
	if ((size_t)n == sizeof(target))
		return xb_fail(err, XB_E_INPUT, "the link '%s' is longer than allowed", from);
	target[n] = '\0';
	return xb_tree_part_symlink(t->part, path, target, err);
}

static int take_file(struct taking *t, const char *from, const char *path, struct xb_err *err)
{
	int fd XB_CLEANUP(xb_fs_close) = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	int64_t n;

	if (fd < 0 || fstat(fd, &st) < 0) {
		xb_fail_errno(err, "open '%s'", from);
		return xb_hint(err, "what is not needed can be left out with 'drop:' of the sysroot");
	}
	if (!S_ISREG(st.st_mode))
		return xb_fail(err, XB_E_VERIFY, "'%s' is a device, fifo or socket", from);
	/* whoever copied the directory may have lost owners and other bits: only this one matters */
	if (xb_tree_part_file_begin(t->part, path, st.st_mode & 0100 ? 0755 : 0644, 0, 0, err) < 0)
		return err->code;
	while ((n = xb_fs_read_some(fd, t->block, BLOCK_BYTES, from, err)) > 0)
		if (xb_tree_part_file_write(t->part, t->block, (size_t)n, err) < 0)
			return err->code;
	return n < 0 ? err->code : xb_tree_part_file_end(t->part, err);
}

/* What is below `from`, which is `path` in the tree ("" for the root). */
static int take_directory(struct taking *t, const char *from, const char *path, struct xb_err *err)
{
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};
	int rc = 0;

	if (++t->level > MAX_LEVELS)
		return xb_fail(err, XB_E_INPUT, "'%s' is more than %d levels deep", from, MAX_LEVELS);
	if (xb_fs_list(from, &list, err) < 0) {
		if (err->code == XB_E_SYSTEM)
			xb_hint(err, "what is not needed can be left out with 'drop:' of the sysroot");
		return err->code;
	}
	for (size_t i = 0; i < list.len && rc == 0; i++) {
		const struct xb_fs_entry *entry = &list.items[i];
		char *sub_from XB_CLEANUP(xb_free_ptr) = xb_path_join(from, entry->name);
		char *sub XB_CLEANUP(xb_free_ptr) = path[0] ? xb_path_join(path, entry->name) : xb_strdup(entry->name);

		if (is_dropped(t->drop, sub))
			continue;
		if (entry->is_link) {
			rc = take_link(t, sub_from, sub, err);
		} else if (entry->is_dir) {
			rc = xb_tree_part_dir(t->part, sub, 0755, 0, 0, err);
			if (rc == 0)
				rc = take_directory(t, sub_from, sub, err);
		} else {
			rc = take_file(t, sub_from, sub, err);
		}
	}
	t->level--;
	return rc;
}

int xb_sysroot_take(struct xb_store *store, const struct xb_sysroot_desc *desc, const char *path,
		    const struct xb_digest *expected, struct xb_tree *out, struct xb_err *err)
{
	struct taking t XB_CLEANUP(taking_release) = {.drop = &desc->drop};
	struct xb_digest digest, recipe;
	uint64_t size;

	if (!xb_fs_is_dir(path))
		return xb_fail(err, XB_E_NOT_FOUND, "there is no directory '%s'", path);
	t.block = xb_alloc(BLOCK_BYTES);
	if (xb_tree_stage_open(store, &t.stage, err) < 0)
		return err->code;
	t.part = xb_tree_part_new(t.stage, desc->name);
	if (take_directory(&t, path, "", err) < 0 || xb_tree_merge(&t.part, 1, &t.entries, err) < 0 ||
	    sysroot_put_right(&t.entries, &desc->drop, err) < 0)
		return xb_wrap(err, "take '%s' as a sysroot", path);
	xb_tree_entries_complete(&t.entries);
	xb_tree_directory_digest(&t.entries, &digest, &size);
	if (expected && !xb_digest_eq(&digest, expected)) {
		xb_fail(err, XB_E_LOCK, "the directory '%s' is not what was locked", path);
		return xb_hint(err, "restore it, or take it as it is now with 'xbuild lock --update'");
	}
	sysroot_directory_recipe(&digest, &recipe);
	return xb_tree_commit(t.stage, &t.entries, &recipe, out, err);
}
