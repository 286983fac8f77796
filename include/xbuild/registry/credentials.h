/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logins for registries, from the files that docker, podman and their like write:
 *
 *   $DOCKER_CONFIG/config.json, else ~/.docker/config.json
 *   $REGISTRY_AUTH_FILE
 *   $XDG_RUNTIME_DIR/containers/auth.json, else /run/containers/<uid>/auth.json (XBUILD_TEST_RUN_DIR, for tests: not /run)
 *   $XDG_CONFIG_HOME/containers/auth.json, else ~/.config/containers/auth.json
 *
 * The first one that knows the registry decides. In each: the program of credHelpers for this host, then `auths` with the
 * longest key that fits (host/path, host, https://host, https://host/v1/ ...), then the program of credsStore. Programs are
 * docker-credential-NAME in PATH, run with "get", the server's address on stdin and no shell; NAME is of letters, digits,
 * '-' and '_'.
 *
 * Guarantee: a secret is never in an argument list, an environment or a message.
 * Failure:   XB_E_INPUT for a file that is not JSON or larger than 1 MiB, XB_E_SYSTEM for a program that does not run or
 *            fails otherwise than by not knowing the server.
 * Threads:   no state.
 * Format:    docker config.json; containers-auth.json(5); docker-credential-helpers.
 */
#ifndef XBUILD_REGISTRY_CREDENTIALS_H
#define XBUILD_REGISTRY_CREDENTIALS_H

#include "xbuild/base/err.h"
#include "xbuild/registry/reference.h"

/* All NULL: anonymous. Either username and password, or identity_token (which is sent to a token server as it is). */
struct xb_credentials {
	char *username, *password, *identity_token; /* owned */
	char *source;				    /* the file that led to it, for messages; owned */
};
void xb_credentials_release(struct xb_credentials *c); /* wipes; NULL-safe */

/* Anonymous is success. `interrupted` (may be NULL) ends the wait for a program. */
int xb_credentials_find(const struct xb_reference *ref, const volatile int *interrupted, struct xb_credentials *out,
			struct xb_err *err) XB_MUST_CHECK;

#endif
