/* SPDX-License-Identifier: Apache-2.0 */
/* Records of the installed database: apko, pkg/apk/apk/installed.go and package.go "PackageToInstalled". */
#include <stdlib.h>
#include <string.h>

#include "apk_steps.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"

static void put_list(struct xb_str *out, const char *key, const struct xb_list *list)
{
	xb_str_append(out, key);
	for (size_t i = 0; i < list->len; i++)
		xb_str_printf(out, "%s%s", i ? " " : "", list->items[i]);
	xb_str_append_char(out, '\n');
}

/* install_if stands there as Go prints a list: in brackets. */
static void put_head(const struct xb_apk *apk, struct xb_str *out)
{
	const struct xb_apk_info *i = &apk->info;
	char checksum[XB_SHA1_BASE64];

	xb_str_printf(out, "P:%s\nV:%s\nA:%s\nL:%s\nT:%s\no:%s\nm:%s\nU:%s\n", i->name, i->version, i->arch, i->license,
		      i->description, i->origin, i->maintainer, i->url);
	put_list(out, "D:", &i->depends);
	put_list(out, "p:", &i->provides);
	if (i->replaces.len)
		put_list(out, "r:", &i->replaces);
	xb_str_printf(out, "c:%s\ni:[", i->commit);
	for (size_t k = 0; k < i->install_if.len; k++)
		xb_str_printf(out, "%s%s", k ? " " : "", i->install_if.items[k]);
	xb_str_printf(out, "]\nt:%lld\nS:%lld\nI:%lld\nk:%lld\nC:Q1%s\n", (long long)i->build_date,
		      (long long)apk->size_bytes, (long long)i->installed_bytes, (long long)i->provider_priority,
		      xb_sha1_base64(&apk->checksum, checksum));
}

/*
 * Order of the file lines: in each directory what is no directory first, by name, then the directories, each followed by
 * what is in it (installed.go "pathCompare").
 */
static int compare_paths(const void *a, const void *b)
{
	const struct xb_apk_entry *one = *(const struct xb_apk_entry *const *)a;
	const struct xb_apk_entry *two = *(const struct xb_apk_entry *const *)b;
	struct xb_sv rest_a = xb_sv(one->path), rest_b = xb_sv(two->path);

	for (;;) {
		const struct xb_sv name_a = xb_sv_cut(&rest_a, '/'), name_b = xb_sv_cut(&rest_b, '/');
		const bool is_dir_a = rest_a.ptr || one->type == XB_APK_DIR;
		const bool is_dir_b = rest_b.ptr || two->type == XB_APK_DIR;
		const int order = xb_sv_compare(name_a, name_b);

		if (is_dir_a != is_dir_b)
			return is_dir_a ? 1 : -1;
		if (order)
			return order;
		if (!rest_a.ptr || !rest_b.ptr)
			return (rest_a.ptr != NULL) - (rest_b.ptr != NULL);
	}
}

/* A line needs the directories above it to be in the package too. */
static bool has_parents(const struct xb_map *dirs, const char *path)
{
	for (struct xb_sv dir = xb_path_dir(xb_sv(path)); dir.len; dir = xb_path_dir(dir)) {
		if (!xb_map_has(dirs, dir))
			return false;
	}
	return true;
}

static void put_entry(const struct xb_apk_entry *e, bool *is_top, struct xb_str *out)
{
	char sum[XB_SHA1_BASE64];

	if (e->type == XB_APK_DIR) {
		xb_str_printf(out, "F:%s\n", e->path);
		if (e->mode != 0755 || e->uid || e->gid)
			xb_str_printf(out, "M:%u:%u:%04o\n", e->uid, e->gid, e->mode);
		*is_top = false;
		return;
	}
	if (*is_top)
		xb_str_append(out, "F:\n");
	*is_top = false;
	xb_str_printf(out, "R:%.*s\n", XB_SV_ARG(xb_path_base(xb_sv(e->path))));
	if (e->mode != 0644 || e->uid || e->gid)
		xb_str_printf(out, "a:%u:%u:%04o\n", e->uid, e->gid, e->mode);
	if (e->has_sum)
		xb_str_printf(out, "Z:Q1%s\n", xb_sha1_base64(&e->sum, sum));
}

void apk_record_write(const struct xb_apk *apk, const struct xb_map *owners, struct xb_str *out)
{
	struct xb_map dirs XB_CLEANUP(xb_map_release) = {0};
	XB_VEC(const struct xb_apk_entry *) files = {0};
	bool is_top = true;

	put_head(apk, out);
	for (size_t i = 0; i < apk->n_entries; i++) {
		const struct xb_apk_entry *e = &apk->entries[i];
		const struct xb_apk *owner = xb_map_get_str(owners, e->path);

		if (owner && owner != apk)
			continue;
		XB_VEC_PUSH(&files, e);
		if (e->type == XB_APK_DIR)
			xb_map_put_str(&dirs, e->path, out);
	}
	if (files.len)
		qsort(files.items, files.len, sizeof(*files.items), compare_paths);
	for (size_t i = 0; i < files.len; i++) {
		if (has_parents(&dirs, files.items[i]->path))
			put_entry(files.items[i], &is_top, out);
	}
	xb_str_append_char(out, '\n');
	XB_VEC_RELEASE(&files);
}
