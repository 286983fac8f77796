/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sys/fetch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fetch_transfer.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/sys/host.h"

#define DEFAULT_PARALLEL     8
#define MAX_PARALLEL	     64
#define MAX_HOST_CONNECTIONS 8
#define DEFAULT_BACKOFF_MS   500
#define TICK_MS		     100 /* how late an interruption or a progress event may come */

struct run {
	CURLM *multi;
	struct fetch_item *items;
	size_t n_items, n_open, n_ended_ok, first_open;
	int active, parallel;
	const struct xb_fetch_opts *opts;
	int64_t shown_ms; /* when the last progress event went out */
	bool failed;	  /* some request failed */
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

/* ---- one request ---- */

static void close_transfer(struct run *run, struct fetch_item *it)
{
	if (!it->easy)
		return;
	fetch_transfer_close(it, run->multi);
	run->active--;
}

static void fail_request(struct fetch_item *it)
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
	if (it->hint)
		(void)xb_hint(&req->err, "%s", it->hint);
}

static int end_request(struct run *run, struct fetch_item *it, bool ok, struct xb_err *err)
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
static int next_url(struct run *run, struct fetch_item *it, const char *why, struct xb_err *err)
{
	if (!fetch_content_reset(it))
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
	for (int i = 1; i < tries && pause < FETCH_MAX_PAUSE_MS; i++)
		pause *= 2;
	return pause < FETCH_MAX_PAUSE_MS ? pause : FETCH_MAX_PAUSE_MS;
}

static int end_transfer(struct run *run, struct fetch_item *it, CURLcode code, struct xb_err *err)
{
	struct xb_str why XB_CLEANUP(xb_str_release) = {.max_bytes = FETCH_MAX_LOG_BYTES};
	int64_t pause_ms = -1;
	enum fetch_verdict verdict = fetch_judge(it, code, &why, &pause_ms);
	close_transfer(run, it);
	if (verdict == FETCH_OK || verdict == FETCH_GIVE_UP)
		return end_request(run, it, verdict == FETCH_OK, err);
	if (verdict == FETCH_NEXT_URL || it->tries == XB_MAX_RETRIES)
		return next_url(run, it, xb_str_get(&why), err);
	it->tries++;
	if (verdict == FETCH_AT_ONCE)
		return fetch_content_reset(it) ? 0 : end_request(run, it, false, err);
	it->not_before_ms = xb_host_monotonic_ms() + (pause_ms >= 0 ? pause_ms : pause_before_try(run, it->tries));
	return 0;
}

/* ---- all requests ---- */

static bool is_ready(const struct fetch_item *it, int64_t now_ms)
{
	return !it->ended && !it->easy && it->not_before_ms <= now_ms;
}

static bool has_prefix_nocase(const char *text, const char *prefix)
{
	return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

static int start_item(struct run *run, struct fetch_item *it, struct xb_err *err)
{
	if (it->url >= it->req->n_urls)
		return end_request(run, it, false, err);
	const char *url = it->req->urls[it->url];
	if (!has_prefix_nocase(url, "http://") && !has_prefix_nocase(url, "https://")) {
		it->any_found = true;
		return next_url(run, it, "only http and https addresses are fetched", err);
	}
	run->active++;
	return fetch_transfer_start(it, run->multi, run->opts->stall_sec, err);
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
		int rc = end_transfer(run, (struct fetch_item *)(void *)item, code, err);
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
		const struct fetch_item *it = &run->items[i];
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
		const struct fetch_item *it = &run->items[i];
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

void fetch_global_init(void)
{
	(void)pthread_once(&global_once, global_init);
}

static void run_release(struct run *run)
{
	for (size_t i = 0; i < run->n_items; i++) {
		close_transfer(run, &run->items[i]);
		fetch_item_release(&run->items[i]);
	}
	free(run->items);
	if (run->multi)
		(void)curl_multi_cleanup(run->multi);
}

static int run_open(struct run *run, struct xb_fetch_req *reqs, size_t n_reqs, struct xb_err *err)
{
	int parallel = run->opts->parallel > 0 ? run->opts->parallel : DEFAULT_PARALLEL;
	run->parallel = parallel < MAX_PARALLEL ? parallel : MAX_PARALLEL;
	fetch_global_init();
	run->multi = curl_multi_init();
	if (!run->multi)
		return xb_fail(err, XB_E_SYSTEM, "fetch: curl cannot be started");
	(void)curl_multi_setopt(run->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)MAX_HOST_CONNECTIONS);
	run->items = xb_alloc(n_reqs * sizeof(*run->items));
	run->n_items = run->n_open = n_reqs;
	for (size_t i = 0; i < n_reqs; i++)
		fetch_item_init(&run->items[i], &reqs[i]);
	return 0;
}

/* The first failure in the order of the requests; req->err keeps it too. */
static int first_failure(const struct xb_fetch_req *reqs, size_t n_reqs, struct xb_err *err)
{
	for (size_t i = 0; i < n_reqs; i++)
		if (reqs[i].err.code) {
			xb_fail(err, reqs[i].err.code, "%s", reqs[i].err.msg);
			return reqs[i].err.hint ? xb_hint(err, "%s", reqs[i].err.hint) : err->code;
		}
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
