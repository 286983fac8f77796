/* SPDX-License-Identifier: Apache-2.0 */
#include "archives.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sources.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/path.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/openpgp.h"

#define BLOCK_BYTES (256 * 1024)

bool archive_is_local(const char *url)
{
	return xb_sv_starts(xb_sv(url), XB_LOCAL_FILE);
}

int archive_measure(struct xb_app *app, const char *url, const struct xb_place *at, struct xb_digest *out,
		    int64_t *out_size, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = sources_path(app->project, url);
	uint64_t size;

	if (xb_digest_file(path, out, &size, err) < 0) {
		if (at && at->line && err->code == XB_E_NOT_FOUND) {
			xb_diags_add(&app->diags, *at, app->project->source, "there is no file '%s'",
				     url + strlen(XB_LOCAL_FILE));
			err->code = XB_E_INPUT;
		}
		return err->code;
	}
	*out_size = (int64_t)size;
	return 0;
}

static int copy_into(const char *path, struct xb_cas_writer *writer, struct xb_digest *out, struct xb_err *err)
{
	int fd XB_CLEANUP(xb_fs_close) = open(path, O_RDONLY | O_CLOEXEC);
	char *block XB_CLEANUP(xb_free_ptr) = xb_realloc(NULL, BLOCK_BYTES);
	struct xb_hasher hasher XB_CLEANUP(xb_hasher_release) = {0};
	int64_t n;

	if (fd < 0)
		return xb_fail_errno(err, "open '%s'", path);
	xb_hasher_init(&hasher);
	while ((n = xb_fs_read_some(fd, block, BLOCK_BYTES, path, err)) > 0) {
		xb_hasher_update(&hasher, block, (size_t)n);
		if (xb_fs_write_all(writer->fd, block, (size_t)n, path, err) < 0)
			return err->code;
	}
	if (n < 0)
		return err->code;
	xb_hasher_final(&hasher, out);
	return 0;
}

int archive_import(struct xb_app *app, const char *url, const struct xb_digest *sha256, struct xb_err *err)
{
	struct xb_cas_writer writer XB_CLEANUP(xb_cas_discard) = {0};
	char *path XB_CLEANUP(xb_free_ptr) = NULL;
	struct xb_digest found;
	bool there;

	if (!archive_is_local(url))
		return 0;
	if (xb_cas_has_whole(app->store, sha256, -1, &there, err) < 0)
		return err->code;
	if (there)
		return 0;
	path = sources_path(app->project, url);
	if (xb_cas_begin(app->store, &writer, err) < 0 || copy_into(path, &writer, &found, err) < 0)
		return err->code;
	if (!xb_digest_eq(&found, sha256)) {
		xb_fail(err, XB_E_LOCK, "'%s' is not the file that was locked", path);
		return xb_hint(err, "restore it, or take it as it is now with 'xbuild lock --update'");
	}
	return xb_cas_commit(&writer, &found, err);
}

static int read_blob(const struct xb_store *store, const struct xb_digest *digest, struct xb_str *out,
		     struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_cas_path(store, digest);

	return xb_fs_read(path, XB_MAX_SIGNATURE_BYTES, out, err);
}

int archive_verify(struct xb_app *app, const struct xb_lock_archive *archive, const struct xb_archive_ref *ref,
		   struct xb_err *err)
{
	const struct xb_lock_signature *signature = &archive->signature;
	const char *name = xb_archive_name(archive->url);
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	char *key XB_CLEANUP(xb_free_ptr) = NULL, *path XB_CLEANUP(xb_free_ptr) = NULL;
	const char *files[1];
	struct xb_digest found;

	if (!signature->url)
		return 0;
	if (!ref || !ref->key)
		return xb_fail(err, XB_E_LOCK, "'%s' is locked with a signature, and the project names no key", name);
	key = xb_path_join(app->project->dir, ref->key);
	if (xb_digest_file(key, &found, NULL, err) < 0)
		return err->code;
	if (!xb_digest_eq(&found, &signature->key)) {
		xb_fail(err, XB_E_LOCK, "'%s' is not the key that was locked", ref->key);
		return xb_hint(err, "restore it, or trust it with 'xbuild lock --update'");
	}
	path = xb_cas_path(app->store, &archive->sha256);
	files[0] = key;
	if (read_blob(app->store, &signature->sha256, &text, err) < 0)
		return xb_wrap(err, "signature of '%s'", name);
	return xb_openpgp_verify_detached(path, xb_str_sv(&text), name,
					  &(struct xb_openpgp_keys){.files = files, .n_files = 1, .any_key = true},
					  xb_host_now(), err);
}
