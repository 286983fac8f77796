/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/map.h"
#include "xbuild/base/path.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/archive.h"
#include "xbuild/sys/fs.h"

#define BLOBS	     "blobs/sha256/"
#define BUFFER_BYTES (256 * 1024)
#define MAX_BYTES    (1024 * XB_GIB) /* of a bundle; each blob is bounded by what a package may have */

struct import {
	struct xb_app *app;
	const char *path;
	struct xb_map wanted; /* hex of blobs that the lock names, and those that documents of bases name */
	struct xb_digest lock;
	bool has_lock;
	uint8_t *buffer;
};

static void import_release(struct import *in)
{
	xb_map_release(&in->wanted);
	free(in->buffer);
}

/* Every run of 64 hexadecimal digits: whatever a lock may name one day, it names by digest. */
static void want_all(struct import *in, struct xb_sv text)
{
	size_t run = 0;

	for (size_t i = 0; i <= text.len; i++) {
		if (i < text.len && strchr("0123456789abcdef", text.ptr[i]) && text.ptr[i]) {
			run++;
			continue;
		}
		if (run == 64)
			xb_map_put(&in->wanted, xb_sv_n(text.ptr + i - run, run), in);
		run = 0;
	}
}

/* The manifests of bases name configurations and layers, which the lock does not. */
static void want_of_manifests(struct import *in)
{
	const struct xb_lock *lock = in->app->lock;

	for (size_t i = 0; i < lock->n_bases; i++) {
		for (size_t k = 0; k < lock->bases[i].n_platforms; k++) {
			char *path XB_CLEANUP(xb_free_ptr) =
				xb_cas_path(in->app->store, &lock->bases[i].platforms[k].manifest);
			struct xb_str text XB_CLEANUP(xb_str_release) = {0};
			struct xb_err absent XB_CLEANUP(xb_err_release) = {0};

			if (xb_fs_read(path, XB_MAX_OCI_DOCUMENT_BYTES, &text, &absent) == 0)
				want_all(in, xb_str_sv(&text));
		}
	}
}

static bool is_manifest(const struct import *in, const struct xb_digest *digest)
{
	const struct xb_lock *lock = in->app->lock;

	for (size_t i = 0; i < lock->n_bases; i++)
		for (size_t k = 0; k < lock->bases[i].n_platforms; k++)
			if (xb_digest_eq(&lock->bases[i].platforms[k].manifest, digest))
				return true;
	return false;
}

static int prepare(struct import *in, struct xb_err *err)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	if (xb_fs_read(in->app->lock_path, XB_MAX_JSON_BYTES, &text, err) < 0)
		return err->code;
	xb_digest_bytes(text.data, text.len, &in->lock);
	want_all(in, xb_str_sv(&text));
	want_of_manifests(in);
	in->buffer = xb_alloc(BUFFER_BYTES);
	return 0;
}

/* True when it is to be taken. */
static bool is_wanted(struct import *in, const struct xb_digest *digest)
{
	char hex[XB_DIGEST_HEX];

	in->has_lock |= xb_digest_eq(digest, &in->lock);
	return xb_map_has(&in->wanted, xb_sv(xb_digest_hex(digest, hex))) && !xb_cas_has(in->app->store, digest, -1);
}

/* Where the bytes of a blob come from: the archive's current entry, or a file. */
struct source {
	struct xb_archive *archive;
	int fd;
	const char *name;
};

static int64_t read_some(const struct source *s, void *to, size_t len, struct xb_err *err)
{
	return s->archive ? xb_archive_read(s->archive, to, len, err) : xb_fs_read_some(s->fd, to, len, s->name, err);
}

/* Hashed as it is written; what has not the digest of its name is thrown away. */
static int take(struct import *in, const struct source *source, const struct xb_digest *digest, struct xb_err *err)
{
	struct xb_cas_writer writer XB_CLEANUP(xb_cas_discard) = {.fd = -1};
	struct xb_hasher hasher XB_CLEANUP(xb_hasher_release) = {0};
	char expected[XB_DIGEST_HEX], found[XB_DIGEST_HEX];
	struct xb_digest got;
	int64_t n, total = 0;

	if (xb_cas_begin(in->app->store, &writer, err) < 0)
		return err->code;
	xb_hasher_init(&hasher);
	while ((n = read_some(source, in->buffer, BUFFER_BYTES, err)) > 0) {
		total += n;
		if (total > XB_MAX_PACKAGE_BYTES)
			return xb_fail(err, XB_E_VERIFY, "'%s' of '%s' is larger than allowed", source->name, in->path);
		if (in->app->interrupted && *in->app->interrupted)
			return xb_fail(err, XB_E_INTERRUPTED, "interrupted");
		xb_hasher_update(&hasher, in->buffer, (size_t)n);
		if (xb_fs_write_all(writer.fd, in->buffer, (size_t)n, writer.path, err) < 0)
			return err->code;
	}
	if (n < 0)
		return err->code;
	xb_hasher_final(&hasher, &got);
	if (!xb_digest_eq(&got, digest)) {
		xb_fail(err, XB_E_DIGEST, "bundle '%s' is damaged: expected sha256 %s, found %s", in->path,
			xb_digest_hex(digest, expected), xb_digest_hex(&got, found));
		return xb_hint(err, "copy it again, or make it anew with 'xbuild bundle'");
	}
	if (xb_cas_commit(&writer, digest, err) < 0)
		return err->code;
	if (is_manifest(in, digest))
		want_of_manifests(in);
	return 0;
}

static int read_tar(struct import *in, int fd, struct xb_err *err)
{
	struct xb_archive *archive = NULL;
	struct xb_archive_entry entry;
	int rc;

	if (xb_archive_open_tar(fd, in->path, MAX_BYTES, 1, &archive, err) < 0)
		return err->code;
	xb_archive_set_interrupted(archive, in->app->interrupted);
	while ((rc = xb_archive_next(archive, &entry, err)) > 0) {
		const struct source source = {.archive = archive, .name = "an entry"};
		struct xb_digest digest;

		if (entry.type != XB_ARCHIVE_FILE || !xb_sv_starts(xb_sv(entry.path), BLOBS) ||
		    !xb_digest_parse(xb_sv(entry.path + strlen(BLOBS)), &digest) || !is_wanted(in, &digest))
			continue;
		rc = take(in, &source, &digest, err);
		if (rc < 0)
			break;
	}
	xb_archive_close(archive);
	return rc;
}

static int take_file(struct import *in, const char *hex, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_printf("%s/" BLOBS "%s", in->path, hex);
	int fd XB_CLEANUP(xb_fs_close) = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	const int reason = errno;
	const struct source source = {.fd = fd, .name = path};
	struct xb_digest digest;

	if (!xb_digest_parse(xb_sv(hex), &digest) || (fd < 0 && reason == ENOENT) || !is_wanted(in, &digest))
		return 0;
	errno = reason;
	if (fd < 0)
		return xb_fail_errno(err, "read '%s'", path);
	return take(in, &source, &digest, err);
}

/* New wants come behind the old ones, in the order in which they were found. */
static int read_layout(struct import *in, struct xb_err *err)
{
	char hex[XB_DIGEST_HEX];

	for (size_t i = 0; i < in->wanted.len; i++) {
		char *name XB_CLEANUP(xb_free_ptr) = xb_strdup(in->wanted.entries[i].key);

		if (take_file(in, name, err) < 0)
			return err->code;
	}
	return take_file(in, xb_digest_hex(&in->lock, hex), err);
}

int bundle_import(struct xb_app *app, struct xb_err *err)
{
	char *start XB_CLEANUP(xb_free_ptr) = NULL, *path XB_CLEANUP(xb_free_ptr) = NULL;
	struct import in XB_CLEANUP(import_release) = {.app = app};
	int fd XB_CLEANUP(xb_fs_close) = -1;
	int rc;

	if (xb_app_start_dir(app, &start, err) < 0 || prepare(&in, err) < 0)
		return err->code;
	path = xb_path_join(start, app->options.bundle);
	in.path = path;
	if (xb_fs_is_dir(path)) {
		rc = read_layout(&in, err);
	} else {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			xb_fail_errno(err, "read bundle '%s'", path);
			return err->code;
		}
		rc = read_tar(&in, fd, err);
	}
	app->bundle_is_other = !in.has_lock;
	return rc < 0 ? rc : xb_cas_sync(app->store, err);
}
