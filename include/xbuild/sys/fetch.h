/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Downloads: parallel, resumable, bounded, verified. libcurl is used by this module alone.
 *
 * Guarantee: a request succeeds only if its bytes have the expected size and digest (where given) and were written to
 *            its fd completely. Never more than the expected size (or max_bytes) is taken. Only http and https; https is
 *            never redirected to http; at most XB_MAX_REDIRECTS; no netrc, no cookies; proxies as curl's environment
 *            variables say. A transfer slower than XB_STALL_BYTES_PER_SEC for XB_STALL_SEC ends.
 * Retries:   per URL up to XB_MAX_RETRIES with back-off (resumed by Range where the server can; restarted where it
 *            answers anything but the right 206); wrong digest, wrong size or 404 go to the next URL at once. When all
 *            URLs failed the error names each URL with its reason.
 * file: URLs are refused.
 * The bytes are written by offset: the position of fd stays where it was, and after a failure the file is empty, unless
 * it could not be written at all (XB_E_SYSTEM).
 *
 * Codes:     XB_E_NOT_FOUND when every URL answered 404 or 410; else XB_E_DIGEST when one sent other content; else
 *            XB_E_NETWORK. XB_E_SYSTEM where the file cannot be written; that is not tried again.
 * Observer:  one XB_EVENT_PHASE (where opts->phase is given), then XB_EVENT_PROGRESS at most every 100 ms and at the
 *            end. XB_EVENT_DONE is the caller's.
 * Threads:   several runs may go on at once in several threads; each belongs to one.
 */
#ifndef XBUILD_SYS_FETCH_H
#define XBUILD_SYS_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "xbuild/base/err.h"
#include "xbuild/base/observer.h"
#include "xbuild/sys/digest.h"

struct xb_fetch_req {
	const char *const *urls; /* in order of preference; borrowed */
	size_t n_urls;
	const char *label;		/* for people: "libc6_2.36-9_arm64.deb" */
	int fd;				/* empty file open for reading and writing; stays the caller's */
	int64_t size_bytes;		/* expected, or -1 */
	int64_t max_bytes;		/* bound where size_bytes is -1 */
	const struct xb_digest *digest; /* expected, or NULL */
	/*
	 * Called on the thread of xb_fetch_run as soon as this request has succeeded, so that work on it can start
	 * while others still load; may be NULL. A negative result stops everything. Failures are not told here.
	 */
	int (*done)(struct xb_fetch_req *req, struct xb_err *err);
	void *user; /* the caller's */
	/* results */
	struct xb_digest got_digest;
	int64_t got_bytes;
	const char *got_url; /* which URL it came from; NULL: failed, or given up with the rest */
	struct xb_err err;   /* set when this request failed */
};

struct xb_fetch_opts {
	int parallel;	    /* transfers at once; 0 = 8 */
	bool stop_on_error; /* give up the rest after the first failure */
	int stall_sec;	    /* 0 = XB_STALL_SEC */
	int backoff_ms;	    /* first pause before a retry; 0 = 500 */
	const char *phase;  /* name of the phase for the observer */
	const struct xb_observer *observer;
	const volatile int *interrupted; /* non-zero: stop soon with XB_E_INTERRUPTED; may be NULL */
};

/*
 * Runs all requests. Returns 0 when every one succeeded, else the code of the first failure in the order of `reqs`
 * (err holds a copy; each keeps its own in req->err). The caller releases each req->err. An interruption and a negative
 * result of done are returned before any of these.
 */
int xb_fetch_run(struct xb_fetch_req *reqs, size_t n_reqs, const struct xb_fetch_opts *opts,
		 struct xb_err *err) XB_MUST_CHECK;

#endif
