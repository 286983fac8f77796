/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/pkg/fixup.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"

#define MAX_HOPS 40 /* symlinks followed on one way, as Linux does (path_resolution(7)) */

/* True when the first component of a path without leading slash is such a directory. */
static bool is_aliased(struct xb_sv path)
{
	const struct xb_sv top = xb_sv_cut(&path, '/');

	for (const char *const *alias = xb_tree_usr_aliases(); *alias; alias++)
		if (xb_sv_eq_str(top, *alias))
			return true;
	return false;
}

int xb_fixup_strip_top(struct xb_tree_entries *entries, const char *const *tops, struct xb_err *err)
{
	struct xb_sv top = {0};
	size_t len = 0;

	for (const char *const *name = tops; *name; name++) {
		const struct xb_tree_entry *entry = xb_tree_entries_find(entries, *name);

		if (entry && entry->type == XB_TREE_DIR)
			return 0;
	}
	for (size_t i = 0; i < entries->len; i++) {
		struct xb_sv rest = xb_sv(entries->items[i].path);
		const struct xb_sv first = xb_sv_cut(&rest, '/');

		if (top.ptr && !xb_sv_eq(top, first))
			return xb_fail(err, XB_E_VERIFY, "the archive has neither %s/ nor one directory at its top",
				       tops[0]);
		top = first;
		if (!rest.ptr)
			continue;
		entries->items[len] = entries->items[i];
		entries->items[len++].path = rest.ptr;
	}
	entries->len = len;
	xb_tree_entries_sort(entries);
	return 0;
}

/* Folds a link's target, as seen from `link`, into a clean path from the root ("." for the root); false: leaves it. */
static bool fold_target(const char *link, const char *target, struct xb_str *out)
{
	char *joined XB_CLEANUP(xb_free_ptr) = NULL;
	char *dir XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_path_dir(xb_sv(link)));

	joined = target[0] == '/' ? xb_strdup(target) : xb_path_join(dir, target);
	xb_path_clean(xb_sv(joined), out);
	if (out->data[0] == '/') {
		memmove(out->data, out->data + 1, out->len);
		out->len--;
		if (!out->len)
			xb_str_append_char(out, '.');
		return true;
	}
	return !xb_sv_eq_str(xb_str_sv(out), "..") && !xb_sv_starts(xb_str_sv(out), "../");
}

static char *relative_to(const char *link, const char *target)
{
	char *dir XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_path_dir(xb_sv(link)));

	return xb_path_relative(dir[0] ? dir : ".", target);
}

static int refuse_leaving(const struct xb_tree_entry *entry, struct xb_err *err)
{
	return xb_fail(err, XB_E_VERIFY, "package '%s': symlink '%s' to '%s' leaves the tree", entry->origin,
		       entry->path, entry->target);
}

/* The new text of a link, or NULL when it may stay as it is. */
static int retarget(struct xb_tree_entries *entries, const struct xb_tree_entry *entry, const char *new_path,
		    const char **out, struct xb_err *err)
{
	struct xb_str target XB_CLEANUP(xb_str_release) = {0};
	char *mapped XB_CLEANUP(xb_free_ptr) = NULL, *text XB_CLEANUP(xb_free_ptr) = NULL;
	bool aliased;

	*out = NULL;
	if (!fold_target(entry->path, entry->target, &target))
		return refuse_leaving(entry, err);
	aliased = is_aliased(xb_str_sv(&target));
	if (!aliased && strcmp(new_path, entry->path) == 0)
		return 0;
	mapped = xb_printf("%s%s", aliased ? "usr/" : "", xb_str_get(&target));
	text = relative_to(new_path, mapped);
	*out = xb_arena_strdup(&entries->arena, text);
	return 0;
}

/* An entry that moved to a name that is taken. */
static int resolve_collision(const struct xb_tree_entry *kept, const struct xb_tree_entry *moved, struct xb_err *err)
{
	struct xb_str target XB_CLEANUP(xb_str_release) = {0};

	if (kept->type == XB_TREE_DIR && moved->type == XB_TREE_DIR)
		return 0;
	/* /lib/x -> /usr/lib/x: what a package does that moves a file over in steps. */
	if (moved->type == XB_TREE_SYMLINK && fold_target(moved->path, moved->target, &target) &&
	    xb_sv_eq_str(xb_str_sv(&target), kept->path))
		return 0;
	if (kept->type == XB_TREE_SYMLINK && moved->type == XB_TREE_SYMLINK && strcmp(kept->target, moved->target) == 0)
		return 0;
	if (kept->type == XB_TREE_FILE && moved->type == XB_TREE_FILE && kept->mode == moved->mode &&
	    xb_digest_eq(&kept->digest, &moved->digest))
		return 0;
	return xb_fail(err, XB_E_VERIFY, "'/%s' of package '%s' and the same name without /usr of package '%s' differ",
		       kept->path, kept->origin, moved->origin);
}

/* Sets the new path and target of an entry; *out_moved tells whether it has another path now. */
static int move_entry(struct xb_tree_entries *entries, struct xb_tree_entry *entry, bool *out_moved, struct xb_err *err)
{
	const char *path = entry->path, *target;

	*out_moved = is_aliased(xb_sv(path));
	if (*out_moved)
		path = xb_arena_printf(&entries->arena, "usr/%s", path);
	if (entry->type == XB_TREE_SYMLINK) {
		if (retarget(entries, entry, path, &target, err) < 0)
			return err->code;
		if (target)
			entry->target = target;
	}
	entry->path = path;
	return 0;
}

/* lib -> usr/lib itself: made anew below. A top-level link or file of such a name that is anything else has no place. */
static int check_alias(const struct xb_tree_entry *entry, bool *out_is_link, struct xb_err *err)
{
	struct xb_str target XB_CLEANUP(xb_str_release) = {0};

	*out_is_link = false;
	if (strchr(entry->path, '/') || entry->type == XB_TREE_DIR || !is_aliased(xb_sv(entry->path)))
		return 0;
	if (entry->type == XB_TREE_SYMLINK && fold_target(entry->path, entry->target, &target) &&
	    xb_sv_starts(xb_str_sv(&target), "usr/") && strcmp(xb_str_get(&target) + 4, entry->path) == 0) {
		*out_is_link = true;
		return 0;
	}
	return xb_fail(err, XB_E_VERIFY, "package '%s': '/%s' is neither a directory nor a link to '/usr/%s'",
		       entry->origin, entry->path, entry->path);
}

struct moved {
	XB_VEC(struct xb_tree_entry) list;
};

static void moved_release(struct moved *moved)
{
	XB_VEC_RELEASE(&moved->list);
}

/* Splits the list: what stays remains in it, still sorted; what moved is put aside. */
static int take_out(struct xb_tree_entries *entries, struct moved *moved, struct xb_err *err)
{
	size_t len = 0;

	for (size_t i = 0; i < entries->len; i++) {
		struct xb_tree_entry entry = entries->items[i];
		bool is_link, has_moved;

		if (check_alias(&entry, &is_link, err) < 0)
			return err->code;
		if (is_link)
			continue;
		if (move_entry(entries, &entry, &has_moved, err) < 0)
			return err->code;
		if (has_moved)
			XB_VEC_PUSH(&moved->list, entry);
		else
			entries->items[len++] = entry;
	}
	entries->len = len;
	return 0;
}

static void add_alias_links(struct xb_tree_entries *entries)
{
	xb_tree_entries_complete(entries);
	for (const char *const *alias = xb_tree_usr_aliases(); *alias; alias++) {
		char *target XB_CLEANUP(xb_free_ptr) = xb_printf("usr/%s", *alias);
		const struct xb_tree_entry link = {
			.path = *alias, .type = XB_TREE_SYMLINK, .mode = 0777, .target = target, .origin = ""};
		const struct xb_tree_entry *dir = xb_tree_entries_find(entries, target);

		if (!dir || dir->type != XB_TREE_DIR)
			continue;
		xb_tree_entries_add(entries, &link);
		xb_tree_entries_sort(entries);
	}
}

int xb_fixup_merge_usr(struct xb_tree_entries *entries, struct xb_err *err)
{
	struct moved moved XB_CLEANUP(moved_release) = {0};
	struct xb_tree_entries staying;

	if (take_out(entries, &moved, err) < 0)
		return err->code;
	staying = *entries;
	for (size_t i = 0; i < moved.list.len; i++) {
		const struct xb_tree_entry *entry = &moved.list.items[i];
		const struct xb_tree_entry *taken;

		staying.items = entries->items; /* adding may have moved them */
		taken = xb_tree_entries_find(&staying, entry->path);
		if (!taken)
			xb_tree_entries_add(entries, entry);
		else if (resolve_collision(taken, entry, err) < 0)
			return err->code;
	}
	add_alias_links(entries);
	return 0;
}

/* Follows `target` from `link` through the list. True: it exists; else *out is the name that does not. */
static bool exists(const struct xb_tree_entries *entries, const char *link, const char *target, struct xb_str *out)
{
	char *dir XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_path_dir(xb_sv(link)));
	char *text XB_CLEANUP(xb_free_ptr) = xb_strdup(target);
	struct xb_sv rest = xb_sv(text);
	int hops = 0;

	xb_str_reset(out);
	xb_str_append(out, dir);
	while (rest.ptr) {
		const struct xb_sv part = xb_sv_cut(&rest, '/');
		const struct xb_tree_entry *entry;
		const size_t len = out->len;

		if (!part.len || xb_sv_eq_str(part, "."))
			continue;
		if (xb_sv_eq_str(part, "..")) {
			const struct xb_sv up = xb_path_dir(xb_str_sv(out));

			out->len = up.len;
			out->data[up.len] = '\0';
			continue;
		}
		if (len)
			xb_str_append_char(out, '/');
		xb_str_append_sv(out, part);
		entry = xb_tree_entries_find(entries, out->data);
		if (entry && entry->type == XB_TREE_SYMLINK && ++hops <= MAX_HOPS) {
			char *next = rest.ptr ? xb_printf("%s/%.*s", entry->target, XB_SV_ARG(rest))
					      : xb_strdup(entry->target);

			free(text);
			text = next;
			rest = xb_sv(text);
			out->len = entry->target[0] == '/' ? 0 : len;
			out->data[out->len] = '\0';
		} else if (!entry || hops > MAX_HOPS || (entry->type == XB_TREE_FILE && rest.ptr)) {
			if (rest.ptr)
				xb_str_printf(out, "/%.*s", XB_SV_ARG(rest));
			return false;
		}
	}
	return true;
}

static bool is_library(const char *path)
{
	const struct xb_sv name = xb_path_base(xb_sv(path));

	return strstr(name.ptr, ".so") || xb_sv_ends(name, ".a");
}

/* libasan.so.8.0.0 is in package libasan8; lib-1_2.so.3 would be in lib-1-2-3 (Debian Policy 8.1). */
static bool package_has(const char *package, struct xb_sv library)
{
	char *stem XB_CLEANUP(xb_free_ptr) = xb_sv_dup(library), *version, *dot;
	struct xb_sv rest = xb_sv(package);

	version = strstr(stem, ".so.");
	if (!version || version == stem)
		return false;
	*version = '\0';
	version += strlen(".so.");
	dot = strchr(version, '.');
	if (dot)
		*dot = '\0';
	for (char *c = stem; *c; c++)
		*c = *c == '_' ? '-' : (char)tolower((unsigned char)*c);
	if (!xb_sv_starts(rest, stem))
		return false;
	rest = xb_sv_n(rest.ptr + strlen(stem), rest.len - strlen(stem));
	if (xb_sv_starts(rest, "-"))
		rest = xb_sv_n(rest.ptr + 1, rest.len - 1);
	if (xb_sv_ends(rest, "t64")) /* Debian's transition to a 64-bit time_t */
		rest.len -= 3;
	return xb_sv_eq_str(rest, version);
}

static bool is_known(const struct xb_fixup_known *known, struct xb_sv missing)
{
	for (size_t i = 0; known && known->drop && i < known->drop->len; i++)
		if (xb_path_glob(xb_sv(known->drop->items[i]), missing))
			return true;
	for (size_t i = 0; known && known->exclude && i < known->exclude->len; i++)
		if (package_has(known->exclude->items[i], xb_path_base(missing)))
			return true;
	return false;
}

static int refuse_dangling(const struct xb_tree_entry *entry, const char *missing, struct xb_err *err)
{
	xb_fail(err, XB_E_VERIFY, "package '%s': '/%s' is a link to '/%s', which no package has", entry->origin,
		entry->path, missing);
	return xb_hint(
		err,
		"add the package that has it to 'packages:' of the project file; of a sysroot that is an archive or a "
		"directory, add the file or leave the link out with 'drop:'");
}

/* A link that goes must not make way for what a package has put below it: no honest package has anything there. */
static int refuse_below(const struct xb_tree_entries *entries, size_t link, struct xb_err *err)
{
	const char *path = entries->items[link].path;
	const size_t len = strlen(path);

	for (size_t i = link + 1; i < entries->len && strncmp(entries->items[i].path, path, len) == 0; i++)
		if (entries->items[i].path[len] == '/')
			return xb_fail(err, XB_E_VERIFY,
				       "package '%s': entry '%s' lies below the symlink '%s' of package '%s'",
				       entries->items[i].origin, entries->items[i].path, path,
				       entries->items[link].origin);
	return 0;
}

int xb_fixup_links(struct xb_tree_entries *entries, enum xb_fixup_dangling dangling, const struct xb_fixup_known *known,
		   struct xb_err *err)
{
	struct xb_str name XB_CLEANUP(xb_str_release) = {0};
	bool *gone XB_CLEANUP(xb_free_ptr) = xb_alloc(entries->len + 1);
	size_t len = 0;

	for (size_t i = 0; i < entries->len; i++) {
		struct xb_tree_entry *entry = &entries->items[i];

		if (entry->type != XB_TREE_SYMLINK)
			continue;
		if (!fold_target(entry->path, entry->target, &name))
			return refuse_leaving(entry, err);
		if (entry->target[0] == '/') {
			char *text XB_CLEANUP(xb_free_ptr) = relative_to(entry->path, xb_str_get(&name));

			entry->target = xb_arena_strdup(&entries->arena, text);
		}
		if (dangling == XB_DANGLING_KEEP || exists(entries, entry->path, entry->target, &name))
			continue;
		if (dangling == XB_DANGLING_REFUSE_LIBRARIES && is_library(entry->path) &&
		    !is_known(known, xb_str_sv(&name)))
			return refuse_dangling(entry, xb_str_get(&name), err);
		if (refuse_below(entries, i, err) < 0)
			return err->code;
		gone[i] = true;
	}
	for (size_t i = 0; i < entries->len; i++)
		if (!gone[i])
			entries->items[len++] = entries->items[i];
	entries->len = len;
	return 0;
}
