/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/pkg/apk_image.h"

#include <stdlib.h>
#include <string.h>

#include "apk_steps.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"

#define TAR_END_BYTES 1024

void apk_packages_release(struct apk_packages *p)
{
	xb_map_release(&p->owners);
	xb_str_release(&p->scripts);
	xb_str_release(&p->triggers);
}

void xb_apk_image_release(struct xb_apk_image *image)
{
	if (!image)
		return;
	for (size_t i = 0; i < image->n_packages; i++) {
		xb_apk_free(image->packages[i]);
		xb_str_release(&image->records[i]);
	}
	xb_apk_root_release(&image->root);
	xb_arena_release(&image->arena);
	*image = (struct xb_apk_image){0};
}

static int make_dirs(struct xb_apk_root *root, struct xb_err *err)
{
	static const struct {
		const char *path;
		uint32_t mode;
	} dirs[] = {
		{"tmp", 01777},
		{"dev", 0755},
		{"etc", 0755},
		{"opt", 0755},
		{"proc", 0555},
		{"var", 0755},
		{"usr", 0755},
		{"etc/apk", 0755},
		{"etc/apk/keys", 0755},
		{"usr/lib", 0755},
		{"usr/lib/apk", 0755},
		{"usr/lib/apk/db", 0755},
		{"usr/lib/apk/exec", 0755},
		{"var/cache", 0755},
		{"var/cache/apk", 0755},
		{"var/cache/misc", 0755},
	};

	for (size_t i = 0; i < XB_COUNT(dirs); i++) {
		if (xb_apk_root_mkdirs(root, dirs[i].path, dirs[i].mode, NULL, err) < 0)
			return err->code;
	}
	return 0;
}

static int make_devices(struct xb_apk_root *root, struct xb_err *err)
{
	static const struct {
		const char *path;
		uint32_t major, minor, mode;
	} devices[] = {{"dev/zero", 1, 5, 0666},
		       {"dev/urandom", 1, 9, 0666},
		       {"dev/null", 1, 3, 0666},
		       {"dev/random", 1, 8, 0666},
		       {"dev/console", 5, 1, 0620}};

	for (size_t i = 0; i < XB_COUNT(devices); i++) {
		struct xb_apk_node *node;

		if (xb_apk_root_add(root, devices[i].path, XB_APK_DEVICE, &node, err) < 0)
			return err->code;
		node->mode = devices[i].mode;
		node->major = devices[i].major;
		node->minor = devices[i].minor;
	}
	return 0;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Writes lines sorted and each once, as /etc/apk/world and repositories have them. */
static int write_lines(struct xb_apk_root *root, const char *path, const struct xb_words *const *lists, size_t n_lists,
		       struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	XB_VEC(const char *) lines = {0};

	for (size_t i = 0; i < n_lists; i++) {
		for (size_t k = 0; k < lists[i]->len; k++)
			XB_VEC_PUSH(&lines, lists[i]->items[k]);
	}
	if (lines.len)
		qsort(lines.items, lines.len, sizeof(*lines.items), compare_texts);
	for (size_t i = 0; i < lines.len; i++) {
		if (!i || strcmp(lines.items[i], lines.items[i - 1]) != 0)
			xb_str_printf(&text, "%s\n", lines.items[i]);
	}
	if (!lines.len)
		xb_str_append(&text, "\n");
	XB_VEC_RELEASE(&lines);
	return xb_apk_root_write(root, path, xb_str_sv(&text), 0644, err);
}

/* "name=version" of every package of the architecture. */
static struct xb_words pinned(struct xb_apk_image *image, const struct xb_apk_image_spec *spec)
{
	struct xb_words words = {.items =
					 xb_arena_array(&image->arena, spec->locked->n_packages, sizeof(*words.items))};

	for (size_t i = 0; i < spec->locked->n_packages; i++) {
		const struct xb_lock_apk *p = &spec->locked->packages[i];

		if (strcmp(p->arch, spec->arch) == 0)
			words.items[words.len++] = xb_arena_printf(&image->arena, "%s=%s", p->name, p->version);
	}
	return words;
}

/* apk's database of nothing (implementation.go "InitDB"), the keys, the wishes. */
static int start(struct xb_apk_image *image, const struct xb_apk_image_spec *spec, const struct xb_words *packages,
		 struct xb_err *err)
{
	const struct xb_words *worlds[] = {packages};
	struct xb_apk_root *root = &image->root;
	char *arch = xb_arena_printf(&image->arena, "%s\n", spec->arch);

	if (make_dirs(root, err) < 0 || write_lines(root, "etc/apk/world", worlds, 1, err) < 0 ||
	    xb_apk_root_write(root, "etc/apk/repositories", xb_sv("\n"), 0644, err) < 0 ||
	    xb_apk_root_write(root, "usr/lib/apk/db/lock", xb_sv(""), 0600, err) < 0 ||
	    xb_apk_root_write(root, "usr/lib/apk/db/triggers", xb_sv(""), 0644, err) < 0 ||
	    xb_apk_root_write(root, XB_APK_INSTALLED, xb_sv(""), 0644, err) < 0 ||
	    xb_apk_root_write(root, "etc/apk/arch", xb_sv(arch), 0644, err) < 0 || make_devices(root, err) < 0 ||
	    xb_apk_root_write(root, "usr/lib/apk/db/scripts.tar", xb_sv(""), 0644, err) < 0)
		return err->code;
	for (size_t i = 0; i < spec->locked->n_keys; i++) {
		const struct xb_lock_apk_key *key = &spec->locked->keys[i];
		const char *path =
			xb_arena_printf(&image->arena, "etc/apk/keys/%.*s", XB_SV_ARG(xb_path_base(xb_sv(key->url))));

		if (xb_apk_root_write(root, path, xb_sv(key->content ? key->content : ""), 0644, err) < 0)
			return err->code;
	}
	return 0;
}

static int install(struct xb_apk_image *image, struct apk_packages *p, const struct xb_apk_image_spec *spec,
		   struct xb_err *err)
{
	const size_t n = spec->locked->n_packages;

	image->packages = xb_arena_array(&image->arena, n, sizeof(*image->packages));
	image->records = xb_arena_array(&image->arena, n, sizeof(*image->records));
	for (size_t i = 0; i < n; i++) {
		const struct xb_lock_apk *locked = &spec->locked->packages[i];
		const size_t index = image->n_packages;

		if (strcmp(locked->arch, spec->arch) != 0)
			continue;
		if (xb_apk_read(image->root.store, locked, &image->packages[index], err) < 0)
			return err->code;
		image->n_packages++;
		if (apk_packages_add(p, index, err) < 0)
			return xb_wrap(err, "install %s %s", locked->name, locked->version);
		if (image->packages[index]->info.build_date > image->build_date)
			image->build_date = image->packages[index]->info.build_date;
	}
	return 0;
}

/* Once all files are there, each record says what is left to its package. */
static int write_database(struct xb_apk_image *image, struct apk_packages *p, struct xb_err *err)
{
	static const char zeros[TAR_END_BYTES];
	struct xb_apk_root *root = &image->root;
	struct xb_str installed XB_CLEANUP(xb_str_release) = {0};

	for (size_t i = 0; i < image->n_packages; i++) {
		apk_record_write(image->packages[i], &p->owners, &image->records[i]);
		xb_str_append_sv(&installed, xb_str_sv(&image->records[i]));
	}
	xb_str_append_n(&p->scripts, zeros, sizeof(zeros));
	if (xb_apk_root_write(root, XB_APK_INSTALLED, xb_str_sv(&installed), 0644, err) < 0 ||
	    xb_apk_root_write(root, "usr/lib/apk/db/triggers", xb_str_sv(&p->triggers), 0644, err) < 0)
		return err->code;
	return xb_apk_root_write(root, "usr/lib/apk/db/scripts.tar", xb_str_sv(&p->scripts), 0644, err);
}

static bool leads_to(const struct xb_apk_root *root, const char *link, const char *target)
{
	const struct xb_apk_node *node = xb_apk_root_find_link(root, link);

	return node && node->type == XB_APK_SYMLINK && xb_apk_root_find(root, link) &&
	       xb_apk_root_find(root, link) == xb_apk_root_find(root, target);
}

static int refuse_entry(void *self, const char *path, struct xb_apk_node *node, struct xb_err *err)
{
	(void)self;
	return node->type == XB_APK_DIR
		       ? 0
		       : xb_fail(err, XB_E_VERIFY, "'/%s' is where the link to apk's database has to be", path);
}

/* Tools look for the database in /lib/apk (implementation.go "resolveApkDB"). */
static int link_database(struct xb_apk_root *root, struct xb_err *err)
{
	const struct xb_apk_node *old;

	if (leads_to(root, "lib", "usr/lib") || leads_to(root, "lib/apk", "usr/lib/apk"))
		return 0;
	if (xb_apk_root_mkdirs(root, "lib", 0755, NULL, err) < 0)
		return err->code;
	old = xb_apk_root_find(root, "lib/apk");
	if (old && old->type == XB_APK_DIR) {
		if (xb_apk_root_walk(root, "lib/apk", refuse_entry, NULL, err) < 0)
			return err->code;
		xb_apk_root_remove(root, "lib/apk");
	}
	return xb_apk_root_symlink(root, "../usr/lib/apk", "lib/apk", err);
}

static int write_config(struct xb_apk_image *image, const struct xb_apk_image_spec *spec,
			const struct xb_words *packages, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_apko config = *spec->config;

	/* apko resolves the name before it writes this file. */
	config.run_as = image->run_as;
	xb_apko_json(&config, xb_apko_arch(xb_sv(spec->arch)), packages, spec->annotations, &text);
	return xb_apk_root_write(&image->root, "etc/apko.json", xb_str_sv(&text), 0444, err);
}

static int make(struct xb_apk_image *image, const struct xb_apk_image_spec *spec, struct xb_err *err)
{
	struct apk_packages p XB_CLEANUP(apk_packages_release) = {.image = image};
	const struct xb_words *repositories[] = {&spec->config->repositories, &spec->config->runtime_repositories};
	const struct xb_words packages = pinned(image, spec);

	if (start(image, spec, &packages, err) < 0 || install(image, &p, spec, err) < 0 ||
	    write_database(image, &p, err) < 0 || link_database(&image->root, err) < 0 ||
	    apk_accounts(image, spec->config, err) < 0 || write_config(image, spec, &packages, err) < 0 ||
	    apk_paths(image, spec->config, err) < 0 || apk_certificates(image, spec->config, err) < 0 ||
	    apk_busybox(image, err) < 0 || apk_loader_cache(image, err) < 0)
		return err->code;
	return write_lines(&image->root, "etc/apk/repositories", repositories, 2, err);
}

int xb_apk_image_make(struct xb_store *store, const struct xb_apk_image_spec *spec, struct xb_apk_image *out,
		      struct xb_err *err)
{
	*out = (struct xb_apk_image){0};
	xb_apk_root_init(&out->root, store);
	if (make(out, spec, err) < 0) {
		xb_apk_image_release(out);
		return err->code;
	}
	return 0;
}
