/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sys/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "fetch_transfer.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"

#define MAX_HEADER_BYTES  (256 * 1024)
#define MAX_ERROR_BYTES	  (64 * 1024)
#define MAX_DROPPED_BYTES (1 * XB_MIB) /* of an error that does not end */
#define UPLOAD_BUFFER	  (512 * 1024L)
#define DOWNLOAD_BUFFER	  (256 * 1024L)
#define TICK_MS		  100 /* how late an interruption may come */

struct xb_http {
	struct xb_http_opts opts;
	CURLM *multi; /* keeps the connections */
	CURL *easy;
};

/* One request to one address, of which a redirected one has several. */
struct exchange {
	const struct xb_http_request *req;
	struct xb_http_response *res;
	CURL *easy;
	const char *url;
	struct curl_slist *headers;
	int64_t sent, received, header_bytes;
	bool has_ended_early; /* by a callback of ours, that the answer is an error or too large */
	bool is_too_large;
	struct xb_err fault;
	struct fetch_proxy proxy;
	char text[CURL_ERROR_SIZE];
};

void xb_http_response_release(struct xb_http_response *res)
{
	free(res->url);
	xb_str_release(&res->headers);
	xb_str_release(&res->body);
	*res = (struct xb_http_response){0};
}

struct xb_sv xb_http_header(const struct xb_http_response *res, const char *name, size_t n)
{
	const size_t len = strlen(name);
	struct xb_sv rest = xb_str_sv(&res->headers);

	while (rest.ptr && rest.len) {
		const struct xb_sv line = xb_sv_cut(&rest, '\n');

		if (line.len > len && line.ptr[len] == ':' && strncasecmp(line.ptr, name, len) == 0 && n-- == 0)
			return xb_sv_trim(xb_sv_n(line.ptr + len + 1, line.len - len - 1));
	}
	return (struct xb_sv){0};
}

/* ---- addresses ---- */

void xb_http_plain_url(const char *url, struct xb_str *out)
{
	const char *host = strstr(url, "://");
	const size_t end = strcspn(url, "?#");
	size_t host_end;

	host = host && (size_t)(host - url) < end ? host + 3 : url;
	host_end = strcspn(host, "/?#");
	xb_str_append_n(out, url, (size_t)(host - url));
	for (size_t i = host_end; i > 0; i--)
		if (host[i - 1] == '@') {
			host += i;
			break;
		}
	xb_str_append_n(out, host, (size_t)(url + end - host));
}

static char *url_part(const char *url, CURLUPart part)
{
	CURLU *u = curl_url();
	char *text = NULL, *copy = NULL;

	if (u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(u, part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK)
		copy = xb_strdup(text);
	curl_free(text);
	curl_url_cleanup(u);
	return copy;
}

bool xb_http_same_origin(const char *a, const char *b)
{
	static const CURLUPart parts[] = {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT};

	for (size_t i = 0; i < XB_COUNT(parts); i++) {
		char *of_a XB_CLEANUP(xb_free_ptr) = url_part(a, parts[i]);
		char *of_b XB_CLEANUP(xb_free_ptr) = url_part(b, parts[i]);

		if (!of_a || !of_b || strcasecmp(of_a, of_b) != 0)
			return false;
	}
	return true;
}

int xb_http_resolve(const char *base, const char *location, char **out, struct xb_err *err)
{
	struct xb_str plain XB_CLEANUP(xb_str_release) = {0};
	char *whole = NULL, *scheme = NULL;
	CURLU *u = curl_url();
	const char *fault = NULL;

	if (!u || curl_url_set(u, CURLUPART_URL, base, 0) != CURLUE_OK ||
	    curl_url_set(u, CURLUPART_URL, location, CURLU_DISALLOW_USER | CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
	    curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_URL, &whole, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
		fault = "it is not an address without a user name";
	else if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
		fault = "only http and https are followed";
	else if (strcmp(scheme, "http") == 0 && strncasecmp(base, "https:", 6) == 0)
		fault = "it leads from https to http";
	if (!fault)
		*out = xb_strdup(whole);
	curl_free(whole);
	curl_free(scheme);
	curl_url_cleanup(u);
	if (!fault)
		return 0;
	xb_http_plain_url(location, &plain);
	return xb_fail(err, XB_E_NETWORK, "the server sends to '%s': %s", xb_str_get(&plain), fault);
}

/* ---- callbacks ---- */

static size_t header_cb(char *data, size_t size, size_t n, void *user)
{
	struct exchange *x = user;
	const size_t len = size * n;
	const struct xb_sv line = xb_sv_trim(xb_sv_n(data, len));

	x->header_bytes += (int64_t)len;
	if (x->header_bytes > MAX_HEADER_BYTES) {
		x->is_too_large = true;
		return len + 1;
	}
	if (xb_sv_starts(line, "HTTP/")) {
		xb_str_reset(&x->res->headers);
	} else if (line.len) {
		xb_str_append_sv(&x->res->headers, line);
		xb_str_append_char(&x->res->headers, '\n');
	}
	return len;
}

static bool take_error(struct exchange *x, const char *data, size_t len)
{
	const size_t room = MAX_ERROR_BYTES - x->res->body.len;

	xb_str_append_n(&x->res->body, data, len < room ? len : room);
	x->has_ended_early = x->received > MAX_DROPPED_BYTES;
	return !x->has_ended_early;
}

static size_t write_cb(char *data, size_t size, size_t n, void *user)
{
	struct exchange *x = user;
	const size_t len = size * n;
	long status = 0;

	(void)curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	x->received += (int64_t)len;
	if (status < 200 || status > 299)
		return take_error(x, data, len) ? len : 0;
	if (x->received > x->req->max_answer_bytes) {
		x->is_too_large = true;
		return 0;
	}
	x->res->status = (int)status;
	if (!x->req->sink)
		return xb_str_append_n(&x->res->body, data, len) ? len : 0;
	return x->req->sink(x->req->ctx, x->res, data, len, &x->fault) < 0 ? 0 : len;
}

static bool read_file(struct exchange *x, char *data, size_t len)
{
	const struct xb_http_body *body = x->req->body;
	size_t done = 0;

	while (done < len) {
		const ssize_t n =
			pread(body->fd, data + done, len - done, (off_t)(body->offset + x->sent) + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			xb_fail_errno(&x->fault, "read what is to be sent");
		else if (n == 0)
			xb_fail(&x->fault, XB_E_DIGEST, "read what is to be sent: the file became shorter");
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

static size_t read_cb(char *data, size_t size, size_t n, void *user)
{
	struct exchange *x = user;
	const struct xb_http_body *body = x->req->body;
	const int64_t left = body->size_bytes - x->sent;
	const size_t len = left < (int64_t)(size * n) ? (size_t)left : size * n;

	if (len == 0)
		return 0;
	if (body->bytes)
		memcpy(data, (const char *)body->bytes + x->sent, len);
	else if (!read_file(x, data, len))
		return CURL_READFUNC_ABORT;
	if (body->sending && body->sending(body->ctx, x->sent, data, len, &x->fault) < 0)
		return CURL_READFUNC_ABORT;
	x->sent += (int64_t)len;
	return len;
}

/*
 * Asked when a kept connection turns out to be closed after the body was begun: curl would send all of it again. The
 * caller knows better how much of a file has arrived.
 */
static int seek_cb(void *user, curl_off_t offset, int origin)
{
	struct exchange *x = user;

	if (origin != SEEK_SET || offset < 0 || offset > x->req->body->size_bytes ||
	    (!x->req->body->bytes && offset < x->sent))
		return CURL_SEEKFUNC_FAIL;
	x->sent = offset;
	return CURL_SEEKFUNC_OK;
}

/* ---- one exchange ---- */

static const char *trusted_file(const struct xb_http *http)
{
	return http->opts.ca_file ? http->opts.ca_file : getenv("SSL_CERT_FILE");
}

static unsigned set_trust(const struct xb_http *http)
{
	const char *ca = trusted_file(http);
	unsigned bad = 0;

	if (ca && *ca)
		bad |= curl_easy_setopt(http->easy, CURLOPT_CAINFO, ca);
	if (http->opts.insecure)
		bad |= curl_easy_setopt(http->easy, CURLOPT_SSL_VERIFYPEER, 0L) |
		       curl_easy_setopt(http->easy, CURLOPT_SSL_VERIFYHOST, 0L);
	return bad;
}

static unsigned set_body(struct exchange *x)
{
	const struct xb_http_body *body = x->req->body;
	unsigned bad = 0;

	if (strcmp(x->req->method, "HEAD") == 0)
		return curl_easy_setopt(x->easy, CURLOPT_NOBODY, 1L);
	if (body) {
		bad |= curl_easy_setopt(x->easy, CURLOPT_UPLOAD, 1L);
		bad |= curl_easy_setopt(x->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)body->size_bytes);
		bad |= curl_easy_setopt(x->easy, CURLOPT_READFUNCTION, read_cb);
		bad |= curl_easy_setopt(x->easy, CURLOPT_READDATA, x);
		bad |= curl_easy_setopt(x->easy, CURLOPT_SEEKFUNCTION, seek_cb);
		bad |= curl_easy_setopt(x->easy, CURLOPT_SEEKDATA, x);
		bad |= curl_easy_setopt(x->easy, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
	}
	return bad | curl_easy_setopt(x->easy, CURLOPT_CUSTOMREQUEST, x->req->method);
}

static bool add_header(struct exchange *x, const char *line)
{
	struct curl_slist *longer = curl_slist_append(x->headers, line);

	if (!longer)
		return false;
	x->headers = longer;
	return true;
}

static unsigned set_headers(struct exchange *x)
{
	const struct xb_http_request *req = x->req;
	/* To wait for "100 Continue" costs a round trip, or a second where the server does not know it. */
	bool ok = add_header(x, "Expect:");

	for (size_t i = 0; req->headers && req->headers[i]; i++)
		ok = ok && add_header(x, req->headers[i]);
	if (req->authorization && xb_http_same_origin(x->url, req->origin ? req->origin : req->url)) {
		char *line XB_CLEANUP(xb_free_ptr) = xb_printf("Authorization: %s", req->authorization);

		ok = ok && add_header(x, line);
	}
	return !ok || curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers) != CURLE_OK;
}

static unsigned set_transfer(const struct xb_http *http, struct exchange *x)
{
	const int own = x->req->stall_sec ? x->req->stall_sec : http->opts.stall_sec;
	CURL *easy = x->easy;
	unsigned bad = 0;

	bad |= curl_easy_setopt(easy, CURLOPT_URL, x->url);
	bad |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	bad |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	bad |= curl_easy_setopt(easy, CURLOPT_USERAGENT, "xbuild");
	bad |= curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	/* One request at a time: nothing to multiplex, and no flow control of its own below that of TCP. */
	bad |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	bad |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, x->text);
	bad |= fetch_proxy_watch(easy, &x->proxy);
	bad |= curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, DOWNLOAD_BUFFER);
	bad |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, write_cb);
	bad |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, x);
	bad |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, header_cb);
	bad |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, x);
	bad |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)XB_CONNECT_TIMEOUT_MS);
	bad |= curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)XB_STALL_BYTES_PER_SEC);
	bad |= curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)(own > 0 ? own : XB_STALL_SEC));
	return bad | set_trust(http) | set_body(x) | set_headers(x);
}

static int perform(const struct xb_http *http, CURLcode *out, struct xb_err *err)
{
	CURLMcode mc = CURLM_OK;
	int running = 1, left = 0;
	CURLMsg *msg;

	while (mc == CURLM_OK) {
		if (http->opts.interrupted && *http->opts.interrupted)
			return xb_fail(err, XB_E_INTERRUPTED, "interrupted");
		mc = curl_multi_perform(http->multi, &running);
		while (mc == CURLM_OK && (msg = curl_multi_info_read(http->multi, &left)))
			if (msg->msg == CURLMSG_DONE) {
				*out = msg->data.result;
				return 0;
			}
		if (mc == CURLM_OK)
			mc = curl_multi_poll(http->multi, NULL, 0, TICK_MS, NULL);
	}
	return xb_fail(err, XB_E_SYSTEM, "talk to a server: %s", curl_multi_strerror(mc));
}

static int judge(const struct xb_http *http, struct exchange *x, CURLcode code, struct xb_err *err)
{
	struct xb_str plain XB_CLEANUP(xb_str_release) = {0};
	long status = 0;
	curl_off_t retry_after = 0;

	if (x->fault.code) {
		xb_err_move(err, &x->fault);
		return err->code;
	}
	(void)curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(x->easy, CURLINFO_RETRY_AFTER, &retry_after);
	x->res->status = (int)status;
	x->res->retry_after_sec = (int64_t)retry_after;
	if (code == CURLE_OK || x->has_ended_early)
		return 0;
	xb_http_plain_url(x->url, &plain);
	if (x->is_too_large)
		return xb_fail(err, XB_E_NETWORK, "%s %s: the answer is larger than %lld bytes", x->req->method,
			       plain.data, (long long)x->req->max_answer_bytes);
	if (code == CURLE_SSL_CACERT_BADFILE && trusted_file(http)) {
		xb_fail(err, XB_E_INPUT, "no certificates can be read from '%s'", trusted_file(http));
		return xb_hint(err, "it has to be a PEM file of the authorities to trust");
	}
	char *hint XB_CLEANUP(xb_free_ptr) = fetch_proxy_hint(x->easy, code, &x->proxy);

	x->res->is_passing = fetch_is_passing(code);
	x->res->is_unreached = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST;
	xb_fail(err, XB_E_NETWORK, "%s %s: %s", x->req->method, plain.data,
		x->text[0] ? x->text : curl_easy_strerror(code));
	return hint ? xb_hint(err, "%s", hint) : err->code;
}

static void exchange_release(struct exchange *x)
{
	curl_slist_free_all(x->headers);
	xb_err_release(&x->fault);
	fetch_proxy_release(&x->proxy);
}

static int run_one(struct xb_http *http, const struct xb_http_request *req, const char *url,
		   struct xb_http_response *res, struct xb_err *err)
{
	struct exchange x XB_CLEANUP(exchange_release) = {.req = req, .res = res, .easy = http->easy, .url = url};
	CURLcode code = CURLE_OK;
	int rc;

	xb_http_response_release(res);
	res->url = xb_strdup(url);
	curl_easy_reset(http->easy);
	if (set_transfer(http, &x) || curl_multi_add_handle(http->multi, http->easy) != CURLM_OK)
		return xb_fail(err, XB_E_SYSTEM, "talk to a server: curl refuses an option");
	rc = perform(http, &code, err);
	if (rc == 0)
		rc = judge(http, &x, code, err);
	fetch_proxy_unwatch(http->easy);
	(void)curl_multi_remove_handle(http->multi, http->easy);
	/* One whose name did not resolve takes no options any more, even after a reset (seen with curl 7.88). */
	if (code != CURLE_OK) {
		curl_easy_cleanup(http->easy);
		http->easy = curl_easy_init();
	}
	return rc;
}

/* RFC 9110 15.4. A changed method is never right here: what has a body is sent again whole or not at all. */
static bool is_redirect(const struct xb_http_request *req, const struct xb_http_response *res)
{
	const bool only_reads = strcmp(req->method, "GET") == 0 || strcmp(req->method, "HEAD") == 0;

	if (req->no_redirects || !xb_http_header(res, "Location", 0).ptr)
		return false;
	if (res->status == 307 || res->status == 308)
		return true;
	return only_reads && res->status >= 301 && res->status <= 303;
}

int xb_http_run(struct xb_http *http, const struct xb_http_request *req, struct xb_http_response *res,
		struct xb_err *err)
{
	char *url XB_CLEANUP(xb_free_ptr) = NULL;

	if (xb_http_resolve(req->url, req->url, &url, err) < 0)
		return err->code;
	for (int i = 0; i <= XB_MAX_REDIRECTS; i++) {
		char *next = NULL;

		if (run_one(http, req, url, res, err) < 0)
			return err->code;
		if (!is_redirect(req, res))
			return 0;
		char *location XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_http_header(res, "Location", 0));

		if (xb_http_resolve(url, location, &next, err) < 0)
			return xb_wrap(err, "%s", req->method);
		free(url);
		url = next;
	}
	return xb_fail(err, XB_E_NETWORK, "%s %s: more than %d redirects", req->method, res->url, XB_MAX_REDIRECTS);
}

void xb_http_close(struct xb_http *http)
{
	if (!http)
		return;
	curl_easy_cleanup(http->easy);
	curl_multi_cleanup(http->multi);
	free(http);
}

int xb_http_open(const struct xb_http_opts *opts, struct xb_http **out, struct xb_err *err)
{
	struct xb_http *http = xb_alloc(sizeof(*http));

	fetch_global_init();
	http->opts = *opts;
	http->multi = curl_multi_init();
	http->easy = curl_easy_init();
	if (!http->multi || !http->easy) {
		xb_http_close(http);
		return xb_fail(err, XB_E_SYSTEM, "talk to a server: curl cannot be started");
	}
	*out = http;
	return 0;
}
