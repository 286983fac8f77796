/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a layer: part of xbuild-supply. */
#include <string.h>

#include "listing.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/map.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"
#include "xbuild/image/installed.h"
#include "xbuild/store/action_cache.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/archive.h"
#include "xbuild/sys/fs.h"

#define WHITEOUT    ".wh."	   /* layer.md "Whiteouts" */
#define OPAQUE	    ".wh..wh..opq" /* "Opaque Whiteout" */
#define CHUNK_BYTES (64 * 1024)
#define MAGIC_BYTES 4

/* What a path was: something else, or a directory. */
static const char kinds[2];

struct making {
	struct xb_store *store;
	struct xb_archive *archive;
	bool all_files;
	const volatile int *interrupted;
	struct xb_str text;
	struct xb_map
		paths; /* that the layer has, to an element of kinds: it has none twice (layer.md "Layer Changesets") */
	XB_VEC(struct xb_reapi_output) kept;
	struct xb_arena arena;
	size_t n_entries;
};

void listing_put(struct xb_str *text, char type, const struct xb_archive_entry *e, const char *path, const char *target,
		 const struct xb_digest *digest)
{
	char hex[XB_DIGEST_HEX];

	xb_str_printf(text, "%c %o %u %u %lld %s", type, e->mode & 07777, e->uid, e->gid,
		      (long long)(digest ? e->size_bytes : 0), digest ? xb_digest_hex(digest, hex) : "-");
	xb_str_append_n(text, "", 1);
	xb_str_append_n(text, path, strlen(path) + 1);
	xb_str_append_n(text, target, strlen(target) + 1);
}

static bool is_looked_into(const char *path)
{
	return strcmp(path, "etc/passwd") == 0 || strcmp(path, "etc/group") == 0 || xb_installed_is_list(path) ||
	       xb_installed_is_release(path);
}

/* Bytes of the current file into the store's writer, from `len` on, and hashed. */
static int copy_rest(struct making *m, struct xb_cas_writer *w, struct xb_hasher *hasher, uint8_t *buf, size_t len,
		     int64_t *size, struct xb_err *err)
{
	int64_t n = (int64_t)len;

	for (*size = 0; n > 0; n = xb_archive_read(m->archive, buf, CHUNK_BYTES, err)) {
		if (m->interrupted && *m->interrupted)
			return xb_fail(err, XB_E_INTERRUPTED, "interrupted");
		xb_hasher_update(hasher, buf, (size_t)n);
		*size += n;
		if (w->fd >= 0 && xb_fs_write_all(w->fd, buf, (size_t)n, "a file of a layer", err) < 0)
			return err->code;
	}
	return n < 0 ? (int)err->code : 0;
}

/* Fills the buffer as far as the file goes. */
static int read_start(struct making *m, uint8_t *buf, size_t *out_len, struct xb_err *err)
{
	for (*out_len = 0; *out_len < MAGIC_BYTES;) {
		const int64_t n = xb_archive_read(m->archive, buf + *out_len, CHUNK_BYTES - *out_len, err);

		if (n < 0)
			return err->code;
		if (n == 0)
			return 0;
		*out_len += (size_t)n;
	}
	return 0;
}

static int put_file(struct making *m, struct xb_archive_entry *e, const char *path, struct xb_err *err)
{
	uint8_t *buf XB_CLEANUP(xb_free_ptr) = xb_alloc(CHUNK_BYTES);
	struct xb_cas_writer writer XB_CLEANUP(xb_cas_discard) = {.fd = -1};
	struct xb_hasher hasher XB_CLEANUP(xb_hasher_release) = {0};
	struct xb_digest digest;
	size_t len;

	if (read_start(m, buf, &len, err) < 0)
		return err->code;
	const bool is_script = len >= 2 && e->mode & 0111 && memcmp(buf, "#!", 2) == 0;
	const bool keep = m->all_files || is_looked_into(path) || is_script ||
			  (len >= MAGIC_BYTES && memcmp(buf, "\177ELF", MAGIC_BYTES) == 0);

	if (keep && xb_cas_begin(m->store, &writer, err) < 0)
		return err->code;
	xb_hasher_init(&hasher);
	if (copy_rest(m, &writer, &hasher, buf, len, &e->size_bytes, err) < 0)
		return err->code;
	xb_hasher_final(&hasher, &digest);
	if (keep) {
		const struct xb_reapi_output output = {.path = xb_arena_printf(&m->arena, "file%08zu", m->kept.len),
						       .digest = {digest, (uint64_t)e->size_bytes}};

		if (xb_cas_commit(&writer, &digest, err) < 0)
			return err->code;
		XB_VEC_PUSH(&m->kept, output);
	}
	listing_put(&m->text, keep ? 'k' : 'f', e, path, "", &digest);
	return 0;
}

/* Without "./" in front and "/" behind; "" is the root. */
static void clean_name(const char *name, struct xb_str *out)
{
	while (name[0] == '.' && name[1] == '/')
		name += 2;
	xb_str_reset(out);
	xb_str_append(out, strcmp(name, ".") == 0 ? "" : name);
	while (out->len > 1 && out->data[out->len - 1] == '/')
		out->data[--out->len] = '\0';
}

static bool put_whiteout(struct xb_str *text, const struct xb_archive_entry *e, const char *path)
{
	const struct xb_sv base = xb_path_base(xb_sv(path)), dir = xb_path_dir(xb_sv(path));
	char *parent XB_CLEANUP(xb_free_ptr) = xb_sv_dup(dir);
	char *hidden XB_CLEANUP(xb_free_ptr) = NULL;

	if (!xb_sv_starts(base, WHITEOUT))
		return false;
	if (xb_sv_eq_str(base, OPAQUE)) {
		listing_put(text, 'o', e, parent, "", NULL);
		return true;
	}
	hidden = xb_printf("%s%s%s", parent, dir.len ? "/" : "", base.ptr + strlen(WHITEOUT));
	listing_put(text, 'w', e, hidden, "", NULL);
	return true;
}

bool listing_put_entry(struct xb_str *text, const struct xb_archive_entry *e, const char *path)
{
	struct xb_str target XB_CLEANUP(xb_str_release) = {0};

	if (put_whiteout(text, e, path))
		return true;
	switch (e->type) {
	case XB_ARCHIVE_DIR:
		listing_put(text, 'd', e, path, "", NULL);
		return true;
	case XB_ARCHIVE_SYMLINK:
		listing_put(text, 'l', e, path, e->link_target, NULL);
		return true;
	case XB_ARCHIVE_HARDLINK:
		clean_name(e->link_target, &target);
		listing_put(text, 'h', e, path, target.data, NULL);
		return true;
	case XB_ARCHIVE_FILE:
		return false;
	case XB_ARCHIVE_OTHER:
		break;
	}
	return true;
}

static int put_entry(struct making *m, struct xb_archive_entry *e, const char *path, struct xb_err *err)
{
	struct xb_str target XB_CLEANUP(xb_str_release) = {0};

	if (!xb_path_is_safe(xb_sv(path)))
		return xb_fail(err, XB_E_VERIFY, "an entry has the unsafe name '%s'", path);
	const char *kind = &kinds[e->type == XB_ARCHIVE_DIR], *before = xb_map_get_str(&m->paths, path);

	/* a directory may be said again; writers do */
	if (before && (before != kind || e->type != XB_ARCHIVE_DIR))
		return xb_fail(err, XB_E_VERIFY, "'%s' is there twice", path);
	xb_map_put_str(&m->paths, path, (void *)(uintptr_t)kind);
	if (xb_sv_eq_str(xb_path_base(xb_sv(path)), WHITEOUT))
		return xb_fail(err, XB_E_VERIFY, "'%s' is a whiteout of nothing", path);
	if (e->type == XB_ARCHIVE_HARDLINK) {
		clean_name(e->link_target, &target);
		if (!xb_path_is_safe(xb_str_sv(&target)))
			return xb_fail(err, XB_E_VERIFY, "hard link '%s' leads to the unsafe name '%s'", path,
				       e->link_target);
	}
	return listing_put_entry(&m->text, e, path) ? 0 : put_file(m, e, path, err);
}

static int read_entries(struct making *m, struct xb_digest *out_diff_id, struct xb_err *err)
{
	struct xb_str path XB_CLEANUP(xb_str_release) = {0};
	struct xb_archive_entry e;
	int got;

	while ((got = xb_archive_next(m->archive, &e, err)) > 0) {
		if (m->interrupted && *m->interrupted)
			return xb_fail(err, XB_E_INTERRUPTED, "interrupted");
		clean_name(e.path, &path);
		if (path.len && put_entry(m, &e, path.data, err) < 0)
			return err->code;
		if (++m->n_entries > XB_MAX_TREE_ENTRIES || (int64_t)m->text.len > 2 * XB_MAX_LAYER_NAME_BYTES)
			return xb_fail(err, XB_E_VERIFY, "more than %d entries, or too many bytes of names",
				       XB_MAX_TREE_ENTRIES);
	}
	if (got < 0)
		return got;
	xb_archive_sum(m->archive, out_diff_id);
	return 0;
}

static void making_release(struct making *m)
{
	xb_archive_close(m->archive);
	xb_str_release(&m->text);
	xb_map_release(&m->paths);
	XB_VEC_RELEASE(&m->kept);
	xb_arena_release(&m->arena);
}

static int remember(struct making *m, const struct xb_listed_layer *layer, struct xb_err *err)
{
	struct xb_reapi_output listing = {.path = LISTING_OUTPUT};
	struct xb_digest key;

	listing.digest.size_bytes = m->text.len;
	if (xb_cas_put_bytes(m->store, xb_str_get(&m->text), m->text.len, &listing.digest.hash, err) < 0)
		return err->code;
	XB_VEC_PUSH(&m->kept, listing); /* "listing" comes behind "file..." */
	const struct xb_reapi_result result = {.outputs = m->kept.items, .n_outputs = m->kept.len};

	listing_key(layer, &key);
	return xb_action_put(m->store, &key, &result, err);
}

int xb_listing_make(struct xb_store *store, const struct xb_listed_layer *layer, const volatile int *interrupted,
		    struct xb_err *err)
{
	struct making m XB_CLEANUP(making_release) = {
		.store = store, .interrupted = interrupted, .all_files = layer->all_files};
	struct xb_str known XB_CLEANUP(xb_str_release) = {0};
	int fd XB_CLEANUP(xb_fs_close) = -1;
	char hex[XB_DIGEST_OCI], wanted[XB_DIGEST_OCI];
	struct xb_digest diff_id;
	const int found = xb_listing_find(store, layer, &known, err);

	if (found != 0)
		return found < 0 ? found : 0;
	xb_digest_oci(&layer->blob, hex);
	if (xb_cas_open(store, &layer->blob, &fd, err) < 0 ||
	    xb_archive_open_part(fd, 0, layer->size_bytes, hex, XB_MAX_TREE_BYTES, &m.archive, err) < 0)
		return err->code;
	xb_archive_set_interrupted(m.archive, interrupted);
	if (read_entries(&m, &diff_id, err) < 0)
		return xb_wrap(err, "layer %s", hex);
	if (!xb_digest_eq(&diff_id, &layer->diff_id)) {
		char *text XB_CLEANUP(xb_free_ptr) = xb_strdup(hex);

		return xb_fail(err, XB_E_DIGEST, "layer %s: expected a tar with the digest %s, found %s", text,
			       xb_digest_oci(&layer->diff_id, wanted), xb_digest_oci(&diff_id, hex));
	}
	return remember(&m, layer, err);
}
