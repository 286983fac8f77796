/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/store/tree.h"
#include "xbuild/sys/fs.h"

static int refuse(const char *root, const char *path, const char *how, struct xb_err *err)
{
	return xb_fail(err, XB_E_DIGEST, "the unpacked tree '%s' is damaged: '%s' %s", root, path, how);
}

static int check_file(const char *root, const struct xb_tree_entry *entry, const char *full, const struct stat *st,
		      enum xb_tree_look look, struct xb_err *err)
{
	struct xb_digest found;

	if (!S_ISREG(st->st_mode) || st->st_size != entry->size_bytes)
		return refuse(root, entry->path, "is not the file that was unpacked", err);
	if (look == XB_TREE_LOOK_QUICK)
		return 0;
	if (!(st->st_mode & 0111) != !(entry->mode & 0111))
		return refuse(root, entry->path, "has another mode", err);
	if (xb_digest_file(full, &found, NULL, err) < 0)
		return err->code;
	return xb_digest_eq(&found, &entry->digest) ? 0 : refuse(root, entry->path, "has another content", err);
}

static int check_link(const char *root, const struct xb_tree_entry *entry, const char *full, struct xb_err *err)
{
	char target[XB_MAX_PATH_BYTES + 1];
	const ssize_t len = readlink(full, target, sizeof(target));

	if (len < 0 || !xb_sv_eq_str(xb_sv_n(target, (size_t)len), entry->target))
		return refuse(root, entry->path, "is not the link that was unpacked", err);
	return 0;
}

static int check_entry(const char *root, const struct xb_tree_entry *entry, enum xb_tree_look look, struct xb_err *err)
{
	char *full XB_CLEANUP(xb_free_ptr) = xb_path_join(root, entry->path);
	struct stat st;

	if (lstat(full, &st) < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return refuse(root, entry->path, "is missing", err);
		return xb_fail_errno(err, "look at '%s'", full);
	}
	if (entry->type == XB_TREE_FILE)
		return check_file(root, entry, full, &st, look, err);
	if (entry->type == XB_TREE_SYMLINK)
		return check_link(root, entry, full, err);
	return S_ISDIR(st.st_mode) ? 0 : refuse(root, entry->path, "is no directory", err);
}

/* A header that lies where none was is found by a compiler like any other. `dir` is "" for the root. */
static int check_nothing_more(const char *root, const struct xb_tree_entries *entries, const char *dir,
			      struct xb_err *err)
{
	char *full XB_CLEANUP(xb_free_ptr) = *dir ? xb_path_join(root, dir) : xb_strdup(root);
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};

	if (xb_fs_list(full, &list, err) < 0)
		return err->code;
	for (size_t i = 0; i < list.len; i++) {
		char *path XB_CLEANUP(xb_free_ptr) =
			*dir ? xb_path_join(dir, list.items[i].name) : xb_strdup(list.items[i].name);

		if (!xb_tree_entries_find(entries, path))
			return refuse(root, path, "does not belong there", err);
	}
	return 0;
}

int xb_tree_check(const char *root, const struct xb_digest *digest, enum xb_tree_look look, struct xb_err *err)
{
	char *manifest XB_CLEANUP(xb_free_ptr) = xb_printf("%.*s/manifest", XB_SV_ARG(xb_path_dir(xb_sv(root))));
	struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
	struct xb_err unread XB_CLEANUP(xb_err_release) = {0};

	if (xb_tree_read(manifest, digest, &entries, &unread) < 0) {
		if (unread.code == XB_E_NOT_FOUND)
			return xb_fail(err, XB_E_DIGEST, "the unpacked tree '%s' is damaged: its manifest is missing",
				       root);
		xb_err_move(err, &unread);
		return err->code;
	}
	for (size_t i = 0; i < entries.len; i++)
		if (check_entry(root, &entries.items[i], look, err) < 0)
			return err->code;
	if (look == XB_TREE_LOOK_QUICK)
		return 0;
	if (check_nothing_more(root, &entries, "", err) < 0)
		return err->code;
	for (size_t i = 0; i < entries.len; i++)
		if (entries.items[i].type == XB_TREE_DIR &&
		    check_nothing_more(root, &entries, entries.items[i].path, err) < 0)
			return err->code;
	return 0;
}

int xb_tree_blame(const char *root, const struct xb_digest *digest, enum xb_tree_look look, struct xb_err *err)
{
	struct xb_err damage XB_CLEANUP(xb_err_release) = {0};

	/* Anything else is no news about what failed. */
	if (!root || xb_tree_check(root, digest, look, &damage) != XB_E_DIGEST)
		return 0;
	xb_fail(err, XB_E_DIGEST, "%s", damage.msg);
	return xb_hint(err, "run 'xbuild fetch --verify': it finds all that is damaged and unpacks it again");
}
