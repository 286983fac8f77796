/* SPDX-License-Identifier: Apache-2.0 */
/* Sending blobs. distribution-spec "Pushing blobs", "Pushing a blob in chunks", "Mounting a blob from another repository". */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "journal.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/registry/blob.h"

/* A registry keeps the chunks that it has acknowledged; each one more costs a round trip, and some a copy. */
#define CHUNK_BYTES	(32 * XB_MIB)
#define COMMIT_WAIT_SEC 600 /* registries hash, and copy to their storage, before they answer the last request */
#define HASH_BUFFER	(256 * 1024)

enum step {
	STEP_DONE,
	STEP_AGAIN, /* the state of the upload has to be asked for */
	STEP_LOST,  /* the registry does not know the upload any more */
	STEP_WHOLE, /* it knows no chunks */
};

struct sending {
	struct xb_repository *repo;
	const struct xb_blob *blob;
	int fd;
	struct journal journal;
	char *location; /* of the upload, as told last; owned; NULL: none is open */
	int64_t offset; /* how much of it the registry has */
	int64_t chunk_bytes;
	bool whole; /* in one piece */
	struct xb_hasher hasher;
	int64_t hashed;	 /* how much of the file went into hasher */
	int64_t base;	 /* where in the file the body of the current request starts */
	int64_t counted; /* told to blob->moved */
	int failures;	 /* since the last progress */
	int64_t retry_after_sec;
	struct xb_err last; /* why the last request failed */
};

static void sending_release(struct sending *s)
{
	journal_close(&s->journal);
	xb_hasher_release(&s->hasher);
	xb_err_release(&s->last);
	free(s->location);
}

static void count_to(struct sending *s, int64_t position)
{
	if (s->blob->moved && position != s->counted)
		s->blob->moved(s->blob->ctx, position - s->counted);
	s->counted = position;
}

/* ---- content ---- */

static int check_content(struct sending *s, struct xb_err *err)
{
	char got[XB_DIGEST_OCI], wanted[XB_DIGEST_OCI];
	struct xb_digest digest;

	xb_hasher_final(&s->hasher, &digest);
	if (xb_digest_eq(&digest, &s->blob->digest))
		return 0;
	return xb_fail(err, XB_E_DIGEST, "send %s: the content of the file has the digest %s",
		       xb_digest_oci(&s->blob->digest, wanted), xb_digest_oci(&digest, got));
}

/* Hashes what was not hashed before; ends before the last byte goes out when it is not the right content. */
static int take_content(struct sending *s, int64_t position, const void *data, size_t len, struct xb_err *err)
{
	const int64_t known = s->hashed - position;

	if (known < 0)
		return xb_fail(err, XB_E_SYSTEM, "send a blob: a part was passed over");
	if (known >= (int64_t)len)
		return 0;
	xb_hasher_update(&s->hasher, (const char *)data + known, len - (size_t)known);
	s->hashed = position + (int64_t)len;
	return s->hashed == s->blob->size_bytes ? check_content(s, err) : 0;
}

static int sending_cb(void *ctx, int64_t at, const void *data, size_t len, struct xb_err *err)
{
	struct sending *s = ctx;

	if (take_content(s, s->base + at, data, len, err) < 0)
		return err->code;
	count_to(s, s->base + at + (int64_t)len);
	return 0;
}

/* What another process has sent is hashed here, up to `end`. */
static int hash_to(struct sending *s, int64_t end, struct xb_err *err)
{
	char *buffer XB_CLEANUP(xb_free_ptr) = xb_alloc(HASH_BUFFER);

	while (s->hashed < end) {
		const int64_t left = end - s->hashed;
		const ssize_t n =
			pread(s->fd, buffer, left < HASH_BUFFER ? (size_t)left : HASH_BUFFER, (off_t)s->hashed);

		if (n < 0)
			return xb_fail_errno(err, "read what is to be sent");
		if (n == 0)
			return xb_fail(err, XB_E_DIGEST, "read what is to be sent: the file became shorter");
		if (take_content(s, s->hashed, buffer, (size_t)n, err) < 0)
			return err->code;
	}
	return 0;
}

/* ---- where the upload is ---- */

static int take_location(struct sending *s, const struct xb_http_response *res, bool needed, struct xb_err *err)
{
	const struct xb_sv value = xb_http_header(res, "Location", 0);
	char *location = NULL;

	if (!value.ptr)
		return needed ? xb_fail(err, XB_E_NETWORK, "the registry says not where to send the blob (no Location)")
			      : 0;
	char *text XB_CLEANUP(xb_free_ptr) = xb_sv_dup(value);

	if (xb_http_resolve(res->url, text, &location, err) < 0)
		return err->code;
	free(s->location);
	s->location = location;
	return 0;
}

/* "0-99": 100 bytes are there. "0-0" is sent for none as well as for one: then none is the safe answer. */
static bool take_range(const struct xb_http_response *res, int64_t *out)
{
	struct xb_sv last = xb_http_header(res, "Range", 0);
	uint64_t first_byte, last_byte;

	if (xb_sv_starts(last, "bytes="))
		last = xb_sv_n(last.ptr + 6, last.len - 6);
	const struct xb_sv first = xb_sv_cut(&last, '-');

	if (!last.ptr || !xb_num_u64(first, 0, &first_byte) || !xb_num_u64(last, INT64_MAX - 1, &last_byte))
		return false;
	*out = last_byte ? (int64_t)last_byte + 1 : 0;
	return true;
}

static void forget_upload(struct sending *s)
{
	free(s->location);
	s->location = NULL;
	s->offset = 0;
	journal_forget(&s->journal);
	count_to(s, 0);
}

static int start(struct sending *s, struct xb_err *err)
{
	static const struct xb_http_body empty = {.bytes = "", .fd = -1};
	struct xb_http_response res XB_CLEANUP(xb_http_response_release) = {0};
	struct registry_call call = {.method = "POST", .body = &empty};
	char *url XB_CLEANUP(xb_free_ptr) = NULL;
	uint64_t least;

	if (registry_url(s->repo, &url, err, "/blobs/uploads/") < 0)
		return err->code;
	call.url = url;
	if (registry_call(s->repo, &call, &res, err) < 0)
		return err->code;
	if (res.status != 202)
		return registry_refused(&call, &res, err);
	if (take_location(s, &res, true, err) < 0)
		return xb_wrap(err, "POST %s", url);
	if (xb_num_u64(xb_http_header(&res, "OCI-Chunk-Min-Length", 0), INT64_MAX, &least) &&
	    (int64_t)least > s->chunk_bytes)
		s->chunk_bytes = (int64_t)least;
	s->offset = 0;
	if (!s->whole)
		journal_write(&s->journal, s->location);
	return 0;
}

/* Asks how much the registry has. STEP_AGAIN: s->offset says; STEP_LOST: it does not know the upload. */
static int ask(struct sending *s, enum step *out, struct xb_err *err)
{
	struct xb_http_response res XB_CLEANUP(xb_http_response_release) = {0};
	const struct registry_call call = {.method = "GET", .url = s->location};
	int64_t offset = 0;

	if (registry_call(s->repo, &call, &res, err) < 0)
		return err->code;
	*out = STEP_LOST;
	if (res.status == 401 || res.status == 403)
		return registry_refused(&call, &res, err);
	if (res.status < 200 || res.status > 299)
		return 0;
	if (take_range(&res, &offset) && offset > s->blob->size_bytes)
		return 0;
	if (take_location(s, &res, false, err) < 0)
		return err->code;
	s->offset = offset;
	*out = STEP_AGAIN;
	return hash_to(s, offset, err);
}

/* ---- requests with content ---- */

/* What an answer that is no success means for the upload; fails where nothing helps. */
static int judge(struct sending *s, const struct registry_call *call, const struct xb_http_response *res, int rc,
		 enum step *out, struct xb_err *err)
{
	if (rc < 0 && !res->is_passing)
		return rc;
	if (rc == 0)
		registry_refused(call, res, err);
	s->retry_after_sec = rc < 0 ? 0 : res->retry_after_sec;
	if (rc < 0 || registry_is_passing_status(res->status))
		*out = STEP_AGAIN;
	else if (res->status == 404 || res->status == 416 || res->status == 400)
		*out = res->status == 416 ? STEP_AGAIN : STEP_LOST;
	else
		return err->code;
	xb_err_clear(&s->last);
	xb_err_move(&s->last, err);
	return 0;
}

/* The last request, with all of the content or with none. */
static int complete(struct sending *s, const struct xb_http_body *body, enum step *out, struct xb_err *err)
{
	static const char *const headers[] = {"Content-Type: application/octet-stream", NULL};
	struct xb_http_response res XB_CLEANUP(xb_http_response_release) = {0};
	char hex[XB_DIGEST_OCI];
	/* The address is the registry's: nothing of it is built anew. */
	char *url XB_CLEANUP(xb_free_ptr) =
		xb_printf("%s%sdigest=%s", s->location, strchr(s->location, '?') ? "&" : "?",
			  xb_digest_oci(&s->blob->digest, hex));
	const struct registry_call call = {.method = "PUT",
					   .url = url,
					   .headers = headers,
					   .body = body,
					   .stall_sec = COMMIT_WAIT_SEC,
					   .once = true};
	struct xb_digest told;
	struct xb_sv value;
	int rc = registry_call(s->repo, &call, &res, err);

	if (rc < 0 || res.status < 200 || res.status > 299)
		return judge(s, &call, &res, rc, out, err);
	*out = STEP_DONE;
	value = xb_http_header(&res, "Docker-Content-Digest", 0);
	if (xb_sv_starts(value, "sha256:") && xb_digest_parse(value, &told) && !xb_digest_eq(&told, &s->blob->digest))
		return xb_fail(err, XB_E_DIGEST, "PUT of %s: the registry says that it stored %.*s", hex,
			       XB_SV_ARG(value));
	return 0;
}

static int send_whole(struct sending *s, enum step *out, struct xb_err *err)
{
	const struct xb_http_body body = {
		.fd = s->fd, .size_bytes = s->blob->size_bytes, .sending = sending_cb, .ctx = s};

	s->base = 0;
	if (complete(s, &body, out, err) < 0)
		return err->code;
	/* Nobody says how much of it counts. */
	if (*out == STEP_AGAIN)
		*out = STEP_LOST;
	return 0;
}

static int send_chunk(struct sending *s, enum step *out, struct xb_err *err)
{
	struct xb_http_response res XB_CLEANUP(xb_http_response_release) = {0};
	const int64_t left = s->blob->size_bytes - s->offset;
	const int64_t len = left < s->chunk_bytes ? left : s->chunk_bytes;
	const struct xb_http_body body = {
		.fd = s->fd, .offset = s->offset, .size_bytes = len, .sending = sending_cb, .ctx = s};
	char *range XB_CLEANUP(xb_free_ptr) =
		xb_printf("Content-Range: %lld-%lld", (long long)s->offset, (long long)(s->offset + len - 1));
	const char *const headers[] = {"Content-Type: application/octet-stream", range, NULL};
	const struct registry_call call = {
		.method = "PATCH", .url = s->location, .headers = headers, .body = &body, .once = true};
	int64_t offset = s->offset + len;
	int rc;

	s->base = s->offset;
	rc = registry_call(s->repo, &call, &res, err);
	if (rc == 0 && s->offset == 0 &&
	    (res.status == 404 || res.status == 405 || res.status == 415 || res.status == 501)) {
		*out = STEP_WHOLE;
		return 0;
	}
	if (rc < 0 || res.status < 200 || res.status > 299)
		return judge(s, &call, &res, rc, out, err);
	if (take_range(&res, &offset) && (offset > s->offset + len || offset <= s->offset))
		return xb_fail(err, XB_E_NETWORK, "PATCH: the registry has %lld bytes after %lld were sent",
			       (long long)offset, (long long)(s->offset + len));
	if (take_location(s, &res, false, err) < 0)
		return err->code;
	s->offset = offset;
	s->failures = 0;
	count_to(s, offset);
	journal_write(&s->journal, s->location);
	*out = STEP_DONE;
	return 0;
}

static int send_chunks(struct sending *s, enum step *out, struct xb_err *err)
{
	static const struct xb_http_body empty = {.bytes = "", .fd = -1};

	while (s->offset < s->blob->size_bytes)
		if (send_chunk(s, out, err) < 0 || *out != STEP_DONE)
			return err->code;
	return complete(s, &empty, out, err);
}

/* ---- all of it ---- */

/* After a failure: waits, and finds out how to go on. */
static int recover(struct sending *s, enum step step, bool *out_done, struct xb_err *err)
{
	if (step == STEP_WHOLE) {
		s->whole = true;
		forget_upload(s);
		return 0;
	}
	if (++s->failures > XB_MAX_RETRIES) {
		xb_err_move(err, &s->last);
		return err->code;
	}
	if (registry_pause(s->repo->registry, s->failures, s->retry_after_sec, err) < 0) {
		if (err->code == XB_E_NETWORK) {
			xb_hint(&s->last, "%s", err->msg);
			xb_err_clear(err);
			xb_err_move(err, &s->last);
		}
		return err->code;
	}
	/* The answer to the last request may be all that was lost. */
	if (s->hashed == s->blob->size_bytes && xb_blob_is_there(s->repo, s->blob, out_done, err) < 0)
		return err->code;
	if (*out_done)
		return 0;
	if (step == STEP_AGAIN && ask(s, &step, err) < 0)
		return err->code;
	if (step == STEP_LOST)
		forget_upload(s);
	else
		count_to(s, s->offset);
	return 0;
}

static int find_old_upload(struct sending *s, struct xb_err *err)
{
	enum step step = STEP_LOST;

	s->location = journal_read(&s->journal);
	if (!s->location)
		return 0;
	/* What is wrong with an old upload is no reason not to begin a new one. */
	if (ask(s, &step, err) < 0) {
		if (err->code == XB_E_INTERRUPTED || err->code == XB_E_DIGEST || err->code == XB_E_SYSTEM)
			return err->code;
		xb_err_clear(err);
		step = STEP_LOST;
	}
	if (step == STEP_LOST)
		forget_upload(s);
	count_to(s, s->offset);
	return 0;
}

int xb_blob_send(struct xb_repository *repo, const struct xb_blob *blob, int fd, const char *upload,
		 const char *journal_dir, struct xb_err *err)
{
	struct sending s XB_CLEANUP(sending_release) = {.repo = repo,
							.blob = blob,
							.fd = fd,
							.journal.lock.fd = -1,
							.chunk_bytes = CHUNK_BYTES,
							.whole = blob->size_bytes <= CHUNK_BYTES};
	bool done = false;

	xb_hasher_init(&s.hasher);
	if (!s.whole)
		journal_open(&s.journal, journal_dir, &repo->ref, &blob->digest);
	if (!s.whole && find_old_upload(&s, err) < 0)
		return err->code;
	if (!s.location && upload)
		s.location = xb_strdup(upload);
	/* an empty file is never "sending", and so never compared */
	if (blob->size_bytes == 0 && check_content(&s, err) < 0)
		return err->code;
	while (!done) {
		enum step step = STEP_DONE;

		if (!s.location && start(&s, err) < 0)
			return err->code;
		if ((s.whole ? send_whole(&s, &step, err) : send_chunks(&s, &step, err)) < 0)
			return err->code;
		done = step == STEP_DONE;
		if (!done && recover(&s, step, &done, err) < 0)
			return err->code;
	}
	journal_forget(&s.journal);
	count_to(&s, blob->size_bytes);
	return 0;
}

int xb_blob_mount(struct xb_repository *repo, const char *from, const struct xb_blob *blob, bool *out_mounted,
		  char **out_upload, struct xb_err *err)
{
	static const struct xb_http_body empty = {.bytes = "", .fd = -1};
	struct xb_http_response res XB_CLEANUP(xb_http_response_release) = {0};
	struct registry_call call = {.method = "POST", .body = &empty};
	char *url XB_CLEANUP(xb_free_ptr) = NULL;
	char hex[XB_DIGEST_OCI];
	struct xb_sv location;

	*out_upload = NULL;
	if (registry_url(repo, &url, err, "/blobs/uploads/?mount=%s&from=%s", xb_digest_oci(&blob->digest, hex), from) <
	    0)
		return err->code;
	call.url = url;
	auth_need_scope(repo, from, "pull");
	if (registry_call(repo, &call, &res, err) < 0) {
		if (err->code != XB_E_USAGE)
			return err->code;
		/* we may not read there: then the blob is sent */
		xb_err_clear(err);
		auth_drop_scope(repo, from);
		*out_mounted = false;
		return 0;
	}
	*out_mounted = res.status == 201;
	location = xb_http_header(&res, "Location", 0);
	/* Another answer is no failure: the blob can be sent. */
	if (res.status != 202 || !location.ptr)
		return 0;
	char *text XB_CLEANUP(xb_free_ptr) = xb_sv_dup(location);

	return xb_http_resolve(res.url, text, out_upload, err);
}
