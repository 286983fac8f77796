/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/image/view_diff.h"

#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/map.h"

#define WHITEOUT     ".wh."
#define WHITEOUT_ALL ".wh..wh..opq" /* layer.md "Opaque Whiteout" */
#define SHORT_DIGITS 19		    /* "sha256:" and 12 digits, of contents */

/* A place where something differs. */
struct comparing {
	struct xb_view_diff *out;
	const char *platform, *kind;
};

void xb_view_diff_release(struct xb_view_diff *diff)
{
	if (!diff)
		return;
	XB_VEC_RELEASE(&diff->changes);
	xb_arena_release(&diff->arena);
	*diff = (struct xb_view_diff){0};
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Nothing where both are the same. */
static void compare_text(const struct comparing *c, const char *name, const char *what, const char *before,
			 const char *after)
{
	struct xb_arena *arena = &c->out->arena;

	if (same_text(before, after))
		return;
	XB_VEC_PUSH(&c->out->changes,
		    ((struct xb_view_change){c->platform, c->kind, xb_view_clean(arena, name), what,
					     xb_view_clean(arena, before), xb_view_clean(arena, after)}));
}

/* ---- documents ---- */

/* A value as text: strings as they are, others as JSON. NULL for a value that is not there. */
static const char *text_of(struct xb_arena *arena, const json_t *value)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	if (!value || json_is_string(value))
		return json_string_value(value);
	xb_json_write(value, 0, true, &text);
	return xb_arena_strdup(arena, xb_str_get(&text));
}

static void compare_value(const struct comparing *c, const char *name, const json_t *before, const json_t *after)
{
	if (!before || !after || !json_equal(before, after))
		compare_text(c, name, NULL, text_of(&c->out->arena, before), text_of(&c->out->arena, after));
}

static bool is_one_of(const char *const *names, const char *name)
{
	while (*names && strcmp(*names, name) != 0)
		names++;
	return *names;
}

/* Member by member, but for those of `skip`; each name is told with `prefix` in front. */
static void compare_members(const struct comparing *c, const char *prefix, const json_t *before, const json_t *after,
			    const char *const *skip)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)before, key, value)
	{
		if (!is_one_of(skip, key))
			compare_value(c, xb_arena_printf(&c->out->arena, "%s%s", prefix, key), value,
				      json_object_get(after, key));
	}
	json_object_foreach((json_t *)(uintptr_t)after, key, value)
	{
		if (!is_one_of(skip, key) && !json_object_get(before, key))
			compare_value(c, xb_arena_printf(&c->out->arena, "%s%s", prefix, key), NULL, value);
	}
}

static const char *const none[] = {NULL};

/* "NAME=value" of a list; later ones win, as a runtime sets them. */
static void put_env(struct xb_map *map, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));
		const char *is = text ? strchr(text, '=') : NULL;

		if (is)
			xb_map_put(map, xb_sv_n(text, (size_t)(is - text)), (void *)(uintptr_t)(is + 1));
	}
}

static void compare_env(const struct comparing *c, const json_t *before, const json_t *after)
{
	struct xb_map old XB_CLEANUP(xb_map_release) = {0}, new XB_CLEANUP(xb_map_release) = {0};

	put_env(&old, before);
	put_env(&new, after);
	for (size_t i = 0; i < old.len; i++)
		compare_text(c, xb_arena_printf(&c->out->arena, "Env %s", old.entries[i].key), NULL,
			     old.entries[i].value, xb_map_get_str(&new, old.entries[i].key));
	for (size_t i = 0; i < new.len; i++) {
		if (!xb_map_get_str(&old, new.entries[i].key))
			compare_text(c, xb_arena_printf(&c->out->arena, "Env %s", new.entries[i].key), NULL, NULL,
				     new.entries[i].value);
	}
}

/* config.md: what a container runs is below "config"; layers and packages are told by themselves. */
static void compare_config(struct comparing *c, const json_t *before, const json_t *after)
{
	static const char *const above[] = {"config", "rootfs", NULL}, *const below[] = {"Env", "Labels", NULL};
	const json_t *old = json_object_get(before, "config"), *new = json_object_get(after, "config");

	c->kind = "config";
	compare_members(c, "", before, after, above);
	compare_members(c, "", old, new, below);
	compare_env(c, json_object_get(old, "Env"), json_object_get(new, "Env"));
	compare_members(c, "Labels ", json_object_get(old, "Labels"), json_object_get(new, "Labels"), none);
}

/* ---- layers and packages ---- */

static void compare_layers(struct comparing *c, const struct xb_view_platform *before,
			   const struct xb_view_platform *after)
{
	char old_text[XB_DIGEST_OCI], new_text[XB_DIGEST_OCI];

	c->kind = "layer";
	for (size_t i = 0; i < before->n_layers || i < after->n_layers; i++) {
		const struct xb_view_layer *old = i < before->n_layers ? before->layers[i] : NULL;
		const struct xb_view_layer *new = i < after->n_layers ? after->layers[i] : NULL;
		const char *name = xb_arena_printf(&c->out->arena, "%zu", i + 1);

		compare_text(c, name, old && new ? "unpacked" : NULL,
			     old ? xb_digest_oci(&old->diff_id, old_text) : NULL,
			     new ? xb_digest_oci(&new->diff_id, new_text) : NULL);
		if (!old || !new)
			continue;
		/* the same tar, packed by another program */
		if (xb_digest_eq(&old->diff_id, &new->diff_id) && !xb_digest_is_zero(&old->digest) &&
		    !xb_digest_is_zero(&new->digest))
			compare_text(c, name, "packed", xb_digest_oci(&old->digest, old_text),
				     xb_digest_oci(&new->digest, new_text));
		/* what docker save wrote does not say */
		if (before->layer_types[i] && after->layer_types[i])
			compare_text(c, name, "media type", before->layer_types[i], after->layer_types[i]);
	}
}

static int package_order(const struct xb_view_package *a, const struct xb_view_package *b)
{
	return strcmp(a->name, b->name) ? strcmp(a->name, b->name) : strcmp(a->arch, b->arch);
}

/* Both are sorted, so one walk over the two finds every difference. */
static void compare_packages(struct comparing *c, const struct xb_view_platform *before,
			     const struct xb_view_platform *after)
{
	size_t i = 0, k = 0;

	c->kind = "package";
	while (i < before->n_packages || k < after->n_packages) {
		const struct xb_view_package *old = i < before->n_packages ? &before->packages[i] : NULL;
		const struct xb_view_package *new = k < after->n_packages ? &after->packages[k] : NULL;
		const int order = !old ? 1 : !new ? -1 : package_order(old, new);

		compare_text(c, order <= 0 ? old->name : new->name, NULL, order <= 0 ? old->version : NULL,
			     order >= 0 ? new->version : NULL);
		i += order <= 0;
		k += order >= 0;
	}
}

/* ---- files ---- */

/* An entry that a container sees. */
struct seen {
	const struct xb_view_entry *entry;
	size_t layer;
};

/* The file system of a platform, from the top layer down. */
struct merged {
	struct xb_map paths;  /* -> struct seen, in the arena */
	struct xb_map hidden; /* what of lower layers is not seen: see is_hidden */
	struct xb_arena arena;
};

static void release_merged(struct merged *m)
{
	xb_map_release(&m->paths);
	xb_map_release(&m->hidden);
	xb_arena_release(&m->arena);
}

/* Hidden by an upper layer: itself, or a directory that it lies in, or ("dir/") only what lies in that. */
static bool is_hidden(const struct merged *m, const char *path)
{
	if (!m->hidden.len)
		return false;
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		const size_t len = (size_t)(slash - path);

		if (xb_map_has(&m->hidden, xb_sv_n(path, len)) || xb_map_has(&m->hidden, xb_sv_n(path, len + 1)))
			return true;
	}
	return xb_map_has(&m->hidden, xb_sv("")) || xb_map_has(&m->hidden, xb_sv_n(path, strlen(path)));
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* What an entry hides in the layers below: what a whiteout names, and what lies below a path that is no directory. */
static void hide_below(struct merged *m, const struct xb_view_entry *e)
{
	const char *base = base_of(e->path);
	const size_t dir_len = (size_t)(base - e->path);

	if (strcmp(base, WHITEOUT_ALL) == 0) {
		xb_map_put(&m->hidden, xb_sv_n(e->path, dir_len), m); /* "dir/", or "" for all */
	} else if (strncmp(base, WHITEOUT, strlen(WHITEOUT)) == 0) {
		char *name XB_CLEANUP(xb_free_ptr) =
			xb_printf("%.*s%s", (int)dir_len, e->path, base + strlen(WHITEOUT));

		xb_map_put_str(&m->hidden, name, m);
	} else if (e->type != XB_VIEW_DIR) {
		xb_map_put_str(&m->hidden, e->path, m);
	}
}

static void add_layer(struct merged *m, const struct xb_view_layer *layer, size_t number)
{
	for (size_t i = 0; i < layer->n_entries; i++) {
		const struct xb_view_entry *e = &layer->entries[i];
		struct seen *seen;

		if (strncmp(base_of(e->path), WHITEOUT, strlen(WHITEOUT)) == 0 ||
		    xb_map_has(&m->paths, xb_sv(e->path)) || is_hidden(m, e->path))
			continue;
		seen = xb_arena_alloc(&m->arena, sizeof(*seen));
		*seen = (struct seen){e, number};
		xb_map_put_str(&m->paths, e->path, seen);
	}
	/* whiteouts are for lower layers only */
	for (size_t i = 0; i < layer->n_entries; i++)
		hide_below(m, &layer->entries[i]);
}

static void merge(const struct xb_view_platform *p, struct merged *out)
{
	for (size_t i = p->n_layers; i-- > 0;)
		add_layer(out, p->layers[i], i);
}

static const char *const type_names[] = {[XB_VIEW_FILE] = "file",
					 [XB_VIEW_DIR] = "directory",
					 [XB_VIEW_SYMLINK] = "link",
					 [XB_VIEW_HARDLINK] = "hard link",
					 [XB_VIEW_OTHER] = "special file"};

/* "file, 0755, 0:0, 12 bytes, sha256:0123456789ab, layer 2" of one that the other side does not have. */
static const char *describe(struct xb_arena *arena, const struct seen *s)
{
	const struct xb_view_entry *e = s->entry;
	char digest[XB_DIGEST_OCI];

	if (e->type == XB_VIEW_FILE)
		return xb_arena_printf(arena, "file, %04o, %u:%u, %lld bytes, %.*s, layer %zu", e->mode, e->uid, e->gid,
				       (long long)e->size_bytes, SHORT_DIGITS, xb_digest_oci(&e->digest, digest),
				       s->layer + 1);
	return xb_arena_printf(arena, "%s%s%s, %04o, %u:%u, layer %zu", type_names[e->type], e->target ? " to " : "",
			       e->target ? e->target : "", e->mode, e->uid, e->gid, s->layer + 1);
}

static void compare_entries(const struct comparing *c, const char *name, const struct seen *before,
			    const struct seen *after)
{
	const struct xb_view_entry *old = before->entry, *new = after->entry;
	struct xb_arena *arena = &c->out->arena;
	char old_text[XB_DIGEST_OCI], new_text[XB_DIGEST_OCI];

	if (old->type != new->type) {
		compare_text(c, name, "type", describe(arena, before), describe(arena, after));
		return;
	}
	if (old->mode != new->mode)
		compare_text(c, name, "mode", xb_arena_printf(arena, "%04o", old->mode),
			     xb_arena_printf(arena, "%04o", new->mode));
	if (old->uid != new->uid || old->gid != new->gid)
		compare_text(c, name, "owner", xb_arena_printf(arena, "%u:%u", old->uid, old->gid),
			     xb_arena_printf(arena, "%u:%u", new->uid, new->gid));
	compare_text(c, name, "target", old->target, new->target);
	if (old->size_bytes != new->size_bytes)
		compare_text(c, name, "size", xb_arena_printf(arena, "%lld", (long long)old->size_bytes),
			     xb_arena_printf(arena, "%lld", (long long)new->size_bytes));
	if (!xb_digest_eq(&old->digest, &new->digest))
		compare_text(c, name, "content", xb_digest_oci(&old->digest, old_text),
			     xb_digest_oci(&new->digest, new_text));
	if (before->layer != after->layer)
		compare_text(c, name, "layer", xb_arena_printf(arena, "%zu", before->layer + 1),
			     xb_arena_printf(arena, "%zu", after->layer + 1));
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void compare_files(struct comparing *c, const struct xb_view_platform *before,
			  const struct xb_view_platform *after)
{
	struct merged old XB_CLEANUP(release_merged) = {0}, new XB_CLEANUP(release_merged) = {0};
	const char **names XB_CLEANUP(xb_free_ptr) = NULL;
	size_t n = 0;

	c->kind = "file";
	merge(before, &old);
	merge(after, &new);
	names = xb_alloc((old.paths.len + new.paths.len + 1) * sizeof(*names));
	for (size_t i = 0; i < old.paths.len; i++)
		names[n++] = old.paths.entries[i].key;
	for (size_t i = 0; i < new.paths.len; i++) {
		if (!xb_map_has(&old.paths, xb_sv(new.paths.entries[i].key)))
			names[n++] = new.paths.entries[i].key;
	}
	qsort(names, n, sizeof(*names), by_bytes);
	for (size_t i = 0; i < n; i++) {
		const struct seen *was = xb_map_get_str(&old.paths, names[i]),
				  *is = xb_map_get_str(&new.paths, names[i]);
		char *name XB_CLEANUP(xb_free_ptr) = xb_printf("/%s", names[i]);

		if (was && is)
			compare_entries(c, name, was, is);
		else
			compare_text(c, name, NULL, was ? describe(&c->out->arena, was) : NULL,
				     is ? describe(&c->out->arena, is) : NULL);
	}
}

/* ---- the whole ---- */

static struct xb_view_platform *find_platform(const struct xb_view *view, const char *name)
{
	for (size_t i = 0; i < view->platforms.len; i++) {
		if (strcmp(view->platforms.items[i]->name, name) == 0)
			return view->platforms.items[i];
	}
	return NULL;
}

static void compare_platforms(struct comparing *c, const struct xb_view_platform *before,
			      const struct xb_view_platform *after)
{
	if (*before->digest && strcmp(before->digest, after->digest) == 0)
		return;
	c->platform = xb_view_clean(&c->out->arena, before->name);
	compare_config(c, before->config, after->config);
	c->kind = "annotation";
	compare_members(c, "", before->annotations, after->annotations, none);
	compare_layers(c, before, after);
	compare_packages(c, before, after);
	compare_files(c, before, after);
}

/* Of the index that is named first; an archive names its platforms beside it once more. */
static const json_t *index_annotations(const struct xb_view *view)
{
	return view->images.len ? view->images.items[0].annotations : NULL;
}

void xb_view_compare(const struct xb_view *before, const struct xb_view *after, struct xb_view_diff *out)
{
	struct comparing c = {out, "", "annotation"};

	compare_members(&c, "", index_annotations(before), index_annotations(after), none);
	for (size_t i = 0; i < before->platforms.len; i++) {
		struct xb_view_platform *old = before->platforms.items[i], *new = find_platform(after, old->name);

		if (find_platform(before, old->name) != old)
			continue; /* a client takes the first */
		if (new) {
			compare_platforms(&c, old, new);
			continue;
		}
		c = (struct comparing){out, "", "platform"};
		compare_text(&c, old->name, NULL, old->digest, NULL);
	}
	for (size_t i = 0; i < after->platforms.len; i++) {
		const struct xb_view_platform *new = after->platforms.items[i];

		c = (struct comparing){out, "", "platform"};
		if (!find_platform(before, new->name) && find_platform(after, new->name) == new)
			compare_text(&c, new->name, NULL, NULL, new->digest);
	}
}
