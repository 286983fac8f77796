/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image_plan.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/base/path.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fs.h"

/* One `files:` entry on its way into the list. */
struct adding {
	struct image_run *run;
	const struct xb_image_file *file;
	const struct image_user *user;
	struct xb_rootfs *out;
	uint32_t uid, gid;
};

static int find_owner(const struct image_user *user, const char *owner, uint32_t *uid, uint32_t *gid,
		      struct xb_err *err)
{
	struct xb_sv rest = xb_sv(owner);
	uint64_t u, g;

	*uid = *gid = 0;
	if (!owner || strcmp(owner, "root") == 0)
		return 0;
	if (user->name && strcmp(owner, user->name) == 0) {
		*uid = user->uid;
		*gid = user->gid;
		return 0;
	}
	const struct xb_sv first = xb_sv_cut(&rest, ':');

	if (!xb_num_u64(first, UINT32_MAX - 1, &u) || !xb_num_u64(rest.ptr ? rest : first, UINT32_MAX - 1, &g)) {
		xb_fail(err, XB_E_INPUT, "owner '%s' is not known", owner);
		return xb_hint(err, "an owner is 'root', the name under 'user:', or numbers: 'uid' or 'uid:gid'");
	}
	*uid = (uint32_t)u;
	*gid = (uint32_t)g;
	return 0;
}

/* `output`: one of a unit that another build system made, or NULL. */
static const struct xb_built *find_built(const struct image_run *run, const struct xb_unit *unit, const char *output,
					 const struct xb_target *target)
{
	for (size_t i = 0; i < run->build.n_items; i++) {
		const struct xb_built *item = &run->build.items[i];

		if (item->unit == unit && item->target == target &&
		    (!output || (item->output && strcmp(item->output, output) == 0)))
			return &run->build.items[i];
	}
	return NULL;
}

/* A directory gets the search bit wherever the given mode lets read. */
static uint32_t directory_mode(uint32_t mode)
{
	return mode ? mode | ((mode & 0444) >> 2) : 0755;
}

static int add_regular(const struct adding *a, const char *from, const char *dest, struct xb_err *err)
{
	struct xb_file_state state;
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(a->run->app->project->dir, from);

	if (xb_statcache_get(a->run->files, from, &state, err) < 0)
		return err->code;
	xb_rootfs_add(a->out, &(struct xb_rootfs_entry){.path = dest,
							.type = XB_TREE_FILE,
							.mode = a->file->mode	   ? a->file->mode
								: state.executable ? 0755
										   : 0644,
							.uid = a->uid,
							.gid = a->gid,
							.source = path,
							.digest = state.digest,
							.size_bytes = (int64_t)state.size_bytes,
							.origin = from,
							.layer = XB_LAYER_APPLICATION});
	return 0;
}

static int add_link(const struct adding *a, const char *from, const char *dest, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(a->run->app->project->dir, from);
	char target[XB_MAX_PATH_BYTES + 1];
	const ssize_t n = readlink(path, target, sizeof(target));

	if (n < 0)
		return xb_fail_errno(err, "read the link '%s'", from);
	if (n == 0 || (size_t)n == sizeof(target))
		return xb_fail(err, XB_E_INPUT, "read the link '%s': expected at most %d bytes", from,
			       XB_MAX_PATH_BYTES);
	target[n] = '\0';
	xb_rootfs_add(a->out, &(struct xb_rootfs_entry){.path = dest,
							.type = XB_TREE_SYMLINK,
							.uid = a->uid,
							.gid = a->gid,
							.target = target,
							.origin = from,
							.layer = XB_LAYER_APPLICATION});
	return 0;
}

/* Links are kept as links: what they lead to is looked up in the image, not here. */
static int add_directory(const struct adding *a, const char *from, const char *dest, int depth, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(a->run->app->project->dir, from);
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};

	if (depth > XB_MAX_PATH_DEPTH)
		return xb_fail(err, XB_E_INPUT, "'%s' is more than %d directories deep", from, XB_MAX_PATH_DEPTH);
	if (dest[0])
		xb_rootfs_add(a->out, &(struct xb_rootfs_entry){.path = dest,
								.type = XB_TREE_DIR,
								.mode = directory_mode(a->file->mode),
								.uid = a->uid,
								.gid = a->gid,
								.origin = from,
								.layer = XB_LAYER_APPLICATION});
	if (xb_fs_list(path, &list, err) < 0)
		return err->code;
	for (size_t i = 0; i < list.len; i++) {
		const struct xb_fs_entry *e = &list.items[i];
		char *below XB_CLEANUP(xb_free_ptr) = xb_path_join(from, e->name);
		char *to XB_CLEANUP(xb_free_ptr) = xb_path_join(dest, e->name);
		int r;

		if (e->is_dir)
			r = add_directory(a, below, to, depth + 1, err);
		else if (e->is_link)
			r = add_link(a, below, to, err);
		else if (e->is_file)
			r = add_regular(a, below, to, err);
		else
			r = xb_fail(err, XB_E_INPUT, "'%s' is no file, directory or link", below);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_unit(const struct adding *a, const struct xb_target *target, struct xb_err *err)
{
	const struct xb_unit *unit = a->file->unit;
	const struct xb_built *built = find_built(a->run, unit, a->file->output, target);
	uint32_t mode = unit->kind == XB_UNIT_EXECUTABLE ? 0755 : 0644;

	if (!built) {
		xb_fail(err, XB_E_INPUT, "unit '%s' is not built for %s", unit->name, target->name);
		return xb_hint(err, "give the image 'targets:' for which all of its units are built");
	}
	if (built->is_directory)
		return add_directory(a, built->rel_path, a->file->dest + 1, 0, err);
	if (built->output)
		mode = built->executable ? 0755 : 0644;
	xb_rootfs_add(a->out, &(struct xb_rootfs_entry){
				      .path = a->file->dest + 1,
				      .type = XB_TREE_FILE,
				      .mode = a->file->mode ? a->file->mode : mode,
				      .uid = a->uid,
				      .gid = a->gid,
				      .source = built->path,
				      .digest = built->digest,
				      .size_bytes = (int64_t)built->size_bytes,
				      .origin = xb_arena_printf(&a->run->app->arena, "unit %s", unit->name),
				      .layer = unit->kind == XB_UNIT_SHARED ? XB_LAYER_LIBRARIES : XB_LAYER_APPLICATION,
			      });
	return 0;
}

static int add_path(const struct adding *a, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(a->run->app->project->dir, a->file->from);
	struct stat st;

	if (stat(path, &st) < 0)
		return xb_fail_errno(err, "read '%s'", a->file->from);
	if (S_ISDIR(st.st_mode))
		return add_directory(a, a->file->from, a->file->dest + 1, 0, err);
	return add_regular(a, a->file->from, a->file->dest + 1, err);
}

static int add_file(const struct adding *a, const struct xb_target *target, struct xb_err *err)
{
	if (a->file->unit)
		return add_unit(a, target, err);
	if (a->file->from)
		return add_path(a, err);
	xb_rootfs_add(a->out, &(struct xb_rootfs_entry){.path = a->file->dest + 1,
							.type = XB_TREE_SYMLINK,
							.uid = a->uid,
							.gid = a->gid,
							.target = a->file->link,
							.origin = "files:",
							.layer = XB_LAYER_APPLICATION});
	return 0;
}

const struct xb_rootfs_entry *image_find_entry(const struct xb_rootfs *rootfs, const char *path)
{
	for (size_t i = 0; i < rootfs->len; i++) {
		if (strcmp(rootfs->items[i].path, path) == 0)
			return &rootfs->items[i];
	}
	return NULL;
}

int image_add_text(struct image_run *run, struct xb_rootfs *out, const char *path, const struct xb_str *text,
		   enum xb_layer_kind layer, struct xb_err *err)
{
	struct xb_rootfs_entry e = {.path = path,
				    .type = XB_TREE_FILE,
				    .mode = 0644,
				    .size_bytes = (int64_t)text->len,
				    .origin = "made by xbuild",
				    .layer = layer,
				    .yields = layer == XB_LAYER_PACKAGES};

	if (xb_cas_put_bytes(run->app->store, text->data, text->len, &e.digest, err) < 0)
		return err->code;
	char *source XB_CLEANUP(xb_free_ptr) = xb_cas_path(run->app->store, &e.digest);

	e.source = source;
	xb_rootfs_add(out, &e);
	return 0;
}

void image_add_dir(struct xb_rootfs *out, const char *path, uint32_t mode, const struct image_user *owner,
		   enum xb_layer_kind layer)
{
	if (!path || !path[0] || !path[1] || image_find_entry(out, path + 1))
		return;
	xb_rootfs_add(out, &(struct xb_rootfs_entry){.path = path + 1,
						     .type = XB_TREE_DIR,
						     .mode = mode,
						     .uid = owner->uid,
						     .gid = owner->gid,
						     .origin = "made by xbuild",
						     .layer = layer});
}

/* True when a line of the text of /etc/passwd or /etc/group begins with this name. */
static bool has_name(struct xb_sv lines, const char *name)
{
	while (lines.ptr) {
		struct xb_sv line = xb_sv_cut(&lines, '\n');

		if (xb_sv_eq_str(xb_sv_cut(&line, ':'), name))
			return true;
	}
	return false;
}

/*
 * /etc/passwd or /etc/group: one that the project brings stays as it is, one of the base gets `line` when it does not know
 * `name` (NULL: nobody is added), and where there is none one is made, with root.
 */
static int add_account(struct image_run *run, struct xb_rootfs *out, const char *path, const char *root,
		       const char *name, const char *line, struct xb_err *err)
{
	const struct xb_rootfs_entry *there = image_find_entry(out, path);
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	if (there && (there->layer == XB_LAYER_APPLICATION || there->type != XB_TREE_FILE || !name))
		return 0;
	if (!there)
		xb_str_append(&text, root);
	else if (xb_fs_read(there->source, XB_MIB, &text, err) < 0)
		return xb_wrap(err, "read '/%s' of %s", path, there->origin);
	if (there && has_name(xb_str_sv(&text), name))
		return 0;
	if (text.len && text.data[text.len - 1] != '\n')
		xb_str_append_char(&text, '\n');
	if (name)
		xb_str_append(&text, line);
	return image_add_text(run, out, path, &text, XB_LAYER_APPLICATION, err);
}

static int add_users(struct image_run *run, const struct image_user *user, struct xb_rootfs *out, struct xb_err *err)
{
	char *passwd XB_CLEANUP(xb_free_ptr) = NULL, *group XB_CLEANUP(xb_free_ptr) = NULL;

	if (user->name) {
		passwd = xb_printf("%s:x:%u:%u:%s:/nonexistent:/usr/sbin/nologin\n", user->name, user->uid, user->gid,
				   user->name);
		group = xb_printf("%s:x:%u:\n", user->name, user->gid);
	}
	if (add_account(run, out, "etc/passwd", "root:x:0:0:root:/root:/usr/sbin/nologin\n", user->name, passwd, err) <
	    0)
		return err->code;
	return add_account(run, out, "etc/group", "root:x:0:\n", user->gid ? user->name : NULL, group, err);
}

/* Below a file's directory, or a directory that a package has, nothing needs to be made: see xb_rootfs_finish. */
static int add_made(struct image_run *run, const struct xb_image *image, const struct image_user *user,
		    struct xb_rootfs *out, struct xb_err *err)
{
	static const struct image_user root;

	if ((image->base == XB_BASE_AUTO || user->name) && add_users(run, user, out, err) < 0)
		return err->code;
	if (image->base == XB_BASE_AUTO)
		image_add_dir(out, "/tmp", 01777, &root, XB_LAYER_APPLICATION);
	image_add_dir(out, image->workdir, 0755, user, XB_LAYER_APPLICATION);
	for (size_t i = 0; i < image->volumes.len; i++)
		image_add_dir(out, image->volumes.items[i], 0755, user, XB_LAYER_APPLICATION);
	return 0;
}

int image_add_files(struct image_run *run, const struct xb_image *image, const struct image_part *part,
		    struct xb_rootfs *out, struct xb_err *err)
{
	for (size_t i = 0; i < image->n_files; i++) {
		const struct xb_image_file *file = &image->files[i];
		struct adding a = {.run = run, .file = file, .user = &part->user, .out = out};

		if (find_owner(a.user, file->owner, &a.uid, &a.gid, err) < 0 || add_file(&a, part->target, err) < 0)
			return xb_wrap(err, "%s:%d:%d: '%s'", file->at.file, file->at.line, file->at.col, file->dest);
	}
	return add_made(run, image, &part->user, out, err);
}
