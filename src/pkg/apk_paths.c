/* SPDX-License-Identifier: Apache-2.0 */
/* `paths` of apko.yaml: apko, pkg/build/paths.go. */
#include <string.h>

#include "apk_steps.h"
#include "xbuild/base/path.h"

static void set_rights(const struct xb_apko_path *path, struct xb_apk_node *node)
{
	node->mode = path->permissions;
	if (path->uid < 0 && path->gid < 0)
		return;
	node->uid = path->uid < 0 ? 0 : (uint32_t)path->uid;
	node->gid = path->gid < 0 ? 0 : (uint32_t)path->gid;
}

struct rights {
	const struct xb_apk_root *root;
	const struct xb_apko_path *path;
};

/* Links are followed, as chmod does; one that leads nowhere has no rights to set. */
static int visit(void *self, const char *path, struct xb_apk_node *node, struct xb_err *err)
{
	const struct rights *rights = self;
	struct xb_apk_node *target = node->type == XB_APK_SYMLINK ? xb_apk_root_find(rights->root, path) : node;

	(void)err;
	if (target)
		set_rights(rights->path, target);
	return 0;
}

static int apply_rights(struct xb_apk_root *root, const struct xb_apko_path *path, struct xb_err *err)
{
	struct rights rights = {root, path};
	struct xb_apk_node *node = xb_apk_root_find(root, path->path);
	const bool is_link = path->type == XB_APKO_PATH_SYMLINK || path->type == XB_APKO_PATH_HARDLINK;

	/* The rights of what a link leads to are not the link's to take away. */
	if (is_link && !path->permissions)
		return 0;
	if (!node)
		return xb_fail(err, XB_E_INPUT, "there is no such file in the image");
	set_rights(path, node);
	return path->recursive ? xb_apk_root_walk(root, path->path, visit, &rights, err) : 0;
}

static int make_parent(struct xb_apk_image *image, const char *path, struct xb_err *err)
{
	return xb_apk_root_mkdirs(&image->root, xb_arena_sv(&image->arena, xb_path_dir(xb_sv(path))), 0755, NULL, err);
}

static int make_hard_link(struct xb_apk_image *image, const struct xb_apko_path *path, struct xb_err *err)
{
	struct xb_apk_node *node = xb_apk_root_find(&image->root, path->source);

	if (!node || node->type == XB_APK_DIR)
		return xb_fail(err, XB_E_INPUT, "its source '%s' is no file of the image", path->source);
	return xb_apk_root_link(&image->root, node, path->path, true, err);
}

static int make_path(struct xb_apk_image *image, const struct xb_apko_path *path, struct xb_err *err)
{
	struct xb_apk_root *root = &image->root;

	if (path->type == XB_APKO_PATH_PERMISSIONS)
		return 0;
	if (path->type == XB_APKO_PATH_DIRECTORY)
		return xb_apk_root_mkdirs(root, path->path, path->permissions, NULL, err);
	if (make_parent(image, path->path, err) < 0)
		return err->code;
	switch (path->type) {
	case XB_APKO_PATH_EMPTY_FILE:
		return xb_apk_root_write(root, path->path, xb_sv(""), 0644, err);
	case XB_APKO_PATH_HARDLINK:
		return make_hard_link(image, path, err);
	case XB_APKO_PATH_SYMLINK:
		return xb_apk_root_symlink(root, path->source, path->path, err);
	case XB_APKO_PATH_DIRECTORY:
	case XB_APKO_PATH_PERMISSIONS:
		break;
	}
	return 0;
}

int apk_paths(struct xb_apk_image *image, const struct xb_apko *config, struct xb_err *err)
{
	for (size_t i = 0; i < config->n_paths; i++) {
		const struct xb_apko_path *path = &config->paths[i];

		if (make_path(image, path, err) < 0 || apply_rights(&image->root, path, err) < 0)
			return xb_wrap(err, "path '%s' of %s", path->path, config->path);
	}
	return 0;
}
