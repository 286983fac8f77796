/* SPDX-License-Identifier: Apache-2.0 */
/* Links to busybox and the cache of the dynamic loader: apko, pkg/build/busybox.go and internal/ldso-cache. */
#include <string.h>

#include "apk_steps.h"
#include "ldso_cache.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"
#include "xbuild/model/elf.h"
#include "xbuild/store/cas.h"

#define BUSYBOX	    "/bin/busybox"
#define LOADER_CONF "etc/ld.so.conf"
#define ET_DYN	    3
#define MAX_NESTING 8

/* The package itself, else the last that provides something of that name (busybox.go "installBusyboxLinks"). */
static const char *find_busybox(const struct xb_apk_image *image)
{
	const char *found = NULL;

	for (size_t i = 0; i < image->n_packages; i++) {
		const struct xb_apk_info *info = &image->packages[i]->info;

		if (strcmp(info->name, "busybox") == 0)
			return info->name;
		for (size_t k = 0; k < info->provides.len; k++) {
			if (strstr(info->provides.items[k], "busybox"))
				found = info->name;
		}
	}
	return found;
}

static int link_applet(struct xb_apk_image *image, const char *link, int64_t mtime, struct xb_err *err)
{
	const struct xb_sv dir = xb_path_dir(xb_sv(link));
	struct xb_apk_node *node;

	if (!dir.len || strcmp(link, BUSYBOX) == 0)
		return 0;
	if (xb_apk_root_mkdirs(&image->root, xb_arena_sv(&image->arena, dir), 0755, &node, err) < 0)
		return err->code;
	node->mtime = mtime;
	node = xb_apk_root_find_link(&image->root, link);
	/* What a package brings under that name is better than busybox. */
	if (node)
		return node->type == XB_APK_FILE || node->type == XB_APK_SYMLINK
			       ? 0
			       : xb_fail(err, XB_E_VERIFY, "'%s' is in the way of a link to busybox", link);
	return xb_apk_root_symlink(&image->root, BUSYBOX, link, err);
}

int apk_busybox(struct xb_apk_image *image, struct xb_err *err)
{
	const struct xb_apk_node *busybox = xb_apk_root_find(&image->root, BUSYBOX);
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	const char *package = find_busybox(image), *path;
	struct xb_sv rest;

	if (!busybox)
		return 0;
	if (!package)
		return xb_fail(err, XB_E_VERIFY, "'%s' is there, and no package is busybox", BUSYBOX);
	path = xb_arena_printf(&image->arena, "/etc/busybox-paths.d/%s", package);
	if (!xb_apk_root_find(&image->root, path)) {
		xb_fail(err, XB_E_VERIFY, "'%s' does not say which links to busybox there shall be: no '%s'", package,
			path);
		return xb_hint(err, "take a newer release of the distribution");
	}
	if (xb_apk_root_read(&image->root, path, &text, err) < 0)
		return err->code;
	rest = xb_str_sv(&text);
	while (rest.ptr) {
		const struct xb_sv line = xb_sv_cut(&rest, '\n');

		if (line.len && link_applet(image, xb_arena_sv(&image->arena, line), busybox->mtime, err) < 0)
			return err->code;
	}
	return 0;
}

struct dirs {
	const char **items;
	size_t len, cap;
};

static int read_conf(struct xb_apk_image *image, const char *path, int depth, struct dirs *out, struct xb_err *err);

static int compare_entries(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of a directory of the root, sorted. */
static void list_names(const struct xb_apk_root *root, const char *dir, struct dirs *out)
{
	const struct xb_apk_node *node = xb_apk_root_find(root, dir);

	for (size_t i = 0; node && node->type == XB_APK_DIR && i < node->children.len; i++) {
		if (node->children.entries[i].value)
			XB_VEC_PUSH(out, node->children.entries[i].key);
	}
	if (out->len)
		qsort(out->items, out->len, sizeof(*out->items), compare_entries);
}

static int read_included(struct xb_apk_image *image, struct xb_sv pattern, int depth, struct dirs *out,
			 struct xb_err *err)
{
	const char *dir = xb_arena_sv(&image->arena, xb_path_dir(pattern));
	struct dirs names = {0};
	int r = 0;

	list_names(&image->root, dir, &names);
	for (size_t i = 0; i < names.len && r == 0; i++) {
		if (xb_path_glob(xb_path_base(pattern), xb_sv(names.items[i])))
			r = read_conf(image, xb_arena_printf(&image->arena, "%s/%s", dir, names.items[i]), depth + 1,
				      out, err);
	}
	XB_VEC_RELEASE(&names);
	return r;
}

/* Directories of ld.so.conf; behind the first `include` apko reads no further. */
static int read_conf(struct xb_apk_image *image, const char *path, int depth, struct dirs *out, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	const size_t first = out->len;
	struct xb_sv rest;

	if (depth > MAX_NESTING)
		return xb_fail(err, XB_E_VERIFY, "'/%s' includes too many others", path);
	if (xb_apk_root_read(&image->root, path, &text, err) < 0)
		return err->code;
	rest = xb_str_sv(&text);
	while (rest.ptr) {
		struct xb_sv line = xb_sv_cut(&rest, '\n');
		bool is_known = false;

		line = xb_sv_trim(xb_sv_cut(&line, '#'));
		if (xb_sv_starts(line, "include ")) {
			line = xb_sv_trim(xb_sv_n(line.ptr + 8, line.len - 8));
			while (xb_sv_starts(line, "/"))
				line = xb_sv_n(line.ptr + 1, line.len - 1);
			return read_included(image, line, depth, out, err);
		}
		for (size_t i = first; i < out->len; i++)
			is_known = is_known || xb_sv_eq_str(line, out->items[i]);
		if (line.len && !is_known)
			XB_VEC_PUSH(out, xb_arena_sv(&image->arena, line));
	}
	return 0;
}

struct entries {
	struct ldso_entry *items;
	size_t len, cap;
};

/* 1: an ELF file, *out is owned. */
static int read_elf(const struct xb_apk_image *image, const struct xb_apk_node *node, const char *name,
		    struct xb_elf **out, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = NULL;

	if (node->in_memory)
		return xb_elf_parse(xb_str_get(&node->text), node->text.len, name, 0, out, err);
	path = xb_cas_path(image->root.store, &node->digest);
	return xb_elf_read(path, name, 0, out, err);
}

/* A library under its soname or under the name that linkers use; files that cannot be read are passed over. */
static int add_library(struct xb_apk_image *image, const char *dir, const char *name, struct entries *out,
		       struct xb_err *err)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	const char *path = xb_arena_printf(&image->arena, "/%s/%s", dir, name);
	const struct xb_apk_node *node = xb_apk_root_find(&image->root, path);
	struct xb_elf *elf = NULL;
	struct xb_sv stem;
	const char *soname;
	uint32_t flags = 0;
	bool is_one;

	if (!ldso_is_library(xb_sv(name), &stem) || !node || node->type != XB_APK_FILE ||
	    read_elf(image, node, path, &elf, &ignored) != 1)
		return 0;
	soname = elf->soname ? elf->soname : xb_sv_ends(xb_sv(name), ".so") ? name : "";
	is_one = elf->type == ET_DYN && ldso_is_library(xb_sv(soname), &stem);
	if (is_one && strcmp(name, soname) != 0) {
		const char *link = xb_arena_printf(&image->arena, "%.*s.so", XB_SV_ARG(stem));

		is_one = strcmp(name, link) == 0;
	}
	if (is_one && !ldso_flags(elf->machine, &flags)) {
		xb_fail(err, XB_E_VERIFY, "'%s' is for a machine (%u) whose /etc/ld.so.cache is not known", path,
			elf->machine);
	} else if (is_one) {
		XB_VEC_PUSH(out, ((struct ldso_entry){path, flags}));
	}
	xb_elf_free(elf);
	return err->code;
}

static int add_dir(struct xb_apk_image *image, const char *dir, struct entries *out, struct xb_err *err)
{
	struct dirs names = {0};
	int r = 0;

	while (*dir == '/')
		dir++;
	list_names(&image->root, dir, &names);
	for (size_t i = 0; i < names.len && r == 0; i++)
		r = add_library(image, dir, names.items[i], out, err);
	XB_VEC_RELEASE(&names);
	return r;
}

int apk_loader_cache(struct xb_apk_image *image, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct entries entries = {0};
	struct dirs dirs = {0};
	int r;

	if (!xb_apk_root_find(&image->root, LOADER_CONF))
		return 0;
	XB_VEC_PUSH(&dirs, "/lib");
	r = read_conf(image, LOADER_CONF, 0, &dirs, err);
	for (size_t i = 0; i < dirs.len && r == 0; i++)
		r = add_dir(image, dirs.items[i], &entries, err);
	if (r == 0) {
		ldso_cache_write(entries.items, entries.len, &text);
		r = xb_apk_root_write(&image->root, "etc/ld.so.cache", xb_str_sv(&text), 0644, err);
	}
	XB_VEC_RELEASE(&dirs);
	XB_VEC_RELEASE(&entries);
	return r;
}
