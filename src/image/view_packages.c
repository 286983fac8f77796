/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of installed packages: deb-control(5) and dpkg's status file; apk's installed database (apk-tools, "P:" fields). */
#include <stdlib.h>
#include <string.h>

#include "view_parts.h"
#include "xbuild/base/map.h"
#include "xbuild/base/vec.h"

#define STATUS_D "var/lib/dpkg/status.d/"

static bool is_apk(const char *path)
{
	return strcmp(path, "lib/apk/db/installed") == 0 || strcmp(path, "usr/lib/apk/db/installed") == 0;
}

bool view_is_database(const char *path)
{
	/* beside each record distroless has the digests of its files */
	return is_apk(path) || strcmp(path, "var/lib/dpkg/status") == 0 ||
	       (strncmp(path, STATUS_D, strlen(STATUS_D)) == 0 && !xb_sv_ends(xb_sv(path), ".md5sums"));
}

/* One record in the making. */
struct record {
	struct xb_sv name, version, arch, status;
};

/* The value of a line "KEY: value" or "K:value" of this key; empty for another. */
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

/* dpkg(1) "Package states": want, error, state; only "installed" ones are there. No status: the file of one package. */
static bool is_installed(const struct record *record)
{
	return record->name.len && record->version.len &&
	       (!record->status.len || xb_sv_ends(record->status, " installed"));
}

void view_read_database(struct xb_sv text, struct view_database *db, struct xb_arena *arena)
{
	XB_VEC(struct xb_view_package) found = {0};
	const bool apk = is_apk(db->path);
	struct record record = {0};

	/* a blank line ends a record; so does the end */
	while (text.ptr) {
		const struct xb_sv line = xb_sv_cut(&text, '\n');

		if (line.len)
			take_line(line, apk, &record);
		if (line.len && text.ptr)
			continue;
		if (is_installed(&record))
			XB_VEC_PUSH(&found,
				    ((struct xb_view_package){apk ? "apk" : "deb", xb_arena_sv(arena, record.name),
							      xb_arena_sv(arena, record.version),
							      xb_arena_sv(arena, record.arch), 0}));
		record = (struct record){0};
	}
	db->packages = xb_arena_array(arena, found.len + 1, sizeof(*db->packages));
	for (size_t i = 0; i < found.len; i++)
		db->packages[db->n_packages++] = found.items[i];
	XB_VEC_RELEASE(&found);
}

static int by_name(const void *a, const void *b)
{
	const struct xb_view_package *x = a, *y = b;
	const int order = strcmp(x->name, y->name);

	if (order)
		return order;
	return strcmp(x->arch, y->arch) ? strcmp(x->arch, y->arch) : strcmp(x->version, y->version);
}

/* The topmost layer that has a list decides: layers are gone through from above, and a path that was seen is left out. */
void view_join_packages(const struct view_database *databases, struct xb_view_platform *platform, size_t *n_left,
			struct xb_arena *arena)
{
	XB_VEC(struct xb_view_package) all = {0};
	struct xb_map seen XB_CLEANUP(xb_map_release) = {0};

	for (size_t layer = platform->n_layers; layer-- > 0;) {
		const struct xb_view_layer *l = platform->layers[layer];

		/* the same layer a second time has nothing new: a manifest may name one a thousand times */
		if (xb_map_has(&seen, xb_sv(l->name)))
			continue;
		xb_map_put_str(&seen, l->name, platform);
		for (size_t i = l->first_list; i < l->first_list + l->n_lists; i++) {
			if (xb_map_has(&seen, xb_sv(databases[i].path)))
				continue;
			xb_map_put_str(&seen, databases[i].path, platform);
			for (size_t k = 0; k<databases[i].n_packages && * n_left> 0; k++, --*n_left) {
				XB_VEC_PUSH(&all, databases[i].packages[k]);
				all.items[all.len - 1].layer = layer;
			}
		}
	}
	if (all.len)
		qsort(all.items, all.len, sizeof(*all.items), by_name);
	platform->packages = xb_arena_array(arena, all.len + 1, sizeof(*platform->packages));
	for (size_t i = 0; i < all.len; i++)
		platform->packages[platform->n_packages++] = all.items[i];
	XB_VEC_RELEASE(&all);
}
