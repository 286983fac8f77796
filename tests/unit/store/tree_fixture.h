/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of trees from tables. */
#ifndef XBUILD_TESTS_STORE_TREE_FIXTURE_H
#define XBUILD_TESTS_STORE_TREE_FIXTURE_H

#include "fixture.h"

#include "xbuild/store/tree.h"

/* 'd' directory, 'f' file with text, 'x' program with text, 'l' symlink to text, 'h' hard link to text; 0 ends a table. */
struct item {
	char type;
	const char *path, *text;
};

static inline int fill_part(struct xb_tree_part *part, const struct item *items, struct xb_err *err)
{
	for (; items->type; items++) {
		const uint32_t mode = items->type == 'x' ? 0755 : 0644;
		int rc = 0;

		if (items->type == 'd')
			rc = xb_tree_part_dir(part, items->path, 0755, 0, 0, err);
		else if (items->type == 'l')
			rc = xb_tree_part_symlink(part, items->path, items->text, err);
		else if (items->type == 'h')
			rc = xb_tree_part_hardlink(part, items->path, items->text, err);
		else if (xb_tree_part_file_begin(part, items->path, mode, 0, 0, err) < 0 ||
			 xb_tree_part_file_write(part, items->text, strlen(items->text), err) < 0 ||
			 xb_tree_part_file_end(part, err) < 0)
			rc = err->code;
		if (rc < 0)
			return rc;
	}
	return 0;
}

#define MAX_PARTS 4

/* Makes parts "p0", "p1" ... from tables (NULL ends), merges and, when recipe is given, commits. */
static inline int make_tree(struct xb_store *store, const struct item *const *tables, const struct xb_digest *recipe,
			    struct xb_tree_entries *entries, struct xb_tree *out, struct xb_err *err)
{
	struct xb_tree_part *parts[MAX_PARTS] = {0};
	struct xb_tree_stage *stage;
	size_t n = 0;
	int rc = xb_tree_stage_open(store, &stage, err);

	if (rc < 0)
		return rc;
	for (; rc == 0 && tables[n]; n++) {
		char name[] = {'p', (char)('0' + n), 0};

		parts[n] = xb_tree_part_new(stage, name);
		rc = fill_part(parts[n], tables[n], err);
	}
	if (rc == 0)
		rc = xb_tree_merge(parts, n, entries, err);
	for (size_t i = 0; i < MAX_PARTS; i++)
		xb_tree_part_free(parts[i]);
	if (rc == 0 && recipe)
		rc = xb_tree_commit(stage, entries, recipe, out, err);
	xb_tree_stage_close(stage);
	return rc;
}

#endif
