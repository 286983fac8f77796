/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "tree_stage.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static void to_lower(const char *path, struct xb_str *out)
{
	xb_str_reset(out);
	for (const char *c = path; *c; c++)
		xb_str_append_char(out, lower(*c));
}

/* What stands below a directory that was dropped goes with it. */
static bool is_below_dropped(const struct xb_map *dropped, const char *path)
{
	struct xb_sv dir = xb_path_dir(xb_sv(path));

	for (; dir.len; dir = xb_path_dir(dir))
		if (xb_map_has(dropped, dir))
			return true;
	return false;
}

const char *xb_tree_entries_fold(struct xb_tree_entries *entries, struct xb_str *out)
{
	struct xb_map seen XB_CLEANUP(xb_map_release) = {0}, dropped XB_CLEANUP(xb_map_release) = {0};
	struct xb_str name XB_CLEANUP(xb_str_release) = {0};
	const char *first = NULL;
	size_t len = 0;

	for (size_t i = 0; i < entries->len; i++) {
		const struct xb_tree_entry *entry = &entries->items[i];

		to_lower(entry->path, &name);
		if (!is_below_dropped(&dropped, entry->path) && !xb_map_has(&seen, xb_str_sv(&name))) {
			xb_map_put(&seen, xb_str_sv(&name), entries);
			entries->items[len++] = *entry;
			continue;
		}
		xb_map_put(&dropped, xb_sv(entry->path), entries);
		xb_str_printf(out, "%s\n", entry->path);
		if (!first)
			first = entry->path;
	}
	entries->len = len;
	return first;
}
