/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/pkg/deb_tree.h"

/* Raised whenever unpacking or fixing up gives another tree for the same packages. */
#define UNPACKER_VERSION 1
#define IMAGE_VERSION	 2 /* the same for trees of images alone */

static void add_list(struct xb_str *text, const char *word, const struct xb_list *list)
{
	for (size_t i = 0; list && i < list->len; i++)
		xb_str_printf(text, "%s %s\n", word, list->items[i]);
}

void xb_deb_tree_recipe(const struct xb_deb_tree *spec, struct xb_digest *out)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	char hex[XB_DIGEST_HEX];

	xb_str_printf(&text, "xbuild deb tree %d\nkind %s\nname %s\nvariant %s\nlinks %d\nimage %d\n", UNPACKER_VERSION,
		      spec->kind, spec->name, spec->variant, (int)spec->dangling, spec->for_image ? IMAGE_VERSION : 0);
	for (size_t i = 0; i < spec->packages->len; i++)
		xb_str_printf(&text, "package %s\n", xb_digest_hex(&spec->packages->items[i].sha256, hex));
	add_list(&text, "drop", spec->drop);
	add_list(&text, "exclude", spec->exclude);
	xb_digest_bytes(xb_str_get(&text), text.len, out);
}
