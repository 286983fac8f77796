/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of images in registries: [HOST[:PORT]/]NAME[:TAG][@sha256:DIGEST].
 *
 * The first component is a host when it has a dot, a colon or brackets, or is "localhost"; without one the image is at
 * docker.io, where a name of one component is below library/. Names and tags: OCI distribution-spec v1.1 "Pulling
 * manifests"; host and name together have at most 255 bytes.
 *
 * Failure: XB_E_USAGE naming the part that is wrong, before anything is sent.
 * Threads: no state.
 */
#ifndef XBUILD_REGISTRY_REFERENCE_H
#define XBUILD_REGISTRY_REFERENCE_H

#include <stdbool.h>

#include "xbuild/base/err.h"
#include "xbuild/base/str.h"
#include "xbuild/sys/digest.h"

/* Strings are owned. */
struct xb_reference {
	char *registry;	  /* as people write it: "docker.io", "ghcr.io", "[::1]:5000" */
	char *host;	  /* that is spoken to: "registry-1.docker.io" for docker.io, else the same */
	char *repository; /* "acme/parcel" */
	char *tag;	  /* or NULL */
	bool has_digest;
	struct xb_digest digest;
	bool is_loopback; /* localhost, *.localhost, 127.0.0.0/8, [::1]: spoken to by http */
};

int xb_reference_parse(const char *text, struct xb_reference *out, struct xb_err *err) XB_MUST_CHECK;
void xb_reference_release(struct xb_reference *ref); /* NULL-safe */

/* Appends "registry/repository". */
void xb_reference_name(const struct xb_reference *ref, struct xb_str *out);
/* True when both name the same repository of the same registry. */
bool xb_reference_same_repository(const struct xb_reference *a, const struct xb_reference *b);

#endif
