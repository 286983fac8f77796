/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP request after the other over kept connections: for protocols that are more than a download (sys/fetch). Several
 * at once: a connection object for each thread, so that every thread hashes what it sends.
 *
 * Guarantee: only http and https. Authorization is sent to the scheme, host and port that it belongs to and to no other,
 *            whatever a server redirects to; https is never redirected to http; at most XB_MAX_REDIRECTS; an address with a
 *            user name in it is refused. No netrc, no cookies; proxies as curl's environment variables say. Headers are
 *            bounded (256 KiB), answers by max_answer_bytes. A transfer slower than XB_STALL_BYTES_PER_SEC for stall_sec ends.
 * Redirects: 301, 302 and 303 of GET and HEAD; 307 and 308 of everything, the body is then sent again. Other answers are
 *            handed to the caller as they are: every status is success here.
 * Failure:   XB_E_NETWORK (res->is_passing tells whether another try may help), XB_E_INPUT for a file of authorities that
 *            cannot be used, XB_E_INTERRUPTED, XB_E_SYSTEM, or what a callback returned. Messages name the method and the
 *            address without its query, which may hold secrets.
 * Threads:   a connection object belongs to one thread at a time.
 */
#ifndef XBUILD_SYS_HTTP_H
#define XBUILD_SYS_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"

struct xb_http;

struct xb_http_opts {
	const char *ca_file; /* PEM file of authorities to trust; NULL: SSL_CERT_FILE, else those of the system */
	bool insecure;	     /* certificates are not checked */
	int stall_sec;	     /* 0 = XB_STALL_SEC */
	const volatile int *interrupted; /* non-zero: stop soon; may be NULL */
};

int xb_http_open(const struct xb_http_opts *opts, struct xb_http **out, struct xb_err *err) XB_MUST_CHECK;
void xb_http_close(struct xb_http *http); /* NULL-safe */

/* What an answer was. Release it, whether the request succeeded or not. */
struct xb_http_response {
	int status;
	char *url;		 /* that answered: another one after a redirect; owned */
	struct xb_str headers;	 /* of that answer: "Name: value\n" each */
	struct xb_str body;	 /* what no sink took; of an error at most 64 KiB */
	int64_t retry_after_sec; /* of Retry-After, also where it is a date (RFC 9110 10.2.3); 0: none */
	bool is_passing;	 /* after XB_E_NETWORK: another try may help */
	bool is_unreached;	 /* after XB_E_NETWORK: no server of this name, or none that listens */
};
void xb_http_response_release(struct xb_http_response *res);

/* The n-th header of this name (any case), or the view with ptr NULL. Borrowed. */
struct xb_sv xb_http_header(const struct xb_http_response *res, const char *name, size_t n);

/* A body that can be read from its start again: bytes, or a part of a file. */
struct xb_http_body {
	const void *bytes; /* NULL: from fd */
	int fd;
	int64_t offset; /* in the file */
	int64_t size_bytes;
	/*
	 * Sees what is about to be sent, from `at` on (counted from the start of the body); after a rewind a second time.
	 * A negative result ends the request before these bytes are sent. May be NULL.
	 */
	int (*sending)(void *ctx, int64_t at, const void *data, size_t len, struct xb_err *err);
	void *ctx;
};

struct xb_http_request {
	const char *method;
	const char *url;
	const char *const *headers;	 /* "Name: value", ends with NULL; may be NULL */
	const char *authorization;	 /* value of the header, or NULL */
	const char *origin;		 /* address of the server that authorization is for; NULL: url */
	const struct xb_http_body *body; /* NULL: none */
	bool no_redirects;		 /* the body is a secret, or the answer should be of this server */
	int stall_sec;			 /* 0 = that of xb_http_opts */
	int64_t max_answer_bytes;	 /* more is XB_E_NETWORK; not for errors, of which the rest is dropped */
	/* Takes the body of an answer with status 2xx; res->headers is filled. NULL: it goes to res->body. */
	int (*sink)(void *ctx, const struct xb_http_response *res, const void *data, size_t len, struct xb_err *err);
	void *ctx;
};

int xb_http_run(struct xb_http *http, const struct xb_http_request *req, struct xb_http_response *res,
		struct xb_err *err) XB_MUST_CHECK;

/*
 * *out (owned): the address that `location`, absolute or relative, means in an answer of `base` (RFC 3986 5). Fails with
 * XB_E_NETWORK for other schemes than http and https, for http where base is https, and for user names.
 */
int xb_http_resolve(const char *base, const char *location, char **out, struct xb_err *err) XB_MUST_CHECK;
/* True when scheme, host and port are the same. */
bool xb_http_same_origin(const char *a, const char *b);
/* Appends the address for people: without query, fragment, user name and password. */
void xb_http_plain_url(const char *url, struct xb_str *out);

#endif
