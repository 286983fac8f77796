/* SPDX-License-Identifier: Apache-2.0 */
/* Images with a list of Debian packages: their files, accounts and certificates. */
#include <stdlib.h>
#include <string.h>

#include "image_lists.h"
#include "image_plan.h"
#include "xbuild/app/provision.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fs.h"

#define NO_HOME "/nonexistent" /* Debian Policy 9.2.3 */

/* As the script update-ca-certificates finds and joins them, all being trusted. */
#define BUNDLE	     "etc/ssl/certs/ca-certificates.crt"
#define CERTIFICATES "usr/share/ca-certificates/"
#define OWN_TRUSTED  "usr/local/share/ca-certificates/"

const struct xb_lock_packages *image_list(const struct image_run *run, const struct xb_image *image,
					  const struct xb_target *target)
{
	static const struct xb_lock_packages nothing = {0};
	const struct xb_lock_image *list =
		image_list_desc(run->app, image) ? xb_lock_image(run->app->lock, image->name, target->name) : NULL;

	return list ? &list->packages : &nothing;
}

static void drop_entries(const struct xb_list *drop, struct xb_tree_entries *entries)
{
	size_t n = 0;

	for (size_t i = 0; i < entries->len; i++) {
		size_t k = 0;

		while (k < drop->len && !xb_path_glob(xb_sv(drop->items[k]), xb_sv(entries->items[i].path)))
			k++;
		if (k == drop->len)
			entries->items[n++] = entries->items[i];
	}
	entries->len = n;
}

static int add_package(struct image_run *run, const struct xb_image_desc *desc, const struct xb_want *want,
		       struct xb_rootfs *out, struct xb_err *err)
{
	struct xb_tree tree XB_CLEANUP(xb_tree_release) = {0};
	struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
	char *origin XB_CLEANUP(xb_free_ptr) = xb_printf("package %s", want->package);
	const size_t first = out->len;

	if (xb_provision_package(run->app, want, &tree, err) < 0)
		return err->code;
	image_note_tree(run, tree.dir, &tree.digest);
	if (xb_tree_read(tree.manifest, &tree.digest, &entries, err) < 0)
		return err->code;
	drop_entries(&desc->drop, &entries);
	xb_rootfs_add_tree(out, &entries, tree.dir, origin);
	for (size_t i = first; i < out->len; i++)
		out->items[i].yields = true;
	return 0;
}

static int add_list(struct image_run *run, const struct xb_image *image, const struct xb_target *target,
		    struct xb_rootfs *out, struct xb_err *err)
{
	const struct xb_lock_packages *list = image_list(run, image, target);
	struct xb_want *wants XB_CLEANUP(xb_free_ptr) = xb_alloc((list->len + 1) * sizeof(*wants));

	for (size_t i = 0; i < list->len; i++)
		wants[i] = (struct xb_want){.kind = XB_WANT_PACKAGE,
					    .name = target->name,
					    .package = list->items[i].name,
					    .image = image->name};
	/* One call for all, so that what is missing comes in parallel. */
	if (list->len && xb_provision(run->app, wants, list->len, err) < 0)
		return err->code;
	for (size_t i = 0; i < list->len; i++) {
		if (add_package(run, image_list_desc(run->app, image), &wants[i], out, err) < 0)
			return image_wrap(err, "add package", wants[i].package);
	}
	return 0;
}

/* ---- who is in /etc/passwd ---- */

static int add_accounts(struct image_run *run, const struct xb_image_desc *desc, struct xb_rootfs *out,
			struct xb_err *err)
{
	struct xb_str passwd XB_CLEANUP(xb_str_release) = {0}, group XB_CLEANUP(xb_str_release) = {0};

	for (size_t i = 0; i < desc->n_users; i++) {
		const struct xb_image_account *a = &desc->users[i];

		xb_str_printf(&passwd, "%s:x:%u:%u:%s:%s:/usr/sbin/nologin\n", a->name, a->uid, a->gid, a->name,
			      a->home);
		xb_str_printf(&group, "%s:x:%u:\n", a->name, a->gid);
	}
	for (size_t i = 0; i < desc->n_groups; i++)
		xb_str_printf(&group, "%s:x:%u:\n", desc->groups[i].name, desc->groups[i].gid);
	if (!image_find_entry(out, "etc/passwd") &&
	    image_add_text(run, out, "etc/passwd", &passwd, XB_LAYER_PACKAGES, err) < 0)
		return err->code;
	if (!image_find_entry(out, "etc/group") &&
	    image_add_text(run, out, "etc/group", &group, XB_LAYER_PACKAGES, err) < 0)
		return err->code;
	return 0;
}

static void add_homes(const struct xb_image_desc *desc, struct xb_rootfs *out)
{
	for (size_t i = 0; i < desc->n_users; i++) {
		const struct xb_image_account *a = &desc->users[i];
		const struct image_user owner = {.name = a->name, .uid = a->uid, .gid = a->gid};

		if (strcmp(a->home, NO_HOME) != 0)
			image_add_dir(out, a->home, 0700, &owner, XB_LAYER_PACKAGES);
	}
}

int image_lay_list(struct image_run *run, const struct xb_image *image, const struct xb_target *target,
		   struct xb_rootfs *out, struct xb_err *err)
{
	static const struct image_user root;
	const struct xb_image_desc *desc = image_list_desc(run->app, image);

	if (add_list(run, image, target, out, err) < 0)
		return err->code;
	if (!desc || image->base != XB_BASE_DEBIAN)
		return 0;
	image_add_dir(out, "/tmp", 01777, &root, XB_LAYER_PACKAGES);
	add_homes(desc, out);
	return add_accounts(run, desc, out, err);
}

/* ---- certificates ---- */

static int compare_paths(const void *a, const void *b)
{
	return strcmp((*(const struct xb_rootfs_entry *const *)a)->path,
		      (*(const struct xb_rootfs_entry *const *)b)->path);
}

/* Those below `dir`, sorted by path. The array is the caller's. */
static const struct xb_rootfs_entry **find_certificates(const struct xb_rootfs *rootfs, const char *dir,
							size_t *out_len)
{
	const struct xb_rootfs_entry **list = xb_alloc((rootfs->len + 1) * sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < rootfs->len; i++) {
		const struct xb_rootfs_entry *e = &rootfs->items[i];

		if (e->type == XB_TREE_FILE && xb_sv_starts(xb_sv(e->path), dir) && xb_sv_ends(xb_sv(e->path), ".crt"))
			list[n++] = e;
	}
	qsort(list, n, sizeof(*list), compare_paths);
	*out_len = n;
	return list;
}

static int append_certificates(const struct xb_rootfs *rootfs, const char *dir, struct xb_str *bundle,
			       struct xb_err *err)
{
	size_t len;
	const struct xb_rootfs_entry **list = find_certificates(rootfs, dir, &len);
	int r = 0;

	for (size_t i = 0; i < len && r == 0; i++) {
		struct xb_str text XB_CLEANUP(xb_str_release) = {0};

		/* of two with one path the later one is the project's own, which stays */
		if (i + 1 < len && strcmp(list[i]->path, list[i + 1]->path) == 0)
			continue;
		r = xb_fs_read(list[i]->source, XB_MIB, &text, err);
		xb_str_append_sv(bundle, xb_str_sv(&text));
		if (text.len && text.data[text.len - 1] != '\n')
			xb_str_append_char(bundle, '\n');
	}
	free(list);
	return r;
}

int image_add_certificates(struct image_run *run, struct xb_rootfs *out, struct xb_err *err)
{
	struct xb_str bundle XB_CLEANUP(xb_str_release) = {0};

	if (append_certificates(out, CERTIFICATES, &bundle, err) < 0)
		return xb_wrap(err, "make '/%s'", BUNDLE);
	if (!bundle.len)
		return 0;
	if (append_certificates(out, OWN_TRUSTED, &bundle, err) < 0)
		return xb_wrap(err, "make '/%s'", BUNDLE);
	return image_find_entry(out, BUNDLE) ? 0 : image_add_text(run, out, BUNDLE, &bundle, XB_LAYER_PACKAGES, err);
}

bool image_has_certificates(const struct xb_rootfs *rootfs)
{
	const struct xb_rootfs_entry *e = xb_rootfs_find(rootfs, BUNDLE);

	return e && e->layer == XB_LAYER_PACKAGES;
}
