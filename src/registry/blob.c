/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/registry/blob.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/store/cas.h"

int xb_blob_is_there(struct xb_repository *repo, const struct xb_blob *blob, bool *out, struct xb_err *err)
{
	struct xb_http_response res XB_CLEANUP(xb_http_response_release) = {0};
	struct registry_call call = {.method = "HEAD"};
	char *url XB_CLEANUP(xb_free_ptr) = NULL;
	char hex[XB_DIGEST_OCI];
	uint64_t size;

	if (registry_url(repo, &url, err, "/blobs/%s", xb_digest_oci(&blob->digest, hex)) < 0)
		return err->code;
	call.url = url;
	if (registry_call(repo, &call, &res, err) < 0)
		return err->code;
	if (res.status != 200 && res.status != 404)
		return registry_refused(&call, &res, err);
	if (res.status == 200 && xb_num_u64(xb_http_header(&res, "Content-Length", 0), INT64_MAX, &size) &&
	    (int64_t)size != blob->size_bytes)
		return xb_fail(err, XB_E_DIGEST, "the registry has %s with %lld bytes, expected %lld", hex,
			       (long long)size, (long long)blob->size_bytes);
	*out = res.status == 200;
	return 0;
}

/* ---- fetching ---- */

struct fetching {
	const struct xb_blob *blob;
	int fd;
	struct xb_hasher hasher;
	int64_t have;
	bool has_begun; /* the current answer was looked at */
	bool resumed;	/* the file has parts of several answers */
	int n_misfits;	/* how often such parts were not what they should be */
};

static void fetching_release(struct fetching *f)
{
	xb_hasher_release(&f->hasher);
}

static void count(const struct fetching *f, int64_t bytes)
{
	if (f->blob->moved && bytes)
		f->blob->moved(f->blob->ctx, bytes);
}

static int begin_anew(struct fetching *f, struct xb_err *err)
{
	if (ftruncate(f->fd, 0) < 0)
		return xb_fail_errno(err, "empty a file of the store");
	count(f, -f->have);
	f->have = 0;
	f->resumed = false;
	xb_hasher_release(&f->hasher);
	xb_hasher_init(&f->hasher);
	return 0;
}

/* 206 has to go on where we stopped (RFC 9110 14.4); anything else is the whole. */
static int look_at_answer(struct fetching *f, const struct xb_http_response *res, struct xb_err *err)
{
	struct xb_sv value = xb_http_header(res, "Content-Range", 0);
	uint64_t first;

	f->has_begun = true;
	if (res->status != 206)
		return f->have ? begin_anew(f, err) : 0;
	if (xb_sv_starts(value, "bytes "))
		value = xb_sv_n(value.ptr + 6, value.len - 6);
	if (!xb_num_u64(xb_sv_cut(&value, '-'), INT64_MAX, &first) || (int64_t)first != f->have)
		return xb_fail(err, XB_E_NETWORK, "the registry sends another part than was asked for");
	f->resumed = true;
	return 0;
}

static int take(void *ctx, const struct xb_http_response *res, const void *data, size_t len, struct xb_err *err)
{
	struct fetching *f = ctx;
	size_t done = 0;

	if (!f->has_begun && look_at_answer(f, res, err) < 0)
		return err->code;
	if ((int64_t)len > f->blob->size_bytes - f->have)
		return xb_fail(err, XB_E_DIGEST, "the registry sends more than the %lld bytes that were expected",
			       (long long)f->blob->size_bytes);
	while (done < len) {
		const ssize_t n = pwrite(f->fd, (const char *)data + done, len - done, (off_t)f->have + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return xb_fail_errno(err, "write to the store");
		done += (size_t)n;
	}
	xb_hasher_update(&f->hasher, data, len);
	f->have += (int64_t)len;
	count(f, (int64_t)len);
	return 0;
}

/* One request for what is missing. *out_again: it broke off, or is worth another try. */
static int get_rest(struct xb_repository *repo, const char *url, struct fetching *f, bool *out_again,
		    int64_t *out_retry_after, struct xb_err *err)
{
	struct xb_http_response res XB_CLEANUP(xb_http_response_release) = {0};
	char *range XB_CLEANUP(xb_free_ptr) = xb_printf("Range: bytes=%lld-", (long long)f->have);
	const char *const headers[] = {f->have ? range : NULL, NULL};
	const struct registry_call call = {.method = "GET",
					   .url = url,
					   .headers = headers,
					   .once = true,
					   .sink = take,
					   .ctx = f,
					   .max_answer_bytes = INT64_MAX};
	int rc;

	f->has_begun = false;
	rc = registry_call(repo, &call, &res, err);
	*out_again = rc < 0 ? res.is_passing : registry_is_passing_status(res.status);
	*out_retry_after = rc < 0 ? 0 : res.retry_after_sec;
	if (rc < 0)
		return rc;
	/* 416: the part is not to be had, so all of it again */
	if (res.status == 416 && f->have) {
		*out_again = true;
		return begin_anew(f, err) < 0 ? err->code : xb_fail(err, XB_E_NETWORK, "the part is not to be had");
	}
	if (res.status != 200 && res.status != 206)
		return registry_refused(&call, &res, err);
	return 0;
}

static int check(struct fetching *f, bool *out_again, struct xb_err *err)
{
	char got[XB_DIGEST_OCI];
	struct xb_digest digest;

	*out_again = true;
	if (f->have < f->blob->size_bytes)
		return xb_fail(err, XB_E_NETWORK, "it ended after %lld of %lld bytes", (long long)f->have,
			       (long long)f->blob->size_bytes);
	xb_hasher_final(&f->hasher, &digest);
	xb_hasher_init(&f->hasher);
	if (xb_digest_eq(&digest, &f->blob->digest))
		return 0;
	/* parts of two answers may not fit; one whole answer tells */
	*out_again = f->resumed && ++f->n_misfits < XB_MAX_RETRIES;
	xb_fail(err, XB_E_DIGEST, "its content has the digest %s", xb_digest_oci(&digest, got));
	if (*out_again) {
		struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};

		*out_again = begin_anew(f, &ignored) == 0;
	}
	return err->code;
}

static int fetch_all(struct xb_repository *repo, const char *url, struct fetching *f, struct xb_err *err)
{
	for (int tries = 1;; tries++) {
		const int64_t before = f->have;
		int64_t retry_after = 0;
		bool again = false;
		int rc = get_rest(repo, url, f, &again, &retry_after, err);

		if (rc == 0)
			rc = check(f, &again, err);
		if (rc == 0 || !again)
			return rc;
		if (f->have > before)
			tries = 1;
		if (tries > XB_MAX_RETRIES)
			return rc;
		struct xb_err pause XB_CLEANUP(xb_err_release) = {0};

		if (registry_pause(repo->registry, tries, retry_after, &pause) < 0) {
			if (pause.code == XB_E_INTERRUPTED) {
				xb_err_clear(err);
				xb_err_move(err, &pause);
			}
			return err->code;
		}
		xb_err_clear(err);
	}
}

int xb_blob_fetch(struct xb_repository *repo, struct xb_store *store, const struct xb_blob *blob, struct xb_err *err)
{
	struct xb_cas_writer w XB_CLEANUP(xb_cas_discard) = {.fd = -1};
	struct fetching f XB_CLEANUP(fetching_release) = {.blob = blob};
	char *url XB_CLEANUP(xb_free_ptr) = NULL;
	char hex[XB_DIGEST_OCI];
	bool there;

	if (xb_cas_has_whole(store, &blob->digest, blob->size_bytes, &there, err) < 0)
		return err->code;
	if (there) {
		if (blob->moved)
			blob->moved(blob->ctx, blob->size_bytes);
		return 0;
	}
	if (registry_url(repo, &url, err, "/blobs/%s", xb_digest_oci(&blob->digest, hex)) < 0 ||
	    xb_cas_begin(store, &w, err) < 0)
		return err->code;
	f.fd = w.fd;
	xb_hasher_init(&f.hasher);
	if (fetch_all(repo, url, &f, err) < 0)
		return xb_wrap(err, "fetch %s", hex);
	return xb_cas_commit(&w, &blob->digest, err);
}
