/* SPDX-License-Identifier: Apache-2.0 */
/* Units of the project: the sources that the compilers read, and the code of others that was linked in. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "image_bill_parts.h"
#include "xbuild/app/provision.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/map.h"
#include "xbuild/base/path.h"
#include "xbuild/build/linked.h"
#include "xbuild/sys/fs.h"

#define READ_BYTES (64 * 1024)

/* Reads a source once more for its SHA-1; it must be what the build has read. */
static int hash_source(struct evidence *e, const struct xb_state_file *file, struct xb_bill_file *out,
		       struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(e->run->app->project->dir, file->path);
	char *chunk XB_CLEANUP(xb_free_ptr) = xb_alloc(READ_BYTES);
	struct xb_sha1_hasher sha1 XB_CLEANUP(xb_sha1_release) = {0};
	struct xb_hasher sha256 XB_CLEANUP(xb_hasher_release) = {0};
	int fd XB_CLEANUP(xb_fs_close) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int64_t n = 1, total = 0;

	if (fd < 0)
		return xb_fail_errno(err, "open '%s'", path);
	xb_sha1_init(&sha1);
	xb_hasher_init(&sha256);
	while (n > 0 && total <= XB_MAX_SOURCE_BYTES) {
		n = xb_fs_read_some(fd, chunk, READ_BYTES, path, err);
		if (n < 0)
			return err->code;
		xb_sha1_update(&sha1, chunk, (size_t)n);
		xb_hasher_update(&sha256, chunk, (size_t)n);
		total += n;
	}
	out->path = xb_arena_strdup(e->arena, file->path);
	xb_sha1_final(&sha1, &out->sha1);
	xb_hasher_final(&sha256, &out->sha256);
	if (xb_digest_eq(&out->sha256, &file->digest))
		return 0;
	xb_fail(err, XB_E_VERIFY, "'%s' changed while the image was made", file->path);
	return xb_hint(err, "run the command again once nothing writes to the project");
}

/* Platforms share most sources. */
static int find_source(struct evidence *e, const struct xb_state_file *file, struct xb_bill_file **out,
		       struct xb_err *err)
{
	*out = xb_map_get_str(&e->files, file->path);
	if (*out && xb_digest_eq(&(*out)->sha256, &file->digest))
		return 0;
	*out = xb_arena_alloc(e->arena, sizeof(**out));
	if (hash_source(e, file, *out, err) < 0)
		return err->code;
	xb_map_put_str(&e->files, file->path, *out);
	return 0;
}

static int add_sources(struct bill_maker *m, const struct xb_built_unit *built, struct xb_state *state, size_t id,
		       struct xb_err *err)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_state_file *files;
	size_t n;

	if (!state || !xb_state_reads(state, built->steps, built->n_steps, &arena, &files, &n)) {
		m->components.items[id].comment =
			"its sources are not known: a name in the text of one could not be read";
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		size_t known = (size_t)(uintptr_t)xb_map_get_str(&m->file_ids, files[i].path);
		struct xb_bill_file *file;

		if (files[i].path[0] == '/') /* a program of this host that another build system was started with */
			continue;
		if (!known) {
			if (find_source(m->e, &files[i], &file, err) < 0)
				return err->code;
			XB_VEC_PUSH(&m->files, *file);
			known = m->files.len;
			xb_map_put_str(&m->file_ids, file->path, (void *)(uintptr_t)known);
		}
		bill_push_id(m, &m->components.items[id].sources, known - 1);
	}
	return 0;
}

static void add_taken(struct bill_maker *m, struct xb_bill_paths *paths, const char *path)
{
	const char **items;

	for (size_t i = 0; i < paths->len; i++) {
		if (strcmp(paths->items[i], path) == 0)
			return;
	}
	items = xb_arena_array(m->arena, paths->len + 1, sizeof(*items));
	if (paths->len)
		memcpy(items, paths->items, paths->len * sizeof(*items));
	items[paths->len] = path;
	*paths = (struct xb_bill_paths){items, paths->len + 1};
}

/* The packages of the sysroot that a program has copied code from. */
static int add_linked(struct bill_maker *m, const struct xb_built_unit *built, const struct xb_sysroot_paths *sysroot,
		      const struct xb_tree_entries *entries, size_t id, struct xb_err *err)
{
	const struct xb_lock_sysroot *locked = xb_lock_sysroot(m->lock, m->part->target->name);
	struct xb_dirs files = {0};

	if (!built->is_linked)
		return 0;
	if (!xb_linked_get(m->e->run->app->store, &built->linked, &sysroot->digest, m->arena, &files))
		return xb_fail(err, XB_E_NOT_FOUND, "unit '%s': the store does not know what it was linked from",
			       built->unit->name);
	for (size_t i = 0; locked && i < files.len; i++) {
		const struct xb_tree_entry *entry = xb_tree_entries_find(entries, files.items[i]);
		const struct xb_lock_package *p = entry ? xb_lock_package(&locked->packages, entry->origin) : NULL;
		size_t package;

		if (!p)
			continue;
		package = bill_add_debian(m, p, XB_BILL_LINKED);
		add_taken(m, &m->components.items[package].taken, files.items[i]);
		bill_add_id(m, &m->components.items[id].links, package);
	}
	return 0;
}

static bool is_in_image(const struct xb_image *image, const struct xb_unit *unit)
{
	for (size_t i = 0; i < image->n_files; i++) {
		if (image->files[i].unit == unit)
			return true;
	}
	return false;
}

static size_t add_unit(struct bill_maker *m, const struct xb_built_unit *built)
{
	const struct xb_build_result *build = &m->e->run->build;
	struct xb_bill_component c = {
		.kind = built->unit->kind == XB_UNIT_EXECUTABLE ? XB_BILL_PROGRAM : XB_BILL_LIBRARY,
		.name = built->unit->name,
		.version = m->e->version,
		.license = m->e->run->app->project->license,
	};

	if (is_in_image(m->e->built->image, built->unit))
		c.roles |= XB_BILL_CONTAINED;
	else if (built->unit->kind == XB_UNIT_STATIC)
		c.roles |= XB_BILL_LINKED;
	for (size_t i = 0; i < build->n_items; i++) {
		if (build->items[i].unit == built->unit && build->items[i].target == built->target) {
			c.sha256 = build->items[i].digest;
			break;
		}
	}
	return bill_add_component(m, &c);
}

/* Static units go into what is linked with all that they need themselves; of others only the direct ones are told. */
static void relate_unit(struct bill_maker *m, const struct xb_map *ids, const struct xb_unit *from,
			const struct xb_unit *unit)
{
	const size_t id = (size_t)(uintptr_t)xb_map_get_str(ids, from->name) - 1;

	for (size_t i = 0; i < unit->n_deps; i++) {
		const struct xb_unit *dep = unit->deps[i];
		const size_t to = (size_t)(uintptr_t)xb_map_get_str(ids, dep->name);
		const bool is_linked = from->kind != XB_UNIT_STATIC && dep->kind == XB_UNIT_STATIC;

		if (!to)
			continue;
		bill_add_id(m, is_linked ? &m->components.items[id].links : &m->components.items[id].needs, to - 1);
		if (is_linked)
			relate_unit(m, ids, from, dep);
	}
}

static int read_sysroot(struct bill_maker *m, struct xb_sysroot_paths *sysroot, struct xb_tree_entries *entries,
			struct xb_err *err)
{
	if (xb_provision_sysroot(m->e->run->app, m->part->target, sysroot, err) < 0)
		return err->code;
	return xb_tree_read(sysroot->manifest, &sysroot->digest, entries, err);
}

int bill_add_units(struct bill_maker *m, struct xb_state *state, struct xb_err *err)
{
	const struct xb_build_result *build = &m->e->run->build;
	struct xb_tree_entries entries XB_CLEANUP(xb_tree_entries_release) = {0};
	struct xb_map ids XB_CLEANUP(xb_map_release) = {0};
	struct xb_sysroot_paths sysroot = {0};

	for (size_t i = 0; i < build->n_units; i++) {
		if (build->units[i].target == m->part->target)
			xb_map_put_str(&ids, build->units[i].unit->name,
				       (void *)(uintptr_t)(add_unit(m, &build->units[i]) + 1));
	}
	if (ids.len && read_sysroot(m, &sysroot, &entries, err) < 0)
		return err->code;
	for (size_t i = 0; i < build->n_units; i++) {
		const struct xb_built_unit *built = &build->units[i];
		const size_t id = (size_t)(uintptr_t)xb_map_get_str(&ids, built->unit->name) - 1;

		if (built->target != m->part->target)
			continue;
		relate_unit(m, &ids, built->unit, built->unit);
		if (add_sources(m, built, state, id, err) < 0 || add_linked(m, built, &sysroot, &entries, id, err) < 0)
			return err->code;
	}
	return 0;
}
