/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/image/tarball.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "xbuild/base/alloc.h"
#include "xbuild/image/layer.h"
#include "xbuild/image/tar.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/digest.h"
#include "xbuild/sys/fs.h"

/* Where the bytes of one file are, and what they have to be. */
struct content {
	int fd;
	const char *source; /* for messages */
	uint64_t size_bytes;
	const struct xb_digest *digest;
};

static int flush(struct xb_tarball *t, struct xb_err *err)
{
	const size_t len = t->used;

	t->used = 0;
	return xb_fs_write_all(t->file.fd, t->buffer, len, t->file.path, err);
}

static int add_bytes(struct xb_tarball *t, const void *data, size_t len, struct xb_err *err)
{
	const char *from = data;

	while (len > 0) {
		const size_t room = XB_TARBALL_BUFFER_BYTES - t->used, n = len < room ? len : room;

		memcpy(t->buffer + t->used, from, n);
		t->used += n;
		from += n;
		len -= n;
		if (t->used == XB_TARBALL_BUFFER_BYTES && flush(t, err) < 0)
			return err->code;
	}
	return 0;
}

static int add_padding(struct xb_tarball *t, uint64_t size_bytes, struct xb_err *err)
{
	static const char zeros[XB_TAR_BLOCK_BYTES];

	return add_bytes(t, zeros, xb_tar_padding(size_bytes), err);
}

static int add_header(struct xb_tarball *t, const struct xb_tar_entry *entry, struct xb_err *err)
{
	xb_str_reset(&t->header);
	if (xb_tar_header(entry, &t->header, err) < 0)
		return err->code;
	return add_bytes(t, t->header.data, t->header.len, err);
}

static int check_interrupted(const struct xb_tarball *t, struct xb_err *err)
{
	if (t->interrupted && *t->interrupted)
		return xb_fail(err, XB_E_INTERRUPTED, "interrupted while writing '%s'", t->file.path);
	return 0;
}

/* Reads into the buffer itself; at most size_bytes, and tells how many came. */
static int copy(struct xb_tarball *t, const struct content *c, struct xb_hasher *hasher, uint64_t *out_copied,
		struct xb_err *err)
{
	*out_copied = 0;
	while (*out_copied < c->size_bytes) {
		const uint64_t left = c->size_bytes - *out_copied;
		const size_t room = XB_TARBALL_BUFFER_BYTES - t->used;
		uint8_t *at = t->buffer + t->used;

		if (check_interrupted(t, err) < 0)
			return err->code;
		const int64_t n = xb_fs_read_some(c->fd, at, room < left ? room : (size_t)left, c->source, err);

		if (n < 0)
			return err->code;
		if (n == 0)
			break;
		xb_hasher_update(hasher, at, (size_t)n);
		t->used += (size_t)n;
		*out_copied += (uint64_t)n;
		if (t->used == XB_TARBALL_BUFFER_BYTES && flush(t, err) < 0)
			return err->code;
	}
	return 0;
}

static int add_content(struct xb_tarball *t, const struct content *c, struct xb_err *err)
{
	struct xb_hasher hasher XB_CLEANUP(xb_hasher_release) = {0};
	char expected[XB_DIGEST_HEX], found[XB_DIGEST_HEX];
	struct xb_digest digest;
	uint64_t copied;
	char probe;

	xb_hasher_init(&hasher);
	if (copy(t, c, &hasher, &copied, err) < 0)
		return err->code;
	xb_hasher_final(&hasher, &digest);
	const int64_t more = xb_fs_read_some(c->fd, &probe, 1, c->source, err);

	if (more < 0)
		return err->code;
	if (more || copied < c->size_bytes)
		return xb_fail(err, XB_E_DIGEST, "read '%s': expected %llu bytes, found %s", c->source,
			       (unsigned long long)c->size_bytes, more ? "more" : "fewer");
	if (!xb_digest_eq(&digest, c->digest)) {
		xb_fail(err, XB_E_DIGEST, "read '%s': expected sha256 %s, found %s", c->source,
			xb_digest_hex(c->digest, expected), xb_digest_hex(&digest, found));
		return xb_hint(err, "it changed meanwhile; run the command again");
	}
	return add_padding(t, c->size_bytes, err);
}

int xb_tarball_open(struct xb_tarball *t, const char *path, const volatile int *interrupted, struct xb_err *err)
{
	struct xb_atomic_file file = {.fd = -1};

	if (xb_atomic_file_open(&file, path, 0644, err) < 0)
		return err->code;
	*t = (struct xb_tarball){.file = file, .interrupted = interrupted, .buffer = xb_alloc(XB_TARBALL_BUFFER_BYTES)};
	return 0;
}

int xb_tarball_add_dir(struct xb_tarball *t, const char *path, struct xb_err *err)
{
	return add_header(t, &(struct xb_tar_entry){.path = path, .type = XB_TAR_DIR, .mode = 0755}, err);
}

int xb_tarball_add_text(struct xb_tarball *t, const char *path, struct xb_sv text, struct xb_err *err)
{
	const struct xb_tar_entry entry = {.path = path, .type = XB_TAR_FILE, .mode = 0644, .size_bytes = text.len};

	if (add_header(t, &entry, err) < 0 || add_bytes(t, text.ptr, text.len, err) < 0)
		return err->code;
	return add_padding(t, text.len, err);
}

int xb_tarball_add_blob(struct xb_tarball *t, struct xb_store *store, const struct xb_descriptor *blob,
			struct xb_err *err)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	char hex[XB_DIGEST_HEX];
	char *source XB_CLEANUP(xb_free_ptr) = xb_cas_path(store, &blob->digest);
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("blobs/sha256/%s", xb_digest_hex(&blob->digest, hex));
	const struct xb_tar_entry entry = {
		.path = path, .type = XB_TAR_FILE, .mode = 0644, .size_bytes = blob->size_bytes};
	int fd XB_CLEANUP(xb_fs_close) = -1;

	if (xb_cas_open(store, &blob->digest, &fd, err) < 0 || add_header(t, &entry, err) < 0)
		return err->code;
	const struct content c = {fd, source, blob->size_bytes, &blob->digest};

	if (add_content(t, &c, err) == XB_E_DIGEST)
		(void)!xb_cas_check(store, &blob->digest,
				    &ignored); /* removes it, so that the next run makes it again */
	return err->code;
}

int xb_tarball_add_entry(struct xb_tarball *t, const struct xb_rootfs_entry *entry, struct xb_err *err)
{
	int fd XB_CLEANUP(xb_fs_close) = -1;

	xb_str_reset(&t->header);
	if (check_interrupted(t, err) < 0 || xb_layer_header(entry, &t->header, err) < 0 ||
	    add_bytes(t, t->header.data, t->header.len, err) < 0)
		return err->code;
	if (entry->type != XB_TREE_FILE)
		return 0;
	fd = open(entry->source, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return xb_fail_errno(err, "open '%s' for '/%s'", entry->source, entry->path);
	return add_content(t, &(struct content){fd, entry->source, (uint64_t)entry->size_bytes, &entry->digest}, err);
}

int xb_tarball_finish(struct xb_tarball *t, struct xb_err *err)
{
	static const char zeros[XB_TAR_END_BYTES];

	if (check_interrupted(t, err) < 0 || add_bytes(t, zeros, sizeof(zeros), err) < 0 || flush(t, err) < 0)
		return err->code;
	return xb_atomic_file_commit(&t->file, 0, err);
}

void xb_tarball_release(struct xb_tarball *t)
{
	if (!t)
		return;
	xb_atomic_file_discard(&t->file);
	xb_str_release(&t->header);
	free(t->buffer);
	*t = (struct xb_tarball){.file = {.fd = -1}};
}
