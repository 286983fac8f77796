/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to sys/fetch (and, from fetch_proxy_watch on, sys/http): one transfer, shared by fetch.c (which request goes where and
 * when), fetch_transfer.c (the options of a transfer, and what happens to its bytes) and fetch_judge.c (what its end means). An
 * item belongs to one run, and so to one thread.
 *
 *     fetch_item_init -> (fetch_transfer_start -> fetch_judge -> fetch_transfer_close)* -> fetch_item_release
 */
#ifndef XBUILD_SYS_FETCH_TRANSFER_H
#define XBUILD_SYS_FETCH_TRANSFER_H

#include <curl/curl.h>

#include "xbuild/base/str.h"
#include "xbuild/sys/fetch.h"

#define FETCH_MAX_PAUSE_MS  30000
#define FETCH_MAX_LOG_BYTES (16 * 1024)

/* What the header of the last response said; of redirects and interim responses nothing is kept. */
struct fetch_response {
	char *etag, *last_modified; /* owned; NULL when absent or weak */
	int64_t range_start;	    /* of Content-Range; -1 when absent or not understood */
	int64_t range_total;	    /* -1 unknown */
	bool is_html;
	bool accepted; /* its body may go to the file */
};

/* Why one of our callbacks ended a transfer. */
enum fetch_stop {
	STOP_NONE,
	STOP_STATUS,	/* neither 200 nor 206 */
	STOP_RANGE,	/* 206, but not the continuation of what we have */
	STOP_SIZE,	/* announces or sends another size than expected */
	STOP_HEADER,	/* the header does not end */
	STOP_DOWNGRADE, /* redirects from https to http */
	STOP_SYSTEM	/* the file cannot be written; item->fault has it */
};

/*
 * Which proxy a transfer takes: curl decides that by environment variables (and a list of hosts that need none) and has no
 * call that tells it before 8.7, but it says so in its log, of which nothing else is read. A log without it costs the hint.
 */
struct fetch_proxy {
	char *variable,
		*address; /* owned; "https_proxy", and what it names, without user and password; NULL: none so far */
};

struct fetch_item {
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
	struct fetch_response res;
	int64_t header_bytes;
	enum fetch_stop stop;
	struct xb_err fault;
	struct xb_str log; /* one reason per URL that failed */
	struct fetch_proxy proxy;
	char *hint;		   /* owned: that a failure was a proxy's; or NULL */
	bool any_found, any_wrong; /* some URL failed otherwise than by absence; some had other content */
	char text[CURL_ERROR_SIZE];
};

enum fetch_verdict {
	FETCH_OK,
	FETCH_AGAIN,   /* the same URL after a pause */
	FETCH_AT_ONCE, /* the same URL, from the beginning */
	FETCH_NEXT_URL,
	FETCH_GIVE_UP /* our own fault, in it->fault */
};

void fetch_item_init(struct fetch_item *it, struct xb_fetch_req *req);
/* The transfer must be closed. */
void fetch_item_release(struct fetch_item *it);

/* Forgets what was loaded. On failure it->fault is set. */
bool fetch_content_reset(struct fetch_item *it);

/* Starts to load it->url. The transfer is to be closed after a failure too. stall_sec: 0 = XB_STALL_SEC. */
int fetch_transfer_start(struct fetch_item *it, CURLM *multi, int stall_sec, struct xb_err *err) XB_MUST_CHECK;
/* it->easy must be set. */
void fetch_transfer_close(struct fetch_item *it, CURLM *multi);

/* Decides, at the first byte of a body or at its end, whether the response is what was asked for; else it->stop is set. */
bool fetch_response_accept(struct fetch_item *it);
/* How many bytes the file may have. */
int64_t fetch_size_limit(const struct xb_fetch_req *req);

/* What the end of a transfer means; appends the reason to `why`. *pause_ms is set where the server asks for a pause. */
enum fetch_verdict fetch_judge(struct fetch_item *it, CURLcode code, struct xb_str *why, int64_t *pause_ms);

/* `proxy` must live until fetch_proxy_unwatch. Returns 0, or curl's refusal. */
unsigned fetch_proxy_watch(CURL *easy, struct fetch_proxy *proxy);
void fetch_proxy_unwatch(CURL *easy);
/* After a transfer that ended with `code`: the next step where it was the proxy that failed, else NULL. Owned. */
char *fetch_proxy_hint(CURL *easy, CURLcode code, const struct fetch_proxy *proxy);
void fetch_proxy_release(struct fetch_proxy *proxy);

/* Failures that another try may mend. */
bool fetch_is_passing(CURLcode code);
/* Once per process, from any thread. */
void fetch_global_init(void);

#endif
