/* SPDX-License-Identifier: Apache-2.0 */
/* Files of apk repositories into the store, and a base made of them. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base_apko.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/base/path.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fs.h"

#define BATCH	    64
#define BLOCK_BYTES (256 * 1024)

static bool is_url(const char *place)
{
	return xb_sv_starts(xb_sv(place), "https://") || xb_sv_starts(xb_sv(place), "http://");
}

static const char *label_of(const struct apko_file *file)
{
	return file->label ? file->label : xb_path_base(xb_sv(file->place)).ptr;
}

static int check_digest(const struct apko_file *file, const struct xb_digest *found, struct xb_err *err)
{
	char expected[XB_DIGEST_HEX], other[XB_DIGEST_HEX];

	if (!file->sha256 || xb_digest_eq(file->sha256, found))
		return 0;
	return xb_fail(err, XB_E_DIGEST, "read '%s': expected sha256 %s, found %s", file->place,
		       xb_digest_hex(file->sha256, expected), xb_digest_hex(found, other));
}

/* A file of the project's own repository, copied so that it stays what it is. */
static int take_local(struct xb_app *app, struct apko_file *file, int64_t max_bytes, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(app->project->dir, file->place);
	char *block XB_CLEANUP(xb_free_ptr) = xb_alloc(BLOCK_BYTES);
	struct xb_cas_writer writer XB_CLEANUP(xb_cas_discard) = {.fd = -1};
	struct xb_hasher hasher XB_CLEANUP(xb_hasher_release) = {0};
	int fd XB_CLEANUP(xb_fs_close) = open(path, O_RDONLY | O_CLOEXEC);
	int64_t n, total = 0;

	if (fd < 0) {
		xb_fail_errno(err, "read '%s'", path);
		file->is_missing = err->code == XB_E_NOT_FOUND;
		return xb_hint(err, "paths in an apko.yaml are below the directory of %s", app->project->file);
	}
	if (xb_cas_begin(app->store, &writer, err) < 0)
		return err->code;
	xb_hasher_init(&hasher);
	while ((n = xb_fs_read_some(fd, block, BLOCK_BYTES, path, err)) > 0) {
		total += n;
		if (total > max_bytes)
			return xb_fail(err, XB_E_INPUT, "read '%s': larger than %lld bytes", path,
				       (long long)max_bytes);
		xb_hasher_update(&hasher, block, (size_t)n);
		if (xb_fs_write_all(writer.fd, block, (size_t)n, writer.path, err) < 0)
			return err->code;
	}
	if (n < 0)
		return err->code;
	if (file->size_bytes >= 0 && total != file->size_bytes)
		return xb_fail(err, XB_E_DIGEST, "read '%s': expected %lld bytes, found %lld", path,
			       (long long)file->size_bytes, (long long)total);
	xb_hasher_final(&hasher, &file->got);
	if (check_digest(file, &file->got, err) < 0)
		return err->code;
	return xb_cas_commit(&writer, &file->got, err);
}

struct transfer {
	struct apko_file *file;
	struct xb_cas_writer writer;
};

struct batch {
	struct xb_fetch_req reqs[BATCH];
	struct transfer transfers[BATCH];
	size_t len;
};

static void free_batch(struct batch **at)
{
	struct batch *batch = *at;

	for (size_t i = 0; batch && i < batch->len; i++) {
		xb_cas_discard(&batch->transfers[i].writer);
		xb_err_release(&batch->reqs[i].err);
	}
	free(batch);
}

static int take_remote(struct xb_fetch_req *req, struct xb_err *err)
{
	struct transfer *transfer = req->user;

	transfer->file->got = req->got_digest;
	return xb_cas_commit(&transfer->writer, &req->got_digest, err);
}

static int run_batch(struct xb_app *app, struct batch *batch, const char *phase, struct xb_err *err)
{
	const struct xb_fetch_opts opts = {
		.stop_on_error = true, .phase = phase, .observer = app->observer, .interrupted = app->interrupted};

	if (!batch->len)
		return 0;
	if (app->options.offline) {
		xb_fail(err, XB_E_NETWORK, "'%s' is not in the store, and nothing is downloaded offline",
			label_of(batch->transfers[0].file));
		return xb_hint(err, "run 'xbuild fetch' once without --offline");
	}
	if (xb_fetch_run(batch->reqs, batch->len, &opts, err) == 0)
		return 0;
	for (size_t i = 0; i < batch->len; i++)
		batch->transfers[i].file->is_missing = batch->reqs[i].err.code == XB_E_NOT_FOUND;
	return err->code;
}

static int add_remote(struct xb_app *app, struct batch *batch, struct apko_file *file, int64_t max_bytes,
		      struct xb_err *err)
{
	struct transfer *transfer = &batch->transfers[batch->len];

	*transfer = (struct transfer){.file = file};
	if (xb_cas_begin(app->store, &transfer->writer, err) < 0)
		return err->code;
	batch->reqs[batch->len++] = (struct xb_fetch_req){.urls = &file->place,
							  .n_urls = 1,
							  .label = label_of(file),
							  .fd = transfer->writer.fd,
							  .size_bytes = file->size_bytes,
							  .max_bytes = max_bytes,
							  .digest = file->sha256,
							  .done = take_remote,
							  .user = transfer};
	return 0;
}

static int has_blob(struct xb_app *app, struct apko_file *file, bool *out, struct xb_err *err)
{
	*out = false;
	if (!file->sha256)
		return 0;
	file->got = *file->sha256;
	return xb_cas_has_whole(app->store, file->sha256, file->size_bytes, out, err);
}

int apko_fetch_files(struct xb_app *app, struct apko_file *files, size_t n_files, int64_t max_bytes, const char *phase,
		     struct xb_err *err)
{
	size_t at = 0;

	while (at < n_files) {
		struct batch *batch XB_CLEANUP(free_batch) = xb_alloc(sizeof(*batch));

		for (; at < n_files && batch->len < BATCH; at++) {
			bool is_there;

			if (has_blob(app, &files[at], &is_there, err) < 0)
				return err->code;
			if (is_there)
				continue;
			if (is_url(files[at].place) ? add_remote(app, batch, &files[at], max_bytes, err) < 0
						    : take_local(app, &files[at], max_bytes, err) < 0)
				return err->code;
		}
		if (run_batch(app, batch, phase, err) < 0)
			return err->code;
	}
	return 0;
}

static int fetch_packages(struct xb_app *app, const struct xb_apk_image_spec *spec, struct xb_err *err)
{
	const struct xb_lock_apko *locked = spec->locked;
	struct apko_file *files XB_CLEANUP(xb_free_ptr) = xb_alloc((locked->n_packages + 1) * sizeof(*files));
	size_t n = 0;

	for (size_t i = 0; i < locked->n_packages; i++) {
		const struct xb_lock_apk *p = &locked->packages[i];

		if (strcmp(p->arch, spec->arch) == 0)
			files[n++] =
				(struct apko_file){.place = p->url, .size_bytes = p->size_bytes, .sha256 = &p->sha256};
	}
	return apko_fetch_files(app, files, n, XB_MAX_PACKAGE_BYTES, "apk packages", err);
}

static int make(struct xb_app *app, struct base_apko *apko, const struct xb_digest *key, struct xb_err *err)
{
	const struct xb_layer_options options = {.threads = xb_app_jobs(app), .interrupted = app->interrupted};
	struct xb_apk_base base;

	/* Another process may have made it while this one waited. */
	if (xb_apk_base_find(app->store, key, &base) == 1) {
		xb_apk_base_release(&base);
		return 0;
	}
	if (fetch_packages(app, &apko->spec, err) < 0 || xb_apk_base_make(app->store, &apko->spec, &options, err) < 0)
		return err->code;
	return xb_cas_sync(app->store, err);
}

int base_apko_supply(struct xb_app *app, const struct xb_image *image, const struct xb_target *target,
		     struct xb_err *err)
{
	struct base_apko apko XB_CLEANUP(base_apko_release) = {0};
	struct xb_filelock lock = {.fd = -1};
	const int64_t began_ms = xb_host_monotonic_ms();
	char *label XB_CLEANUP(xb_free_ptr) = xb_printf("base %s", image->apko);
	char hex[XB_DIGEST_HEX];
	struct xb_digest key;
	int r;

	if (base_apko_open(app, image, target, &app->diags, &apko, err) < 0)
		return err->code;
	xb_apk_base_key(&apko.spec, &key);
	if (xb_store_lock(app->store, xb_digest_hex(&key, hex), &lock, err) < 0)
		return err->code;
	r = make(app, &apko, &key, err);
	xb_filelock_release(&lock);
	if (r < 0)
		return xb_wrap(err, "base '%s' for %s", image->apko, target->name);
	xb_observe(app->observer, &(struct xb_event){.kind = XB_EVENT_DONE,
						     .verb = "Made",
						     .label = label,
						     .target = target->name,
						     .elapsed_ms = xb_host_monotonic_ms() - began_ms});
	return 0;
}
