/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch_transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"

#define MAX_HEADER_BYTES (256 * 1024) /* of all responses of one transfer, redirects included */

/* ---- the content of the file ---- */

static void hasher_restart(struct fetch_item *it)
{
	xb_hasher_release(&it->hasher);
	xb_hasher_init(&it->hasher);
}

bool fetch_content_reset(struct fetch_item *it)
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

static bool append_content(struct fetch_item *it, const char *data, size_t len)
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

static void response_reset(struct fetch_response *res)
{
	free(res->etag);
	free(res->last_modified);
	*res = (struct fetch_response){.range_start = -1, .range_total = -1};
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
static void parse_content_range(struct fetch_response *res, struct xb_sv value)
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
static bool is_downgrade(struct fetch_item *it, struct xb_sv location)
{
	char *from = NULL;
	if (curl_easy_getinfo(it->easy, CURLINFO_EFFECTIVE_URL, &from) != CURLE_OK || !from)
		return true;
	return strncasecmp(from, "https:", 6) == 0 && location.len >= 5 && strncasecmp(location.ptr, "http:", 5) == 0;
}

static void take_header(struct fetch_item *it, struct xb_sv line)
{
	struct fetch_response *res = &it->res;
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
	struct fetch_item *it = user;
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
static bool continues_content(const struct fetch_item *it)
{
	const struct fetch_response *res = &it->res;
	int64_t size = it->req->size_bytes;
	if (it->have == 0 || !it->validator || res->range_start != it->have)
		return false;
	if (size >= 0 && res->range_total >= 0 && res->range_total != size)
		return false;
	bool by_etag = it->validator[0] == '"';
	const char *now = by_etag ? res->etag : res->last_modified;
	return !now || strcmp(now, it->validator) == 0;
}

static bool accept_part(struct fetch_item *it)
{
	if (!continues_content(it)) {
		it->stop = STOP_RANGE;
		return false;
	}
	it->resumed = true;
	return true;
}

static bool accept_whole(struct fetch_item *it)
{
	curl_off_t length = -1;
	if (!fetch_content_reset(it))
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

bool fetch_response_accept(struct fetch_item *it)
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

int64_t fetch_size_limit(const struct xb_fetch_req *req)
{
	return req->size_bytes >= 0 ? req->size_bytes : req->max_bytes;
}

static size_t write_cb(char *data, size_t size, size_t n, void *user)
{
	struct fetch_item *it = user;
	size_t len = size * n;
	if (len == 0)
		return 0;
	if (!fetch_response_accept(it))
		return 0;
	/* Counted here, because curl's own limit knows only announced sizes before 8.4. */
	if ((int64_t)len > fetch_size_limit(it->req) - it->have) {
		it->stop = STOP_SIZE;
		return 0;
	}
	return append_content(it, data, len) ? len : 0;
}

/* ---- one transfer ---- */

static unsigned set_protocol_options(CURL *easy, const char *url)
{
	bool is_https = strncasecmp(url, "https:", 6) == 0;
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

static unsigned set_transfer_options(struct fetch_item *it, int stall_sec)
{
	CURL *easy = it->easy;
	unsigned bad = 0;
	bad |= fetch_proxy_watch(easy, &it->proxy);
	bad |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_PRIVATE, it);
	bad |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, it->text);
	bad |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, write_cb);
	bad |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, it);
	bad |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, header_cb);
	bad |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, it);
	bad |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)XB_CONNECT_TIMEOUT_MS);
	bad |= curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)XB_STALL_BYTES_PER_SEC);
	bad |= curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)(stall_sec > 0 ? stall_sec : XB_STALL_SEC));
	return bad;
}

/* Asks for the rest only, if what we have is still the beginning of it (RFC 9110 13.1.5). */
static unsigned set_range(struct fetch_item *it)
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

void fetch_transfer_close(struct fetch_item *it, CURLM *multi)
{
	fetch_proxy_unwatch(it->easy);
	(void)curl_multi_remove_handle(multi, it->easy);
	curl_easy_cleanup(it->easy);
	it->easy = NULL;
	curl_slist_free_all(it->headers);
	it->headers = NULL;
}

int fetch_transfer_start(struct fetch_item *it, CURLM *multi, int stall_sec, struct xb_err *err)
{
	response_reset(&it->res);
	it->header_bytes = 0;
	it->stop = STOP_NONE;
	it->text[0] = '\0';
	if (it->have > 0 && !it->validator && !fetch_content_reset(it))
		return xb_fail(err, it->fault.code, "%s", it->fault.msg);
	it->easy = curl_easy_init();
	if (!it->easy)
		return xb_fail(err, XB_E_SYSTEM, "start the download of '%s': curl has no memory", it->req->label);
	unsigned bad = set_protocol_options(it->easy, it->req->urls[it->url]);
	bad |= set_transfer_options(it, stall_sec);
	bad |= set_range(it);
	bad |= (unsigned)curl_multi_add_handle(multi, it->easy);
	if (bad)
		return xb_fail(err, XB_E_SYSTEM, "start the download of '%s': curl refuses an option", it->req->label);
	return 0;
}

void fetch_item_init(struct fetch_item *it, struct xb_fetch_req *req)
{
	*it = (struct fetch_item){.req = req, .log.max_bytes = FETCH_MAX_LOG_BYTES};
	xb_hasher_init(&it->hasher);
}

void fetch_item_release(struct fetch_item *it)
{
	xb_hasher_release(&it->hasher);
	response_reset(&it->res);
	free(it->validator);
	xb_err_release(&it->fault);
	xb_str_release(&it->log);
	fetch_proxy_release(&it->proxy);
	free(it->hint);
}
