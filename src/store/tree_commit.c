/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tree_stage.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/host.h"

#define MAX_HOPS 40 /* symlinks followed on one way, as Linux does (path_resolution(7)) */

static int refuse(const struct xb_tree_entry *entry, const char *what, struct xb_err *err)
{
	char buf[XB_MAX_NAME_BYTES];

	return xb_fail(err, XB_E_VERIFY, "%s: entry '%s': %s", tree_origin(entry->origin, buf, sizeof(buf)),
		       entry->path, what);
}

/* Takes the last component off a path without a leading slash; false when there is none. */
static bool go_up(struct xb_str *path)
{
	const struct xb_sv up = xb_path_dir(xb_str_sv(path));

	if (!path->len)
		return false;
	path->len = up.len;
	path->data[up.len] = '\0';
	return true;
}

/*
 * True when following `target` from where the link lies climbs above the root at any moment. Links on the way are
 * followed, as the kernel does it: "a/.." is where a leads to, not where it lies. What does not exist is taken for a
 * directory, and nobody gets through more than MAX_HOPS links.
 */
static bool leaves_root(const struct xb_tree_entries *entries, const char *link, const char *target)
{
	struct xb_str at XB_CLEANUP(xb_str_release) = {0};
	char *text XB_CLEANUP(xb_free_ptr) = xb_strdup(target);
	struct xb_sv rest = xb_sv(text);
	int hops = 0;

	xb_str_append_sv(&at, xb_path_dir(xb_sv(link)));
	if (target[0] == '/')
		return true;
	while (rest.ptr) {
		const struct xb_sv part = xb_sv_cut(&rest, '/');
		const struct xb_tree_entry *entry;

		if (xb_sv_eq_str(part, "..")) {
			if (!go_up(&at))
				return true;
			continue;
		}
		if (!part.len || xb_sv_eq_str(part, "."))
			continue;
		xb_str_printf(&at, "%s%.*s", at.len ? "/" : "", XB_SV_ARG(part));
		entry = xb_tree_entries_find(entries, at.data);
		if (!entry || entry->type != XB_TREE_SYMLINK)
			continue;
		if (++hops > MAX_HOPS)
			return false;
		if (entry->target[0] == '/')
			return true;
		char *next = xb_printf("%s/%.*s", entry->target, XB_SV_ARG(rest));

		free(text);
		text = next;
		rest = xb_sv(text);
		go_up(&at);
	}
	return false;
}

static int check_parent(const struct xb_tree_entries *entries, const struct xb_tree_entry *entry, struct xb_err *err)
{
	char *dir XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_path_dir(xb_sv(entry->path)));
	const struct xb_tree_entry *parent;

	if (!dir[0])
		return 0;
	parent = xb_tree_entries_find(entries, dir);
	assert(parent); /* the list was completed */
	if (parent->type == XB_TREE_SYMLINK)
		return refuse(entry, "it lies below a symlink", err);
	if (parent->type == XB_TREE_FILE)
		return refuse(entry, "it lies below a file", err);
	return 0;
}

static int check_entries(const struct xb_tree_stage *stage, const struct xb_tree_entries *entries, struct xb_err *err)
{
	const uint32_t n_staged = atomic_load(&stage->next);
	int64_t left_bytes = XB_MAX_TREE_BYTES;

	if (entries->len > XB_MAX_TREE_ENTRIES)
		return xb_fail(err, XB_E_VERIFY, "the tree has more than %d entries", XB_MAX_TREE_ENTRIES);
	for (size_t i = 0; i < entries->len; i++) {
		const struct xb_tree_entry *e = &entries->items[i];

		if (tree_check_name(e->path, e->origin, err) < 0 || check_parent(entries, e, err) < 0)
			return err->code;
		if (i && strcmp(e->path, entries->items[i - 1].path) == 0)
			return refuse(e, "there are two of that name", err);
		if (e->type == XB_TREE_SYMLINK) {
			if (tree_check_target(e->path, e->target, e->origin, err) < 0)
				return err->code;
			if (leaves_root(entries, e->path, e->target))
				return refuse(e, "the symlink leaves the tree", err);
		}
		if (e->type == XB_TREE_FILE) {
			assert(e->staged < n_staged);
			if (e->size_bytes > left_bytes)
				return refuse(e, "the files of the tree are too large in all", err);
			left_bytes -= e->size_bytes;
		}
	}
	(void)n_staged;
	return 0;
}

/* An open directory of the way from the root to where entries are being made. */
struct level {
	size_t len; /* of its path */
	int fd;
};

struct place {
	const struct xb_tree_stage *stage;
	const struct xb_tree_entries *entries;
	char *root;				    /* path of the directory that is filled */
	struct level levels[XB_MAX_PATH_DEPTH + 1]; /* [0] is the root */
	size_t depth;				    /* of levels in use */
	const char *path;			    /* of the last level */
	uint32_t *uses;				    /* staged number -> entries that still want it */
	mode_t *modes;				    /* staged number -> mode it has now, 0: not set yet */
};

static void place_release(struct place *p)
{
	for (size_t i = 0; i < p->depth; i++)
		xb_fs_close(&p->levels[i].fd);
	free(p->root);
	free(p->uses);
	free(p->modes);
}

/* True when the directory of level `i` holds `path`. */
static bool holds(const struct place *p, size_t i, const char *path)
{
	const size_t len = p->levels[i].len;

	return !len || (strncmp(p->path, path, len) == 0 && path[len] == '/');
}

/*
 * The open directory that holds `path`. All entries below a directory follow each other in the list, so each is opened
 * once; O_NOFOLLOW, although nobody else knows this place and no link was made where a directory should be.
 */
static int enter_parent(struct place *p, const char *path, const char **out_name, int *out_fd, struct xb_err *err)
{
	const char *rest, *slash;

	while (p->depth > 1 && !holds(p, p->depth - 1, path))
		xb_fs_close(&p->levels[--p->depth].fd);
	p->path = path;
	rest = path + p->levels[p->depth - 1].len;
	rest += *rest == '/';
	while ((slash = strchr(rest, '/'))) {
		char name[XB_MAX_NAME_BYTES + 1];
		const size_t len = (size_t)(slash - rest);
		int fd;

		memcpy(name, rest, len);
		name[len] = '\0';
		fd = openat(p->levels[p->depth - 1].fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return xb_fail_errno(err, "open directory '%s/%.*s'", p->root, (int)(slash - path), path);
		p->levels[p->depth++] = (struct level){.len = (size_t)(slash - path), .fd = fd};
		rest = slash + 1;
	}
	*out_name = rest;
	*out_fd = p->levels[p->depth - 1].fd;
	return 0;
}

/* A file that several entries share and that cannot be linked: other permissions, or a file system without links. */
static int place_copy(struct place *p, const struct xb_tree_entry *entry, struct xb_err *err)
{
	char *from XB_CLEANUP(xb_free_ptr) = xb_tree_staged_path(p->stage, entry->staged);
	char *to XB_CLEANUP(xb_free_ptr) = xb_path_join(p->root, entry->path);

	return xb_fs_copy(from, to, tree_file_mode(entry), err);
}

static int place_file(struct place *p, const struct xb_tree_entry *entry, int dir_fd, const char *name,
		      struct xb_err *err)
{
	const mode_t mode = tree_file_mode(entry);
	mode_t *has = &p->modes[entry->staged];
	char staged[STAGED_NAME_BYTES];

	snprintf(staged, sizeof(staged), "%u", entry->staged);
	if (!*has) {
		/* By name and not when it was written: the umask would have a say, and entries are edited in between. */
		if (fchmodat(p->stage->fd, staged, mode, 0) < 0)
			return xb_fail_errno(err, "set the mode of '%s/%s'", p->stage->dir, staged);
		*has = mode;
	}
	if (p->uses[entry->staged] == 1) {
		if (renameat(p->stage->fd, staged, dir_fd, name) < 0)
			return xb_fail_errno(err, "create '%s/%s'", p->root, entry->path);
		return 0;
	}
	/* Shared: the staged file stays, and goes with the stage. */
	if (*has == mode && linkat(p->stage->fd, staged, dir_fd, name, 0) == 0)
		return 0;
	return place_copy(p, entry, err);
}

static int place_entry(struct place *p, const struct xb_tree_entry *entry, struct xb_err *err)
{
	const char *name = NULL;
	int dir_fd = -1, rc;

	if (enter_parent(p, entry->path, &name, &dir_fd, err) < 0)
		return err->code;
	if (entry->type == XB_TREE_FILE)
		return place_file(p, entry, dir_fd, name, err);
	if (entry->type == XB_TREE_SYMLINK)
		rc = symlinkat(entry->target, dir_fd, name);
	else
		rc = mkdirat(dir_fd, name, TREE_DIR_MODE) < 0 ? -1 : fchmodat(dir_fd, name, TREE_DIR_MODE, 0);
	return rc < 0 ? xb_fail_errno(err, "create '%s/%s'", p->root, entry->path) : 0;
}

static int materialise(const struct xb_tree_stage *stage, const struct xb_tree_entries *entries, const char *root,
		       struct xb_err *err)
{
	struct place p XB_CLEANUP(place_release) = {.stage = stage, .entries = entries, .path = ""};
	const size_t n_staged = (size_t)atomic_load(&stage->next) + 1;
	int fd;

	p.root = xb_strdup(root);
	p.uses = xb_alloc(n_staged * sizeof(*p.uses));
	p.modes = xb_alloc(n_staged * sizeof(*p.modes));
	fd = open(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return xb_fail_errno(err, "open directory '%s'", root);
	p.levels[p.depth++] = (struct level){.fd = fd};
	for (size_t i = 0; i < entries->len; i++)
		if (entries->items[i].type == XB_TREE_FILE)
			p.uses[entries->items[i].staged]++;
	for (size_t i = 0; i < entries->len; i++)
		if (place_entry(&p, &entries->items[i], err) < 0)
			return err->code;
	return 0;
}

static int write_file(const char *dir, const char *name, struct xb_sv text, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, name);
	int fd XB_CLEANUP(xb_fs_close) = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return xb_fail_errno(err, "create '%s'", path);
	if (fchmod(fd, TREE_FILE_MODE) < 0)
		return xb_fail_errno(err, "set the mode of '%s'", path);
	return xb_fs_write_all(fd, text.ptr, text.len, path, err);
}

static int write_records(const char *dir, const struct xb_tree_entries *entries, const struct xb_str *folded,
			 struct xb_err *err)
{
	struct xb_str manifest XB_CLEANUP(xb_str_release) = {0};
	struct xb_str record XB_CLEANUP(xb_str_release) = {0};
	char hex[XB_DIGEST_HEX];
	struct xb_digest digest;
	uint64_t size_bytes;

	tree_manifest_write(entries, &manifest);
	xb_tree_directory_digest(entries, &digest, &size_bytes);
	xb_str_printf(&record, "%s %llu\n", xb_digest_hex(&digest, hex), (unsigned long long)size_bytes);
	if (write_file(dir, "manifest", xb_str_sv(&manifest), err) < 0 ||
	    (folded->len && write_file(dir, "folded", xb_str_sv(folded), err) < 0))
		return err->code;
	return write_file(dir, "digest", xb_str_sv(&record), err);
}

int xb_tree_discard(struct xb_store *store, const struct xb_digest *recipe, struct xb_err *err)
{
	char hex[XB_DIGEST_HEX];
	char *dir XB_CLEANUP(xb_free_ptr) = xb_printf("%s/trees/%s", xb_store_dir(store), xb_digest_hex(recipe, hex));
	char *away XB_CLEANUP(xb_free_ptr) = xb_store_tmp(store);
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};

	/* In one step: others find it whole or not at all. */
	if (rename(dir, away) < 0)
		return errno == ENOENT ? 0 : xb_fail_errno(err, "move '%s' away", dir);
	(void)!xb_fs_remove(away, &ignored);
	return 0;
}

/*
 * Gives the finished directory its name. One that is there already is used, unless it is damaged: then it moves away
 * first. Returns 1 when a tree was found there, 0 when ours was published.
 */
static int publish(struct xb_store *store, const char *dir, const struct xb_digest *recipe, struct xb_tree *out,
		   struct xb_err *err)
{
	char hex[XB_DIGEST_HEX];
	char *final_dir XB_CLEANUP(xb_free_ptr) =
		xb_printf("%s/trees/%s", xb_store_dir(store), xb_digest_hex(recipe, hex));
	struct xb_err damaged XB_CLEANUP(xb_err_release) = {0};
	int found = xb_tree_find(store, recipe, out, &damaged);
	bool raced = false;

	if (found > 0)
		return 1;
	if (found < 0 && xb_tree_discard(store, recipe, err) < 0)
		return err->code;
	if (rename(dir, final_dir) < 0) {
		raced = errno == EEXIST || errno == ENOTEMPTY;
		if (!raced)
			return xb_fail_errno(err, "rename '%s' to '%s'", dir, final_dir);
	}
	found = xb_tree_find(store, recipe, out, err);
	if (found == 0)
		return xb_fail(err, XB_E_SYSTEM, "the tree '%s' vanished", final_dir);
	return found < 0 ? found : raced;
}

/* Leaves out what the disk has no place for, and lists it. */
static int fold(const struct xb_tree_stage *stage, struct xb_tree_entries *entries, struct xb_str *out,
		struct xb_err *err)
{
	const char *first;
	bool folds;

	if (xb_host_folds_case(stage->dir, &folds, err) < 0)
		return err->code;
	first = folds ? xb_tree_entries_fold(entries, out) : NULL;
	if (!first || !stage->for_image)
		return 0;
	xb_fail(err, XB_E_SYSTEM,
		"'%s' and another name differ in case only, and the disk of the store takes them for one", first);
	return xb_hint(err, "set XBUILD_CACHE_DIR to a directory on a disk that does not fold case");
}

static int make_tree(struct xb_tree_stage *stage, struct xb_tree_entries *entries, const char *dir, struct xb_err *err)
{
	struct xb_str folded XB_CLEANUP(xb_str_release) = {0};
	char *root XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, "root");

	if (fold(stage, entries, &folded, err) < 0)
		return err->code;
	if (mkdir(dir, 0700) < 0 || chmod(dir, TREE_DIR_MODE) < 0 || mkdir(root, 0700) < 0 ||
	    chmod(root, TREE_DIR_MODE) < 0)
		return xb_fail_errno(err, "create directory '%s'", root);
	if (materialise(stage, entries, root, err) < 0 || write_records(dir, entries, &folded, err) < 0)
		return err->code;
	return 0;
}

void xb_tree_prepared_release(struct xb_tree_prepared *prepared)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};

	if (prepared->dir)
		(void)!xb_fs_remove(prepared->dir, &ignored);
	free(prepared->dir);
	*prepared = (struct xb_tree_prepared){0};
}

int xb_tree_prepare(struct xb_tree_stage *stage, struct xb_tree_entries *entries, const struct xb_digest *recipe,
		    struct xb_tree_prepared *out, struct xb_err *err)
{
	struct xb_tree_prepared prepared XB_CLEANUP(xb_tree_prepared_release) = {
		.store = stage->store, .dir = xb_store_tmp(stage->store), .recipe = *recipe};

	xb_tree_entries_complete(entries);
	if (check_entries(stage, entries, err) < 0 || make_tree(stage, entries, prepared.dir, err) < 0)
		return err->code;
	*out = prepared;
	prepared = (struct xb_tree_prepared){0};
	return 0;
}

int xb_tree_flush(const struct xb_store *store, struct xb_err *err)
{
	return xb_fs_sync(xb_store_dir(store), err);
}

int xb_tree_publish(struct xb_tree_prepared *prepared, struct xb_tree *out, struct xb_err *err)
{
	const int result = publish(prepared->store, prepared->dir, &prepared->recipe, out, err);

	if (result == 0) { /* it has its name now */
		free(prepared->dir);
		prepared->dir = NULL;
	}
	xb_tree_prepared_release(prepared);
	return result < 0 ? err->code : 0;
}

int xb_tree_commit(struct xb_tree_stage *stage, struct xb_tree_entries *entries, const struct xb_digest *recipe,
		   struct xb_tree *out, struct xb_err *err)
{
	struct xb_tree_prepared prepared XB_CLEANUP(xb_tree_prepared_release) = {0};

	/* Flushed before the name appears: a tree that is found after a power cut must be whole. */
	if (xb_tree_prepare(stage, entries, recipe, &prepared, err) < 0 || xb_tree_flush(stage->store, err) < 0)
		return err->code;
	return xb_tree_publish(&prepared, out, err);
}
