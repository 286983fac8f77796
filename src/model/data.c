/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/model/data.h"

#include <stdlib.h>
#include <string.h>

#include "data_read.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/base/str.h"
#include "xbuild/model/names.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/yaml.h"

#define SUFFIX	    ".yaml"
#define MAX_EXTENDS 8 /* image data files, one on the other */

void xb_toolchain_desc_free(struct xb_toolchain_desc *desc)
{
	if (!desc)
		return;
	xb_arena_release(&desc->arena);
	free(desc);
}

void xb_sysroot_desc_free(struct xb_sysroot_desc *desc)
{
	if (!desc)
		return;
	xb_arena_release(&desc->arena);
	free(desc);
}

void xb_image_desc_free(struct xb_image_desc *desc)
{
	if (!desc)
		return;
	xb_arena_release(&desc->arena);
	free(desc);
}

void xb_rust_desc_free(struct xb_rust_desc *desc)
{
	if (!desc)
		return;
	xb_arena_release(&desc->arena);
	free(desc);
}

static bool is_data_dir(const char *dir)
{
	char *toolchains XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, "toolchains");
	char *sysroots XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, "sysroots");

	return xb_fs_is_dir(toolchains) && xb_fs_is_dir(sysroots);
}

/* <prefix>/bin/xbuild and <prefix>/libexec/xbuild/xbuild-supply: the prefix is one or two levels up. */
static char *find_installed(const char *self_path)
{
	struct xb_sv dir = xb_path_dir(xb_sv(self_path));

	for (int level = 0; level < 2 && dir.len; level++) {
		char *prefix XB_CLEANUP(xb_free_ptr) = NULL;
		char *found;

		dir = xb_path_dir(dir);
		prefix = xb_sv_dup(dir.len ? dir : xb_sv("/"));
		found = xb_path_join(prefix, "share/xbuild");
		if (is_data_dir(found))
			return found;
		free(found);
	}
	return NULL;
}

int xb_data_dir(const char *self_path, char **out, struct xb_err *err)
{
	const char *named = getenv("XBUILD_DATA_DIR");
	char *found;

	if (named && named[0]) {
		if (!is_data_dir(named)) {
			xb_fail(err, XB_E_NOT_FOUND, "XBUILD_DATA_DIR names '%s', which is no data directory", named);
			return xb_hint(err, "it must hold toolchains/ and sysroots/");
		}
		return xb_fs_realpath(named, out, err);
	}
	found = self_path ? find_installed(self_path) : NULL;
	if (!found && is_data_dir(XBUILD_SOURCE_DATA_DIR))
		found = xb_strdup(XBUILD_SOURCE_DATA_DIR);
	if (!found) {
		xb_fail(err, XB_E_NOT_FOUND, "find the data files of xbuild beside '%s'",
			self_path ? self_path : "xbuild");
		return xb_hint(err, "set XBUILD_DATA_DIR to the directory that holds toolchains/ and sysroots/");
	}
	*out = found;
	return 0;
}

int xb_data_names(const char *data_dir, const char *kind, struct xb_arena *arena, const char ***out, struct xb_err *err)
{
	char *dir XB_CLEANUP(xb_free_ptr) = xb_path_join(data_dir, kind);
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};
	const char **names;
	size_t len = 0;

	if (xb_fs_list(dir, &list, err) < 0)
		return err->code;
	names = xb_arena_array(arena, list.len + 1, sizeof(*names));
	for (size_t i = 0; i < list.len; i++) {
		const struct xb_sv name = xb_sv(list.items[i].name);

		if (!list.items[i].is_dir && xb_sv_ends(name, SUFFIX) && name.len > strlen(SUFFIX))
			names[len++] = xb_arena_sv(arena, xb_sv_n(name.ptr, name.len - strlen(SUFFIX)));
	}
	*out = names;
	return 0;
}

static int refuse_name(const char *data_dir, const char *kind, const char *name, struct xb_err *err)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_str all XB_CLEANUP(xb_str_release) = {0};
	const char **names, *meant;

	if (xb_data_names(data_dir, kind, &arena, &names, err) < 0)
		return err->code;
	xb_fail(err, XB_E_INPUT, "%s: there is no '%s'", kind, name);
	meant = xb_sv_suggest(xb_sv(name), names);
	for (size_t i = 0; names[i]; i++)
		xb_str_printf(&all, "%s%s", i ? ", " : "", names[i]);
	if (meant)
		return xb_hint(err, "did you mean '%s'? known: %s", meant, xb_str_get(&all));
	return xb_hint(err, "known: %s", xb_str_get(&all));
}

/* A data file as a tree of nodes; the text lives in the arena because diags point into it. */
static int load_tree(const char *data_dir, const char *kind, const char *name, struct schema *s,
		     struct xb_yaml **out_root, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/%s/%s" SUFFIX, data_dir, kind, name);
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	if (!xb_name_is_suite(xb_sv(name)) || !xb_fs_exists(path))
		return refuse_name(data_dir, kind, name, err);
	if (xb_fs_read(path, XB_MAX_YAML_BYTES, &text, err) < 0)
		return err->code;
	s->source = xb_sv_n(xb_arena_sv(s->arena, xb_str_sv(&text)), text.len);
	return xb_yaml_parse(s->source, path, s->arena, out_root, s->diags, err);
}

/* Whatever else the file says, it must be the one that was asked for, without any problem, and its keys must exist. */
static int finish(struct schema *s, const char *data_dir, const char *name, const char *found, struct xb_debian *debian,
		  struct xb_err *err)
{
	if (schema_failed(s))
		return xb_fail(err, XB_E_INPUT, "the data file of '%s' is not valid", name);
	if (strcmp(found, name) != 0)
		return xb_fail(err, XB_E_INPUT, "the data file of '%s' says that its name is '%s'", name, found);
	for (size_t i = 0; debian && i < debian->key_files.len; i++) {
		const char *file = debian->key_files.items[i];
		const char *path = xb_arena_printf(s->arena, "%s/sysroots/keys/%s", data_dir, file);

		if (!xb_fs_exists(path))
			return xb_fail(err, XB_E_INPUT,
				       "the data file of '%s' names the key '%s', which does not exist", name, path);
		debian->key_files.items[i] = path;
	}
	return 0;
}

static void release_toolchain(struct xb_toolchain_desc **desc)
{
	xb_toolchain_desc_free(*desc);
}

static void release_sysroot(struct xb_sysroot_desc **desc)
{
	xb_sysroot_desc_free(*desc);
}

int xb_toolchain_desc_load(const char *data_dir, const char *name, struct xb_toolchain_desc **out,
			   struct xb_diags *diags, struct xb_err *err)
{
	struct xb_toolchain_desc *desc XB_CLEANUP(release_toolchain) = xb_alloc(sizeof(*desc));
	struct schema s = {.arena = &desc->arena, .diags = diags, .n_before = diags->list.len + diags->dropped};
	struct xb_yaml *root;

	if (load_tree(data_dir, "toolchains", name, &s, &root, err) < 0)
		return err->code;
	data_read_toolchain(&s, root, desc);
	if (finish(&s, data_dir, name, desc->name, &desc->debian, err) < 0)
		return err->code;
	*out = desc;
	desc = NULL;
	return 0;
}

int xb_sysroot_desc_load(const char *data_dir, const char *name, struct xb_sysroot_desc **out, struct xb_diags *diags,
			 struct xb_err *err)
{
	struct xb_sysroot_desc *desc XB_CLEANUP(release_sysroot) = xb_alloc(sizeof(*desc));
	struct schema s = {.arena = &desc->arena, .diags = diags, .n_before = diags->list.len + diags->dropped};
	struct xb_yaml *root;

	if (load_tree(data_dir, "sysroots", name, &s, &root, err) < 0)
		return err->code;
	data_read_sysroot(&s, root, desc);
	if (finish(&s, data_dir, name, desc->name, &desc->debian, err) < 0)
		return err->code;
	*out = desc;
	desc = NULL;
	return 0;
}

static void release_rust(struct xb_rust_desc **desc)
{
	xb_rust_desc_free(*desc);
}

int xb_rust_desc_load(const char *data_dir, const char *name, struct xb_rust_desc **out, struct xb_diags *diags,
		      struct xb_err *err)
{
	struct xb_rust_desc *desc XB_CLEANUP(release_rust) = xb_alloc(sizeof(*desc));
	struct schema s = {.arena = &desc->arena, .diags = diags, .n_before = diags->list.len + diags->dropped};
	struct xb_yaml *root;

	if (load_tree(data_dir, "toolchains", name, &s, &root, err) < 0)
		return err->code;
	data_read_rust(&s, root, desc);
	if (finish(&s, data_dir, name, desc->name, &desc->debian, err) < 0)
		return err->code;
	*out = desc;
	desc = NULL;
	return 0;
}

static void release_image(struct xb_image_desc **desc)
{
	xb_image_desc_free(*desc);
}

static struct xb_list join_lists(struct xb_arena *arena, const struct xb_list *first, const struct xb_list *then)
{
	struct xb_list all = {xb_arena_array(arena, first->len + then->len + 1, sizeof(*all.items)), 0};

	for (size_t i = 0; i < first->len; i++)
		all.items[all.len++] = first->items[i];
	for (size_t i = 0; i < then->len; i++)
		all.items[all.len++] = then->items[i];
	return all;
}

static struct xb_image_account *join_accounts(struct xb_arena *arena, const struct xb_image_account *first,
					      size_t n_first, const struct xb_image_account *then, size_t n_then)
{
	struct xb_image_account *all = xb_arena_array(arena, n_first + n_then + 1, sizeof(*all));

	for (size_t i = 0; i < n_first; i++)
		all[i] = first[i];
	for (size_t i = 0; i < n_then; i++)
		all[n_first + i] = then[i];
	return all;
}

/* Puts what `below` has before what the description has so far. */
static void extend_image(struct xb_image_desc *desc, const struct xb_image_desc *below)
{
	desc->packages = join_lists(&desc->arena, &below->packages, &desc->packages);
	desc->data_only = join_lists(&desc->arena, &below->data_only, &desc->data_only);
	desc->exclude = join_lists(&desc->arena, &below->exclude, &desc->exclude);
	desc->drop = join_lists(&desc->arena, &below->drop, &desc->drop);
	desc->users = join_accounts(&desc->arena, below->users, below->n_users, desc->users, desc->n_users);
	desc->n_users += below->n_users;
	desc->groups = join_accounts(&desc->arena, below->groups, below->n_groups, desc->groups, desc->n_groups);
	desc->n_groups += below->n_groups;
}

int xb_image_desc_load(const char *data_dir, const char *name, struct xb_image_desc **out, struct xb_diags *diags,
		       struct xb_err *err)
{
	struct xb_image_desc *desc XB_CLEANUP(release_image) = xb_alloc(sizeof(*desc));
	const char *next = name;

	for (int depth = 0; next; depth++) {
		struct schema s = {.arena = &desc->arena, .diags = diags, .n_before = diags->list.len + diags->dropped};
		struct xb_image_desc one = {0};
		const char *file = next;
		struct xb_yaml *root;

		if (depth == MAX_EXTENDS)
			return xb_fail(err, XB_E_INPUT, "the data file of '%s' extends more than %d others", name,
				       MAX_EXTENDS);
		if (load_tree(data_dir, "images", file, &s, &root, err) < 0)
			return err->code;
		data_read_image(&s, root, &one, &next);
		if (finish(&s, data_dir, file, one.name, NULL, err) < 0)
			return err->code;
		extend_image(desc, &one);
	}
	desc->name = xb_arena_strdup(&desc->arena, name);
	*out = desc;
	desc = NULL;
	return 0;
}

const struct xb_archive_site *xb_debian_site(const struct xb_debian *debian, const char *archive)
{
	for (size_t i = 0; i < debian->n_sites; i++)
		if (strcmp(debian->sites[i].name, archive) == 0)
			return &debian->sites[i];
	return NULL;
}

const struct xb_archive_ref *xb_archive_ref_find(const struct xb_archive_refs *refs, const char *owner)
{
	for (size_t i = 0; i < refs->len; i++)
		if (!refs->items[i].owner || strcmp(refs->items[i].owner, owner) == 0)
			return &refs->items[i];
	return NULL;
}

const char *xb_archive_name(const char *url)
{
	const struct xb_sv text = xb_sv(url);

	return xb_path_base(xb_sv_starts(text, XB_LOCAL_FILE) ? xb_sv(url + strlen(XB_LOCAL_FILE)) : text).ptr;
}
