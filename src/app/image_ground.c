/* SPDX-License-Identifier: Apache-2.0 */
/* What an image stands on when that comes in layers, and who runs in it. */
#include <assert.h>
#include <string.h>

#include "image_plan.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/sys/fs.h"

int image_lay_ground(struct image_run *run, const struct xb_image *image, struct image_part *part,
		     struct xb_rootfs *out, struct xb_err *err)
{
	switch (image->base) {
	case XB_BASE_SCRATCH:
		return 0;
	case XB_BASE_AUTO:
	case XB_BASE_DEBIAN:
		return image_lay_list(run, image, part->target, out, err);
	case XB_BASE_APKO:
	case XB_BASE_IMAGE:
		break; /* refused when the project was read */
	}
	assert(false);
	return 0;
}

void image_ground_release(struct image_ground *ground)
{
	json_decref(ground->config);
	ground->config = NULL;
}

/* Field `number` (from 0) of the line of `name` in a text such as /etc/passwd; false when there is none. */
static bool find_field(struct xb_sv lines, const char *name, int number, uint64_t *out)
{
	while (lines.ptr) {
		struct xb_sv line = xb_sv_cut(&lines, '\n');
		struct xb_sv field = xb_sv_cut(&line, ':');

		if (!xb_sv_eq_str(field, name))
			continue;
		for (int i = 0; i < number && line.ptr; i++)
			field = xb_sv_cut(&line, ':');
		return xb_num_u64(field, UINT32_MAX, out);
	}
	return false;
}

/* The text of a file of the base; empty where there is none. */
static int read_base(const struct xb_rootfs *base, const char *path, struct xb_str *out, struct xb_err *err)
{
	for (size_t i = 0; i < base->len; i++) {
		const struct xb_rootfs_entry *e = &base->items[i];

		if (e->layer > XB_LAYER_PACKAGES || e->type != XB_TREE_FILE || strcmp(e->path, path) != 0)
			continue;
		return xb_fs_read(e->source, XB_MIB, out, err) < 0 ? xb_wrap(err, "read '/%s' of %s", path, e->origin)
								   : 0;
	}
	return 0;
}

/* "name", "uid", "name:group", "uid:gid": what is no number is looked up. */
static int find_base_user(const char *text, struct xb_sv passwd, struct xb_sv group, struct image_user *out,
			  struct xb_err *err)
{
	struct xb_sv rest = xb_sv(text);
	char *user XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_sv_cut(&rest, ':'));
	char *group_name XB_CLEANUP(xb_free_ptr) = rest.ptr ? xb_sv_dup(rest) : NULL;
	uint64_t uid = 0, gid = 0;

	if (!xb_num_u64(xb_sv(user), UINT32_MAX, &uid)) {
		if (!find_field(passwd, user, 2, &uid))
			return xb_fail(err, XB_E_VERIFY, "the base runs as '%s', whom its /etc/passwd does not know",
				       user);
		find_field(passwd, user, 3, &gid);
	}
	if (group_name && !xb_num_u64(xb_sv(group_name), UINT32_MAX, &gid) && !find_field(group, group_name, 2, &gid))
		return xb_fail(err, XB_E_VERIFY, "the base runs in group '%s', which its /etc/group does not know",
			       group_name);
	*out = (struct image_user){.given = true, .uid = (uint32_t)uid, .gid = (uint32_t)gid};
	return 0;
}

int image_find_user(const struct xb_image *image, const struct image_ground *ground, const struct xb_rootfs *base,
		    struct image_user *out, struct xb_err *err)
{
	struct xb_str passwd XB_CLEANUP(xb_str_release) = {0}, group XB_CLEANUP(xb_str_release) = {0};
	uint64_t uid, gid;

	if (read_base(base, "etc/passwd", &passwd, err) < 0 || read_base(base, "etc/group", &group, err) < 0)
		return err->code;
	if (image->uid < 0 && ground->user)
		return find_base_user(ground->user, xb_str_sv(&passwd), xb_str_sv(&group), out, err);
	*out = (struct image_user){
		.name = image->user_name,
		.given = image->uid >= 0,
		.uid = image->uid >= 0 ? (uint32_t)image->uid : 0,
		.gid = image->gid >= 0 ? (uint32_t)image->gid : 0,
	};
	if (image->uid_is_default && find_field(xb_str_sv(&passwd), image->user_name, 2, &uid) &&
	    find_field(xb_str_sv(&passwd), image->user_name, 3, &gid)) {
		out->uid = (uint32_t)uid;
		out->gid = (uint32_t)gid;
	}
	return 0;
}
