/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sys/fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/base/str.h"
#include "xbuild/sys/host.h"

#define DEFAULT_PARALLEL     8
#define MAX_PARALLEL	     64
#define MAX_HOST_CONNECTIONS 8
#define DEFAULT_BACKOFF_MS   500
#define MAX_PAUSE_MS	     30000
#define MAX_HEADER_BYTES     (256 * 1024) /* of all responses of one transfer, redirects included */
#define TICK_MS		     100	  /* how late an interruption or a progress event may come */
#define MAX_LOG_BYTES	     (16 * 1024)

/* What the header of the last response said; of redirects and interim responses nothing is kept. */
struct response {
	char *etag, *last_modified; /* owned; NULL when absent or weak */
	int64_t range_start;	    /* of Content-Range; -1 when absent or not understood */
	int64_t range_total;	    /* -1 unknown */
	bool is_html;
	bool accepted; /* its body may go to the file */
};

/* Why one of our callbacks ended a transfer. */
enum stop {
	STOP_NONE,
	STOP_STATUS,	/* neither 200 nor 206 */
	STOP_RANGE,	/* 206, but not the continuation of what we have */
	STOP_SIZE,	/* announces or sends another size than expected */
	STOP_HEADER,	/* the header does not end */
	STOP_DOWNGRADE, /* redirects from https to http */
	STOP_SYSTEM	/* the file cannot be written; item->fault has it */
};

struct item {
	struct xb_fetch_req *req;
	CURL *easy; /* while a transfer runs */
	struct curl_slist *headers;
	bool ended, ok;
	size_t url;	       /* index of the current one */
	int tries;	       /* further ones after the first, of this URL */
	int64_t not_before_ms; /* monotonic: a pause before the next try */
	struct xb_hasher hasher;
	int64_t have;	 /* bytes in the file, all hashed */
	char *validator; /* owned: ETag or Last-Modified of what we have, for If-Range; NULL: no resuming */
	bool resumed;	 /* the file holds parts of more than one response */
	struct response res;
	int64_t header_bytes;
	enum stop stop;
	struct xb_err fault;
	struct xb_str log;	   /* one reason per URL that failed */
	bool any_found, any_wrong; /* some URL failed otherwise than by absence; some had other content */
	char text[CURL_ERROR_SIZE];
};

struct run {
	CURLM *multi;
	struct item *items;
	size_t n_items, n_open, n_ended_ok, first_open;
	int active, parallel;
	const struct xb_fetch_opts *opts;
	int64_t shown_ms; /* when the last progress event went out */
	bool failed;	  /* some request failed */
};

/* ---- the content of the file ---- */

static void hasher_restart(struct item *it)
{
	xb_hasher_release(&it->hasher);
	xb_hasher_init(&it->hasher);
}

/* Forgets what was loaded. On failure it->fault is set. */
static bool reset_content(struct item *it)
{
	free(it->validator);
	it->validator = NULL;
	it->resumed = false;
	if (it->have == 0)
		return true;
	it->have = 0;
	hasher_restart(it);
	if (ftruncate(it->req->fd, 0) == 0)
		return true;
	it->stop = STOP_SYSTEM;
	(void)xb_fail_errno(&it->fault, "empty the file for '%s'", it->req->label);
	return false;
}

static bool append_content(struct item *it, const char *data, size_t len)
{
	size_t done = 0;
	while (done < len) {
		ssize_t n = pwrite(it->req->fd, data + done, len - done, (off_t)it->have + (off_t)done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			it->stop = STOP_SYSTEM;
			(void)xb_fail_errno(&it->fault, "write '%s'", it->req->label);
			return false;
		}
		done += (size_t)n;
	}
	xb_hasher_update(&it->hasher, data, len);
	it->have += (int64_t)len;
	return true;
}

/* ---- headers ---- */

static void response_reset(struct response *res)
{
	free(res->etag);
	free(res->last_modified);
	*res = (struct response){.range_start = -1, .range_total = -1};
}

/* The value of header `name`, or the empty view with ptr NULL. */
static struct xb_sv header_value(struct xb_sv line, const char *name)
{
	size_t len = strlen(name);
	if (line.len <= len || line.ptr[len] != ':' || strncasecmp(line.ptr, name, len) != 0)
		return (struct xb_sv){0};
	return xb_sv_trim(xb_sv_n(line.ptr + len + 1, line.len - len - 1));
}

/* "bytes 100-199/200" or ".../\*" (RFC 9110 14.4). */
static void parse_content_range(struct response *res, struct xb_sv value)
{
	uint64_t start = 0, last = 0, total = 0;
	if (!xb_sv_starts(value, "bytes "))
		return;
	struct xb_sv rest = xb_sv_n(value.ptr + 6, value.len - 6);
	struct xb_sv range = xb_sv_cut(&rest, '/');
	struct xb_sv first = xb_sv_cut(&range, '-');
	if (!range.ptr || !rest.ptr || !xb_num_u64(first, INT64_MAX, &start) || !xb_num_u64(range, INT64_MAX, &last) ||
	    last < start)
		return;
	if (xb_num_u64(rest, INT64_MAX, &total))
		res->range_total = (int64_t)total;
	else if (!xb_sv_eq_str(rest, "*"))
		return;
	res->range_start = (int64_t)start;
}

/*
 * curl's own list of allowed redirect protocols is fixed for the whole transfer; a chain that starts with http, climbs
 * to https and falls back would pass it.
 */
static bool is_downgrade(struct item *it, struct xb_sv location)
{
	char *from = NULL;
	if (curl_easy_getinfo(it->easy, CURLINFO_EFFECTIVE_URL, &from) != CURLE_OK || !from)
		return true;
	return strncasecmp(from, "https:", 6) == 0 && location.len >= 5 && strncasecmp(location.ptr, "http:", 5) == 0;
}

static void take_header(struct item *it, struct xb_sv line)
{
	struct response *res = &it->res;
	struct xb_sv value;
	if (xb_sv_starts(line, "HTTP/")) {
		response_reset(res);
	} else if ((value = header_value(line, "etag")).ptr) {
		/* A weak one may stay while bytes change (RFC 9110 8.8.1). */
		free(res->etag);
		res->etag = xb_sv_starts(value, "\"") ? xb_sv_dup(value) : NULL;
	} else if ((value = header_value(line, "last-modified")).ptr) {
		free(res->last_modified);
		res->last_modified = xb_sv_dup(value);
	} else if ((value = header_value(line, "content-range")).ptr) {
		res->range_start = res->range_total = -1;
		parse_content_range(res, value);
	} else if ((value = header_value(line, "content-type")).ptr) {
		res->is_html = value.len >= 9 && strncasecmp(value.ptr, "text/html", 9) == 0;
	} else if ((value = header_value(line, "location")).ptr && is_downgrade(it, value)) {
		it->stop = STOP_DOWNGRADE;
	}
}

static size_t header_cb(char *data, size_t size, size_t n, void *user)
{
	struct item *it = user;
	size_t len = size * n;
	it->header_bytes += (int64_t)len;
	if (it->header_bytes > MAX_HEADER_BYTES)
		it->stop = STOP_HEADER;
	else
		take_header(it, xb_sv_n(data, len));
	return it->stop == STOP_NONE ? len : len + 1;
}

/* ---- bodies ---- */

/* RFC 9110 14.2: the part must go on exactly where we stopped, and be of the same thing. */
static bool continues_content(const struct item *it)
{
	const struct response *res = &it->res;
	int64_t size = it->req->size_bytes;
	if (it->have == 0 || !it->validator || res->range_start != it->have)
		return false;
	if (size >= 0 && res->range_total >= 0 && res->range_total != size)
		return false;
	bool by_etag = it->validator[0] == '"';
	const char *now = by_etag ? res->etag : res->last_modified;
	return !now || strcmp(now, it->validator) == 0;
}

static bool accept_part(struct item *it)
{
	if (!continues_content(it)) {
		it->stop = STOP_RANGE;
		return false;
	}
	it->resumed = true;
	return true;
}

static bool accept_whole(struct item *it)
{
	curl_off_t length = -1;
	if (!reset_content(it))
		return false;
	(void)curl_easy_getinfo(it->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	if (it->req->size_bytes >= 0 && length >= 0 && length != it->req->size_bytes) {
		it->stop = STOP_SIZE;
		return false;
	}
	const char *validator = it->res.etag ? it->res.etag : it->res.last_modified;
	it->validator = validator ? xb_strdup(validator) : NULL;
	return true;
}

/* Decides, at the first byte of a body or at its end, whether the response is what we asked for. */
static bool accept_response(struct item *it)
{
	long status = 0;
	if (it->res.accepted)
		return true;
	(void)curl_easy_getinfo(it->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status == 206)
		it->res.accepted = accept_part(it);
	else if (status == 200)
		it->res.accepted = accept_whole(it);
	else
		it->stop = STOP_STATUS;
	return it->res.accepted;
}

static int64_t size_limit(const struct xb_fetch_req *req)
{
	return req->size_bytes >= 0 ? req->size_bytes : req->max_bytes;
}

static size_t write_cb(char *data, size_t size, size_t n, void *user)
{
	struct item *it = user;
	size_t len = size * n;
	if (len == 0)
		return 0;
	if (!accept_response(it))
		return 0;
	/* Counted here, because curl's own limit knows only announced sizes before 8.4. */
	if ((int64_t)len > size_limit(it->req) - it->have) {
		it->stop = STOP_SIZE;
		return 0;
	}
	return append_content(it, data, len) ? len : 0;
}

/* ---- one transfer ---- */

static bool has_prefix_nocase(const char *text, const char *prefix)
{
	return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

static unsigned set_protocol_options(CURL *easy, const char *url)
{
	bool is_https = has_prefix_nocase(url, "https:");
	unsigned bad = 0;
	bad |= curl_easy_setopt(easy, CURLOPT_URL, url);
	bad |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	bad |= curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, is_https ? "https" : "http,https");
	bad |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)XB_MAX_REDIRECTS);
	bad |= curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_USERAGENT, "xbuild");
	bad |= curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	/* Digests are of the bytes as sent: what calls itself encoded, unasked, stays so. */
	bad |= curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	/* A libcurl without HTTP/2 refuses this, and then speaks 1.1. */
	(void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	bad |= curl_easy_setopt(easy, CURLOPT_PIPEWAIT, is_https ? 1L : 0L);
	return bad;
}

static unsigned set_transfer_options(struct item *it, const struct xb_fetch_opts *opts)
{
	CURL *easy = it->easy;
	unsigned bad = 0;
	bad |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_PRIVATE, it);
	bad |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, it->text);
	bad |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, write_cb);
	bad |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, it);
	bad |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, header_cb);
	bad |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, it);
	bad |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)XB_CONNECT_TIMEOUT_MS);
	bad |= curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)XB_STALL_BYTES_PER_SEC);
	bad |= curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
				(long)(opts->stall_sec > 0 ? opts->stall_sec : XB_STALL_SEC));
	return bad;
}

/* Asks for the rest only, if what we have is still the beginning of it (RFC 9110 13.1.5). */
static unsigned set_range(struct item *it)
{
	if (it->have == 0)
		return 0;
	char *range XB_CLEANUP(xb_free_ptr) = xb_printf("%lld-", (long long)it->have);
	char *header XB_CLEANUP(xb_free_ptr) = xb_printf("If-Range: %s", it->validator);
	it->headers = curl_slist_append(NULL, header);
	if (!it->headers)
		return 1;
	return curl_easy_setopt(it->easy, CURLOPT_RANGE, range) |
	       curl_easy_setopt(it->easy, CURLOPT_HTTPHEADER, it->headers);
}

static void close_transfer(struct run *run, struct item *it)
{
	if (!it->easy)
		return;
	(void)curl_multi_remove_handle(run->multi, it->easy);
	curl_easy_cleanup(it->easy);
	it->easy = NULL;
	curl_slist_free_all(it->headers);
	it->headers = NULL;
	run->active--;
}

static int start_transfer(struct run *run, struct item *it, struct xb_err *err)
{
	response_reset(&it->res);
	it->header_bytes = 0;
	it->stop = STOP_NONE;
	it->text[0] = '\0';
	if (it->have > 0 && !it->validator && !reset_content(it))
		return xb_fail(err, it->fault.code, "%s", it->fault.msg);
	it->easy = curl_easy_init();
	if (!it->easy)
		return xb_fail(err, XB_E_SYSTEM, "start the download of '%s': curl has no memory", it->req->label);
	run->active++;
	unsigned bad = set_protocol_options(it->easy, it->req->urls[it->url]);
	bad |= set_transfer_options(it, run->opts);
	bad |= set_range(it);
	bad |= (unsigned)curl_multi_add_handle(run->multi, it->easy);
	if (bad)
		return xb_fail(err, XB_E_SYSTEM, "start the download of '%s': curl refuses an option", it->req->label);
	return 0;
}

/* ---- what a transfer's end means ---- */

enum verdict {
	VERDICT_OK,
	VERDICT_AGAIN,	 /* the same URL after a pause */
	VERDICT_AT_ONCE, /* the same URL, from the beginning */
	VERDICT_NEXT_URL,
	VERDICT_GIVE_UP /* our own fault, in it->fault */
};

/* Without the user name and password that a URL may hold. */
static void append_url(struct xb_str *out, const char *url)
{
	const char *host = strstr(url, "://");
	host = host ? host + 3 : url;
	size_t len = strcspn(host, "/?#");
	for (size_t i = len; i > 0; i--)
		if (host[i - 1] == '@') {
			(void)xb_str_append_n(out, url, (size_t)(host - url));
			(void)xb_str_append(out, host + i);
			return;
		}
	(void)xb_str_append(out, url);
}

static enum verdict judge_status(struct item *it, struct xb_str *why, int64_t *pause_ms)
{
	long status = 0;
	curl_off_t retry_after = 0;
	(void)curl_easy_getinfo(it->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(it->easy, CURLINFO_RETRY_AFTER, &retry_after);
	(void)xb_str_printf(why, "HTTP status %ld", status);
	if (status != 404 && status != 410)
		it->any_found = true;
	if (status == 416)
		return VERDICT_AT_ONCE;
	if (status != 408 && status != 429 && status < 500)
		return VERDICT_NEXT_URL;
	if (retry_after > MAX_PAUSE_MS / 1000) {
		(void)xb_str_printf(why, ", it asks to wait %lld s", (long long)retry_after);
		return VERDICT_NEXT_URL;
	}
	if (retry_after > 0)
		*pause_ms = (int64_t)retry_after * 1000;
	return VERDICT_AGAIN;
}

static enum verdict judge_stop(struct item *it, struct xb_str *why, int64_t *pause_ms)
{
	const char *page = it->res.is_html ? " (it sent a web page: is there a captive portal?)" : "";
	it->any_found = true;
	switch (it->stop) {
	case STOP_STATUS:
		return judge_status(it, why, pause_ms);
	case STOP_RANGE:
		(void)xb_str_append(why, "it sent another part than was asked for");
		return VERDICT_AT_ONCE;
	case STOP_SIZE:
		it->any_wrong = it->req->size_bytes >= 0;
		(void)xb_str_printf(why, "its size is not the %s %lld bytes%s",
				    it->any_wrong ? "expected" : "allowed at most", (long long)size_limit(it->req),
				    page);
		return VERDICT_NEXT_URL;
	case STOP_HEADER:
		(void)xb_str_append(why, "its header is too large");
		return VERDICT_NEXT_URL;
	case STOP_DOWNGRADE:
		(void)xb_str_append(why, "it redirects from https to http");
		return VERDICT_NEXT_URL;
	default:
		return VERDICT_GIVE_UP;
	}
}

/* Failures that another try may mend. */
static bool is_passing(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_PARTIAL_FILE:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_SSL_CONNECT_ERROR:
		return true;
	default:
		return false;
	}
}

static enum verdict judge_content(struct item *it, struct xb_str *why, int64_t *pause_ms)
{
	const struct xb_fetch_req *req = it->req;
	const char *page = it->res.is_html ? " (it sent a web page: is there a captive portal?)" : "";
	char got[XB_DIGEST_HEX], want[XB_DIGEST_HEX];
	if (!accept_response(it))
		return judge_stop(it, why, pause_ms);
	it->any_found = true;
	if (req->size_bytes >= 0 && it->have != req->size_bytes) {
		it->any_wrong = true;
		(void)xb_str_printf(why, "it has %lld bytes, expected %lld%s", (long long)it->have,
				    (long long)req->size_bytes, page);
		return VERDICT_NEXT_URL;
	}
	xb_hasher_final(&it->hasher, &it->req->got_digest);
	xb_hasher_init(&it->hasher);
	if (!req->digest || xb_digest_eq(&req->got_digest, req->digest))
		return VERDICT_OK;
	it->any_wrong = true;
	(void)xb_str_printf(why, "its SHA-256 is %s, expected %s%s", xb_digest_hex(&req->got_digest, got),
			    xb_digest_hex(req->digest, want), page);
	/* The parts may have been of two versions; one whole transfer tells. */
	return it->resumed ? VERDICT_AT_ONCE : VERDICT_NEXT_URL;
}

static enum verdict judge(struct item *it, CURLcode code, struct xb_str *why, int64_t *pause_ms)
{
	if (it->stop != STOP_NONE)
		return judge_stop(it, why, pause_ms);
	if (code == CURLE_OK)
		return judge_content(it, why, pause_ms);
	if (code == CURLE_HTTP_RETURNED_ERROR)
		return judge_status(it, why, pause_ms);
	it->any_found = true;
	(void)xb_str_append(why, it->text[0] ? it->text : curl_easy_strerror(code));
	return is_passing(code) ? VERDICT_AGAIN : VERDICT_NEXT_URL;
}

/* ---- one request ---- */

static void fail_request(struct item *it)
{
	struct xb_fetch_req *req = it->req;
	if (it->fault.code) {
		xb_err_move(&req->err, &it->fault);
		return;
	}
	enum xb_code code = XB_E_NETWORK;
	if (it->any_wrong)
		code = XB_E_DIGEST;
	else if (!it->any_found)
		code = XB_E_NOT_FOUND;
	(void)xb_fail(&req->err, code, "fetch '%s': %s", req->label,
		      it->log.len ? xb_str_get(&it->log) : "no address is known");
}

static int end_request(struct run *run, struct item *it, bool ok, struct xb_err *err)
{
	it->ended = true;
	it->ok = ok;
	run->n_open--;
	if (!ok) {
		run->failed = true;
		fail_request(it);
		return 0;
	}
	run->n_ended_ok++;
	it->req->got_bytes = it->have;
	it->req->got_url = it->req->urls[it->url];
	return it->req->done ? it->req->done(it->req, err) : 0;
}

/* Goes to the next URL that can be tried at all, or ends the request. */
static int next_url(struct run *run, struct item *it, const char *why, struct xb_err *err)
{
	if (!reset_content(it))
		return end_request(run, it, false, err);
	if (it->log.len)
		(void)xb_str_append(&it->log, "; ");
	append_url(&it->log, it->req->urls[it->url]);
	(void)xb_str_printf(&it->log, ": %s", why);
	it->url++;
	it->tries = 0;
	it->not_before_ms = 0;
	return it->url < it->req->n_urls ? 0 : end_request(run, it, false, err);
}

static int64_t pause_before_try(const struct run *run, int tries)
{
	int64_t pause = run->opts->backoff_ms > 0 ? run->opts->backoff_ms : DEFAULT_BACKOFF_MS;
	for (int i = 1; i < tries && pause < MAX_PAUSE_MS; i++)
		pause *= 2;
	return pause < MAX_PAUSE_MS ? pause : MAX_PAUSE_MS;
}

static int end_transfer(struct run *run, struct item *it, CURLcode code, struct xb_err *err)
{
	struct xb_str why XB_CLEANUP(xb_str_release) = {.max_bytes = MAX_LOG_BYTES};
	int64_t pause_ms = -1;
	enum verdict verdict = judge(it, code, &why, &pause_ms);
	close_transfer(run, it);
	if (verdict == VERDICT_OK || verdict == VERDICT_GIVE_UP)
		return end_request(run, it, verdict == VERDICT_OK, err);
	if (verdict == VERDICT_NEXT_URL || it->tries == XB_MAX_RETRIES)
		return next_url(run, it, xb_str_get(&why), err);
	it->tries++;
	if (verdict == VERDICT_AT_ONCE)
		return reset_content(it) ? 0 : end_request(run, it, false, err);
	it->not_before_ms = xb_host_monotonic_ms() + (pause_ms >= 0 ? pause_ms : pause_before_try(run, it->tries));
	return 0;
}

/* ---- all requests ---- */

static bool is_ready(const struct item *it, int64_t now_ms)
{
	return !it->ended && !it->easy && it->not_before_ms <= now_ms;
}

static int start_item(struct run *run, struct item *it, struct xb_err *err)
{
	if (it->url >= it->req->n_urls)
		return end_request(run, it, false, err);
	const char *url = it->req->urls[it->url];
	if (!has_prefix_nocase(url, "http://") && !has_prefix_nocase(url, "https://")) {
		it->any_found = true;
		return next_url(run, it, "only http and https addresses are fetched", err);
	}
	return start_transfer(run, it, err);
}

static int start_ready(struct run *run, struct xb_err *err)
{
	int64_t now_ms = xb_host_monotonic_ms();
	while (run->first_open < run->n_items && run->items[run->first_open].ended)
		run->first_open++;
	for (size_t i = run->first_open; i < run->n_items && run->active < run->parallel; i++)
		while (is_ready(&run->items[i], now_ms)) {
			int rc = start_item(run, &run->items[i], err);
			if (rc < 0)
				return rc;
		}
	return 0;
}

static int end_finished(struct run *run, bool *out_any, struct xb_err *err)
{
	CURLMsg *msg;
	int left = 0;
	while ((msg = curl_multi_info_read(run->multi, &left))) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		char *item = NULL;
		CURLcode code = msg->data.result;
		*out_any = true;
		if (curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &item) != CURLE_OK || !item)
			return xb_fail(err, XB_E_SYSTEM, "curl lost a transfer");
		int rc = end_transfer(run, (struct item *)(void *)item, code, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Until the next pause ends, at most a tick: the interruption is polled and the progress is told in between. */
static int wait_time(const struct run *run)
{
	int64_t now_ms = xb_host_monotonic_ms();
	int64_t wait_ms = TICK_MS;
	for (size_t i = run->first_open; i < run->n_items && run->active < run->parallel; i++) {
		const struct item *it = &run->items[i];
		if (!it->ended && !it->easy && it->not_before_ms - now_ms < wait_ms)
			wait_ms = it->not_before_ms > now_ms ? it->not_before_ms - now_ms : 0;
	}
	return (int)wait_ms;
}

static void show_progress(struct run *run, enum xb_event_kind kind)
{
	int64_t now_ms = xb_host_monotonic_ms();
	bool is_last = run->n_open == 0;
	if (!run->opts->observer || (kind == XB_EVENT_PROGRESS && !is_last && now_ms - run->shown_ms < TICK_MS))
		return;
	run->shown_ms = now_ms;
	struct xb_event event = {.kind = kind, .label = run->opts->phase, .total = run->n_items};
	event.done = run->n_ended_ok;
	for (size_t i = 0; i < run->n_items; i++) {
		const struct item *it = &run->items[i];
		event.done_bytes += (uint64_t)it->have;
		event.total_bytes += (uint64_t)(it->req->size_bytes >= 0 ? it->req->size_bytes : it->have);
	}
	xb_observe(run->opts->observer, &event);
}

static int run_loop(struct run *run, struct xb_err *err)
{
	while (run->n_open > 0 && !(run->failed && run->opts->stop_on_error)) {
		bool any_ended = false;
		int running = 0;
		if (run->opts->interrupted && *run->opts->interrupted)
			return xb_fail(err, XB_E_INTERRUPTED, "interrupted while fetching");
		int rc = start_ready(run, err);
		if (rc < 0)
			return rc;
		CURLMcode mc = curl_multi_perform(run->multi, &running);
		if (mc == CURLM_OK) {
			rc = end_finished(run, &any_ended, err);
			if (rc < 0)
				return rc;
			show_progress(run, XB_EVENT_PROGRESS);
			if (!any_ended && run->n_open > 0)
				mc = curl_multi_poll(run->multi, NULL, 0, wait_time(run), NULL);
		}
		if (mc != CURLM_OK)
			return xb_fail(err, XB_E_SYSTEM, "fetch: %s", curl_multi_strerror(mc));
	}
	return 0;
}

/* ---- a run ---- */

static pthread_once_t global_once = PTHREAD_ONCE_INIT;

static void global_init(void)
{
	/* Its failure shows again, and is told, at curl_multi_init. */
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void run_release(struct run *run)
{
	for (size_t i = 0; i < run->n_items; i++) {
		struct item *it = &run->items[i];
		close_transfer(run, it);
		xb_hasher_release(&it->hasher);
		response_reset(&it->res);
		free(it->validator);
		xb_err_release(&it->fault);
		xb_str_release(&it->log);
	}
	free(run->items);
	if (run->multi)
		(void)curl_multi_cleanup(run->multi);
}

static int run_open(struct run *run, struct xb_fetch_req *reqs, size_t n_reqs, struct xb_err *err)
{
	int parallel = run->opts->parallel > 0 ? run->opts->parallel : DEFAULT_PARALLEL;
	run->parallel = parallel < MAX_PARALLEL ? parallel : MAX_PARALLEL;
	(void)pthread_once(&global_once, global_init);
	run->multi = curl_multi_init();
	if (!run->multi)
		return xb_fail(err, XB_E_SYSTEM, "fetch: curl cannot be started");
	(void)curl_multi_setopt(run->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)MAX_HOST_CONNECTIONS);
	run->items = xb_alloc(n_reqs * sizeof(*run->items));
	run->n_items = run->n_open = n_reqs;
	for (size_t i = 0; i < n_reqs; i++) {
		run->items[i].req = &reqs[i];
		run->items[i].log.max_bytes = MAX_LOG_BYTES;
		xb_hasher_init(&run->items[i].hasher);
	}
	return 0;
}

/* The first failure in the order of the requests; req->err keeps it too. */
static int first_failure(const struct xb_fetch_req *reqs, size_t n_reqs, struct xb_err *err)
{
	for (size_t i = 0; i < n_reqs; i++)
		if (reqs[i].err.code)
			return xb_fail(err, reqs[i].err.code, "%s", reqs[i].err.msg);
	return 0;
}

int xb_fetch_run(struct xb_fetch_req *reqs, size_t n_reqs, const struct xb_fetch_opts *opts, struct xb_err *err)
{
	struct run run XB_CLEANUP(run_release) = {.opts = opts};
	if (n_reqs == 0)
		return 0;
	int rc = run_open(&run, reqs, n_reqs, err);
	if (rc < 0)
		return rc;
	if (opts->phase)
		show_progress(&run, XB_EVENT_PHASE);
	rc = run_loop(&run, err);
	return rc < 0 ? rc : first_failure(reqs, n_reqs, err);
}
