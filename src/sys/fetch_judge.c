/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch_transfer.h"

static enum fetch_verdict judge_status(struct fetch_item *it, struct xb_str *why, int64_t *pause_ms)
{
	long status = 0;
	curl_off_t retry_after = 0;
	(void)curl_easy_getinfo(it->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(it->easy, CURLINFO_RETRY_AFTER, &retry_after);
	(void)xb_str_printf(why, "HTTP status %ld", status);
	if (status != 404 && status != 410)
		it->any_found = true;
	if (status == 416)
		return FETCH_AT_ONCE;
	if (status != 408 && status != 429 && status < 500)
		return FETCH_NEXT_URL;
	if (retry_after > FETCH_MAX_PAUSE_MS / 1000) {
		(void)xb_str_printf(why, ", it asks to wait %lld s", (long long)retry_after);
		return FETCH_NEXT_URL;
	}
	if (retry_after > 0)
		*pause_ms = (int64_t)retry_after * 1000;
	return FETCH_AGAIN;
}

static enum fetch_verdict judge_stop(struct fetch_item *it, struct xb_str *why, int64_t *pause_ms)
{
	const char *page = it->res.is_html ? " (it sent a web page: is there a captive portal?)" : "";
	it->any_found = true;
	switch (it->stop) {
	case STOP_STATUS:
		return judge_status(it, why, pause_ms);
	case STOP_RANGE:
		(void)xb_str_append(why, "it sent another part than was asked for");
		return FETCH_AT_ONCE;
	case STOP_SIZE:
		it->any_wrong = it->req->size_bytes >= 0;
		(void)xb_str_printf(why, "its size is not the %s %lld bytes%s",
				    it->any_wrong ? "expected" : "allowed at most",
				    (long long)fetch_size_limit(it->req), page);
		return FETCH_NEXT_URL;
	case STOP_HEADER:
		(void)xb_str_append(why, "its header is too large");
		return FETCH_NEXT_URL;
	case STOP_DOWNGRADE:
		(void)xb_str_append(why, "it redirects from https to http");
		return FETCH_NEXT_URL;
	default:
		return FETCH_GIVE_UP;
	}
}

bool fetch_is_passing(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_PARTIAL_FILE:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_SEND_FAIL_REWIND:
	case CURLE_RECV_ERROR:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_SSL_CONNECT_ERROR:
		return true;
	default:
		return false;
	}
}

static enum fetch_verdict judge_content(struct fetch_item *it, struct xb_str *why, int64_t *pause_ms)
{
	const struct xb_fetch_req *req = it->req;
	const char *page = it->res.is_html ? " (it sent a web page: is there a captive portal?)" : "";
	char got[XB_DIGEST_HEX], want[XB_DIGEST_HEX];
	if (!fetch_response_accept(it))
		return judge_stop(it, why, pause_ms);
	it->any_found = true;
	if (req->size_bytes >= 0 && it->have != req->size_bytes) {
		it->any_wrong = true;
		(void)xb_str_printf(why, "it has %lld bytes, expected %lld%s", (long long)it->have,
				    (long long)req->size_bytes, page);
		return FETCH_NEXT_URL;
	}
	xb_hasher_final(&it->hasher, &it->req->got_digest);
	xb_hasher_init(&it->hasher);
	if (!req->digest || xb_digest_eq(&req->got_digest, req->digest))
		return FETCH_OK;
	it->any_wrong = true;
	(void)xb_str_printf(why, "its SHA-256 is %s, expected %s%s", xb_digest_hex(&req->got_digest, got),
			    xb_digest_hex(req->digest, want), page);
	/* The parts may have been of two versions; one whole transfer tells. */
	return it->resumed ? FETCH_AT_ONCE : FETCH_NEXT_URL;
}

enum fetch_verdict fetch_judge(struct fetch_item *it, CURLcode code, struct xb_str *why, int64_t *pause_ms)
{
	if (it->stop != STOP_NONE)
		return judge_stop(it, why, pause_ms);
	if (code == CURLE_OK)
		return judge_content(it, why, pause_ms);
	if (code == CURLE_HTTP_RETURNED_ERROR)
		return judge_status(it, why, pause_ms);
	it->any_found = true;
	if (!it->hint)
		it->hint = fetch_proxy_hint(it->easy, code, &it->proxy);
	(void)xb_str_append(why, it->text[0] ? it->text : curl_easy_strerror(code));
	return fetch_is_passing(code) ? FETCH_AGAIN : FETCH_NEXT_URL;
}
