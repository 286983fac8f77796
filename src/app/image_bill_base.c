/* SPDX-License-Identifier: Apache-2.0 */
/* Packages of Debian and apk, and images that others stand on, as the lock describes them. */
#include <string.h>

#include "image_bill_parts.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/map.h"
#include "xbuild/base/path.h"
#include "xbuild/image/installed.h"

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

const char *bill_debian_purl(const struct xb_lock_package *p, struct xb_arena *arena)
{
	return xb_bill_purl("deb", "debian", p->name, p->version,
			    xb_arena_printf(arena, "arch=%s&distro=%s", p->arch, distro_of(p->suite, arena)), arena);
}

size_t bill_add_debian(struct bill_maker *m, const struct xb_lock_package *p, unsigned roles)
{
	const struct xb_lock_suite *suite = xb_lock_suite(m->lock, p->suite);
	const struct xb_bill_component c = {
		.kind = XB_BILL_DEBIAN,
		.roles = roles,
		.name = p->name,
		.version = p->version,
		.arch = p->arch,
		.purl = bill_debian_purl(p, m->arena),
		.supplier = suite && xb_sv_starts(xb_sv(suite->archive), "debian") ? "Debian" : NULL,
		.file_name = xb_arena_sv(m->arena, xb_path_base(xb_sv(p->path))),
		.sha256 = p->sha256,
	};

	return bill_add_component(m, &c);
}

/* Those of `wanted` packages that a contained one depends on, as the lock says. */
static void add_needs(struct bill_maker *m, const struct xb_lock_packages *list, const size_t *wanted)
{
	for (size_t i = 0; i < list->len; i++) {
		const struct xb_lock_package *p = &list->items[i];

		for (size_t k = 0; wanted[i] && k < p->n_depends; k++) {
			const struct xb_lock_package *other = xb_lock_package(list, p->depends[k]);

			if (other && wanted[other - list->items])
				bill_add_id(m, &m->components.items[wanted[i] - 1].needs,
					    wanted[other - list->items] - 1);
		}
	}
}

/* Packages of base auto and debian: named by the run, described by the lock. */
static void add_base_packages(struct bill_maker *m, const struct xb_image_platform *platform)
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
			wanted[k][p - lists[k]->items] = bill_add_debian(m, p, XB_BILL_CONTAINED) + 1;
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

const char *bill_apk_purl(const struct xb_lock_apk *p, struct xb_arena *arena)
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

static void add_apks(struct bill_maker *m, const struct xb_lock_apko *apko)
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
			.purl = bill_apk_purl(p, m->arena),
			.license = apk_license(&m->part->ground, p->name),
			.file_name = xb_arena_sv(m->arena, xb_path_base(xb_sv(p->url))),
			.sha256 = p->sha256,
		};

		if (strcmp(p->arch, m->part->target->apk_arch) == 0)
			xb_map_put_str(&ids, p->name, (void *)(uintptr_t)(bill_add_component(m, &c) + 1));
	}
	for (size_t i = 0; i < apko->n_packages; i++) {
		const struct xb_lock_apk *p = &apko->packages[i];
		const size_t from = (size_t)(uintptr_t)xb_map_get_str(&ids, p->name);

		if (!from || strcmp(p->arch, m->part->target->apk_arch) != 0)
			continue;
		for (size_t k = 0; k < p->n_depends; k++) {
			const size_t to = (size_t)(uintptr_t)xb_map_get_str(&ids, p->depends[k]);

			if (to)
				bill_add_id(m, &m->components.items[from - 1].needs, to - 1);
		}
	}
}

/* "ghcr.io/acme/base:1" is "base" in a purl; a layout of this machine has no name that others know. */
static const char *ground_purl(struct bill_maker *m)
{
	const struct image_ground *ground = &m->part->ground;
	struct xb_sv rest = xb_path_base(xb_sv(ground->name));

	if (!ground->name)
		return NULL;
	return xb_bill_oci_purl(xb_arena_sv(m->arena, xb_sv_cut(&rest, ':')), &ground->digest, m->part->target,
				m->arena);
}

static void add_ground(struct bill_maker *m)
{
	const struct image_ground *ground = &m->part->ground;
	const struct xb_bill_component c = {
		.kind = XB_BILL_IMAGE,
		.roles = XB_BILL_GROUND,
		.name = ground->name ? ground->name : m->e->built->image->base_ref,
		.arch = m->part->target->oci_arch,
		.sha256 = ground->digest,
		.purl = ground_purl(m),
		.comment = "the packages in it are those that its own lists name; what else is in it is for its own "
			   "documents to say",
	};

	if (c.name && !xb_digest_is_zero(&c.sha256))
		bill_add_component(m, &c);
}

/* "debian-12", where the base says it. */
static const char *installed_qualifiers(struct bill_maker *m, const struct xb_installed *all, const char *arch)
{
	const bool is_named = *arch && !strpbrk(arch, "&=?#%/");

	if (!is_named && !all->os_version)
		return NULL;
	return xb_arena_printf(m->arena, "%s%s%s%s%s%s%s", is_named ? "arch=" : "", is_named ? arch : "",
			       is_named && all->os_version ? "&" : "", all->os_version ? "distro=" : "",
			       all->os_version && all->os ? all->os : "", all->os_version && all->os ? "-" : "",
			       all->os_version ? all->os_version : "");
}

/* Packages that are in the layers of another image; nobody has told their digests. */
static int add_installed(struct bill_maker *m, struct xb_err *err)
{
	struct xb_installed all = {0};
	int rc = xb_installed_read(&m->part->rootfs, m->arena, &all, err);

	for (size_t i = 0; rc == 0 && i < all.packages.len; i++) {
		const struct xb_installed_package *p = &all.packages.items[i];
		const bool apk = strcmp(p->format, "apk") == 0;
		const char *vendor = all.os ? all.os : apk ? "alpine" : "debian";
		const struct xb_bill_component c = {
			.kind = apk ? XB_BILL_APK : XB_BILL_DEBIAN,
			.roles = XB_BILL_CONTAINED,
			.name = p->name,
			.version = p->version,
			.arch = *p->arch ? p->arch : NULL,
			.purl = xb_bill_purl(p->format, vendor, p->name, p->version,
					     installed_qualifiers(m, &all, p->arch), m->arena),
			.comment = "named by the list of packages of the base",
		};

		bill_add_component(m, &c);
	}
	XB_VEC_RELEASE(&all.packages);
	return rc;
}

int bill_add_base(struct bill_maker *m, const struct xb_image_platform *platform, struct xb_err *err)
{
	const struct xb_image *image = m->e->built->image;
	const struct xb_lock_apko *apko = m->lock && image->apko ? xb_lock_apko(m->lock, image->apko) : NULL;

	if (m->lock && platform->n_packages)
		add_base_packages(m, platform);
	if (apko)
		add_apks(m, apko);
	add_ground(m);
	return image->base == XB_BASE_IMAGE ? add_installed(m, err) : 0;
}
