/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Talking to registries (OCI distribution-spec v1.1): connections, logins and repeated tries, shared by all modules of this
 * layer. libcurl is behind sys/http, so what uses this belongs to xbuild-supply.
 *
 * Guarantee: https, but for loopback without opts.ca_file (xb_reference.is_loopback), and where opts.insecure is set and
 *            the server does not speak it. A login is sent to the
 *            registry that it is for and to the token server that this one names, never along a redirect to somebody else,
 *            and never appears in a message. Documents are bounded by XB_MAX_OCI_DOCUMENT_BYTES, and nothing is handed out
 *            whose digest is not the one asked for.
 * Tries:     408, 429, 499, 500, 502, 503, 504, 522 and broken connections are tried again up to XB_MAX_RETRIES times, with
 *            pauses that double and vary, or as long as Retry-After says (at most two minutes).
 * Sequence:  xb_registry_open, xb_repository_open for each repository, their modules (document.h, blob.h, push.h ...),
 *            xb_repository_close, xb_registry_close.
 * Failure:   XB_E_NOT_FOUND for 404; XB_E_USAGE where the registry refuses (401, 403), with a hint; XB_E_DIGEST for other
 *            content; XB_E_NETWORK; XB_E_INTERRUPTED. Messages have method, address, status, and the registry's own words.
 * Threads:   all may be called from several threads at once; open and close are for one.
 */
#ifndef XBUILD_REGISTRY_REGISTRY_H
#define XBUILD_REGISTRY_REGISTRY_H

#include <stdbool.h>

#include "xbuild/base/err.h"
#include "xbuild/base/observer.h"
#include "xbuild/registry/reference.h"

struct xb_registry;   /* connections, in a run */
struct xb_repository; /* one repository of one registry, and who we are there */

struct xb_registry_opts {
	const char *ca_file; /* PEM file of authorities to trust; NULL: as sys/http says */
	bool insecure;	     /* certificates are not checked, and http is spoken where https is not */
	int backoff_ms;	     /* first pause before another try; 0 = 500 */
	const struct xb_observer *observer;
	const volatile int *interrupted; /* may be NULL */
};

/* Strings of opts are borrowed. Nothing is sent yet. */
struct xb_registry *xb_registry_open(const struct xb_registry_opts *opts);
void xb_registry_close(struct xb_registry *registry); /* NULL-safe */

/* `writes`: ask for the right to push, too. Nothing is sent yet; ref is copied. */
struct xb_repository *xb_repository_open(struct xb_registry *registry, const struct xb_reference *ref, bool writes);
void xb_repository_close(struct xb_repository *repository); /* NULL-safe */

#endif
