/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to the layer registry: who we are at one repository. Nothing is sent until the registry asks (401), then Basic
 * or a Bearer token is sent with every request. Tokens are renewed before they expire, between requests.
 *
 * Format: RFC 9110 11 (challenges), RFC 6750 3, and Docker's "Token Authentication Specification" and "OAuth2".
 */
#ifndef XBUILD_REGISTRY_AUTH_H
#define XBUILD_REGISTRY_AUTH_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "xbuild/base/err.h"
#include "xbuild/base/map.h"
#include "xbuild/base/vec.h"
#include "xbuild/registry/credentials.h"
#include "xbuild/sys/http.h"

struct xb_repository;

enum auth_scheme { AUTH_NONE, AUTH_BASIC, AUTH_BEARER };

struct auth {
	enum auth_scheme scheme;
	bool has_looked; /* for credentials */
	struct xb_credentials credentials;
	char *realm, *service; /* owned */
	struct xb_map
		scopes; /* "repository:acme/parcel:pull,push", in the order in which they were needed; NULL: dropped */
	char *header;	/* value of Authorization; owned; NULL: none */
	int64_t renew_ms;    /* monotonic: when a token is too old to be used */
	unsigned generation; /* counts the headers */
};

void auth_release(struct auth *auth);

/* The functions take the repository's lock themselves. */

void auth_need_scope(struct xb_repository *repo, const char *repository, const char *actions);
/* Asks for nothing of that repository any more: a token server may refuse a login because of one scope that it may not have. */
void auth_drop_scope(struct xb_repository *repo, const char *repository);
/* *out (owned, may be NULL): what to send now; a token about to expire is renewed first. */
int auth_header(struct xb_repository *repo, char **out, unsigned *out_generation, struct xb_err *err) XB_MUST_CHECK;
/*
 * Answers a challenge (401, or 403 with insufficient_scope) to a request that was sent with `generation`. 1: try again;
 * 2: the same, another thread having answered; 0: nothing better can be sent.
 */
int auth_answer(struct xb_repository *repo, const struct xb_http_response *res, unsigned generation,
		struct xb_err *err) XB_MUST_CHECK;

#endif
