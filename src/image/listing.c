/* SPDX-License-Identifier: Apache-2.0 */
#include "listing.h"

#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/map.h"
#include "xbuild/base/num.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"
#include "xbuild/store/action_cache.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fs.h"

#define LISTING_VERSION "xbuild listing 3"

void listing_key(const struct xb_listed_layer *layer, struct xb_digest *out)
{
	char blob[XB_DIGEST_HEX], diff_id[XB_DIGEST_HEX];
	char *text XB_CLEANUP(xb_free_ptr) =
		xb_printf("%s %s %s%s", LISTING_VERSION, xb_digest_hex(&layer->blob, blob),
			  xb_digest_hex(&layer->diff_id, diff_id), layer->all_files ? " all" : "");

	xb_digest_bytes(text, strlen(text), out);
}

/* A record; strings are in the listing's text. */
struct record {
	char type;
	uint32_t mode, uid, gid;
	int64_t size_bytes;
	struct xb_digest digest;
	const char *path, *target;
};

static bool read_number(struct xb_sv *rest, uint64_t max, uint64_t *out)
{
	return xb_num_u64(xb_sv_cut(rest, ' '), max, out);
}

/* The store's own text; that it can be read at all is what is checked here. */
static bool next_record(struct xb_sv *text, struct record *out)
{
	struct xb_sv head = xb_sv_cut(text, '\0');
	const struct xb_sv path = xb_sv_cut(text, '\0'), target = xb_sv_cut(text, '\0');
	const struct xb_sv type = xb_sv_cut(&head, ' ');
	uint64_t uid, gid, size;

	if (!text->ptr || type.len != 1 || !xb_num_octal(xb_sv_cut(&head, ' '), 07777, &out->mode) ||
	    !read_number(&head, UINT32_MAX, &uid) || !read_number(&head, UINT32_MAX, &gid) ||
	    !read_number(&head, INT64_MAX, &size))
		return false;
	out->type = type.ptr[0];
	out->uid = (uint32_t)uid;
	out->gid = (uint32_t)gid;
	out->size_bytes = (int64_t)size;
	out->digest = (struct xb_digest){0};
	out->path = path.ptr;
	out->target = target.ptr;
	return xb_sv_eq_str(head, "-") || xb_digest_parse(head, &out->digest);
}

int xb_listing_find(struct xb_store *store, const struct xb_listed_layer *layer, struct xb_str *out, struct xb_err *err)
{
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_reapi_result result = {0};
	struct xb_digest key;
	int fd XB_CLEANUP(xb_fs_close) = -1;

	listing_key(layer, &key);
	if (xb_action_get(store, &key, &arena, &result) != 1 || !result.n_outputs)
		return 0;
	for (size_t i = 0; i < result.n_outputs; i++) {
		char *path XB_CLEANUP(xb_free_ptr) = NULL;

		if (strcmp(result.outputs[i].path, LISTING_OUTPUT) != 0)
			continue;
		path = xb_cas_path(store, &result.outputs[i].digest.hash);
		xb_str_reset(out);
		return xb_fs_read(path, 4 * XB_MAX_LAYER_NAME_BYTES, out, err) < 0 ? err->code : 1;
	}
	return 0;
}

/* ---- one layer on top of others ---- */

struct layers {
	struct xb_store *store;
	struct xb_rootfs *base;
	bool *gone; /* per entry of base */
	struct xb_rootfs added;
	struct xb_map numbers; /* path of an added entry -> its number + 1 */
	const char *origin;
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct xb_rootfs_entry *)a)->path, ((const struct xb_rootfs_entry *)b)->path);
}

/* Index of the first entry whose path is not before `path`. */
static size_t lower_bound(const struct xb_rootfs *rootfs, const char *path)
{
	size_t low = 0, high = rootfs->len;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (strcmp(rootfs->items[middle].path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Takes out what lower layers have below a directory; all paths that begin with "path/" follow each other. */
static void remove_below(struct layers *l, const char *path)
{
	char *prefix XB_CLEANUP(xb_free_ptr) = xb_printf("%s%s", path, path[0] ? "/" : "");
	const size_t len = strlen(prefix);

	for (size_t i = lower_bound(l->base, prefix); i < l->base->len; i++) {
		if (strncmp(l->base->items[i].path, prefix, len) != 0)
			return;
		l->gone[i] = true;
	}
}

static void remove_path(struct layers *l, const char *path)
{
	const size_t i = lower_bound(l->base, path);

	if (i < l->base->len && strcmp(l->base->items[i].path, path) == 0)
		l->gone[i] = true;
	remove_below(l, path);
}

/* What this layer has at a path already goes: a directory that was only named by what lies in it, for instance. */
static void put_entry(struct layers *l, const struct xb_rootfs_entry *entry)
{
	const uintptr_t number = (uintptr_t)xb_map_get_str(&l->numbers, entry->path);

	xb_rootfs_add(&l->added, entry);
	if (number)
		l->added.items[number - 1] = l->added.items[--l->added.len];
	else
		xb_map_put_str(&l->numbers, entry->path, (void *)(uintptr_t)l->added.len);
}

/* Directories above it that no layer names are made, as by whoever unpacks it. */
static void add_entry(struct layers *l, const struct xb_rootfs_entry *entry)
{
	for (const char *slash = strchr(entry->path, '/'); slash; slash = strchr(slash + 1, '/')) {
		char *above XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_sv_n(entry->path, (size_t)(slash - entry->path)));
		const struct xb_rootfs_entry *old = xb_rootfs_find(l->base, above);

		if ((!old || l->gone[old - l->base->items]) && !xb_map_get_str(&l->numbers, above))
			put_entry(l, &(struct xb_rootfs_entry){.path = above,
							       .type = XB_TREE_DIR,
							       .mode = 0755,
							       .origin = l->origin,
							       .layer = XB_LAYER_BASE});
	}
	put_entry(l, entry);
}

static void add(struct layers *l, const struct record *record)
{
	struct xb_rootfs_entry e = {.path = record->path,
				    .mode = record->mode,
				    .uid = record->uid,
				    .gid = record->gid,
				    .digest = record->digest,
				    .size_bytes = record->size_bytes,
				    .type = XB_TREE_FILE,
				    .origin = l->origin,
				    .layer = XB_LAYER_BASE};
	char *source XB_CLEANUP(xb_free_ptr) = NULL;

	switch (record->type) {
	case 'd':
		e.type = XB_TREE_DIR;
		break;
	case 'l':
		e.type = XB_TREE_SYMLINK;
		e.target = record->target;
		break;
	case 'k':
		source = l->store ? xb_cas_path(l->store, &record->digest) : NULL;
		e.source = source;
		break;
	}
	add_entry(l, &e);
}

/* The file that a hard link means: one of this layer that came before, or of a layer below. */
static const struct xb_rootfs_entry *linked(const struct layers *l, const char *path)
{
	const uintptr_t number = (uintptr_t)xb_map_get_str(&l->numbers, path);

	return number ? &l->added.items[number - 1] : xb_rootfs_find(l->base, path);
}

static void add_hard_link(struct layers *l, const struct record *record)
{
	const struct xb_rootfs_entry *target = linked(l, record->target);
	struct xb_rootfs_entry e;

	if (!target || target->type == XB_TREE_DIR)
		return; /* leads nowhere: a reader would refuse it, and what needs the file will be told to lack it */
	e = *target;
	e.path = record->path;
	add_entry(l, &e);
}

/* What lower layers had at the path of a new entry goes; of a directory that was one and stays one, what is below stays. */
static void replace(struct layers *l, const struct record *record)
{
	const struct xb_rootfs_entry *old = xb_rootfs_find(l->base, record->path);

	if (!old)
		return;
	if (record->type == 'd' && old->type == XB_TREE_DIR)
		l->gone[old - l->base->items] = true;
	else
		remove_path(l, record->path);
}

/*
 * Where an entry lands: what unpacks a layer follows the links of the layers below it (a merged /usr: lib/x is usr/lib/x).
 * Links of its own layer are not followed: nothing may lie below them.
 */
static const char *find_place(const struct layers *l, const char *path, struct xb_str *buf)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		char *above XB_CLEANUP(xb_free_ptr) = xb_printf("/%.*s", (int)(slash - path), path);
		const struct xb_rootfs_entry *e = xb_rootfs_find(l->base, above + 1), *to;

		if (!e || e->type != XB_TREE_SYMLINK || xb_map_get_str(&l->numbers, above + 1))
			continue;
		to = xb_rootfs_resolve(l->base, above);
		if (!to || to->type != XB_TREE_DIR)
			continue;
		char *rest XB_CLEANUP(xb_free_ptr) = xb_strdup(slash);
		const size_t done = strlen(to->path);

		xb_str_reset(buf);
		xb_str_printf(buf, "%s%s", to->path, rest);
		path = buf->data;
		slash = path + done; /* no link is above it */
	}
	return path;
}

static int read_records(struct layers *l, struct xb_sv text, struct xb_err *err)
{
	struct xb_str place XB_CLEANUP(xb_str_release) = {0}, target XB_CLEANUP(xb_str_release) = {0};
	struct record record;

	while (text.len) {
		if (!next_record(&text, &record))
			return xb_fail(err, XB_E_DIGEST, "the listing of %s in the store is damaged", l->origin);
		record.path = find_place(l, record.path, &place);
		if (record.type == 'h')
			record.target = find_place(l, record.target, &target);
		switch (record.type) {
		case 'w':
			remove_path(l, record.path);
			break;
		case 'o':
			remove_below(l, record.path);
			break;
		case 'h':
			replace(l, &record);
			add_hard_link(l, &record);
			break;
		default:
			replace(l, &record);
			add(l, &record);
		}
	}
	return 0;
}

/* Both lists as one, sorted. */
static void join(struct layers *l)
{
	struct xb_rootfs joined = {0};

	for (size_t i = 0; i < l->base->len; i++) {
		if (!l->gone[i])
			xb_rootfs_add(&joined, &l->base->items[i]);
	}
	for (size_t i = 0; i < l->added.len; i++)
		xb_rootfs_add(&joined, &l->added.items[i]);
	if (joined.len)
		qsort(joined.items, joined.len, sizeof(*joined.items), compare);
	xb_rootfs_release(l->base);
	*l->base = joined;
}

int xb_listing_apply(struct xb_store *store, struct xb_sv listing, const char *origin, struct xb_rootfs *base,
		     struct xb_err *err)
{
	struct layers l = {.store = store, .base = base, .gone = xb_alloc(base->len + 1), .origin = origin};
	const int r = read_records(&l, listing, err);

	if (r == 0)
		join(&l);
	xb_rootfs_release(&l.added);
	xb_map_release(&l.numbers);
	free(l.gone);
	return r;
}
