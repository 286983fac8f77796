/* SPDX-License-Identifier: Apache-2.0 */
#include "image_bill.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "xbuild/app/provision.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/map.h"
#include "xbuild/base/path.h"
#include "xbuild/build/linked.h"
#include "xbuild/sys/fs.h"

#define READ_BYTES (64 * 1024)

/* A bill in the making. */
struct maker {
	struct evidence *e;
	const struct image_part *part;
	const struct xb_lock *lock; /* NULL: the image needs none */
	struct xb_arena *arena;
	XB_VEC(struct xb_bill_component) components;
	struct xb_map ids; /* "kind name version arch" -> index + 1 */
	XB_VEC(struct xb_bill_file) files;
	struct xb_map file_ids; /* path -> index + 1 */
};

static void release_maker(struct maker *m)
{
	XB_VEC_RELEASE(&m->components);
	XB_VEC_RELEASE(&m->files);
	xb_map_release(&m->ids);
	xb_map_release(&m->file_ids);
}

/* The place of a component in the list; a known one gets the further roles. */
static size_t add_component(struct maker *m, const struct xb_bill_component *c)
{
	char *key XB_CLEANUP(xb_free_ptr) =
		xb_printf("%d %s %s %s", (int)c->kind, c->name, c->version ? c->version : "", c->arch ? c->arch : "");
	const size_t known = (size_t)(uintptr_t)xb_map_get_str(&m->ids, key);

	if (known) {
		m->components.items[known - 1].roles |= c->roles;
		return known - 1;
	}
	XB_VEC_PUSH(&m->components, *c);
	xb_map_put_str(&m->ids, key, (void *)(uintptr_t)m->components.len);
	return m->components.len - 1;
}

static void push_id(struct maker *m, struct xb_bill_ids *ids, size_t id)
{
	size_t *items;

	/* doubled whenever it is full, which a power of two is */
	if ((ids->len & (ids->len - 1)) == 0) {
		items = xb_arena_array(m->arena, ids->len ? 2 * ids->len : 1, sizeof(*items));
		if (ids->len)
			memcpy(items, ids->items, ids->len * sizeof(*items));
		ids->items = items;
	}
	ids->items[ids->len++] = id;
}

/* The same, each id once. */
static void add_id(struct maker *m, struct xb_bill_ids *ids, size_t id)
{
	for (size_t i = 0; i < ids->len; i++) {
		if (ids->items[i] == id)
			return;
	}
	push_id(m, ids, id);
}

/* ---- packages ---- */

/* Scanners know Debian's releases by number; the lock names suites. */
static const char *distro_of(const char *suite, struct xb_arena *arena)
{
	static const struct {
		const char *codename, *number;
	} releases[] = {{"bullseye", "11"}, {"bookworm", "12"}, {"trixie", "13"}, {"forky", "14"}};
	struct xb_sv rest = xb_sv(suite);
	const struct xb_sv codename = xb_sv_cut(&rest, '-');

	for (size_t i = 0; i < XB_COUNT(releases); i++) {
		if (xb_sv_eq_str(codename, releases[i].codename))
			return xb_arena_printf(arena, "debian-%s", releases[i].number);
	}
	return xb_arena_sv(arena, codename);
}

static const char *debian_purl(const struct xb_lock_package *p, struct xb_arena *arena)
{
	return xb_bill_purl("deb", "debian", p->name, p->version,
			    xb_arena_printf(arena, "arch=%s&distro=%s", p->arch, distro_of(p->suite, arena)), arena);
}

static size_t add_debian(struct maker *m, const struct xb_lock_package *p, unsigned roles)
{
	const struct xb_lock_suite *suite = xb_lock_suite(m->lock, p->suite);
	const struct xb_bill_component c = {
		.kind = XB_BILL_DEBIAN,
		.roles = roles,
		.name = p->name,
		.version = p->version,
		.arch = p->arch,
		.purl = debian_purl(p, m->arena),
		.supplier = suite && xb_sv_starts(xb_sv(suite->archive), "debian") ? "Debian" : NULL,
		.file_name = xb_arena_sv(m->arena, xb_path_base(xb_sv(p->path))),
		.sha256 = p->sha256,
	};

	return add_component(m, &c);
}

/* Those of `wanted` packages that a contained one depends on, as the lock says. */
static void add_needs(struct maker *m, const struct xb_lock_packages *list, const size_t *wanted)
{
	for (size_t i = 0; i < list->len; i++) {
		const struct xb_lock_package *p = &list->items[i];

		for (size_t k = 0; wanted[i] && k < p->n_depends; k++) {
			const struct xb_lock_package *other = xb_lock_package(list, p->depends[k]);

			if (other && wanted[other - list->items])
				add_id(m, &m->components.items[wanted[i] - 1].needs, wanted[other - list->items] - 1);
		}
	}
}

/* Packages of base auto and debian: named by the run, described by the lock. */
static void add_base_packages(struct maker *m, const struct xb_image_platform *platform)
{
	const struct xb_lock_image *own = xb_lock_image(m->lock, m->e->built->image->name, m->part->target->name);
	const struct xb_lock_sysroot *sysroot = xb_lock_sysroot(m->lock, m->part->target->name);
	const struct xb_lock_packages *const lists[] = {own ? &own->packages : NULL,
							sysroot ? &sysroot->packages : NULL};
	size_t *wanted[XB_COUNT(lists)] = {NULL};

	for (size_t k = 0; k < XB_COUNT(lists); k++)
		wanted[k] = lists[k] ? xb_arena_array(m->arena, lists[k]->len, sizeof(**wanted)) : NULL;
	for (size_t i = 0; i < platform->n_packages; i++) {
		struct xb_sv rest = xb_sv(platform->packages[i]);
		const char *name = xb_arena_sv(m->arena, xb_sv_cut(&rest, ' '));

		for (size_t k = 0; k < XB_COUNT(lists); k++) {
			const struct xb_lock_package *p = lists[k] ? xb_lock_package(lists[k], name) : NULL;

			if (!p || !xb_sv_eq_str(rest, p->version))
				continue;
			wanted[k][p - lists[k]->items] = add_debian(m, p, XB_BILL_CONTAINED) + 1;
			break;
		}
	}
	for (size_t k = 0; k < XB_COUNT(lists); k++) {
		if (lists[k])
			add_needs(m, lists[k], wanted[k]);
	}
}

/* Who distributes a package is part of its purl, and only the address of its repository tells. */
static const char *apk_vendor(const char *url)
{
	static const char *const vendors[] = {"wolfi", "chainguard"};

	for (size_t i = 0; i < XB_COUNT(vendors); i++) {
		if (strstr(url, vendors[i]))
			return vendors[i];
	}
	return "alpine";
}

static const char *apk_purl(const struct xb_lock_apk *p, struct xb_arena *arena)
{
	return xb_bill_purl("apk", apk_vendor(p->url), p->name, p->version, xb_arena_printf(arena, "arch=%s", p->arch),
			    arena);
}

/* What the package itself says, where it may be an SPDX expression (SPDX 2.3 annex D); "custom:..." is none. */
static const char *apk_license(const struct image_ground *ground, const char *name)
{
	for (size_t i = 0; i < ground->n_apks; i++) {
		const char *license = ground->apks[i].license;

		if (strcmp(ground->apks[i].name, name) != 0)
			continue;
		for (const char *c = license; *c; c++) {
			if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.+-() ", *c))
				return NULL;
		}
		return *license && !strstr(license, "custom") ? license : NULL;
	}
	return NULL;
}

static void add_apks(struct maker *m, const struct xb_lock_apko *apko)
{
	struct xb_map ids XB_CLEANUP(xb_map_release) = {0};

	for (size_t i = 0; i < apko->n_packages; i++) {
		const struct xb_lock_apk *p = &apko->packages[i];
		const struct xb_bill_component c = {
			.kind = XB_BILL_APK,
			.roles = XB_BILL_CONTAINED,
			.name = p->name,
			.version = p->version,
			.arch = p->arch,
			.purl = apk_purl(p, m->arena),
			.license = apk_license(&m->part->ground, p->name),
			.file_name = xb_arena_sv(m->arena, xb_path_base(xb_sv(p->url))),
			.sha256 = p->sha256,
		};

		if (strcmp(p->arch, m->part->target->apk_arch) == 0)
			xb_map_put_str(&ids, p->name, (void *)(uintptr_t)(add_component(m, &c) + 1));
	}
	for (size_t i = 0; i < apko->n_packages; i++) {
		const struct xb_lock_apk *p = &apko->packages[i];
		const size_t from = (size_t)(uintptr_t)xb_map_get_str(&ids, p->name);

		if (!from || strcmp(p->arch, m->part->target->apk_arch) != 0)
			continue;
		for (size_t k = 0; k < p->n_depends; k++) {
			const size_t to = (size_t)(uintptr_t)xb_map_get_str(&ids, p->depends[k]);

			if (to)
				add_id(m, &m->components.items[from - 1].needs, to - 1);
		}
	}
}

/* "ghcr.io/acme/base:1" is "base" in a purl; a layout of this machine has no name that others know. */
static const char *ground_purl(struct maker *m)
{
	const struct image_ground *ground = &m->part->ground;
	struct xb_sv rest = xb_path_base(xb_sv(ground->name));

	if (!ground->name)
		return NULL;
	return xb_bill_oci_purl(xb_arena_sv(m->arena, xb_sv_cut(&rest, ':')), &ground->digest, m->part->target,
				m->arena);
}

static void add_ground(struct maker *m)
{
	const struct image_ground *ground = &m->part->ground;
	const struct xb_bill_component c = {
		.kind = XB_BILL_IMAGE,
		.roles = XB_BILL_GROUND,
		.name = ground->name ? ground->name : m->e->built->image->base_ref,
		.arch = m->part->target->oci_arch,
		.sha256 = ground->digest,
		.purl = ground_purl(m),
		.comment = "what is in it is for its own documents to say",
	};

	if (c.name && !xb_digest_is_zero(&c.sha256))
		add_component(m, &c);
}

static void add_base(struct maker *m, const struct xb_image_platform *platform)
{
	const struct xb_image *image = m->e->built->image;
	const struct xb_lock_apko *apko = m->lock && image->apko ? xb_lock_apko(m->lock, image->apko) : NULL;

	if (m->lock && platform->n_packages)
		add_base_packages(m, platform);
	if (apko)
		add_apks(m, apko);
	add_ground(m);
}

/* ---- units ---- */

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

static int add_sources(struct maker *m, const struct xb_built_unit *built, struct xb_state *state, size_t id,
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
		push_id(m, &m->components.items[id].sources, known - 1);
	}
	return 0;
}

static void add_taken(struct maker *m, struct xb_bill_paths *paths, const char *path)
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
static int add_linked(struct maker *m, const struct xb_built_unit *built, const struct xb_sysroot_paths *sysroot,
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
		package = add_debian(m, p, XB_BILL_LINKED);
		add_taken(m, &m->components.items[package].taken, files.items[i]);
		add_id(m, &m->components.items[id].links, package);
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

static size_t add_unit(struct maker *m, const struct xb_built_unit *built)
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
	return add_component(m, &c);
}

/* Static units go into what is linked with all that they need themselves; of others only the direct ones are told. */
static void relate_unit(struct maker *m, const struct xb_map *ids, const struct xb_unit *from,
			const struct xb_unit *unit)
{
	const size_t id = (size_t)(uintptr_t)xb_map_get_str(ids, from->name) - 1;

	for (size_t i = 0; i < unit->n_deps; i++) {
		const struct xb_unit *dep = unit->deps[i];
		const size_t to = (size_t)(uintptr_t)xb_map_get_str(ids, dep->name);
		const bool is_linked = from->kind != XB_UNIT_STATIC && dep->kind == XB_UNIT_STATIC;

		if (!to)
			continue;
		add_id(m, is_linked ? &m->components.items[id].links : &m->components.items[id].needs, to - 1);
		if (is_linked)
			relate_unit(m, ids, from, dep);
	}
}

static int read_sysroot(struct maker *m, struct xb_sysroot_paths *sysroot, struct xb_tree_entries *entries,
			struct xb_err *err)
{
	if (xb_provision_sysroot(m->e->run->app, m->part->target, sysroot, err) < 0)
		return err->code;
	return xb_tree_read(sysroot->manifest, &sysroot->digest, entries, err);
}

static int add_units(struct maker *m, struct xb_state *state, struct xb_err *err)
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

/* ---- tools ---- */

static void add_tools(struct maker *m, const struct xb_lock_packages *list, size_t toolchain)
{
	for (size_t i = 0; i < list->len; i++) {
		const size_t id = add_debian(m, &list->items[i], XB_BILL_BUILD_TOOL);

		add_id(m, &m->components.items[toolchain].needs, id);
	}
}

/* Of every host that is locked: which of them ran makes no difference, and shall make none in here. */
static void add_toolchains(struct maker *m)
{
	for (size_t i = 0; i < m->lock->n_toolchains; i++) {
		const struct xb_lock_toolchain *t = &m->lock->toolchains[i];
		const struct xb_bill_component c = {
			.kind = XB_BILL_TOOLCHAIN,
			.roles = XB_BILL_BUILD_TOOL,
			.name = t->name,
			.version = t->version,
			.arch = t->host,
			.sha256 = t->archive.sha256,
			.comment = xb_arena_printf(m->arena, "as it is locked for builds on %s", t->host),
		};
		const size_t id = add_component(m, &c);

		add_tools(m, &t->packages, id);
		add_tools(m, &t->tools, id);
	}
}

/* Whose crates are in a program, cargo alone knows: all that it could take from are named, as what it was built with. */
static void add_rust(struct maker *m)
{
	const struct xb_lock_rust *rust = m->lock->rust;

	for (size_t i = 0; rust && i < rust->n_hosts; i++) {
		const struct xb_bill_component c = {
			.kind = XB_BILL_TOOLCHAIN,
			.roles = XB_BILL_BUILD_TOOL,
			.name = rust->name,
			.version = rust->version,
			.arch = rust->hosts[i].name,
			.comment = xb_arena_printf(m->arena, "as it is locked for builds on %s", rust->hosts[i].name),
		};
		const size_t id = add_component(m, &c);

		add_tools(m, &rust->hosts[i].packages, id);
		for (size_t k = 0; k < rust->n_std; k++)
			add_tools(m, &rust->std[k].packages, id);
		add_tools(m, &rust->crates.packages, id);
	}
}

/* ---- bills ---- */

static void fill_bill(const struct evidence *e, const struct xb_target *target, const struct xb_digest *digest,
		      struct xb_bill *out)
{
	*out = (struct xb_bill){
		.name = e->built->image->name,
		.version = e->version,
		.license = e->run->app->project->license,
		.created = e->run->created,
		.tool_version = XBUILD_VERSION,
		.target = target,
		.purl = xb_bill_oci_purl(e->built->image->name, digest, target, e->arena),
		.sha256 = *digest,
	};
}

int bill_of_part(struct evidence *e, size_t part, struct xb_bill *out, struct xb_err *err)
{
	struct maker m XB_CLEANUP(release_maker) = {
		.e = e, .part = &e->whole->parts[part], .lock = e->run->app->lock, .arena = e->arena};

	add_base(&m, &e->built->platforms[part]);
	if (m.lock && e->run->build.n_units) {
		if (add_units(&m, e->states[part], err) < 0)
			return image_wrap(err, "target", m.part->target->name);
		add_toolchains(&m);
		add_rust(&m);
	}
	fill_bill(e, m.part->target, &m.part->manifest.digest, out);
	out->n_components = m.components.len;
	out->components = xb_arena_array(e->arena, m.components.len, sizeof(*out->components));
	if (m.components.len)
		memcpy(out->components, m.components.items, m.components.len * sizeof(*out->components));
	out->n_files = m.files.len;
	out->files = xb_arena_array(e->arena, m.files.len, sizeof(*out->files));
	if (m.files.len)
		memcpy(out->files, m.files.items, m.files.len * sizeof(*out->files));
	return 0;
}

void bill_of_index(struct evidence *e, struct xb_bill *out)
{
	const struct image_whole *whole = e->whole;

	fill_bill(e, NULL, &whole->index.digest, out);
	out->components = xb_arena_array(e->arena, whole->n_parts, sizeof(*out->components));
	for (size_t i = 0; i < whole->n_parts; i++) {
		const struct image_part *p = &whole->parts[i];

		out->components[out->n_components++] = (struct xb_bill_component){
			.kind = XB_BILL_IMAGE,
			.roles = XB_BILL_CONTAINED,
			.name = e->built->image->name,
			.version = e->version,
			.arch = p->target->oci_arch,
			.license = e->run->app->project->license,
			.purl = xb_bill_oci_purl(e->built->image->name, &p->manifest.digest, p->target, e->arena),
			.sha256 = p->manifest.digest,
			.comment = xb_arena_printf(e->arena, "what is in it is told by the document of %s",
						   p->target->name),
		};
	}
}

/* ---- inputs ---- */

static void add_packages(struct evidence *e, const struct xb_lock_packages *list, struct xb_map *known,
			 struct xb_materials *out)
{
	for (size_t i = 0; i < list->len; i++) {
		const struct xb_lock_package *p = &list->items[i];
		const struct xb_material m = {.name = p->name, .uri = debian_purl(p, e->arena), .sha256 = p->sha256};

		if (!xb_map_put_str(known, m.uri, e))
			XB_VEC_PUSH(out, m);
	}
}

static void add_apk_inputs(struct evidence *e, const struct xb_lock_apko *apko, struct xb_map *known,
			   struct xb_materials *out)
{
	XB_VEC_PUSH(out, ((struct xb_material){.name = apko->path, .sha256 = apko->config}));
	for (size_t i = 0; i < apko->n_repositories; i++) {
		const struct xb_lock_apk_repository *r = &apko->repositories[i];

		XB_VEC_PUSH(out, ((struct xb_material){
					 .name = "APKINDEX.tar.gz",
					 .uri = xb_arena_printf(e->arena, "%s/%s/APKINDEX.tar.gz", r->url, r->arch),
					 .sha256 = r->index,
					 .note_name = "signed-by",
					 .note = r->signed_by}));
	}
	for (size_t i = 0; i < apko->n_packages; i++) {
		const struct xb_lock_apk *p = &apko->packages[i];
		const struct xb_material m = {.name = p->name, .uri = apk_purl(p, e->arena), .sha256 = p->sha256};

		if (!xb_map_put_str(known, m.uri, e))
			XB_VEC_PUSH(out, m);
	}
}

static void add_toolchain_inputs(struct evidence *e, struct xb_map *known, struct xb_materials *out)
{
	const struct xb_lock *lock = e->run->app->lock;

	for (size_t i = 0; i < lock->n_toolchains; i++) {
		const struct xb_lock_toolchain *t = &lock->toolchains[i];

		add_packages(e, &t->packages, known, out);
		add_packages(e, &t->tools, known, out);
		if (t->archive.url)
			XB_VEC_PUSH(out, ((struct xb_material){
						 .name = t->name, .uri = t->archive.url, .sha256 = t->archive.sha256}));
	}
}

static void add_rust_inputs(struct evidence *e, struct xb_map *known, struct xb_materials *out)
{
	const struct xb_lock_rust *rust = e->run->app->lock->rust;

	for (size_t i = 0; rust && i < rust->n_hosts; i++)
		add_packages(e, &rust->hosts[i].packages, known, out);
	for (size_t i = 0; rust && i < rust->n_std; i++)
		add_packages(e, &rust->std[i].packages, known, out);
	if (rust)
		add_packages(e, &rust->crates.packages, known, out);
}

static void add_lock_inputs(struct evidence *e, struct xb_materials *out)
{
	struct xb_map known XB_CLEANUP(xb_map_release) = {0};
	const struct xb_lock *lock = e->run->app->lock;

	for (size_t i = 0; i < lock->n_suites; i++) {
		const struct xb_lock_suite *s = &lock->suites[i];

		XB_VEC_PUSH(out, ((struct xb_material){.name = xb_arena_printf(e->arena, "%s/dists/%s/InRelease",
									       s->archive, s->path),
						       .sha256 = s->in_release,
						       .note_name = "signed-by",
						       .note = s->signed_by}));
	}
	add_toolchain_inputs(e, &known, out);
	add_rust_inputs(e, &known, out);
	for (size_t i = 0; i < lock->n_sysroots; i++)
		add_packages(e, &lock->sysroots[i].packages, &known, out);
	for (size_t i = 0; i < lock->n_images; i++)
		add_packages(e, &lock->images[i].packages, &known, out);
	for (size_t i = 0; i < lock->n_apkos; i++)
		add_apk_inputs(e, &lock->apkos[i], &known, out);
	for (size_t i = 0; i < lock->n_bases; i++)
		XB_VEC_PUSH(out, ((struct xb_material){.name = lock->bases[i].ref, .sha256 = lock->bases[i].index}));
}

void bill_inputs(struct evidence *e, struct xb_materials *out)
{
	const struct xb_git *git = e->run->app->git;

	if (git->present && git->commit[0])
		XB_VEC_PUSH(out, ((struct xb_material){
					 .name = "source",
					 .uri = git->origin[0] ? xb_arena_printf(e->arena, "git+%s@%s", git->origin,
										 git->commit)
							       : NULL,
					 .git_commit = git->commit,
					 .note_name = "dirty",
					 .note = git->dirty ? "files of the project differ from the commit" : NULL}));
	if (e->run->app->lock)
		add_lock_inputs(e, out);
}
