/* SPDX-License-Identifier: Apache-2.0 */
/* The packages of a platform, from the lists in its layers (image/installed). */
#include <stdlib.h>
#include <string.h>

#include "view_parts.h"
#include "xbuild/base/map.h"
#include "xbuild/base/vec.h"
#include "xbuild/image/installed.h"

bool view_is_database(const char *path)
{
	return xb_installed_is_list(path);
}

void view_read_database(struct xb_sv text, struct view_database *db, struct xb_arena *arena)
{
	struct xb_installed found = {0};

	xb_installed_parse(db->path, text, arena, &found);
	db->packages = xb_arena_array(arena, found.packages.len + 1, sizeof(*db->packages));
	for (size_t i = 0; i < found.packages.len; i++) {
		const struct xb_installed_package *p = &found.packages.items[i];

		db->packages[db->n_packages++] = (struct xb_view_package){p->format, p->name, p->version, p->arch, 0};
	}
	XB_VEC_RELEASE(&found.packages);
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
