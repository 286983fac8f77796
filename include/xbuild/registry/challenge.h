/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server asks for in WWW-Authenticate: one header may hold several challenges, parameters may be quoted, and commas
 * may stand in the quotes (RFC 9110 11.3, 11.6.1).
 *
 * Failure: a header that is malformed ends the list at the place that is wrong; what was read before counts.
 * Threads: no state.
 */
#ifndef XBUILD_REGISTRY_CHALLENGE_H
#define XBUILD_REGISTRY_CHALLENGE_H

#include <stddef.h>

#include "xbuild/base/sv.h"

#define XB_CHALLENGE_MAX_PARAMS 16 /* more are passed over */

/* Strings are owned. */
struct xb_challenge {
	char *scheme; /* as sent: "Bearer" */
	struct {
		char *name, *value; /* value without quotes and escapes */
	} params[XB_CHALLENGE_MAX_PARAMS];
	size_t n_params;
};

void xb_challenge_release(struct xb_challenge *challenge);
/* Reads one challenge off the front of *rest. 1: *out is set; 0: there is no more, or it is malformed. */
int xb_challenge_next(struct xb_sv *rest, struct xb_challenge *out);
/* The value of a parameter (any case), or NULL. */
const char *xb_challenge_param(const struct xb_challenge *challenge, const char *name);

#endif
