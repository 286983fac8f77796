/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/image/layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/map.h"
#include "xbuild/base/path.h"
#include "xbuild/image/seen.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/json.h"

#define STATE_FIRST_LINE "xbuild layout 1"

struct state {
	struct xb_arena arena;
	struct xb_map blobs; /* hex -> struct xb_seen, of when it was known to have the content of its name */
};

static void release_state(struct state *s)
{
	xb_map_release(&s->blobs);
	xb_arena_release(&s->arena);
}

/* What cannot be read is forgotten: the blobs are placed again then. */
static void read_state(const char *path, struct state *out)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_sv lines;

	if (xb_fs_read(path, XB_MIB, &text, &err) < 0)
		return;
	lines = xb_str_sv(&text);
	if (!xb_sv_eq_str(xb_sv_cut(&lines, '\n'), STATE_FIRST_LINE))
		return;
	while (lines.ptr) {
		struct xb_sv line = xb_sv_cut(&lines, '\n');
		const struct xb_sv hex = xb_sv_cut(&line, ' ');
		struct xb_seen *blob = xb_arena_alloc(&out->arena, sizeof(*blob));

		if (xb_seen_parse(line, blob))
			xb_map_put(&out->blobs, hex, blob);
	}
}

static char *blob_path(const char *dir, const struct xb_digest *digest)
{
	char hex[XB_DIGEST_HEX];

	return xb_printf("%s/blobs/sha256/%s", dir, xb_digest_hex(digest, hex));
}

static int write_state(const struct xb_layout *layout, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	xb_str_append(&text, STATE_FIRST_LINE "\n");
	for (size_t i = 0; i < layout->n_blobs; i++) {
		char *path XB_CLEANUP(xb_free_ptr) = blob_path(layout->dir, &layout->blobs[i].digest);
		char hex[XB_DIGEST_HEX];
		struct xb_seen b;

		if (!xb_seen_look(path, &b))
			continue;
		xb_str_printf(&text, "%s ", xb_digest_hex(&layout->blobs[i].digest, hex));
		xb_seen_format(&b, &text);
		xb_str_append_char(&text, '\n');
	}
	return xb_atomic_file_write(layout->state_file, text.data, text.len, 0644, 0, err);
}

static int ask(const struct xb_layout *layout, struct xb_err *err)
{
	return layout->before_change ? layout->before_change(layout->ctx, err) : 0;
}

/* Makes a directory, or makes sure that it is one and no link to one. */
static int need_dir(const struct xb_layout *layout, const char *path, struct xb_err *err)
{
	struct stat st;

	if (lstat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		xb_fail(err, XB_E_VERIFY, "write the layout: '%s' is %s, expected a directory", path,
			S_ISLNK(st.st_mode) ? "a link" : "no directory");
		return xb_hint(err, "remove it and run the command again");
	}
	if (errno != ENOENT)
		return xb_fail_errno(err, "look at '%s'", path);
	if (ask(layout, err) < 0)
		return err->code;
	return xb_fs_mkdirs(path, 0755, err);
}

static int need_dirs(const struct xb_layout *layout, struct xb_err *err)
{
	char *parent XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_path_dir(xb_sv(layout->dir)));
	char *blobs XB_CLEANUP(xb_free_ptr) = xb_printf("%s/blobs", layout->dir);
	char *sha256 XB_CLEANUP(xb_free_ptr) = xb_printf("%s/blobs/sha256", layout->dir);
	const char *const paths[] = {parent, layout->dir, blobs, sha256};

	for (size_t i = 0; i < XB_COUNT(paths); i++) {
		if (need_dir(layout, paths[i], err) < 0)
			return err->code;
	}
	return 0;
}

/* Does the file at `path` hold the blob? Told by what it looked like when it was written, or by reading it. */
static bool is_there(const struct state *state, const char *state_file, const struct xb_descriptor *d, const char *path)
{
	struct xb_err unread XB_CLEANUP(xb_err_release) = {0};
	char hex[XB_DIGEST_HEX];
	const struct xb_seen *known = xb_map_get_str(&state->blobs, xb_digest_hex(&d->digest, hex));
	struct xb_digest found;
	struct xb_seen now;
	uint64_t size;

	if (!xb_seen_look(path, &now) || now.size_bytes != d->size_bytes)
		return false;
	if (state_file)
		return known && xb_seen_eq(known, &now);
	return xb_digest_file(path, &found, &size, &unread) == 0 && xb_digest_eq(&found, &d->digest);
}

static int place_blobs(struct xb_store *store, const struct xb_layout *layout, bool *changed, struct xb_err *err)
{
	struct state state XB_CLEANUP(release_state) = {0};

	if (layout->state_file)
		read_state(layout->state_file, &state);
	for (size_t i = 0; i < layout->n_blobs; i++) {
		const struct xb_descriptor *d = &layout->blobs[i];
		char *path XB_CLEANUP(xb_free_ptr) = blob_path(layout->dir, &d->digest);

		if (is_there(&state, layout->state_file, d, path))
			continue;
		if (ask(layout, err) < 0 || xb_cas_place(store, &d->digest, path, 0644, err) < 0)
			return err->code;
		*changed = true;
	}
	return 0;
}

/* Writes a small file unless it is a regular file of this text already. */
static int need_file(const struct xb_layout *layout, const char *name, struct xb_sv text, bool *changed,
		     struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/%s", layout->dir, name);
	struct xb_str found XB_CLEANUP(xb_str_release) = {0};
	struct xb_err unread XB_CLEANUP(xb_err_release) = {0};
	struct xb_seen stat;

	if (xb_seen_look(path, &stat) && stat.size_bytes == text.len &&
	    xb_fs_read(path, (int64_t)text.len, &found, &unread) == 0 && xb_sv_eq(xb_str_sv(&found), text))
		return 0;
	if (ask(layout, err) < 0)
		return err->code;
	*changed = true;
	return xb_atomic_file_write(path, text.ptr, text.len, 0644, 0, err);
}

/* Removes everything below `dir` whose name is not in `keep`. */
static int sweep(const struct xb_layout *layout, const char *below, const struct xb_map *keep, bool *changed,
		 struct xb_err *err)
{
	char *dir XB_CLEANUP(xb_free_ptr) = xb_printf("%s%s", layout->dir, below);
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};

	if (xb_fs_list(dir, &list, err) < 0)
		return err->code;
	for (size_t i = 0; i < list.len; i++) {
		char *path XB_CLEANUP(xb_free_ptr) = NULL;

		if (xb_map_has(keep, xb_sv(list.items[i].name)))
			continue;
		path = xb_printf("%s/%s", dir, list.items[i].name);
		if (ask(layout, err) < 0 || xb_fs_remove(path, err) < 0)
			return err->code;
		*changed = true;
	}
	return 0;
}

static int sweep_all(const struct xb_layout *layout, bool *changed, struct xb_err *err)
{
	static const char *const top[] = {"oci-layout", "index.json", "blobs"};
	struct xb_map keep_top XB_CLEANUP(xb_map_release) = {0}, keep_alg XB_CLEANUP(xb_map_release) = {0},
			       keep XB_CLEANUP(xb_map_release) = {0};

	for (size_t i = 0; i < XB_COUNT(top); i++)
		xb_map_put_str(&keep_top, top[i], &keep);
	xb_map_put_str(&keep_alg, "sha256", &keep);
	for (size_t i = 0; i < layout->n_blobs; i++) {
		char hex[XB_DIGEST_HEX];

		xb_map_put_str(&keep, xb_digest_hex(&layout->blobs[i].digest, hex), &keep);
	}
	if (sweep(layout, "", &keep_top, changed, err) < 0 || sweep(layout, "/blobs", &keep_alg, changed, err) < 0)
		return err->code;
	return sweep(layout, "/blobs/sha256", &keep, changed, err);
}

int xb_layout_write(struct xb_store *store, const struct xb_layout *layout, bool *out_changed, struct xb_err *err)
{
	bool changed = false;

	if (need_dirs(layout, err) < 0 || place_blobs(store, layout, &changed, err) < 0 ||
	    need_file(layout, "oci-layout", xb_sv(XB_LAYOUT_VERSION_JSON), &changed, err) < 0 ||
	    need_file(layout, "index.json", layout->index_json, &changed, err) < 0 ||
	    sweep_all(layout, &changed, err) < 0)
		return xb_wrap(err, "write '%s'", layout->dir);
	if (changed && layout->state_file && write_state(layout, err) < 0)
		return err->code;
	*out_changed = changed;
	return 0;
}

int xb_layout_read(const char *dir, struct xb_digest *out_index, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/index.json", dir);
	json_t *root XB_CLEANUP(xb_json_release) = NULL;
	const json_t *manifests;
	const char *digest = NULL;
	struct xb_seen stat;

	if (!xb_seen_look(path, &stat) && errno != ENOENT)
		return xb_fail(err, XB_E_VERIFY, "read '%s': expected a regular file", path);
	if (xb_json_read(path, XB_MIB, &root, err) < 0)
		return err->code;
	manifests = json_object_get(root, "manifests");
	if (json_array_size(manifests) != 1)
		return xb_fail(err, XB_E_INPUT, "read '%s': expected one image, found %zu", path,
			       json_array_size(manifests));
	if (xb_json_string(json_array_get(manifests, 0), "digest", path, &digest, err) < 0)
		return err->code;
	if (!digest || !xb_digest_parse(xb_sv(digest), out_index))
		return xb_fail(err, XB_E_INPUT, "read '%s': expected a sha256 digest of the image", path);
	return 0;
}

int xb_layout_blob(const char *dir, const struct xb_digest *digest, int64_t size_bytes, int64_t max_bytes,
		   struct xb_str *out, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = blob_path(dir, digest);
	struct xb_digest found;
	struct xb_seen now;

	errno = 0;
	if (!xb_seen_look(path, &now))
		return errno ? xb_fail_errno(err, "read '%s'", path)
			     : xb_fail(err, XB_E_VERIFY, "read '%s': expected a regular file", path);
	if (xb_fs_read(path, max_bytes, out, err) < 0)
		return err->code;
	xb_digest_bytes(xb_str_get(out), out->len, &found);
	if (!xb_digest_eq(&found, digest))
		return xb_fail(err, XB_E_DIGEST, "read '%s': its content has another digest than its name", path);
	if (size_bytes >= 0 && (uint64_t)size_bytes != out->len)
		return xb_fail(err, XB_E_DIGEST, "read '%s': expected %lld bytes, found %zu", path,
			       (long long)size_bytes, out->len);
	return 0;
}
