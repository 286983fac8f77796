/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "xbuild/model/lockfile.h"
#include "xbuild/model/timestamp.h"

static const struct xb_lock_packages none = {0};

/* Both lists are sorted by name, so one walk over the two finds every difference. */
static void diff_packages(const struct xb_lock_packages *before, const struct xb_lock_packages *after,
			  const char *where, struct xb_str *out)
{
	size_t i = 0, k = 0;

	while (i < before->len || k < after->len) {
		const struct xb_lock_package *old = i < before->len ? &before->items[i] : NULL;
		const struct xb_lock_package *new = k < after->len ? &after->items[k] : NULL;
		const int order = !old ? 1 : !new ? -1 : strcmp(old->name, new->name);

		if (order < 0)
			xb_str_printf(out, "- %s %s (%s)\n", old->name, old->version, where);
		else if (order > 0)
			xb_str_printf(out, "+ %s %s (%s)\n", new->name, new->version, where);
		else if (strcmp(old->version, new->version) != 0)
			xb_str_printf(out, "~ %s %s -> %s (%s)\n", new->name, old->version, new->version, where);
		else if (!xb_digest_eq(&old->sha256, &new->sha256))
			xb_str_printf(out, "~ %s %s: same version, other content (%s)\n", new->name, new->version,
				      where);
		i += order <= 0;
		k += order >= 0;
	}
}

static void diff_suites(const struct xb_lock *before, const struct xb_lock *after, struct xb_str *out)
{
	char from[XB_TIMESTAMP_SIZE], to[XB_TIMESTAMP_SIZE];

	for (size_t i = 0; i < before->n_suites; i++) {
		const struct xb_lock_suite *old = &before->suites[i];

		if (!xb_lock_suite(after, old->id))
			xb_str_printf(out, "- suite %s %s\n", old->id, xb_timestamp_format(old->date, from));
	}
	for (size_t i = 0; i < after->n_suites; i++) {
		const struct xb_lock_suite *new = &after->suites[i];
		const struct xb_lock_suite *old = xb_lock_suite(before, new->id);

		xb_timestamp_format(new->date, to);
		if (!old)
			xb_str_printf(out, "+ suite %s %s\n", new->id, to);
		else if (!xb_digest_eq(&old->in_release, &new->in_release))
			xb_str_printf(out, "~ suite %s %s -> %s\n", new->id, xb_timestamp_format(old->date, from), to);
	}
}

static void diff_toolchain(const struct xb_lock_toolchain *old, const struct xb_lock_toolchain *new, struct xb_str *out)
{
	char where[64];

	(void)snprintf(where, sizeof(where), "toolchain of %s", new ? new->host : old->host);
	if (!old)
		xb_str_printf(out, "+ %s %s (%s)\n", new->name, new->version, where);
	else if (!new)
		xb_str_printf(out, "- %s %s (%s)\n", old->name, old->version, where);
	else if (strcmp(old->name, new->name) != 0 || strcmp(old->version, new->version) != 0)
		xb_str_printf(out, "~ %s %s -> %s %s (%s)\n", old->name, old->version, new->name, new->version, where);
	else if (!xb_digest_eq(&old->archive.sha256, &new->archive.sha256))
		xb_str_printf(out, "~ %s %s: another archive (%s)\n", new->name, new->version, where);
	diff_packages(old ? &old->packages : &none, new ? &new->packages : &none, where, out);
	diff_packages(old ? &old->tools : &none, new ? &new->tools : &none, where, out);
}

static void diff_sysroot(const struct xb_lock_sysroot *old, const struct xb_lock_sysroot *new, struct xb_str *out)
{
	const char *target = new ? new->target : old->target;

	if (!old)
		xb_str_printf(out, "+ %s (%s)\n", new->name, target);
	else if (!new)
		xb_str_printf(out, "- %s (%s)\n", old->name, target);
	else if (strcmp(old->name, new->name) != 0)
		xb_str_printf(out, "~ %s -> %s (%s)\n", old->name, new->name, target);
	else if (!xb_digest_eq(&old->archive.sha256, &new->archive.sha256))
		xb_str_printf(out, "~ %s: other content (%s)\n", new->name, target);
	diff_packages(old ? &old->packages : &none, new ? &new->packages : &none, target, out);
}

static const struct xb_lock_rust no_rust = {.name = "", .version = ""};

/* Lists of one kind, both sorted by name. */
static void diff_rust_lists(const struct xb_lock_rust_list *before, size_t n_before,
			    const struct xb_lock_rust_list *after, size_t n_after, const char *what, struct xb_str *out)
{
	size_t i = 0, k = 0;
	char where[96];

	while (i < n_before || k < n_after) {
		const int order = i == n_before ? 1 : k == n_after ? -1 : strcmp(before[i].name, after[k].name);

		(void)snprintf(where, sizeof(where), "%s %s", what, order <= 0 ? before[i].name : after[k].name);
		diff_packages(order <= 0 ? &before[i].packages : &none, order >= 0 ? &after[k].packages : &none, where,
			      out);
		i += order <= 0;
		k += order >= 0;
	}
}

static void diff_rust(const struct xb_lock *before, const struct xb_lock *after, struct xb_str *out)
{
	const struct xb_lock_rust *old = before->rust ? before->rust : &no_rust;
	const struct xb_lock_rust *new = after->rust ? after->rust : &no_rust;

	if (!before->rust && after->rust)
		xb_str_printf(out, "+ %s %s\n", new->name, new->version);
	else if (before->rust && !after->rust)
		xb_str_printf(out, "- %s %s\n", old->name, old->version);
	else if (strcmp(old->name, new->name) != 0 || strcmp(old->version, new->version) != 0)
		xb_str_printf(out, "~ %s %s -> %s %s\n", old->name, old->version, new->name, new->version);
	diff_rust_lists(old->hosts, old->n_hosts, new->hosts, new->n_hosts, "rust of", out);
	diff_rust_lists(old->std, old->n_std, new->std, new->n_std, "rust std of", out);
	diff_packages(&old->crates.packages, &new->crates.packages, "crates", out);
}

static void diff_images(const struct xb_lock *before, const struct xb_lock *after, struct xb_str *out)
{
	char where[160];

	for (size_t i = 0; i < before->n_images; i++) {
		const struct xb_lock_image *old = &before->images[i];

		(void)snprintf(where, sizeof(where), "image %s, %s", old->image, old->target);
		if (!xb_lock_image(after, old->image, old->target))
			diff_packages(&old->packages, &none, where, out);
	}
	for (size_t i = 0; i < after->n_images; i++) {
		const struct xb_lock_image *new = &after->images[i];
		const struct xb_lock_image *old = xb_lock_image(before, new->image, new->target);

		(void)snprintf(where, sizeof(where), "image %s, %s", new->image, new->target);
		diff_packages(old ? &old->packages : &none, &new->packages, where, out);
	}
}

static const struct xb_lock_apk *find_apk(const struct xb_lock_apko *apko, const struct xb_lock_apk *like)
{
	for (size_t i = 0; i < apko->n_packages; i++) {
		if (strcmp(apko->packages[i].name, like->name) == 0 && strcmp(apko->packages[i].arch, like->arch) == 0)
			return &apko->packages[i];
	}
	return NULL;
}

static void diff_apko(const struct xb_lock_apko *old, const struct xb_lock_apko *new, const char *path,
		      struct xb_str *out)
{
	for (size_t i = 0; i < old->n_packages; i++) {
		const struct xb_lock_apk *a = &old->packages[i];

		if (!find_apk(new, a))
			xb_str_printf(out, "- %s %s (%s, %s)\n", a->name, a->version, path, a->arch);
	}
	for (size_t i = 0; i < new->n_packages; i++) {
		const struct xb_lock_apk *b = &new->packages[i], *a = find_apk(old, b);

		if (!a)
			xb_str_printf(out, "+ %s %s (%s, %s)\n", b->name, b->version, path, b->arch);
		else if (strcmp(a->version, b->version) != 0)
			xb_str_printf(out, "~ %s %s -> %s (%s, %s)\n", b->name, a->version, b->version, path, b->arch);
		else if (!xb_digest_eq(&a->sha256, &b->sha256))
			xb_str_printf(out, "~ %s %s: same version, other content (%s, %s)\n", b->name, b->version, path,
				      b->arch);
	}
}

static void diff_apkos(const struct xb_lock *before, const struct xb_lock *after, struct xb_str *out)
{
	static const struct xb_lock_apko nothing = {0};

	for (size_t i = 0; i < before->n_apkos; i++) {
		if (!xb_lock_apko(after, before->apkos[i].path))
			diff_apko(&before->apkos[i], &nothing, before->apkos[i].path, out);
	}
	for (size_t i = 0; i < after->n_apkos; i++) {
		const struct xb_lock_apko *old = xb_lock_apko(before, after->apkos[i].path);

		diff_apko(old ? old : &nothing, &after->apkos[i], after->apkos[i].path, out);
	}
}

static void diff_bases(const struct xb_lock *before, const struct xb_lock *after, struct xb_str *out)
{
	char from[XB_DIGEST_OCI], to[XB_DIGEST_OCI];

	for (size_t i = 0; i < before->n_bases; i++) {
		if (!xb_lock_base(after, before->bases[i].ref))
			xb_str_printf(out, "- base %s %s\n", before->bases[i].ref,
				      xb_digest_oci(&before->bases[i].index, from));
	}
	for (size_t i = 0; i < after->n_bases; i++) {
		const struct xb_lock_base *new = &after->bases[i], *old = xb_lock_base(before, new->ref);

		xb_digest_oci(&new->index, to);
		if (!old)
			xb_str_printf(out, "+ base %s %s\n", new->ref, to);
		else if (!xb_digest_eq(&old->index, &new->index))
			xb_str_printf(out, "~ base %s %s -> %s\n", new->ref, xb_digest_oci(&old->index, from), to);
	}
}

void xb_lock_diff(const struct xb_lock *before, const struct xb_lock *after, struct xb_str *out)
{
	diff_suites(before, after, out);
	for (size_t i = 0; i < before->n_toolchains; i++) {
		if (!xb_lock_toolchain(after, before->toolchains[i].host))
			diff_toolchain(&before->toolchains[i], NULL, out);
	}
	for (size_t i = 0; i < after->n_toolchains; i++)
		diff_toolchain(xb_lock_toolchain(before, after->toolchains[i].host), &after->toolchains[i], out);
	for (size_t i = 0; i < before->n_sysroots; i++) {
		if (!xb_lock_sysroot(after, before->sysroots[i].target))
			diff_sysroot(&before->sysroots[i], NULL, out);
	}
	for (size_t i = 0; i < after->n_sysroots; i++)
		diff_sysroot(xb_lock_sysroot(before, after->sysroots[i].target), &after->sysroots[i], out);
	diff_rust(before, after, out);
	diff_images(before, after, out);
	diff_apkos(before, after, out);
	diff_bases(before, after, out);
}
