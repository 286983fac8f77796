/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to the layer registry: a request to a repository with login, repeated tries and errors in words.
 */
#ifndef XBUILD_REGISTRY_CLIENT_H
#define XBUILD_REGISTRY_CLIENT_H

#include "auth.h"

#include "xbuild/registry/registry.h"
#include "xbuild/sys/http.h"

#define REGISTRY_DOCUMENT_TYPES                                                                                        \
	"application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "                        \
	"application/vnd.docker.distribution.manifest.list.v2+json, "                                                  \
	"application/vnd.docker.distribution.manifest.v2+json"

struct xb_registry {
	struct xb_registry_opts opts;
	pthread_mutex_t lock;
	XB_VEC(struct xb_http *) idle; /* connections that no thread uses now */
	struct xb_map warned;	       /* what registries warned about, told once */
};

struct xb_repository {
	struct xb_registry *registry;
	struct xb_reference ref; /* owned strings */
	pthread_mutex_t lock;	 /* of the fields below */
	char *base;		 /* "https://host/v2/acme/parcel"; owned; NULL until the first request */
	struct auth auth;
};

struct registry_call {
	const char *method;
	const char *url;
	const char *const *headers; /* "Name: value", ends with NULL; may be NULL */
	const struct xb_http_body *body;
	int64_t max_answer_bytes; /* 0 = XB_MAX_OCI_DOCUMENT_BYTES */
	int stall_sec;
	bool once; /* the caller tries again itself */
	int (*sink)(void *ctx, const struct xb_http_response *res, const void *data, size_t len, struct xb_err *err);
	void *ctx;
};

/* "https://host/v2/name<path>", owned; the first one may have to find out whether the server speaks https. */
int registry_url(struct xb_repository *repo, char **out, struct xb_err *err, const char *path, ...) XB_PRINTF(4, 5);

/*
 * Success is an answer of any status that is not worth another try, a login that was asked for having been given. With
 * `once` also one that is.
 */
int registry_call(struct xb_repository *repo, const struct registry_call *call, struct xb_http_response *res,
		  struct xb_err *err) XB_MUST_CHECK;
/* An answer that is none of success, as an error: "PUT https://...: 403 DENIED: requested access ...". */
int registry_refused(const struct registry_call *call, const struct xb_http_response *res, struct xb_err *err);
bool registry_is_passing_status(int status);
/*
 * Waits before try number `tries` (from 1), or as long as the server asks for. XB_E_NETWORK when that is too long,
 * XB_E_INTERRUPTED.
 */
int registry_pause(const struct xb_registry *registry, int tries, int64_t retry_after_sec, struct xb_err *err);

/* A connection of the run, for requests that need no login of a repository (token servers). Give it back. */
int registry_borrow(struct xb_registry *registry, struct xb_http **out, struct xb_err *err) XB_MUST_CHECK;
void registry_return(struct xb_registry *registry, struct xb_http *http);

#endif
