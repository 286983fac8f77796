/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/image/installed.h"

#include <string.h>

#include "xbuild/base/limits.h"
#include "xbuild/base/str.h"
#include "xbuild/sys/fs.h"

#define STATUS_D     "var/lib/dpkg/status.d/"
#define MAX_PACKAGES 100000 /* of one image; Debian as a whole has fewer */

static bool is_apk(const char *path)
{
	return strcmp(path, "lib/apk/db/installed") == 0 || strcmp(path, "usr/lib/apk/db/installed") == 0;
}

bool xb_installed_is_list(const char *path)
{
	/* beside each record distroless has the digests of its files */
	return is_apk(path) || strcmp(path, "var/lib/dpkg/status") == 0 ||
	       (strncmp(path, STATUS_D, strlen(STATUS_D)) == 0 && !xb_sv_ends(xb_sv(path), ".md5sums"));
}

bool xb_installed_is_release(const char *path)
{
	return strcmp(path, "etc/os-release") == 0 || strcmp(path, "usr/lib/os-release") == 0;
}

/* One record in the making. */
struct record {
	struct xb_sv name, version, arch, status;
};

/* The value of a line "KEY: value" or "K:value" of this key; false for another. */
static bool take(struct xb_sv line, const char *key, struct xb_sv *out)
{
	const size_t len = strlen(key);

	if (!xb_sv_starts(line, key) || line.len <= len || line.ptr[len] != ':')
		return false;
	*out = xb_sv_trim(xb_sv_n(line.ptr + len + 1, line.len - len - 1));
	return true;
}

static void take_line(struct xb_sv line, bool apk, struct record *record)
{
	if (apk) {
		(void)(take(line, "P", &record->name) || take(line, "V", &record->version) ||
		       take(line, "A", &record->arch));
		return;
	}
	(void)(take(line, "Package", &record->name) || take(line, "Version", &record->version) ||
	       take(line, "Architecture", &record->arch) || take(line, "Status", &record->status));
}

static bool is_plain(struct xb_sv text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
			return false;
	return true;
}

/* dpkg(1) "Package states": want, error, state; only "installed" ones are there. No status: the file of one package. */
static bool is_installed(const struct record *record)
{
	return record->name.len && record->version.len && is_plain(record->name) && is_plain(record->version) &&
	       is_plain(record->arch) && (!record->status.len || xb_sv_ends(record->status, " installed"));
}

void xb_installed_parse(const char *path, struct xb_sv text, struct xb_arena *arena, struct xb_installed *out)
{
	const bool apk = is_apk(path);
	struct record record = {0};

	/* a blank line ends a record; so does the end */
	while (text.ptr) {
		const struct xb_sv line = xb_sv_cut(&text, '\n');

		if (line.len)
			take_line(line, apk, &record);
		if (line.len && text.ptr)
			continue;
		if (is_installed(&record))
			XB_VEC_PUSH(&out->packages,
				    ((struct xb_installed_package){apk ? "apk" : "deb", xb_arena_sv(arena, record.name),
								   xb_arena_sv(arena, record.version),
								   xb_arena_sv(arena, record.arch)}));
		record = (struct record){0};
	}
}

/* os-release(5): KEY=value, the value perhaps in quotes. Only what can stand in a package URL as it is counts. */
static void take_release(struct xb_sv text, struct xb_arena *arena, struct xb_installed *out)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";

	while (text.ptr) {
		struct xb_sv value = xb_sv_trim(xb_sv_cut(&text, '\n'));
		const struct xb_sv key = xb_sv_cut(&value, '=');
		const char **field = xb_sv_eq_str(key, "ID")	       ? &out->os
				     : xb_sv_eq_str(key, "VERSION_ID") ? &out->os_version
								       : NULL;

		if (!field || !value.ptr)
			continue;
		if (value.len >= 2 && (*value.ptr == '"' || *value.ptr == '\''))
			value = xb_sv_n(value.ptr + 1, value.len - 2);
		*field = xb_arena_sv(arena, value);
		if (!value.len || strspn(*field, plain) != value.len)
			*field = NULL;
	}
}

int xb_installed_read(const struct xb_rootfs *rootfs, struct xb_arena *arena, struct xb_installed *out,
		      struct xb_err *err)
{
	for (size_t i = 0; i < rootfs->len && out->packages.len < MAX_PACKAGES; i++) {
		const struct xb_rootfs_entry *e = &rootfs->items[i];
		const bool is_list = xb_installed_is_list(e->path);
		struct xb_str text XB_CLEANUP(xb_str_release) = {0};

		if (e->layer != XB_LAYER_BASE || e->type != XB_TREE_FILE || !e->source ||
		    (!is_list && !xb_installed_is_release(e->path)))
			continue;
		if (xb_fs_read(e->source, XB_MAX_JSON_BYTES, &text, err) < 0)
			return xb_wrap(err, "%s: '%s'", e->origin, e->path);
		if (is_list)
			xb_installed_parse(e->path, xb_str_sv(&text), arena, out);
		else
			take_release(xb_str_sv(&text), arena, out);
	}
	return 0;
}
